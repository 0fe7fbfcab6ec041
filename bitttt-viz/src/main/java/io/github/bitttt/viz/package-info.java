/**
 * Pictures of models, memories and measurements, as PNG, SVG or the last expression of a notebook's cell.
 *
 * <p>{@link io.github.bitttt.viz.Charts} draws lines and bars with XChart,
 * {@link io.github.bitttt.viz.HeatMaps} matrices, {@link io.github.bitttt.viz.Tables} tables, and
 * {@link io.github.bitttt.viz.TintedText} a text whose colours are surprise. All of them are a
 * {@link io.github.bitttt.viz.Picture}. May import: anything public.
 */
@NullMarked
package io.github.bitttt.viz;

import org.jspecify.annotations.NullMarked;

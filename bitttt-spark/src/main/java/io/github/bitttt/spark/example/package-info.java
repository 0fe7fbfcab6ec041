/** Programs that show and measure bitttt on Spark; they may import anything public. */
@NullMarked
package io.github.bitttt.spark.example;

import org.jspecify.annotations.NullMarked;

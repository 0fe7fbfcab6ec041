/**
 * Running a model: sessions with a memory that learns, texts that are written token by token, samplers, options.
 *
 * <h2>The walk of a token</h2>
 * <ol>
 * <li>{@link io.github.bitttt.llama.generate.Generation#next} has chosen the token already, when the one before it was read, and feeds
 * it to its session. {@link io.github.bitttt.llama.generate.Session#feed(int)} checks the id and takes back the buffers of the token before.</li>
 * <li>{@link io.github.bitttt.llama.BitLlama#hidden} looks up the token's row of the embedding, x [1, D].</li>
 * <li>Each {@link io.github.bitttt.nn.Block} adds to it twice. First {@link io.github.bitttt.nn.TttLayer} on the normed row: it
 * is rounded to int8 and projected down by additions, each head is divided by its length, the memory W predicts, takes one
 * step of gradient descent on its error e, and is read; the answer is projected up. Then {@link io.github.bitttt.nn.GatedMlp} on
 * the normed sum, whose gate and up projections share one rounding.</li>
 * <li>The last norm and the head give logits [V], which {@code feed} returns.</li>
 * <li>{@link io.github.bitttt.llama.text.StreamDecoder#next} turns the token into text, and
 * {@link io.github.bitttt.llama.generate.Sampler#pick} chooses the next one.</li>
 * </ol>
 *
 * <p>So a token costs the same whatever was read before: there is no cache that grows. The memories of all layers
 * ({@link io.github.bitttt.llama.generate.Session#memories}) are all that a session has learned.
 *
 * <p>Loads no ND4J class. May import: {@code llama}, {@code llama.text}, {@code llama.io}, {@code llama.zoo}, {@code nn}, {@code nn.cpu}.
 */
@NullMarked
package io.github.bitttt.llama.generate;

import org.jspecify.annotations.NullMarked;

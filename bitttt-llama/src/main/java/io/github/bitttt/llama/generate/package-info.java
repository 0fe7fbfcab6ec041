/**
 * Running a model: sessions with a memory that learns, samplers, generated text, and measures of a text.
 *
 * <h2>The walk of a token</h2>
 * <ol>
 * <li>{@link io.github.bitttt.llama.generate.Session#feed(int)} checks the id and takes back the buffers of the token before.</li>
 * <li>{@link io.github.bitttt.llama.BitLlama#hidden} looks up the token's row of the embedding, x [1, D].</li>
 * <li>Each {@link io.github.bitttt.nn.Block} adds to it twice. First {@link io.github.bitttt.nn.TttLayer} on the normed row: it
 * is rounded to int8 and projected down by additions, each head is divided by its length, the memory W predicts, takes one
 * step of gradient descent on its error e, and is read; the answer is projected up. Then {@link io.github.bitttt.nn.SwiGlu} on
 * the normed sum, whose gate and up projections share one rounding.</li>
 * <li>The last norm and the head give logits [V], which {@code feed} returns.</li>
 * <li>{@link io.github.bitttt.llama.generate.Sampler#pick} chooses the next token, and
 * {@link io.github.bitttt.llama.text.StreamDecoder#next} turns it into text.</li>
 * </ol>
 *
 * <p>So a token costs the same whatever was read before: there is no cache that grows. The memories of all layers
 * ({@link io.github.bitttt.llama.generate.Session#memories}) are all that a session has learned.
 *
 * <p>Loads no ND4J class. May import: {@code llama}, {@code llama.text}, {@code llama.io}, {@code nn}, {@code nn.cpu}.
 */
package io.github.bitttt.llama.generate;

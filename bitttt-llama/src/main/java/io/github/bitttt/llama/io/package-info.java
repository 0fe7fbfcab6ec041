/**
 * Files: safetensors, checkpoints, memory files, and the import of the original engine's checkpoints.
 *
 * <p>Every file is written beside its place and renamed, so it is whole or absent; whatever a file says wrongly ends in a
 * {@link io.github.bitttt.llama.io.CheckpointException} that names file, tensor, expected and found. May import:
 * {@code llama}, {@code nn}, {@code tensor}.
 */
@NullMarked
package io.github.bitttt.llama.io;

import org.jspecify.annotations.NullMarked;

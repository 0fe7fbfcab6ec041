package io.github.bitttt.llama;

import io.github.bitttt.nn.Activation;

/**
 * The form of the feed-forward layers.
 *
 * @param activation of the gate
 * @param subNorm    whether a norm stands before the down projection
 */
public record MlpForm(Activation activation, boolean subNorm) {
    /** SwiGLU: SiLU, no norm. */
    public static final MlpForm SWI_GLU = new MlpForm(Activation.SILU, false);
}

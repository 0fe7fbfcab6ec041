package io.github.bitttt.llama;

import io.github.bitttt.nn.Activation;
import java.util.Optional;

/**
 * The form of the feed-forward layers.
 *
 * @param activation of the gate
 * @param subNorm    whether a norm stands before the down projection
 * @param experts    where most blocks have many such layers, of which each token uses few
 */
public record MlpForm(Activation activation, boolean subNorm, Optional<ExpertsForm> experts) {
    /** One layer for all tokens.
     *
     * @param activation of the gate
     * @param subNorm    whether a norm stands before the down projection */
    public MlpForm(Activation activation, boolean subNorm) {
        this(activation, subNorm, Optional.empty());
    }

    /** SwiGLU: SiLU, no norm. */
    public static final MlpForm SWI_GLU = new MlpForm(Activation.SILU, false);
}

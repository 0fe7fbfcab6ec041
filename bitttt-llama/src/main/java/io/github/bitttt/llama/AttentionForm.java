package io.github.bitttt.llama;

import io.github.bitttt.nn.Rotary;

/**
 * The form of attention layers.
 *
 * @param heads     H, heads of queries
 * @param keyHeads  heads of keys and values, a divisor of H
 * @param headWidth d, even; H d need not be the model's width
 * @param rotary    how positions turn queries and keys
 * @param subNorm   whether a norm stands before the output projection
 * @param headNorms whether each head of queries and of keys is normed
 * @param gated     whether a gate decides how much of each answer passes
 */
public record AttentionForm(int heads, int keyHeads, int headWidth, Rotary rotary, boolean subNorm, boolean headNorms,
        boolean gated) implements MixerForm {
    /** Checks the sizes. */
    public AttentionForm {
        BitLlamaConfig.inRange("attention.num_heads", heads, BitLlamaConfig.MAX_WIDTH);
        BitLlamaConfig.inRange("attention.head_dim", headWidth, BitLlamaConfig.MAX_WIDTH);
        if (headWidth % 2 != 0) {
            throw new IllegalArgumentException("attention.head_dim must be even, got " + headWidth);
        }
        if ((long) heads * headWidth > BitLlamaConfig.MAX_WIDTH) {
            throw new IllegalArgumentException("attention.num_heads times attention.head_dim must be at most "
                    + BitLlamaConfig.MAX_WIDTH + ", got " + heads + " times " + headWidth);
        }
        if (keyHeads < 1 || heads % keyHeads != 0) {
            throw new IllegalArgumentException(
                    "attention.num_key_value_heads must divide attention.num_heads " + heads + ", got " + keyHeads);
        }
    }

    /** A form without norms of the heads and without a gate.
     *
     * @param heads     H
     * @param keyHeads  heads of keys and values
     * @param headWidth d
     * @param rotary    how positions turn queries and keys
     * @param subNorm   whether a norm stands before the output projection */
    public AttentionForm(int heads, int keyHeads, int headWidth, Rotary rotary, boolean subNorm) {
        this(heads, keyHeads, headWidth, rotary, subNorm, false, false);
    }

    /** The first form of attention: heads that divide the model's width, keys and values for each, no scaling, no norm.
     *
     * @param hiddenSize D
     * @param heads      H, which divides D into even parts
     * @return the form */
    public static AttentionForm of(int hiddenSize, int heads) {
        if (heads < 1 || hiddenSize % (2 * heads) != 0) {
            throw new IllegalArgumentException("attention.num_heads must divide hidden_size " + hiddenSize
                    + " into even parts, got " + heads);
        }
        return new AttentionForm(heads, heads, hiddenSize / heads, Rotary.STANDARD, false);
    }
}

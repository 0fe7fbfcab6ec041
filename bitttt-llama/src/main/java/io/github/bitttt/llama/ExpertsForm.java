package io.github.bitttt.llama;

import java.util.Set;

/**
 * The form of feed-forward layers of many experts, see {@link io.github.bitttt.nn.Experts}.
 *
 * @param experts      E
 * @param chosen       k, for each token
 * @param renormalised whether the weights of the chosen sum to 1
 * @param width        F of an expert
 * @param sharedWidth  F of the one that every token uses
 * @param dense        blocks whose layer is no such one, from 0
 */
public record ExpertsForm(int experts, int chosen, boolean renormalised, int width, int sharedWidth,
        Set<Integer> dense) {
    // Every expert is three parameters.
    private static final int MOST = 4096;

    /** Checks the sizes. */
    public ExpertsForm {
        dense = Set.copyOf(dense);
        BitLlamaConfig.inRange("num_experts", experts, MOST);
        BitLlamaConfig.inRange("num_experts_per_tok", chosen, experts);
        BitLlamaConfig.inRange("moe_intermediate_size", width, BitLlamaConfig.MAX_WIDTH);
        BitLlamaConfig.inRange("shared_expert_intermediate_size", sharedWidth, BitLlamaConfig.MAX_WIDTH);
    }
}

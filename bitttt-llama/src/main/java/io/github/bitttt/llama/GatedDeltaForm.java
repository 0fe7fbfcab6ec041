package io.github.bitttt.llama;

/**
 * The form of gated delta layers, see {@link io.github.bitttt.nn.GatedDelta}.
 *
 * @param heads      H, heads of values, each with a memory of its own
 * @param keyHeads   G, heads of keys and queries, a divisor of H
 * @param valueWidth dv
 * @param keyWidth   dk
 * @param taps       k, of the convolution
 */
public record GatedDeltaForm(int heads, int keyHeads, int valueWidth, int keyWidth, int taps) implements MixerForm {
    /** Taps of those that exist. */
    public static final int TAPS = 4;

    /** Checks the sizes. */
    public GatedDeltaForm {
        BitLlamaConfig.inRange("gated_delta.num_value_heads", heads, BitLlamaConfig.MAX_WIDTH);
        BitLlamaConfig.inRange("gated_delta.value_head_dim", valueWidth, BitLlamaConfig.MAX_WIDTH);
        BitLlamaConfig.inRange("gated_delta.key_head_dim", keyWidth, BitLlamaConfig.MAX_WIDTH);
        BitLlamaConfig.inRange("gated_delta.conv_kernel_dim", taps, 64);
        if (taps < 2) {
            throw new IllegalArgumentException("gated_delta.conv_kernel_dim must be at least 2, got " + taps);
        }
        if (keyHeads < 1 || heads % keyHeads != 0) {
            throw new IllegalArgumentException(
                    "gated_delta.num_key_heads must divide gated_delta.num_value_heads " + heads + ", got " + keyHeads);
        }
        if ((long) heads * valueWidth + 2L * keyHeads * keyWidth > BitLlamaConfig.MAX_WIDTH
                || (long) heads * valueWidth * keyWidth > BitLlamaConfig.MAX_MEMORY) {
            throw new IllegalArgumentException("gated_delta: " + heads + " heads of " + valueWidth + " by " + keyWidth
                    + " take more than " + BitLlamaConfig.MAX_MEMORY + " numbers a layer");
        }
    }

    /** Heads with keys of their own, as wide as values, and four taps.
     *
     * @param heads H
     * @param width d
     * @return the form */
    public static GatedDeltaForm of(int heads, int width) {
        return new GatedDeltaForm(heads, heads, width, width, TAPS);
    }
}

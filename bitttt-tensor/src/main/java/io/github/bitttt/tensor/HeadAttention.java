package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.AttentionSums;
import java.util.Objects;

/**
 * Answers of causal attention: for each head, a_t = sum over s up to t of softmax_s(q_t . k_s / sqrt(d)) v_s. Several query heads may
 * share a head of keys and values.
 *
 * <p>The softmax is made block by block of the tokens with a running maximum (Milakov &amp; Gimelshein, arXiv:1805.02867; Dao et al.,
 * arXiv:2205.14135). A row's blocks are the same however many rows are asked for at once, and whichever core makes them, so the
 * answers are equal to the bit. What is large is divided over the cores: blocks of tokens for one row, heads for several.
 *
 * <p>Nothing is allocated but room that grows with what is asked for at once. For one thread.
 */
public final class HeadAttention {
    private final AttentionSums sums = new AttentionSums();

    /** Scratch space; it grows when it is needed. */
    public HeadAttention() {
        // The room comes with the first call.
    }

    /** Answers queries of the last rows.
     *
     * @param queries  [n, H d] in row order
     * @param n        rows, which are those of the last n tokens
     * @param heads    H, a multiple of keyHeads
     * @param keys     [t, G d], those of the last n tokens included
     * @param values   [t, G d]
     * @param keyHeads G
     * @param answers  receives [n, H d] */
    public void attend(float[] queries, int n, int heads, TokenRows keys, TokenRows values, int keyHeads,
            float[] answers) {
        if (!keys.areKeys() || values.areKeys() || keys.columns() != values.columns() || keys.rows() != values.rows()) {
            throw new IllegalArgumentException(
                    "keys and values must be of the same tokens and widths, got " + keys + " and " + values);
        }
        if (keyHeads < 1 || heads % keyHeads != 0 || keys.columns() % keyHeads != 0) {
            throw new IllegalArgumentException("heads of keys must divide the " + heads + " of queries and the "
                    + keys.columns() + " columns, got " + keyHeads);
        }
        Objects.checkFromToIndex(0, n, keys.rows() + 1);
        int d = keys.columns() / keyHeads;
        Objects.checkFromIndexSize(0, (long) n * heads * d, Math.min(queries.length, answers.length));
        sums.attend(KernelChoice.current().kernels().floats(), queries, n, heads, keys.blocks(), values.blocks(),
                keyHeads, d, keys.rows(), answers);
    }
}

package io.github.bitttt.nn;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A ternary projection: y = (sum of xq over q = +1, less the sum over q = -1) * beta / s.
 *
 * <p>Weights: beta = max(mean |w|, 1e-5), q = clamp(rint(w / beta), -1, 1). Input, per row: s = 127 / max(max |x|, 1e-5),
 * xq = clamp(rint(x s), -127, 127); rint is half-to-even. Gradients are straight-through: as if q beta were w and xq / s were x.
 *
 * <p>Shapes: x [n, in], weight [out, in], y [n, out]. Source: BitNet b1.58, arXiv:2402.17764.
 *
 * @param weight       the projection
 * @param quantization how weights and inputs are rounded
 * @param norm         of the input, before it is rounded, where a projection has one of its own
 * @param rotation     of the normed input, before it is rounded, where weights were fitted to one
 */
public record BitLinear(Param weight, Quantization quantization, Optional<RmsNorm> norm, Optional<Hadamard> rotation) {

    /**
     * How a {@link BitLinear} rounds.
     *
     * @param scaleWeights     multiply by beta ("absmean"); otherwise 1 takes beta's place in the product ("none")
     * @param roundActivations round inputs to int8; otherwise they stay as they are
     */
    public record Quantization(boolean scaleWeights, boolean roundActivations) {
        /** BitNet b1.58: absmean weights, int8 activations. */
        public static final Quantization BITNET = new Quantization(true, true);
    }

    /** Checks that the weight is ternary. */
    public BitLinear {
        if (weight.kind() != Param.Kind.TERNARY) {
            throw new IllegalArgumentException(
                    weight.path() + ": BitLinear takes a TERNARY parameter, got " + weight.kind());
        }
        if (rotation.isPresent() && rotation.get().signs().rows() != weight.columns()) {
            throw new IllegalArgumentException(
                    rotation.get().signs() + " must have as many numbers as the columns of " + weight);
        }
    }

    /** A projection without a norm of its own.
     *
     * @param weight       the projection
     * @param quantization how weights and inputs are rounded */
    public BitLinear(Param weight, Quantization quantization) {
        this(weight, quantization, Optional.empty(), Optional.empty());
    }

    /** Input features.
     *  @return columns of the weight */
    public int in() {
        return weight.columns();
    }

    /** Output features.
     *  @return rows of the weight */
    public int out() {
        return weight.rows();
    }

    /** The projection of every row.
     *
     * @param <T> the reading's value
     * @param ops the reading
     * @param x   [n, in]
     * @return [n, out] */
    public <T> T forward(Ops<T> ops, T x) {
        T normed = norm.isPresent() ? norm.get().forward(ops, x) : x;
        return ops.bitLinear(this, rotation.isPresent() ? ops.rotate(rotation.get(), normed) : normed);
    }

    /** Its parameters.
     *  @return the gain of its norm and the signs of its rotation, if it has them, and the weight */
    public List<Param> params() {
        return Stream.of(norm.map(RmsNorm::gain).stream(), rotation.map(Hadamard::signs).stream(), Stream.of(weight))
                .flatMap(params -> params).toList();
    }
}

package io.github.bitttt.train.graph;

import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ops.DynamicCustomOp;
import org.nd4j.linalg.api.ops.impl.controlflow.compat.StopGradient;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterAdd;
import org.nd4j.linalg.api.ops.impl.scatter.ScatterNdSub;
import org.nd4j.linalg.api.ops.impl.shape.GatherNd;
import org.nd4j.linalg.factory.Nd4j;

/**
 * The pieces of {@link GraphOps}, each with its derivative where composing SameDiff's own would be slow or wrong.
 *
 * <p>With stock derivatives every rule is left out and every part differentiates through its operations.
 */
final class GraphMath {
    private final SameDiff graph;
    private final GradientRules rules;
    private final boolean stock;

    GraphMath(SameDiff graph, GradientRules rules, boolean stock) {
        this.graph = graph;
        this.rules = rules;
        this.stock = stock;
    }

    /** A native operation of one input for which SameDiff has no class, or a slower one. Not differentiable. */
    private abstract static class NativeOp extends DynamicCustomOp {
        NativeOp(SameDiff graph, SDVariable x) {
            super(graph, new SDVariable[]{x});
        }

        // Asked for by the super constructor, so it can only be a constant.
        @Override
        public abstract String opName();

        @Override
        public List<DataType> calculateOutputDataTypes(List<DataType> inputs) {
            return inputs;
        }
    }

    /** tanh, vectorised; SameDiff's own class calls a scalar loop. */
    private static final class NativeTanh extends NativeOp {
        NativeTanh(SameDiff graph, SDVariable x) {
            super(graph, x);
        }

        @Override
        public String opName() {
            return "tanh";
        }
    }

    /** The nearest integer, half to even. */
    private static final class NativeRint extends NativeOp {
        NativeRint(SameDiff graph, SDVariable x) {
            super(graph, x);
        }

        @Override
        public String opName() {
            return "rint";
        }

        @Override
        public List<SDVariable> doDiff(List<SDVariable> gradients) {
            return List.of(sameDiff.zerosLike(arg()));
        }
    }

    SDVariable define(SDVariable value, List<SDVariable> inputs,
            Function<SDVariable, List<SDVariable>> backward) {
        return stock ? value : rules.define(value, inputs, backward);
    }

    SDVariable zeros(long... shape) {
        return graph.constant(Nd4j.zeros(DataType.FLOAT, shape));
    }

    private SDVariable ones(long... shape) {
        return graph.constant(Nd4j.ones(DataType.FLOAT, shape));
    }

    /** op(a) op(b), two dimensions or batched three. Its derivatives are products of their own, so that one that nobody needs is
     * not computed, and both are written in row order. */
    SDVariable matMul(SDVariable a, boolean transposeA, SDVariable b, boolean transposeB) {
        return define(graph.mmul(a, b, transposeA, transposeB, false), List.of(a, b), g -> List.of(
                transposeA ? matMul(b, transposeB, g, true) : matMul(g, false, b, !transposeB),
                transposeB ? matMul(g, true, a, transposeA) : matMul(a, !transposeA, g, false)));
    }

    /** A reduction of the last dimension, which is kept; of width 1 it has nothing to do, and ND4J fails there. */
    private static SDVariable reduced(SDVariable x, long width, UnaryOperator<SDVariable> reduction) {
        return width == 1 ? x : reduction.apply(x);
    }

    /** The sum of rows [n, D] -> [D], by a product: SameDiff's broadcast derivatives are slow. */
    SDVariable sumRows(SDVariable x, long n, long width) {
        return matMul(ones(1, n), false, x, false).reshape(width);
    }

    /** x [n, D] times v [D], for every row. */
    SDVariable multiplyRows(SDVariable x, SDVariable v, long n, long width) {
        return define(x.mul(v), List.of(x, v), g -> List.of(g.mul(v), sumRows(g.mul(x), n, width)));
    }

    /** x [n, D] plus v [D], for every row. */
    SDVariable addRows(SDVariable x, SDVariable v, long n, long width) {
        return define(x.add(v), List.of(x, v), g -> List.of(g, sumRows(g, n, width)));
    }

    /** x times what needs no gradient and may broadcast. */
    SDVariable mask(SDVariable x, SDVariable constant) {
        return define(x.mul(constant), List.of(x), g -> List.of(g.mul(constant)));
    }

    /** x plus a constant that broadcasts. */
    SDVariable shift(SDVariable x, SDVariable constant) {
        return define(x.add(constant), List.of(x), List::of);
    }

    /** x [m, C, d] times rates [m, C, 1]. */
    SDVariable scaleTokens(SDVariable x, SDVariable rates, long width) {
        return define(x.mul(rates), List.of(x, rates),
                g -> List.of(g.mul(rates), reduced(g.mul(x), width, y -> y.sum(true, 2))));
    }

    /** x y, element by element, equal shapes. */
    SDVariable multiply(SDVariable x, SDVariable y) {
        return define(x.mul(y), List.of(x, y), g -> List.of(g.mul(y), g.mul(x)));
    }

    /** x [m, d, d] times a number for each matrix [m, 1, 1]. */
    SDVariable scaleMatrices(SDVariable x, SDVariable numbers, long width) {
        return define(x.mul(numbers), List.of(x, numbers),
                g -> List.of(g.mul(numbers), reduced(g.mul(x), width, y -> y.sum(true, 1, 2))));
    }

    /** ln x of numbers in [0, 1]; 1e-30 keeps that of zero finite. */
    SDVariable log(SDVariable x) {
        SDVariable positive = x.add(1e-30);
        return define(graph.math.log(positive), List.of(x), g -> List.of(g.div(positive)));
    }

    /** exp(s_t - s_u) for u <= t, else 0: [m, C, C] from sums [m, C]. */
    SDVariable ratios(SDVariable sums, long matrices, int chunk) {
        SDVariable mask = lowerMask(chunk, true);
        // Masked before the exponential as well: above the diagonal it could overflow.
        SDVariable differences = mask(sums.reshape(matrices, chunk, 1).sub(sums.reshape(matrices, 1, chunk)), mask);
        SDVariable ratios = mask(graph.math.exp(differences), mask);
        return define(ratios, List.of(sums), g -> {
            SDVariable product = g.mul(ratios);
            SDVariable rows = reduced(product, chunk, y -> y.sum(true, 2)).reshape(matrices, chunk);
            SDVariable columns = reduced(product, chunk, y -> y.sum(true, 1)).reshape(matrices, chunk);
            return List.of(rows.sub(columns));
        });
    }

    /** x / sqrt(mean(x^2) + eps) over rows [n, D]. */
    SDVariable rmsNormalize(SDVariable x, double epsilon, long width) {
        SDVariable inverse = graph.math
                .rsqrt(reduced(graph.math.square(x), width, squares -> squares.mean(true, 1)).add(epsilon)); // [n, 1]
        SDVariable y = x.mul(inverse);
        return define(y, List.of(x),
                g -> List.of(g.sub(y.mul(reduced(g.mul(y), width, product -> product.mean(true, 1)))).mul(inverse)));
    }

    /** x / (||x|| + 1e-6) over rows [n, d]. */
    SDVariable normalize(SDVariable x, long width) {
        // The smallest float that keeps the derivative finite for a row of zeros.
        SDVariable norm = graph.math
                .sqrt(reduced(graph.math.square(x), width, squares -> squares.sum(true, 1)).add(1e-30));
        SDVariable divisor = norm.add(1e-6);
        SDVariable y = x.div(divisor);
        return define(y, List.of(x),
                g -> List.of(
                        g.sub(y.mul(reduced(g.mul(y), width, product -> product.sum(true, 1)).mul(divisor).div(norm)))
                                .div(divisor)));
    }

    /** 1 / (1 + exp(-x)) = (1 + tanh(x / 2)) / 2. */
    SDVariable sigmoid(SDVariable x) {
        if (stock) {
            return graph.nn.sigmoid(x);
        }
        SDVariable y = new NativeTanh(graph, x.mul(0.5)).outputVariable().mul(0.5).add(0.5);
        return define(y, List.of(x), g -> List.of(g.mul(y.sub(graph.math.square(y)))));
    }

    /** exp(-exp(exponent) log(1 + exp(x))) of x [n, H] and exponents [H]. */
    SDVariable fade(SDVariable x, SDVariable exponents, long n, long heads) {
        // log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|))
        SDVariable soft = graph.nn.relu(x, 0).add(graph.math.log(graph.math.exp(graph.math.abs(x).neg()).add(1)));
        SDVariable softplus = define(soft, List.of(x), g -> List.of(g.mul(sigmoid(x))));
        SDVariable power = graph.math.exp(exponents);
        SDVariable powers = define(power, List.of(exponents), g -> List.of(g.mul(power)));
        return graph.math.exp(multiplyRows(softplus, powers, n, heads).neg());
    }

    /** x / sqrt(x.x + 1e-6) over rows [n, d]. */
    SDVariable unit(SDVariable x, long width) {
        SDVariable inverse = graph.math
                .rsqrt(reduced(graph.math.square(x), width, squares -> squares.sum(true, 1)).add(1e-6)); // [n, 1]
        SDVariable y = x.mul(inverse);
        return define(y, List.of(x),
                g -> List.of(g.sub(y.mul(reduced(g.mul(y), width, product -> product.sum(true, 1)))).mul(inverse)));
    }

    /** first [B, a, M] before rows [B, T, M]. */
    SDVariable append(SDVariable first, int before, SDVariable rows, int batch, int tokens, int width) {
        return define(graph.concat(1, first, rows), List.of(first, rows),
                g -> List.of(graph.slice(g, new int[]{0, 0, 0}, batch, before, width),
                        graph.slice(g, new int[]{0, before, 0}, batch, tokens, width)));
    }

    /** Each of x [n, 1, d] so many times: [n, times, d]. */
    SDVariable repeat(SDVariable x, int times) {
        if (times == 1) {
            return x;
        }
        SDVariable[] copies = new SDVariable[times];
        Arrays.fill(copies, x);
        return define(graph.concat(1, copies), List.of(x), g -> List.of(g.sum(true, 1)));
    }

    /** silu(gate) * up. */
    SDVariable siluMultiply(SDVariable gate, SDVariable up) {
        SDVariable open = sigmoid(gate);
        SDVariable silu = gate.mul(open);
        // d silu = open + silu (1 - open)
        return define(silu.mul(up), List.of(gate, up),
                g -> List.of(g.mul(up).mul(open.add(silu.sub(silu.mul(open)))), g.mul(silu)));
    }

    /** max(gate, 0)^2 * up. */
    SDVariable reluSquaredMultiply(SDVariable gate, SDVariable up) {
        SDVariable open = graph.nn.relu(gate, 0);
        SDVariable squared = open.mul(open);
        return define(squared.mul(up), List.of(gate, up), g -> List.of(g.mul(up).mul(open).mul(2), g.mul(squared)));
    }

    /** Each row rounded to 255 levels, s = 127 / max(max |x|, 1e-5), rint(x s) / s; straight-through. */
    SDVariable roundRows(SDVariable x, long width) {
        SDVariable largest = graph.math.max(reduced(graph.math.abs(x), width, magnitudes -> magnitudes.max(true, 1)),
                graph.constant(Nd4j.scalar(1e-5f)));
        SDVariable scale = largest.rdiv(127);
        return straightThrough(x, new NativeRint(graph, x.mul(scale)).outputVariable().div(scale));
    }

    /** The rounded value, with the gradient of what it was rounded from. */
    private SDVariable straightThrough(SDVariable x, SDVariable rounded) {
        return stock
                ? x.add(new StopGradient(graph, rounded.sub(x))
                        .outputVariable())
                : define(rounded, List.of(x), List::of);
    }

    /** table[ids]. SameDiff's own derivative of gather fails, so a stock graph multiplies by one-hot rows. */
    SDVariable gather(SDVariable table, SDVariable ids, int rows, int width) {
        if (stock) {
            return matMul(graph.oneHot(ids, rows, -1, 1, 0, DataType.FLOAT), false, table, false);
        }
        return define(graph.gather(table, ids, 0), List.of(table), g -> List.of(sumByRow(g, ids, rows, width)));
    }

    /** Row ids[i] of the result gathers row i of g. ND4J's unsortedSegmentSum would leak its result's size at every run. */
    private SDVariable sumByRow(SDVariable g, SDVariable ids, int rows, int width) {
        ScatterAdd sum = new ScatterAdd(graph, zeros(rows, width), ids, g);
        sum.addBArgument(true); // one thread, so that the order of the additions is always the same
        return sum.outputVariable();
    }

    /** x [B, T, M] along T from {@code from}, {@code size} long. */
    SDVariable slice(SDVariable x, int batch, int from, int size, int tokens, int width) {
        SDVariable y = graph.slice(x, new int[]{0, from, 0}, batch, size, width);
        return define(y, List.of(x), g -> List.of(pad(g, batch, from, tokens - from - size, width)));
    }

    /** g [B, s, M] with zeros before and after along the second dimension. */
    private SDVariable pad(SDVariable g, int batch, int before, int after, int width) {
        SDVariable y = before == 0 ? g : graph.concat(1, zeros(batch, before, width), g);
        return after == 0 ? y : graph.concat(1, y, zeros(batch, after, width));
    }

    /** x [B, T, M] with zeros behind, up to {@code to} tokens. */
    SDVariable padTokens(SDVariable x, int batch, int tokens, int to, int width) {
        return tokens == to
                ? x
                : define(pad(x, batch, 0, to - tokens, width), List.of(x),
                        g -> List.of(graph.slice(g, new int[]{0, 0, 0}, batch, tokens, width)));
    }

    /** first [B, 1, M] before rows [B, T, M], whose last row falls away. */
    SDVariable moveDown(SDVariable first, SDVariable rows, int batch, int tokens, int width) {
        if (tokens == 1) {
            return define(graph.identity(first), List.of(first), List::of);
        }
        SDVariable y = graph.concat(1, first, graph.slice(rows, new int[]{0, 0, 0}, batch, tokens - 1, width));
        return define(y, List.of(first, rows),
                g -> List.of(graph.slice(g, new int[]{0, 0, 0}, batch, 1, width),
                        pad(graph.slice(g, new int[]{0, 1, 0}, batch, tokens - 1, width), batch, 0, 1, width)));
    }

    /** (I + A)^-1 of strictly lower triangular A [m, C, C], by block doubling: X = X - X (A_s X), where A_s is the lower left
     * s-block of each diagonal block of 2 s. Derivative: dA = -(X' dX X'). */
    SDVariable inverseOfUnitLower(SDVariable a, int chunk) {
        SDVariable x = graph.constant(Nd4j.eye(chunk).castTo(DataType.FLOAT));
        for (int size = 1; size < chunk; size *= 2) {
            SDVariable block = mask(a, blockMask(chunk, size));
            x = size == 1 ? x.sub(block) : x.sub(matMul(x, false, matMul(block, false, x, false), false));
        }
        if (chunk == 1) {
            return x; // nothing is below the diagonal of one number
        }
        SDVariable inverse = x;
        return define(inverse, List.of(a), g -> List.of(
                matMul(inverse, true, matMul(g, false, inverse, true), false).neg()));
    }

    private SDVariable blockMask(int chunk, int size) {
        float[][] mask = new float[chunk][chunk];
        for (int row = 0; row < chunk; row++) {
            for (int column = 0; column < chunk; column++) {
                boolean sameBlock = row / (2 * size) == column / (2 * size);
                mask[row][column] = sameBlock && row / size % 2 == 1 && column / size % 2 == 0 ? 1 : 0;
            }
        }
        return graph.constant(Nd4j.create(mask));
    }

    /** Ones below the diagonal, and on it if asked. */
    SDVariable lowerMask(int chunk, boolean diagonal) {
        float[][] mask = new float[chunk][chunk];
        for (int row = 0; row < chunk; row++) {
            for (int column = 0; column < row + (diagonal ? 1 : 0); column++) {
                mask[row][column] = 1;
            }
        }
        return graph.constant(Nd4j.create(mask));
    }

    /** The probability of each target: softmax(logits)[t, target_t], [n]. */
    SDVariable probabilities(SDVariable softmax, SDVariable targetIndex) {
        return new GatherNd(graph, softmax, targetIndex).outputVariable();
    }

    /** sum over t of weight_t * -log p_t, of the targets' probabilities [n]. */
    SDVariable crossEntropy(SDVariable probabilities, SDVariable weights, long n) {
        SDVariable losses = graph.math.log(probabilities.add(1e-30)).neg().mul(weights);
        return n == 1 ? losses.reshape(new long[0]) : losses.sum();
    }

    /** Its gradient by the logits: weight_t (softmax - 1 at the target), [n, V]. */
    SDVariable crossEntropyGradient(SDVariable softmax, SDVariable targetIndex, SDVariable weights, long n) {
        return new ScatterNdSub(graph, softmax, targetIndex, ones(n)).outputVariable().mul(weights.reshape(n, 1));
    }
}

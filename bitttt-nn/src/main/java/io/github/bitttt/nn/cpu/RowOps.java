package io.github.bitttt.nn.cpu;

import io.github.bitttt.nn.GatedDelta;
import io.github.bitttt.nn.Hadamard;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.RmsNorm;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.FloatOps;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The buffers of the CPU reading, and the instructions that work on rows element by element. */
abstract sealed class RowOps implements Ops<Rows> permits CpuOps {
    private final Weights weights;
    // A layer asks with the same objects again and again; hashing a whole Param took a tenth of a token's time.
    private final Map<Param, Weight> byIdentity = new IdentityHashMap<>();
    private final List<Rows> buffers = new ArrayList<>();
    private int used;
    private final Convolution convolution = new Convolution();

    RowOps(Weights weights) {
        this.weights = weights;
    }

    /** Takes back every value handed out so far, memories excepted. To be called before each pass. */
    public final void reset() {
        used = 0;
    }

    final Rows take(int rows, int columns) {
        if (used == buffers.size()) {
            buffers.add(new Rows());
        }
        return buffers.get(used++).shape(rows, columns);
    }

    final Weight weight(Param param) {
        Weight known = byIdentity.get(param);
        if (known == null) {
            known = weights.get(param);
            byIdentity.put(param, known);
        }
        return known;
    }

    final float[] floats(Param param) {
        return weight(param) instanceof Weight.Floats(float[] values) ? values : weights.floats(param);
    }

    @Override
    public final Rows rmsNorm(RmsNorm norm, Rows x) {
        Rows y = take(x.rows(), x.columns());
        float[] gain = floats(norm.gain());
        for (int at = 0; at < x.rows() * x.columns(); at += gain.length) {
            FloatOps.rmsNorm(x.values(), at, gain, norm.epsilon(), y.values(), at);
        }
        return y;
    }

    @Override
    public final Rows add(Rows x, Rows y) {
        if (x.rows() != y.rows() || x.columns() != y.columns()) {
            throw new IllegalArgumentException("add takes equal shapes, got " + x + " and " + y);
        }
        Rows sum = take(x.rows(), x.columns());
        float[] a = x.values();
        float[] b = y.values();
        float[] c = sum.values();
        for (int i = 0; i < x.rows() * x.columns(); i++) {
            c[i] = a[i] + b[i];
        }
        return sum;
    }

    @Override
    public final Rows siluMultiply(Rows gate, Rows up) {
        Rows y = take(gate.rows(), gate.columns());
        FloatOps.siluMultiply(gate.values(), up.values(), y.values(), gate.rows() * gate.columns());
        return y;
    }

    @Override
    public final Rows reluSquaredMultiply(Rows gate, Rows up) {
        Rows y = take(gate.rows(), gate.columns());
        float[] a = gate.values();
        float[] b = up.values();
        float[] c = y.values();
        for (int i = 0; i < gate.rows() * gate.columns(); i++) {
            float open = Math.max(a[i], 0);
            c[i] = open * open * b[i];
        }
        return y;
    }

    @Override
    public final Rows tokenShift(Param mu, Rows previous, Rows x) {
        float[] mix = floats(mu);
        int width = x.columns();
        Rows y = take(x.rows(), width);
        float[] in = x.values();
        for (int t = 0; t < x.rows(); t++) {
            float[] before = t == 0 ? previous.values() : in;
            int beforeAt = t == 0 ? 0 : (t - 1) * width;
            for (int i = 0; i < width; i++) {
                float value = in[t * width + i];
                y.values()[t * width + i] = value + mix[i] * (before[beforeAt + i] - value);
            }
        }
        return y;
    }

    @Override
    public final Rows normalizeHeads(int heads, Rows f) {
        Rows y = take(f.rows(), f.columns());
        System.arraycopy(f.values(), 0, y.values(), 0, f.rows() * f.columns());
        int width = f.columns() / heads;
        for (int head = 0; head < f.rows() * heads; head++) {
            FloatOps.normalize(y.values(), head * width, width);
        }
        return y;
    }

    @Override
    public final Rows moveDown(Rows first, Rows rows) {
        int width = rows.columns();
        Rows y = take(rows.rows(), width);
        System.arraycopy(first.values(), 0, y.values(), 0, width);
        System.arraycopy(rows.values(), 0, y.values(), width, (rows.rows() - 1) * width);
        return y;
    }

    @Override
    public final Rows convolve(Param kernel, Rows tail, Rows rows) {
        Rows y = take(rows.rows(), rows.columns());
        convolution.convolve(kernel, floats(kernel), tail, rows, y);
        return y;
    }

    @Override
    public final Rows tail(int count, Rows tail, Rows rows) {
        Rows after = take(1, tail.columns());
        System.arraycopy(tail.values(), 0, after.values(), 0, tail.columns());
        Convolution.moveTail(count, after, rows);
        return after;
    }

    @Override
    public final Rows columns(Rows x, int from, int to) {
        Rows y = take(x.rows(), to - from);
        for (int t = 0; t < x.rows(); t++) {
            System.arraycopy(x.values(), t * x.columns() + from, y.values(), t * y.columns(), to - from);
        }
        return y;
    }

    @Override
    public final Rows unitHeads(int heads, double length, Rows f) {
        Rows y = take(f.rows(), f.columns());
        System.arraycopy(f.values(), 0, y.values(), 0, f.rows() * f.columns());
        DeltaSteps.unitHeads(y, 0, heads, f.columns() / heads, length);
        return y;
    }

    @Override
    public final Rows fade(GatedDelta.Decay decay, Rows x) {
        Rows y = take(x.rows(), x.columns());
        DeltaSteps.fade(floats(decay.offset()), floats(decay.exponent()), x, y);
        return y;
    }

    @Override
    public final Rows sigmoid(Rows x) {
        Rows y = take(x.rows(), x.columns());
        float[] values = y.values();
        int n = x.rows() * x.columns();
        for (int i = 0; i < n; i++) {
            values[i] = Math.min(-x.values()[i], 80);
        }
        FloatOps.exp(values, 0, values, n);
        for (int i = 0; i < n; i++) {
            values[i] = 1 / (1 + values[i]);
        }
        return y;
    }

    @Override
    public final Rows multiply(Rows x, Rows y) {
        Rows product = take(x.rows(), x.columns());
        float[] a = x.values();
        float[] b = y.values();
        float[] c = product.values();
        for (int i = 0; i < x.rows() * x.columns(); i++) {
            c[i] = a[i] * b[i];
        }
        return product;
    }

    @Override
    public final Rows rotate(Hadamard rotation, Rows x) {
        Rows y = signed(rotation, x);
        Butterflies.transform(rotation.block(), y);
        return y;
    }

    @Override
    public final Rows rotateBack(Hadamard rotation, Rows x) {
        Rows y = take(x.rows(), x.columns());
        System.arraycopy(x.values(), 0, y.values(), 0, x.rows() * x.columns());
        Butterflies.transform(rotation.block(), y);
        return signed(rotation, y);
    }

    @Override
    public final Rows lastRow(Rows rows) {
        Rows last = take(1, rows.columns());
        System.arraycopy(rows.values(), (rows.rows() - 1) * rows.columns(), last.values(), 0, rows.columns());
        return last;
    }

    private Rows signed(Hadamard rotation, Rows x) {
        Rows y = take(x.rows(), x.columns());
        float[] signs = floats(rotation.signs());
        for (int at = 0; at < x.rows() * x.columns(); at += signs.length) {
            for (int i = 0; i < signs.length; i++) {
                y.values()[at + i] = x.values()[at + i] * signs[i];
            }
        }
        return y;
    }
}

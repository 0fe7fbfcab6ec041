package io.github.bitttt.nn.naive;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.DeltaShape;
import io.github.bitttt.nn.Experts;
import io.github.bitttt.nn.GatedDelta;
import io.github.bitttt.nn.Hadamard;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.RmsNorm;
import io.github.bitttt.nn.StatePart;
import io.github.bitttt.nn.TokenIds;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.TernaryMatrix;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/**
 * The instructions as plain double loops: their definition, and the control of the other readings.
 *
 * <p>One stream. W [H, d, d] is held as H d rows of d. For one thread.
 */
public final class NaiveOps implements Ops<Doubles> {
    private final Weights weights;
    // Derived once: what a parameter multiplies by, in double.
    private final Map<Param, double[][]> matrices = new HashMap<>();

    /** The naive reading of a model.
     *
     * @param weights masters, frozen or packed */
    public NaiveOps(Weights weights) {
        this.weights = weights;
    }

    /** A part of a state before the first token: {@code mixer.state(NaiveOps::empty)}.
     *
     * @param part of a mixer
     * @return zeros, or no rows */
    public static Doubles empty(StatePart part) {
        int numbers = Math.toIntExact(part.numbers());
        return switch (part.kind()) {
            case MATRICES -> Doubles.zeros(part.shape().get(0) * part.shape().get(1), part.shape().get(2));
            case ROW, UNIT_HEADS -> Doubles.zeros(1, numbers);
            case GROWING, GROWING_KEYS -> Doubles.zeros(0, numbers);
        };
    }

    @Override
    public Doubles embed(Param table, TokenIds<Doubles> ids) {
        double[][] rows = matrix(table);
        return new Doubles(Arrays.stream(((Doubles.Tokens) ids).ids()).mapToObj(id -> rows[id].clone())
                .toArray(double[][]::new));
    }

    @Override
    public Doubles rmsNorm(RmsNorm norm, Doubles x) {
        double[][] gain = matrix(norm.gain());
        return map(x, row -> {
            double[] y = new double[row.length];
            for (int head = 0; head < row.length; head += gain.length) {
                double squares = 0;
                for (int i = head; i < head + gain.length; i++) {
                    squares += row[i] * row[i];
                }
                double root = Math.sqrt(squares / gain.length + norm.epsilon());
                for (int i = head; i < head + gain.length; i++) {
                    y[i] = gain[i - head][0] * row[i] / root;
                }
            }
            return y;
        });
    }

    @Override
    public Doubles bitLinear(BitLinear layer, Doubles x) {
        double[][] codes = codes(layer.weight());
        double beta = layer.quantization().scaleWeights() ? beta(layer.weight()) : 1;
        return map(x, row -> {
            double largest = 1e-5;
            for (double value : row) {
                largest = Math.max(largest, Math.abs(value));
            }
            double scale = 127 / largest;
            double[] rounded = row.clone();
            if (layer.quantization().roundActivations()) {
                for (int i = 0; i < row.length; i++) {
                    rounded[i] = Math.clamp(Math.rint(row[i] * scale), -127, 127) / scale;
                }
            }
            double[] y = new double[codes.length];
            for (int out = 0; out < y.length; out++) {
                y[out] = dot(codes[out], rounded) * beta;
            }
            return y;
        });
    }

    @Override
    public Doubles linear(Param weight, Optional<Param> bias, Doubles x) {
        double[][] matrix = matrix(weight);
        double[][] offset = bias.map(this::matrix).orElse(null);
        return map(x, row -> {
            double[] y = new double[matrix.length];
            for (int out = 0; out < y.length; out++) {
                y[out] = dot(matrix[out], row) + (offset == null ? 0 : offset[out][0]);
            }
            return y;
        });
    }

    @Override
    public Doubles add(Doubles x, Doubles y) {
        double[][] sum = new double[x.rows().length][];
        for (int t = 0; t < sum.length; t++) {
            sum[t] = x.rows()[t].clone();
            for (int i = 0; i < sum[t].length; i++) {
                sum[t][i] += y.rows()[t][i];
            }
        }
        return new Doubles(sum);
    }

    @Override
    public Doubles siluMultiply(Doubles gate, Doubles up) {
        double[][] y = new double[gate.rows().length][];
        for (int t = 0; t < y.length; t++) {
            y[t] = gate.rows()[t].clone();
            for (int i = 0; i < y[t].length; i++) {
                y[t][i] = y[t][i] / (1 + Math.exp(-y[t][i])) * up.rows()[t][i];
            }
        }
        return new Doubles(y);
    }

    @Override
    public Doubles reluSquaredMultiply(Doubles gate, Doubles up) {
        double[][] y = new double[gate.rows().length][];
        for (int t = 0; t < y.length; t++) {
            y[t] = gate.rows()[t].clone();
            for (int i = 0; i < y[t].length; i++) {
                double open = Math.max(y[t][i], 0);
                y[t][i] = open * open * up.rows()[t][i];
            }
        }
        return new Doubles(y);
    }

    @Override
    public Doubles tokenShift(Param mu, Doubles previous, Doubles x) {
        double[][] mix = matrix(mu);
        Doubles before = moveDown(previous, x);
        double[][] y = new double[x.rows().length][];
        for (int t = 0; t < y.length; t++) {
            y[t] = x.rows()[t].clone();
            for (int i = 0; i < y[t].length; i++) {
                y[t][i] += mix[i][0] * (before.rows()[t][i] - y[t][i]);
            }
        }
        return new Doubles(y);
    }

    @Override
    public Doubles normalizeHeads(int heads, Doubles f) {
        return map(f, row -> {
            double[] y = row.clone();
            int width = row.length / heads;
            for (int head = 0; head < heads; head++) {
                double squares = 0;
                for (int i = head * width; i < (head + 1) * width; i++) {
                    squares += row[i] * row[i];
                }
                for (int i = head * width; i < (head + 1) * width; i++) {
                    y[i] /= Math.sqrt(squares) + 1e-6;
                }
            }
            return y;
        });
    }

    @Override
    public Doubles moveDown(Doubles first, Doubles rows) {
        double[][] y = new double[rows.rows().length][];
        for (int t = 0; t < y.length; t++) {
            y[t] = t == 0 ? first.rows()[0] : rows.rows()[t - 1];
        }
        return new Doubles(y);
    }

    @Override
    public Doubles innerRate(InnerRate rate, int heads, Doubles x) {
        return switch (rate) {
            case InnerRate.Learned(Param weight, Param bias) ->
                map(linear(weight, Optional.of(bias), x), row -> {
                    double[] y = row.clone();
                    for (int head = 0; head < heads; head++) {
                        y[head] = 1 / (1 + Math.exp(-row[head]));
                    }
                    return y;
                });
            case InnerRate.Constant(double value) -> map(x, _ -> {
                double[] y = new double[heads];
                Arrays.fill(y, value);
                return y;
            });
        };
    }

    @Override
    public Delta<Doubles> delta(DeltaShape shape, Read read, Doubles weights, Doubles keys, Doubles queries,
            Doubles values, Doubles rates, Optional<Doubles> decays) {
        double[][] memory = map(weights, double[]::clone).rows();
        int width = shape.valueWidth();
        int columns = shape.keyWidth();
        int shared = shape.heads() / shape.keyHeads(); // heads of values of one head of keys
        double[][] answers = new double[keys.rows().length][shape.values()];
        for (int t = 0; t < answers.length; t++) {
            for (int head = 0; head < shape.heads(); head++) {
                double decay = decays.isPresent() ? decays.get().rows()[t][head] : 1;
                double[] key = head(keys.rows()[t], head / shared, columns);
                double[] query = head(queries.rows()[t], head / shared, columns);
                double[] value = head(values.rows()[t], head, width);
                for (int i = 0; i < width; i++) {
                    double[] row = memory[head * width + i];
                    for (int j = 0; j < columns; j++) {
                        row[j] *= decay;
                    }
                    double before = dot(row, query);
                    double error = value[i] - dot(row, key);
                    for (int j = 0; j < columns; j++) {
                        row[j] += rates.rows()[t][head] * error * key[j];
                    }
                    answers[t][head * width + i] = read == Read.BEFORE ? before : dot(row, query);
                }
            }
        }
        return new Delta<>(new Doubles(answers), new Doubles(memory));
    }

    @Override
    public Doubles convolve(Param kernel, Doubles tail, Doubles rows) {
        double[][] taps = matrix(kernel);
        int before = kernel.columns() - 1;
        double[][] all = withTail(before, tail, rows);
        double[][] y = new double[rows.rows().length][kernel.rows()];
        for (int t = 0; t < y.length; t++) {
            for (int channel = 0; channel < y[t].length; channel++) {
                double sum = 0;
                for (int tap = 0; tap <= before; tap++) {
                    sum += taps[channel][tap] * all[t + tap][channel];
                }
                y[t][channel] = sum / (1 + Math.exp(-sum));
            }
        }
        return new Doubles(y);
    }

    @Override
    public Doubles tail(int count, Doubles tail, Doubles rows) {
        double[][] all = withTail(count, tail, rows);
        return Doubles.row(Arrays.stream(all, all.length - count, all.length).flatMapToDouble(Arrays::stream)
                .toArray());
    }

    /** The rows before the first, and the rows. */
    private static double[][] withTail(int count, Doubles tail, Doubles rows) {
        double[] before = tail.rows()[0];
        int width = before.length / count;
        double[][] all = new double[count + rows.rows().length][];
        Arrays.setAll(all, t -> t < count ? head(before, t, width) : rows.rows()[t - count]);
        return all;
    }

    @Override
    public Doubles columns(Doubles x, int from, int to) {
        return map(x, row -> Arrays.copyOfRange(row, from, to));
    }

    @Override
    public Doubles unitHeads(int heads, double length, Doubles f) {
        return map(f, row -> {
            double[] y = row.clone();
            int width = row.length / heads;
            for (int head = 0; head < heads; head++) {
                double[] one = head(row, head, width);
                double factor = length / Math.sqrt(dot(one, one) + 1e-6);
                for (int i = head * width; i < (head + 1) * width; i++) {
                    y[i] *= factor;
                }
            }
            return y;
        });
    }

    @Override
    public Doubles fade(GatedDelta.Decay decay, Doubles x) {
        double[][] offset = matrix(decay.offset());
        double[][] exponent = matrix(decay.exponent());
        return map(x, row -> {
            double[] y = new double[row.length];
            for (int head = 0; head < y.length; head++) {
                double z = row[head] + offset[head][0];
                double softplus = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
                y[head] = Math.exp(-Math.exp(exponent[head][0]) * softplus);
            }
            return y;
        });
    }

    @Override
    public Doubles sigmoid(Doubles x) {
        return map(x, row -> Arrays.stream(row).map(value -> 1 / (1 + Math.exp(-value))).toArray());
    }

    @Override
    public Doubles multiply(Doubles x, Doubles y) {
        double[][] product = new double[x.rows().length][];
        for (int t = 0; t < product.length; t++) {
            product[t] = x.rows()[t].clone();
            for (int i = 0; i < product[t].length; i++) {
                product[t][i] *= y.rows()[t][i];
            }
        }
        return new Doubles(product);
    }

    @Override
    public Doubles rotate(Hadamard rotation, Doubles x) {
        double[][] signs = matrix(rotation.signs());
        return map(x, row -> {
            double[] flipped = new double[row.length];
            Arrays.setAll(flipped, i -> row[i] * signs[i][0]);
            return hadamard(rotation.block(), flipped);
        });
    }

    @Override
    public Doubles rotateBack(Hadamard rotation, Doubles x) {
        double[][] signs = matrix(rotation.signs());
        return map(x, row -> {
            double[] y = hadamard(rotation.block(), row);
            Arrays.setAll(y, i -> y[i] * signs[i][0]);
            return y;
        });
    }

    private static double[] hadamard(int block, double[] x) {
        double[] y = new double[x.length];
        for (int i = 0; i < y.length; i++) {
            for (int j = 0; j < block; j++) {
                int sign = Integer.bitCount(i % block & j) % 2 == 0 ? 1 : -1;
                y[i] += sign * x[i / block * block + j] / Math.sqrt(block);
            }
        }
        return y;
    }

    @Override
    public Doubles experts(Experts layer, Doubles x) {
        Doubles scores = linear(layer.router(), Optional.empty(), x);
        Doubles shares = sigmoid(linear(layer.sharedGate(), Optional.empty(), x));
        Doubles shared = layer.shared().forward(this, x);
        double[][] y = new double[x.rows().length][];
        for (int t = 0; t < y.length; t++) {
            double[] row = x.rows()[t];
            double[] score = scores.rows()[t];
            double largest = Arrays.stream(score).max().orElseThrow();
            double[] weights = Arrays.stream(score).map(value -> Math.exp(value - largest)).toArray();
            int[] chosen = IntStream.range(0, weights.length).boxed()
                    .sorted(Comparator.comparingDouble(e -> -weights[e])).limit(layer.chosen())
                    .mapToInt(Integer::intValue).toArray();
            double sum = layer.renormalised()
                    ? Arrays.stream(chosen).mapToDouble(e -> weights[e]).sum()
                    : Arrays.stream(weights).sum();
            double share = shares.rows()[t][0];
            y[t] = Arrays.stream(shared.rows()[t]).map(value -> share * value).toArray();
            for (int e : chosen) {
                double[] answer = layer.experts().get(e).forward(this, Doubles.row(row)).rows()[0];
                for (int i = 0; i < answer.length; i++) {
                    y[t][i] += weights[e] / sum * answer[i];
                }
            }
        }
        return new Doubles(y);
    }

    @Override
    public Mixed<Doubles> attend(Attention layer, KvCache<Doubles> cache, Doubles queries, Doubles keys,
            Doubles values) {
        return NaiveAttention.attend(layer, cache, queries, keys, values);
    }

    @Override
    public Doubles lastRow(Doubles rows) {
        return Doubles.row(rows.rows()[rows.rows().length - 1]);
    }

    static double[] head(double[] row, int head, int width) {
        return Arrays.copyOfRange(row, head * width, (head + 1) * width);
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static Doubles map(Doubles x, UnaryOperator<double[]> row) {
        double[][] y = new double[x.rows().length][];
        for (int t = 0; t < y.length; t++) {
            y[t] = row.apply(x.rows()[t]);
        }
        return new Doubles(y);
    }

    private double beta(Param param) {
        return switch (weights.get(param)) {
            case Weight.Floats(float[] values) -> TernaryMatrix.beta(values);
            // Scales of groups are multiplied into the codes.
            case Weight.Ternary(TernaryMatrix matrix) -> matrix.hasOneScale() ? matrix.scale() : 1;
            case Weight.Int8Rows _ -> throw new IllegalArgumentException(param + ": int8 rows have no single scale");
        };
    }

    /** The codes of a projection, q = clamp(rint(w / beta), -1, 1). */
    private double[][] codes(Param param) {
        return matrices.computeIfAbsent(param, _ -> {
            double beta = beta(param);
            return rows(param, switch (weights.get(param)) {
                case Weight.Floats(float[] values) -> index -> Math.clamp(Math.rint(values[index] / beta), -1, 1);
                case Weight.Ternary(TernaryMatrix matrix) -> {
                    byte[] codes = matrix.codes();
                    yield matrix.hasOneScale()
                            ? index -> codes[index]
                            : index -> (double) codes[index]
                                    * matrix.scale(index / matrix.columns(), index % matrix.columns());
                }
                case Weight.Int8Rows _ -> throw new IllegalArgumentException(param + ": is not ternary");
            });
        });
    }

    /** A parameter that is not ternary, as doubles; a vector is a matrix of one column. */
    private double[][] matrix(Param param) {
        return matrices.computeIfAbsent(param, _ -> rows(param, switch (weights.get(param)) {
            case Weight.Floats(float[] values) -> index -> values[index];
            case Weight.Int8Rows(Int8Matrix int8) -> {
                byte[] codes = int8.codes();
                yield index -> (double) codes[index] * int8.scales()[index / param.columns()];
            }
            case Weight.Ternary _ -> throw new IllegalArgumentException(param + ": is ternary");
        }));
    }

    private interface Element {
        double at(int index);
    }

    private static double[][] rows(Param param, Element element) {
        double[][] rows = new double[param.rows()][param.columns()];
        for (int i = 0; i < param.length(); i++) {
            rows[i / param.columns()][i % param.columns()] = element.at(i);
        }
        return rows;
    }
}

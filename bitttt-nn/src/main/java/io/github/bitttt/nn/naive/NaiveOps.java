package io.github.bitttt.nn.naive;

import io.github.bitttt.nn.Attention;
import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.Mixed;
import io.github.bitttt.nn.Ops;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.RmsNorm;
import io.github.bitttt.nn.Rotary;
import io.github.bitttt.nn.StatePart;
import io.github.bitttt.nn.TokenIds;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.TernaryMatrix;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

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
    public Delta<Doubles> delta(int heads, Read read, Doubles weights, Doubles keys, Doubles values, Doubles rates,
            Optional<Doubles> decays) {
        double[][] memory = map(weights, double[]::clone).rows();
        int width = memory[0].length;
        double[][] answers = new double[keys.rows().length][heads * width];
        for (int t = 0; t < answers.length; t++) {
            for (int head = 0; head < heads; head++) {
                double decay = decays.isPresent() ? decays.get().rows()[t][head] : 1;
                double[] key = head(keys.rows()[t], head, width);
                double[] value = head(values.rows()[t], head, width);
                double[] before = new double[width];
                double[] after = new double[width];
                for (int i = 0; i < width; i++) {
                    double[] row = memory[head * width + i];
                    for (int j = 0; j < width; j++) {
                        row[j] *= decay;
                    }
                    before[i] = dot(row, value);
                    double error = value[i] - dot(row, key);
                    for (int j = 0; j < width; j++) {
                        row[j] += rates.rows()[t][head] * error * key[j];
                    }
                    after[i] = dot(row, value);
                }
                System.arraycopy(read == Read.BEFORE ? before : after, 0, answers[t], head * width, width);
            }
        }
        return new Delta<>(new Doubles(answers), new Doubles(memory));
    }

    @Override
    public Mixed<Doubles> attend(Attention layer, KvCache<Doubles> cache, Doubles queries, Doubles keys,
            Doubles values) {
        int past = cache.keys().rows().length;
        int width = layer.headWidth();
        int shared = layer.heads() / layer.keyHeads(); // query heads of one key head
        double[][] k = joined(cache.keys(), turned(layer, past, keys));
        double[][] v = joined(cache.values(), values);
        double[][] q = turned(layer, past, queries).rows();
        double[][] answers = new double[q.length][];
        for (int t = 0; t < q.length; t++) {
            answers[t] = new double[layer.heads() * width];
            for (int head = 0; head < layer.heads(); head++) {
                double[] answer = answer(head(q[t], head, width), k, v, head / shared, past + t + 1);
                System.arraycopy(answer, 0, answers[t], head * width, width);
            }
        }
        return mixed(new Doubles(answers), new KvCache<>(new Doubles(k), new Doubles(v)));
    }

    /** One query over the first rows of one key head. */
    private static double[] answer(double[] query, double[][] keys, double[][] values, int head, int seen) {
        int width = query.length;
        double[] scores = new double[seen];
        for (int s = 0; s < seen; s++) {
            scores[s] = dot(query, head(keys[s], head, width)) / Math.sqrt(width);
        }
        double largest = Arrays.stream(scores).max().orElseThrow(); // so that no exponential overflows
        double[] answer = new double[width];
        double sum = 0;
        for (int s = 0; s < seen; s++) {
            double weight = Math.exp(scores[s] - largest);
            sum += weight;
            for (int i = 0; i < width; i++) {
                answer[i] += weight * values[s][head * width + i];
            }
        }
        for (int i = 0; i < width; i++) {
            answer[i] /= sum;
        }
        return answer;
    }

    /** Rotary positions: numbers i and i + d / 2 of each head are turned as a point of the plane. */
    private static Doubles turned(Attention layer, int past, Doubles x) {
        Rotary rotary = layer.rotary();
        int width = layer.headWidth();
        double[][] y = new double[x.rows().length][];
        for (int t = 0; t < y.length; t++) {
            double[] row = x.rows()[t];
            y[t] = row.clone();
            for (int first = 0; first < row.length; first++) {
                int pair = first % width;
                if (pair < width / 2) {
                    int second = first + width / 2;
                    double angle = (past + t) * rotary.frequency(pair, width);
                    double cos = Math.cos(angle) * rotary.magnitude();
                    double sin = Math.sin(angle) * rotary.magnitude();
                    y[t][first] = row[first] * cos - row[second] * sin;
                    y[t][second] = row[second] * cos + row[first] * sin;
                }
            }
        }
        return new Doubles(y);
    }

    private static double[][] joined(Doubles before, Doubles after) {
        double[][] rows = Arrays.copyOf(before.rows(), before.rows().length + after.rows().length);
        System.arraycopy(after.rows(), 0, rows, before.rows().length, after.rows().length);
        return rows;
    }

    @Override
    public Doubles lastRow(Doubles rows) {
        return Doubles.row(rows.rows()[rows.rows().length - 1]);
    }

    private static double[] head(double[] row, int head, int width) {
        return Arrays.copyOfRange(row, head * width, (head + 1) * width);
    }

    private static double dot(double[] a, double[] b) {
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

package io.github.bitttt.llama.adapt;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@link OutputAdapter} means, in doubles and plain loops: the ring is a list, the tables are maps of whole contexts, the mixture
 * is computed from products of probabilities. The naive twin of every part.
 */
final class NaiveAdaptation {
    private static final int[] ORDERS = {1, 2, 3, 5};

    private record Kept(double[] key, int next) {}

    private record Stage(double[] features, double[] shares, double[] weights) {}

    private final OutputMemory form;
    private final RandomHead head;
    private final int tokens;
    private final int width;
    private final double[] mean;
    private final double[] variance;
    private final double[][] matrix;
    private final double[] bias;
    private double scale = 1;
    private final List<Kept> ring = new ArrayList<>();
    private final List<Map<List<Integer>, Map<Integer, Integer>>> tables = new ArrayList<>();
    private final double[][] gates = {{0, 0, 0, 0, 0}, {-2.5, 0.3, 0.5, 0.2, 0}, {-2.8, 0.8, 0.4, 0.5, -0.4},
            {-2.8, 0.8, 0.4, 0.5, -0.4}, {-2.8, 0.8, 0.4, 0.5, -0.4}, {-2.8, 0.8, 0.4, 0.5, -0.4}};
    private final List<Integer> read = new ArrayList<>();
    private double logFrozen;
    private double logMixed;
    private int seen;
    private double[] key;
    private double[] folded;
    private double[] hidden;
    private double[] logits;
    private double[] frozen;
    private double[] adapted;
    private double[] mixed;
    private final List<Stage> stages = new ArrayList<>();

    NaiveAdaptation(OutputMemory form, RandomHead head) {
        this.form = form;
        this.head = head;
        tokens = head.tokens();
        width = head.width();
        mean = new double[width];
        variance = new double[width];
        Arrays.fill(variance, 1);
        matrix = new double[width][width];
        bias = new double[tokens];
        for (int i = 0; i < ORDERS.length; i++) {
            tables.add(new HashMap<>());
        }
    }

    /** P(w) for every w. */
    double[] predict(float[] row) {
        hidden = new double[width];
        key = new double[width];
        double[] moved = new double[width];
        for (int i = 0; i < width; i++) {
            hidden[i] = row[i];
            key[i] = (hidden[i] - mean[i]) / Math.sqrt(variance[i] + 1e-3);
        }
        normalize(key);
        for (int i = 0; i < width; i++) {
            moved[i] = hidden[i];
            for (int j = 0; j < width; j++) {
                moved[i] += matrix[i][j] * key[j];
            }
        }
        frozen = softmax(products(hidden), 1, new double[tokens]);
        logits = products(moved);
        adapted = softmax(logits, scale, bias);
        mixed = frozen.clone();
        stages.clear();
        mix(new double[]{1, Gate.logit(Arrays.stream(frozen).max().orElseThrow()) / 4, 0, 0, 0}, adapted, gates[0]);
        ring();
        for (int i = 0; i < ORDERS.length; i++) {
            count(i);
        }
        double frozenShare = 1 / (1 + Math.exp(logMixed - logFrozen));
        double[] result = new double[tokens];
        for (int word = 0; word < tokens; word++) {
            result[word] = frozenShare * frozen[word] + (1 - frozenShare) * even(mixed[word]);
        }
        return result;
    }

    private double even(double q) {
        return (1 - 1e-6) * q + 1e-6 / tokens;
    }

    private static void normalize(double[] x) {
        double length = Math.sqrt(Arrays.stream(x).map(value -> value * value).sum()) + 1e-6;
        Arrays.setAll(x, i -> x[i] / length);
    }

    private double[] products(double[] x) {
        double[] z = new double[tokens];
        for (int word = 0; word < tokens; word++) {
            for (int i = 0; i < width; i++) {
                z[word] += head.rows[word][i] * x[i];
            }
        }
        return z;
    }

    private static double[] softmax(double[] z, double scale, double[] bias) {
        double[] p = new double[z.length];
        Arrays.setAll(p, word -> Math.exp(scale * z[word] + bias[word]));
        double sum = Arrays.stream(p).sum();
        Arrays.setAll(p, word -> p[word] / sum);
        return p;
    }

    private void mix(double[] features, double[] shares, double[] weights) {
        double share = share(features, weights);
        for (int word = 0; word < tokens; word++) {
            mixed[word] = (1 - share) * mixed[word] + share * shares[word];
        }
        stages.add(new Stage(features, shares, weights));
    }

    private static double share(double[] features, double[] weights) {
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += weights[i] * features[i];
        }
        return 1 / (1 + Math.exp(-Math.clamp(sum, -9, 9)));
    }

    private static int largest(double[] x) {
        int largest = 0;
        for (int i = 1; i < x.length; i++) {
            largest = x[i] > x[largest] ? i : largest;
        }
        return largest;
    }

    private void ring() {
        folded = new double[form.ringWidth()];
        for (int i = 0; i < width; i++) {
            folded[i % folded.length] += KeyRing.sign(i) * key[i];
        }
        normalize(folded);
        if (ring.isEmpty()) {
            return;
        }
        double[] similar = ring.stream().mapToDouble(kept -> {
            double sum = 0;
            for (int i = 0; i < folded.length; i++) {
                sum += kept.key[i] * folded[i];
            }
            return sum;
        }).toArray();
        double nearest = Arrays.stream(similar).max().orElseThrow();
        double[] shares = new double[tokens];
        double total = 0;
        for (int i = 0; i < similar.length; i++) {
            double weight = 15 * (nearest - similar[i]) < 6 ? Math.exp(-15 * (nearest - similar[i])) : 0;
            shares[ring.get(i).next] += weight;
            total += weight;
        }
        for (int word = 0; word < tokens; word++) {
            shares[word] /= total;
        }
        int top = largest(shares);
        mix(new double[]{1, Gate.logit(shares[top]) / 2, (nearest - 0.7) * 4, Gate.logit(mixed[top]) / 4,
                Math.log(total) - 1}, shares, gates[1]);
    }

    private List<Integer> context(int i) {
        return read.size() < ORDERS[i] ? List.of() : List.copyOf(read.subList(read.size() - ORDERS[i], read.size()));
    }

    private void count(int i) {
        Map<Integer, Integer> counts = tables.get(i).getOrDefault(context(i), Map.of());
        if (counts.isEmpty()) {
            return;
        }
        double total = counts.values().stream().mapToInt(count -> count).sum();
        double[] shares = new double[tokens];
        counts.forEach((word, count) -> shares[word] = count / total);
        boolean several = counts.size() > 1;
        // Of equally common ones the one that came first, as in the table.
        int top = counts.entrySet().stream().reduce((a, b) -> b.getValue() > a.getValue() ? b : a).orElseThrow()
                .getKey();
        double sure = (counts.get(top) + 0.4) / (total + 0.8 + (several ? 0.4 : 0));
        mix(new double[]{1, Gate.logit(sure) / 2, Math.log(total) / 2, Gate.logit(mixed[top]) / 4,
                several ? Math.log(counts.size()) : -1}, shares, gates[i + 2]);
    }

    void learn(int token) {
        double before = frozen[token];
        for (Stage stage : stages) {
            double share = share(stage.features, stage.weights);
            double after = (1 - share) * before + share * stage.shares[token];
            double step = 0.02 * (share * stage.shares[token] / after - share);
            for (int i = 0; i < stage.weights.length; i++) {
                stage.weights[i] += step * stage.features[i];
            }
            before = after;
        }
        logFrozen += Math.log(frozen[token]);
        logMixed += Math.log(even(before));
        learnMatrix(token);
        ring.add(new Kept(folded, token));
        if (ring.size() > form.ringKeys()) {
            ring.removeFirst();
        }
        for (int i = 0; i < ORDERS.length; i++) {
            if (read.size() >= ORDERS[i]) {
                tables.get(i).computeIfAbsent(context(i), _ -> new LinkedHashMap<>()).merge(token, 1, Integer::sum);
            }
        }
        double weight = Math.max(1.0 / (seen++ + 1), 1e-3);
        for (int i = 0; i < width; i++) {
            double difference = hidden[i] - mean[i];
            mean[i] += weight * difference;
            variance[i] += weight * (difference * difference - variance[i]);
        }
        read(token);
    }

    void read(int token) {
        read.add(token);
    }

    private void learnMatrix(int token) {
        double[] likely = Arrays.stream(adapted).sorted().toArray();
        double least = likely[Math.max(0, tokens - 32)];
        double total = Arrays.stream(adapted).filter(p -> p >= least).sum();
        double length = 0;
        for (float[] row : head.rows) {
            for (float value : row) {
                length += value * value / (double) tokens;
            }
        }
        double[] error = new double[width];
        double surprise = logits[token];
        for (int word = 0; word < tokens; word++) {
            double share = adapted[word] >= least ? adapted[word] / total : 0;
            double wrong = (word == token ? 1 : 0) - share;
            surprise -= share * logits[word];
            bias[word] += form.biasRate() * wrong;
            for (int i = 0; i < width; i++) {
                error[i] += wrong * head.rows[word][i];
            }
        }
        scale = Math.clamp(scale + form.scaleRate() * Math.clamp(surprise, -20, 20), 0.25, 4);
        for (int i = 0; i < width; i++) {
            for (int j = 0; j < width; j++) {
                matrix[i][j] += form.rate() / length * error[i] * key[j];
            }
        }
    }
}

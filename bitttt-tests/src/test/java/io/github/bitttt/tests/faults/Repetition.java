package io.github.bitttt.tests.faults;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.tensor.FloatOps;
import io.github.bitttt.tensor.KernelChoice;
import io.github.bitttt.tensor.RoundedRows;
import io.github.bitttt.tensor.TernaryMatrix;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;

/** A process that computes the same as every other one, and prints digests of it. */
final class Repetition {
    private static final int[][] SHAPES = {{1, 1}, {3, 7}, {64, 64}, {100, 33}, {129, 207}, {255, 521}};

    private Repetition() {
    }

    /** Prints the kernels, then digests of ternary products, a model's logits and a story, and how near float sums are.
     *
     * @param arguments how many tokens of a story to write
     * @throws IOException if the model of the zoo cannot be read */
    public static void main(String[] arguments) throws IOException {
        System.out.println("kernels " + KernelChoice.current().kernels().name());
        System.out.println("products " + products());
        System.out.println("logits " + logits());
        System.out.printf("bound %.3f%n", shareOfBound());
        int tokens = Integer.parseInt(arguments[0]);
        if (tokens > 0) {
            System.out.println("story " + story(tokens));
        }
    }

    /** Sums of int8 numbers, each times a float that follows from the input alone. */
    private static int products() {
        SplittableRandom random = new SplittableRandom(5);
        int digest = 0;
        for (int[] shape : SHAPES) {
            float[] weights = floats(random, shape[0] * shape[1]);
            RoundedRows rows = new RoundedRows(shape[1]);
            rows.round(floats(random, 3 * shape[1]), 0, 3);
            float[] y = new float[3 * shape[0]];
            TernaryMatrix.quantize(weights, shape[0], shape[1]).matMul(rows, y);
            digest = 31 * digest + Arrays.hashCode(y);
        }
        return digest;
    }

    private static int logits() {
        BitLlamaConfig config = BitLlamaConfig.of(70, 40, 2, 60);
        Model model = Model.of(new Checkpoint(config, Weights.init(new BitLlama(config).params(), 2), Map.of()));
        int digest = 0;
        try (Session session = model.newSession()) {
            for (int t = 0; t < 30; t++) {
                digest = 31 * digest + Arrays.hashCode(session.feed(t * 13 % 70));
            }
        }
        return digest;
    }

    private static String story(int tokens) throws IOException {
        try (Model model = Model.load(Zoo.DEFAULT); Session session = model.newSession()) {
            return session.generate("Once upon a time", model.defaults().withMaxNewTokens(tokens)).result().text()
                    .replace('\n', ' ');
        }
    }

    /** The largest error of float products over its bound n 2^-23 sum |x y|: at most 1. */
    private static double shareOfBound() {
        SplittableRandom random = new SplittableRandom(6);
        double largest = 0;
        for (int[] shape : SHAPES) {
            int n = shape[1];
            float[] matrix = floats(random, shape[0] * n);
            float[] x = floats(random, n);
            float[] y = new float[shape[0]];
            FloatOps.matVec(matrix, shape[0], x, 0, n, y, 0);
            for (int row = 0; row < shape[0]; row++) {
                double sum = 0;
                double sizes = 0;
                for (int i = 0; i < n; i++) {
                    sum += (double) matrix[row * n + i] * x[i];
                    sizes += Math.abs((double) matrix[row * n + i] * x[i]);
                }
                largest = Math.max(largest, Math.abs(y[row] - sum) / (n * 0x1p-23 * sizes));
            }
        }
        return largest;
    }

    private static float[] floats(SplittableRandom random, int length) {
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }
}

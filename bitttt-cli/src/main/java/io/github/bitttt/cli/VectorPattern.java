package io.github.bitttt.cli;

import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.TttLayer;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import java.util.Optional;
import java.util.SplittableRandom;

/** The smallest memory that learns: a layer of the original engine, of width 64, reads three random vectors in turn. */
final class VectorPattern {
    private static final int WIDTH = 64;
    private static final int VECTORS = 3;
    private static final int ROUNDS = 100;

    private VectorPattern() {
    }

    /** What a memory does not know yet of the pattern.
     *
     * @param seed of the vectors, uniform in (-1, 1), and of the layer's weights
     * @return 300 reconstruction losses 1/2 ||f - W f||^2, each before that step's update */
    static double[] losses(long seed) {
        TttLayer layer = new TttLayer(projection("down", WIDTH / 4, WIDTH), projection("up", WIDTH, WIDTH / 4), 1,
                Objective.RECONSTRUCT, new InnerRate.Constant(0.1), Optional.empty(), Optional.empty(),
                Read.BEFORE);
        CpuOps ops = new CpuOps(Weights.init(layer.params(), seed).freeze(true));
        TttState<Rows> memory = layer.state(CpuOps::empty);
        float[][] vectors = vectors(seed);
        double[] losses = new double[VECTORS * ROUNDS];
        for (int step = 0; step < losses.length; step++) {
            ops.reset();
            Rows x = Rows.zeros(1, WIDTH);
            System.arraycopy(vectors[step % VECTORS], 0, x.values(), 0, WIDTH);
            float[] before = memory.weights().toArray();
            memory = (TttState<Rows>) layer.forward(ops, memory, x).state();
            // The feature that the memory just read is the one it keeps.
            losses[step] = loss(before, memory.feature().toArray());
        }
        return losses;
    }

    private static BitLinear projection(String path, int out, int in) {
        return new BitLinear(Param.ternary(path, out, in), Quantization.BITNET);
    }

    private static float[][] vectors(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[][] vectors = new float[VECTORS][WIDTH];
        for (float[] vector : vectors) {
            for (int i = 0; i < WIDTH; i++) {
                vector[i] = (float) (2 * random.nextDouble() - 1);
            }
        }
        return vectors;
    }

    private static double loss(float[] w, float[] f) {
        double loss = 0;
        for (int i = 0; i < f.length; i++) {
            double error = f[i];
            for (int j = 0; j < f.length; j++) {
                error -= (double) w[i * f.length + j] * f[j];
            }
            loss += error * error / 2;
        }
        return loss;
    }
}

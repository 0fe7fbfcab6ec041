package io.github.bitttt.cli;

import io.github.bitttt.tensor.RoundedRows;
import io.github.bitttt.tensor.TernaryMatrix;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * Large products on all cores beside the same products on one thread, run by run in turn: all cores should never be slower, whatever
 * else the machine does.
 */
final class CoresBench {
    private static final int[][] SHAPES = {{4096, 4096}, {6912, 2560}, {14336, 4096}};
    private static final int RUNS = 20;
    // A matrix of fewer codes than this is one thread's.
    private static final int PIECE = 1 << 22;

    private CoresBench() {
    }

    /** Measures.
     *
     * @return for each shape the median and the worst of 20 runs, in GMAC/s */
    static List<Map<String, Object>> figures() {
        return Arrays.stream(SHAPES).map(shape -> figure(shape[0], shape[1])).toList();
    }

    /** Random codes without a copy of them all. */
    static TernaryMatrix random(int rows, int columns, long seed) {
        return TernaryMatrix.ofRows((row, codes, offset) -> {
            SplittableRandom random = new SplittableRandom(seed * 31 + row);
            for (int i = 0; i < columns; i++) {
                codes[offset + i] = (byte) (random.nextInt(3) - 1);
            }
        }, rows, columns, 1);
    }

    private static Map<String, Object> figure(int rows, int columns) {
        int piece = (PIECE - 1) / columns / 128 * 128;
        TernaryMatrix whole = random(rows, columns, 1);
        TernaryMatrix[] pieces = new TernaryMatrix[Math.ceilDiv(rows, piece)];
        Arrays.setAll(pieces, i -> random(Math.min(piece, rows - i * piece), columns, i));
        float[] x = new float[columns];
        for (int i = 0; i < columns; i++) {
            x[i] = i % 17 - 8;
        }
        RoundedRows rounded = new RoundedRows(columns);
        rounded.round(x, 0, 1);
        float[] y = new float[rows];
        Runnable all = () -> whole.matVec(rounded, 0, y, 0);
        Runnable one = () -> {
            for (int i = 0; i < pieces.length; i++) {
                pieces[i].matVec(rounded, 0, y, i * piece);
            }
        };
        double work = (double) rows * columns;
        int repeats = (int) Math.clamp(2e9 / work, 20, 1000); // some 10 ms a run
        rate(all, repeats, work);
        rate(one, repeats, work);
        double[] alls = new double[RUNS];
        double[] ones = new double[RUNS];
        for (int run = 0; run < RUNS; run++) {
            alls[run] = rate(all, repeats, work);
            ones[run] = rate(one, repeats, work);
        }
        Arrays.sort(alls);
        Arrays.sort(ones);
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("rows", rows);
        figure.put("columns", columns);
        figure.put("all_cores_median", alls[RUNS / 2]);
        figure.put("one_thread_median", ones[RUNS / 2]);
        figure.put("all_cores_worst", alls[0]);
        figure.put("one_thread_worst", ones[0]);
        return figure;
    }

    private static double rate(Runnable work, int repeats, double size) {
        long start = System.nanoTime();
        for (int i = 0; i < repeats; i++) {
            work.run();
        }
        return repeats * size / (System.nanoTime() - start);
    }
}

package io.github.bitttt.cli;

import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.GatedDeltaForm;
import io.github.bitttt.llama.HeadForm;
import io.github.bitttt.llama.MlpForm;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.Activation;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.KvCache;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Rotary;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import io.github.bitttt.tensor.CodeRows;
import io.github.bitttt.tensor.Int8Matrix;
import io.github.bitttt.tensor.KernelChoice;
import io.github.bitttt.tensor.TernaryMatrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.SequencedMap;
import java.util.SplittableRandom;

/**
 * How fast a published model would run here, before anybody loads it: random weights of its shape, made straight in the kernels' layout.
 * Speed does not depend on what the numbers are.
 *
 * <p>A token reads every weight once, so the rate at which this machine's memory is read bounds the tokens a second; that rate is
 * measured beside every figure of writing, by as many threads as there are cores.
 */
final class LargeBench {
    private static final int RANDOM = 1 << 20; // codes; rows are stretches of them
    private static final int TOKENS = 24; // of one figure of writing
    private static final int RUNS = 3;
    private static final int USUAL = 512; // the longest context whose resident bytes are those of the whole measurement

    private final BitLlamaConfig config;
    private final int group;
    private final List<Integer> contexts;
    private final List<Integer> prompts;
    private final SplittableRandom random = new SplittableRandom(1);

    /** A measurement.
     *
     * @param shape    sizes and forms
     * @param contexts tokens in the cache before those that are written
     * @param prompts  tokens that are read into an empty cache */
    LargeBench(Shape shape, List<Integer> contexts, List<Integer> prompts) {
        this.config = shape.config();
        this.group = shape.group();
        this.contexts = contexts;
        this.prompts = prompts;
        int limit = config.contextLimit().orElse(Integer.MAX_VALUE) - TOKENS;
        for (int tokens : contexts) {
            if (tokens < 0 || tokens > limit) {
                throw new IllegalArgumentException(
                        "--contexts must be 0 to " + limit + " tokens for this shape, got " + tokens);
            }
        }
        for (int tokens : prompts) {
            if (tokens < 1 || tokens > limit) {
                throw new IllegalArgumentException(
                        "--prompts must be 1 to " + limit + " tokens for this shape, got " + tokens);
            }
        }
    }

    /**
     * A published shape.
     *
     * @param config sizes and forms, with activations rounded to int8
     * @param group  inputs of a row that share a scale; 0 for one scale a matrix
     */
    record Shape(BitLlamaConfig config, int group) {
        private static final int BONSAI = 128;

        static Shape llama(int vocabulary, int width, int layers, int inner, int heads, int keyHeads, int headWidth,
                boolean bitnet, double base, int context) {
            AttentionForm attention = new AttentionForm(heads, keyHeads, headWidth, new Rotary(base, Optional.empty()),
                    bitnet);
            return new Shape(new BitLlamaConfig(vocabulary, width, layers, inner, 1e-5, List.of(attention),
                    new MlpForm(bitnet ? Activation.RELU_SQUARED : Activation.SILU, bitnet),
                    new HeadForm(bitnet, false), Quantization.BITNET, OptionalDouble.empty(), OptionalInt.of(context)),
                    0);
        }

        static Shape qwen3(int width, int layers, int inner, int heads, boolean tied, int context) {
            Rotary rotary = new Rotary(1e6, Optional.of(new Rotary.Yarn(4, context / 4.0)));
            return new Shape(new BitLlamaConfig(151_669, width, layers, inner, 1e-6,
                    List.of(new AttentionForm(heads, 8, 128, rotary, false, true, false)), MlpForm.SWI_GLU,
                    new HeadForm(tied, false), Quantization.BITNET, OptionalDouble.empty(), OptionalInt.of(context)),
                    BONSAI);
        }

        /** Three gated delta layers, then one of gated attention. */
        static Shape qwen35(int width, int layers, int inner, int context) {
            GatedDeltaForm delta = new GatedDeltaForm(48, 16, 128, 128, GatedDeltaForm.TAPS);
            AttentionForm attention = new AttentionForm(24, 4, 256, new Rotary(1e7, Optional.empty(), 0.25), false,
                    true,
                    true);
            return new Shape(new BitLlamaConfig(248_320, width, layers, inner, 1e-6,
                    List.of(delta, delta, delta, attention), MlpForm.SWI_GLU, HeadForm.OWN, Quantization.BITNET,
                    OptionalDouble.empty(), OptionalInt.of(context)), BONSAI);
        }
    }

    /** The published shapes. 2B4T was trained for 4,096 tokens; twice as many are let through, so that what comes behind a full context can
     * be measured. Bonsai's embedding and head are int8 rows here, as they are when such a file is read. */
    private static SequencedMap<String, Shape> shapes() {
        SequencedMap<String, Shape> shapes = new LinkedHashMap<>();
        shapes.put("bitnet-2b4t", Shape.llama(128256, 2560, 30, 6912, 20, 5, 128, true, 500_000, 8192));
        shapes.put("falcon3-1b", Shape.llama(131072, 2048, 18, 8192, 8, 4, 256, false, 1_000_042, 8192));
        shapes.put("falcon3-3b", Shape.llama(131072, 3072, 22, 9216, 12, 4, 256, false, 1_000_042, 32768));
        shapes.put("falcon3-7b", Shape.llama(131072, 3072, 28, 23040, 12, 4, 256, false, 1_000_042, 32768));
        shapes.put("falcon3-10b", Shape.llama(131072, 3072, 40, 23040, 12, 4, 256, false, 1_000_042, 32768));
        shapes.put("llama3-8b", Shape.llama(128256, 4096, 32, 14336, 32, 8, 128, false, 500_000, 8192));
        shapes.put("bonsai-1.7b", Shape.qwen3(2048, 28, 6144, 16, true, 32768));
        shapes.put("bonsai-4b", Shape.qwen3(2560, 36, 9728, 32, true, 32768));
        shapes.put("bonsai-8b", Shape.qwen3(4096, 36, 12288, 32, false, 65536));
        shapes.put("bonsai-27b", Shape.qwen35(5120, 64, 17408, 262_144));
        return shapes;
    }

    /** The shape of a name.
     *
     * @throws IllegalArgumentException if there is none of that name */
    static Shape shape(String name) {
        Shape shape = shapes().get(name.toLowerCase(Locale.ROOT));
        if (shape == null) {
            throw new IllegalArgumentException(
                    "--like must be one of " + String.join(", ", shapes().keySet()) + ", got " + name);
        }
        return shape;
    }

    /** Makes the weights and measures.
     *
     * @param name of the shape
     * @return what --json prints
     * @throws IllegalArgumentException if the machine has too little memory */
    Map<String, Object> figures(String name) throws Exception {
        checkFits(name);
        KernelChoice.current().awaitReady();
        long start = System.nanoTime();
        Weights weights = weights();
        double loadSeconds = (System.nanoTime() - start) / 1e9;
        List<Double> rates = new ArrayList<>();
        List<Map<String, Object>> decode = new ArrayList<>();
        long resident = 0;
        for (int context : contexts) {
            decode.add(decode(weights, context, rates));
            // What longer contexts take is told with them; prompts take room of their own.
            if (resident == 0 || context <= USUAL) {
                resident = Bench.residentBytes();
            }
        }
        Model model = Model.of(new Checkpoint(config, weights, Map.of()));
        List<Map<String, Object>> prefill = prompts.stream().map(tokens -> prefill(model, tokens)).toList();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("model", name + ", random weights, int8 activations, cache filled with random keys and values");
        result.put("decode", decode);
        result.put("prefill", prefill);
        result.put("bytes_per_token", bytesPerToken(weights) + memoryBytesPerToken());
        result.put("read_gigabytes_per_second", median(rates.stream().mapToDouble(Double::doubleValue).toArray()));
        result.put("load_seconds", loadSeconds);
        result.put("resident_bytes", resident);
        return result;
    }

    private long cacheBytesPerToken() {
        return 4 * new BitLlama(config).memoryNumbersPerToken();
    }

    /** Memories are read and written by every token. */
    private long memoryBytesPerToken() {
        return 2 * 4 * new BitLlama(config).memoryNumbers();
    }

    private void checkFits(String name) {
        double needed = cacheBytesPerToken() * 1.5 * contexts.stream().mapToInt(i -> i).max().orElse(0) + (200 << 20);
        for (Param param : new BitLlama(config).params()) {
            needed += (double) param.rows() * param.columns() * switch (param.kind()) {
                case TERNARY -> 0.3; // of every layout, and a little for those that are wider
                case ROWS -> 1;
                case FLOAT -> 4;
            };
        }
        long there = Bench.availableBytes();
        if (needed > there) {
            throw new IllegalArgumentException(String.format(Locale.ROOT,
                    "%s takes about %.1f GB of memory and %.1f GB are free; free some, ask for shorter --contexts,"
                            + " or measure a smaller shape",
                    name, needed / 1e9, there / 1e9));
        }
    }

    private Weights weights() {
        byte[] ternary = new byte[RANDOM];
        byte[] int8 = new byte[RANDOM];
        random.nextBytes(int8);
        for (int i = 0; i < RANDOM; i++) {
            ternary[i] = (byte) (random.nextInt(3) - 1);
            int8[i] = (byte) Math.max(int8[i], -127);
        }
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        for (Param param : new BitLlama(config).params()) {
            int columns = param.columns();
            weights.put(param, switch (param.kind()) {
                case TERNARY -> new Weight.Ternary(ternary(stretches(ternary, columns), param.rows(), columns));
                case ROWS -> {
                    float[] scales = new float[param.rows()];
                    Arrays.fill(scales, (float) (1 / (64 * Math.sqrt(columns))));
                    yield new Weight.Int8Rows(Int8Matrix.ofRows(stretches(int8, columns), columns, scales));
                }
                case FLOAT -> {
                    float[] ones = new float[param.length()];
                    Arrays.fill(ones, 1);
                    yield new Weight.Floats(ones);
                }
            });
        }
        return new Weights(weights);
    }

    private TernaryMatrix ternary(CodeRows codes, int rows, int columns) {
        float scale = (float) (1 / Math.sqrt(columns));
        if (group == 0) {
            return TernaryMatrix.ofRows(codes, rows, columns, scale);
        }
        float[] scales = new float[Math.multiplyExact(rows, columns / group)];
        Arrays.fill(scales, scale);
        return TernaryMatrix.ofGroups(codes, rows, columns, group, scales);
    }

    private CodeRows stretches(byte[] from, int columns) {
        return (_, to, offset) -> System.arraycopy(from, random.nextInt(RANDOM - columns), to, offset, columns);
    }

    /** What a token reads of the weights: all projections, the head, the norms, one row of the embedding. */
    private long bytesPerToken(Weights weights) {
        Param head = new BitLlama(config).headWeight();
        return weights.params().stream().mapToLong(param -> switch (weights.get(param)) {
            case Weight.Ternary(TernaryMatrix matrix) -> matrix.layoutBytes();
            case Weight.Int8Rows(Int8Matrix matrix) -> param.equals(head) ? matrix.bytes() : matrix.columns();
            case Weight.Floats(float[] values) -> 4L * values.length;
        }).sum();
    }

    private Map<String, Object> decode(Weights weights, int context, List<Double> rates) throws Exception {
        BitLlama architecture = new BitLlama(config);
        CpuOps ops = new CpuOps(weights);
        List<MixerState<Rows>> memories = architecture.memories(CpuOps::empty);
        int[] ids = random.ints(TOKENS, 0, config.vocabSize()).toArray();
        double[] speeds = new double[RUNS];
        double[] around = new double[RUNS];
        fill(memories, context);
        write(architecture, ops, memories, ids); // what is compiled now is fast afterwards
        for (int run = 0; run < RUNS; run++) {
            fill(memories, context);
            double before = MemoryRate.gigabytesPerSecond();
            long start = System.nanoTime();
            write(architecture, ops, memories, ids);
            speeds[run] = TOKENS * 1e9 / (System.nanoTime() - start);
            around[run] = (before + MemoryRate.gigabytesPerSecond()) / 2;
            rates.add(around[run]);
        }
        double bytes = bytesPerToken(weights) + memoryBytesPerToken() + cacheBytesPerToken() * (context + TOKENS / 2.0);
        double speed = median(speeds);
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("context", context);
        figure.put("tokens_per_second", speed);
        figure.put("share_of_bandwidth_bound", speed * bytes / (median(around) * 1e9));
        figure.put("bytes_per_token", Math.round(bytes));
        figure.put("resident_bytes", Bench.residentBytes());
        return figure;
    }

    private void fill(List<MixerState<Rows>> memories, int context) {
        for (MixerState<Rows> state : memories) {
            if (state instanceof KvCache<Rows> cache) {
                cache.keys().set(normal(context * cache.keys().columns()));
                cache.values().set(normal(context * cache.values().columns()));
            }
        }
    }

    /** About normal: the sum of four. */
    private float[] normal(int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            long bits = random.nextLong();
            values[i] = ((short) bits + (short) (bits >> 16) + (short) (bits >> 32) + (short) (bits >> 48)) / 37837f;
        }
        return values;
    }

    private static void write(BitLlama architecture, CpuOps ops, List<MixerState<Rows>> memories, int[] ids) {
        for (int id : ids) {
            ops.reset();
            architecture.head(ops, architecture.hidden(ops, memories, ops.token(id)));
        }
    }

    private Map<String, Object> prefill(Model model, int tokens) {
        int[] ids = random.ints(tokens, 0, config.vocabSize()).toArray();
        double[] speeds = new double[RUNS];
        try (Session session = model.newSession()) {
            session.feed(ids);
            for (int run = 0; run < RUNS; run++) {
                session.reset();
                long start = System.nanoTime();
                session.feed(ids);
                speeds[run] = tokens * 1e9 / (System.nanoTime() - start);
            }
        }
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("tokens", tokens);
        figure.put("tokens_per_second", median(speeds));
        return figure;
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}

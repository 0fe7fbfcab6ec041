package io.github.bitttt.cli;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.BitLinear;
import io.github.bitttt.nn.InnerRate;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.TttLayer;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.nn.cpu.CpuOps;
import io.github.bitttt.nn.cpu.Rows;
import io.github.bitttt.tensor.KernelChoice;
import io.github.bitttt.tensor.RoundedRows;
import io.github.bitttt.tensor.TernaryMatrix;
import io.github.bitttt.viz.Charts;
import io.github.bitttt.viz.Picture;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SequencedMap;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** How fast this machine is: kernels, the TTT layer, whole models. Medians of several runs after a warm-up. */
@Command(name = "bench", mixinStandardHelpOptions = true, description = "Measure kernels, the TTT layer and whole models.")
final class Bench implements Callable<Integer> {
    private static final int[][] SHAPES = {{64, 256}, {256, 256}, {1024, 256}, {256, 1024}, {4096, 256}, {6912, 2560},
            {4096, 4096}, {14336, 4096}};
    private static final int RUNS = 9;
    private static final com.sun.management.ThreadMXBean THREADS = (com.sun.management.ThreadMXBean) ManagementFactory
            .getThreadMXBean();

    @Mixin
    private Program program;

    @Option(names = "--seconds", defaultValue = "0.6", description = "Time for each figure (default: ${DEFAULT-VALUE}).")
    private double seconds;
    @Option(names = "--cores", description = "Measure only large products, on all cores and on one thread in turn: medians and worst runs.")
    private boolean cores;
    @Option(names = "--plot", paramLabel = "FILE", description = "Draw the speed of the kernels, as .png or .svg.")
    private Path plot;

    @Option(names = "--like", paramLabel = "SHAPE", description = "Measure random weights of a published model's shape:"
            + " bitnet-2b4t, falcon3-1b, falcon3-3b, falcon3-7b, falcon3-10b, llama3-8b, bonsai-1.7b, bonsai-4b, bonsai-8b or bonsai-27b.")
    private String like;
    @Option(names = "--contexts", split = ",", defaultValue = "0,512,4096", description = "With --like: tokens in the cache"
            + " before those that are written (default: ${DEFAULT-VALUE}).")
    private List<Integer> contexts;
    @Option(names = "--prompts", split = ",", defaultValue = "256,512", description = "With --like: tokens of the prompts that"
            + " are read (default: ${DEFAULT-VALUE}).")
    private List<Integer> prompts;

    /** A piece of work.
     *  @return what it made, so that it cannot be left out */
    @FunctionalInterface
    private interface Work {
        float run();
    }

    private record NamedModel(String name, Model model) {}

    private volatile float sink;

    @Override
    public Integer call() throws Exception {
        if (!(seconds > 0 && seconds <= 60)) {
            throw new IllegalArgumentException("--seconds must be above 0 and at most 60, got " + seconds);
        }
        if (cores) {
            return measureCores();
        }
        if (like != null) {
            return measureLike();
        }
        double firstToken = firstTokenSeconds();
        KernelChoice.current().awaitReady();
        Program.checkTargets(null, plot);
        List<NamedModel> models = List.of(embedded(), wide());
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("machine", machine());
        List<Map<String, Object>> products = Arrays.stream(SHAPES).map(shape -> gemv(shape[0], shape[1])).toList();
        result.put("gemv", products);
        result.put("ttt_layer", List.of(tttLayer(128), tttLayer(256)));
        List<Map<String, Object>> decode = new ArrayList<>();
        for (NamedModel model : models) {
            decode.add(decode(model, 1));
            decode.add(decode(model, Runtime.getRuntime().availableProcessors()));
        }
        result.put("decode", decode);
        result.put("prefill", models.stream().map(this::prefill).toList());
        result.put("first_token_seconds", firstToken);
        result.put("resident_bytes", residentBytes());
        print(result);
        if (plot != null) {
            draw(products).save(plot);
        }
        program.result(result);
        return 0;
    }

    private int measureCores() throws Exception {
        KernelChoice.current().awaitReady();
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("machine", machine());
        result.put("cores", CoresBench.figures());
        print(result);
        program.result(result);
        return 0;
    }

    private int measureLike() throws Exception {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("machine", machine());
        result.putAll(new LargeBench(LargeBench.shape(like), contexts, prompts).figures(like));
        print(result);
        program.result(result);
        return 0;
    }

    private static Picture draw(List<Map<String, Object>> products) {
        SequencedMap<String, List<Double>> speeds = new LinkedHashMap<>();
        speeds.put("product alone", products.stream().map(figure -> (Double) figure.get("gmac_per_second")).toList());
        speeds.put("with rounding of the input",
                products.stream().map(figure -> (Double) figure.get("gmac_per_second_with_rounding")).toList());
        return Charts.bars("Ternary products, one thread: " + KernelChoice.current().name() + " kernels",
                "outputs x inputs", "GMAC/s",
                Arrays.stream(SHAPES).map(shape -> shape[0] + " x " + shape[1]).toList(), speeds);
    }

    /** From the start of this process to the first token of a story. */
    private static double firstTokenSeconds() throws IOException {
        NamedModel embedded = embedded();
        try (Session session = embedded.model().newSession()) {
            session.feed(embedded.model().tokenizer().encode("Once upon a time"));
        }
        return (System.currentTimeMillis() - ManagementFactory.getRuntimeMXBean().getStartTime()) / 1e3;
    }

    private static NamedModel embedded() throws IOException {
        return new NamedModel(Zoo.DEFAULT, Model.load(Zoo.DEFAULT));
    }

    private static NamedModel wide() {
        BitLlamaConfig config = BitLlamaConfig.of(4096, 256, 4, 1024);
        Checkpoint random = new Checkpoint(config, Weights.init(new BitLlama(config).params(), 1), Map.of());
        return new NamedModel("random 256x4, F 1024, V 4096", Model.of(random.pack()));
    }

    private static Map<String, Object> machine() throws IOException {
        Map<String, Object> machine = new LinkedHashMap<>();
        Path cpu = Path.of("/proc/cpuinfo");
        machine.put("cpu", Files.isReadable(cpu)
                ? Files.readAllLines(cpu).stream().filter(line -> line.startsWith("model name")).findFirst()
                        .map(line -> line.substring(line.indexOf(':') + 1).strip()).orElse("unknown")
                : System.getProperty("os.arch"));
        machine.put("cores", Runtime.getRuntime().availableProcessors());
        machine.put("os", System.getProperty("os.name"));
        machine.put("java", Runtime.version().toString());
        // Paths say nothing about speed.
        machine.put("flags", ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(flag -> !flag.contains("/")).toList());
        machine.put("kernels", KernelChoice.current().toString());
        return machine;
    }

    /** The median time of one run, in seconds. */
    private double median(Work work) {
        sink += work.run(); // builds layouts, which may take longer than the whole warm-up
        long repeats = 0;
        long start = System.nanoTime();
        do {
            sink += work.run();
            repeats++;
        } while (System.nanoTime() - start < seconds * 1e9 / 3);
        long each = Math.max(1, 2 * repeats / RUNS);
        double[] times = new double[RUNS];
        for (int run = 0; run < RUNS; run++) {
            long from = System.nanoTime();
            for (long i = 0; i < each; i++) {
                sink += work.run();
            }
            times[run] = (System.nanoTime() - from) / 1e9 / each;
        }
        Arrays.sort(times);
        return times[RUNS / 2];
    }

    private Map<String, Object> gemv(int rows, int columns) {
        SplittableRandom random = new SplittableRandom(1);
        byte[] codes = new byte[rows * columns];
        for (int i = 0; i < codes.length; i++) {
            codes[i] = (byte) (random.nextInt(3) - 1);
        }
        TernaryMatrix matrix = TernaryMatrix.ofCodes(codes, rows, columns, 1);
        float[] x = normal(random, columns);
        float[] y = new float[rows];
        RoundedRows rounded = new RoundedRows(columns);
        rounded.round(x, 0, 1);
        double product = median(() -> {
            matrix.matVec(rounded, 0, y, 0);
            return y[0];
        });
        double whole = median(() -> {
            rounded.round(x, 0, 1);
            matrix.matVec(rounded, 0, y, 0);
            return y[0];
        });
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put("kernel", matrix.kernel());
        figure.put("rows", rows);
        figure.put("columns", columns);
        figure.put("gmac_per_second", codes.length / product / 1e9);
        figure.put("gmac_per_second_with_rounding", codes.length / whole / 1e9);
        return figure;
    }

    private static float[] normal(SplittableRandom random, int size) {
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** The seed's layer over 1,000 tokens, as a user of the library would call it. */
    private Map<String, Object> tttLayer(int width) {
        int tokens = 1000;
        Quantization rounding = new Quantization(true, true);
        TttLayer layer = new TttLayer(new BitLinear(Param.ternary("down", width / 4, width), rounding),
                new BitLinear(Param.ternary("up", width, width / 4), rounding), 1, Objective.RECONSTRUCT,
                new InnerRate.Constant(0.1), Optional.empty(), Optional.empty(), Read.BEFORE);
        CpuOps ops = new CpuOps(Weights.init(layer.params(), 1).freeze(true));
        TttState<Rows> memory = layer.state(CpuOps::empty);
        Rows x = Rows.zeros(tokens, width);
        System.arraycopy(normal(new SplittableRandom(1), tokens * width), 0, x.values(), 0, tokens * width);
        double time = median(() -> {
            ops.reset();
            return layer.forward(ops, memory, x).output().values()[0];
        });
        return figure("width", width, tokens / time);
    }

    private static Map<String, Object> figure(String key, Object value, double tokensPerSecond) {
        Map<String, Object> figure = new LinkedHashMap<>();
        figure.put(key, value);
        figure.put("tokens_per_second", tokensPerSecond);
        return figure;
    }

    private Map<String, Object> decode(NamedModel named, int streams) throws Exception {
        List<Future<double[]>> running = new ArrayList<>();
        try (ExecutorService threads = Executors.newFixedThreadPool(streams)) {
            for (int stream = 0; stream < streams; stream++) {
                int seed = stream;
                running.add(threads.submit(() -> decodeOne(named.model(), seed)));
            }
        }
        double rate = 0;
        double allocated = 0;
        for (Future<double[]> stream : running) {
            rate += stream.get()[0];
            allocated = Math.max(allocated, stream.get()[1]);
        }
        Map<String, Object> figure = figure("model", named.name(), rate);
        figure.put("streams", streams);
        figure.put("allocated_bytes_per_token", Math.round(allocated));
        return figure;
    }

    /** Tokens per second and allocated bytes per token of one stream, warmed up. */
    private double[] decodeOne(Model model, int seed) {
        int[] ids = new SplittableRandom(seed).ints(256, 0, model.architecture().config().vocabSize()).toArray();
        try (Session session = model.newSession()) {
            Work pass = () -> {
                float last = 0;
                for (int id : ids) {
                    last = session.feed(id)[0];
                }
                return last;
            };
            median(pass);
            double time = median(pass);
            long before = THREADS.getCurrentThreadAllocatedBytes();
            sink += pass.run();
            return new double[]{ids.length / time,
                    (THREADS.getCurrentThreadAllocatedBytes() - before) / (double) ids.length};
        }
    }

    private Map<String, Object> prefill(NamedModel named) {
        int[] ids = new SplittableRandom(1).ints(1024, 0, named.model().architecture().config().vocabSize()).toArray();
        try (Session session = named.model().newSession()) {
            return figure("model", named.name(), ids.length / median(() -> session.feed(ids)[0]));
        }
    }

    static long availableBytes() {
        long all = ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
                .getTotalMemorySize(); // of the container, if it has a limit
        try {
            return Math.min(all, kilobytes(Path.of("/proc/meminfo"), "MemAvailable:").orElse(all));
        } catch (IOException _) {
            return all;
        }
    }

    private static OptionalLong kilobytes(Path file, String key) throws IOException {
        return Files.isReadable(file)
                ? Files.readAllLines(file).stream().filter(line -> line.startsWith(key))
                        .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * 1024).findFirst()
                : OptionalLong.empty();
    }

    static long residentBytes() throws IOException {
        return kilobytes(Path.of("/proc/self/status"), "VmRSS:").orElse(Runtime.getRuntime().totalMemory());
    }

    private void print(Map<String, Object> result) {
        result.forEach((part, figures) -> {
            program.messages().println(part);
            for (Object figure : figures instanceof List<?> list ? list : List.of(figures)) {
                program.messages().println("  " + (figure instanceof Map<?, ?> map ? line(map) : number(figure)));
            }
        });
    }

    private static String line(Map<?, ?> figure) {
        StringBuilder line = new StringBuilder();
        figure.forEach((key, value) -> line.append(line.isEmpty() ? "" : ", ").append(key).append(' ')
                .append(number(value)));
        return line.toString();
    }

    private static String number(Object value) {
        return switch (value) {
            case Double d when d >= 1000 -> String.format(Locale.ROOT, "%,.0f", d);
            case Double d -> String.format(Locale.ROOT, "%.2f", d);
            case Long l -> String.format(Locale.ROOT, "%,d", l);
            default -> value.toString();
        };
    }
}

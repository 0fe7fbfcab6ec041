package io.github.bitttt.tests;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.SequencedMap;

/**
 * What an independent reference computed for a small model ({@code /golden/README.md}).
 *
 * <p>It reads JSON and safetensors by itself, so that a fault of {@code llama.io} cannot hide here.
 */
record GoldenFixture(String name, BitLlama model, Weights weights, int[] tokenIds, JsonNode expected) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The fixtures with a config, gradients and a training curve. */
    static List<String> names() {
        return List.of("default-float", "default-int8", "mixed-float", "seed-float");
    }

    static GoldenFixture load(String name) {
        BitLlama model = new BitLlama(config(json(name, "config.json")));
        Map<String, double[]> tensors = tensors(name, "model.safetensors");
        SequencedMap<Param, Weight> weights = new LinkedHashMap<>();
        model.params().forEach(param -> weights.put(param, new Weight.Floats(floats(tensors.get(param.path())))));
        JsonNode expected = json(name, "expected.json");
        return new GoldenFixture(name, model, new Weights(weights),
                JSON.convertValue(expected.get("token_ids"), int[].class), expected);
    }

    private static BitLlamaConfig config(JsonNode json) {
        JsonNode ttt = json.get("ttt");
        JsonNode rate = ttt.get("inner_rate");
        JsonNode bits = json.get("quantization_config").get("activation_bits");
        return new BitLlamaConfig(json.get("vocab_size").intValue(), json.get("hidden_size").intValue(),
                json.get("num_hidden_layers").intValue(), json.get("intermediate_size").intValue(),
                json.get("rms_norm_eps").doubleValue(),
                new BitLlamaConfig.Ttt(ttt.get("memory_size").intValue(), ttt.get("num_heads").intValue(),
                        Objective.valueOf(ttt.get("objective").textValue().toUpperCase()),
                        rate.isNumber() ? OptionalDouble.of(rate.doubleValue()) : OptionalDouble.empty(),
                        false, ttt.get("token_shift").booleanValue(),
                        Read.valueOf(ttt.get("read").textValue().toUpperCase())),
                new Quantization(true, !bits.isNull()), false);
    }

    static JsonNode json(String name, String file) {
        try {
            return JSON.readTree(bytes(name, file));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Every tensor of a safetensors file, F32 or F64, as doubles. */
    static Map<String, double[]> tensors(String name, String file) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes(name, file)).order(ByteOrder.LITTLE_ENDIAN);
        byte[] header = new byte[Math.toIntExact(buffer.getLong())];
        buffer.get(header);
        ByteBuffer data = buffer.slice().order(ByteOrder.LITTLE_ENDIAN);
        Map<String, double[]> tensors = new LinkedHashMap<>();
        try {
            JSON.readTree(new String(header, StandardCharsets.UTF_8)).properties().forEach(entry -> {
                if (!entry.getKey().equals("__metadata__")) {
                    tensors.put(entry.getKey(), tensor(data, entry.getValue()));
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return tensors;
    }

    private static double[] tensor(ByteBuffer data, JsonNode entry) {
        boolean wide = entry.get("dtype").textValue().equals("F64");
        int from = entry.get("data_offsets").get(0).intValue();
        int size = wide ? 8 : 4;
        double[] values = new double[(entry.get("data_offsets").get(1).intValue() - from) / size];
        for (int i = 0; i < values.length; i++) {
            values[i] = wide ? data.getDouble(from + i * size) : data.getFloat(from + i * size);
        }
        return values;
    }

    static float[] floats(double[] values) {
        float[] floats = new float[values.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) values[i];
        }
        return floats;
    }

    static double[] doubles(float[] values) {
        double[] doubles = new double[values.length];
        for (int i = 0; i < doubles.length; i++) {
            doubles[i] = values[i];
        }
        return doubles;
    }

    private static byte[] bytes(String name, String file) {
        String path = "/golden/" + name + "/" + file;
        try (InputStream in = GoldenFixture.class.getResourceAsStream(path)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The tokens that the model reads: all but the last. */
    int[] inputs() {
        return Arrays.copyOf(tokenIds, tokenIds.length - 1);
    }

    /** The tokens that it should predict: all but the first. */
    int[] targets() {
        return Arrays.copyOfRange(tokenIds, 1, tokenIds.length);
    }

    /** Mean cross entropy in nats. */
    double loss() {
        return expected.get("loss_nats_per_token").doubleValue();
    }

    /** [T, V]. */
    double[][] logits() {
        return JSON.convertValue(expected.get("logits"), double[][].class);
    }

    /** Each layer's memory after the last token, flat. */
    List<TttState<double[]>> memories() {
        List<TttState<double[]>> memories = new ArrayList<>();
        expected.get("memory").forEach(layer -> memories.add(new TttState<>(flat(layer.get("weights")),
                flat(layer.get("previous")), flat(layer.get("feature")))));
        return memories;
    }

    /** d loss / d parameter, by tensor name. */
    Map<String, double[]> gradients() {
        return tensors(name, "gradients_f64.safetensors");
    }

    /** Settings and curve of ten AdamW steps. */
    JsonNode adamw() {
        return expected.get("adamw_10_steps");
    }

    static double[] flat(JsonNode node) {
        List<Double> values = new ArrayList<>();
        collect(node, values);
        return values.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private static void collect(JsonNode node, List<Double> values) {
        if (node.isNumber()) {
            values.add(node.doubleValue());
        } else {
            node.forEach(child -> collect(child, values));
        }
    }

    /** The largest difference over the largest expected magnitude. */
    static double relativeError(double[] expected, double[] got) {
        if (expected.length != got.length) {
            throw new AssertionError("expected " + expected.length + " numbers, got " + got.length);
        }
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            // The negation catches NaN.
            difference = !(Math.abs(expected[i] - got[i]) <= difference) ? Math.abs(expected[i] - got[i]) : difference;
        }
        return difference / largest;
    }

    /** Rows one after the other. */
    static double[] flat(double[][] rows) {
        return Arrays.stream(rows).flatMapToDouble(Arrays::stream).toArray();
    }
}

package io.github.bitttt.llama.io;

import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.HeadForm;
import io.github.bitttt.llama.MlpForm;
import io.github.bitttt.nn.Activation;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Rotary;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the keys of a GGUF file say of its model. All but the general ones begin with the name of the architecture.
 *
 * @param gguf         the file
 * @param architecture bitnet-b1.58 or bitnet-25 (2B4T), bitnet, llama, or qwen3
 */
record GgufKeys(Gguf gguf, String architecture) {
    private static final String ARCHITECTURE = "general.architecture";
    private static final String LLAMA = "llama";
    private static final String QWEN_3 = "qwen3";
    /** The architectures that are read, with the activation of a file that names none. */
    private static final Map<String, Activation> ACTIVATIONS = Map.of("bitnet-b1.58", Activation.RELU_SQUARED,
            "bitnet-25",
            Activation.RELU_SQUARED, "bitnet", Activation.SILU, LLAMA, Activation.SILU, QWEN_3,
            Activation.SILU);

    static Set<String> architectures() {
        return ACTIVATIONS.keySet();
    }

    static GgufKeys of(Gguf gguf) throws CheckpointException {
        Object architecture = gguf.keys().get(ARCHITECTURE);
        if (!(architecture instanceof String name) || !ACTIVATIONS.containsKey(name)) {
            throw new CheckpointException(gguf.file(), ARCHITECTURE + " must be one of "
                    + ACTIVATIONS.keySet().stream().sorted().toList() + ", got " + StrictJson.shown(architecture)
                    + "; other architectures are not read from GGUF");
        }
        return new GgufKeys(gguf, name);
    }

    /** Whether rows of queries and keys lie in pairs that turn together: 2 i and 2 i + 1, where Hugging Face has i and i + d / 2. */
    boolean pairs() {
        return architecture.equals(LLAMA);
    }

    BitLlamaConfig config() throws CheckpointException {
        if (gguf.tensors().containsKey("rope_freqs.weight")) {
            throw new CheckpointException(gguf.file(),
                    "rope_freqs.weight: positions of a scaled context are not read from GGUF;"
                            + " give the folder of safetensors, whose config.json says how they are scaled");
        }
        GgufTensor embedding = gguf.tensors().get(GgufModel.EMBEDDING);
        int width = integer("embedding_length", null);
        int heads = integer("attention.head_count", null);
        int headWidth = headWidth();
        if (integer("rope.dimension_count", headWidth) != headWidth) {
            throw new CheckpointException(gguf.file(),
                    key("rope.dimension_count") + " must be the width of a head, " + headWidth
                            + ", got " + value("rope.dimension_count"));
        }
        boolean subNorms = !architecture.equals(LLAMA) && !architecture.equals(QWEN_3);
        try {
            return new BitLlamaConfig(integer("vocab_size", embedding == null ? 0 : embedding.rows()), width,
                    integer("block_count", null), integer("feed_forward_length", null),
                    number("attention.layer_norm_rms_epsilon", 1e-5),
                    List.of(new AttentionForm(heads, integer("attention.head_count_kv", heads), headWidth,
                            rotary(), subNorms, architecture.equals(QWEN_3))),
                    new MlpForm(activation(), subNorms),
                    new HeadForm(!gguf.tensors().containsKey(GgufModel.HEAD), false), quantization(),
                    OptionalDouble.empty(), OptionalInt.of(integer("context_length", 2048)));
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(gguf.file(), e.getMessage(), e);
        }
    }

    private Rotary rotary() throws CheckpointException {
        Object type = value("rope.scaling.type");
        double base = number("rope.freq_base", 10_000);
        if (type == null || type.equals("none")) {
            return new Rotary(base, Optional.empty());
        }
        if (!type.equals("yarn")) {
            throw new CheckpointException(gguf.file(),
                    key("rope.scaling.type") + " must be none or yarn, got " + StrictJson.shown(type));
        }
        return new Rotary(base, Optional.of(new Rotary.Yarn(number("rope.scaling.factor", 1),
                number("rope.scaling.original_context_length", integer("context_length", 2048)))));
    }

    /** d, the width of a head. */
    int headWidth() throws CheckpointException {
        int heads = integer("attention.head_count", null);
        return integer("attention.key_length", heads > 0 ? integer("embedding_length", null) / heads : 0);
    }

    private Activation activation() throws CheckpointException {
        Object name = value("hidden_activation");
        if (name == null) {
            return ACTIVATIONS.get(architecture);
        }
        return switch (name.toString()) {
            case "silu", "swish" -> Activation.SILU;
            case "relu2", "relu_sqr", "relu_squared" -> Activation.RELU_SQUARED;
            default -> throw new CheckpointException(gguf.file(),
                    key("hidden_activation") + " must be silu or relu2, got " + StrictJson.shown(name));
        };
    }

    /** Types with scales of groups are those of models whose activations stay floats. */
    private Quantization quantization() {
        return new Quantization(true,
                gguf.tensors().values().stream().noneMatch(tensor -> tensor.type().floatInputs()));
    }

    private String key(String name) {
        return architecture + "." + name;
    }

    private Object value(String name) {
        return gguf.keys().get(key(name));
    }

    private int integer(String name, Integer absent) throws CheckpointException {
        Object value = value(name);
        if (value == null && absent != null) {
            return absent;
        }
        if (!(value instanceof Long whole) || whole < 0 || whole > Integer.MAX_VALUE) {
            throw new CheckpointException(gguf.file(), key(name) + " must be a whole number below 2^31, got "
                    + (value == null ? "nothing" : StrictJson.shown(value)));
        }
        return whole.intValue();
    }

    private double number(String name, double absent) throws CheckpointException {
        Object value = value(name);
        if (value == null) {
            return absent;
        }
        if (!(value instanceof Number number)) {
            throw new CheckpointException(gguf.file(), key(name) + " must be a number, got " + StrictJson.shown(value));
        }
        return number.doubleValue();
    }
}

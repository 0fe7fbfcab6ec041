package io.github.bitttt.llama.io;

import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.GatedDeltaForm;
import io.github.bitttt.llama.HeadForm;
import io.github.bitttt.llama.MixerForm;
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
import java.util.stream.IntStream;

/**
 * What the keys of a GGUF file say of its model. All but the general ones begin with the name of the architecture.
 *
 * @param gguf         the file
 * @param architecture bitnet-b1.58 or bitnet-25 (2B4T), bitnet, llama, qwen3 or qwen35
 * @param hadamard     the rotation of its weights, if there is one
 */
record GgufKeys(Gguf gguf, String architecture, Optional<GgufHadamard> hadamard) {
    private static final String ARCHITECTURE = "general.architecture";
    private static final String LLAMA = "llama";
    private static final String QWEN_3 = "qwen3";
    private static final String QWEN_35 = "qwen35";
    private static final int EVERY_FOURTH = 4;
    private static final int MOST_LAYERS = 10_000;
    /** The architectures that are read, with the activation of a file that names none. */
    private static final Map<String, Activation> ACTIVATIONS = Map.of("bitnet-b1.58", Activation.RELU_SQUARED,
            "bitnet-25",
            Activation.RELU_SQUARED, "bitnet", Activation.SILU, LLAMA, Activation.SILU, QWEN_3,
            Activation.SILU, QWEN_35, Activation.SILU);

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
        return new GgufKeys(gguf, name, GgufHadamard.of(gguf));
    }

    /** Where the file has the parameters of a model. */
    GgufNames names(BitLlamaConfig config) {
        return new GgufNames(architecture.equals(LLAMA), config.attention().orElseThrow(), config.gatedDelta(),
                hadamard.map(GgufHadamard::grouped).orElse(false));
    }

    private boolean isQwen() {
        return architecture.equals(QWEN_3) || isHybrid();
    }

    private boolean isHybrid() {
        return architecture.equals(QWEN_35);
    }

    /** Blocks that guess further tokens stand after all others; they are no part of the model. */
    boolean isOfExtraBlocks(String tensor) {
        try {
            int extra = integer("nextn_predict_layers", 0);
            int blocks = integer("block_count", null);
            return tensor.startsWith("blk.") && IntStream.range(Math.max(0, blocks - extra), blocks)
                    .anyMatch(block -> tensor.startsWith("blk." + block + "."));
        } catch (CheckpointException e) {
            return false; // what the config says of it
        }
    }

    private int layers() throws CheckpointException {
        int blocks = integer("block_count", null);
        int extra = integer("nextn_predict_layers", 0);
        if (extra > MOST_LAYERS || extra >= blocks && extra > 0 || isHybrid() && blocks > MOST_LAYERS) {
            throw new CheckpointException(gguf.file(), key("block_count") + " must be at most " + MOST_LAYERS
                    + " and more than " + key("nextn_predict_layers") + ", got " + blocks + " and " + extra);
        }
        return blocks - extra;
    }

    private List<MixerForm> mixers(AttentionForm attention, int layers) throws CheckpointException {
        if (!isHybrid()) {
            return List.of(attention);
        }
        int heads = integer("ssm.time_step_rank", null);
        int inner = integer("ssm.inner_size", null);
        int width = integer("ssm.state_size", null);
        int interval = integer("full_attention_interval", EVERY_FOURTH);
        if (interval < 1 || (long) heads * width != inner) {
            throw new CheckpointException(gguf.file(), key("full_attention_interval") + " must be at least 1, got "
                    + interval + ", and " + key("ssm.inner_size") + " must be " + key("ssm.time_step_rank") + " times "
                    + key("ssm.state_size") + ", got " + inner + ", " + heads + " and " + width);
        }
        GatedDeltaForm delta = new GatedDeltaForm(heads, integer("ssm.group_count", null), width, width,
                integer("ssm.conv_kernel", GatedDeltaForm.TAPS));
        return IntStream.range(0, layers)
                .<MixerForm>mapToObj(layer -> (layer + 1) % interval == 0 ? attention : delta).toList();
    }

    BitLlamaConfig config() throws CheckpointException {
        if (gguf.tensors().containsKey("rope_freqs.weight")) {
            throw new CheckpointException(gguf.file(),
                    "rope_freqs.weight: positions of a scaled context are not read from GGUF;"
                            + " give the folder of safetensors, whose config.json says how they are scaled");
        }
        GgufTensor embedding = gguf.tensors().get(GgufNames.EMBEDDING);
        int width = integer("embedding_length", null);
        int heads = integer("attention.head_count", null);
        int headWidth = headWidth();
        int turned = integer("rope.dimension_count", headWidth);
        if (isHybrid() ? turned < 2 || turned > headWidth : turned != headWidth) {
            throw new CheckpointException(gguf.file(),
                    key("rope.dimension_count") + " must be the width of a head, " + headWidth
                            + ", got " + value("rope.dimension_count"));
        }
        boolean subNorms = !architecture.equals(LLAMA) && !isQwen();
        try {
            int layers = layers();
            Rotary rotary = rotary();
            AttentionForm attention = new AttentionForm(heads, integer("attention.head_count_kv", heads), headWidth,
                    new Rotary(rotary.base(), rotary.scaling(), (double) turned / headWidth), subNorms, isQwen(),
                    isHybrid());
            BitLlamaConfig config = new BitLlamaConfig(integer("vocab_size", embedding == null ? 0 : embedding.rows()),
                    width,
                    layers, integer("feed_forward_length", null),
                    number("attention.layer_norm_rms_epsilon", 1e-5), mixers(attention, layers),
                    new MlpForm(activation(), subNorms),
                    new HeadForm(!gguf.tensors().containsKey(GgufNames.HEAD), false), quantization(),
                    OptionalDouble.empty(), OptionalInt.of(integer("context_length", 2048)));
            return hadamard.isPresent() ? config.withHadamard(hadamard.get().block()) : config;
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

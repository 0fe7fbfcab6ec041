package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.ExpertsForm;
import io.github.bitttt.llama.GatedDeltaForm;
import io.github.bitttt.llama.HeadForm;
import io.github.bitttt.llama.MixerForm;
import io.github.bitttt.llama.MlpForm;
import io.github.bitttt.nn.Activation;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Objective;
import io.github.bitttt.nn.Read;
import io.github.bitttt.nn.Rotary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * {@code config.json}, by Hugging Face's conventions. Absent keys take their defaults, unknown ones are kept and ignored.
 */
final class ConfigJson {
    static final String FILE = "config.json";

    private final Path file;
    private final JsonNode root;

    private ConfigJson(Path file, JsonNode root) {
        this.file = file;
        this.root = root;
    }

    static BitLlamaConfig parse(String text, Path file) throws CheckpointException {
        ConfigJson json = new ConfigJson(file, StrictJson.object(text, file, ""));
        try {
            return json.config();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file, e.getMessage(), e);
        }
    }

    private BitLlamaConfig config() throws CheckpointException {
        String type = text(root, "model_type", "bitllama", List.of("bitllama"));
        assert type.equals("bitllama");
        int width = integer(root, "hidden_size", null);
        JsonNode quantization = group(root, "quantization_config");
        String scale = text(quantization, "weight_scale", "absmean", List.of("absmean", "none"));
        OptionalDouble projectionNorm = flag(quantization, "use_rms_norm", false)
                ? OptionalDouble.of(number(quantization, "rms_norm_eps", 1e-6))
                : OptionalDouble.empty();
        OptionalInt limit = root.has("max_position_embeddings")
                ? OptionalInt.of(integer(root, "max_position_embeddings", null))
                : OptionalInt.empty();
        return new BitLlamaConfig(integer(root, "vocab_size", null), width, integer(root, "num_hidden_layers", null),
                integer(root, "intermediate_size", null), number(root, "rms_norm_eps", 1e-5),
                mixers(width), mlp(),
                new HeadForm(flag(root, "tie_word_embeddings", false), false),
                new Quantization(scale.equals("absmean"), roundActivations(quantization)), projectionNorm, limit,
                root.has("hadamard_block")
                        ? OptionalInt.of(integer(root, "hadamard_block", null))
                        : OptionalInt.empty());
    }

    /** One form for all blocks, or a list of them. */
    private List<MixerForm> mixers(int width) throws CheckpointException {
        JsonNode list = root.path("mixers");
        if (list.isMissingNode()) {
            return List.of(mixer(root, width));
        }
        if (!list.isArray() || list.isEmpty()) {
            throw new CheckpointException(file, "mixers must be a list of at least 1, got " + StrictJson.shown(list));
        }
        List<MixerForm> mixers = new ArrayList<>();
        for (JsonNode each : list) {
            mixers.add(mixer(each, width));
        }
        return mixers;
    }

    private MixerForm mixer(JsonNode node, int width) throws CheckpointException {
        if (node.has("attention")) {
            return attention(group(node, "attention"), width);
        }
        return node.has("gated_delta")
                ? gatedDelta(group(node, "gated_delta"))
                : ttt(group(node, "ttt"), width);
    }

    private MixerForm gatedDelta(JsonNode form) throws CheckpointException {
        int heads = integer(form, "num_value_heads", null);
        return new GatedDeltaForm(heads, integer(form, "num_key_heads", heads), integer(form, "value_head_dim", null),
                integer(form, "key_head_dim", null), integer(form, "conv_kernel_dim", GatedDeltaForm.TAPS));
    }

    private MixerForm ttt(JsonNode ttt, int width) throws CheckpointException {
        return new BitLlamaConfig.Ttt(integer(ttt, "memory_size", Math.max(1, width / 4)),
                integer(ttt, "num_heads", 1),
                constant(Objective.class, text(ttt, "objective", "predict_next", names(Objective.values()))),
                innerRate(ttt), text(ttt, "decay", "none", List.of("none", "learned")).equals("learned"),
                flag(ttt, "token_shift", true),
                constant(Read.class, text(ttt, "read", "after", names(Read.values()))));
    }

    private MixerForm attention(JsonNode form, int width) throws CheckpointException {
        int heads = integer(form, "num_heads", 1);
        int headWidth = form.has("head_dim")
                ? integer(form, "head_dim", null)
                : AttentionForm.of(width, heads).headWidth();
        return new AttentionForm(heads, integer(form, "num_key_value_heads", heads), headWidth,
                new Rotary(number(form, "rope_theta", 10_000), scaling(form),
                        number(form, "partial_rotary_factor", 1)),
                flag(form, "sub_norm", false), flag(form, "head_norms", false), flag(form, "output_gate", false));
    }

    private Optional<Rotary.Scaling> scaling(JsonNode form) throws CheckpointException {
        JsonNode scaling = form.path("rope_scaling");
        if (scaling.isMissingNode()) {
            return Optional.empty();
        }
        if (!scaling.isObject()) {
            throw new CheckpointException(file,
                    "attention.rope_scaling must be a JSON object, got " + StrictJson.shown(scaling));
        }
        if (text(scaling, "rope_type", "llama3", List.of("llama3", "yarn")).equals("yarn")) {
            return Optional.of(new Rotary.Yarn(number(scaling, "factor", 4),
                    number(scaling, "original_max_position_embeddings", 32_768)));
        }
        return Optional.of(new Rotary.Llama3(number(scaling, "factor", 8), number(scaling, "low_freq_factor", 1),
                number(scaling, "high_freq_factor", 4), number(scaling, "original_max_position_embeddings", 8192)));
    }

    private MlpForm mlp() throws CheckpointException {
        String activation = text(root, "hidden_act", "silu", List.of("silu", "relu2"));
        return new MlpForm(activation.equals("silu") ? Activation.SILU : Activation.RELU_SQUARED,
                flag(root, "mlp_sub_norm", false), experts());
    }

    private Optional<ExpertsForm> experts() throws CheckpointException {
        if (!root.has("experts")) {
            return Optional.empty();
        }
        JsonNode form = group(root, "experts");
        Set<Integer> dense = new HashSet<>();
        form.path("dense_layers").forEach(layer -> dense.add(layer.asInt(-1)));
        return Optional
                .of(new ExpertsForm(integer(form, "num_experts", null), integer(form, "num_experts_per_tok", null),
                        flag(form, "norm_topk_prob", true), integer(form, "intermediate_size", null),
                        integer(form, "shared_intermediate_size", null), dense));
    }

    /** A group of keys: an object, or absent. */
    private JsonNode group(JsonNode node, String key) throws CheckpointException {
        JsonNode value = node.path(key);
        if (!value.isMissingNode() && !value.isObject()) {
            throw new CheckpointException(file, key + " must be a JSON object, got " + StrictJson.shown(value));
        }
        return value;
    }

    private static List<String> names(Enum<?>[] values) {
        return Arrays.stream(values).map(value -> value.name().toLowerCase(Locale.ROOT)).toList();
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String name) {
        return Enum.valueOf(type, name.toUpperCase(Locale.ROOT));
    }

    private int integer(JsonNode node, String key, Integer absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (value.isMissingNode() && absent != null) {
            return absent;
        }
        if (!value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new CheckpointException(file, key + " must be a whole number below 2^31, got " + shown(value));
        }
        return value.intValue();
    }

    private double number(JsonNode node, String key, double absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (value.isMissingNode()) {
            return absent;
        }
        if (!value.isNumber()) {
            throw new CheckpointException(file, key + " must be a number, got " + shown(value));
        }
        return value.doubleValue();
    }

    private boolean flag(JsonNode node, String key, boolean absent) throws CheckpointException {
        JsonNode value = node.path(key);
        if (!value.isMissingNode() && !value.isBoolean()) {
            throw new CheckpointException(file, key + " must be true or false, got " + shown(value));
        }
        return value.asBoolean(absent);
    }

    private String text(JsonNode node, String key, String absent, List<String> allowed) throws CheckpointException {
        JsonNode value = node.path(key);
        String text = value.isMissingNode() ? absent : value.asText();
        if (!allowed.contains(text)) {
            throw new CheckpointException(file, key + " must be one of " + allowed + ", got " + shown(value));
        }
        return text;
    }

    private static String shown(JsonNode value) {
        return value.isMissingNode() ? "nothing" : StrictJson.shown(value);
    }

    private OptionalDouble innerRate(JsonNode ttt) throws CheckpointException {
        JsonNode value = ttt.path("inner_rate");
        if (value.isMissingNode() || value.asText().equals("learned")) {
            return OptionalDouble.empty();
        }
        return OptionalDouble.of(number(ttt, "inner_rate", 0));
    }

    private boolean roundActivations(JsonNode quantization) throws CheckpointException {
        JsonNode value = quantization.path("activation_bits");
        if (value.isNull()) {
            return false;
        }
        int bits = integer(quantization, "activation_bits", 8);
        if (bits != 8) {
            throw new CheckpointException(file, "activation_bits must be 8 or null, got " + bits);
        }
        return true;
    }

    /** The file's text: what the config says, and unknown keys of the file it came from. */
    static String write(BitLlamaConfig config, String kept, Path file) throws CheckpointException {
        ObjectNode root = StrictJson.object(kept, file, "");
        root.putArray("architectures").add("BitLlamaForCausalLM");
        root.put("model_type", "bitllama").put("vocab_size", config.vocabSize()).put("hidden_size", config.hiddenSize())
                .put("num_hidden_layers", config.layers()).put("intermediate_size", config.intermediateSize())
                .put("rms_norm_eps", config.rmsNormEps());
        mixers(root, config);
        mlpAndHead(root, config);
        ObjectNode quantization = root.withObject("/quantization_config").put("quant_method", "bitnet")
                .put("weight_scale", config.quantization().scaleWeights() ? "absmean" : "none");
        if (config.quantization().roundActivations()) {
            quantization.put("activation_bits", 8);
        } else {
            quantization.putNull("activation_bits");
        }
        config.projectionNormEps().ifPresent(eps -> quantization.put("use_rms_norm", true).put("rms_norm_eps", eps));
        return root.toPrettyString() + "\n";
    }

    private static void mixers(ObjectNode root, BitLlamaConfig config) {
        if (config.mixers().size() == 1) {
            mixer(root, config.mixer(0), config.hiddenSize());
            return;
        }
        ArrayNode list = root.putArray("mixers");
        config.mixers().forEach(form -> mixer(list.addObject(), form, config.hiddenSize()));
    }

    private static void mixer(ObjectNode node, MixerForm mixer, int width) {
        switch (mixer) {
            case BitLlamaConfig.Ttt form -> ttt(node.withObject("/ttt"), form);
            case AttentionForm form -> attention(node.withObject("/attention"), form, width);
            case GatedDeltaForm form -> node.withObject("/gated_delta").put("num_value_heads", form.heads())
                    .put("num_key_heads", form.keyHeads()).put("value_head_dim", form.valueWidth())
                    .put("key_head_dim", form.keyWidth()).put("conv_kernel_dim", form.taps());
        }
    }

    private static void ttt(ObjectNode ttt, BitLlamaConfig.Ttt form) {
        ttt.put("memory_size", form.memorySize()).put("num_heads", form.heads())
                .put("objective", form.objective().name().toLowerCase(Locale.ROOT))
                .put("token_shift", form.tokenShift()).put("read", form.read().name().toLowerCase(Locale.ROOT));
        if (form.decay()) {
            ttt.put("decay", "learned");
        }
        form.innerRate().ifPresentOrElse(rate -> ttt.put("inner_rate", rate), () -> ttt.put("inner_rate", "learned"));
    }

    /** Heads alone where the form is the first one, so that the fingerprints of older models stay. */
    private static void attention(ObjectNode node, AttentionForm form, int width) {
        node.put("num_heads", form.heads());
        if (form.heads() * form.headWidth() == width && form.equals(AttentionForm.of(width, form.heads()))) {
            return;
        }
        node.put("num_key_value_heads", form.keyHeads()).put("head_dim", form.headWidth())
                .put("rope_theta", form.rotary().base()).put("sub_norm", form.subNorm());
        if (form.headNorms()) {
            node.put("head_norms", true);
        }
        if (form.gated()) {
            node.put("output_gate", true);
        }
        if (form.rotary().share() != 1) {
            node.put("partial_rotary_factor", form.rotary().share());
        }
        if (form.rotary().scaling().isPresent()) {
            switch (form.rotary().scaling().get()) {
                case Rotary.Llama3 scaling -> node.putObject("rope_scaling").put("rope_type", "llama3")
                        .put("factor", scaling.factor()).put("low_freq_factor", scaling.low())
                        .put("high_freq_factor", scaling.high())
                        .put("original_max_position_embeddings", scaling.context());
                case Rotary.Yarn scaling -> node.putObject("rope_scaling").put("rope_type", "yarn")
                        .put("factor", scaling.factor())
                        .put("original_max_position_embeddings", scaling.context());
            }
        }
    }

    /** What differs from the default only, so that the fingerprints of older models stay. */
    private static void mlpAndHead(ObjectNode root, BitLlamaConfig config) {
        if (config.mlp().activation() == Activation.RELU_SQUARED) {
            root.put("hidden_act", "relu2");
        }
        if (config.mlp().subNorm()) {
            root.put("mlp_sub_norm", true);
        }
        config.mlp().experts().ifPresent(form -> {
            ObjectNode node = root.putObject("experts").put("num_experts", form.experts())
                    .put("num_experts_per_tok", form.chosen()).put("norm_topk_prob", form.renormalised())
                    .put("intermediate_size", form.width()).put("shared_intermediate_size", form.sharedWidth());
            ArrayNode dense = node.putArray("dense_layers");
            form.dense().stream().sorted().forEach(dense::add);
        });
        config.hadamardBlock().ifPresent(block -> root.put("hadamard_block", block));
        if (config.head().tied()) {
            root.put("tie_word_embeddings", true);
        }
        config.contextLimit().ifPresent(limit -> root.put("max_position_embeddings", limit));
    }
}

package io.github.bitttt.llama.io;

import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.GatedDeltaForm;
import io.github.bitttt.nn.Param;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where Hugging Face's files have our parameters.
 *
 * @param config of the model
 * @param form   which of their forms it is
 * @param prefix of the names of all tensors but the head
 */
record HuggingFaceNames(BitLlamaConfig config, Form form, String prefix) {
    private static final Pattern LAYER = Pattern.compile("layers\\.(\\d+)\\.(.*)");
    private static final Pattern PROJECTION = Pattern
            .compile("(attention|mlp)\\.((?:experts\\.\\d+\\.|shared_expert\\.)?[a-z]+_proj)(\\.norm)?\\.weight");
    private static final String EMBEDDING = "embed_tokens.weight";
    private static final String MLX_HYBRID = "language_model.";
    /** What stands before the names of a model: as most have it, within one that sees pictures too, and as MLX writes those. */
    private static final List<String> PREFIXES = List.of("model.", "model.language_model.", MLX_HYBRID + "model.");
    private static final Map<String, String> OUTSIDE = Map.of("embed.weight", EMBEDDING, "norm_f.weight",
            "norm.weight");
    private static final Map<String, String> IN_A_LAYER = Map.ofEntries(
            Map.entry("norm1.weight", "input_layernorm.weight"),
            Map.entry("norm2.weight", "post_attention_layernorm.weight"),
            Map.entry("attention.q_norm.weight", "self_attn.q_norm.weight"),
            Map.entry("attention.k_norm.weight", "self_attn.k_norm.weight"),
            Map.entry("attention.sub_norm.weight", "self_attn.attn_sub_norm.weight"),
            Map.entry("mlp.sub_norm.weight", "mlp.ffn_sub_norm.weight"),
            Map.entry("mlp.gate.weight", "mlp.gate.weight"),
            Map.entry("mlp.shared_expert_gate.weight", "mlp.shared_expert_gate.weight"),
            Map.entry("delta.in_proj.weight", "linear_attn.in_proj_qkv.weight"),
            Map.entry("delta.gate_proj.weight", "linear_attn.in_proj_z.weight"),
            Map.entry("delta.out_proj.weight", "linear_attn.out_proj.weight"),
            Map.entry("delta.rate.weight", "linear_attn.in_proj_b.weight"),
            Map.entry("delta.decay.weight", "linear_attn.in_proj_a.weight"),
            Map.entry("delta.conv.weight", "linear_attn.conv1d.weight"),
            Map.entry("delta.decay.bias", "linear_attn.dt_bias"),
            Map.entry("delta.decay.exponent", "linear_attn.A_log"),
            Map.entry("delta.norm.weight", "linear_attn.norm.weight"));
    // Qwen3-Next writes projections of one input together.
    private static final Map<String, String> FUSED = Map.of("delta.in_proj.weight", "linear_attn.in_proj_qkvz.weight",
            "delta.gate_proj.weight", "linear_attn.in_proj_qkvz.weight", "delta.rate.weight",
            "linear_attn.in_proj_ba.weight", "delta.decay.weight", "linear_attn.in_proj_ba.weight");
    // Gains of g are written as g - 1.
    private static final Set<String> ZERO_CENTRED = Set.of("norm1.weight", "norm2.weight", "attention.q_norm.weight",
            "attention.k_norm.weight");

    /** The forms of their files. */
    enum Form {
        /** Attention in every block. */
        TRANSFORMER,
        /** Qwen3.5: gated delta layers and attention. */
        HYBRID,
        /** The same as MLX writes it: with 1 added to gains already. */
        MLX_HYBRID,
        /** Qwen3-Next: its projections are written together. */
        NEXT
    }

    /**
     * Where a parameter is.
     *
     * @param name  of the tensor
     * @param rows  that the tensor has
     * @param order which of them each of the parameter's is
     * @param plus  what is added to its numbers
     */
    record Place(String name, int rows, IntUnaryOperator order, float plus) {}

    static HuggingFaceNames of(BitLlamaConfig config, Form form, TensorSource source) {
        String prefix = PREFIXES.stream().filter(each -> source.tensors().containsKey(each + EMBEDDING)).findFirst()
                .orElse(PREFIXES.getFirst());
        return new HuggingFaceNames(config, form, prefix);
    }

    /** Where one of our parameters is. */
    Place place(Param param) {
        Matcher layer = LAYER.matcher(param.path());
        String inLayer = layer.matches() ? layer.group(2) : param.path();
        boolean centred = (form == Form.HYBRID || form == Form.NEXT)
                && (ZERO_CENTRED.contains(inLayer) || inLayer.equals("norm_f.weight"));
        IntUnaryOperator order = order(inLayer);
        return new Place(theirs(param.path()), order == null ? param.rows() : rows(inLayer),
                order == null ? IntUnaryOperator.identity() : order, centred ? 1 : 0);
    }

    private boolean gated() {
        return config.attention().map(AttentionForm::gated).orElse(false);
    }

    /** Rows of a tensor that holds more than one of our parameters. */
    private int rows(String inLayer) {
        if (inLayer.startsWith("attention.")) {
            return 2 * config.attention().orElseThrow().heads() * config.attention().orElseThrow().headWidth();
        }
        GatedDeltaForm delta = config.gatedDelta().orElseThrow();
        return FUSED.get(inLayer).contains("_ba.") ? 2 * delta.heads() : delta.keyHeads() * groupRows(delta);
    }

    /** What one head of keys has in a fused tensor: query, key, values, gates. */
    private static int groupRows(GatedDeltaForm delta) {
        return 2 * delta.keyWidth() + 2 * delta.heads() / delta.keyHeads() * delta.valueWidth();
    }

    /** Null where the tensor is the parameter. */
    private IntUnaryOperator order(String inLayer) {
        if (gated() && (inLayer.equals("attention.q_proj.weight") || inLayer.equals("attention.gate_proj.weight"))) {
            int width = config.attention().orElseThrow().headWidth();
            int first = inLayer.equals("attention.q_proj.weight") ? 0 : width;
            return row -> row / width * 2 * width + first + row % width;
        }
        if (form != Form.NEXT || !FUSED.containsKey(inLayer)) {
            return null;
        }
        GatedDeltaForm delta = config.gatedDelta().orElseThrow();
        int shared = delta.heads() / delta.keyHeads();
        int key = delta.keyWidth();
        int value = delta.valueWidth();
        int keys = delta.keyHeads() * key;
        int group = groupRows(delta);
        return switch (inLayer) {
            case "delta.rate.weight" -> head -> head / shared * 2 * shared + head % shared;
            case "delta.decay.weight" -> head -> head / shared * 2 * shared + shared + head % shared;
            case "delta.gate_proj.weight" -> row -> row / (shared * value) * group + 2 * key + shared * value
                    + row % (shared * value);
            default -> row -> {
                if (row < 2 * keys) {
                    int in = row % keys;
                    return in / key * group + row / keys * key + in % key;
                }
                int in = row - 2 * keys;
                return in / (shared * value) * group + 2 * key + in % (shared * value);
            };
        };
    }

    /** The name of one of our parameters. */
    private String theirs(String path) {
        if (path.equals("lm_head.weight")) {
            return (prefix.startsWith(MLX_HYBRID) ? MLX_HYBRID : "") + path;
        }
        Matcher layer = LAYER.matcher(path);
        if (!layer.matches()) {
            return prefix + OUTSIDE.get(path);
        }
        String start = prefix + "layers." + layer.group(1) + ".";
        if (form == Form.NEXT && FUSED.containsKey(layer.group(2))) {
            return start + FUSED.get(layer.group(2));
        }
        if (gated() && layer.group(2).equals("attention.gate_proj.weight")) {
            return start + "self_attn.q_proj.weight";
        }
        String known = IN_A_LAYER.get(layer.group(2));
        if (known != null) {
            return start + known;
        }
        Matcher projection = PROJECTION.matcher(layer.group(2));
        if (!projection.matches()) {
            throw new AssertionError("no such model has " + path);
        }
        return start + (projection.group(1).equals("mlp") ? "mlp." : "self_attn.") + projection.group(2)
                + (projection.group(3) == null ? "" : ".rms_norm") + ".weight";
    }
}

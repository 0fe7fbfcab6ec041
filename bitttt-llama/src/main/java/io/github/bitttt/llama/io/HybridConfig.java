package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.ExpertsForm;
import io.github.bitttt.llama.GatedDeltaForm;
import io.github.bitttt.llama.MixerForm;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the {@code config.json} of a hybrid (Qwen3-Next, Qwen3.5) says beside that of a transformer.
 *
 * @param file for messages
 * @param root of the part that reads text
 */
record HybridConfig(Path file, JsonNode root) {
    private static final String LINEAR = "linear_attention";
    private static final String FULL = "full_attention";
    private static final int EVERY_FOURTH = 4;
    /** More blocks than any model has; each has an entry in the list of mixers. */
    private static final int MOST_LAYERS = 10_000;

    /** The mixer of each block. */
    List<MixerForm> mixers(int layers, AttentionForm attention) throws CheckpointException {
        only("attn_output_gate", "true");
        only("output_gate_type", "swish");
        only("mamba_ssm_dtype", "float32");
        if (layers > MOST_LAYERS) {
            throw new CheckpointException(file,
                    "num_hidden_layers must be at most " + MOST_LAYERS + ", got " + layers);
        }
        JsonKeys keys = new JsonKeys(file, root);
        GatedDeltaForm delta = new GatedDeltaForm(keys.integer("linear_num_value_heads", null),
                keys.integer("linear_num_key_heads", null), keys.integer("linear_value_head_dim", null),
                keys.integer("linear_key_head_dim", null),
                keys.integer("linear_conv_kernel_dim", GatedDeltaForm.TAPS));
        JsonNode types = root.path("layer_types");
        int interval = keys.integer("full_attention_interval", EVERY_FOURTH);
        if (interval < 1 || types.isArray() && types.size() != layers) {
            throw new CheckpointException(file, "full_attention_interval must be at least 1, got " + interval
                    + ", and layer_types must name each of " + layers + " layers, got " + types.size());
        }
        List<MixerForm> mixers = new ArrayList<>();
        for (int i = 0; i < layers; i++) {
            String type = types.isArray() ? types.get(i).asText() : (i + 1) % interval == 0 ? FULL : LINEAR;
            if (!type.equals(FULL) && !type.equals(LINEAR)) {
                throw new CheckpointException(file,
                        "layer_types may have " + LINEAR + " and " + FULL + ", got " + StrictJson.shown(types.get(i)));
            }
            mixers.add(type.equals(FULL) ? attention : delta);
        }
        return mixers;
    }

    /** The experts of most blocks, if there are any. */
    Optional<ExpertsForm> experts(int layers) throws CheckpointException {
        JsonKeys keys = new JsonKeys(file, root);
        int experts = keys.integer("num_experts", 0);
        if (experts == 0) {
            return Optional.empty();
        }
        int step = keys.integer("decoder_sparse_step", 1);
        if (step < 1) {
            throw new CheckpointException(file, "decoder_sparse_step must be at least 1, got " + step);
        }
        Set<Integer> dense = new HashSet<>();
        root.path("mlp_only_layers").forEach(layer -> dense.add(layer.asInt(-1)));
        for (int i = 0; i < Math.min(layers, MOST_LAYERS); i++) {
            if ((i + 1) % step != 0) {
                dense.add(i);
            }
        }
        return Optional.of(new ExpertsForm(experts, keys.integer("num_experts_per_tok", null),
                keys.flag("norm_topk_prob", true), keys.integer("moe_intermediate_size", null),
                keys.integer("shared_expert_intermediate_size", null), dense));
    }

    private void only(String key, String allowed) throws CheckpointException {
        JsonNode value = root.path(key);
        if (!JsonKeys.isAbsent(value) && !value.asText().equals(allowed)) {
            throw new CheckpointException(file, key + " must be " + allowed + ", got " + StrictJson.shown(value));
        }
    }
}

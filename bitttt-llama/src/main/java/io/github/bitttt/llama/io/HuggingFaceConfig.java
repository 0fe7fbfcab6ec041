package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.ExpertsForm;
import io.github.bitttt.llama.HeadForm;
import io.github.bitttt.llama.MixerForm;
import io.github.bitttt.llama.MlpForm;
import io.github.bitttt.nn.Activation;
import io.github.bitttt.nn.BitLinear.Quantization;
import io.github.bitttt.nn.Rotary;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * {@code config.json} of other people's ternary transformers, in old and new spelling.
 *
 * @param config       sizes and forms
 * @param scaleDivides whether a projection's {@code weight_scale} is 1 / beta
 * @param groups       whether each group of inputs of a row has a scale of its own
 * @param form         how its tensors are named
 */
record HuggingFaceConfig(BitLlamaConfig config, boolean scaleDivides, boolean groups, HuggingFaceNames.Form form) {
    /** The model types that are read. */
    static final Set<String> TYPES = Set.of("bitnet", "llama", "qwen3", "qwen3_5", "qwen3_5_text", "qwen3_next");
    private static final Set<String> HYBRIDS = Set.of("qwen3_5_text", "qwen3_next");
    private static final Set<String> FLOAT_MODULES = Set.of("lm_head", "embed_tokens", "model.embed_tokens");

    static HuggingFaceConfig parse(String text, Path file) throws CheckpointException {
        try {
            ObjectNode root = StrictJson.object(text, file, "");
            if (root.path("model_type").asText().equals("qwen3_5")) {
                // The part that reads text stands inside one that sees pictures too.
                if (!(root.path("text_config") instanceof ObjectNode inner)) {
                    throw new CheckpointException(file, "text_config must be a JSON object, got "
                            + StrictJson.shown(root.path("text_config")));
                }
                if (root.has("tie_word_embeddings")) {
                    inner.set("tie_word_embeddings", root.get("tie_word_embeddings"));
                }
                for (String key : List.of("quantization", "quantization_config")) {
                    if (root.has(key)) {
                        inner.set(key, root.get(key));
                    }
                }
                root = inner;
            }
            return new Reader(file, root).read();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file, e.getMessage(), e);
        }
    }

    /** The keys of one file. */
    private record Reader(Path file, JsonNode root) {
        HuggingFaceConfig read() throws CheckpointException {
            boolean bitnet = root.path("model_type").asText().equals("bitnet");
            JsonNode quantization = root.path("quantization_config");
            String type = root.path("model_type").asText();
            boolean hybrid = HYBRIDS.contains(type);
            boolean qwen = hybrid || type.equals("qwen3");
            if (!hybrid && !TYPES.contains(type)) {
                throw new CheckpointException(file, "model_type must be one of " + TYPES.stream().sorted().toList()
                        + ", got " + type);
            }
            checkQuantization(quantization, qwen);
            if (flag(root, "use_sliding_window")) {
                throw new CheckpointException(file, "use_sliding_window must be false, got true; windows are not read");
            }
            int width = integer(root, "hidden_size", null);
            int heads = integer(root, "num_attention_heads", null);
            int keyHeads = integer(root, "num_key_value_heads", bitnet ? 5 : heads);
            int headWidth = integer(root, "head_dim", heads > 0 ? width / heads : 0);
            int layers = integer(root, "num_hidden_layers", null);
            AttentionForm attention = new AttentionForm(heads, keyHeads, headWidth,
                    rotary(bitnet, hybrid ? 0.25 : 1), bitnet, qwen, hybrid);
            List<MixerForm> mixers = hybrid
                    ? new HybridConfig(file, root).mixers(layers, attention)
                    : List.of(attention);
            Optional<ExpertsForm> experts = type.equals("qwen3_next")
                    ? new HybridConfig(file, root).experts(layers)
                    : Optional.empty();
            boolean multiplies = quantization.path("linear_class").asText("bitlinear").equals("autobitlinear");
            BitLlamaConfig config = new BitLlamaConfig(integer(root, "vocab_size", null), width,
                    layers, integer(root, "intermediate_size", null),
                    number(root, "rms_norm_eps", bitnet ? 1e-5 : 1e-6), mixers,
                    new MlpForm(activation(bitnet), bitnet, experts),
                    new HeadForm(flag(root, "tie_word_embeddings"), false),
                    // Models with scales of groups are made for activations that are not rounded.
                    qwen ? new Quantization(true, false) : Quantization.BITNET, projectionNorm(quantization),
                    OptionalInt.of(integer(root, "max_position_embeddings", 2048)));
            return new HuggingFaceConfig(config, !multiplies, qwen, form(type));
        }

        private HuggingFaceNames.Form form(String type) {
            return switch (type) {
                case "qwen3_next" -> HuggingFaceNames.Form.NEXT;
                case "qwen3_5_text" -> root.has("quantization")
                        ? HuggingFaceNames.Form.MLX_HYBRID
                        : HuggingFaceNames.Form.HYBRID;
                default -> HuggingFaceNames.Form.TRANSFORMER;
            };
        }

        private void checkQuantization(JsonNode quantization, boolean qwen) throws CheckpointException {
            String method = quantization.path("quant_method").asText("nothing");
            if (qwen) {
                checkMlx(root.path("quantization"));
            } else if (!method.equals("bitnet")) {
                throw new CheckpointException(file, "quantization_config.quant_method must be \"bitnet\", got " + method
                        + "; only ternary models are read");
            }
            for (String key : List.of("attention_bias", "mlp_bias")) {
                if (flag(root, key)) {
                    throw new CheckpointException(file,
                            key + " must be false, got true; projections with a bias are not read");
                }
            }
            for (JsonNode module : quantization.path("modules_to_not_convert")) {
                if (!FLOAT_MODULES.contains(module.asText())) {
                    throw new CheckpointException(file,
                            "quantization_config.modules_to_not_convert may name " + FLOAT_MODULES
                                    + ", got " + StrictJson.shown(module)
                                    + "; a projection that is not ternary is not read");
                }
            }
        }

        /** MLX's own key; without it the weights are floats whose groups are ternary. */
        private void checkMlx(JsonNode mlx) throws CheckpointException {
            if (!mlx.isMissingNode() && (integer(mlx, "bits", 2) != 2 || integer(mlx, "group_size", null) < 1
                    || !mlx.path("mode").asText("affine").equals("affine"))) {
                throw new CheckpointException(file,
                        "quantization must have bits 2 and mode affine, got " + StrictJson.shown(mlx));
            }
            for (JsonNode module : mlx) {
                if (module.isObject() && integer(module, "bits", 2) != 2) {
                    throw new CheckpointException(file, "quantization may name modules of 2 bits only, got "
                            + StrictJson.shown(module) + "; only ternary models are read");
                }
            }
        }

        private Activation activation(boolean bitnet) throws CheckpointException {
            String name = root.path("hidden_act").asText(bitnet ? "relu2" : "silu");
            return switch (name) {
                case "silu" -> Activation.SILU;
                case "relu2" -> Activation.RELU_SQUARED;
                default -> throw new CheckpointException(file, "hidden_act must be \"silu\" or \"relu2\", got " + name);
            };
        }

        private OptionalDouble projectionNorm(JsonNode quantization) throws CheckpointException {
            return flag(quantization, "use_rms_norm")
                    ? OptionalDouble.of(number(quantization, "rms_norm_eps", 1e-6))
                    : OptionalDouble.empty();
        }

        /** Newer files say rope_parameters for both. */
        private Rotary rotary(boolean bitnet, double absentShare) throws CheckpointException {
            Rotary whole = rotary(bitnet);
            JsonNode parameters = root.path("rope_parameters");
            double share = parameters.has("partial_rotary_factor")
                    ? number(parameters, "partial_rotary_factor", absentShare)
                    : number(root, "partial_rotary_factor", absentShare);
            return new Rotary(whole.base(), whole.scaling(), share);
        }

        private Rotary rotary(boolean bitnet) throws CheckpointException {
            JsonNode parameters = root.path("rope_parameters");
            double absent = bitnet ? 500_000 : 10_000;
            double base = parameters.has("rope_theta")
                    ? number(parameters, "rope_theta", absent)
                    : number(root, "rope_theta", absent);
            JsonNode scaling = parameters.isObject() ? parameters : root.path("rope_scaling");
            String type = scaling.path("rope_type").asText(scaling.path("type").asText("default"));
            return switch (type) {
                case "default" -> new Rotary(base, Optional.empty());
                case "llama3" -> new Rotary(base, Optional.of(new Rotary.Llama3(number(scaling, "factor", 8),
                        number(scaling, "low_freq_factor", 1), number(scaling, "high_freq_factor", 4),
                        number(scaling, "original_max_position_embeddings", 8192))));
                case "yarn" -> {
                    if (scaling.hasNonNull("attention_factor")) {
                        throw new CheckpointException(file, "rope_scaling.attention_factor is not read, got "
                                + StrictJson.shown(scaling.get("attention_factor")));
                    }
                    yield new Rotary(base, Optional.of(new Rotary.Yarn(number(scaling, "factor", 1),
                            number(scaling, "original_max_position_embeddings",
                                    number(root, "max_position_embeddings", 2048)))));
                }
                default -> throw new CheckpointException(file,
                        "rope_type must be \"default\", \"llama3\" or \"yarn\", got " + type);
            };
        }

        private int integer(JsonNode node, String key, Integer absent) throws CheckpointException {
            return new JsonKeys(file, node).integer(key, absent);
        }

        private double number(JsonNode node, String key, double absent) throws CheckpointException {
            return new JsonKeys(file, node).number(key, absent);
        }

        private boolean flag(JsonNode node, String key) throws CheckpointException {
            return new JsonKeys(file, node).flag(key, false);
        }
    }
}

package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.HeadForm;
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
 */
record HuggingFaceConfig(BitLlamaConfig config, boolean scaleDivides, boolean groups) {
    /** The model types that are read. */
    static final Set<String> TYPES = Set.of("bitnet", "llama", "qwen3");
    private static final Set<String> FLOAT_MODULES = Set.of("lm_head", "embed_tokens", "model.embed_tokens");

    static HuggingFaceConfig parse(String text, Path file) throws CheckpointException {
        try {
            return new Reader(file, StrictJson.object(text, file, "")).read();
        } catch (IllegalArgumentException e) {
            throw new CheckpointException(file, e.getMessage(), e);
        }
    }

    /** The keys of one file. */
    private record Reader(Path file, JsonNode root) {
        HuggingFaceConfig read() throws CheckpointException {
            boolean bitnet = root.path("model_type").asText().equals("bitnet");
            JsonNode quantization = root.path("quantization_config");
            boolean qwen = root.path("model_type").asText().equals("qwen3");
            checkQuantization(quantization, qwen);
            if (flag(root, "use_sliding_window")) {
                throw new CheckpointException(file, "use_sliding_window must be false, got true; windows are not read");
            }
            int width = integer(root, "hidden_size", null);
            int heads = integer(root, "num_attention_heads", null);
            int keyHeads = integer(root, "num_key_value_heads", bitnet ? 5 : heads);
            int headWidth = integer(root, "head_dim", heads > 0 ? width / heads : 0);
            AttentionForm attention = new AttentionForm(heads, keyHeads, headWidth, rotary(bitnet), bitnet, qwen);
            boolean multiplies = quantization.path("linear_class").asText("bitlinear").equals("autobitlinear");
            BitLlamaConfig config = new BitLlamaConfig(integer(root, "vocab_size", null), width,
                    integer(root, "num_hidden_layers", null), integer(root, "intermediate_size", null),
                    number(root, "rms_norm_eps", bitnet ? 1e-5 : 1e-6), List.of(attention),
                    new MlpForm(activation(bitnet), bitnet), new HeadForm(flag(root, "tie_word_embeddings"), false),
                    // Models with scales of groups are made for activations that are not rounded.
                    qwen ? new Quantization(true, false) : Quantization.BITNET, projectionNorm(quantization),
                    OptionalInt.of(integer(root, "max_position_embeddings", 2048)));
            return new HuggingFaceConfig(config, !multiplies, qwen);
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
            JsonNode value = node.path(key);
            if ((value.isMissingNode() || value.isNull()) && absent != null) {
                return absent;
            }
            if (!value.isIntegralNumber() || !value.canConvertToInt()) {
                throw new CheckpointException(file, key + " must be a whole number below 2^31, got "
                        + (value.isMissingNode() ? "nothing" : StrictJson.shown(value)));
            }
            return value.intValue();
        }

        private double number(JsonNode node, String key, double absent) throws CheckpointException {
            JsonNode value = node.path(key);
            if (value.isMissingNode() || value.isNull()) {
                return absent;
            }
            if (!value.isNumber()) {
                throw new CheckpointException(file, key + " must be a number, got " + StrictJson.shown(value));
            }
            return value.doubleValue();
        }

        private boolean flag(JsonNode node, String key) throws CheckpointException {
            JsonNode value = node.path(key);
            if (!value.isMissingNode() && !value.isNull() && !value.isBoolean()) {
                throw new CheckpointException(file, key + " must be true or false, got " + StrictJson.shown(value));
            }
            return value.asBoolean(false);
        }
    }
}

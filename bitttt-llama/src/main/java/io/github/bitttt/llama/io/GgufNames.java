package io.github.bitttt.llama.io;

import io.github.bitttt.llama.AttentionForm;
import io.github.bitttt.llama.GatedDeltaForm;
import io.github.bitttt.nn.Param;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntUnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Where GGUF files have our parameters.
 *
 * <p>Of a hybrid, heads of values are <em>tiled</em>: head j = i G + g of the file, of G heads of keys, is our head g r + i, with r heads of
 * values for each of keys. So all that belongs to heads moves.
 *
 * @param pairs   whether rows of queries and keys lie in pairs that turn together: 2 i and 2 i + 1, where Hugging Face has i and i + d / 2
 * @param attention heads of attention
 * @param delta   heads of gated delta layers, if there are any
 * @param grouped whether the inputs of a delta layer's output are in our order already
 */
record GgufNames(boolean pairs, AttentionForm attention, Optional<GatedDeltaForm> delta, boolean grouped) {
    static final String EMBEDDING = "token_embd.weight";
    static final String HEAD = "output.weight";
    private static final Pattern LAYER = Pattern.compile("layers\\.(\\d+)\\.(.*)");
    private static final Map<String, String> OUTSIDE = Map.of("embed.weight", EMBEDDING, "norm_f.weight",
            "output_norm.weight", "lm_head.weight", HEAD);
    private static final Map<String, String> OF_A_LAYER = Map.ofEntries(Map.entry("norm1.weight", "attn_norm.weight"),
            Map.entry("norm2.weight", "ffn_norm.weight"),
            Map.entry("attention.sub_norm.weight", "attn_sub_norm.weight"),
            Map.entry("mlp.sub_norm.weight", "ffn_sub_norm.weight"),
            Map.entry("attention.q_norm.weight", "attn_q_norm.weight"),
            Map.entry("attention.k_norm.weight", "attn_k_norm.weight"),
            Map.entry("attention.q_proj.weight", "attn_q.weight"),
            Map.entry("attention.gate_proj.weight", "attn_q.weight"),
            Map.entry("attention.k_proj.weight", "attn_k.weight"),
            Map.entry("attention.v_proj.weight", "attn_v.weight"),
            Map.entry("attention.o_proj.weight", "attn_output.weight"),
            Map.entry("mlp.gate_proj.weight", "ffn_gate.weight"), Map.entry("mlp.up_proj.weight", "ffn_up.weight"),
            Map.entry("mlp.down_proj.weight", "ffn_down.weight"), Map.entry("delta.in_proj.weight", "attn_qkv.weight"),
            Map.entry("delta.gate_proj.weight", "attn_gate.weight"), Map.entry("delta.rate.weight", "ssm_beta.weight"),
            Map.entry("delta.decay.weight", "ssm_alpha.weight"), Map.entry("delta.conv.weight", "ssm_conv1d.weight"),
            Map.entry("delta.decay.exponent", "ssm_a"), Map.entry("delta.decay.bias", "ssm_dt.bias"),
            Map.entry("delta.norm.weight", "ssm_norm.weight"), Map.entry("delta.out_proj.weight", "ssm_out.weight"));

    /** Where one of our parameters is. */
    GgufPlace place(Param param) {
        Matcher layer = LAYER.matcher(param.path());
        if (!layer.matches()) {
            return GgufPlace.of(OUTSIDE.get(param.path()), rows(param));
        }
        String in = layer.group(2);
        String name = delta.isPresent() && in.equals("norm2.weight")
                ? "post_attention_norm.weight"
                : OF_A_LAYER.get(in);
        GgufPlace place = GgufPlace.of("blk." + layer.group(1) + "." + name, rows(param));
        if (in.startsWith("delta.")) {
            return tiled(place, in, delta.orElseThrow());
        }
        int width = attention.headWidth();
        if (attention.gated() && (in.equals("attention.q_proj.weight") || in.equals("attention.gate_proj.weight"))) {
            int first = in.equals("attention.q_proj.weight") ? 0 : width;
            return place.withRows(2 * param.rows(), row -> row / width * 2 * width + first + row % width);
        }
        if (pairs && (in.equals("attention.q_proj.weight") || in.equals("attention.k_proj.weight"))) {
            return place.withRows(param.rows(), row -> {
                int inHead = row % width;
                return row - inHead + (inHead < width / 2 ? 2 * inHead : 2 * inHead - width + 1);
            });
        }
        return place;
    }

    private static int rows(Param param) {
        return param.shape().size() == 1 ? 1 : param.rows();
    }

    private GgufPlace tiled(GgufPlace place, String in, GatedDeltaForm form) {
        int shared = form.heads() / form.keyHeads();
        IntUnaryOperator head = ours -> ours % shared * form.keyHeads() + ours / shared;
        int width = form.valueWidth();
        int keys = 2 * form.keyHeads() * form.keyWidth();
        IntUnaryOperator values = row -> head.applyAsInt(row / width) * width + row % width;
        return switch (in) {
            case "delta.in_proj.weight", "delta.conv.weight" -> place.withRows(place.whole(),
                    row -> row < keys ? row : keys + values.applyAsInt(row - keys));
            case "delta.gate_proj.weight" -> place.withRows(place.whole(), values);
            case "delta.rate.weight", "delta.decay.weight" -> place.withRows(place.whole(), head);
            case "delta.decay.exponent", "delta.decay.bias" -> place.withColumns(form.heads(), head);
            case "delta.out_proj.weight" -> grouped ? place : place.withColumns(form.heads(), head);
            default -> place;
        };
    }
}

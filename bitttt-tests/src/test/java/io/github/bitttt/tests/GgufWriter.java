package io.github.bitttt.tests;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/** Writes GGUF files, for tests: version 3, alignment 32. */
public final class GgufWriter {
    private final SequencedMap<String, Object> keys = new LinkedHashMap<>();
    private final SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();

    private record Tensor(int type, int rows, int columns, byte[] data) {}

    /** A value: Integer (u32), Float, Boolean, String, or a list of Integer or String. */
    public GgufWriter key(String name, Object value) {
        keys.put(name, value);
        return this;
    }

    /** A tensor of {@code rows} of {@code columns}; one row is written with one dimension. */
    public GgufWriter tensor(String name, int type, int rows, int columns, byte[] data) {
        tensors.put(name, new Tensor(type, rows, columns, data));
        return this;
    }

    /** A tensor of F32. */
    public GgufWriter floats(String name, int rows, float... values) {
        ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (float value : values) {
            data.putFloat(value);
        }
        return tensor(name, 0, rows, values.length / rows, data.array());
    }

    /** The whole file. */
    public byte[] bytes() {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        put(out, 4, 0x46554747);
        put(out, 4, 3);
        put(out, 8, tensors.size());
        put(out, 8, keys.size());
        for (Map.Entry<String, Object> key : keys.entrySet()) {
            text(out, key.getKey());
            put(out, 4, type(key.getValue()));
            value(out, key.getValue());
        }
        ByteArrayOutputStream data = new ByteArrayOutputStream();
        for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
            Tensor tensor = entry.getValue();
            text(out, entry.getKey());
            put(out, 4, tensor.rows() == 1 ? 1 : 2);
            put(out, 8, tensor.columns());
            if (tensor.rows() > 1) {
                put(out, 8, tensor.rows());
            }
            put(out, 4, tensor.type());
            put(out, 8, data.size());
            data.writeBytes(tensor.data());
            pad(data);
        }
        pad(out);
        out.writeBytes(data.toByteArray());
        return out.toByteArray();
    }

    private static int type(Object value) {
        return switch (value) {
            case Integer _ -> 4;
            case Float _ -> 6;
            case Boolean _ -> 7;
            case String _ -> 8;
            case List<?> _ -> 9;
            default -> throw new IllegalArgumentException("no type for " + value.getClass());
        };
    }

    private static void value(ByteArrayOutputStream out, Object value) {
        switch (value) {
            case Integer whole -> put(out, 4, whole);
            case Float number -> put(out, 4, Float.floatToRawIntBits(number));
            case Boolean flag -> put(out, 1, flag ? 1 : 0);
            case String text -> text(out, text);
            case List<?> list -> {
                put(out, 4, type(list.getFirst()));
                put(out, 8, list.size());
                list.forEach(one -> value(out, one));
            }
            default -> throw new IllegalArgumentException("no type for " + value.getClass());
        }
    }

    private static void text(ByteArrayOutputStream out, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        put(out, 8, bytes.length);
        out.writeBytes(bytes);
    }

    private static void put(ByteArrayOutputStream out, int bytes, long value) {
        for (int i = 0; i < bytes; i++) {
            out.write((int) (value >>> 8 * i));
        }
    }

    private static void pad(ByteArrayOutputStream out) {
        while (out.size() % 32 != 0) {
            out.write(0);
        }
    }

    /** A small model of the Llama kind.
     *
     * @param matrix       makes the bytes of a ternary matrix of so many rows and columns
     * @param ternary      its type
     * @param embedding    makes the bytes of the embedding
     * @param embeddingType its type
     * @return the file's writer */
    public static GgufWriter llama(int ternary, Matrix matrix, int embeddingType, Matrix embedding) {
        int width = 256;
        List<String> words = List.of("<|begin_of_text|>", "<|eot_id|>", "a", "b", "c", "ab", "\u0120", "\u0120a");
        GgufWriter writer = new GgufWriter().key("general.architecture", "llama").key("llama.context_length", 64)
                .key("llama.embedding_length", width).key("llama.block_count", 1)
                .key("llama.feed_forward_length", width).key("llama.attention.head_count", 4)
                .key("llama.attention.head_count_kv", 2).key("llama.attention.layer_norm_rms_epsilon", 1e-5f)
                .key("tokenizer.ggml.model", "gpt2").key("tokenizer.ggml.pre", "llama-bpe")
                .key("tokenizer.ggml.tokens", words).key("tokenizer.ggml.token_type", List.of(3, 3, 1, 1, 1, 1, 1, 1))
                .key("tokenizer.ggml.merges", List.of("a b", "\u0120 a")).key("tokenizer.ggml.bos_token_id", 0)
                .key("tokenizer.ggml.eos_token_id", 1);
        float[] ones = new float[width];
        java.util.Arrays.fill(ones, 1);
        writer.tensor("token_embd.weight", embeddingType, words.size(), width, embedding.bytes(words.size(), width))
                .floats("output_norm.weight", 1, ones).floats("blk.0.attn_norm.weight", 1, ones)
                .floats("blk.0.ffn_norm.weight", 1, ones);
        for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")) {
            int rows = name.equals("attn_k") || name.equals("attn_v") ? width / 2 : width;
            writer.tensor("blk.0." + name + ".weight", ternary, rows, width, matrix.bytes(rows, width));
        }
        return writer;
    }

    /** Makes the bytes of a matrix. */
    @FunctionalInterface
    public interface Matrix {
        byte[] bytes(int rows, int columns);
    }
}

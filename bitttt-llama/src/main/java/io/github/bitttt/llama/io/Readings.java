package io.github.bitttt.llama.io;

import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What is said of the things that are read. Their names come from the tables by which they are read; a test finds those of which nothing is said.
 * What is said of a name that no table has is not shown.
 */
final class Readings {
    private static final String TRANSFORMERS = "logits of transformers 5.18 in float32, within 1e-4 of the largest: ";
    private static final String DOUBLES = "logits of an independent program in doubles, within 1e-4 of the largest";
    private static final String NUMBERS = "exact numbers that come back, as embedding";

    private record Words(String about, String tested) {}

    private static final Map<String, Words> HUGGING_FACE = Map.of(
            "bitnet",
            new Words("BitNet b1.58 2B4T", TRANSFORMERS + "masters and packed, tied head and a head of its own"),
            "llama", new Words("Llama3-8B-1.58, Falcon3-1.58bit, Falcon-E; with quant_method bitnet",
                    TRANSFORMERS + "packed, Llama 3's positions, norms before projections"),
            "qwen3", new Words("Ternary Bonsai 1.7B, 4B, 8B",
                    TRANSFORMERS + "floats whose groups are ternary, MLX 2-bit, YaRN"),
            "qwen3_5",
            new Words("Qwen3.5 in Ternary Bonsai's form, the config inside one for pictures", TRANSFORMERS + "BF16"),
            "qwen3_5_text", new Words("Qwen3.5 in Ternary Bonsai's form", TRANSFORMERS + "F16 and MLX 2-bit"),
            "qwen3_next",
            new Words("Qwen3-Next whose groups are ternary", TRANSFORMERS + "BF16, a dense block and one of experts"));

    private static final Map<String, Words> ARCHITECTURES = Map.of(
            "bitnet-b1.58", new Words("BitNet b1.58 2B4T", DOUBLES),
            "bitnet-25", new Words("BitNet b1.58 2B4T, older files", ""),
            "bitnet", new Words("bitnet_b1_58 of 3B and below", DOUBLES),
            "llama", new Words("Llama3-8B-1.58, Falcon3-1.58bit, Falcon-E", DOUBLES),
            "qwen3", new Words("Ternary Bonsai 1.7B, 4B, 8B", DOUBLES),
            "qwen35", new Words("Qwen3.5 in Ternary Bonsai's form", DOUBLES));

    private static final List<Reading> PACKINGS = List.of(
            weights("masters", "F32, F16, BF16; made ternary when they are read", TRANSFORMERS + "F32 and BF16"),
            weights("U8", "four codes in a byte, weight_scale multiplies (autobitlinear) or divides (bitlinear)",
                    TRANSFORMERS + "both"),
            weights("groups", "F32, F16, BF16 whose groups of 64 or 128 inputs are ternary",
                    TRANSFORMERS + "F16 and BF16"),
            weights("U32", "MLX 2-bit: scales and biases of groups", TRANSFORMERS + "groups of 128"));

    private Readings() {
    }

    private static Reading weights(String name, String about, String tested) {
        return new Reading(Reading.Kind.WEIGHTS, name, about, tested);
    }

    private static Stream<Reading> families(Collection<String> names, Map<String, Words> words) {
        return names.stream().sorted().map(name -> {
            Words said = words.getOrDefault(name, new Words("", ""));
            return new Reading(Reading.Kind.FAMILY, name, said.about(), said.tested());
        });
    }

    static List<Reading> huggingFace(Collection<String> types) {
        return Stream.concat(families(types, HUGGING_FACE), PACKINGS.stream()).toList();
    }

    static List<Reading> gguf(Collection<String> architectures, Collection<String> tokenizers) {
        Stream<Reading> types = Arrays.stream(GgufType.values()).map(Readings::of);
        Stream<Reading> cuts = tokenizers.stream().sorted().map(name -> new Reading(Reading.Kind.TOKENIZER, name,
                "BPE of bytes", ""));
        return Stream.of(families(architectures, ARCHITECTURES), types, cuts).flatMap(stream -> stream).toList();
    }

    private static Reading of(GgufType type) {
        return weights(type.toString(), String.format(Locale.ROOT, "%s, %.2f bits each",
                type.ternary() ? "ternary codes" : "numbers", 8.0 * type.bytes() / type.numbers()),
                type.ternary() ? DOUBLES : NUMBERS);
    }
}

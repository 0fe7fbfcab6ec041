package io.github.bitttt.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.chat.ChatSettings;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.ModelCard;
import io.github.bitttt.llama.io.ModelFormat;
import io.github.bitttt.llama.text.Excerpt;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.Weight;
import io.github.bitttt.tensor.KernelChoice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** What is in a model of any form: family, sizes, packing, tokenizer, chat format, tensors, and which kernels would run it. */
@Command(name = "inspect", mixinStandardHelpOptions = true, description = "Say what is in a model.")
final class Inspect implements Callable<Integer> {
    private static final int MAX_SHOWN = 200;

    @Mixin
    private ModelOption model;
    @Mixin
    private Program program;

    @Override
    public Integer call() throws Exception {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("model", model.name());
        files(result);
        Checkpoint checkpoint = texts(result);
        Map<String, Object> tensors = new LinkedHashMap<>();
        Map<String, Integer> forms = new TreeMap<>();
        for (Param param : checkpoint.weights().params()) {
            String form = form(checkpoint.weights().get(param));
            forms.merge(form, 1, Integer::sum);
            tensors.put(param.path(), Map.of("shape", param.shape(), "form", form));
        }
        result.put("weights", forms);
        result.put("activations", checkpoint.config().quantization().roundActivations() ? "int8" : "float");
        checkpoint.config().contextLimit().ifPresent(limit -> result.put("context_length", limit));
        result.put("parameters", checkpoint.weights().parameters());
        result.put("bytes", checkpoint.weights().bytes());
        result.put("fingerprint", checkpoint.fingerprint());
        result.put("kernels", KernelChoice.current().toString());
        result.put("metadata", checkpoint.metadata());
        result.put("tensors", tensors);
        if (!program.json()) {
            print(checkpoint, result);
        }
        program.result(result);
        return 0;
    }

    /** What its files are; the zoo's travel in the jar. */
    private void files(Map<String, Object> result) throws IOException {
        Optional<Path> place = Zoo.place(model.name());
        if (place.isEmpty()) {
            result.put("format", "zoo");
            result.put("family", ChatSettings.STORIES.family());
            return;
        }
        ModelCard card = ModelFormat.of(place.get()).card(place.get());
        result.put("path", place.get().toString());
        result.put("format", card.format());
        result.put("family", card.family());
        result.put("packing", card.packing());
        result.put("types", card.tensors());
    }

    /** Its tokenizer, what ends an answer and how it chats; a model may be without. */
    private Checkpoint texts(Map<String, Object> result) throws IOException {
        Zoo.Entry entry;
        try {
            entry = model.entry();
        } catch (IOException e) {
            Checkpoint alone = model.checkpoint();
            result.put("tokenizer", "none that is read: " + Failures.message(e).orElse(""));
            return alone;
        }
        try (Model whole = Model.of(entry)) {
            Tokenizer tokenizer = whole.tokenizer();
            Map<String, Object> words = new LinkedHashMap<>();
            words.put("kind", new ObjectMapper().readTree(tokenizer.json()).at("/model/type").asText("unknown"));
            words.put("tokens", tokenizer.vocabSize());
            tokenizer.beginOfText().ifPresent(id -> words.put("begins_with", tokenizer.decode(id)));
            result.put("tokenizer", words);
            Map<String, String> ends = new LinkedHashMap<>();
            whole.defaults().endTokens().forEach(id -> ends.put(String.valueOf(id), tokenizer.decode(id)));
            result.put("end_tokens", ends);
            try {
                result.put("chat_format", whole.chat().template().toString());
            } catch (IllegalStateException e) {
                result.put("chat_format", "none: " + e.getMessage());
            }
            result.put("chat_template", entry.chat().template().orElse(""));
        } catch (IOException e) {
            result.put("tokenizer", "none that fits: " + Failures.message(e).orElse(""));
        }
        return entry.checkpoint();
    }

    private void print(Checkpoint checkpoint, Map<String, Object> result) {
        program.out().println(new BitLlama(checkpoint.config()));
        program.out().println(checkpoint.config());
        result.forEach((key, value) -> {
            if (value instanceof Map<?, ?> entries) {
                program.out().println(key);
                entries.forEach((name, entry) -> program.out().printf(Locale.ROOT, "  %-36s %s%n", name,
                        shown(entry)));
            } else {
                program.out().printf(Locale.ROOT, "%-14s %s%n", key, shown(value));
            }
        });
    }

    /** Of a model's texts as much as a line has room for. */
    private static String shown(Object value) {
        return Excerpt.of(value, MAX_SHOWN);
    }

    private static String form(Weight weight) {
        return switch (weight) {
            case Weight.Floats _ -> "float32";
            case Weight.Ternary _ -> "ternary";
            case Weight.Int8Rows _ -> "int8 rows";
        };
    }
}

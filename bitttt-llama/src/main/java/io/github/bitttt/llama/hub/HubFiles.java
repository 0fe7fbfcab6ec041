package io.github.bitttt.llama.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/** Which files of a model are needed to run it. */
final class HubFiles {
    static final String CONFIG = "config.json";
    static final String WEIGHTS = "model.safetensors";
    /** Small files beside the weights; a chat needs the templates, whoever passes the model on the licence. */
    private static final Pattern SMALL = Pattern
            .compile("config\\.json|generation_config\\.json|tokenizer[A-Za-z0-9_.-]*\\.json"
                    + "|special_tokens_map\\.json|chat_template\\.(?:jinja|json)|" + Pattern.quote(HubJson.INDEX));
    private static final Pattern TERMS = Pattern.compile("(?:LICEN[CS]E|NOTICE|README)[A-Za-z0-9_.-]{0,20}",
            Pattern.CASE_INSENSITIVE);

    private HubFiles() {
    }

    static boolean isGguf(String file) {
        return file.toLowerCase(Locale.ROOT).endsWith(".gguf");
    }

    /** Whether a file holds weights, or says which do. */
    static boolean isWeights(String file) {
        return file.equals(WEIGHTS) || file.equals(HubJson.INDEX);
    }

    static boolean isSmall(String file) {
        return SMALL.matcher(file).matches();
    }

    static boolean isTerms(String file) {
        return TERMS.matcher(file).matches();
    }

    /** What a folder of a model must hold.
     *
     * @param folder in which the index is read, if there is one
     * @param files  that are there */
    static List<String> needed(Path folder, List<String> files) throws IOException {
        List<String> needed = new ArrayList<>(List.of(CONFIG));
        Path index = folder.resolve(HubJson.INDEX);
        if (files.contains(WEIGHTS) || !Files.isRegularFile(index)) {
            needed.add(WEIGHTS);
        } else {
            needed.addAll(HubJson.shards(index));
        }
        return needed;
    }

    /** The one file that a name means: the file of that name, else the only one whose name has that part, else the only one.
     *
     * @param files that there are
     * @param where for the message, such as "the cache has"
     * @throws NoSuchFileException if there is none, or several; the message lists them */
    static String one(HubName name, List<String> files, String where) throws NoSuchFileException {
        String wanted = name.file().orElse("");
        if (files.contains(wanted)) {
            return wanted;
        }
        String part = wanted.toLowerCase(Locale.ROOT);
        List<String> found = files.stream().filter(file -> file.toLowerCase(Locale.ROOT).contains(part)).toList();
        if (found.size() == 1) {
            return found.getFirst();
        }
        // Q2_0 means tiny-Q2_0.gguf rather than tiny-PQ2_0.gguf.
        Pattern word = Pattern.compile("(?<![a-z0-9])" + Pattern.quote(part) + "(?![a-z0-9])");
        List<String> words = found.stream().filter(file -> word.matcher(file.toLowerCase(Locale.ROOT)).find()).toList();
        if (words.size() == 1) {
            return words.getFirst();
        }
        String example = found.isEmpty() ? files.isEmpty() ? "" : files.getFirst() : found.getFirst();
        throw new NoSuchFileException(name.toString(), null, files.isEmpty()
                ? where + " no GGUF file of it"
                : (found.isEmpty() ? "no file is named so; " : "several files are meant; ") + where + " "
                        + String.join(", ", files) + "; name one, as " + name.id() + ":" + example);
    }
}

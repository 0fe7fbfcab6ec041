package io.github.bitttt.llama.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Learns a byte-level BPE vocabulary from text and writes it as Hugging Face's {@code tokenizer.json}.
 *
 * <p>Token 0 is {@value Tokenizer#END_OF_TEXT}, then come the 256 bytes, then merges: again and again the most frequent pair of
 * neighbours inside words becomes a token. Of equal pairs the one with the smaller ids wins, so the same text gives the same
 * vocabulary. Source: Sennrich et al., arXiv:1508.07909; words and bytes as in GPT-2.
 */
public final class BpeTrainer {
    /** The smallest vocabulary: the end token and every byte. */
    public static final int MIN_VOCABULARY = 257;

    private static final Pattern WORDS = Pattern.compile(
            "'(?:s|t|re|ve|m|ll|d)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            Pattern.UNICODE_CHARACTER_CLASS);

    private final List<String> tokens = new ArrayList<>();
    private final List<int[]> merges = new ArrayList<>();
    private final List<int[]> words = new ArrayList<>();
    private final List<Integer> counts = new ArrayList<>();
    private final Map<Long, Long> pairCounts = new HashMap<>();
    private final Map<Long, Set<Integer>> pairWords = new HashMap<>();

    private record Candidate(long pair, long count) {}

    private BpeTrainer(String text) {
        tokens.add(Tokenizer.END_OF_TEXT);
        for (int b = 0; b < 256; b++) {
            tokens.add(String.valueOf(ByteAlphabet.character(b)));
        }
        count(text).forEach((word, count) -> {
            byte[] bytes = word.getBytes(StandardCharsets.UTF_8);
            int[] symbols = new int[bytes.length];
            for (int i = 0; i < symbols.length; i++) {
                symbols[i] = 1 + (bytes[i] & 255);
            }
            words.add(symbols);
            counts.add(count);
        });
    }

    /** Learns a vocabulary.
     *
     * @param text       what to learn from; {@value Tokenizer#END_OF_TEXT} in it is one token and no part of a word
     * @param vocabulary the number of tokens, at least {@value #MIN_VOCABULARY}
     * @return the contents of a {@code tokenizer.json}
     * @throws IllegalArgumentException if the text is empty or has too few different pairs for so many tokens */
    public static String train(String text, int vocabulary) {
        if (vocabulary < MIN_VOCABULARY) {
            throw new IllegalArgumentException("a byte-level vocabulary has at least " + MIN_VOCABULARY
                    + " tokens (end of text and 256 bytes), got " + vocabulary);
        }
        BpeTrainer trainer = new BpeTrainer(text);
        if (trainer.words.isEmpty()) {
            throw new IllegalArgumentException("the text to learn a vocabulary from is empty");
        }
        trainer.learn(vocabulary);
        return trainer.json();
    }

    private static Map<String, Integer> count(String text) {
        Map<String, Integer> counts = new LinkedHashMap<>();
        for (String part : text.split(Pattern.quote(Tokenizer.END_OF_TEXT))) {
            Matcher matcher = WORDS.matcher(part);
            while (matcher.find()) {
                counts.merge(matcher.group(), 1, Integer::sum);
            }
        }
        return counts;
    }

    private static long pair(int left, int right) {
        return (long) left << 32 | right;
    }

    private void learn(int vocabulary) {
        for (int word = 0; word < words.size(); word++) {
            addPairs(word, 1, new HashSet<>());
        }
        PriorityQueue<Candidate> queue = new PriorityQueue<>(
                Comparator.comparingLong(Candidate::count).reversed().thenComparingLong(Candidate::pair));
        pairCounts.forEach((pair, count) -> queue.add(new Candidate(pair, count)));
        while (tokens.size() < vocabulary) {
            Candidate best = queue.poll();
            if (best == null) {
                throw new IllegalArgumentException("the text has pairs for " + tokens.size()
                        + " tokens only, asked for " + vocabulary + "; give more text or a smaller vocabulary");
            }
            // Counts change after a candidate was queued; only the newest entry of a pair holds.
            if (pairCounts.getOrDefault(best.pair(), 0L) == best.count()) {
                merge(best.pair()).forEach(pair -> {
                    long count = pairCounts.getOrDefault(pair, 0L);
                    if (count > 0) {
                        queue.add(new Candidate(pair, count));
                    }
                });
            }
        }
    }

    /** Adds a word's pairs to the counts, or takes them away; says which pairs that were. */
    private void addPairs(int word, int sign, Set<Long> changed) {
        int[] symbols = words.get(word);
        for (int i = 0; i + 1 < symbols.length; i++) {
            long pair = pair(symbols[i], symbols[i + 1]);
            pairCounts.merge(pair, (long) sign * counts.get(word), Long::sum);
            changed.add(pair);
            if (sign > 0) {
                pairWords.computeIfAbsent(pair, _ -> new HashSet<>()).add(word);
            }
        }
    }

    private Set<Long> merge(long pair) {
        int left = (int) (pair >> 32);
        int right = (int) pair;
        int merged = tokens.size();
        tokens.add(tokens.get(left) + tokens.get(right));
        merges.add(new int[]{left, right});
        Set<Long> changed = new HashSet<>();
        for (int word : pairWords.remove(pair)) {
            addPairs(word, -1, changed);
            words.set(word, merged(words.get(word), left, right, merged));
            addPairs(word, 1, changed);
        }
        pairCounts.remove(pair);
        changed.remove(pair);
        return changed;
    }

    private static int[] merged(int[] symbols, int left, int right, int merged) {
        int[] shorter = new int[symbols.length];
        int length = 0;
        for (int i = 0; i < symbols.length; i++) {
            boolean here = i + 1 < symbols.length && symbols[i] == left && symbols[i + 1] == right;
            shorter[length++] = here ? merged : symbols[i];
            i += here ? 1 : 0;
        }
        return Arrays.copyOf(shorter, length);
    }

    private String json() {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode root = mapper.createObjectNode().put("version", "1.0").putNull("truncation").putNull("padding");
        root.putArray("added_tokens").addObject().put("id", 0).put("content", Tokenizer.END_OF_TEXT)
                .put("single_word", false).put("lstrip", false).put("rstrip", false).put("normalized", false)
                .put("special", true);
        root.putNull("normalizer");
        byteLevel(root.putObject("pre_tokenizer"));
        root.putNull("post_processor");
        byteLevel(root.putObject("decoder"));
        ObjectNode model = root.putObject("model").put("type", "BPE").putNull("dropout").putNull("unk_token")
                .putNull("continuing_subword_prefix").putNull("end_of_word_suffix").put("fuse_unk", false)
                .put("byte_fallback", false).put("ignore_merges", false);
        ObjectNode vocabulary = model.putObject("vocab");
        for (int id = 0; id < tokens.size(); id++) {
            vocabulary.put(tokens.get(id), id);
        }
        ArrayNode pairs = model.putArray("merges");
        merges.forEach(merge -> pairs.addArray().add(tokens.get(merge[0])).add(tokens.get(merge[1])));
        return root.toPrettyString() + "\n";
    }

    private static void byteLevel(ObjectNode node) {
        node.put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", true).put("use_regex", true);
    }
}

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
 * vocabulary. Cost: in proportion to the different words, however long they are. Source: Sennrich et al., arXiv:1508.07909; words and bytes as in GPT-2.
 */
public final class BpeTrainer {
    /** The smallest vocabulary: the end token and every byte. */
    public static final int MIN_VOCABULARY = 257;

    private static final int NONE = -1;
    private static final Pattern WORDS = Pattern.compile(
            "'(?:s|t|re|ve|m|ll|d)| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+",
            Pattern.UNICODE_CHARACTER_CLASS);

    private final List<String> tokens = new ArrayList<>();
    private final List<int[]> merges = new ArrayList<>();
    private final Map<Long, Places> pairs = new HashMap<>();
    // All different words behind one another: a token and its neighbours' places in the word, or NONE.
    private final int[] symbols;
    private final int[] before;
    private final int[] after;
    private final int[] words; // of each place
    private final int[] counts; // of each word

    /** Where a pair of neighbours has stood, from left to right, and how often it stands in the text now. */
    private static final class Places {
        private int[] at = new int[4];
        private int size;
        private long count;

        void add(int place, long times) {
            if (size == at.length) {
                at = Arrays.copyOf(at, 2 * size);
            }
            at[size++] = place;
            count += times;
        }
    }

    private record Candidate(long pair, long count) {}

    private BpeTrainer(String text) {
        tokens.add(Tokenizer.END_OF_TEXT);
        for (int b = 0; b < 256; b++) {
            tokens.add(String.valueOf(ByteAlphabet.character(b)));
        }
        Map<String, Integer> all = count(Tokenizer.wellFormed(text));
        List<byte[]> spelled = all.keySet().stream().map(word -> word.getBytes(StandardCharsets.UTF_8)).toList();
        counts = all.values().stream().mapToInt(Integer::intValue).toArray();
        int length = spelled.stream().mapToInt(word -> word.length).reduce(0, Math::addExact);
        symbols = new int[length];
        before = new int[length];
        after = new int[length];
        words = new int[length];
        int place = 0;
        for (int word = 0; word < counts.length; word++) {
            byte[] bytes = spelled.get(word);
            for (int i = 0; i < bytes.length; i++, place++) {
                symbols[place] = 1 + (bytes[i] & 255);
                before[place] = i == 0 ? NONE : place - 1;
                after[place] = i == bytes.length - 1 ? NONE : place + 1;
                words[place] = word;
            }
        }
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
        if (trainer.counts.length == 0) {
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
        for (int place = 0; place < symbols.length; place++) {
            appears(place, new HashSet<>());
        }
        PriorityQueue<Candidate> queue = new PriorityQueue<>(
                Comparator.comparingLong(Candidate::count).reversed().thenComparingLong(Candidate::pair));
        pairs.forEach((pair, places) -> queue.add(new Candidate(pair, places.count)));
        while (tokens.size() < vocabulary) {
            Candidate best = queue.poll();
            if (best == null) {
                throw new IllegalArgumentException("the text has pairs for " + tokens.size()
                        + " tokens only, asked for " + vocabulary + "; give more text or a smaller vocabulary");
            }
            // Counts change after a candidate was queued; only the newest entry of a pair holds.
            if (pairs.containsKey(best.pair()) && pairs.get(best.pair()).count == best.count()) {
                for (long pair : merge(best.pair())) {
                    if (pairs.get(pair).count > 0) {
                        queue.add(new Candidate(pair, pairs.get(pair).count));
                    } else {
                        pairs.remove(pair);
                    }
                }
            }
        }
    }

    /** The pair that begins at a place is there now; nothing if no pair begins there. */
    private void appears(int place, Set<Long> changed) {
        if (place != NONE && after[place] != NONE) {
            long pair = pair(symbols[place], symbols[after[place]]);
            pairs.computeIfAbsent(pair, _ -> new Places()).add(place, counts[words[place]]);
            changed.add(pair);
        }
    }

    /** The pair that begins at a place goes away: it stays in the list of places, where {@link #merge} passes it over. */
    private void goes(int place, Set<Long> changed) {
        if (place != NONE && after[place] != NONE) {
            long pair = pair(symbols[place], symbols[after[place]]);
            pairs.get(pair).count -= counts[words[place]];
            changed.add(pair);
        }
    }

    /** Makes one token of a pair wherever it stands, at a cost of its places alone, however long the words are. */
    private Set<Long> merge(long pair) {
        int left = (int) (pair >> 32);
        int right = (int) pair;
        int merged = tokens.size();
        tokens.add(tokens.get(left) + tokens.get(right));
        merges.add(new int[]{left, right});
        Places places = pairs.get(pair);
        Set<Long> changed = new HashSet<>();
        for (int i = 0; i < places.size; i++) {
            int place = places.at[i];
            int next = after[place];
            if (symbols[place] == left && next != NONE && symbols[next] == right) {
                goes(before[place], changed);
                goes(place, changed);
                goes(next, changed);
                symbols[place] = merged;
                symbols[next] = NONE;
                after[place] = after[next];
                if (after[place] != NONE) {
                    before[after[place]] = place;
                }
                appears(before[place], changed);
                appears(place, changed);
            }
        }
        pairs.remove(pair);
        changed.remove(pair);
        return changed;
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
        ArrayNode list = model.putArray("merges");
        merges.forEach(merge -> list.addArray().add(tokens.get(merge[0])).add(tokens.get(merge[1])));
        return root.toPrettyString() + "\n";
    }

    private static void byteLevel(ObjectNode node) {
        node.put("type", "ByteLevel").put("add_prefix_space", false).put("trim_offsets", true).put("use_regex", true);
    }
}

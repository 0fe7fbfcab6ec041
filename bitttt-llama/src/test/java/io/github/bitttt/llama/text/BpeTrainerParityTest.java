package io.github.bitttt.llama.text;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link BpeTrainer} against its meaning: count every pair anew for each merge. */
class BpeTrainerParityTest {
    /** The merges of one word after the other, by counting. */
    private static List<String> naive(String[] words, int merges) {
        List<List<String>> spelled = new ArrayList<>();
        Map<String, Integer> ids = new HashMap<>();
        for (int b = 0; b < 256; b++) {
            ids.put(String.valueOf(ByteAlphabet.character(b)), 1 + b);
        }
        for (String word : words) {
            List<String> symbols = new ArrayList<>();
            for (byte b : word.getBytes(StandardCharsets.UTF_8)) {
                symbols.add(String.valueOf(ByteAlphabet.character(b)));
            }
            spelled.add(symbols);
        }
        List<String> made = new ArrayList<>();
        while (made.size() < merges) {
            Map<List<String>, Integer> counts = new HashMap<>();
            spelled.forEach(word -> {
                for (int i = 0; i + 1 < word.size(); i++) {
                    counts.merge(List.of(word.get(i), word.get(i + 1)), 1, Integer::sum);
                }
            });
            int most = Collections.max(counts.values());
            List<String> best = counts.keySet().stream().filter(pair -> counts.get(pair) == most)
                    .min((a, b) -> Long.compare((long) ids.get(a.get(0)) << 32 | ids.get(a.get(1)),
                            (long) ids.get(b.get(0)) << 32 | ids.get(b.get(1))))
                    .orElseThrow();
            String merged = best.get(0) + best.get(1);
            ids.put(merged, 257 + made.size());
            made.add(best.get(0) + " " + best.get(1));
            spelled.forEach(word -> {
                for (int i = 0; i + 1 < word.size(); i++) {
                    if (word.get(i).equals(best.get(0)) && word.get(i + 1).equals(best.get(1))) {
                        word.set(i, merged);
                        word.remove(i + 1);
                    }
                }
            });
        }
        return made;
    }

    private static List<String> merges(String text, int merges) throws IOException {
        List<String> read = new ArrayList<>();
        for (JsonNode merge : new ObjectMapper().readTree(BpeTrainer.train(text, 257 + merges)).at("/model/merges")) {
            read.add(merge.get(0).asText() + " " + merge.get(1).asText());
        }
        return read;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4, 20})
    void mergesAreThoseOfCounting(int alphabet) throws IOException {
        SplittableRandom random = new SplittableRandom(alphabet);
        for (int round = 0; round < 5; round++) {
            String[] words = new String[60];
            for (int i = 0; i < words.length; i++) {
                StringBuilder word = new StringBuilder(i == 0 ? "" : " ");
                int length = 1 + random.nextInt(i % 10 == 0 ? 300 : 8);
                for (int letter = 0; letter < length; letter++) {
                    word.append((char) ('a' + random.nextInt(alphabet)));
                }
                words[i] = word.toString();
            }
            assertThat(merges(String.join("", words), 40)).isEqualTo(naive(words, 40));
        }
    }

    @Test
    void oneLetterAgainAndAgain() throws IOException {
        String[] word = {"a".repeat(1001)};
        assertThat(merges(word[0], 9)).isEqualTo(naive(word, 9));
    }

    /** As counting was 130 s for such a word, twenty times the time of words is far from quadratic and far from noise. */
    @Test
    void aWordOf300000LettersIsNoSlowerThanWords() {
        SplittableRandom random = new SplittableRandom(1);
        StringBuilder word = new StringBuilder();
        StringBuilder words = new StringBuilder();
        for (int i = 0; i < 300_000; i++) {
            char letter = "ACGT".charAt(random.nextInt(4));
            word.append(letter);
            words.append(letter).append(i % 6 == 5 ? " " : "");
        }
        BpeTrainer.train(words.toString(), 600);
        long start = System.nanoTime();
        BpeTrainer.train(words.toString(), 600);
        long middle = System.nanoTime();
        BpeTrainer.train(word.toString(), 600);
        long end = System.nanoTime();
        System.out.printf("300,000 letters in words %d ms, in one word %d ms%n", (middle - start) / 1_000_000,
                (end - middle) / 1_000_000);
        assertThat(end - middle).isLessThan(20 * (middle - start) + 2_000_000_000L);
    }
}

package io.github.bitttt.llama.measure;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.SequencedMap;
import java.util.stream.Collectors;

/**
 * What a memory is worth on a text: the same tokens read with the memory emptied every so many tokens, and never.
 *
 * @param every      nats per token by the number of tokens after which the memory was emptied
 * @param never      nats per token in one session
 * @param byPosition nats per token of that session by position
 * @param norms      Frobenius norm of each layer's W after it
 */
public record MemoryGain(SequencedMap<Integer, Double> every, double never, List<Stretch> byPosition,
        List<Double> norms) {
    private static final int[] RESETS = {64, 256, 1024, 4096};

    /**
     * Part of a session.
     *
     * @param from         its first position
     * @param to           after its last
     * @param natsPerToken of the tokens that followed those positions
     */
    public record Stretch(int from, int to, double natsPerToken) {}

    /** Makes the collections unmodifiable. */
    public MemoryGain {
        every = Collections.unmodifiableSequencedMap(new LinkedHashMap<>(every));
        byPosition = List.copyOf(byPosition);
        norms = List.copyOf(norms);
    }

    /** Measures a text, read five times as one stream.
     *
     * @param model with its tokenizer
     * @param text  of at least two tokens
     * @return the measure
     * @throws IllegalArgumentException if the text is too short, or the model an attention baseline, whose cache grows */
    public static MemoryGain of(Model model, String text) {
        int[] ids = model.tokenizer().encode(text);
        if (ids.length < 2) {
            throw new IllegalArgumentException("a text of at least 2 tokens is needed, got " + ids.length);
        }
        if (model.architecture().config().attention().isPresent()) {
            throw new IllegalArgumentException(
                    "the gain of a memory can be measured where there is one; this model is an attention baseline");
        }
        SequencedMap<Integer, Double> every = new LinkedHashMap<>();
        try (Session session = model.newSession()) {
            for (int reset : RESETS) {
                double nats = 0;
                for (int from = 0; from < ids.length - 1; from += reset) {
                    session.reset();
                    nats += Evaluation.nats(session, ids, from, Math.min(ids.length - 1, from + reset));
                }
                every.put(reset, nats / (ids.length - 1));
            }
            session.reset();
            double[] surprises = Evaluation.surprises(session, ids);
            return new MemoryGain(every, mean(surprises, 0, surprises.length), stretches(surprises),
                    Arrays.stream(session.memoryNorms()).boxed().toList());
        }
    }

    /** Four times as long each: 0 to 64, to 256, to 1,024, ... */
    private static List<Stretch> stretches(double[] surprises) {
        List<Stretch> stretches = new ArrayList<>();
        int from = 0;
        for (long end = RESETS[0]; from < surprises.length; end *= 4) {
            int to = (int) Math.min(end, surprises.length);
            stretches.add(new Stretch(from, to, mean(surprises, from, to)));
            from = to;
        }
        return stretches;
    }

    private static double mean(double[] values, int from, int to) {
        return Arrays.stream(values, from, to).average().orElse(Double.NaN);
    }

    @Override
    public String toString() {
        String resets = every.entrySet().stream()
                .map(entry -> String.format(Locale.ROOT, "memory emptied every %,d tokens: %.4f nats per token%n",
                        entry.getKey(), entry.getValue()))
                .collect(Collectors.joining());
        String positions = byPosition.stream()
                .map(stretch -> String.format(Locale.ROOT, "  tokens %,d to %,d: %.4f%n", stretch.from(), stretch.to(),
                        stretch.natsPerToken()))
                .collect(Collectors.joining());
        return resets + String.format(Locale.ROOT, "never: %.4f nats per token, by position:%n", never) + positions
                + "norm of W in each layer: " + norms.stream().map(norm -> String.format(Locale.ROOT, "%.2f", norm))
                        .collect(Collectors.joining(", "));
    }
}

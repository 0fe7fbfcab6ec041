package io.github.bitttt.train;

import io.github.bitttt.llama.text.Tokenizer;
import java.util.Arrays;

/** Documents become one text of tokens: an end token before each and after the last, if the tokenizer has one. */
final class DocumentTokens {
    private final Tokenizer tokenizer;
    private int[] ids = new int[1024];
    private boolean[] counted = new boolean[1024];
    private int length;

    DocumentTokens(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** A document: the prompt is read only, the completion is learned. */
    void add(String prompt, String completion) {
        tokenizer.endOfText().ifPresent(end -> append(true, end));
        append(false, tokenizer.encode(prompt));
        append(true, tokenizer.encode(completion));
    }

    private void append(boolean counts, int... more) {
        int end = Math.addExact(length, more.length);
        if (end > ids.length) {
            int size = (int) Math.min(Integer.MAX_VALUE - 16, Math.max(end, 2L * ids.length));
            ids = Arrays.copyOf(ids, size);
            counted = Arrays.copyOf(counted, size);
        }
        System.arraycopy(more, 0, ids, length, more.length);
        Arrays.fill(counted, length, end, counts);
        length = end;
    }

    /** The whole; nothing is added afterwards. */
    TrainingText text() {
        tokenizer.endOfText().ifPresent(end -> append(true, end));
        return TrainingText.of(Arrays.copyOf(ids, length), Arrays.copyOf(counted, length));
    }
}

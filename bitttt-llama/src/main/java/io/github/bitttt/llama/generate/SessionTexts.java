package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.text.StreamDecoder;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** What a session does with texts, beyond reading their tokens. */
final class SessionTexts {
    private SessionTexts() {
    }

    /** The ids with what the tokenizer puts before a first text, if this is one and does not begin with it. */
    static int[] begun(Session session, int[] ids) {
        OptionalInt begin = session.model().tokenizer().beginOfText();
        if (session.position() > 0 || begin.isEmpty() || ids.length > 0 && ids[0] == begin.getAsInt()) {
            return ids;
        }
        int[] begun = new int[ids.length + 1];
        begun[0] = begin.getAsInt();
        System.arraycopy(ids, 0, begun, 1, ids.length);
        return begun;
    }

    /** Reads tokens and tells how likely each was. */
    static List<Token> score(Session session, int[] ids) {
        List<Token> tokens = new ArrayList<>(ids.length);
        StreamDecoder decoder = session.model().tokenizer().streamDecoder();
        double[] next = {session.hasRead() && ids.length > 0
                ? Token.logProbability(session.known(), ids[0])
                : Double.NaN};
        session.feed(ids, (index, after) -> {
            boolean last = index + 1 == ids.length;
            String piece = decoder.next(ids[index]);
            tokens.add(new Token(ids[index], last ? piece + decoder.end() : piece, next[0], true));
            next[0] = last ? Double.NaN : Token.logProbability(after, ids[index + 1]);
        });
        return List.copyOf(tokens);
    }
}

package io.github.bitttt.llama.generate;

import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.chat.ChatPrompt;
import io.github.bitttt.llama.chat.ChatSettings;
import io.github.bitttt.llama.text.StreamDecoder;
import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.nn.cpu.Rows;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/** What a session does with texts, beyond reading their tokens. */
final class SessionTexts {
    private SessionTexts() {
    }

    /** The ids with what the tokenizer puts before a first text, if this is one and does not begin with it. */
    static int[] begun(Session session, int[] ids) {
        return session.position() > 0 || !session.memory().isEmpty() ? ids : begun(session.model(), ids);
    }

    static int[] begun(Model model, int[] ids) {
        OptionalInt begin = model.tokenizer().beginOfText();
        if (begin.isEmpty() || ids.length > 0 && ids[0] == begin.getAsInt()) {
            return ids;
        }
        int[] begun = new int[ids.length + 1];
        begun[0] = begin.getAsInt();
        System.arraycopy(ids, 0, begun, 1, ids.length);
        return begun;
    }

    /** The end tokens of a model's files: what its generation_config.json says, else its config.json, and its tokenizer's. */
    static GenerationOptions ends(GenerationOptions defaults, ChatSettings settings, Tokenizer tokenizer) {
        List<Integer> known = defaults.endTokens().isEmpty() ? settings.endTokens() : defaults.endTokens();
        List<Integer> own = settings.endToken().map(tokenizer::addedToken).orElse(OptionalInt.empty()).stream().boxed()
                .toList();
        return defaults.withEndTokens(union(known, own));
    }

    static <T> List<T> union(List<T> some, List<T> others) {
        return Stream.concat(some.stream(), others.stream()).distinct().toList();
    }

    static GenerationOptions chatOptions(Model model, GenerationOptions options) {
        List<Integer> ends = union(options.endTokens(), model.tokenizer().endOfText().stream().boxed().toList());
        return options.withEndTokens(union(ends, model.chat().ends()))
                .withStop(union(options.stop(), model.chat().template().stop()).toArray(String[]::new));
    }

    /** Messages as a session reads them next: from the beginning, or behind its answer. */
    static int[] encode(Session session, List<ChatMessage> messages) {
        SessionMemory memory = session.memory();
        ChatPrompt chat = session.model().chat();
        return session.position() == 0 && memory.isEmpty()
                ? chat.first(messages)
                : chat.next(messages, memory.answering());
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

    /** The mean of the rows behind the last norm. */
    static float[] meanHidden(Session session, int[] ids) {
        if (ids.length == 0) {
            throw new IllegalArgumentException("a text of at least 1 token is needed, got 0");
        }
        session.check(ids);
        return session.alone(() -> {
            session.memory().admit(ids.length);
            double[] sums = new double[session.model().architecture().config().hiddenSize()];
            for (int from = 0, to; from < ids.length; from = to) {
                to = from + session.memory().pass(ids.length - from);
                Rows hidden = session.hidden(ids, from, to);
                for (int i = 0; i < hidden.rows() * sums.length; i++) {
                    sums[i % sums.length] += hidden.values()[i];
                }
            }
            float[] mean = new float[sums.length];
            for (int i = 0; i < mean.length; i++) {
                mean[i] = (float) (sums[i] / ids.length);
            }
            return mean;
        });
    }
}

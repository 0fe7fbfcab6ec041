package io.github.bitttt.spark;

import io.github.bitttt.llama.chat.ChatMessage;
import io.github.bitttt.llama.generate.GenerationOptions;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Sampler;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.text.Tokenizer;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;

/** What is done to one text, the same for SQL functions and for partitions. */
final class Reader {
    private Reader() {
    }

    /** Nats and the number of predictions: a document as it stands between two end tokens, the first fed, the last predicted. */
    static Row evaluate(Session session, String document) {
        Tokenizer tokenizer = session.model().tokenizer();
        String text = tokenizer.endOfText().isEmpty()
                ? document
                : Tokenizer.END_OF_TEXT + document + Tokenizer.END_OF_TEXT;
        int[] ids = tokenizer.encode(text);
        int predicted = Math.max(0, ids.length - 1);
        double[] nats = new double[1];
        // The last end token is not fed: it is the first of the next document that this session reads.
        session.feed(Arrays.copyOf(ids, predicted),
                (index, logits) -> nats[0] += Evaluation.surprise(logits, ids[index + 1]));
        return RowFactory.create(nats[0], (long) predicted, Math.exp(nats[0] / Math.max(1, predicted)));
    }

    static Row evaluate(Model model, String document) {
        try (Session session = model.newSession()) {
            return evaluate(session, document);
        }
    }

    static String generate(Session session, String prompt, Writing writing) {
        return session.generate(prompt, session.model().defaults().withJson(writing.options())).result().text();
    }

    static String chat(Session session, String message, Writing writing) {
        GenerationOptions options = session.model().defaults().withJson(writing.options());
        return session.chat(List.of(ChatMessage.user(message)), options, Sampler.of(options.sampling()), () -> false)
                .result().text();
    }

    static String chat(Model model, String message, Writing writing) {
        try (Session session = model.newSession()) {
            return chat(session, message, writing);
        }
    }

    static String generate(Model model, String prompt, Writing writing) {
        try (Session session = model.newSession()) {
            return generate(session, prompt, writing);
        }
    }
}

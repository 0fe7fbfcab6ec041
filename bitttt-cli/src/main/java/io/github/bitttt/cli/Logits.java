package io.github.bitttt.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.nn.naive.Doubles;
import io.github.bitttt.nn.naive.NaiveOps;
import io.github.bitttt.train.TrainingGraph;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The numbers themselves: logits after each of some tokens, by any of the three readings. */
@Command(name = "logits", mixinStandardHelpOptions = true, description = "Print the logits after each token.")
final class Logits implements Callable<Integer> {
    /** Which reading computes. */
    enum Reading {
        /** Fast. */
        CPU,
        /** Double loops. */
        NAIVE,
        /** SameDiff. */
        GRAPH
    }

    @Mixin
    private ModelOption model;
    @Mixin
    private Program program;

    @Option(names = "--tokens", required = true, split = ",", paramLabel = "ID", description = "Token ids, such as 1,2,3.")
    private int[] tokens;
    @Option(names = "--reading", defaultValue = "cpu", description = "${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
    private Reading reading;

    @Override
    public Integer call() throws Exception {
        Checkpoint checkpoint = model.checkpoint();
        int vocabulary = checkpoint.config().vocabSize();
        for (int id : tokens) {
            if (id < 0 || id >= vocabulary) {
                throw new IllegalArgumentException("token ids are 0 to " + (vocabulary - 1) + ", got " + id);
            }
        }
        Object logits = switch (reading) {
            case CPU -> cpu(checkpoint);
            case NAIVE -> naive(checkpoint);
            case GRAPH -> graph(checkpoint);
        };
        if (!program.json()) {
            program.out().println(new ObjectMapper().writeValueAsString(logits));
        }
        program.result(Map.of("logits", logits));
        return 0;
    }

    private List<float[]> cpu(Checkpoint checkpoint) {
        try (Session session = Model.of(checkpoint).newSession()) {
            List<float[]> logits = new ArrayList<>();
            session.feed(tokens, (_, row) -> logits.add(row.clone()));
            return logits;
        }
    }

    private double[][] naive(Checkpoint checkpoint) {
        BitLlama llama = new BitLlama(checkpoint.config());
        return llama.forward(new NaiveOps(checkpoint.weights()), llama.memories(NaiveOps::empty),
                Doubles.tokens(tokens)).rows();
    }

    private float[][] graph(Checkpoint checkpoint) {
        try (TrainingGraph graph = TrainingGraph.inference(new BitLlama(checkpoint.config()), 1, tokens.length)) {
            graph.load(checkpoint.weights());
            return graph.logits(tokens);
        }
    }
}

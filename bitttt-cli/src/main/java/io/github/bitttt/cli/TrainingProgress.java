package io.github.bitttt.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.train.StepResult;
import io.github.bitttt.train.TrainingListener;
import io.github.bitttt.train.TrainingOptions;
import io.github.bitttt.viz.Charts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** A training run as a progress bar on standard error, and in the end as a picture. */
final class TrainingProgress implements TrainingListener, AutoCloseable {
    private static final ObjectMapper JSON = new ObjectMapper();

    private final ProgressBar bar;
    private String validated = "";
    private StepResult last;

    TrainingProgress(TrainingOptions options, long firstStep) {
        bar = new ProgressBarBuilder().setTaskName("training").setInitialMax(options.steps())
                .setStyle(ProgressBarStyle.ASCII)
                .startsFrom(firstStep, Duration.ZERO).setUpdateIntervalMillis(1000).setMaxRenderedLength(110).build();
    }

    @Override
    public void step(StepResult result) {
        last = result;
        bar.setExtraMessage(
                String.format(Locale.ROOT, " loss %.3f, %,.0f tokens/s%s", result.loss(), result.tokensPerSecond(),
                        validated));
        bar.stepTo(result.step());
    }

    @Override
    public void validation(long step, double loss, boolean best) {
        validated = String.format(Locale.ROOT, ", validation %.4f", loss);
    }

    /** The last step, as a line; empty without one. */
    String last() {
        return last == null ? "" : last.toString();
    }

    /** Draws the losses of a whole run, from its log, as {@code loss.png} beside it. */
    static void draw(Path logs) throws IOException {
        List<JsonNode> entries = new ArrayList<>();
        for (String line : Files.readAllLines(logs.resolve("log.jsonl"))) {
            entries.add(JSON.readTree(line));
        }
        List<JsonNode> steps = entries.stream().filter(entry -> entry.has("loss_nats")).toList();
        List<JsonNode> validations = entries.stream().filter(entry -> entry.has("validation_nats")).toList();
        if (!steps.isEmpty()) {
            double tokensPerStep = steps.getFirst().get("tokens").asDouble() / steps.getFirst().get("step").asDouble();
            Charts.trainingLoss(numbers(steps, "tokens"), numbers(steps, "loss_nats"),
                    numbers(validations, "step").stream().map(step -> step * tokensPerStep).toList(),
                    numbers(validations, "validation_nats")).save(logs.resolve("loss.png"));
        }
    }

    private static List<Double> numbers(List<JsonNode> entries, String field) {
        return entries.stream().map(entry -> entry.get(field).asDouble()).toList();
    }

    @Override
    public void close() {
        bar.close();
    }
}

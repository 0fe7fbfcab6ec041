package io.github.bitttt.examples;

import io.github.bitttt.examples.viz.Charts;
import io.github.bitttt.llama.train.StepResult;
import io.github.bitttt.llama.train.TrainingListener;
import io.github.bitttt.llama.train.TrainingOptions;
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
    private final ProgressBar bar;
    private final List<Double> validationTokens = new ArrayList<>();
    private final List<Double> validationLosses = new ArrayList<>();
    private final long tokensPerStep;
    private String validated = "";

    TrainingProgress(TrainingOptions options, long firstStep) {
        tokensPerStep = options.tokensPerStep();
        bar = new ProgressBarBuilder().setTaskName("training").setInitialMax(options.steps())
                .setStyle(ProgressBarStyle.ASCII)
                .startsFrom(firstStep, Duration.ZERO).setUpdateIntervalMillis(1000).setMaxRenderedLength(110).build();
    }

    @Override
    public void step(StepResult result) {
        bar.setExtraMessage(
                String.format(Locale.ROOT, " loss %.3f, %,.0f tokens/s%s", result.loss(), result.tokensPerSecond(),
                        validated));
        bar.stepTo(result.step());
    }

    @Override
    public void validation(long step, double loss, boolean best) {
        validationTokens.add((double) step * tokensPerStep);
        validationLosses.add(loss);
        validated = String.format(Locale.ROOT, ", validation %.4f", loss);
    }

    /** Draws the losses of the whole run, and the validations of this process. */
    void draw(Path steps, Path file) throws IOException {
        List<String[]> rows = Files.readAllLines(steps).stream().skip(1).map(line -> line.split(",")).toList();
        if (rows.isEmpty()) {
            return;
        }
        List<Double> tokens = rows.stream().map(row -> Double.valueOf(row[1])).toList();
        List<Double> losses = rows.stream().map(row -> Double.valueOf(row[2])).toList();
        Charts.trainingLoss(tokens, losses, validationTokens, validationLosses).save(file);
    }

    @Override
    public void close() {
        bar.close();
    }
}

package io.github.bitttt.viz;

import java.awt.Color;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.IntStream;
import org.knowm.xchart.CategoryChart;
import org.knowm.xchart.CategoryChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.AxesChartStyler;
import org.knowm.xchart.style.Styler;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Lines and bars: losses, loss by position, kernel speed, histograms. */
public final class Charts {
    private static final int WIDTH = 760;
    private static final int HEIGHT = 420;
    private static final String NOTHING = " ";
    private static final double ASIDE = 0.371; // no multiple of the distance of up to a thousand values
    private static final Color[] COLOURS = {Palette.BLUE, Palette.RED, Palette.GREEN, Palette.PURPLE};

    private Charts() {
    }

    /** The loss of a training run.
     *
     * @param tokens           trained so far, at each step
     * @param losses           in nats per token, at each step
     * @param validationTokens trained so far, at each validation
     * @param validationLosses in nats per token; none is fine
     * @return lines over tokens */
    public static Picture trainingLoss(List<Double> tokens, List<Double> losses, List<Double> validationTokens,
            List<Double> validationLosses) {
        XYChart chart = lines("Training", "tokens", "nats per token");
        chart.getStyler().setXAxisDecimalPattern("#,###");
        chart.addSeries("training", tokens, losses).setMarker(SeriesMarkers.NONE).setLineWidth(1.2f);
        if (!validationTokens.isEmpty()) {
            XYSeries validation = chart.addSeries("validation", validationTokens, validationLosses);
            validation.setMarker(SeriesMarkers.CIRCLE).setLineWidth(2);
        }
        roundNumbers(chart);
        return Picture.of(chart);
    }

    /** What a memory does not know yet of vectors that come round again and again, on a logarithmic axis.
     *
     * @param losses  reconstruction losses, vector after vector
     * @param vectors how many take turns
     * @return a line for each vector */
    public static Picture reconstruction(double[] losses, int vectors) {
        XYChart chart = lines("A memory learns a pattern of " + vectors + " vectors", "round",
                "reconstruction loss before the update");
        chart.getStyler().setYAxisLogarithmic(true).setYAxisDecimalPattern("0E0");
        int rounds = losses.length / vectors;
        double[] x = IntStream.rangeClosed(1, rounds).asDoubleStream().toArray();
        for (int vector = 0; vector < vectors; vector++) {
            int which = vector;
            // A logarithmic axis has no zero.
            double[] y = IntStream.range(0, rounds).mapToDouble(round -> Math.max(losses[vectors * round + which],
                    1e-12)).toArray();
            chart.addSeries("vector " + vector, x, y).setMarker(SeriesMarkers.NONE);
        }
        roundNumbers(chart);
        return Picture.of(chart);
    }

    /** Surprise along a text, as a running mean.
     *
     * @param title  above it
     * @param series nats of every token, by the name of the reading
     * @param window tokens of the mean, at least 1
     * @return a line for each reading */
    public static Picture lossByPosition(String title, SequencedMap<String, double[]> series, int window) {
        if (window < 1) {
            throw new IllegalArgumentException("window must be at least 1 token, got " + window);
        }
        SequencedMap<String, double[]> means = new LinkedHashMap<>();
        series.forEach((name, nats) -> means.put(name, runningMean(nats, window)));
        return lines(title, "position in the text (tokens)",
                window == 1 ? "nats" : "nats, mean of the last " + window, means);
    }

    /** Numbers in order: lines over 1, 2, 3 and so on.
     *
     * @param title  above it
     * @param xTitle what is counted
     * @param yTitle what is measured, with its unit
     * @param series numbers by name
     * @return a line for each */
    public static Picture lines(String title, String xTitle, String yTitle, SequencedMap<String, double[]> series) {
        XYChart chart = lines(title, xTitle, yTitle);
        chart.getStyler().setXAxisDecimalPattern("#,###");
        series.forEach((name, numbers) -> {
            double[] x = IntStream.rangeClosed(1, numbers.length).asDoubleStream().toArray();
            chart.addSeries(name, x, numbers).setMarker(SeriesMarkers.NONE).setLineWidth(2);
        });
        roundNumbers(chart);
        return Picture.of(chart);
    }

    /**
     * Makes the axes have round numbers as labels. XChart labels values that are equally far apart by themselves, such as 4,096,
     * 278,528 and so on, one over the other; three more places, at which nothing is drawn, are not.
     */
    private static void roundNumbers(XYChart chart) {
        List<XYSeries> series = List.copyOf(chart.getSeriesCollection());
        double[] x = ends(series.stream().flatMapToDouble(one -> Arrays.stream(one.getXData())).toArray());
        double[] y = ends(series.stream().flatMapToDouble(one -> Arrays.stream(one.getYData())).toArray());
        if (x.length > 0 && y.length > 0) {
            XYSeries nothing = chart.addSeries(NOTHING, x, y);
            nothing.setMarker(SeriesMarkers.NONE).setLineStyle(SeriesLines.NONE).setShowInLegend(false);
        }
    }

    /** The least of some numbers, one that is not in the middle, and the largest; none if there are none. */
    private static double[] ends(double[] numbers) {
        DoubleSummaryStatistics all = Arrays.stream(numbers).filter(Double::isFinite).summaryStatistics();
        return all.getCount() == 0
                ? new double[0]
                : new double[]{all.getMin(), all.getMin() + ASIDE * (all.getMax() - all.getMin()), all.getMax()};
    }

    private static double[] runningMean(double[] values, int window) {
        return IntStream.range(0, values.length).mapToDouble(
                i -> Arrays.stream(values, Math.max(0, i - window + 1), i + 1).average().orElseThrow()).toArray();
    }

    /** How often values fall into equal bins.
     *
     * @param title  above it
     * @param xTitle what the values are
     * @param values at least one
     * @param bins   how many
     * @return bars */
    public static Picture histogram(String title, String xTitle, float[] values, int bins) {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (float value : values) {
            low = Math.min(low, value);
            high = Math.max(high, value);
        }
        double width = Math.max((high - low) / (double) bins, Double.MIN_NORMAL);
        // A step begins at its bin's left edge and the last one ends at the right edge.
        double[] x = new double[bins + 1];
        double[] counts = new double[bins + 1];
        for (int bin = 0; bin <= bins; bin++) {
            x[bin] = low + bin * width;
        }
        for (float value : values) {
            counts[Math.min(bins - 1, (int) ((value - low) / width))]++;
        }
        counts[bins] = counts[bins - 1];
        XYChart chart = lines(title, xTitle, "how many");
        chart.getStyler().setXAxisDecimalPattern("0.00").setYAxisDecimalPattern("#,###").setYAxisMin(0.0);
        chart.getStyler().setLegendVisible(false);
        chart.addSeries("values", x, counts).setXYSeriesRenderStyle(XYSeries.XYSeriesRenderStyle.StepArea)
                .setMarker(SeriesMarkers.NONE);
        return Picture.of(chart);
    }

    /** Bars in groups: shares of codes by tensor, speeds of kernels by shape.
     *
     * @param title      above it
     * @param xTitle     what the groups are; may be empty
     * @param yTitle     what is measured, with its unit
     * @param categories names of the groups
     * @param series     a number for each group, by name
     * @return bars */
    public static Picture bars(String title, String xTitle, String yTitle, List<String> categories,
            SequencedMap<String, List<Double>> series) {
        CategoryChart chart = new CategoryChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(xTitle)
                .yAxisTitle(yTitle).build();
        style(chart.getStyler());
        chart.getStyler().setYAxisDecimalPattern("#,##0.##");
        chart.getStyler().setAvailableSpaceFill(0.8).setXAxisMaxLabelCount(categories.size());
        boolean crowded = categories.stream().mapToInt(String::length).sum() > 60;
        chart.getStyler().setXAxisLabelRotation(crowded ? 35 : 0);
        for (Map.Entry<String, List<Double>> entry : series.entrySet()) {
            chart.addSeries(entry.getKey(), categories, entry.getValue());
        }
        if (series.size() == 1) {
            chart.getStyler().setLegendVisible(false);
        }
        return Picture.of(chart);
    }

    private static XYChart lines(String title, String x, String y) {
        XYChart chart = new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(x).yAxisTitle(y)
                .build();
        style(chart.getStyler());
        return chart;
    }

    private static void style(AxesChartStyler styler) {
        // Digits and decimal marks are the same wherever a picture is drawn.
        styler.setLocale(Locale.ROOT);
        styler.setAxisTitleFont(Palette.TEXT).setAxisTickLabelsFont(Palette.SMALL);
        styler.setChartTitleFont(Palette.TITLE).setLegendFont(Palette.TEXT)
                .setLegendPosition(Styler.LegendPosition.OutsideS)
                .setLegendLayout(Styler.LegendLayout.Horizontal).setChartBackgroundColor(Color.WHITE)
                .setChartTitleBoxVisible(false).setLegendBorderColor(Color.WHITE).setPlotBorderVisible(false)
                .setSeriesColors(COLOURS);
    }
}

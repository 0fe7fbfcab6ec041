package io.github.bitttt.cli;

import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.generate.Session;
import io.github.bitttt.llama.measure.Evaluation;
import io.github.bitttt.llama.zoo.Samples;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.records.reader.impl.collection.CollectionRecordReader;
import org.datavec.api.writable.IntWritable;
import org.datavec.api.writable.Writable;
import org.deeplearning4j.datasets.datavec.RecordReaderDataSetIterator;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.dataset.DataSet;
import org.nd4j.linalg.dataset.api.preprocessor.NormalizerStandardize;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The library inside a DataVec and ND4J pipeline: tells texts in order from texts with a few words exchanged.
 *
 * <p>DataVec reads records of token ids, {@link #features} maps an INDArray of ids to an INDArray of what the model thinks of
 * them, and a logistic regression in ND4J decides. */
@Command(name = "pipeline", mixinStandardHelpOptions = true, description = "Use a model as features in a DataVec/ND4J pipeline.")
final class Pipeline implements Callable<Integer> {
    private static final int LABELS = 2;
    private static final int ROUNDS = 300;

    @Mixin
    private ModelOption model;
    @Mixin
    private Program program;

    @Option(names = "--texts", defaultValue = "400", description = "Texts of each kind (default: ${DEFAULT-VALUE}).")
    private int texts;
    @Option(names = "--length", defaultValue = "48", description = "Tokens of a text (default: ${DEFAULT-VALUE}).")
    private int length;
    @Option(names = "--exchanges", defaultValue = "3", description = "Neighbours exchanged in the second kind (default: ${DEFAULT-VALUE}).")
    private int exchanges;
    @Option(names = "--seed", defaultValue = "1", description = "Of the exchanges and the order (default: ${DEFAULT-VALUE}).")
    private long seed;

    @Override
    public Integer call() throws IOException {
        Model loaded = model.load();
        RecordReader reader = new CollectionRecordReader(records(loaded));
        DataSet ids = new RecordReaderDataSetIterator(reader, 2 * texts, length, LABELS).next();
        DataSet data = new DataSet(features(loaded, ids.getFeatures()), ids.getLabels());
        data.shuffle(seed);
        var split = data.splitTestAndTrain(0.75);
        NormalizerStandardize normalizer = new NormalizerStandardize();
        normalizer.fit(split.getTrain());
        normalizer.transform(split.getTrain());
        normalizer.transform(split.getTest());
        INDArray weights = fit(split.getTrain());
        double accuracy = accuracy(split.getTest(), weights);
        program.messages().printf(Locale.ROOT, "%d texts of %d tokens, half of them with %d neighbours exchanged%n",
                2 * texts,
                length,
                exchanges);
        program.messages().printf(Locale.ROOT, "told apart: %.1f%% of %d held out%n", 100 * accuracy,
                split.getTest().numExamples());
        program.result(Map.of("texts", 2 * texts, "accuracy", accuracy, "weights", weights.toFloatVector()));
        return 0;
    }

    /** Records of token ids and a label: 0 in order, 1 with exchanges. */
    private List<List<Writable>> records(Model loaded) throws IOException {
        int[] ids = loaded.tokenizer().encode(Samples.tinyStories());
        if (length < 4 || texts < 4 || (long) texts * length > ids.length) {
            throw new IllegalArgumentException("at least 4 texts of at least 4 tokens, " + ids.length
                    + " tokens in all, can be cut from the sample, got " + texts + " of " + length);
        }
        SplittableRandom random = new SplittableRandom(seed);
        List<List<Writable>> records = new ArrayList<>();
        for (int text = 0; text < texts; text++) {
            int[] window = Arrays.copyOfRange(ids, text * length, (text + 1) * length);
            records.add(record(window, 0));
            for (int i = 0; i < exchanges; i++) {
                int at = random.nextInt(length - 1);
                int first = window[at];
                window[at] = window[at + 1];
                window[at + 1] = first;
            }
            records.add(record(window, 1));
        }
        return records;
    }

    private static List<Writable> record(int[] ids, int label) {
        List<Writable> record = new ArrayList<>();
        for (int id : ids) {
            record.add(new IntWritable(id));
        }
        record.add(new IntWritable(label));
        return record;
    }

    /** What a model thinks of texts.
     *
     * @param model that reads
     * @param ids   [B, T] token ids, of any type
     * @return FLOAT [B, 2 + layers]: mean and largest surprise in nats, and how much each layer's memory learned */
    static INDArray features(Model model, INDArray ids) {
        int layers = model.architecture().config().layers();
        int[][] rows = ids.toIntMatrix();
        float[][] features = new float[rows.length][2 + layers];
        try (Session session = model.newSession()) {
            for (int text = 0; text < rows.length; text++) {
                session.reset();
                double[] nats = Evaluation.surprises(session, rows[text]);
                features[text][0] = (float) Arrays.stream(nats).average().orElse(0);
                features[text][1] = (float) Arrays.stream(nats).max().orElse(0);
                double[] norms = session.memoryNorms();
                for (int layer = 0; layer < layers; layer++) {
                    features[text][2 + layer] = (float) norms[layer];
                }
            }
        }
        return Nd4j.createFromArray(features);
    }

    /** Logistic regression by gradient descent: weights of the features, the last one a bias. */
    private static INDArray fit(DataSet data) {
        INDArray x = withOnes(data.getFeatures());
        INDArray y = data.getLabels().getColumn(1, true);
        INDArray weights = Nd4j.zeros(x.columns(), 1);
        for (int round = 0; round < ROUNDS; round++) {
            INDArray error = Transforms.sigmoid(x.mmul(weights)).sub(y);
            weights.subi(x.transpose().mmul(error).mul(1.0 / x.rows()));
        }
        return weights;
    }

    private static double accuracy(DataSet data, INDArray weights) {
        INDArray says = withOnes(data.getFeatures()).mmul(weights).gt(0).castTo(weights.dataType());
        return 1 - says.sub(data.getLabels().getColumn(1, true)).norm1Number().doubleValue() / says.rows();
    }

    private static INDArray withOnes(INDArray features) {
        return Nd4j.hstack(features, Nd4j.ones(features.rows(), 1));
    }
}

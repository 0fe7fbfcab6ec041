package io.github.bitttt.examples;

import io.github.bitttt.llama.generate.Model;
import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.datavec.api.records.reader.RecordReader;
import org.datavec.api.records.reader.impl.csv.CSVRecordReader;
import org.datavec.api.split.FileSplit;
import org.datavec.api.writable.Writable;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.ops.transforms.Transforms;

/** A model as a step of a pipeline: DataVec reads records, the model turns texts into vectors, ND4J compares them. */
public final class FeaturePipeline {
    private FeaturePipeline() {
    }

    /** Finds for each text of a table the other one that is most like it.
     *
     * @param arguments a CSV file without a header, whose first column is a text
     * @throws IOException          if it cannot be read
     * @throws InterruptedException if DataVec is interrupted */
    public static void main(String[] arguments) throws IOException, InterruptedException {
        if (arguments.length != 1) {
            throw new IllegalArgumentException("one argument is needed, a CSV file, got " + arguments.length);
        }
        List<String> texts = new ArrayList<>();
        try (Model model = Model.load("stories-256x4"); RecordReader reader = new CSVRecordReader()) {
            reader.initialize(new FileSplit(new File(arguments[0])));
            List<float[]> rows = new ArrayList<>();
            while (reader.hasNext()) {
                Writable text = reader.next().getFirst();
                texts.add(text.toString());
                rows.add(model.embed(text.toString()));
            }
            INDArray features = Nd4j.createFromArray(rows.toArray(float[][]::new)); // [n, D]
            features.subiRowVector(features.mean(0)); // what all texts share tells nothing
            for (int i = 0; i < texts.size(); i++) {
                int nearest = nearest(features, i);
                System.out.printf(Locale.ROOT, "%s  ~  %s%n", texts.get(i), texts.get(nearest));
            }
        }
    }

    private static int nearest(INDArray features, int to) {
        int best = -1;
        double most = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < features.rows(); i++) {
            double likeness = Transforms.cosineSim(features.getRow(to), features.getRow(i));
            if (i != to && likeness > most) {
                most = likeness;
                best = i;
            }
        }
        return best;
    }
}

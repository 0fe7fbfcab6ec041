package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.data.Offset.offset;

import io.github.bitttt.llama.text.Tokenizer;
import io.github.bitttt.llama.zoo.Zoo;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class ModelTest {
    /** Four lines tell a story. */
    @Test
    void fourLines() throws IOException {
        PrintStream console = System.out;
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        try (Model model = Model.load("stories-256x4"); Session session = model.newSession()) {
            session.generate("Once upon a time").forEach(System.out::print);
        } finally {
            System.setOut(console);
        }
        assertThat(out.toString(StandardCharsets.UTF_8)).startsWith(", there was").hasSizeGreaterThan(200);
    }

    @Test
    void neitherANameNorAFolderIsAnError() {
        assertThatIOException().isThrownBy(() -> Model.load("no such model")).withMessage(
                "no such model: neither a model folder or file nor a name of the zoo; the zoo has " + Zoo.names());
        assertThatIOException().isThrownBy(() -> Model.load(Path.of("no such folder")))
                .withMessageContaining("no such folder");
    }

    @Test
    void aClosedModelSaysSo() throws IOException {
        Model model = Model.load(Zoo.DEFAULT);
        try (Session session = model.newSession()) {
            Tokenizer tokenizer = model.tokenizer();
            model.close();
            model.close();
            assertThatIllegalStateException().isThrownBy(model::newSession)
                    .withMessage("this model is closed; load it again by Model.load(name)");
            assertThatIllegalStateException().isThrownBy(() -> session.generate("Once")).withMessage(
                    "this tokenizer is closed, by itself or with its model; load it again");
            assertThat(session.feed(5)).hasSize(2048);
            assertThat(tokenizer.decode(5)).isNotEmpty();
        }
    }

    /** Whose tokenizer was given keeps it. */
    @Test
    void aTokenizerIsClosedByItsOwner() throws IOException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        try (Tokenizer tokenizer = entry.tokenizer()) {
            Model.of(entry.checkpoint(), tokenizer).close();
            assertThat(tokenizer.encode("Once upon a time")).isNotEmpty();
        }
        assertThatIllegalStateException().isThrownBy(() -> entry.tokenizer().encode("Once"));
    }

    /** The mean over tokens of what the head reads: the head of it is the mean of the logits. */
    @Test
    void anEmbeddingIsTheMeanOfTheLastRows() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        String text = "One day a cat sat on a mat. Two dogs ran to the cat. ".repeat(5);
        float[] whole = model.embed(text);
        assertThat(whole).hasSize(33);
        int[] ids = model.tokenizer().encode(text);
        assertThat(ids.length).isGreaterThan(64);
        try (Session session = model.newSession(); Session one = model.newSession()) {
            assertThat(SessionTexts.meanHidden(session, ids)).containsExactly(whole);
            double[] sums = new double[33];
            for (int id : ids) {
                float[] row = SessionTexts.meanHidden(one, new int[]{id});
                for (int i = 0; i < 33; i++) {
                    sums[i] += row[i];
                }
            }
            for (int i = 0; i < 33; i++) {
                assertThat((double) whole[i]).isCloseTo(sums[i] / ids.length, offset(1e-3));
            }
        }
        assertThatIllegalArgumentException().isThrownBy(() -> model.embed(""))
                .withMessage("a text of at least 1 token is needed, got 0");
    }

    /** Texts of one kind lie nearer to each other than to another kind. */
    @Test
    void embeddingsTellTextsApart() throws IOException {
        try (Model model = Model.load(Zoo.DEFAULT)) {
            float[] dog = model.embed("The dog ran in the park with the ball.");
            float[] puppy = model.embed("The puppy played in the park with a ball.");
            float[] sad = model.embed("She cried because her mom was very angry.");
            assertThat(cosine(dog, puppy)).isGreaterThan(cosine(dog, sad));
        }
    }

    private static double cosine(float[] a, float[] b) {
        double product = 0;
        double aa = 0;
        double bb = 0;
        for (int i = 0; i < a.length; i++) {
            product += (double) a[i] * b[i];
            aa += (double) a[i] * a[i];
            bb += (double) b[i] * b[i];
        }
        return product / Math.sqrt(aa * bb);
    }

    @Test
    void aSessionLearnsAndKnowsItsLogits() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        try (Session session = model.newSession(); Session other = model.newSession()) {
            assertThatIllegalStateException().isThrownBy(session::logits)
                    .withMessage("no token was read yet, so there are no logits; feed one first");
            assertThat(session.learn("One day a cat sat.")).isEqualTo((int) session.position());
            float[] expected = other.feed(model.tokenizer().encode("One day a cat sat."));
            assertThat(session.logits()).containsExactly(expected);
            try (Session fork = session.fork()) {
                assertThat(fork.logits()).containsExactly(expected);
            }
            session.logits()[0] = Float.NaN;
            assertThat(session.logits()).containsExactly(expected);
            assertThat(session.learn("")).isZero();
            // What was read before makes the first token's log-probability known.
            int first = model.tokenizer().encode(" The end")[0];
            assertThat(session.score(" The end").getFirst().logProbability())
                    .isEqualTo(Token.logProbability(expected, first));
            session.reset();
            assertThatIllegalStateException().isThrownBy(session::logits);
        }
    }
}

package io.github.bitttt.llama.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class BpeTrainerTest {
    private static final String TEXT = "The cat sat on the mat. The cat's hat sat on the mat!\n".repeat(20)
            + Tokenizer.END_OF_TEXT + "\nThe dog's 123 bones — über 😀\n";

    private static Tokenizer tokenizer() throws IOException {
        return Tokenizer.parse(BpeTrainer.train(TEXT, 280), "test");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "the cat", "Grüße 😀 naïve  a\n\n b\t1234", "unseen: Ωмир\u0000\u001f",
            "  two  spaces  ",
            "a<|endoftext|>b", "\r\n'll 've don't"})
    void decodeOfEncodeIsTheText(String text) throws IOException {
        Tokenizer tokenizer = tokenizer();
        assertThat(tokenizer.decode(tokenizer.encode(text))).isEqualTo(text);
    }

    @Test
    void endOfTextIsOneToken() throws IOException {
        Tokenizer tokenizer = tokenizer();
        assertThat(tokenizer.vocabSize()).isEqualTo(280);
        assertThat(tokenizer.endOfText()).hasValue(0);
        assertThat(tokenizer.encode("a" + Tokenizer.END_OF_TEXT)).hasSize(2).endsWith(0);
    }

    @Test
    void frequentWordsBecomeTokens() throws IOException {
        assertThat(tokenizer().encode(" the")).hasSize(1);
    }

    @Test
    void nothingIsTruncated() throws IOException {
        assertThat(tokenizer().encode("zqx".repeat(5_000))).hasSize(15_000);
    }

    /** A long text goes to the native library in pieces; the ids are those of the whole. */
    @ParameterizedTest
    @ValueSource(strings = {"The cat\n", " sat on the mat", "<|endoftext", " \n", ""})
    void piecesGiveTheIdsOfTheWhole(String end) throws IOException {
        String text = (TEXT + end + Tokenizer.END_OF_TEXT + end).repeat(300) + end;
        assertThat(text).hasSizeGreaterThan(300_000);
        assertThat(tokenizer().encode(text)).isEqualTo(tokenizer().encodeAtOnce(text));
    }

    @Test
    void sameTextSameVocabulary() {
        assertThat(BpeTrainer.train(TEXT, 280)).isEqualTo(BpeTrainer.train(TEXT, 280));
    }

    /** Every split of the tokens gives the same text, and never half a character. */
    @Test
    void streamHoldsBackIncompleteCharacters() throws IOException {
        Tokenizer tokenizer = tokenizer();
        String text = "😀 über — 漢字 end";
        StreamDecoder decoder = tokenizer.streamDecoder();
        StringBuilder streamed = new StringBuilder();
        for (int id : tokenizer.encode(text)) {
            String piece = decoder.next(id);
            assertThat(piece).doesNotContain("\uFFFD");
            streamed.append(piece);
        }
        assertThat(streamed.append(decoder.end())).hasToString(text);
        int firstByte = tokenizer.encode("😀")[0];
        assertThat(decoder.next(firstByte)).isEmpty();
        assertThat(decoder.end()).isEqualTo("\uFFFD");
    }

    @Test
    void refusesBadInput(@TempDir Path folder) throws IOException {
        assertThatIllegalArgumentException().isThrownBy(() -> BpeTrainer.train("", 300))
                .withMessage("the text to learn a vocabulary from is empty");
        assertThatIllegalArgumentException().isThrownBy(() -> BpeTrainer.train("ab", 300))
                .withMessage(
                        "the text has pairs for 258 tokens only, asked for 300; give more text or a smaller vocabulary");
        assertThatIllegalArgumentException().isThrownBy(() -> BpeTrainer.train(TEXT, 10)).withMessage(
                "a byte-level vocabulary has at least 257 tokens (end of text and 256 bytes), got 10");
        assertThatIllegalArgumentException().isThrownBy(() -> tokenizer().decode(280))
                .withMessage("token ids are 0 to 279, got 280");
        assertThatIOException().isThrownBy(() -> Tokenizer.load(folder))
                .withMessage(folder.resolve("tokenizer.json")
                        + ": no tokenizer here; a model folder holds one as tokenizer.json");
        Path bad = Files.writeString(folder.resolve("tokenizer.json"), "{\"model\":{}}");
        assertThatIOException().isThrownBy(() -> Tokenizer.load(bad))
                .withMessage(bad + ": model.vocab is not there; a Hugging Face tokenizer.json is needed");
        Files.writeString(bad, "{");
        assertThatIOException().isThrownBy(() -> Tokenizer.load(bad)).withMessageStartingWith(bad + ": is not JSON");
    }
}

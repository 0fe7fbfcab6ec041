package io.github.bitttt.llama.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIOException;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
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

    /** A half costs itself and not its neighbours: the whole emoji and the NUL stay. */
    @Test
    void halfASurrogatePairCountsAsOneReplacement() throws IOException {
        Tokenizer tokenizer = tokenizer();
        for (String half : List.of("\uD83D", "\uDE00", "\uDE00\uD83D")) {
            String text = "😀 a\u0000 " + half;
            assertThat(tokenizer.encode(text))
                    .isEqualTo(tokenizer.encode("😀 a\u0000 " + "\uFFFD".repeat(half.length())));
            assertThat(tokenizer.decode(tokenizer.encode(text))).startsWith("😀 a\u0000 ");
            assertThat(tokenizer.encodeAsText(half + Tokenizer.END_OF_TEXT + half)).doesNotContain(0);
        }
        assertThat(BpeTrainer.train(TEXT + "\uD83D", 270)).isEqualTo(BpeTrainer.train(TEXT + "\uFFFD", 270));
    }

    @Test
    void aTextMayHoldTheNameOfASpecialToken() throws IOException {
        Tokenizer tokenizer = tokenizer();
        String text = "The cat" + Tokenizer.END_OF_TEXT + "The cat";
        assertThat(tokenizer.encode(text)).contains(0);
        assertThat(tokenizer.encodeAsText(text)).doesNotContain(0);
        assertThat(tokenizer.decode(tokenizer.encodeAsText(text))).isEqualTo(text);
        assertThat(tokenizer.encodeAsText("The cat sat")).isEqualTo(tokenizer.encode("The cat sat"));
        String longText = (TEXT + "<|endoftext|>").repeat(100);
        assertThat(tokenizer.decode(tokenizer.encodeAsText(longText))).isEqualTo(longText);
    }

    /** Added tokens that are no steering ones keep their meaning and their ids, wherever the special ones stand among them. */
    @Test
    void otherAddedTokensKeepTheirIds() throws IOException {
        String added = "{\"id\":%d,\"content\":\"%s\",\"single_word\":false,\"lstrip\":false,\"rstrip\":false,"
                + "\"normalized\":false,\"special\":%b}";
        String json = BpeTrainer.train(TEXT, 280).replaceFirst("(?s)\"added_tokens\" : \\[.*?\\],\n  \"normalizer\"",
                Matcher.quoteReplacement("\"added_tokens\":[" + added.formatted(0, Tokenizer.END_OF_TEXT, true) + ","
                        + added.formatted(280, "<|user|>", true) + "," + added.formatted(281, "[gap]", false)
                        + "],\"normalizer\""));
        Tokenizer tokenizer = Tokenizer.parse(json, "test");
        assertThat(tokenizer.encode("a<|user|>[gap]<|endoftext|>")).endsWith(280, 281, 0);
        int[] ids = tokenizer.encodeAsText("a<|user|>[gap]<|endoftext|>");
        assertThat(ids).contains(281).doesNotContain(280, 0, 282);
        assertThat(tokenizer.decode(ids)).isEqualTo("a<|user|>[gap]<|endoftext|>");
    }

    @Test
    void otherKindsOfTokenizerAreNamed() throws IOException {
        String mine = BpeTrainer.train(TEXT, 280);
        String remedy = "; a model with such a tokenizer can be used by token ids only";
        String type = "t: model.type must be BPE, whose tokens are bytes, got ";
        refused("{\"model\":{\"type\":\"Unigram\",\"vocab\":[[\"a\",-1.5]]}}", type + "Unigram" + remedy);
        refused("{\"model\":{\"vocab\":[[\"a\",-1.5]]}}", type + "Unigram" + remedy);
        refused("{\"model\":{\"type\":\"WordPiece\",\"vocab\":{\"a\":0}}}", type + "WordPiece" + remedy);
        refused("{\"model\":{\"continuing_subword_prefix\":\"##\",\"vocab\":{\"a\":0}}}", type + "WordPiece" + remedy);
        refused("{\"model\":{\"type\":\"WordLevel\",\"vocab\":{\"a\":0}}}", type + "WordLevel" + remedy);
        String bytes = "t: pre_tokenizer or decoder must be ByteLevel, so that tokens are bytes, got ";
        refused(mine.replace("ByteLevel", "Metaspace"),
                bytes + "pre_tokenizer Metaspace and decoder Metaspace" + remedy);
        refused("{\"model\":{\"type\":\"BPE\",\"byte_fallback\":true,\"vocab\":{\"a\":0},\"merges\":[]}}",
                bytes + "a BPE of the sentencepiece kind, whose tokens are characters" + remedy);
        Tokenizer sequence = Tokenizer.parse(mine.replaceFirst("(?s)\"pre_tokenizer\" : (\\{.*?\\})",
                "\"pre_tokenizer\":{\"type\":\"Sequence\",\"pretokenizers\":[$1]}"), "t");
        assertThat(sequence.encode("The cat")).isEqualTo(tokenizer().encode("The cat"));
    }

    private static void refused(String json, String message) {
        assertThatIOException().isThrownBy(() -> Tokenizer.parse(json, "t")).withMessage(message);
    }

    @Test
    void aMarkAtTheBeginningIsNoJson(@TempDir Path folder) throws IOException {
        String json = BpeTrainer.train(TEXT, 280);
        Path file = Files.writeString(folder.resolve("tokenizer.json"), "\uFEFF" + json);
        assertThat(Tokenizer.load(file).json()).isEqualTo(json);
        assertThat(Tokenizer.parse("\uFEFF" + json, "t").vocabSize()).isEqualTo(280);
        Files.write(file, new byte[]{'{', (byte) 0xE9});
        assertThatIOException().isThrownBy(() -> Tokenizer.load(file)).withMessage(file
                + ": must be UTF-8 text, got the byte 0xE9 in line 1, byte 2 of the file; save it as UTF-8 first");
    }
}

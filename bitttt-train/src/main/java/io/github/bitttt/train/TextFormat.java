package io.github.bitttt.train;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.bitttt.llama.text.Excerpt;
import io.github.bitttt.llama.text.TextFile;
import io.github.bitttt.llama.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** How a training text is written down. */
public enum TextFormat {
    /** Plain text, {@value io.github.bitttt.llama.text.Tokenizer#END_OF_TEXT} between documents; every token counts. */
    PLAIN,
    /**
     * JSON lines, a document each: {@code {"text": "..."}}, or {@code {"prompt": "...", "completion": "..."}}, of which the
     * prompt is read only. The end of a document is an end token if the tokenizer has one.
     */
    JSON_LINES;

    private static final int MAX_SHOWN = 80;
    private static final ObjectMapper JSON = new ObjectMapper().enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);

    private record Document(String prompt, String completion) {}

    /** The format that a file's name tells.
     *
     * @param file any
     * @return JSON lines for .jsonl and .ndjson, in small letters or large, else plain text */
    public static TextFormat of(Path file) {
        return TextFile.isJsonLines(file) ? JSON_LINES : PLAIN;
    }

    /** Reads a file of this format, and checks each line of JSON lines.
     *
     * @param file UTF-8
     * @return its text
     * @throws IOException if it cannot be read or is not as the format says; the message names file and line */
    public String read(Path file) throws IOException {
        String text = TextFile.read(file);
        if (this == JSON_LINES) {
            try {
                documents(text);
            } catch (IllegalArgumentException e) {
                throw new IOException(file + ": " + e.getMessage(), e);
            }
        }
        return text;
    }

    /** The words alone, from which a tokenizer can be learned.
     *
     * @param text in this format
     * @return plain text */
    public String words(String text) {
        return this == PLAIN
                ? text
                : documents(text).stream()
                        .map(document -> Tokenizer.END_OF_TEXT + document.prompt() + document.completion())
                        .collect(Collectors.joining());
    }

    /** The tokens, and which of them count.
     *
     * @param text      in this format
     * @param tokenizer that encodes it
     * @return the text to train on
     * @throws IllegalArgumentException if a line is not as the format says */
    public TrainingText tokens(String text, Tokenizer tokenizer) {
        if (this == PLAIN) {
            return TrainingText.of(tokenizer.encode(text));
        }
        DocumentTokens tokens = new DocumentTokens(tokenizer);
        documents(text).forEach(document -> tokens.add(document.prompt(), document.completion()));
        return tokens.text();
    }

    /** Where the last tenth of a text begins; its length if it is to stay whole. */
    int lastTenth(String text) {
        int from = (int) (text.length() * 0.9);
        if (this == JSON_LINES) {
            int after = text.indexOf('\n', from);
            int cut = after >= 0 && !text.substring(after).isBlank() ? after : text.stripTrailing().lastIndexOf('\n');
            return cut > 0 && !text.substring(0, cut).isBlank() ? cut : text.length();
        }
        for (String end : List.of(Tokenizer.END_OF_TEXT, "\n", " ")) {
            int cut = text.indexOf(end, from);
            if (cut > 0 && !text.substring(cut).replace(Tokenizer.END_OF_TEXT, "").isBlank()) {
                return cut;
            }
        }
        int inACharacter = from > 0 && Character.isSurrogatePair(text.charAt(from - 1), text.charAt(from)) ? 1 : 0;
        return from > inACharacter ? from - inACharacter : text.length();
    }

    private static List<Document> documents(String text) {
        List<Document> documents = new ArrayList<>();
        int number = 0;
        for (String line : (Iterable<String>) text.lines()::iterator) {
            number++;
            if (!line.isBlank()) {
                documents.add(document(line, number));
            }
        }
        return documents;
    }

    private static Document document(String line, int number) {
        JsonNode json;
        try (JsonParser parser = JSON.createParser(line)) {
            json = JSON.readTree(parser);
            if (parser.nextToken() != null) {
                throw new IllegalArgumentException("line " + number
                        + " must be one JSON object and nothing behind it, got " + Excerpt.of(line, MAX_SHOWN));
            }
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException(
                    "line " + number + " must be JSON: " + Excerpt.of(e.getOriginalMessage(), MAX_SHOWN), e);
        } catch (IOException e) {
            throw new IllegalStateException("a text in memory cannot be read", e);
        }
        if (json.path("text").isTextual()) {
            return new Document("", json.get("text").asText());
        }
        if (json.path("prompt").isTextual() && json.path("completion").isTextual()) {
            return new Document(json.get("prompt").asText(), json.get("completion").asText());
        }
        throw new IllegalArgumentException("line " + number
                + " must be an object with a text, or with a prompt and a completion, got "
                + Excerpt.of(line, MAX_SHOWN));
    }
}

package io.github.bitttt.llama.text;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/**
 * Decodes token by token and holds back the bytes of a character that is not complete yet. For one thread.
 */
public final class StreamDecoder {
    private final Tokenizer tokenizer;
    private final CharsetDecoder utf8 = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPLACE)
            .onUnmappableCharacter(CodingErrorAction.REPLACE);
    private ByteBuffer pending = ByteBuffer.allocate(0);

    StreamDecoder(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /** The text that one more token completes.
     *
     * @param id the token
     * @return all characters that are complete now, perhaps none */
    public String next(int id) {
        byte[] bytes = tokenizer.bytes(id);
        ByteBuffer input = ByteBuffer.allocate(pending.remaining() + bytes.length).put(pending).put(bytes).flip();
        CharBuffer output = CharBuffer.allocate(input.remaining() + 1);
        utf8.reset().decode(input, output, false);
        pending = input.slice();
        return output.flip().toString();
    }

    /** What is held back at the end of the text.
     *  @return U+FFFD for an incomplete character, or nothing */
    public String end() {
        CharBuffer output = CharBuffer.allocate(pending.remaining() + 1);
        utf8.reset().decode(pending, output, true);
        pending = ByteBuffer.allocate(0);
        return output.flip().toString();
    }
}

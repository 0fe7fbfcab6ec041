package io.github.bitttt.llama.text;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The 256 printable characters that stand for bytes in byte-level BPE: printable Latin-1 for itself, all else from U+0100 on.
 *
 * <p>Source: GPT-2 (Radford et al., 2019), as in Hugging Face's ByteLevel.
 */
final class ByteAlphabet {
    private static final char[] CHARACTERS = characters();
    private static final int[] BYTES = bytes();

    private ByteAlphabet() {
    }

    private static char[] characters() {
        char[] characters = new char[256];
        char next = 256;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xA1 && b <= 0xAC || b >= 0xAE;
            characters[b] = printable ? (char) b : next++;
        }
        return characters;
    }

    private static int[] bytes() {
        int[] bytes = new int[512];
        Arrays.fill(bytes, -1);
        for (int b = 0; b < 256; b++) {
            bytes[CHARACTERS[b]] = b;
        }
        return bytes;
    }

    static char character(int b) {
        return CHARACTERS[b & 255];
    }

    /** The bytes that a token's characters stand for; a character outside the alphabet is its own UTF-8. */
    static byte[] decode(String token) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(token.length());
        token.codePoints().forEach(c -> {
            if (c < BYTES.length && BYTES[c] >= 0) {
                out.write(BYTES[c]);
            } else {
                out.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
            }
        });
        return out.toByteArray();
    }
}

package io.github.bitttt.tests.faults;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/** Damages a file at random: bytes, words of its JSON, numbers of its tensors, its length field. Repeats for the same seed. */
final class Mutator {
    /** What a file is made of. */
    enum Form {
        /** JSON from the first byte to the last. */
        JSON,
        /** 8 bytes of header length, a JSON header, little endian numbers. */
        SAFETENSORS,
        /** Texts and little endian numbers of 4 and 8 bytes, then numbers. */
        GGUF
    }

    private static final Pattern WORD = Pattern
            .compile("\"[^\"\\\\]*+(?:\\\\.[^\"\\\\]*+)*+\"|-?\\d[\\d.eE+-]*|true|false|null|[\\[\\]{}:,]");
    private static final List<String> WORDS = List.of("0", "-1", "1", "3", "255", "4294967296", "2147483647",
            "-2147483648",
            "9223372036854775807", "18446744073709551616", "1e400", "-0.0", "1e-310", "0.5", "1.5", "NaN", "null",
            "true",
            "false", "\"\"", "\"a\"", "\"F64\"", "\"I64\"", "\"BF16\"", "\"U8\"", "\"\\u0000\"", "\"\\ud800\"",
            "\"learned\"",
            "[]", "{}", "[[]]", "[0]", "[0,0]", "[1,2,3,4,5,6,7,8,9]", "{\"a\":1,\"a\":2}", "{\"a\":{\"b\":[{}]}}", "[",
            "]",
            "{", "}", ":", ",", "");
    private static final int[] FLOATS = {0x7FC00000, 0x7F800000, 0xFF800000, 0x7F7FFFFF, 0xFF7FFFFF, 1, 0x80000001,
            0x80000000,
            0x00800000, 0x7F800001, 0xFFFFFFFF, 0x501502F9};
    private static final long[] LENGTHS = {0, 1, 2, 7, 8, -1, 1L << 60, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 31,
            1L << 32,
            100_000_000, 100_000_001};

    private static final int GGUF_HEADER = 1800; // about, of the files that are damaged

    private final SplittableRandom random;
    private final Form form;

    Mutator(Form form, long seed) {
        this.form = form;
        this.random = new SplittableRandom(seed);
    }

    /** One kind of damage, or a few, one upon the other. */
    byte[] mutate(byte[] whole) {
        byte[] bytes = whole;
        do {
            bytes = switch (random.nextInt(form == Form.JSON ? 8 : 12)) {
                case 0, 1, 2, 3 -> form == Form.GGUF ? lieInHeader(bytes.clone()) : damageText(bytes);
                case 4 -> flip(bytes.clone());
                case 5 -> cut(bytes);
                case 6 -> repeat(bytes);
                case 7 -> swap(bytes);
                case 8 -> lieAboutLength(bytes.clone());
                default -> poison(bytes.clone());
            };
        } while (random.nextInt(4) == 0);
        return bytes;
    }

    private byte[] flip(byte[] bytes) {
        for (int left = 1 + random.nextInt(4); left > 0 && bytes.length > 0; left--) {
            int at = random.nextInt(bytes.length);
            bytes[at] = random.nextBoolean() ? (byte) (bytes[at] ^ 1 << random.nextInt(8)) : (byte) random.nextInt();
        }
        return bytes;
    }

    private byte[] cut(byte[] bytes) {
        int from = random.nextInt(bytes.length + 1);
        int to = random.nextInt(3) == 0 ? bytes.length : Math.min(bytes.length, from + random.nextInt(64));
        return join(Arrays.copyOf(bytes, from), Arrays.copyOfRange(bytes, to, bytes.length));
    }

    private byte[] repeat(byte[] bytes) {
        int from = random.nextInt(bytes.length + 1);
        int to = Math.min(bytes.length, from + random.nextInt(64));
        byte[] piece = Arrays.copyOfRange(bytes, from, to);
        byte[] grown = Arrays.copyOf(bytes, to);
        for (int left = 1 + random.nextInt(20); left > 0; left--) {
            grown = join(grown, piece);
        }
        return join(grown, Arrays.copyOfRange(bytes, to, bytes.length));
    }

    private byte[] swap(byte[] bytes) {
        int a = random.nextInt(bytes.length + 1);
        int b = random.nextInt(bytes.length + 1);
        int c = random.nextInt(bytes.length + 1);
        int[] cuts = {a, b, c};
        Arrays.sort(cuts);
        return join(join(Arrays.copyOf(bytes, cuts[0]), Arrays.copyOfRange(bytes, cuts[1], cuts[2])),
                join(Arrays.copyOfRange(bytes, cuts[0], cuts[1]), Arrays.copyOfRange(bytes, cuts[2], bytes.length)));
    }

    private byte[] poison(byte[] bytes) {
        int start = headerEnd(bytes);
        for (int left = 1 + random.nextInt(3); left > 0 && bytes.length - start >= 4; left--) {
            int at = start + random.nextInt((bytes.length - start) / 4) * 4;
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(at, FLOATS[random.nextInt(FLOATS.length)]);
        }
        return bytes;
    }

    /** A field among the names gets a number that it should not have. */
    private byte[] lieInHeader(byte[] bytes) {
        int end = Math.min(bytes.length, headerEnd(bytes)) - 8;
        if (end > 0) {
            int at = random.nextInt(end);
            ByteBuffer into = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            long lie = random.nextBoolean() ? LENGTHS[random.nextInt(LENGTHS.length)] : random.nextInt(300);
            if (random.nextBoolean()) {
                into.putInt(at, (int) lie);
            } else {
                into.putLong(at, lie);
            }
        }
        return bytes;
    }

    private byte[] lieAboutLength(byte[] bytes) {
        if (bytes.length >= 8) {
            long lie = random.nextBoolean()
                    ? LENGTHS[random.nextInt(LENGTHS.length)]
                    : random.nextInt(bytes.length + 9);
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(0, lie);
        }
        return bytes;
    }

    /** Where the numbers begin, as far as the file can be believed. */
    private int headerEnd(byte[] bytes) {
        if (form == Form.JSON || bytes.length < 8) {
            return bytes.length;
        }
        if (form == Form.GGUF) {
            return Math.min(bytes.length, GGUF_HEADER);
        }
        long length = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
        return length >= 0 && length <= bytes.length - 8 ? (int) length + 8 : 8;
    }

    /** Replaces, drops, doubles or adds words of the JSON; a header's length stays true. */
    private byte[] damageText(byte[] bytes) {
        int start = form == Form.JSON ? 0 : Math.min(8, bytes.length);
        int end = headerEnd(bytes);
        String text = new String(bytes, start, end - start, StandardCharsets.UTF_8);
        List<MatchResult> words = WORD.matcher(text).results().toList();
        if (words.isEmpty()) {
            return flip(bytes.clone());
        }
        byte[] damaged = damage(text, words).getBytes(StandardCharsets.UTF_8);
        if (form == Form.JSON) {
            return damaged;
        }
        byte[] length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(damaged.length).array();
        return join(join(length, damaged), Arrays.copyOfRange(bytes, end, bytes.length));
    }

    private String damage(String text, List<MatchResult> words) {
        MatchResult word = words.get(random.nextInt(words.size()));
        MatchResult other = words.get(random.nextInt(words.size()));
        String before = text.substring(0, word.start());
        String after = text.substring(word.end());
        return switch (random.nextInt(8)) {
            case 0, 1, 2 -> before + WORDS.get(random.nextInt(WORDS.size())) + after;
            case 3, 4 -> before + other.group() + after;
            case 5 -> before + nearby(word.group()) + after;
            case 6 -> before + "[".repeat(1 + random.nextInt(2000)) + after;
            default -> before + word.group() + "," + other.group() + after;
        };
    }

    private String nearby(String word) {
        try {
            return String.valueOf(Math.addExact(Long.parseLong(word), random.nextInt(-3, 4)));
        } catch (ArithmeticException | NumberFormatException e) {
            return "\"" + "x".repeat(random.nextInt(300)) + "\"";
        }
    }

    private static byte[] join(byte[] first, byte[] second) {
        ByteArrayOutputStream out = new ByteArrayOutputStream(first.length + second.length);
        out.writeBytes(first);
        out.writeBytes(second);
        return out.toByteArray();
    }
}

package io.github.bitttt.llama.adapt;

/**
 * What a memory at the output consists of, and how fast it learns. A part whose number is 0 is left out.
 *
 * @param rate         step of the matrix, as a share of the squared length of a row of the head
 * @param biasRate     step of the bias of words
 * @param scaleRate    step of the scale of the adapted logits
 * @param ringKeys     past positions that are kept
 * @param ringWidth    numbers of a kept key, at least 1
 * @param tableBits    logarithm of the contexts of each length that the table holds
 */
public record OutputMemory(double rate, double biasRate, double scaleRate, int ringKeys, int ringWidth, int tableBits) {
    private static final int MOST_BITS = 24;
    private static final int MOST_KEYS = 1 << 20;

    /** Checks the numbers. */
    public OutputMemory {
        checkRate("rate", rate);
        checkRate("bias rate", biasRate);
        checkRate("scale rate", scaleRate);
        if (ringKeys < 0 || ringKeys > MOST_KEYS || ringWidth < 1 || ringWidth > 4096) {
            throw new IllegalArgumentException("a ring has 0 to " + MOST_KEYS + " keys of 1 to 4096 numbers, got "
                    + ringKeys + " of " + ringWidth);
        }
        if (tableBits < 0 || tableBits > MOST_BITS) {
            throw new IllegalArgumentException("table bits must be 0 to " + MOST_BITS + ", got " + tableBits);
        }
    }

    private static void checkRate(String name, double rate) {
        if (!(rate >= 0 && rate <= 10)) {
            throw new IllegalArgumentException(name + " must be 0 to 10, got " + rate);
        }
    }

    /** All parts, with the rates that were best on the whole in docs/experiments/output-memory.md.
     *  @return the usual memory */
    public static OutputMemory standard() {
        return new OutputMemory(2, 0.2, 3e-4, 1024, 128, 14);
    }

    /** The table of successors alone: plain counts, the rival that a learned memory is measured against.
     *  @return a memory without matrix and ring */
    public static OutputMemory counts() {
        return new OutputMemory(0, 0, 0, 0, 1, 14);
    }

    /** A memory by its name, for programs and other languages.
     *
     * @param name standard or counts
     * @return the memory
     * @throws IllegalArgumentException if it is neither */
    public static OutputMemory named(String name) {
        return switch (name) {
            case "standard" -> standard();
            case "counts" -> counts();
            default -> throw new IllegalArgumentException("a memory at the output is standard or counts, got " + name);
        };
    }

    /** Whether the head is applied a second time, to the adapted row.
     *  @return true if there is a matrix */
    boolean hasMatrix() {
        return rate > 0;
    }
}

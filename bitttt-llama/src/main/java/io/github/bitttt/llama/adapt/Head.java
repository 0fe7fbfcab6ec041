package io.github.bitttt.llama.adapt;

/** The rows of a model's head, one for each token of the vocabulary. */
public interface Head {
    /** Tokens of the vocabulary.
     *  @return V */
    int tokens();

    /** The width of a row.
     *  @return D */
    int width();

    /** A token's row.
     *
     * @param token its id
     * @param row   receives [D] */
    void row(int token, float[] row);
}

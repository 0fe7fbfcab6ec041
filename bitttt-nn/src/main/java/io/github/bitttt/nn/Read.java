package io.github.bitttt.nn;

/** When a TTT layer reads its memory: what it answers is W f. */
public enum Read {
    /** With W as it was before this token's update (the seed). */
    BEFORE,
    /** With W as it is after this token's update (the default). */
    AFTER
}

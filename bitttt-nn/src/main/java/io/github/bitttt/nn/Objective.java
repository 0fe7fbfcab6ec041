package io.github.bitttt.nn;

/** What a memory learns, token by token: loss 1/2 ||v - W k||^2 with value v = f_t. */
public enum Objective {
    /** Key f_t: the memory learns the features it sees (the seed). */
    RECONSTRUCT,
    /** Key f_{t-1}: the memory learns which feature follows which (the default). */
    PREDICT_NEXT
}

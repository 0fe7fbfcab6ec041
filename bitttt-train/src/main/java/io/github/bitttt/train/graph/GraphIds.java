package io.github.bitttt.train.graph;

import io.github.bitttt.nn.TokenIds;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * Token ids of a graph.
 *
 * @param variable placeholder INT32 [B * T]
 */
public record GraphIds(SDVariable variable) implements TokenIds<SDVariable> {}

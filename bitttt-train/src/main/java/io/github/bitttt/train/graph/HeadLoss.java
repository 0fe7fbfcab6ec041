package io.github.bitttt.train.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;

/**
 * The head and its cross entropy, a piece of the rows at a time: the logits of a whole batch are the largest array of a step,
 * and softmax is twice as fast where they stay in the cache. A piece's gradients are computed right after its loss.
 */
final class HeadLoss {
    /** Logits of a piece: 8 MB of floats. */
    private static final long PIECE = 1 << 21;
    private static final int MOST_PIECES = 64;

    private final SameDiff graph;
    private final GraphMath math;
    private final SDVariable weight;
    private final Optional<SDVariable> bias;
    private final int vocabulary;
    private final int rows; // of a piece
    private final int pieces;

    HeadLoss(SameDiff graph, GraphMath math, SDVariable weight, Optional<SDVariable> bias, int vocabulary, int rows) {
        this.graph = graph;
        this.math = math;
        this.weight = weight;
        this.bias = bias;
        this.vocabulary = vocabulary;
        this.rows = pieceRows(rows, vocabulary);
        this.pieces = rows / this.rows;
    }

    /** The rows of a piece: as many as fit, in equal pieces; all of them if that would make many small ones. */
    static int pieceRows(int rows, int vocabulary) {
        for (int pieces = 1; pieces <= MOST_PIECES; pieces++) {
            if (rows % pieces == 0 && (long) rows / pieces * vocabulary <= PIECE) {
                return rows / pieces;
            }
        }
        return rows;
    }

    /** What one piece adds. */
    private record Piece(SDVariable loss, SDVariable probabilities, SDVariable dx, SDVariable dWeight,
            Optional<SDVariable> dBias) {}

    GraphOps.Loss apply(SDVariable hidden, SDVariable targetIndex, SDVariable targetWeights) {
        SDVariable[] x = split(hidden);
        SDVariable[] index = split(targetIndex);
        SDVariable[] weights = split(targetWeights);
        List<Piece> parts = new ArrayList<>();
        for (int i = 0; i < pieces; i++) {
            parts.add(piece(x[i], index[i], weights[i]));
        }
        SDVariable loss = parts.stream().map(Piece::loss).reduce(SDVariable::add).orElseThrow();
        SDVariable dx = joined(parts.stream().map(Piece::dx).toList());
        SDVariable dWeight = parts.stream().map(Piece::dWeight).reduce(SDVariable::add).orElseThrow();
        List<SDVariable> inputs = new ArrayList<>(List.of(hidden, weight));
        List<SDVariable> gradients = new ArrayList<>(List.of(dx, dWeight));
        bias.ifPresent(offset -> {
            inputs.add(offset);
            gradients.add(parts.stream().map(part -> part.dBias().orElseThrow()).reduce(SDVariable::add).orElseThrow());
        });
        math.define(loss, inputs, g -> gradients.stream().map(gradient -> gradient.mul(g)).toList());
        return new GraphOps.Loss(loss, joined(parts.stream().map(Piece::probabilities).toList()), rows);
    }

    private Piece piece(SDVariable x, SDVariable index, SDVariable weights) {
        SDVariable products = math.matMul(x, false, weight, true);
        SDVariable logits = bias.map(offset -> math.addRows(products, offset, rows, vocabulary)).orElse(products);
        SDVariable softmax = graph.nn.softmax(logits);
        SDVariable probabilities = math.probabilities(softmax, index);
        SDVariable loss = math.crossEntropy(probabilities, weights, rows);
        SDVariable dLogits = math.crossEntropyGradient(softmax, index, weights, rows);
        return new Piece(loss, probabilities, math.matMul(dLogits, false, weight, false),
                math.matMul(dLogits, true, x, false), bias.map(_ -> math.sumRows(dLogits, rows, vocabulary)));
    }

    private SDVariable[] split(SDVariable x) {
        return pieces == 1 ? new SDVariable[]{x} : graph.split(x, pieces, 0);
    }

    private SDVariable joined(List<SDVariable> parts) {
        return pieces == 1 ? parts.getFirst() : graph.concat(0, parts.toArray(SDVariable[]::new));
    }
}

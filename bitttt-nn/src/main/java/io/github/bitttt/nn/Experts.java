package io.github.bitttt.nn;

import java.util.List;
import java.util.stream.Stream;

/**
 * A feed-forward layer of many, of which each token uses few.
 *
 * <pre>
 * p   = softmax(router x)                        [E]
 * K   = the k experts of the largest p           of equals, the first
 * w_e = p_e, divided by their sum over K where they are renormalised
 * y   = sum over K of w_e expert_e(x) + sigmoid(sharedGate x) shared(x)
 * </pre>
 *
 * <p>Shapes: x, y [n, D], router [E, D], sharedGate [1, D]. The graph reading does not train it. Source: Qwen3-Next, as transformers has it.
 *
 * @param router       scores
 * @param experts      E of them
 * @param chosen       k, for each token
 * @param renormalised whether the weights of the chosen sum to 1
 * @param shared       the one that every token uses
 * @param sharedGate   by how much
 */
public record Experts(Param router, List<GatedMlp> experts, int chosen, boolean renormalised, GatedMlp shared,
        Param sharedGate) implements FeedForward {
    /** Checks the sizes. */
    public Experts {
        experts = List.copyOf(experts);
        if (router.rows() != experts.size() || sharedGate.rows() != 1
                || router.columns() != sharedGate.columns()) {
            throw new IllegalArgumentException("router " + router + " and gate " + sharedGate + " do not fit "
                    + experts.size() + " experts: they are [E, D] and [1, D]");
        }
        if (chosen < 1 || chosen > experts.size()) {
            throw new IllegalArgumentException(router.path() + ": a token uses 1 to " + experts.size()
                    + " experts, got " + chosen);
        }
    }

    @Override
    public <T> T forward(Ops<T> ops, T x) {
        return ops.experts(this, x);
    }

    @Override
    public List<Param> params() {
        return Stream.of(Stream.of(router), experts.stream().flatMap(expert -> expert.params().stream()),
                shared.params().stream(), Stream.of(sharedGate)).flatMap(params -> params).toList();
    }
}

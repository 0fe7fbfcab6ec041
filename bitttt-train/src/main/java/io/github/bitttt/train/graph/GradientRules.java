package io.github.bitttt.train.graph;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.nd4j.autodiff.samediff.SDVariable;

/**
 * Hand-written derivatives of parts of a graph: straight-through estimators, and rules that are faster or righter than
 * composing the derivatives of the operations inside.
 *
 * <p>A rule says how the gradient of a value reaches the inputs of the part that computed it; {@link ReverseMode} then
 * steps over the operations in between.
 */
public final class GradientRules {
    private final Map<String, Rule> rules = new HashMap<>();

    /** No rules yet. */
    public GradientRules() {
    }

    /**
     * The derivative of one value.
     *
     * @param inputs   what it depends on, as far as gradients are concerned
     * @param backward from the value's gradient to those of the inputs, in their order
     */
    record Rule(List<SDVariable> inputs, Function<SDVariable, List<SDVariable>> backward) {}

    /** States the derivative of a value.
     *
     * @param value    computed from the inputs by operations recorded after them
     * @param inputs   what its gradient flows to
     * @param backward from the value's gradient to the inputs' gradients, in their order
     * @return the value */
    public SDVariable define(SDVariable value, List<SDVariable> inputs,
            Function<SDVariable, List<SDVariable>> backward) {
        rules.put(value.name(), new Rule(List.copyOf(inputs), backward));
        return value;
    }

    Rule of(String variable) {
        return rules.get(variable);
    }
}

package io.github.bitttt.train.graph;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.autodiff.samediff.SDVariable;
import org.nd4j.autodiff.samediff.SameDiff;
import org.nd4j.autodiff.samediff.internal.SameDiffOp;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Reverse-mode differentiation of a SameDiff graph, recorded into the same graph.
 *
 * <p>It walks the operations backwards and asks each for its own derivative ({@code doDiff}), unless a rule of
 * {@link GradientRules} speaks for its value. SameDiff's own gradient function clones the graph and loses such rules.
 */
public final class ReverseMode {
    private final SameDiff graph;
    private final GradientRules rules;
    private final Map<String, SDVariable> gradients = new HashMap<>();
    private final Set<String> needed;

    private ReverseMode(SameDiff graph, GradientRules rules, Collection<String> wanted) {
        this.graph = graph;
        this.rules = rules;
        this.needed = new HashSet<>(wanted);
    }

    /** Records the gradients of a scalar.
     *
     * @param graph  with every operation in an order in which it can run
     * @param rules  hand-written derivatives
     * @param loss   a scalar of the graph
     * @param wanted names of variables
     * @return a gradient variable for each wanted name that the loss depends on, in the order given */
    public static Map<String, SDVariable> gradients(SameDiff graph, GradientRules rules, SDVariable loss,
            Collection<String> wanted) {
        ReverseMode reverse = new ReverseMode(graph, rules, wanted);
        List<SameDiffOp> forward = new ArrayList<>(graph.getOps().values());
        forward.forEach(reverse::markNeeded);
        reverse.gradients.put(loss.name(), graph.constant(Nd4j.scalar(loss.dataType(), 1)));
        forward.reversed().forEach(reverse::step);
        Map<String, SDVariable> found = new LinkedHashMap<>();
        for (String name : wanted) {
            if (reverse.gradients.containsKey(name)) {
                found.put(name, reverse.gradients.get(name));
            }
        }
        return found;
    }

    private void markNeeded(SameDiffOp op) {
        for (String output : op.getOutputsOfOp()) {
            GradientRules.Rule rule = rules.of(output);
            boolean depends = rule == null
                    ? op.getInputsToOp() != null && op.getInputsToOp().stream().anyMatch(needed::contains)
                    : rule.inputs().stream().anyMatch(input -> needed.contains(input.name()));
            if (depends && graph.getVariable(output).dataType().isFPType()) {
                needed.add(output);
            }
        }
    }

    private void step(SameDiffOp op) {
        List<String> outputs = op.getOutputsOfOp();
        if (outputs.stream().noneMatch(name -> gradients.containsKey(name) && needed.contains(name))) {
            return;
        }
        GradientRules.Rule rule = rules.of(outputs.getFirst());
        if (rule != null) {
            List<SDVariable> inputGradients = rule.backward().apply(gradients.get(outputs.getFirst()));
            for (int i = 0; i < rule.inputs().size(); i++) {
                accumulate(rule.inputs().get(i).name(), inputGradients.get(i));
            }
            return;
        }
        List<SDVariable> outputGradients = outputs.stream()
                .map(name -> gradients.containsKey(name)
                        ? gradients.get(name)
                        : graph.zerosLike(graph.getVariable(name)))
                .toList();
        List<SDVariable> inputGradients = op.getOp().doDiff(outputGradients);
        for (int i = 0; i < Math.min(inputGradients.size(), op.getInputsToOp().size()); i++) {
            accumulate(op.getInputsToOp().get(i), inputGradients.get(i));
        }
    }

    private void accumulate(String name, SDVariable gradient) {
        if (needed.contains(name) && gradient != null) {
            gradients.merge(name, gradient, SDVariable::add);
        }
    }
}

package io.github.bitttt.cli;

import java.util.Map;
import java.util.Stack;
import picocli.CommandLine.IParameterPreprocessor;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;

/**
 * Takes what stands behind {@code --option=} as it is, also where it is the name of an option.
 *
 * <p>The option's default has to be its field's first value: picocli would give it a {@code defaultValue} over this.
 */
final class AttachedText implements IParameterPreprocessor {
    @Override
    public boolean preprocess(Stack<String> arguments, CommandSpec command, ArgSpec option, Map<String, Object> info) {
        if (info.getOrDefault("separator", " ").toString().isBlank()) { // the value is an argument of its own
            return false;
        }
        option.setValue(arguments.pop());
        return true;
    }
}

package io.github.bitttt.tests.faults;

import java.io.IOException;
import java.util.Map;

/** Runs a program in a Java of its own, for tests of other packages. */
public final class Programs {
    private Programs() {
    }

    /** Runs a main class to its end.
     *
     * @return what it printed, errors included */
    public static String run(Class<?> main, String... arguments) throws IOException, InterruptedException {
        return new ChildJvm().run(main, arguments).success();
    }

    /** Runs a main class to its end in an environment.
     *
     * @param environment what it has besides this process's; an empty value takes a variable away
     * @return what it printed, errors included */
    public static String run(Map<String, String> environment, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        return new ChildJvm().with(environment).run(main, arguments).success();
    }

    /** Runs a main class that is to fail.
     *
     * @param environment what it has besides this process's
     * @return what it printed, errors included */
    public static String failing(Map<String, String> environment, Class<?> main, String... arguments)
            throws IOException, InterruptedException {
        ChildJvm.Result result = new ChildJvm().with(environment).run(main, arguments);
        if (result.code() == 0) {
            throw new AssertionError("the child did not fail:\n" + result.output());
        }
        return result.output();
    }
}

package io.github.bitttt.tests.faults;

import java.io.IOException;

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
}

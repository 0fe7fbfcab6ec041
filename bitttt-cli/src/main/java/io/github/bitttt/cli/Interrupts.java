package io.github.bitttt.cli;

import java.lang.reflect.Proxy;
import java.util.Optional;

/** Ctrl-C as something that is done instead of ending the process, until this is closed. */
final class Interrupts implements AutoCloseable {
    // By reflection: every Java has these classes, and the compiler warns of them in a way that cannot be turned off.
    private static final String SIGNAL = "sun.misc.Signal";
    private static final String HANDLER = "sun.misc.SignalHandler";

    private final Optional<Object> before;

    private Interrupts(Optional<Object> before) {
        this.before = before;
    }

    /** What Ctrl-C does from now on. Where Java leaves that to the system, it ends the process as before.
     *
     * @param action done by another thread */
    static Interrupts handle(Runnable action) {
        try {
            Class<?> handler = Class.forName(HANDLER);
            return new Interrupts(Optional.ofNullable(set(Proxy.newProxyInstance(Interrupts.class.getClassLoader(),
                    new Class<?>[]{handler}, (proxy, method, arguments) -> switch (method.getName()) {
                        case "handle" -> {
                            action.run();
                            yield null;
                        }
                        case "equals" -> proxy == arguments[0];
                        case "hashCode" -> System.identityHashCode(proxy);
                        default -> "what Ctrl-C does";
                    }))));
        } catch (ReflectiveOperationException e) {
            return new Interrupts(Optional.empty()); // Java was started with -Xrs, or has no such class
        }
    }

    private static Object set(Object handler) throws ReflectiveOperationException {
        Class<?> signal = Class.forName(SIGNAL);
        return signal.getMethod("handle", signal, Class.forName(HANDLER)).invoke(null,
                signal.getConstructor(String.class).newInstance("INT"), handler);
    }

    /** Ctrl-C does again what it did. */
    @Override
    public void close() {
        try {
            if (before.isPresent()) {
                set(before.get());
            }
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("it could be set before", e);
        }
    }
}

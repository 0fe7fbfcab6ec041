package io.github.bitttt.train;

import org.nd4j.linalg.factory.Nd4j;
import org.nd4j.linalg.factory.Nd4jBackend;

/** ND4J's backend, started with an error that says what to do. */
final class Backend {
    private static final String CUDA = "org/nd4j/linalg/jcublas/JCublasBackend.class";

    private Backend() {
    }

    /** Starts ND4J, once for the process.
     *
     * @throws IllegalStateException if no backend of the class path can run here */
    static void start() {
        // Without these, OpenMP's threads wait for each other in loops: on a machine whose cores have other work too, training is five
        // times slower. They are read when ND4J loads its library, and a value that somebody set stays.
        NativeEnvironment.setIfAbsent("OMP_WAIT_POLICY", "PASSIVE");
        NativeEnvironment.setIfAbsent("GOMP_SPINCOUNT", "0");
        try {
            Nd4j.getExecutioner();
        } catch (LinkageError e) {
            // Nd4j starts in its class initializer: a failure comes as an error, and later uses as a missing class.
            throw new IllegalStateException(message(Backend.class.getClassLoader().getResource(CUDA) != null, e), e);
        }
    }

    static String message(boolean cuda, Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && !(cause instanceof Nd4jBackend.NoAvailableBackendException)) {
            cause = cause.getCause();
        }
        return (cuda
                ? "ND4J's CUDA backend cannot run here: it needs a GPU of compute capability 3.7, 5.0, 5.2, 6.0, 6.1, 7.0, 7.5,"
                        + " 8.0 or 8.6 (its library holds no PTX, so a Hopper or newer GPU cannot run it) and the"
                        + " libraries of CUDA 11.6; to train on the CPU, put nd4j-native on the class path in place of"
                        + " nd4j-cuda-11.6 (in this build: leave out -Pcuda)"
                : "ND4J has no backend that runs here: put nd4j-native, and its classifier for this platform, on the class"
                        + " path")
                + "; ND4J says: " + cause;
    }
}

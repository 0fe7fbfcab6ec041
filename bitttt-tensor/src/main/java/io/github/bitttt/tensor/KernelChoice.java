package io.github.bitttt.tensor;

import io.github.bitttt.tensor.internal.Kernels;
import io.github.bitttt.tensor.internal.NaiveKernels;
import io.github.bitttt.tensor.internal.PlainKernels;
import java.lang.reflect.InvocationTargetException;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.helpers.NOPLoggerFactory;

/**
 * Which family of kernels runs: decided once, from {@code -Dbitttt.kernels=naive|plain|vector|lut16|lut256|lut128} or, without it, from what this
 * Java and this machine offer.
 *
 * @param kernels the family
 * @param reason  why it was chosen
 */
public record KernelChoice(Kernels kernels, String reason) {
    /** The system property that forces a family. */
    public static final String PROPERTY = "bitttt.kernels";

    private static final String MODULE = "jdk.incubator.vector";
    private static final String MODULE_OFF = "vector kernels are off: add --add-modules " + MODULE
            + " to the java command";
    // Measured on vectors of 512 bits: 1024 x 256 8.7 us by plain kernels, 0.83 us by lut16.
    private static final String SLOW = MODULE_OFF
            + "; plain kernels run instead, whose ternary products take up to ten times as long";

    /** Holds the choice; made when first asked for. */
    private static final class Chosen {
        static final KernelChoice CHOICE = announce(choose(System.getProperty(PROPERTY)));
    }

    /** The choice of this process.
     *
     * @return always the same
     * @throws IllegalStateException    if a forced family cannot be had
     * @throws IllegalArgumentException if the property names no family */
    public static KernelChoice current() {
        return Chosen.CHOICE;
    }

    /** The choice that a value of the property makes.
     *
     * @param forced a family's name, or null for the best
     * @return the choice */
    static KernelChoice choose(String forced) {
        if (forced == null) {
            return best();
        }
        return switch (forced.toLowerCase(Locale.ROOT)) {
            case "naive" -> new KernelChoice(NaiveKernels.INSTANCE, "forced by -D" + PROPERTY);
            case "plain" -> new KernelChoice(PlainKernels.INSTANCE, "forced by -D" + PROPERTY);
            case "vector" -> new KernelChoice(vectorKernels(""), "forced by -D" + PROPERTY);
            case "lut16", "lut256", "lut128" ->
                new KernelChoice(vectorKernels(forced), forced + " forced by -D" + PROPERTY);
            default -> throw new IllegalArgumentException("-D" + PROPERTY
                    + " must be naive, plain, vector, or one of the vector kernels lut16, lut256 and lut128, got "
                    + forced);
        };
    }

    private static KernelChoice best() {
        try {
            Kernels vector = vectorKernels("");
            return new KernelChoice(vector, vector.reason());
        } catch (IllegalStateException e) {
            return new KernelChoice(PlainKernels.INSTANCE, e.getMessage());
        }
    }

    private static KernelChoice announce(KernelChoice choice) {
        Logger logger = LoggerFactory.getLogger(KernelChoice.class);
        if (!choice.reason().equals(MODULE_OFF)) {
            logger.info("{} kernels: {}", choice.kernels().name(), choice.reason());
        } else if (LoggerFactory.getILoggerFactory() instanceof NOPLoggerFactory) {
            // A program without a logging provider would hear of it only by its clock.
            System.err.println("bitttt: WARN " + SLOW);
        } else {
            logger.warn(SLOW);
        }
        return choice;
    }

    private static Kernels vectorKernels(String kernel) {
        if (ModuleLayer.boot().findModule(MODULE).isEmpty()) {
            throw new IllegalStateException(MODULE_OFF);
        }
        try {
            // By name: without the module the class cannot even be linked.
            return (Kernels) Class.forName("io.github.bitttt.tensor.internal.simd.WarmingKernels")
                    .getConstructor(String.class).newInstance(kernel);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof IllegalStateException unmet) {
                throw unmet;
            }
            throw new LinkageError("vector kernels could not be made", e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("vector kernels are not in this jar", e);
        }
    }

    /** The family in use.
     *  @return {@code naive}, {@code plain} or {@code vector} */
    public String name() {
        return kernels.name();
    }

    /** Waits until the kernels are compiled, a second or so after their first use: for benchmarks. Results never depend on it.
     *
     * @throws InterruptedException if the thread is interrupted while it waits */
    public void awaitReady() throws InterruptedException {
        kernels.awaitReady();
    }

    @Override
    public String toString() {
        return kernels.name() + " kernels (" + reason + ")";
    }
}

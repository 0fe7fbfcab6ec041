package io.github.bitttt.tests.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.bitttt.tests.faults.HostileReaders.Target;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Damaged files of every format: each reader succeeds or throws its documented exception, within a second and within memory in
 * proportion to the file.
 *
 * <p>{@code -Dbitttt.fuzz.mutations}, {@code .seconds} (goes on at least so long) and {@code .seed} change the run.
 */
class HostileFilesTest {
    private static final long MUTATIONS = Long.getLong("bitttt.fuzz.mutations", 20_000);
    private static final long SECONDS = Long.getLong("bitttt.fuzz.seconds", 0);
    private static final long SEED = Long.getLong("bitttt.fuzz.seed", 1);

    private final Map<String, Long> outcomes = new LinkedHashMap<>();
    private final Set<String> losses = new LinkedHashSet<>();

    @Test
    void everyMutationEndsInSuccessOrItsDocumentedException() throws IOException {
        Path folder = emptyFolder();
        List<Target> targets = HostileReaders.all(folder);
        List<byte[]> sound = new ArrayList<>();
        for (Target target : targets) {
            sound.add(Files.readAllBytes(target.file()));
            target.reader().read(target.file());
        }
        long end = System.nanoTime() + Duration.ofSeconds(SECONDS).toNanos();
        long tried = 0;
        while (tried < MUTATIONS || System.nanoTime() < end) {
            int number = (int) (tried % targets.size());
            Target target = targets.get(number);
            byte[] damaged = new Mutator(target.form(), SEED + tried).mutate(sound.get(number));
            // Written before it is read: if the process dies, this is the file that killed it.
            Files.write(target.file(), damaged);
            attempt(target, damaged.length, "seed " + (SEED + tried));
            tried++;
        }
        Tally.write("hostile-files",
                tried + " mutations of " + targets.size() + " formats tried, " + losses.size() + " lost; "
                        + outcomes);
        assertThat(losses).isEmpty();
    }

    private void attempt(Target target, long fileBytes, String which) {
        Effort effort = Effort.of(() -> target.reader().read(target.file()));
        effort.thrown().filter(thrown -> !target.refusals().isInstance(thrown) || thrown.getMessage() == null
                || thrown.getMessage().length() > 1000).ifPresent(thrown -> lost(target, which,
                        thrown + "\n  "
                                + Stream.of(thrown.getStackTrace()).limit(8).map(String::valueOf).toList()));
        effort.excess(fileBytes).ifPresent(why -> lost(target, which, why));
        outcomes.merge(target.name() + (effort.thrown().isPresent() ? " refused" : " read"), 1L, Long::sum);
    }

    private void lost(Target target, String which, String why) {
        if (losses.add(target.name() + ": " + why)) {
            System.err.println(target.name() + ", " + which + ": " + why);
        }
    }

    private static Path emptyFolder() throws IOException {
        Path folder = Path.of("target", "hostile");
        if (Files.exists(folder)) {
            try (Stream<Path> files = Files.walk(folder)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.delete(file);
                }
            }
        }
        return Files.createDirectories(folder);
    }
}

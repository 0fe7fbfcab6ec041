package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIOException;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.data.Offset.offset;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SessionTest {
    private static final int[] IDS = {5, 9, 100, 5, 9, 7, 200, 269, 0, 5, 9};

    private static void assertClose(float[] expected, float[] got) {
        for (int i = 0; i < expected.length; i++) {
            assertThat(got[i]).isCloseTo(expected[i], offset(1e-3f));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {7, 33, 64, 207})
    void splitLaw(int width) throws IOException {
        Model model = TinyModel.of(width, 2, 3);
        try (Session whole = model.newSession();
                Session tokens = model.newSession();
                Session again = model.newSession()) {
            float[] expected = whole.feed(IDS).clone();
            float[] got = null;
            for (int id : IDS) {
                got = tokens.feed(id);
                again.feed(id);
            }
            assertClose(expected, got);
            assertThat(again.feed(1)).containsExactly(tokens.feed(1));
            assertThat(tokens.position()).isEqualTo(IDS.length + 1);
        }
    }

    @Test
    void everyPositionHasItsLogits() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        int[] many = new int[150];
        Arrays.setAll(many, i -> IDS[i % IDS.length]);
        try (Session all = model.newSession(); Session one = model.newSession()) {
            all.feed(many, (index, logits) -> assertClose(one.feed(many[index]), logits));
            assertThat(all.position()).isEqualTo(150);
        }
    }

    @Test
    void forksLearnByThemselves() throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        try (Session session = model.newSession()) {
            session.feed(IDS);
            try (Session fork = session.fork()) {
                assertThat(fork.position()).isEqualTo(session.position());
                assertThat(fork.feed(7)).containsExactly(session.feed(7));
                session.feed(9);
                fork.feed(8);
                assertThat(fork.feed(7)).isNotEqualTo(session.feed(7));
            }
        }
    }

    @Test
    void savedMemoryGoesOnBitForBit(@TempDir Path folder) throws IOException {
        Model model = TinyModel.of(33, 2, 3);
        Path file = folder.resolve("m.safetensors");
        try (Session session = model.newSession(); Session other = model.newSession()) {
            session.feed(IDS);
            session.saveMemory(file);
            other.loadMemory(file);
            assertThat(other.feed(7)).containsExactly(session.feed(7));
            other.reset();
            assertThat(other.memoryNorms()).containsOnly(0);
        }
        try (Session stranger = TinyModel.of(33, 2, 4).newSession()) {
            assertThatIOException().isThrownBy(() -> stranger.loadMemory(file))
                    .withMessageContaining("this memory belongs to the model with fingerprint");
        }
    }

    @Test
    void changingATokenChangesNothingBeforeIt() throws IOException {
        Model model = TinyModel.of(33, 3, 3);
        int[] changed = IDS.clone();
        changed[6] = 33;
        float[][] before = new float[IDS.length][];
        try (Session first = model.newSession(); Session second = model.newSession()) {
            first.feed(IDS, (index, logits) -> before[index] = logits.clone());
            second.feed(changed, (index, logits) -> {
                if (index < 6) {
                    assertThat(logits).containsExactly(before[index]);
                } else {
                    assertThat(logits).isNotEqualTo(before[index]);
                }
            });
        }
    }

    @Test
    void refusesBadInput() throws IOException {
        Session session = TinyModel.of(7, 1, 3).newSession();
        assertThatIllegalArgumentException().isThrownBy(() -> session.feed(270))
                .withMessage("token ids are 0 to 269, got 270");
        assertThatIllegalArgumentException().isThrownBy(() -> session.feed(new int[]{1, -1}))
                .withMessage("token ids are 0 to 269, got -1");
        assertThatIllegalArgumentException().isThrownBy(() -> session.feed(new int[0]))
                .withMessage("at least 1 token is needed, got 0");
        assertThat(session.position()).isZero();
        session.close();
        assertThatIllegalStateException().isThrownBy(() -> session.feed(1))
                .withMessage("this session is closed; open another by Model.newSession()");
    }

    @Test
    void aCallThatComesUponAnotherIsRefused() throws Exception {
        String message = "this session is at work already, in another thread or in the call that a listener hears; a session is"
                + " for one thread at a time: give each its own by fork() or Model.newSession()";
        Model model = TinyModel.of(7, 1, 3);
        try (Session session = model.newSession(); Session alone = model.newSession()) {
            session.feed(IDS, (index, logits) -> assertThatIllegalStateException().isThrownBy(() -> session.feed(1))
                    .withMessage(message));
            CountDownLatch inside = new CountDownLatch(1);
            CountDownLatch tried = new CountDownLatch(1);
            Thread reader = Thread.ofPlatform().start(() -> session.feed(new int[]{1}, (index, logits) -> {
                inside.countDown();
                try {
                    tried.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }));
            inside.await();
            List<ThrowingCallable> calls = List.of(() -> session.feed(1), () -> session.feed(IDS), session::fork,
                    session::reset, session::memories, () -> session.saveMemory(Path.of("none")),
                    () -> session.loadMemory(Path.of("none")));
            for (ThrowingCallable call : calls) {
                assertThatIllegalStateException().isThrownBy(call).withMessage(message);
            }
            tried.countDown();
            reader.join();
            alone.feed(IDS);
            alone.feed(1);
            assertThat(session.feed(7)).containsExactly(alone.feed(7));
        }
    }

    @Test
    void loadingAMemoryBeginsToCountAnew(@TempDir Path folder) throws IOException {
        try (Session session = TinyModel.of(7, 1, 3).newSession()) {
            session.feed(IDS);
            session.saveMemory(folder.resolve("m"));
            session.loadMemory(folder.resolve("m"));
            assertThat(session.position()).isZero();
        }
    }

    @Test
    void aModelSaysWhatASessionRemembers() throws IOException {
        Model model = TinyModel.of(8, 3, 3);
        try (Session session = model.newSession()) {
            long numbers = session.memories().stream().flatMap(memory -> memory.parts().stream())
                    .mapToLong(part -> part.length).sum();
            assertThat(model.memoryBytes()).isEqualTo(4 * numbers);
        }
    }

    /** What is asked in the middle of a call is answered or refused, never read from numbers that are being written. */
    @Test
    void whatIsAskedWhileItWorks() throws IOException {
        try (Session session = TinyModel.of(16, 1, 3).newSession()) {
            session.feed(new int[]{5, 6}, (index, logits) -> {
                assertThat(session).hasToString("Session[2 tokens read, at work]");
                assertThat(session.position()).isEqualTo(2);
                assertThatIllegalStateException().isThrownBy(session::memoryNorms)
                        .withMessageStartingWith("this session is at work already");
            });
            assertThat(session.toString()).startsWith("Session[2 tokens read, memory norms ");
            assertThat(session.memoryNorms()).hasSize(1);
        }
    }
}

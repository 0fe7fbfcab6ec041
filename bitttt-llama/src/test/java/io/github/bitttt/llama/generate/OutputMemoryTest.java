package io.github.bitttt.llama.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.sun.management.ThreadMXBean;
import io.github.bitttt.llama.adapt.OutputMemory;
import io.github.bitttt.llama.io.CheckpointException;
import io.github.bitttt.llama.io.Safetensors;
import io.github.bitttt.llama.io.Tensor;
import io.github.bitttt.llama.zoo.Samples;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.tensor.KernelChoice;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A session of the embedded model with a memory at the output. */
class OutputMemoryTest {
    private static final OutputMemory FORM = new OutputMemory(2, 0.2, 3e-4, 64, 32, 10);

    private static Model model;
    private static int[] text;

    @TempDir
    private Path folder;

    @BeforeAll
    static void load() throws IOException {
        Zoo.Entry entry = Zoo.load(Zoo.DEFAULT);
        model = Model.of(entry.checkpoint(), entry.tokenizer());
        text = Arrays.copyOf(model.tokenizer().encode(Samples.story()), 300);
    }

    @Test
    void aTextInPiecesGivesWhatItGivesAtOnceToTheBit() {
        try (Session whole = model.newSession(FORM); Session pieces = model.newSession(FORM)) {
            float[] expected = whole.feed(text).clone();
            List<float[]> heard = new ArrayList<>();
            pieces.feed(Arrays.copyOf(text, 64), (index, logits) -> heard.add(logits.clone()));
            pieces.feed(Arrays.copyOfRange(text, 64, 128));
            assertThat(heard).hasSize(64);
            assertThat(pieces.feed(Arrays.copyOfRange(text, 128, text.length))).isEqualTo(expected);
        }
    }

    @Test
    void aModelMayOpenEverySessionWithOne() {
        Model adapting = model.withDefaults(model.defaults().withSeed(5)).withOutputMemory(FORM);
        assertThat(adapting.defaults().sampling().seed()).isEqualTo(5);
        assertThat(adapting.withDefaults(model.defaults()).fingerprint()).isEqualTo(model.fingerprint());
        try (Session first = adapting.newSession();
                Session second = model.newSession(FORM);
                Session plain = model.newSession()) {
            assertThat(first.feed(text)).isEqualTo(second.feed(text)).isNotEqualTo(plain.feed(text));
            assertThat(plain.outputMemory()).isEmpty();
        }
        assertThat(OutputMemory.named("counts")).isEqualTo(OutputMemory.counts());
    }

    @Test
    void logitsAreLogProbabilities() {
        try (Session session = model.newSession(FORM)) {
            for (int id : text) {
                double sum = 0;
                for (float log : session.feed(id)) {
                    sum += Math.exp(log);
                }
                assertThat(sum).isBetween(1 - 1e-3, 1 + 1e-3);
            }
        }
    }

    @Test
    void aSecondReadingIsCheaperAlthoughTheModelsOwnMemoryWasEmptied() {
        try (Session session = model.newSession(OutputMemory.standard())) {
            session.feed(text);
            OutputGain first = session.outputGain().orElseThrow();
            session.reset();
            session.feed(text);
            OutputGain both = session.outputGain().orElseThrow();
            assertThat(first.tokens()).isEqualTo(299);
            assertThat(first.nats()).isLessThan(first.frozenNats() + Math.log(2) + 1e-6);
            assertThat(both.nats() - first.nats()).isLessThan(0.6 * first.nats());
            session.resetOutput();
            assertThat(session.outputGain().orElseThrow().tokens()).isZero();
        }
    }

    @Test
    void aForkAndALoadedFileGoOnEqualToTheBit() throws IOException {
        Path file = folder.resolve("memory.safetensors");
        try (Session session = model.newSession(FORM); Session loaded = model.newSession(FORM)) {
            session.feed(Arrays.copyOf(text, 200));
            session.saveMemory(file);
            loaded.feed(text[3]);
            loaded.loadMemory(file);
            try (Session fork = session.fork()) {
                for (int i = 200; i < text.length; i++) {
                    float[] expected = session.feed(text[i]);
                    assertThat(fork.feed(text[i])).isEqualTo(expected);
                    assertThat(loaded.feed(text[i])).isEqualTo(expected);
                }
                assertThat(fork.outputGain()).isEqualTo(session.outputGain()).isEqualTo(loaded.outputGain());
            }
        }
    }

    @Test
    void aFileWithoutOutputMemoryLoadsAndOneWithItServesAPlainSession() throws IOException {
        Path plain = folder.resolve("plain");
        Path adapted = folder.resolve("adapted");
        try (Session without = model.newSession(); Session with = model.newSession(FORM)) {
            without.feed(text);
            with.feed(text);
            without.saveMemory(plain);
            with.saveMemory(adapted);
            with.loadMemory(plain);
            assertThat(with.outputGain().orElseThrow().tokens()).isZero();
            float[] expected = without.feed(text[0]).clone();
            without.loadMemory(adapted);
            assertThat(without.feed(text[0])).isEqualTo(expected);
        }
    }

    @Test
    void aFileOfAnotherFormOrADamagedOneIsRefusedAndNothingChanges() throws IOException {
        Path file = folder.resolve("memory");
        try (Session session = model.newSession(FORM); Session other = model.newSession(OutputMemory.counts())) {
            session.feed(text);
            session.saveMemory(file);
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> other.loadMemory(file))
                    .withMessageEndingWith(
                            "output memory: its rate is 2.0, here it is 0.0; open the session with the same"
                                    + " OutputMemory");
            damage(file);
            OutputGain before = session.outputGain().orElseThrow();
            assertThatExceptionOfType(CheckpointException.class).isThrownBy(() -> session.loadMemory(file))
                    .withMessageContaining("output memory: a number must be from -1.0E18 to 1.0E18, got NaN");
            assertThat(session.outputGain()).hasValue(before);
        }
    }

    private static void damage(Path file) throws IOException {
        Safetensors saved = Safetensors.read(file);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>(saved.tensors());
        byte[] bytes = tensors.get("output.memory").data().toArray(ValueLayout.JAVA_BYTE);
        Arrays.fill(bytes, 9 * 8, 9 * 8 + 4, (byte) 0xFF); // the first number after the form
        tensors.put("output.memory", Tensor.of(Tensor.Type.U8, bytes, bytes.length));
        Safetensors.write(file, tensors, saved.metadata());
    }

    @Test
    void aTokenAllocatesNothing() throws InterruptedException {
        KernelChoice.current().awaitReady();
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (Session session = model.newSession(FORM)) {
            long allocated = Long.MAX_VALUE;
            for (int pass = 0; pass < 60 && allocated > 0; pass++) {
                long before = threads.getCurrentThreadAllocatedBytes();
                for (int id : text) {
                    session.feed(id);
                }
                allocated = threads.getCurrentThreadAllocatedBytes() - before;
            }
            assertThat(allocated).isZero();
        }
    }
}

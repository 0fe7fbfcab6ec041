package io.github.bitttt.tests.faults;

import io.github.bitttt.llama.BitLlama;
import io.github.bitttt.llama.BitLlamaConfig;
import io.github.bitttt.llama.io.AtomicFile;
import io.github.bitttt.llama.io.Checkpoint;
import io.github.bitttt.llama.io.MemoryFile;
import io.github.bitttt.nn.MixerState;
import io.github.bitttt.nn.Param;
import io.github.bitttt.nn.TttLayer;
import io.github.bitttt.nn.TttState;
import io.github.bitttt.nn.Weights;
import io.github.bitttt.train.TrainingStates;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;

/** Every writer of bitttt. Each writes states 0, 1, 2, ... of which every number is the state's, so that a mixture shows. */
enum Writer {
    /** Text files: configs, tokenizers, logs that are cut. */
    TEXT {
        @Override
        void write(Path folder, int state) throws IOException {
            AtomicFile.write(folder.resolve("text"), (state + " ").repeat(20_000));
        }

        @Override
        int read(Path folder) throws IOException {
            String text = Files.readString(folder.resolve("text"));
            String word = text.substring(0, text.indexOf(' ') + 1);
            same(text.equals(word.repeat(20_000)), text);
            return Integer.parseInt(word.strip());
        }
    },
    /** The weights of a model folder, again and again, as training does. */
    WEIGHTS {
        @Override
        void write(Path folder, int state) throws IOException {
            Path model = folder.resolve("model");
            if (Files.exists(model)) {
                checkpoint(state).saveWeights(model);
            } else {
                checkpoint(state).save(model, "");
            }
        }

        @Override
        int read(Path folder) throws IOException {
            return stateOf(Checkpoint.load(folder.resolve("model")));
        }
    },
    /** New model folders. */
    FOLDER {
        @Override
        void write(Path folder, int state) throws IOException {
            checkpoint(state).pack().save(folder.resolve("model-" + state), "{\"state\":" + state + "}");
        }

        @Override
        int read(Path folder) throws IOException {
            int last = -1;
            try (Stream<Path> models = Files.list(folder)) {
                for (Path model : models.filter(path -> path.getFileName().toString().startsWith("model-")).toList()) {
                    Checkpoint read = Checkpoint.load(model);
                    int state = Integer.parseInt(read.metadata().get("state"));
                    same(model.getFileName().toString().equals("model-" + state), model.toString());
                    same(Files.readString(model.resolve("tokenizer.json")).equals("{\"state\":" + state + "}"),
                            "tokenizer");
                    last = Math.max(last, state);
                }
            }
            return last;
        }
    },
    /** What a session has learned. */
    MEMORY {
        @Override
        void write(Path folder, int state) throws IOException {
            List<MixerState<float[]>> memories = new ArrayList<>();
            for (TttLayer layer : layers()) {
                memories.add(new TttState<>(filled(layer.memoryWidth() * layer.headWidth(), state),
                        filled(layer.width(), state % NUMBERS), new float[layer.memoryWidth()]));
            }
            MemoryFile.save(folder.resolve("memory"), MODEL, "mine", memories);
        }

        @Override
        int read(Path folder) throws IOException {
            List<MixerState<float[]>> memories = MemoryFile.load(folder.resolve("memory"), MODEL, "mine");
            float state = memories.getFirst().parts().getFirst()[0];
            for (MixerState<float[]> each : memories) {
                TttState<float[]> memory = (TttState<float[]>) each;
                same(Arrays.equals(memory.weights(), filled(memory.weights().length, state)), "W");
                same(Arrays.equals(memory.previous(), filled(memory.previous().length, (int) state % NUMBERS)),
                        "previous");
            }
            return (int) state;
        }

        private List<TttLayer> layers() {
            return MODEL.blocks().stream().map(block -> (TttLayer) block.mixer()).toList();
        }
    },
    /** What a training run goes on from. */
    TRAINING {
        @Override
        void write(Path folder, int state) throws IOException {
            Files.createDirectories(folder.resolve("training"));
            TrainingStates.write(folder, MODEL, state);
        }

        @Override
        int read(Path folder) throws IOException {
            return TrainingStates.step(folder, MODEL);
        }
    };

    private static final BitLlamaConfig CONFIG = BitLlamaConfig.of(50, 48, 2, 64);
    private static final BitLlama MODEL = new BitLlama(CONFIG);
    /** Numbers stay within what a model may hold: states count on, their numbers begin again. */
    private static final int NUMBERS = 1000;

    /** Writes a state over the one before. */
    abstract void write(Path folder, int state) throws IOException;

    /** The state that is there; an error if it is none. */
    abstract int read(Path folder) throws IOException;

    private static void same(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("a mixture of states: " + what.substring(0, Math.min(200, what.length())));
        }
    }

    private static float[] filled(int length, float value) {
        float[] values = new float[length];
        Arrays.fill(values, value);
        return values;
    }

    private static Checkpoint checkpoint(int state) {
        SequencedMap<Param, float[]> weights = new LinkedHashMap<>();
        MODEL.params().forEach(param -> weights.put(param, filled(param.length(), state % NUMBERS)));
        return new Checkpoint(CONFIG, Weights.of(weights), Map.of("state", String.valueOf(state)));
    }

    private static int stateOf(Checkpoint read) {
        int state = Integer.parseInt(read.metadata().get("state"));
        for (Param param : read.weights().params()) {
            float[] values = read.weights().floats(param);
            same(Arrays.equals(values, filled(values.length, state % NUMBERS)), param.path());
        }
        return state;
    }
}

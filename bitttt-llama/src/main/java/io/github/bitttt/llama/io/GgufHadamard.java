package io.github.bitttt.llama.io;

import io.github.bitttt.nn.Param;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What the keys {@code prism.hadamard.*} say of rotated weights (Bonsai-2), see {@link io.github.bitttt.nn.Hadamard}.
 *
 * @param keys of the file
 * @param file for messages
 */
record GgufHadamard(Map<String, Object> keys, Path file) {
    private static final String PREFIX = "prism.hadamard.";
    private static final String SIGNS = "hadamard.";

    /** The rotation of a file, if it has one.
     *
     * @throws CheckpointException if it is another one than is known, for without it the model would answer nonsense */
    static Optional<GgufHadamard> of(Gguf gguf) throws CheckpointException {
        if (gguf.keys().keySet().stream().noneMatch(key -> key.startsWith(PREFIX))) {
            return Optional.empty();
        }
        GgufHadamard rotation = new GgufHadamard(gguf.keys(), gguf.file());
        rotation.only("version", 1L);
        rotation.only("transform", "normalized-sylvester-walsh-hadamard");
        rotation.only("axis", "input-last-dimension");
        rotation.only("sign_mode", "explicit");
        rotation.block();
        if (!rotation.names("inverse_weight_names").equals(Set.of(GgufNames.EMBEDDING))) {
            throw rotation.wrong("inverse_weight_names", "must name " + GgufNames.EMBEDDING + " alone");
        }
        return Optional.of(rotation);
    }

    /** Whether a parameter is the signs of a rotation, which stand among the keys. */
    static boolean isSigns(Param param) {
        return param.path().startsWith(SIGNS);
    }

    int block() throws CheckpointException {
        if (!(keys.get(PREFIX + "block_size") instanceof Long size) || size < 2 || size > 1 << 20
                || Long.bitCount(size) != 1) {
            throw wrong("block_size", "must be a power of two");
        }
        return size.intValue();
    }

    /** Whether the inputs of a delta layer's output are in the order of Hugging Face. */
    boolean grouped() {
        return truth(keys.get(PREFIX + "gdn_v_grouped"));
    }

    private static boolean truth(Object value) {
        return Boolean.TRUE.equals(value) || value instanceof Long number && number == 1;
    }

    /** The signs of inputs of a width. */
    float[] signs(int width) throws CheckpointException {
        List<Object> widths = list("sign_widths");
        List<Object> values = list("sign_values");
        long at = 0;
        for (Object each : widths) {
            if (!(each instanceof Long one) || one < 1) {
                throw wrong("sign_widths", "must be whole numbers");
            }
            if (one == width && at + width <= values.size()) {
                float[] signs = new float[width];
                for (int i = 0; i < width; i++) {
                    if (!(values.get((int) at + i) instanceof Long sign) || Math.abs(sign) != 1) {
                        throw wrong("sign_values", "must be 1 or -1");
                    }
                    signs[i] = sign;
                }
                return signs;
            }
            at = Math.addExact(at, one);
        }
        throw wrong("sign_widths", "must have signs for inputs of width " + width);
    }

    /** All ternary matrices, and the head, are rotated, and nothing else is. */
    void checkNames(List<Param> params, GgufNames names) throws CheckpointException {
        Set<String> expected = new HashSet<>();
        for (Param param : params) {
            if (param.kind() == Param.Kind.TERNARY || param.path().equals("lm_head.weight")) {
                expected.add(names.place(param).name());
            }
        }
        Set<String> rotated = names("weight_names");
        if (!rotated.equals(expected)) {
            Set<String> different = new HashSet<>(expected);
            different.removeAll(rotated);
            if (different.isEmpty()) {
                different.addAll(rotated);
                different.removeAll(expected);
            }
            throw wrong("weight_names", "must name every ternary matrix and nothing else, not so for "
                    + StrictJson.shown(different.stream().sorted().findFirst().orElseThrow()));
        }
    }

    private Set<String> names(String key) throws CheckpointException {
        Set<String> names = new HashSet<>();
        for (Object name : list(key)) {
            names.add(name.toString());
        }
        return names;
    }

    private List<Object> list(String key) throws CheckpointException {
        if (!(keys.get(PREFIX + key) instanceof List<?> list)) {
            throw wrong(key, "must be a list");
        }
        return List.copyOf(list);
    }

    private void only(String key, Object allowed) throws CheckpointException {
        if (!allowed.equals(keys.get(PREFIX + key))) {
            throw wrong(key, "must be " + allowed);
        }
    }

    private CheckpointException wrong(String key, String rule) {
        return new CheckpointException(file, PREFIX + key + " " + rule + ", got "
                + StrictJson.shown(keys.get(PREFIX + key)) + "; other rotations are not read");
    }
}

package io.github.bitttt.llama.io;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Where tensors come from: a file, or several that belong together. What a {@link ModelFormat} makes a checkpoint of. */
public interface TensorSource {
    // Looking for the nearest of more or longer names would take longer than reading them.
    /** So many names are compared with one that is missing. */
    int MAX_COMPARED = 2_000;
    /** Longer names are not compared. */
    int MAX_COMPARED_LENGTH = 100;

    /** Where it is, for messages.
     *  @return the file, or the index of several */
    Path file();

    /** What there is.
     *  @return by name: type, shape and bytes, which may be those of a mapped file */
    Map<String, Tensor> tensors();

    /** What travels with the tensors.
     *  @return text by name */
    Map<String, String> metadata();

    /** The file in which a tensor stands, for messages.
     *
     * @param name of the tensor
     * @return its file */
    default Path file(String name) {
        return file();
    }

    /** A tensor by name.
     *
     * @param name its name
     * @return the tensor
     * @throws CheckpointException if there is none; the message has the nearest name */
    default Tensor get(String name) throws CheckpointException {
        Tensor tensor = tensors().get(name);
        if (tensor == null) {
            throw new CheckpointException(file(), "tensor " + name + " missing; found " + tensors().size()
                    + " tensors" + nearest(tensors().keySet(), name));
        }
        return tensor;
    }

    /** A tensor by name and shape.
     *
     * @param name  its name
     * @param shape that it must have
     * @return the tensor
     * @throws CheckpointException if there is none, or it has another shape */
    default Tensor get(String name, List<Integer> shape) throws CheckpointException {
        Tensor tensor = get(name);
        if (!tensor.shape().equals(shape.stream().map(Integer::longValue).toList())) {
            throw new CheckpointException(file(name),
                    "tensor " + name + " must have shape " + shape + ", got " + tensor.type() + " " + tensor.shape());
        }
        return tensor;
    }

    /** The numbers of a float tensor.
     *
     * @param name  of the tensor
     * @param shape that it must have
     * @param most  the largest magnitude to accept
     * @return its elements in row order
     * @throws CheckpointException if it is missing, of another shape or type, or has a number that is not finite or larger */
    default float[] floats(String name, List<Integer> shape, float most) throws CheckpointException {
        float[] values;
        try {
            values = get(name, shape).floats();
        } catch (IllegalStateException e) {
            throw new CheckpointException(file(name), "tensor " + name + ": " + e.getMessage(), e);
        }
        for (int i = 0; i < values.length; i++) {
            if (!Float.isFinite(values[i])) {
                throw new CheckpointException(file(name),
                        "tensor " + name + ": every number must be finite, got " + values[i] + " at element " + i);
            }
            if (Math.abs(values[i]) > most) {
                throw new CheckpointException(file(name), "tensor " + name + ": every number must be at most " + most
                        + " in magnitude, got " + values[i] + " at element " + i);
            }
        }
        return values;
    }

    private static String nearest(Set<String> names, String name) {
        return names.stream().limit(MAX_COMPARED).filter(other -> other.length() <= MAX_COMPARED_LENGTH)
                .min(Comparator.comparingInt(other -> distance(name, other)))
                .map(other -> ", nearest name " + other).orElse("");
    }

    /** Levenshtein's distance. */
    private static int distance(String a, String b) {
        int[] row = new int[b.length() + 1];
        for (int j = 0; j < row.length; j++) {
            row[j] = j;
        }
        for (int i = 1; i <= a.length(); i++) {
            int diagonal = row[0];
            row[0] = i;
            for (int j = 1; j < row.length; j++) {
                int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.min(replaced, 1 + Math.min(row[j - 1], diagonal));
            }
        }
        return row[b.length()];
    }
}

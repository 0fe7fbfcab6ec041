package io.github.bitttt.llama.io;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * Safetensors files that belong together, by the index beside them: {@code {"weight_map": {name: file}}}.
 *
 * <p>The index and the files must agree: each name stands in exactly one file, and in the one that the index says.
 *
 * @param file    the index
 * @param tensors by name
 * @param files   the file of each name
 */
record ShardedTensors(Path file, Map<String, Tensor> tensors, Map<String, Path> files) implements TensorSource {
    /** The index of a folder whose tensors stand in several files. */
    static final String INDEX = "model.safetensors.index.json";
    // The largest open models have fewer than 200.
    private static final int MAX_FILES = 1_000;
    private static final Pattern PLAIN = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,200}\\.safetensors");

    ShardedTensors {
        tensors = Collections.unmodifiableMap(tensors);
        files = Map.copyOf(files);
    }

    @Override
    public Map<String, String> metadata() {
        return Map.of();
    }

    @Override
    public Path file(String name) {
        return files.getOrDefault(name, file);
    }

    /** Maps the files of an index.
     *
     * @param index in the folder of the files
     * @param arena which keeps them mapped
     * @return all their tensors
     * @throws CheckpointException if index and files do not agree, or a file says something wrong
     * @throws IOException         if one cannot be read */
    static ShardedTensors map(Path index, Arena arena) throws IOException {
        Map<String, String> places = places(index);
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        Map<String, Path> files = new LinkedHashMap<>();
        Set<String> shards = new LinkedHashSet<>(places.values());
        for (String shard : shards) {
            if (!Files.isRegularFile(index.resolveSibling(shard))) {
                throw new CheckpointException(index, shard + " is missing; it stands in weight_map");
            }
        }
        for (String shard : shards) {
            Path file = index.resolveSibling(shard);
            for (Map.Entry<String, Tensor> entry : Safetensors.map(file, arena).tensors().entrySet()) {
                String place = places.get(entry.getKey());
                if (!shard.equals(place)) {
                    throw new CheckpointException(file, "tensor " + StrictJson.shown(entry.getKey())
                            + " stands here, the index says " + (place == null ? "nothing of it" : place));
                }
                tensors.put(entry.getKey(), entry.getValue());
                files.put(entry.getKey(), file);
            }
        }
        checkWhole(index, places, tensors.keySet());
        return new ShardedTensors(index, tensors, files);
    }

    private static void checkWhole(Path index, Map<String, String> places, Set<String> found)
            throws CheckpointException {
        for (Map.Entry<String, String> place : places.entrySet()) {
            if (!found.contains(place.getKey())) {
                throw new CheckpointException(index, "tensor " + StrictJson.shown(place.getKey()) + " is not in "
                        + place.getValue() + ", where weight_map puts it");
            }
        }
    }

    private static Map<String, String> places(Path index) throws IOException {
        JsonNode map = StrictJson.object(StrictJson.text(index), index, "").path("weight_map");
        if (!map.isObject() || map.isEmpty() || map.size() > Safetensors.MAX_TENSORS) {
            throw new CheckpointException(index, "weight_map must be an object of 1 to " + Safetensors.MAX_TENSORS
                    + " names, got " + (map.isMissingNode() ? "nothing" : StrictJson.shown(map)));
        }
        Map<String, String> places = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            String shard = entry.getValue().asText();
            if (!entry.getValue().isTextual() || !PLAIN.matcher(shard).matches() || shard.contains("..")) {
                throw new CheckpointException(index, "weight_map." + StrictJson.shown(entry.getKey())
                        + " must be the plain name of a .safetensors file beside the index, got "
                        + StrictJson.shown(entry.getValue()));
            }
            places.put(entry.getKey(), shard);
        }
        long files = places.values().stream().distinct().count();
        if (files > MAX_FILES) {
            throw new CheckpointException(index, "weight_map has at most " + MAX_FILES + " files, got " + files);
        }
        return places;
    }
}

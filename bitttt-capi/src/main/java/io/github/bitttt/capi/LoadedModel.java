package io.github.bitttt.capi;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bitttt.llama.generate.Model;
import io.github.bitttt.llama.zoo.Zoo;
import io.github.bitttt.tensor.KernelChoice;
import java.io.IOException;

/**
 * A model and what there is to say of it.
 *
 * @param model       ready to run
 * @param description JSON
 */
record LoadedModel(Model model, String description) {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** Loads a model.
     *
     * @param name of the zoo, or a folder
     * @throws IOException if there is neither, or a file says something wrong */
    static LoadedModel load(String name) throws IOException {
        Zoo.Entry entry = Zoo.load(name);
        Model model = Model.of(entry);
        return new LoadedModel(model, describe(entry, model));
    }

    private static String describe(Zoo.Entry entry, Model model) throws JsonProcessingException {
        ObjectNode description = JSON.createObjectNode();
        description.put("name", entry.name());
        description.set("config", JSON.readTree(entry.checkpoint().configText()));
        description.set("generation_config", JSON.readTree(model.defaults().json()));
        description.put("chat_format", model.chatTemplate().map(Object::toString).orElse(null));
        description.put("parameters", model.architecture().parameters());
        description.put("fingerprint", model.fingerprint());
        description.put("kernels", KernelChoice.current().toString());
        return JSON.writeValueAsString(description);
    }

    int vocabulary() {
        return model.architecture().config().vocabSize();
    }
}

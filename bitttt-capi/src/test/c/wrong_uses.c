/* Every wrong use gives an error and a text; right ones in between still work. argv: folder of models. */
#include "expect.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>

static char path[4096];

static const char *in(const char *folder, const char *name) {
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static int hear_three(const char *text, size_t length, void *user) {
    EXPECT(strlen(text) == length);
    return ++*(int *) user == 3;
}

static void handles(void) {
    bitttt_model model = 0;
    bitttt_session session = 0;
    bitttt_generation generation = 0;
    EXPECT_OK(bitttt_model_load("stories-256x4", &model));
    EXPECT_OK(bitttt_session_new(model, &session));
    EXPECT_ERROR(2, "is a session; a model is needed", bitttt_model_free(session));
    EXPECT_ERROR(2, "is a model; a session is needed", bitttt_session_reset(model));
    EXPECT_ERROR(2, "is a session; a generation is needed", bitttt_generation_free(session));
    EXPECT_ERROR(2, "handle 0 is not open", bitttt_model_free(0));
    EXPECT_ERROR(2, "is not open", bitttt_session_free(-1));
    EXPECT_ERROR(2, "is not open", bitttt_session_free(INT64_MAX));
    EXPECT_ERROR(2, "is not open", bitttt_session_free(INT64_MIN));
    EXPECT_ERROR(99, "is a session; a layer is needed",
                 ttt_forward((void *) (intptr_t) session, (float[64]){0}, 1, (float[64]){0}));
    EXPECT_OK(bitttt_generation_new(session, "One", 3, NULL, &generation));
    EXPECT_OK(bitttt_generation_free(generation));
    EXPECT_ERROR(2, "was freed or never made", bitttt_generation_free(generation));
    // A freed model's sessions go on; a freed session's generations end with it, or go on.
    EXPECT_OK(bitttt_model_free(model));
    EXPECT_ERROR(2, "was freed or never made", bitttt_model_free(model));
    EXPECT_ERROR(2, "a model is needed", bitttt_session_new(model, &session));
    EXPECT_OK(bitttt_session_feed(session, (int32_t[]){1, 2}, 2, NULL, 0));
    EXPECT_OK(bitttt_session_free(session));
    EXPECT_ERROR(2, "was freed or never made", bitttt_session_free(session));
    EXPECT_ERROR(2, "a session is needed", bitttt_session_feed(session, (int32_t[]){1}, 1, NULL, 0));
    // A new one in the old one's place is not the old one.
    bitttt_model next = 0;
    EXPECT_OK(bitttt_model_load("stories-256x4", &next));
    EXPECT(next != model);
    EXPECT_ERROR(2, "was freed or never made", bitttt_model_describe(model, NULL, 0, &(size_t){0}));
    EXPECT_OK(bitttt_model_free(next));
}

/* The output memory learns, is emptied apart, and a session without one takes the call. */
static void session_options(bitttt_model model) {
    bitttt_session session;
    EXPECT_ERROR(1, "session options must be a JSON object, got []", bitttt_session_open(model, "[]", &session));
    EXPECT_ERROR(1, "session options are not valid JSON", bitttt_session_open(model, "{", &session));
    EXPECT_ERROR(1, "a session has the options output_memory and window, got memory",
                 bitttt_session_open(model, "{\"memory\": 1}", &session));
    EXPECT_ERROR(1, "a memory at the output is standard or counts, got much",
                 bitttt_session_open(model, "{\"output_memory\": \"much\"}", &session));
    EXPECT_ERROR(1, "output_memory must be a name, got 5", bitttt_session_open(model, "{\"output_memory\": 5}", &session));
    EXPECT_ERROR(1, "window must be a whole number of tokens, got 1.5",
                 bitttt_session_open(model, "{\"window\": 1.5}", &session));
    EXPECT_ERROR(1, "a window is for attention, got 256",
                 bitttt_session_open(model, "{\"output_memory\": \"standard\", \"window\": 256}", &session));
    EXPECT_OK(bitttt_session_open(model, NULL, &session));
    EXPECT_OK(bitttt_session_reset_output(session));
    EXPECT_OK(bitttt_session_free(session));
    EXPECT_OK(bitttt_session_open(model, "{\"output_memory\": \"counts\", \"window\": null}", &session));
    EXPECT_OK(bitttt_session_feed(session, (int32_t[]){1, 2, 3, 4}, 4, NULL, 0));
    EXPECT_OK(bitttt_session_reset(session));
    char text[512];
    size_t length;
    EXPECT_OK(bitttt_session_describe(session, text, sizeof text, &length));
    EXPECT(strstr(text, "\"position\":0,") != NULL && strstr(text, "\"output_memory\":{\"tokens\":3,") != NULL);
    EXPECT_OK(bitttt_session_reset_output(session));
    EXPECT_OK(bitttt_session_describe(session, text, sizeof text, &length));
    EXPECT(strstr(text, "\"output_memory\":{\"tokens\":0,\"frozen_nats\":0.0,\"nats\":0.0}") != NULL);
    EXPECT_OK(bitttt_session_free(session));
}

static void null_pointers(bitttt_model model, bitttt_session session) {
    size_t length;
    int end;
    char text[8];
    EXPECT_ERROR(1, "name must not be NULL", bitttt_model_load(NULL, &model));
    EXPECT_ERROR(1, "model must not be NULL", bitttt_model_load("stories-256x4", NULL));
    EXPECT_ERROR(1, "session must not be NULL", bitttt_session_new(model, NULL));
    EXPECT_ERROR(1, "session must not be NULL", bitttt_session_open(model, NULL, NULL));
    EXPECT_ERROR(1, "copy must not be NULL", bitttt_session_fork(session, NULL));
    EXPECT_ERROR(1, "size must not be NULL", bitttt_model_vocabulary(model, NULL));
    EXPECT_ERROR(1, "pointer for the length must not be NULL", bitttt_version(text, sizeof text, NULL));
    EXPECT_ERROR(1, "a buffer with a capacity must not be NULL", bitttt_version(NULL, 8, &length));
    EXPECT_ERROR(1, "text must not be NULL", bitttt_encode(model, NULL, 3, NULL, 0, &length));
    EXPECT_ERROR(1, "ids must not be NULL", bitttt_decode(model, NULL, 3, NULL, 0, &length));
    EXPECT_ERROR(1, "ids must not be NULL", bitttt_session_feed(session, NULL, 3, NULL, 0));
    EXPECT_ERROR(1, "logits with a capacity", bitttt_session_feed(session, (int32_t[]){1}, 1, NULL, 5));
    EXPECT_ERROR(1, "text must not be NULL", bitttt_session_learn(session, NULL, 3, NULL));
    EXPECT_ERROR(1, "file must not be NULL", bitttt_session_save_memory(session, NULL));
    EXPECT_ERROR(1, "file must not be NULL", bitttt_session_load_memory(session, NULL));
    EXPECT_ERROR(1, "prompt must not be NULL", bitttt_generation_new(session, NULL, 3, NULL, &(int64_t){0}));
    EXPECT_ERROR(1, "generation must not be NULL", bitttt_generation_new(session, "a", 1, NULL, NULL));
    EXPECT_ERROR(1, "buffer must not be NULL", bitttt_generation_next(1, NULL, 0, &length, &end));
    EXPECT_ERROR(1, "end must not be NULL", bitttt_generation_next(1, text, sizeof text, &length, NULL));
    EXPECT_ERROR(1, "piece must not be NULL", bitttt_generate(session, "a", 1, NULL, NULL, NULL, NULL));
    EXPECT_ERROR(1, "output must not be NULL", bitttt_echo((float[]){1}, NULL, 1));
    EXPECT_ERROR(1, "layer must not be NULL", ttt_forward(NULL, (float[64]){0}, 1, (float[64]){0}));
    ttt_destroy(NULL);
}

static void lengths(bitttt_model model, bitttt_session session) {
    static float logits[4096];
    size_t length = 0;
    char text[4];
    int32_t ids[64];
    EXPECT_ERROR(4, "the buffer must hold", bitttt_version(text, sizeof text, &length));
    EXPECT(length > sizeof text);
    EXPECT_OK(bitttt_version(NULL, 0, &length));
    EXPECT_ERROR(4, "got room for 1", bitttt_encode(model, "Once upon a time", 16, ids, 1, &length));
    EXPECT_OK(bitttt_encode(model, "Once upon a time", 16, ids, 64, &length));
    size_t vocabulary = 0;
    EXPECT_OK(bitttt_model_vocabulary(model, &vocabulary));
    EXPECT(vocabulary > 10 && vocabulary <= 4096);
    EXPECT_ERROR(4, "logits, got room for 3", bitttt_session_feed(session, ids, length, logits, 3));
    EXPECT_OK(bitttt_session_feed(session, ids, length, logits, vocabulary));
    EXPECT(isfinite(logits[0]) && isfinite(logits[vocabulary - 1]) && logits[vocabulary] == 0);
    EXPECT_ERROR(1, "at least 1 token is needed", bitttt_session_feed(session, ids, 0, logits, vocabulary));
    EXPECT_ERROR(1, "token ids are 0 to", bitttt_session_feed(session, (int32_t[]){-1}, 1, logits, vocabulary));
    EXPECT_ERROR(1, "token ids are 0 to", bitttt_session_feed(session, (int32_t[]){999999}, 1, logits, vocabulary));
    EXPECT_ERROR(1, "token ids are 0 to", bitttt_decode(model, (int32_t[]){999999}, 1, NULL, 0, &length));
    EXPECT_ERROR(1, "the number of tokens must be", bitttt_session_feed(session, ids, SIZE_MAX, NULL, 0));
    EXPECT_ERROR(1, "the number of floats must be", bitttt_echo(logits, logits, SIZE_MAX / 8));
    EXPECT_ERROR(1, "the number of bytes must be", bitttt_session_learn(session, "a", SIZE_MAX, NULL));
    // Not UTF-8: replaced, not refused.
    EXPECT_OK(bitttt_encode(model, "\xff\xfe\x80", 3, ids, 64, &length));
}

static void options(bitttt_session session) {
    bitttt_generation generation;
    const struct {
        const char *options;
        const char *words;
    } wrong[] = {
        {"{\"temperature\": -1}", "temperature must be at least 0"},
        {"{\"temperature\": \"NaN\"}", "temperature must be at least 0"},
        {"{\"temperature\": NaN}", "options must be a JSON object"},
        {"{\"top_p\": 0}", "top_p must be above 0 and at most 1"},
        {"{\"repetition_penalty\": 0}", "repetition_penalty must be"},
        {"{\"sequence_penalty\": -1}", "sequence_penalty must be"},
        {"{\"top_k\": -1}", "top_k must be"},
        {"{\"max_new_tokens\": -1}", "max_new_tokens must be at least 0"},
        {"{\"stop\": [\"\"]}", "a stop text must not be empty"},
        {"{\"limit\": 1}", "there is no option \"limit\"; there are temperature, top_k"},
        {"", "options must be a JSON object"},
        {"\xff", "options must be a JSON object"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        EXPECT_ERROR(1, wrong[i].words, bitttt_generation_new(session, "One", 3, wrong[i].options, &generation));
    }
}

static void texts(bitttt_session session) {
    bitttt_generation generation;
    char piece[4096];
    char small[1];
    size_t length;
    int end = 0;
    int heard = 0;
    // Stopped in the middle.
    EXPECT_OK(bitttt_generate(session, "Once upon a time", 16, NULL, hear_three, &heard, &end));
    EXPECT(heard == 3 && end == BITTTT_END_CANCELLED);
    // A piece that does not fit comes again.
    EXPECT_OK(bitttt_generation_new(session, "Once", 4, NULL, &generation));
    EXPECT_ERROR(4, "the buffer must hold", bitttt_generation_next(generation, small, sizeof small, &length, &end));
    EXPECT_OK(bitttt_generation_next(generation, piece, sizeof piece, &length, &end));
    EXPECT(length > 0 && piece[length] == 0 && end == BITTTT_GOES_ON);
    EXPECT_OK(bitttt_session_cancel(session));
    EXPECT_OK(bitttt_generation_next(generation, piece, sizeof piece, &length, &end));
    EXPECT(length == 0 && end == BITTTT_END_CANCELLED);
    EXPECT_OK(bitttt_generation_free(generation));
    // The error's text is in the buffer as well.
    EXPECT_ERROR(2, "was freed", bitttt_generation_next(generation, piece, sizeof piece, &length, &end));
    EXPECT(strcmp(piece, bitttt_last_error()) == 0);
    // What was cancelled before does not end what begins later; an empty prompt begins a text.
    heard = 10;
    EXPECT_OK(bitttt_generate(session, NULL, 0, "{\"max_new_tokens\": 2}", hear_three, &heard, &end));
    EXPECT(end == BITTTT_END_LIMIT || end == BITTTT_END_OF_TEXT);
    EXPECT_OK(bitttt_generate(session, "Once", 4, "{\"stop\": [\" \"]}", hear_three, &heard, &end));
    EXPECT(end == BITTTT_END_STOP_TEXT);
}

static void files(bitttt_session session, const char *folder) {
    bitttt_model model;
    bitttt_session other;
    EXPECT_ERROR(3, "neither a model folder or file nor a name of the zoo", bitttt_model_load("no-such-model", &model));
    EXPECT_ERROR(3, "model.safetensors", bitttt_model_load(in(folder, "truncated"), &model));
    EXPECT_ERROR(3, "config.json", bitttt_model_load(in(folder, "wrong-config"), &model));
    EXPECT_ERROR(3, "no tokenizer here", bitttt_model_load(in(folder, "no-tokenizer"), &model));
    EXPECT_OK(bitttt_model_load(in(folder, "whole"), &model));
    EXPECT_OK(bitttt_session_new(model, &other));
    EXPECT_OK(bitttt_session_learn(other, "Tim had a red ball.", 19, NULL));
    EXPECT_OK(bitttt_session_save_memory(other, in(folder, "tim.memory")));
    EXPECT_OK(bitttt_session_load_memory(session, in(folder, "tim.memory")));
    EXPECT(bitttt_last_errno() == 0);
    // Which file, and why, in words and as a number.
    EXPECT_ERROR(3, "/no-such.memory: no such file", bitttt_session_load_memory(session, in(folder, "no-such.memory")));
    EXPECT(strncmp(bitttt_last_error(), folder, strlen(folder)) == 0 && bitttt_last_errno() == ENOENT);
    EXPECT_ERROR(3, "config.json", bitttt_session_load_memory(session, in(folder, "whole/config.json")));
    EXPECT(bitttt_last_errno() == 0);
    EXPECT_ERROR(3, "is not there; make it first",
                 bitttt_session_save_memory(session, in(folder, "no-such-folder/x.memory")));
    EXPECT(bitttt_last_errno() == ENOENT);
    EXPECT_ERROR(3, ": is a folder; name a file", bitttt_session_save_memory(session, folder));
    EXPECT_ERROR(1, "file must not be NULL", bitttt_session_load_memory(session, NULL));
    EXPECT(bitttt_last_errno() == 0);
    EXPECT_OK(bitttt_session_free(other));
    EXPECT_OK(bitttt_model_free(model));
}

static void layers(void) {
    float rows[128];
    float output[128];
    for (int i = 0; i < 128; i++) {
        rows[i] = (float) (i % 7) - 3;
    }
    EXPECT(ttt_create(0, 0.1f) == NULL && strstr(bitttt_last_error(), "hidden_dim must be") != NULL);
    EXPECT(ttt_create(3, 0.1f) == NULL);
    EXPECT(ttt_create(SIZE_MAX, 0.1f) == NULL);
    EXPECT(ttt_create(64, NAN) == NULL && strstr(bitttt_last_error(), "inner_lr must be finite") != NULL);
    void *layer = ttt_create(64, 0.1f);
    EXPECT(layer != NULL);
    EXPECT(ttt_forward(layer, rows, 2, output) == 0);
    // The memory is empty at the first row, so that it comes out as it is.
    EXPECT(memcmp(rows, output, 64 * sizeof *rows) == 0 && memcmp(rows, output, sizeof rows) != 0);
    EXPECT(ttt_forward(layer, rows, 0, output) == 0);
    EXPECT(ttt_forward(layer, rows, SIZE_MAX, output) == 2);
    EXPECT(ttt_forward(layer, rows, 1, rows + 32) == 2 && strstr(bitttt_last_error(), "the same or lie apart") != NULL);
    EXPECT(ttt_forward(layer, NULL, 1, output) == 1);
    EXPECT(ttt_forward(layer, rows, 1, NULL) == 1);
    rows[5] = NAN;
    EXPECT(ttt_forward(layer, rows, 2, output) == 0);
    rows[5] = INFINITY;
    EXPECT(ttt_forward(layer, rows, 2, output) == 0);
    ttt_destroy(layer);
    ttt_destroy(layer);
    EXPECT(strstr(bitttt_last_error(), "was freed") != NULL);
    EXPECT(ttt_forward(layer, rows, 1, output) == 99);
    ttt_destroy((void *) rows);
    EXPECT(ttt_forward((void *) rows, rows, 1, output) == 99);
}

int main(int count, char **arguments) {
    bitttt_model model;
    bitttt_session session;
    EXPECT(count == 2);
    EXPECT(bitttt_last_error() != NULL);
    EXPECT_OK(bitttt_init(NULL, NULL));
    EXPECT_OK(bitttt_init(NULL, NULL));
    handles();
    layers();
    EXPECT_OK(bitttt_model_load("stories-256x4", &model));
    EXPECT_OK(bitttt_session_new(model, &session));
    session_options(model);
    null_pointers(model, session);
    lengths(model, session);
    options(session);
    texts(session);
    files(session, arguments[1]);
    EXPECT_OK(bitttt_shutdown());
    EXPECT_ERROR(2, "was freed", bitttt_session_reset(session));
    EXPECT_ERROR(2, "was freed", bitttt_session_reset_output(session));
    EXPECT_OK(bitttt_model_load("stories-256x4", &model));
    puts("ok");
    return 0;
}

/* The functions of bitttt.h: what can be checked without Java is checked here. */
#include "bitttt.h"

#include "error.h"
#include "java.h"

#include <stdio.h>
#include <string.h>

static int missing(const char *what) {
    return fail(BITTTT_ERROR_ARGUMENT, "%s must not be NULL", what);
}

/* Whether a buffer can be written: NULL is one of no capacity. */
static int check_buffer(const void *buffer, size_t capacity, const void *length) {
    if (length == NULL) {
        return missing("the pointer for the length");
    }
    return buffer == NULL && capacity > 0 ? missing("a buffer with a capacity") : BITTTT_OK;
}

static int check_input(const void *input, size_t count, const char *what) {
    return input == NULL && count > 0 ? missing(what) : BITTTT_OK;
}

const char *bitttt_last_error(void) {
    return last_error()->text;
}

int bitttt_last_errno(void) {
    return last_error()->reason;
}

int bitttt_init(const char *java_home, const char *options) {
    return java_start(java_home, options);
}

int bitttt_shutdown(void) {
    jvalue arguments[1];
    return java_call(SHUTDOWN, arguments);
}

/* A method that gives back a text, of the whole library or of a handle. */
static int text_of(enum java_method method, const int64_t *handle, char *buffer, size_t capacity, size_t *length) {
    int code = check_buffer(buffer, capacity, length);
    if (code != BITTTT_OK) {
        return code;
    }
    jvalue arguments[5];
    int next = 1;
    if (handle != NULL) {
        arguments[next++].j = *handle;
    }
    arguments[next++].j = address(buffer);
    arguments[next++].j = (jlong) capacity;
    arguments[next].j = address(length);
    return java_call(method, arguments);
}

int bitttt_version(char *buffer, size_t capacity, size_t *length) {
    return text_of(VERSION, NULL, buffer, capacity, length);
}

int bitttt_kernels(char *buffer, size_t capacity, size_t *length) {
    return text_of(KERNELS, NULL, buffer, capacity, length);
}

int bitttt_echo(const float *input, float *output, size_t count) {
    if (count > 0 && (input == NULL || output == NULL)) {
        return missing(input == NULL ? "input" : "output");
    }
    jvalue arguments[] = {{0}, {.j = address(input)}, {.j = address(output)}, {.j = (jlong) count}};
    return java_call(ECHO_FLOATS, arguments);
}

/* A method of a handle alone. */
static int of_handle(enum java_method method, int64_t handle) {
    jvalue arguments[] = {{0}, {.j = handle}};
    return java_call(method, arguments);
}

/* A method of a handle that gives back one value. */
static int value_of(enum java_method method, int64_t handle, void *value, const char *what) {
    if (value == NULL) {
        return missing(what);
    }
    jvalue arguments[] = {{0}, {.j = handle}, {.j = address(value)}};
    return java_call(method, arguments);
}

int bitttt_model_load(const char *name, bitttt_model *model) {
    if (name == NULL || model == NULL) {
        return missing(name == NULL ? "name" : "model");
    }
    jvalue arguments[] = {{0}, {.j = address(name)}, {.j = (jlong) strlen(name)}, {.j = address(model)}};
    return java_call(MODEL_LOAD, arguments);
}

int bitttt_model_free(bitttt_model model) {
    return of_handle(MODEL_FREE, model);
}

int bitttt_model_describe(bitttt_model model, char *buffer, size_t capacity, size_t *length) {
    return text_of(MODEL_DESCRIBE, &model, buffer, capacity, length);
}

int bitttt_model_vocabulary(bitttt_model model, size_t *size) {
    return value_of(MODEL_VOCABULARY, model, size, "size");
}

/* Text to ids or back: an input and a buffer. */
static int convert(enum java_method method, bitttt_model model, const void *input, size_t size, void *output,
                   size_t capacity, size_t *length) {
    int code = check_input(input, size, method == ENCODE ? "text" : "ids");
    if (code == BITTTT_OK) {
        code = check_buffer(output, capacity, length);
    }
    if (code != BITTTT_OK) {
        return code;
    }
    jvalue arguments[] = {{0},
                          {.j = model},
                          {.j = address(input)},
                          {.j = (jlong) size},
                          {.j = address(output)},
                          {.j = (jlong) capacity},
                          {.j = address(length)}};
    return java_call(method, arguments);
}

int bitttt_encode(bitttt_model model, const char *text, size_t bytes, int32_t *ids, size_t capacity, size_t *count) {
    return convert(ENCODE, model, text, bytes, ids, capacity, count);
}

int bitttt_decode(bitttt_model model, const int32_t *ids, size_t count, char *buffer, size_t capacity, size_t *length) {
    return convert(DECODE, model, ids, count, buffer, capacity, length);
}

int bitttt_session_new(bitttt_model model, bitttt_session *session) {
    return value_of(SESSION_NEW, model, session, "session");
}

int bitttt_session_open(bitttt_model model, const char *options, bitttt_session *session) {
    if (session == NULL) {
        return missing("session");
    }
    jvalue arguments[] = {{0},
                          {.j = model},
                          {.j = address(options)},
                          {.j = options == NULL ? 0 : (jlong) strlen(options)},
                          {.j = address(session)}};
    return java_call(SESSION_OPEN, arguments);
}

int bitttt_session_fork(bitttt_session session, bitttt_session *copy) {
    return value_of(SESSION_FORK, session, copy, "copy");
}

int bitttt_session_reset(bitttt_session session) {
    return of_handle(SESSION_RESET, session);
}

int bitttt_session_reset_output(bitttt_session session) {
    return of_handle(SESSION_RESET_OUTPUT, session);
}

int bitttt_session_free(bitttt_session session) {
    return of_handle(SESSION_FREE, session);
}

static int with_file(enum java_method method, bitttt_session session, const char *file) {
    if (file == NULL) {
        return missing("file");
    }
    jvalue arguments[] = {{0}, {.j = session}, {.j = address(file)}, {.j = (jlong) strlen(file)}};
    return java_call(method, arguments);
}

int bitttt_session_save_memory(bitttt_session session, const char *file) {
    return with_file(SESSION_SAVE, session, file);
}

int bitttt_session_load_memory(bitttt_session session, const char *file) {
    return with_file(SESSION_LOAD, session, file);
}

int bitttt_session_describe(bitttt_session session, char *buffer, size_t capacity, size_t *length) {
    return text_of(SESSION_DESCRIBE, &session, buffer, capacity, length);
}

int bitttt_session_feed(bitttt_session session, const int32_t *ids, size_t count, float *logits, size_t capacity) {
    if (check_input(ids, count, "ids") != BITTTT_OK) {
        return BITTTT_ERROR_ARGUMENT;
    }
    if (logits == NULL && capacity > 0) {
        return missing("logits with a capacity");
    }
    jvalue arguments[] = {{0},
                          {.j = session},
                          {.j = address(ids)},
                          {.j = (jlong) count},
                          {.j = address(logits)},
                          {.j = (jlong) capacity}};
    return java_call(SESSION_FEED, arguments);
}

int bitttt_session_learn(bitttt_session session, const char *text, size_t bytes, size_t *tokens) {
    size_t ignored;
    if (check_input(text, bytes, "text") != BITTTT_OK) {
        return BITTTT_ERROR_ARGUMENT;
    }
    jvalue arguments[] = {{0},
                          {.j = session},
                          {.j = address(text)},
                          {.j = (jlong) bytes},
                          {.j = address(tokens == NULL ? &ignored : tokens)}};
    return java_call(SESSION_LEARN, arguments);
}

int bitttt_session_cancel(bitttt_session session) {
    return of_handle(SESSION_CANCEL, session);
}

int bitttt_generation_new(bitttt_session session, const char *prompt, size_t bytes, const char *options,
                          bitttt_generation *generation) {
    if (check_input(prompt, bytes, "prompt") != BITTTT_OK) {
        return BITTTT_ERROR_ARGUMENT;
    }
    if (generation == NULL) {
        return missing("generation");
    }
    jvalue arguments[] = {{0},
                          {.j = session},
                          {.j = address(prompt)},
                          {.j = (jlong) bytes},
                          {.j = address(options)},
                          {.j = options == NULL ? 0 : (jlong) strlen(options)},
                          {.j = address(generation)}};
    return java_call(GENERATION_NEW, arguments);
}

int bitttt_generation_next(bitttt_generation generation, char *buffer, size_t capacity, size_t *length, int *end) {
    int code = check_buffer(buffer, capacity, length);
    if (code == BITTTT_OK && (buffer == NULL || end == NULL)) {
        code = missing(buffer == NULL ? "buffer" : "end");
    }
    if (code == BITTTT_OK) {
        jvalue arguments[] = {{0},
                              {.j = generation},
                              {.j = address(buffer)},
                              {.j = (jlong) capacity},
                              {.j = address(length)},
                              {.j = address(end)}};
        code = java_call(GENERATION_NEXT, arguments);
    }
    if (code != BITTTT_OK && buffer != NULL && capacity > 0) {
        snprintf(buffer, capacity, "%s", last_error()->text);
    }
    return code;
}

int bitttt_generation_free(bitttt_generation generation) {
    return of_handle(GENERATION_FREE, generation);
}

/* More than any token is long. */
enum { PIECE_BYTES = 4096 };

int bitttt_generate(bitttt_session session, const char *prompt, size_t bytes, const char *options,
                    bitttt_piece piece, void *user, int *end) {
    char text[PIECE_BYTES];
    size_t length;
    int ended = BITTTT_GOES_ON;
    bitttt_generation generation;
    if (piece == NULL) {
        return missing("piece");
    }
    int code = bitttt_generation_new(session, prompt, bytes, options, &generation);
    if (code != BITTTT_OK) {
        return code;
    }
    while (code == BITTTT_OK && ended == BITTTT_GOES_ON) {
        code = bitttt_generation_next(generation, text, sizeof text, &length, &ended);
        if (code == BITTTT_OK && length > 0 && piece(text, length, user) != 0 && ended == BITTTT_GOES_ON) {
            ended = BITTTT_END_CANCELLED;
        }
    }
    // Its text is that of the first error, if there was one.
    if (code == BITTTT_OK) {
        code = bitttt_generation_free(generation);
    } else {
        struct error kept = *last_error();
        bitttt_generation_free(generation);
        *last_error() = kept;
    }
    if (end != NULL) {
        *end = ended;
    }
    return code;
}

/* ---- the original engine's functions ---- */

enum { ORIGINAL_NULL = 1, ORIGINAL_DIMENSION = 2, ORIGINAL_OTHER = 99 };

static void *create_layer(size_t hidden_dim, float inner_lr, int seeded, uint64_t seed) {
    int64_t layer = 0;
    jvalue arguments[] = {{0},
                          {.j = (jlong) hidden_dim},
                          {.f = inner_lr},
                          {.z = (jboolean) seeded},
                          {.j = (jlong) seed},
                          {.j = address(&layer)}};
    return java_call(LAYER_NEW, arguments) == BITTTT_OK ? (void *) (intptr_t) layer : NULL;
}

void *ttt_create(size_t hidden_dim, float inner_lr) {
    return create_layer(hidden_dim, inner_lr, 0, 0);
}

void *ttt_create_seeded(size_t hidden_dim, float inner_lr, uint64_t seed) {
    return create_layer(hidden_dim, inner_lr, 1, seed);
}

int ttt_forward(void *layer, const float *input, size_t sequence_length, float *output) {
    if (layer == NULL || input == NULL || output == NULL) {
        missing(layer == NULL ? "layer" : input == NULL ? "input" : "output");
        return ORIGINAL_NULL;
    }
    jvalue arguments[] = {{0},
                          {.j = address(layer)},
                          {.j = address(input)},
                          {.j = (jlong) sequence_length},
                          {.j = address(output)}};
    switch (java_call(LAYER_FORWARD, arguments)) {
    case BITTTT_OK:
        return 0;
    case BITTTT_ERROR_ARGUMENT:
        return ORIGINAL_DIMENSION;
    default:
        return ORIGINAL_OTHER;
    }
}

void ttt_destroy(void *layer) {
    if (layer != NULL) {
        of_handle(LAYER_FREE, address(layer));
    }
}

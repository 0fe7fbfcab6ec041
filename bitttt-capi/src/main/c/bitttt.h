/*
 * bitttt for C and everything that calls C: ternary language models that go on learning while they read.
 *
 * Link with libbitttt (bitttt.dll on Windows), beside which bitttt.jar must lie. It starts a Java 25 or newer inside the
 * process, by itself at the first call or by bitttt_init().
 *
 * Every function returns an error code, BITTTT_OK or the reason, and bitttt_last_error() then has the text. Handles are
 * numbers that are never given twice: one that was freed, is of another kind or was never there is an error. Any thread may
 * call, on any stack. Text is UTF-8; file names are as well, but Java opens only those that the process's locale can spell, where C,
 * POSIX or none counts as C.UTF-8.
 * Buffers are read and written in place.
 *
 * A function that gives back text or ids takes a buffer, its capacity, and where to put the length. If the buffer is too
 * small (text needs one byte more, for a NUL) the answer is BITTTT_ERROR_BUFFER and the length is what is needed; NULL with
 * capacity 0 only asks for the length.
 */
#ifndef BITTTT_H
#define BITTTT_H

#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32) && defined(BITTTT_BUILD)
#define BITTTT_API __declspec(dllexport)
#elif defined(_WIN32)
#define BITTTT_API __declspec(dllimport)
#else
#define BITTTT_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef int64_t bitttt_model;
typedef int64_t bitttt_session;
typedef int64_t bitttt_generation;

enum {
    BITTTT_OK = 0,
    BITTTT_ERROR_ARGUMENT = 1,  /* NULL where it may not be, or a value out of its range */
    BITTTT_ERROR_HANDLE = 2,    /* freed, never made, or of another kind */
    BITTTT_ERROR_FILE = 3,      /* missing, truncated, not what it should be */
    BITTTT_ERROR_BUFFER = 4,    /* too small; the length needed was told */
    BITTTT_ERROR_BUSY = 5,      /* the session is being used by another thread */
    BITTTT_ERROR_STATE = 6,     /* makes no sense now */
    BITTTT_ERROR_CANCELLED = 7, /* by bitttt_session_cancel() */
    BITTTT_ERROR_JAVA = 8,      /* no Java was found, or it did not start */
    BITTTT_ERROR_FORKED = 9,    /* the process was forked after Java had started */
    BITTTT_ERROR_INTERNAL = 99  /* no memory, or a fault of the library */
};

/* The text of the last error on the calling thread; never NULL, valid until the thread's next error. */
BITTTT_API const char *bitttt_last_error(void);

/*
 * Why a file could not be used, where that is the thread's last error: ENOENT, EACCES, EEXIST, ENOTDIR of errno.h; 0 where the
 * reason is another one, which the text has.
 */
BITTTT_API int bitttt_last_errno(void);

/*
 * Starts Java; with NULL for both this is what any first call does by itself. Calls after the first are no errors.
 * java_home: a Java 25 or newer. Without it: a Java that is in this process already, BITTTT_JAVA_HOME, JAVA_HOME, java on PATH,
 * the usual folders.
 * options: further options of Java, separated by spaces, such as "-Xmx2g".
 */
BITTTT_API int bitttt_init(const char *java_home, const char *options);

/* Frees all handles. A process can start Java only once, so it stays; later calls work again, with new handles. */
BITTTT_API int bitttt_shutdown(void);

/* "bitttt 0.1.0, Java 25+36" */
BITTTT_API int bitttt_version(char *buffer, size_t capacity, size_t *length);

/* Which kernels run, and why: "vector kernels (vectors of 512 bits)" */
BITTTT_API int bitttt_kernels(char *buffer, size_t capacity, size_t *length);

/* Copies count floats by way of Java: what a call costs, and whether all is in its place. */
BITTTT_API int bitttt_echo(const float *input, float *output, size_t count);

/* ---- Models: immutable, for any number of threads ---- */

/* name: of the zoo, such as "stories-256x4", or a model folder. */
BITTTT_API int bitttt_model_load(const char *name, bitttt_model *model);
/* Sessions of the model go on. */
BITTTT_API int bitttt_model_free(bitttt_model model);
/* JSON: name, config, generation_config, chat_format (null if there is none), parameters, fingerprint, kernels. */
BITTTT_API int bitttt_model_describe(bitttt_model model, char *buffer, size_t capacity, size_t *length);
/* The number of logits. */
BITTTT_API int bitttt_model_vocabulary(bitttt_model model, size_t *size);
BITTTT_API int bitttt_encode(bitttt_model model, const char *text, size_t bytes, int32_t *ids, size_t capacity,
                             size_t *count);
BITTTT_API int bitttt_decode(bitttt_model model, const int32_t *ids, size_t count, char *buffer, size_t capacity,
                             size_t *length);

/* ---- Sessions: a memory that learns from all it reads; one thread at a time, another one is answered BUSY ---- */

BITTTT_API int bitttt_session_new(bitttt_model model, bitttt_session *session);
/*
 * A session as a JSON object says, such as "{\"output_memory\": \"standard\"}"; NULL names nothing. The names:
 *   output_memory  standard: a memory at the model's output, which learns from all that is read and written while the model stays as
 *                  it is. Logits are then log-probabilities. Forks and memory files have it, bitttt_session_reset leaves it.
 *                  counts: plain counts of what followed what, to compare with.
 *   window         of models with attention: the first four tokens and the last so many, or up to 63 more, are kept
 */
BITTTT_API int bitttt_session_open(bitttt_model model, const char *options, bitttt_session *session);
/* A copy that knows the same and then learns by itself. */
BITTTT_API int bitttt_session_fork(bitttt_session session, bitttt_session *copy);
/* Forgets everything but what a memory at the output has learned. */
BITTTT_API int bitttt_session_reset(bitttt_session session);
/* Empties the memory at the output, and that alone; without one there is nothing to do. */
BITTTT_API int bitttt_session_reset_output(bitttt_session session);
BITTTT_API int bitttt_session_free(bitttt_session session);
BITTTT_API int bitttt_session_save_memory(bitttt_session session, const char *file);
/* Goes on from a memory of the same model; if that fails nothing has changed. */
BITTTT_API int bitttt_session_load_memory(bitttt_session session, const char *file);
/* JSON: position (tokens read), memory_norms (how much each layer has learned); with a memory at the output output_memory: tokens that it
   has learned from, and its nats at them beside frozen_nats, the model's without it. */
BITTTT_API int bitttt_session_describe(bitttt_session session, char *buffer, size_t capacity, size_t *length);
/* Reads at least one token; logits [vocabulary] of the next one, or NULL with capacity 0. */
BITTTT_API int bitttt_session_feed(bitttt_session session, const int32_t *ids, size_t count, float *logits,
                                   size_t capacity);
/* Reads a text for the sake of the memory; tokens, if not NULL, receives how many it had. */
BITTTT_API int bitttt_session_learn(bitttt_session session, const char *text, size_t bytes, size_t *tokens);
/* Ends what this session is generating or learning now; from any thread. */
BITTTT_API int bitttt_session_cancel(bitttt_session session);

/* ---- Texts ---- */

/*
 * How a text is written is said by a JSON object, such as "{\"temperature\": 0.5, \"stop\": [\"\\n\"]}". What it does not name is
 * as the model says (bitttt_model_describe has it under generation_config); NULL names nothing. The names:
 *   temperature         0 takes the likeliest token
 *   top_k               only the k likeliest tokens; 0 for all
 *   top_p               only the likeliest tokens of this total probability, above 0 and at most 1
 *   repetition_penalty  at least 1: what was seen becomes less likely
 *   sequence_penalty    at least 0: what would say again what was said becomes less likely, the longer it is the more
 *   seed                of 64 bits: same seed, same text
 *   max_new_tokens      the most tokens to write
 *   stop                a text or an array of texts that end the answer and are not part of it
 *   eos_token_id        an id or an array of ids that end it
 *   echo                true: the prompt's own tokens come first
 *   messages            true: the prompt is a JSON array of messages, [{"role": "user", "content": "Hello"}], with the roles system, user
 *                       and assistant, which the model's chat format writes. What was said in the session before is known to it: give the
 *                       new ones. A text in them cannot write a marker.
 */

enum {
    BITTTT_GOES_ON = 0,
    BITTTT_END_OF_TEXT = 1, /* the model ended it */
    BITTTT_END_LIMIT = 2,
    BITTTT_END_CANCELLED = 3, /* by bitttt_session_cancel() */
    BITTTT_END_STOP_TEXT = 4
};

/* Begins a text; nothing is read yet. */
BITTTT_API int bitttt_generation_new(bitttt_session session, const char *prompt, size_t bytes,
                                     const char *options, bitttt_generation *generation);
/*
 * The next piece: whole characters. The last one, perhaps empty, comes with an end that is not 0. Where the code is not
 * BITTTT_OK, the buffer holds the text of the error, for runtimes that call on threads of their own. A piece that did not fit
 * (256 bytes are enough for most) comes again.
 */
BITTTT_API int bitttt_generation_next(bitttt_generation generation, char *buffer, size_t capacity, size_t *length,
                                      int *end);
BITTTT_API int bitttt_generation_free(bitttt_generation generation);

/* Hears a piece; the text ends with a NUL and is gone afterwards. Not 0: no more. */
typedef int (*bitttt_piece)(const char *text, size_t length, void *user);
/* All of it: the pieces go to a function, on the calling thread. end, if not NULL, receives why it ended. */
BITTTT_API int bitttt_generate(bitttt_session session, const char *prompt, size_t bytes,
                               const char *options, bitttt_piece piece, void *user, int *end);

/*
 * ---- The three functions of the original Bit-TTT engine, with its meaning ----
 * One layer with random ternary weights, whose memory of hidden_dim/4 is empty at the start of each forward.
 * ttt_create gives NULL if that fails. ttt_forward: input and output [sequence_length, hidden_dim] are the same or lie apart;
 * 0 all is well, 1 NULL, 2 the dimensions are impossible, 99 anything else. bitttt_last_error() has the text of each.
 */
BITTTT_API void *ttt_create(size_t hidden_dim, float inner_lr);
BITTTT_API void *ttt_create_seeded(size_t hidden_dim, float inner_lr, uint64_t seed);
BITTTT_API int ttt_forward(void *layer, const float *input, size_t sequence_length, float *output);
BITTTT_API void ttt_destroy(void *layer);

#ifdef __cplusplus
}
#endif

#endif

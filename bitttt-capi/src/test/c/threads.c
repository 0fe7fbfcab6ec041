/* Foreign threads and stacks, one session used twice at once, and 100,000 calls that leave nothing behind. */
#define _GNU_SOURCE
#include "expect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

enum { THREADS = 8, WIDTH = 64, TOKENS = 5 };

static bitttt_model model;
static float expected[WIDTH * TOKENS];
static float rows[WIDTH * TOKENS];

static void reads_and_learns(void) {
    float output[WIDTH * TOKENS];
    bitttt_session session;
    void *layer = ttt_create_seeded(WIDTH, 0.1f, 7);
    EXPECT(layer != NULL);
    EXPECT_OK(bitttt_session_new(model, &session));
    for (int i = 0; i < 200; i++) {
        EXPECT(ttt_forward(layer, rows, TOKENS, output) == 0);
        EXPECT(memcmp(output, expected, sizeof output) == 0);
        EXPECT_OK(bitttt_session_feed(session, (int32_t[]){i}, 1, NULL, 0));
    }
    // Each thread has an error text of its own.
    EXPECT_ERROR(2, "is a session; a model is needed", bitttt_model_free(session));
    usleep(1000);
    EXPECT(strstr(bitttt_last_error(), "is a session") != NULL);
    EXPECT_OK(bitttt_session_free(session));
    ttt_destroy(layer);
}

static void *thread(void *argument) {
    reads_and_learns();
    return argument;
}

static void foreign_threads(size_t stack) {
    pthread_t threads[THREADS];
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack);
    for (int i = 0; i < THREADS; i++) {
        EXPECT(pthread_create(&threads[i], &attributes, thread, NULL) == 0);
    }
    for (int i = 0; i < THREADS; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
    }
}

/* A stack that is not the thread's, as coroutines have it. */
static void foreign_stack(void) {
    ucontext_t here;
    ucontext_t there;
    size_t size = 64 << 10;
    char *stack = malloc(size);
    EXPECT(getcontext(&there) == 0);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = size;
    there.uc_link = &here;
    makecontext(&there, reads_and_learns, 0);
    EXPECT(swapcontext(&here, &there) == 0);
    free(stack);
}

static bitttt_session shared;
static atomic_int learned = -1;

static void *learns_long(void *argument) {
    enum { TIMES = 200000 };
    static const char words[] = "Tim had a ball. ";
    size_t size = TIMES * (sizeof words - 1);
    char *text = malloc(size + 1);
    for (int i = 0; i < TIMES; i++) {
        memcpy(text + i * (sizeof words - 1), words, sizeof words);
    }
    int code;
    // The other one may just be trying the door.
    while ((code = bitttt_session_learn(shared, text, size, NULL)) == BITTTT_ERROR_BUSY) {
    }
    EXPECT(code == BITTTT_OK || strstr(bitttt_last_error(), "cancelled after") != NULL);
    learned = code;
    free(text);
    return argument;
}

/* A second call on a session is refused meanwhile, and the first one can be cancelled. */
static void busy_and_cancelled(void) {
    pthread_t learner;
    int code = BITTTT_OK;
    EXPECT_OK(bitttt_session_new(model, &shared));
    EXPECT(pthread_create(&learner, NULL, learns_long, NULL) == 0);
    while (learned < 0 && code == BITTTT_OK) {
        code = bitttt_session_reset(shared);
    }
    EXPECT(code == BITTTT_ERROR_BUSY && strstr(bitttt_last_error(), "used by another thread") != NULL);
    while (learned < 0) {
        EXPECT_OK(bitttt_session_cancel(shared));
        usleep(1000);
    }
    EXPECT(learned == BITTTT_ERROR_CANCELLED);
    EXPECT(pthread_join(learner, NULL) == 0);
    EXPECT_OK(bitttt_session_reset(shared));
    EXPECT_OK(bitttt_session_free(shared));
}

static long resident_bytes(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    EXPECT(file != NULL && fscanf(file, "%*d %ld", &pages) == 1);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void calls(int times) {
    static float from[768];
    static float to[768];
    int32_t ids[16];
    size_t count;
    void *layer = ttt_create_seeded(WIDTH, 0.1f, 7);
    float output[WIDTH * TOKENS];
    for (int i = 0; i < times; i += 5) {
        bitttt_session session;
        EXPECT_OK(bitttt_echo(from, to, 768));
        EXPECT(ttt_forward(layer, rows, 1, output) == 0);
        EXPECT(bitttt_model_free(42) == BITTTT_ERROR_HANDLE);
        EXPECT_OK(i % 100 == 0 ? bitttt_session_new(model, &session) : BITTTT_OK);
        EXPECT_OK(i % 100 == 0 ? bitttt_session_free(session) : BITTTT_OK);
        EXPECT_OK(bitttt_encode(model, "Tim had", 7, ids, 16, &count));
    }
    ttt_destroy(layer);
}

static void no_growth(void) {
    calls(100000);
    long before = resident_bytes();
    calls(100000);
    long grown = resident_bytes() - before;
    fprintf(stderr, "100,000 calls: %ld bytes more\n", grown);
    // 80 bytes a call that were left behind would be 8 MB.
    EXPECT(grown < 6 << 20);
}

static void cost(void) {
    static float from[768];
    static float to[768];
    struct timespec start;
    struct timespec end;
    double best = 1e9;
    for (int round = 0; round < 100; round++) {
        clock_gettime(CLOCK_MONOTONIC, &start);
        for (int i = 0; i < 2000; i++) {
            EXPECT_OK(bitttt_echo(from, to, 768));
        }
        clock_gettime(CLOCK_MONOTONIC, &end);
        double nanoseconds = ((end.tv_sec - start.tv_sec) * 1e9 + (double) (end.tv_nsec - start.tv_nsec)) / 2000;
        best = nanoseconds < best ? nanoseconds : best;
    }
    fprintf(stderr, "a call with 768 floats: %.0f ns\n", best);
    EXPECT(best < 3000);
}

int main(void) {
    // A young generation of fixed size: what it grows by is no leak.
    EXPECT_OK(bitttt_init(NULL, "-Xmn16m"));
    EXPECT_OK(bitttt_model_load("stories-256x4", &model));
    for (int i = 0; i < WIDTH * TOKENS; i++) {
        rows[i] = (float) (i * 31 % 17) - 8;
    }
    void *layer = ttt_create_seeded(WIDTH, 0.1f, 7);
    EXPECT(ttt_forward(layer, rows, TOKENS, expected) == 0);
    ttt_destroy(layer);
    foreign_threads(8 << 20);
    foreign_threads(64 << 10);
    foreign_stack();
    busy_and_cancelled();
    no_growth();
    cost();
    puts("ok");
    return 0;
}

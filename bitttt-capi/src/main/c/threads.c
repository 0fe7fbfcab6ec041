#include "threads.h"

#include "platform.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    OWN_STACK = 8 << 20,
    // Java guards the last 100 kB of a stack; what it runs for us needs less than that again.
    SMALLEST_REST = 256 << 10
};

bool on_foreign_stack(void) {
    static __thread char *low;
    static __thread char *high;
    char *here = __builtin_frame_address(0);
    if (high == NULL && !platform_stack(&low, &high)) {
        high = NULL;
        return true;
    }
    return here < low + SMALLEST_REST || here >= high;
}

bool start_thread(void *(*function)(void *), void *argument) {
    pthread_t thread;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    pthread_attr_setstacksize(&attributes, OWN_STACK);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, function, argument);
    pthread_attr_destroy(&attributes);
    return failed == 0;
}

/* A thread that waits for work. There are as many as calls were in progress at once, so that no call waits for another. */
struct worker {
    struct worker *next_idle;
    void (*function)(void *); /* NULL: nothing to do */
    void *argument;
    pthread_cond_t changed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct worker *idle;

static void *work(void *argument) {
    struct worker *self = argument;
    pthread_mutex_lock(&lock);
    for (;;) {
        while (self->function == NULL) {
            pthread_cond_wait(&self->changed, &lock);
        }
        pthread_mutex_unlock(&lock);
        self->function(self->argument);
        pthread_mutex_lock(&lock);
        self->function = NULL;
        pthread_cond_broadcast(&self->changed);
    }
    return NULL;
}

static struct worker *new_worker(void) {
    struct worker *worker = calloc(1, sizeof *worker);
    if (worker == NULL) {
        return NULL;
    }
    pthread_cond_init(&worker->changed, NULL);
    if (!start_thread(work, worker)) {
        pthread_cond_destroy(&worker->changed);
        free(worker);
        return NULL;
    }
    return worker;
}

bool run_on_own_thread(void (*function)(void *), void *argument) {
    pthread_mutex_lock(&lock);
    struct worker *worker = idle;
    if (worker != NULL) {
        idle = worker->next_idle;
    } else {
        worker = new_worker();
    }
    if (worker == NULL) {
        pthread_mutex_unlock(&lock);
        return false;
    }
    worker->function = function;
    worker->argument = argument;
    pthread_cond_broadcast(&worker->changed);
    while (worker->function != NULL) {
        pthread_cond_wait(&worker->changed, &lock);
    }
    worker->next_idle = idle;
    idle = worker;
    pthread_mutex_unlock(&lock);
    return true;
}

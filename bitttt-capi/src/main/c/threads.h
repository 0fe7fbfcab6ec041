/* Threads of our own, for callers whose stack Java cannot use. */
#ifndef BITTTT_THREADS_H
#define BITTTT_THREADS_H

#include <stdbool.h>

/* Whether the caller runs on a stack that is not its thread's, as coroutines and some bindings do, or on too small a rest. */
bool on_foreign_stack(void);

/* Runs a function on a thread of ours and waits for it; false if there is no memory for one. */
bool run_on_own_thread(void (*function)(void *), void *argument);

/* Starts a thread with a large stack that nobody waits for. */
bool start_thread(void *(*function)(void *), void *argument);

#endif

/* The Java inside the process: found, started, called. */
#ifndef BITTTT_JAVA_H
#define BITTTT_JAVA_H

#include <jni.h>
#include <stdint.h>

/* The methods of io.github.bitttt.capi.Bridge, in the order of the table in java.c. */
enum java_method {
    START,
    SHUTDOWN,
    VERSION,
    KERNELS,
    ECHO_FLOATS,
    MODEL_LOAD,
    MODEL_FREE,
    MODEL_DESCRIBE,
    MODEL_VOCABULARY,
    ENCODE,
    DECODE,
    SESSION_NEW,
    SESSION_OPEN,
    SESSION_FORK,
    SESSION_RESET,
    SESSION_RESET_OUTPUT,
    SESSION_FREE,
    SESSION_SAVE,
    SESSION_LOAD,
    SESSION_DESCRIBE,
    SESSION_FEED,
    SESSION_LEARN,
    SESSION_CANCEL,
    GENERATION_NEW,
    GENERATION_NEXT,
    GENERATION_FREE,
    LAYER_NEW,
    LAYER_FORWARD,
    LAYER_FREE,
    METHODS
};

/* Starts Java unless it runs; an error code. */
int java_start(const char *home, const char *options);

/* Calls a method, starting Java if need be. The first argument is filled in here. */
int java_call(enum java_method method, jvalue *arguments);

static inline jlong address(const void *pointer) {
    return (jlong) (intptr_t) pointer;
}

#endif

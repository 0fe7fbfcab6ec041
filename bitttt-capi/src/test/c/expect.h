/* Says what is not as it should be, and ends. */
#ifndef EXPECT_H
#define EXPECT_H

#include "bitttt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPECT(condition)                                                                                              \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s; last error: %s\n", __FILE__, __LINE__, #condition, bitttt_last_error()); \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* The call gives this code, and the text holds these words. */
#define EXPECT_ERROR(expected, words, call)                                                                            \
    do {                                                                                                               \
        int code_ = (call);                                                                                            \
        if (code_ != (expected) || strstr(bitttt_last_error(), words) == NULL) {                                       \
            fprintf(stderr, "%s:%d: %s gave %d: %s\n", __FILE__, __LINE__, #call, code_, bitttt_last_error());         \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define EXPECT_OK(call) EXPECT((call) == BITTTT_OK)

#endif

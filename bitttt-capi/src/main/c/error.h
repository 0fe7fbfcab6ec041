/* The last error of the calling thread. */
#ifndef BITTTT_ERROR_H
#define BITTTT_ERROR_H

#include <stdint.h>

/* Room for the text of an error: ERROR_BYTES of Bridge. */
enum { ERROR_BYTES = 2048 };

/* What a thread keeps of its last error. Bridge writes text and reason. */
struct error {
    char text[ERROR_BYTES];
    int32_t reason; /* why a file could not be used, as errno.h numbers it, or 0 */
};

struct error *last_error(void);

/* Writes the text of an error and gives back its code. */
__attribute__((format(printf, 2, 3))) int fail(int code, const char *format, ...);

#endif

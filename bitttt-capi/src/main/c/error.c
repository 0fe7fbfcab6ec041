#include "error.h"

#include <stdarg.h>
#include <stdio.h>

struct error *last_error(void) {
    static __thread struct error error;
    return &error;
}

int fail(int code, const char *format, ...) {
    struct error *error = last_error();
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->reason = 0;
    return code;
}

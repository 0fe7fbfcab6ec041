/* The same on every operating system. */
#include "platform.h"

#include <stdio.h>

bool platform_join(char *path, const char *first, const char *second, const char *third) {
    int length = snprintf(path, PATH_BYTES, "%s%s%s", first, second, third);
    return length >= 0 && length < PATH_BYTES;
}

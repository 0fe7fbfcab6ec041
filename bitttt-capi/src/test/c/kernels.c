/* Prints the code of a first use of the kernels, and its text. */
#include "bitttt.h"

#include <stdio.h>

int main(void) {
    char text[256];
    size_t length;
    int code = bitttt_kernels(text, sizeof text, &length);
    printf("%d %s\n", code, code == BITTTT_OK ? text : bitttt_last_error());
    return 0;
}

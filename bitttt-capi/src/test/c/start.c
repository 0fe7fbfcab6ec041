/* One way to start Java; argv: the way, and a Java home or options. */
#include "expect.h"

#include <sys/wait.h>
#include <unistd.h>

static int in_child(int expected) {
    int status = 0;
    size_t length;
    pid_t child = fork();
    if (child == 0) {
        int code = bitttt_version(NULL, 0, &length);
        if (code != expected) {
            fprintf(stderr, "child: %d: %s\n", code, bitttt_last_error());
        }
        _exit(code == expected ? 0 : 1);
    }
    return waitpid(child, &status, 0) == child ? status : -1;
}

int main(int count, char **arguments) {
    const char *way = count > 1 ? arguments[1] : "";
    const char *detail = count > 2 ? arguments[2] : NULL;
    size_t length;
    if (strcmp(way, "forks") == 0) {
        // Before the start a child starts a Java of its own; after it a child gets an error, and the parent goes on.
        EXPECT(in_child(BITTTT_OK) == 0);
        EXPECT_OK(bitttt_version(NULL, 0, &length));
        EXPECT(in_child(BITTTT_ERROR_FORKED) == 0);
        EXPECT_OK(bitttt_version(NULL, 0, &length));
        puts("ok");
    } else if (strcmp(way, "home") == 0 || strcmp(way, "options") == 0) {
        int home = strcmp(way, "home") == 0;
        printf("%d %s\n", bitttt_init(home ? detail : NULL, home ? NULL : detail), bitttt_last_error());
        // Whatever happened, the next call gives an answer as well.
        printf("%d\n", bitttt_version(NULL, 0, &length));
    } else {
        printf("%d %s\n", bitttt_version(NULL, 0, &length), bitttt_last_error());
    }
    return 0;
}

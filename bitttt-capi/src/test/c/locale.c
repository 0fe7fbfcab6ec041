/* A memory whose name has letters beyond ASCII. argv: folder. */
#include "expect.h"

int main(int count, char **arguments) {
    char path[4096];
    char before[64] = "";
    bitttt_model model;
    bitttt_session session;
    EXPECT(count == 2);
    snprintf(path, sizeof path, "%s/z\xc3\xbcrich.memory", arguments[1]);
    if (getenv("LC_ALL") != NULL) {
        snprintf(before, sizeof before, "%s", getenv("LC_ALL"));
    }
    EXPECT_OK(bitttt_model_load("stories-256x4", &model));
    EXPECT_OK(bitttt_session_new(model, &session));
    EXPECT_OK(bitttt_session_save_memory(session, path));
    FILE *written = fopen(path, "r");
    EXPECT(written != NULL);
    fclose(written);
    EXPECT_OK(bitttt_session_load_memory(session, path));
    // The environment is what it was.
    EXPECT(strcmp(before, getenv("LC_ALL") == NULL ? "" : getenv("LC_ALL")) == 0);
    puts("ok");
    return 0;
}

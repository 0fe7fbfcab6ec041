/* Tells a story: cc story.c -I.. -L.. -lbitttt -Wl,-rpath,'$ORIGIN/..' -o story && ./story "Once upon a time" */
#include "bitttt.h"

#include <stdio.h>
#include <string.h>

static int print(const char *text, size_t length, void *user) {
    (void) length;
    (void) user;
    fputs(text, stdout);
    return fflush(stdout);
}

int main(int count, char **arguments) {
    const char *prompt = count > 1 ? arguments[1] : "Once upon a time";
    bitttt_model model;
    bitttt_session session;
    fputs(prompt, stdout);
    if (bitttt_model_load("stories-256x4", &model) != BITTTT_OK || bitttt_session_new(model, &session) != BITTTT_OK
        || bitttt_generate(session, prompt, strlen(prompt), "{\"max_new_tokens\": 200}", print, NULL, NULL) != BITTTT_OK) {
        fprintf(stderr, "%s\n", bitttt_last_error());
        return 1;
    }
    puts("");
    bitttt_session_free(session);
    bitttt_model_free(model);
    return 0;
}

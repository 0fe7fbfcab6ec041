#include "find.h"

#include "bitttt.h"
#include "error.h"
#include "platform.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OLDEST_JAVA = 25 };

/* What was seen on the way and did not suit. */
struct search {
    void *library;
    char seen[1024];
};

/* The feature version of a Java home, from its release file: no process is started. 0 if it does not say. */
static int version_of(const char *home) {
    char path[PATH_BYTES];
    char line[512];
    int version = 0;
    FILE *release = platform_join(path, home, "/release", "") ? fopen(path, "r") : NULL;
    if (release == NULL) {
        return 0;
    }
    while (version == 0 && fgets(line, sizeof line, release) != NULL) {
        sscanf(line, "JAVA_VERSION=\"%d", &version);
    }
    fclose(release);
    return version;
}

static void note(struct search *search, const char *home, const char *why) {
    size_t used = strlen(search->seen);
    snprintf(search->seen + used, sizeof search->seen - used, "%s%s: %s", used == 0 ? "" : "; ", home, why);
}

static void consider(struct search *search, const char *home) {
    char why[300];
    if (search->library != NULL || home == NULL || *home == 0) {
        return;
    }
    int version = version_of(home);
    if (version == 0) {
        snprintf(why, sizeof why, "not the home of a Java, its file \"release\" says no version");
    } else if (version < OLDEST_JAVA) {
        snprintf(why, sizeof why, "Java %d", version);
    } else {
        search->library = platform_load_jvm(home, why, sizeof why);
    }
    if (search->library == NULL) {
        note(search, home, why);
    }
}

/* The home of the program java in a folder: its path without links, and without /bin/java. */
static void consider_program(struct search *search, const char *folder) {
    char path[PATH_BYTES];
    char home[PATH_BYTES];
    if (!platform_join(path, folder, "/", platform_java_program) || !platform_real_path(path, home)) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        char *end = home + strlen(home);
        while (end > home && *end != '/' && *end != '\\') {
            end--;
        }
        *end = 0;
    }
    consider(search, home);
}

static void consider_path(struct search *search) {
    const char *next = getenv("PATH");
    while (next != NULL && search->library == NULL) {
        char folder[PATH_BYTES];
        const char *end = strchr(next, PATH_SEPARATOR);
        int length = end == NULL ? (int) strlen(next) : (int) (end - next);
        snprintf(folder, sizeof folder, "%.*s", length, next);
        consider_program(search, folder);
        next = end == NULL ? NULL : end + 1;
    }
}

static void consider_children(struct search *search, const char *parent) {
    char folder[PATH_BYTES];
    char child[PATH_BYTES];
    char home[PATH_BYTES];
    const char *user = getenv("HOME");
    bool of_user = *parent == '~';
    if (!platform_join(folder, of_user && user != NULL ? user : "", parent + (of_user ? 1 : 0), "/")) {
        return;
    }
    DIR *children = opendir(folder);
    if (children == NULL) {
        return;
    }
    for (struct dirent *entry = readdir(children); entry != NULL; entry = readdir(children)) {
        // What is no Java at all is not worth a word here.
        if (entry->d_name[0] != '.' && platform_join(child, folder, entry->d_name, "")
            && platform_join(home, child, platform_java_tail, "") && version_of(home) > 0) {
            consider(search, home);
        }
    }
    closedir(children);
}

static void *explicit_home(const char *origin, const char *home) {
    struct search search = {NULL, ""};
    consider(&search, home);
    if (search.library == NULL) {
        fail(BITTTT_ERROR_JAVA, "%s must be the home of a Java %d or newer, got %s", origin, OLDEST_JAVA, search.seen);
    }
    return search.library;
}

void *find_jvm(const char *home) {
    struct search search = {platform_loaded_jvm(), ""};
    if (search.library != NULL) {
        return search.library;
    }
    if (home != NULL && *home != 0) {
        return explicit_home("java_home", home);
    }
    const char *own = getenv("BITTTT_JAVA_HOME");
    if (own != NULL && *own != 0) {
        return explicit_home("BITTTT_JAVA_HOME", own);
    }
    consider(&search, getenv("JAVA_HOME"));
    consider_path(&search);
    for (const char *const *parent = platform_java_parents; *parent != NULL; parent++) {
        consider_children(&search, *parent);
    }
    if (search.library == NULL) {
        fail(BITTTT_ERROR_JAVA,
             "no Java %d or newer was found: looked at JAVA_HOME, java on PATH and the usual folders, saw %s; install a JDK "
             "%d or set BITTTT_JAVA_HOME",
             OLDEST_JAVA, search.seen[0] == 0 ? "none" : search.seen, OLDEST_JAVA);
    }
    return search.library;
}

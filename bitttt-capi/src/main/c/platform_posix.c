/* Linux and macOS. */
#define _GNU_SOURCE
#include "platform.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#if defined(__APPLE__)
#define JVM_FILE "libjvm.dylib"
const char *const platform_java_parents[] = {"/Library/Java/JavaVirtualMachines", "~/Library/Java/JavaVirtualMachines",
                                             NULL};
const char *const platform_java_tail = "/Contents/Home";
#else
#define JVM_FILE "libjvm.so"
const char *const platform_java_parents[] = {"/usr/lib/jvm", "/usr/java", "/opt/java", "~/.sdkman/candidates/java",
                                             "~/.jdks", NULL};
const char *const platform_java_tail = "";
#endif
const char *const platform_java_program = "java";

#if defined(__APPLE__)
bool platform_stack(char **low, char **high) {
    pthread_t self = pthread_self();
    *high = pthread_get_stackaddr_np(self);
    *low = *high - pthread_get_stacksize_np(self);
    return true;
}
#else
bool platform_stack(char **low, char **high) {
    pthread_attr_t attributes;
    if (pthread_getattr_np(pthread_self(), &attributes) != 0) {
        return false;
    }
    void *start = NULL;
    size_t size = 0;
    int failed = pthread_attr_getstack(&attributes, &start, &size);
    pthread_attr_destroy(&attributes);
    *low = start;
    *high = *low + size;
    return failed == 0;
}
#endif

bool platform_own_folder(char *folder, size_t capacity) {
    static const char here = 0;
    Dl_info info;
    char real[PATH_BYTES];
    if (dladdr(&here, &info) == 0 || !platform_real_path(info.dli_fname, real)) {
        return false;
    }
    char *slash = strrchr(real, '/');
    if (slash == NULL || (size_t) (slash - real) >= capacity) {
        return false;
    }
    *slash = 0;
    strcpy(folder, real);
    return true;
}

bool platform_real_path(const char *path, char *real) {
    char *resolved = realpath(path, NULL);
    bool fits = resolved != NULL && strlen(resolved) < PATH_BYTES;
    if (fits) {
        strcpy(real, resolved);
    }
    free(resolved);
    return fits;
}

void platform_set_time(const char *path, long long seconds) {
    struct stat now;
    if (stat(path, &now) == 0 && now.st_mtime != (time_t) seconds) {
        struct utimbuf times = {now.st_atime, (time_t) seconds};
        utime(path, &times);
    }
}

void *platform_loaded_jvm(void) {
    return dlopen(JVM_FILE, RTLD_NOW | RTLD_NOLOAD);
}

void *platform_load_jvm(const char *home, char *why, size_t capacity) {
    char path[PATH_BYTES];
    int length = snprintf(path, sizeof path, "%s/lib/server/" JVM_FILE, home);
    if (length < 0 || (size_t) length >= sizeof path || access(path, R_OK) != 0) {
        snprintf(why, capacity, "it has no lib/server/" JVM_FILE);
        return NULL;
    }
    // Java's other libraries look for symbols of this one.
    void *library = dlopen(path, RTLD_NOW | RTLD_GLOBAL);
    if (library == NULL) {
        snprintf(why, capacity, "%s", dlerror());
    }
    return library;
}

static bool knows_ascii_only(const char *locale) {
    return locale == NULL || strcmp(locale, "") == 0 || strcmp(locale, "C") == 0 || strcmp(locale, "POSIX") == 0;
}

struct platform_locale platform_name_utf8(void) {
    // The first that says something counts.
    const char *variable = "LC_ALL";
    const char *value = getenv(variable);
    if (value == NULL || *value == 0) {
        variable = "LC_CTYPE";
        value = getenv(variable);
    }
    if (!knows_ascii_only(value == NULL || *value == 0 ? getenv("LANG") : value)) {
        return (struct platform_locale) {NULL, NULL};
    }
    struct platform_locale before = {variable, value == NULL ? NULL : strdup(value)};
    setenv(variable, "C.UTF-8", 1);
    return before;
}

void platform_restore(struct platform_locale before) {
    if (before.value != NULL) {
        setenv(before.variable, before.value, 1);
        free(before.value);
    } else if (before.variable != NULL) {
        unsetenv(before.variable);
    }
}

void *platform_symbol(void *library, const char *name) {
    return dlsym(library, name);
}

FILE *platform_stream(FILE *stream) {
    return stream == stdout ? stderr : stream;
}

static volatile bool *fork_flag;

static void in_child(void) {
    *fork_flag = true;
}

void platform_flag_forks(volatile bool *flag) {
    fork_flag = flag;
    pthread_atfork(NULL, NULL, in_child);
}

/* Windows, by mingw-w64. */
#define _WIN32_WINNT 0x0602
#include "platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utime.h>
#include <windows.h>

const char *const platform_java_parents[] = {"C:/Program Files/Java", "C:/Program Files/Eclipse Adoptium",
                                             "C:/Program Files/Microsoft", "C:/Program Files/Zulu", "~/.jdks", NULL};
const char *const platform_java_tail = "";
const char *const platform_java_program = "java.exe";

bool platform_stack(char **low, char **high) {
    ULONG_PTR from = 0;
    ULONG_PTR to = 0;
    GetCurrentThreadStackLimits(&from, &to);
    *low = (char *) from;
    *high = (char *) to;
    return true;
}

bool platform_own_folder(char *folder, size_t capacity) {
    static const char here = 0;
    HMODULE self = NULL;
    if (!GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT, &here,
                            &self)) {
        return false;
    }
    DWORD length = GetModuleFileNameA(self, folder, (DWORD) capacity);
    if (length == 0 || length >= capacity) {
        return false;
    }
    char *slash = strrchr(folder, '\\');
    if (slash == NULL) {
        return false;
    }
    *slash = 0;
    return true;
}

bool platform_real_path(const char *path, char *real) {
    return GetFileAttributesA(path) != INVALID_FILE_ATTRIBUTES && _fullpath(real, path, PATH_BYTES) != NULL;
}

void platform_set_time(const char *path, long long seconds) {
    struct __stat64 now;
    if (_stat64(path, &now) == 0 && now.st_mtime != seconds) {
        struct __utimbuf64 times = {now.st_atime, seconds};
        _utime64(path, &times);
    }
}

void *platform_loaded_jvm(void) {
    return (void *) GetModuleHandleA("jvm.dll");
}

void *platform_load_jvm(const char *home, char *why, size_t capacity) {
    char path[PATH_BYTES];
    snprintf(path, sizeof path, "%s\\bin\\server\\jvm.dll", home);
    if (GetFileAttributesA(path) == INVALID_FILE_ATTRIBUTES) {
        snprintf(why, capacity, "it has no bin\\server\\jvm.dll");
        return NULL;
    }
    HMODULE library = LoadLibraryExA(path, NULL, LOAD_WITH_ALTERED_SEARCH_PATH);
    if (library == NULL) {
        snprintf(why, capacity, "bin\\server\\jvm.dll cannot be loaded, error %lu", GetLastError());
    }
    return (void *) library;
}

struct platform_locale platform_name_utf8(void) {
    return (struct platform_locale) {NULL, NULL};
}

void platform_restore(struct platform_locale before) {
    (void) before;
}

void *platform_symbol(void *library, const char *name) {
    // By way of void (*)(void): a function pointer of any type may become one of any other.
    void (*function)(void) = (void (*)(void)) GetProcAddress((HMODULE) library, name);
    void *symbol;
    memcpy(&symbol, &function, sizeof symbol);
    return symbol;
}

FILE *platform_stream(FILE *stream) {
    // Java's C library may be another one, whose streams are not ours.
    (void) stream;
    return stderr;
}

void platform_flag_forks(volatile bool *flag) {
    // Windows does not fork.
    (void) flag;
}

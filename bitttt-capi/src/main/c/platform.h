/* What differs between operating systems. */
#ifndef BITTTT_PLATFORM_H
#define BITTTT_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { PATH_BYTES = 4096 };

#if defined(_WIN32)
#define PATH_SEPARATOR ';'
#else
#define PATH_SEPARATOR ':'
#endif

/* Puts three pieces of a path together; false if that is longer than PATH_BYTES. */
bool platform_join(char *path, const char *first, const char *second, const char *third);

/* Where Java shall write instead of a stream of its own choice: never to standard output. */
FILE *platform_stream(FILE *stream);

/* Where the calling thread's own stack lies; false if that cannot be told. */
bool platform_stack(char **low, char **high);

/* The folder that holds this library. */
bool platform_own_folder(char *folder, size_t capacity);

/* The path without links; false if there is no such file. */
bool platform_real_path(const char *path, char *real);

/* Gives a file a time of change, in seconds since 1970, unless it has it; where that may not be done nothing happens. */
void platform_set_time(const char *path, long long seconds);

/* Java's library as it is in this process already, or NULL. */
void *platform_loaded_jvm(void);

/* Loads Java's library from a Java home; NULL if it is not there or cannot be loaded. */
void *platform_load_jvm(const char *home, char *why, size_t capacity);

/* The variable of the locale that was changed, or NULL, and what it was, or NULL. */
struct platform_locale {
    const char *variable;
    char *value;
};

/* Java takes the encoding of file names from the locale as it starts. Where that is C, POSIX or none, as in cron and containers, this
 * names UTF-8 instead, until it is restored. */
struct platform_locale platform_name_utf8(void);
void platform_restore(struct platform_locale before);

void *platform_symbol(void *library, const char *name);

/* Sets a flag in each child that this process forks from now on. */
void platform_flag_forks(volatile bool *flag);

/* Folders whose subfolders may be Java homes, after a tail such as "/Contents/Home"; ended by NULL. A leading ~ is the user's home. */
extern const char *const platform_java_parents[];
extern const char *const platform_java_tail;
/* What java is called on PATH. */
extern const char *const platform_java_program;

#endif

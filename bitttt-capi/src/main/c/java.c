#include "java.h"

#include "bitttt.h"
#include "error.h"
#include "find.h"
#include "platform.h"
#include "threads.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BRIDGE "io/github/bitttt/capi/Bridge"

/* All return an error code and begin with the address for the text of an error. */
static const struct {
    const char *name;
    const char *signature;
} signatures[METHODS] = {
    [START] = {"start", "(JZ)I"},
    [SHUTDOWN] = {"shutdown", "(J)I"},
    [VERSION] = {"version", "(JJJJ)I"},
    [KERNELS] = {"kernels", "(JJJJ)I"},
    [ECHO_FLOATS] = {"echo", "(JJJJ)I"},
    [MODEL_LOAD] = {"modelLoad", "(JJJJ)I"},
    [MODEL_FREE] = {"modelFree", "(JJ)I"},
    [MODEL_DESCRIBE] = {"modelDescribe", "(JJJJJ)I"},
    [MODEL_VOCABULARY] = {"modelVocabulary", "(JJJ)I"},
    [ENCODE] = {"encode", "(JJJJJJJ)I"},
    [DECODE] = {"decode", "(JJJJJJJ)I"},
    [SESSION_NEW] = {"sessionNew", "(JJJ)I"},
    [SESSION_OPEN] = {"sessionOpen", "(JJJJJ)I"},
    [SESSION_FORK] = {"sessionFork", "(JJJ)I"},
    [SESSION_RESET] = {"sessionReset", "(JJ)I"},
    [SESSION_RESET_OUTPUT] = {"sessionResetOutput", "(JJ)I"},
    [SESSION_FREE] = {"sessionFree", "(JJ)I"},
    [SESSION_SAVE] = {"sessionSave", "(JJJJ)I"},
    [SESSION_LOAD] = {"sessionLoad", "(JJJJ)I"},
    [SESSION_DESCRIBE] = {"sessionDescribe", "(JJJJJ)I"},
    [SESSION_FEED] = {"sessionFeed", "(JJJJJJ)I"},
    [SESSION_LEARN] = {"sessionLearn", "(JJJJJ)I"},
    [SESSION_CANCEL] = {"sessionCancel", "(JJ)I"},
    [GENERATION_NEW] = {"generationNew", "(JJJJJJJ)I"},
    [GENERATION_NEXT] = {"generationNext", "(JJJJJJ)I"},
    [GENERATION_FREE] = {"generationFree", "(JJ)I"},
    [LAYER_NEW] = {"layerNew", "(JJFZJJ)I"},
    [LAYER_FORWARD] = {"layerForward", "(JJJJJ)I"},
    [LAYER_FREE] = {"layerFree", "(JJ)I"},
};

enum state { NOT_STARTED, RUNNING, BROKEN };

static atomic_int state = NOT_STARTED;
static volatile bool forked;
static JavaVM *java;
static jclass bridge;
static jmethodID methods[METHODS];
static pthread_key_t detach_key;
/* Set only where this library attached the thread: what others attached they may detach. */
static __thread JNIEnv *attached;

/* Turns a pending exception into an error. */
static int fail_by_exception(JNIEnv *env, const char *what) {
    jthrowable thrown = (*env)->ExceptionOccurred(env);
    (*env)->ExceptionClear(env);
    jclass object = (*env)->FindClass(env, "java/lang/Object");
    jmethodID to_string = object == NULL ? NULL : (*env)->GetMethodID(env, object, "toString", "()Ljava/lang/String;");
    jstring string = thrown == NULL || to_string == NULL ? NULL : (*env)->CallObjectMethod(env, thrown, to_string);
    const char *text = string == NULL ? NULL : (*env)->GetStringUTFChars(env, string, NULL);
    fail(BITTTT_ERROR_JAVA, "%s: %s", what, text == NULL ? "Java has no memory left to say why" : text);
    if (text != NULL) {
        (*env)->ReleaseStringUTFChars(env, string, text);
    }
    (*env)->ExceptionClear(env);
    return BITTTT_ERROR_JAVA;
}

/* ---- the start ---- */

/* A start in progress, on a thread of its own. */
struct start {
    const char *home;
    const char *options;
    int code;
    bool done;
    char error[ERROR_BYTES];
    char messages[ERROR_BYTES / 2]; /* what Java itself says */
};

static pthread_mutex_t start_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t done_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t done_changed = PTHREAD_COND_INITIALIZER;
static struct start *volatile starting;

static void finish(struct start *start, int code) {
    pthread_mutex_lock(&done_lock);
    starting = NULL;
    memcpy(start->error, last_error()->text, ERROR_BYTES);
    start->code = code;
    start->done = true;
    pthread_cond_broadcast(&done_changed);
    pthread_mutex_unlock(&done_lock);
}

/* What Java would print: standard output belongs to the program, and while starting it is the reason of an error. */
static jint JNICALL java_says(FILE *stream, const char *format, va_list arguments) {
    struct start *start = starting;
    FILE *target = platform_stream(stream);
    if (start == NULL || target != stderr) {
        return vfprintf(target, format, arguments);
    }
    size_t used = strlen(start->messages);
    int length = vsnprintf(start->messages + used, sizeof start->messages - used, format, arguments);
    // One line, as it is part of one.
    for (char *end = start->messages + used; *end != 0; end++) {
        *end = *end == '\n' || *end == '\r' ? ' ' : *end;
    }
    return length;
}

/* Java gives up while it starts and would end the process when this returns: so this thread stays here for ever. */
static void JNICALL java_aborts(void) {
    struct start *start = starting;
    if (start == NULL) {
        return;
    }
    static pthread_mutex_t never_lock = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
    atomic_store(&state, BROKEN);
    finish(start, fail(BITTTT_ERROR_JAVA, "Java could not start: %s", start->messages));
    pthread_mutex_lock(&never_lock);
    for (;;) {
        pthread_cond_wait(&never, &never_lock);
    }
}

enum { MOST_OPTIONS = 64 };

/* The archive suits a jar of this time, which Dist.java gives it: 2026-01-01. */
enum { JAR_TIME = 1767225600 };

static void add_words(JavaVMOption *options, jint *count, char *words) {
    char *rest = NULL;
    for (char *word = strtok_r(words, " ", &rest); word != NULL && *count < MOST_OPTIONS; word = strtok_r(NULL, " ", &rest)) {
        options[(*count)++].optionString = word;
    }
}

static int jar_beside_library(char *jar) {
    char folder[PATH_BYTES];
    char real[PATH_BYTES];
    if (!platform_own_folder(folder, sizeof folder)) {
        return fail(BITTTT_ERROR_JAVA, "libbitttt cannot tell in which folder it lies");
    }
    if (!platform_join(jar, folder, "/bitttt.jar", "") || !platform_real_path(jar, real)) {
        return fail(BITTTT_ERROR_JAVA, "%s: not there; bitttt.jar must lie beside libbitttt", jar);
    }
    return BITTTT_OK;
}

static int create_java(void *library, struct start *start, const char *jar, JNIEnv **env) {
    jint(JNICALL * create)(JavaVM **, void **, void *);
    void *symbol = platform_symbol(library, "JNI_CreateJavaVM");
    memcpy(&create, &symbol, sizeof create);
    static const char to_archive[] = "-XX:SharedArchiveFile=";
    char class_path[PATH_BYTES];
    char archive[PATH_BYTES];
    char real[PATH_BYTES];
    if (!platform_join(class_path, "-Djava.class.path=", jar, "")
        || !platform_join(archive, to_archive, jar, "")) {
        return fail(BITTTT_ERROR_JAVA, "%s: this path is too long", jar);
    }
    // bitttt.jsa beside bitttt.jar
    memcpy(archive + strlen(archive) - strlen("jar"), "jsa", strlen("jsa"));
    char *own = strdup(start->options == NULL ? "" : start->options);
    const char *variable = getenv("BITTTT_JAVA_OPTIONS");
    char *theirs = strdup(variable == NULL ? "" : variable);
    if (own == NULL || theirs == NULL) {
        free(own);
        free(theirs);
        return fail(BITTTT_ERROR_INTERNAL, "no memory");
    }
    JavaVMOption options[MOST_OPTIONS] = {
        {class_path, NULL},
        {"vfprintf", (void *) java_says},
        {"abort", (void *) java_aborts},
        {"--add-modules=jdk.incubator.vector", NULL},
        {"--enable-native-access=ALL-UNNAMED", NULL},
        {"-Djdk.incubator.vector.VECTOR_ACCESS_OOB_CHECK=0", NULL}, // sizes are checked before the loops
        {"-Xrs", NULL},                                             // Ctrl-C is the program's
        {"-XX:+UseSerialGC", NULL},
        {"-Xms64m", NULL}, // grows if need be; by itself it would take a share of the machine
        {"-XX:-UsePerfData", NULL},
        {"-Xlog:disable", NULL}, // not a word about an archive that does not suit
    };
    jint count = 11;
    if (platform_real_path(archive + strlen(to_archive), real)) {
        // What installed both (pip, npm) gave them times of its own.
        platform_set_time(jar, JAR_TIME);
        options[count++].optionString = archive;
    }
    add_words(options, &count, theirs);
    add_words(options, &count, own);
    JavaVMInitArgs arguments = {JNI_VERSION_10, count, options, JNI_FALSE};
    struct platform_locale locale = platform_name_utf8();
    jint answer = create(&java, (void **) env, &arguments);
    platform_restore(locale);
    free(own);
    free(theirs);
    if (answer != JNI_OK) {
        return fail(BITTTT_ERROR_JAVA, "Java could not start, error %d: %s", (int) answer, start->messages);
    }
    if (start->messages[0] != 0) {
        fprintf(stderr, "%s\n", start->messages);
    }
    return BITTTT_OK;
}

/* Bridge by a class loader of its own, in a Java that others started without it. */
static jclass load_bridge(JNIEnv *env, const char *jar) {
    jclass file_class = (*env)->FindClass(env, "java/io/File");
    jclass uri_class = (*env)->FindClass(env, "java/net/URI");
    jclass url_class = (*env)->FindClass(env, "java/net/URL");
    jclass loader_class = (*env)->FindClass(env, "java/net/URLClassLoader");
    jstring path = (*env)->NewStringUTF(env, jar);
    jobject file = (*env)->NewObject(env, file_class,
                                     (*env)->GetMethodID(env, file_class, "<init>", "(Ljava/lang/String;)V"), path);
    if (file == NULL) {
        return NULL;
    }
    jobject uri = (*env)->CallObjectMethod(env, file, (*env)->GetMethodID(env, file_class, "toURI", "()Ljava/net/URI;"));
    if (uri == NULL) {
        return NULL;
    }
    jobject url = (*env)->CallObjectMethod(env, uri, (*env)->GetMethodID(env, uri_class, "toURL", "()Ljava/net/URL;"));
    if (url == NULL) {
        return NULL;
    }
    jobjectArray urls = (*env)->NewObjectArray(env, 1, url_class, url);
    jobject loader = urls == NULL
                         ? NULL
                         : (*env)->NewObject(env, loader_class,
                                             (*env)->GetMethodID(env, loader_class, "<init>", "([Ljava/net/URL;)V"), urls);
    if (loader == NULL) {
        return NULL;
    }
    jmethodID load = (*env)->GetMethodID(env, loader_class, "loadClass", "(Ljava/lang/String;)Ljava/lang/Class;");
    jstring name = (*env)->NewStringUTF(env, "io.github.bitttt.capi.Bridge");
    return name == NULL ? NULL : (*env)->CallObjectMethod(env, loader, load, name);
}

static int find_methods(JNIEnv *env, const char *jar, bool owner) {
    jclass found = (*env)->FindClass(env, BRIDGE);
    if (found == NULL && !owner) {
        (*env)->ExceptionClear(env);
        found = load_bridge(env, jar);
    }
    if (found == NULL) {
        return fail_by_exception(env, owner ? "bitttt.jar does not fit libbitttt"
                                            : "the Java in this process cannot run bitttt, which needs 25 or newer");
    }
    bridge = (*env)->NewGlobalRef(env, found);
    for (int i = 0; i < METHODS; i++) {
        methods[i] = (*env)->GetStaticMethodID(env, bridge, signatures[i].name, signatures[i].signature);
        if (methods[i] == NULL) {
            return fail_by_exception(env, "bitttt.jar does not fit libbitttt");
        }
    }
    jvalue arguments[] = {{.j = address(last_error())}, {.z = owner}};
    return (*env)->CallStaticIntMethodA(env, bridge, methods[START], arguments);
}

static int start_here(struct start *start) {
    char jar[PATH_BYTES];
    JNIEnv *env = NULL;
    jsize running = 0;
    int code = jar_beside_library(jar);
    void *library = code == BITTTT_OK ? find_jvm(start->home) : NULL;
    if (library == NULL) {
        return BITTTT_ERROR_JAVA;
    }
    jint(JNICALL * created)(JavaVM **, jsize, jsize *);
    void *symbol = platform_symbol(library, "JNI_GetCreatedJavaVMs");
    memcpy(&created, &symbol, sizeof created);
    if (symbol == NULL) {
        return fail(BITTTT_ERROR_JAVA, "the Java that was found has no JNI_GetCreatedJavaVMs");
    }
    created(&java, 1, &running);
    if (running > 0) {
        if ((*java)->AttachCurrentThreadAsDaemon(java, (void **) &env, NULL) != JNI_OK) {
            return fail(BITTTT_ERROR_JAVA, "the Java in this process lets no thread in");
        }
    } else {
        code = create_java(library, start, jar, &env);
        if (code != BITTTT_OK) {
            return code;
        }
    }
    code = find_methods(env, jar, running == 0);
    (*java)->DetachCurrentThread(java);
    if (code != BITTTT_OK && running == 0) {
        atomic_store(&state, BROKEN);
    }
    return code;
}

static void *start_on_own_thread(void *argument) {
    struct start *start = argument;
    finish(start, start_here(start));
    return NULL;
}

static void detach(void *env) {
    (void) env;
    attached = NULL;
    (*java)->DetachCurrentThread(java);
}

static int start_once(const char *home, const char *options) {
    static char reason[ERROR_BYTES];
    if (atomic_load(&state) == RUNNING) {
        return BITTTT_OK;
    }
    if (atomic_load(&state) == BROKEN) {
        return fail(BITTTT_ERROR_JAVA, "%.1500s (a process can start Java only once)", reason);
    }
    struct start start = {.home = home, .options = options};
    starting = &start;
    if (!start_thread(start_on_own_thread, &start)) {
        starting = NULL;
        return fail(BITTTT_ERROR_INTERNAL, "no memory for a thread");
    }
    pthread_mutex_lock(&done_lock);
    while (!start.done) {
        pthread_cond_wait(&done_changed, &done_lock);
    }
    pthread_mutex_unlock(&done_lock);
    if (start.code != BITTTT_OK) {
        memcpy(reason, start.error, ERROR_BYTES);
        return fail(start.code, "%.2000s", start.error);
    }
    pthread_key_create(&detach_key, detach);
    platform_flag_forks(&forked);
    atomic_store(&state, RUNNING);
    return BITTTT_OK;
}

int java_start(const char *home, const char *options) {
    if (forked) {
        return fail(BITTTT_ERROR_FORKED, "this process was forked after Java had started, and Java does not survive that; "
                                         "start Java after the fork, or start processes anew (in Python: spawn)");
    }
    pthread_mutex_lock(&start_lock);
    int code = start_once(home, options);
    pthread_mutex_unlock(&start_lock);
    return code;
}

/* ---- calls ---- */

static JNIEnv *environment(void) {
    if (attached != NULL) {
        return attached;
    }
    void *env = NULL;
    if ((*java)->GetEnv(java, &env, JNI_VERSION_10) == JNI_OK) {
        return env;
    }
    JavaVMAttachArgs arguments = {JNI_VERSION_10, "bitttt-caller", NULL};
    if ((*java)->AttachCurrentThreadAsDaemon(java, &env, &arguments) != JNI_OK) {
        return NULL;
    }
    attached = env;
    pthread_setspecific(detach_key, env);
    return env;
}

struct call {
    enum java_method method;
    jvalue *arguments;
    int code;
};

static void call_here(void *argument) {
    struct call *call = argument;
    struct error *error = (struct error *) (intptr_t) call->arguments[0].j;
    JNIEnv *env = environment();
    if (env == NULL) {
        call->code = BITTTT_ERROR_JAVA;
        error->reason = 0;
        snprintf(error->text, sizeof error->text, "Java lets this thread not in");
        return;
    }
    call->code = (*env)->CallStaticIntMethodA(env, bridge, methods[call->method], call->arguments);
    if ((*env)->ExceptionCheck(env)) {
        (*env)->ExceptionClear(env);
        call->code = BITTTT_ERROR_INTERNAL;
        error->reason = 0;
        snprintf(error->text, sizeof error->text, "%s: Java has no memory or stack left", signatures[call->method].name);
    }
}

int java_call(enum java_method method, jvalue *arguments) {
    if (atomic_load_explicit(&state, memory_order_acquire) != RUNNING || forked) {
        int code = java_start(NULL, NULL);
        if (code != BITTTT_OK) {
            return code;
        }
    }
    arguments[0].j = address(last_error());
    struct call call = {method, arguments, BITTTT_ERROR_INTERNAL};
    if (!on_foreign_stack()) {
        call_here(&call);
    } else if (!run_on_own_thread(call_here, &call)) {
        fail(BITTTT_ERROR_INTERNAL, "no memory for a thread");
    }
    return call.code;
}

/* Calls a storage plugin from a shell, as a host would: drive LIBRARY NAME=VALUE... -- COMMAND ARGUMENTS.
 *
 *   put KEY [new]        standard input to an object; `new`: only where there is none
 *   get KEY              an object to standard output
 *   stat KEY             its size and time
 *   ls [PREFIX]          keys, one a line
 *   rm KEY | cp A B | mv A B | health
 *   held-get KEY         reads half a MiB, says "held", waits for a line on standard input, reads on
 *   held-put KEY         writes 8 MiB of standard input, says "held", waits until more comes, writes on and commits
 *   hold                 says "held" and waits for a line
 *   late MS              from now on each call has a deadline of so many milliseconds
 *   puts N SIZE THREADS  N objects at once; says how many seconds it took
 *   gets N SIZE THREADS  the same objects, read whole
 *   up KEY MIB           one object of so many MiB of zeros; says how many seconds it took
 *   down KEY             the same, read and thrown away
 *
 * Ends with the ABI's code, and says the message on standard error. */
#include "coffer_backend.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const coffer_plugin *plugin;
static coffer_instance     *instance;
static uint64_t             step_ms = 120000;

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static coffer_str text(const char *string) { return (coffer_str){string, strlen(string)}; }

static coffer_call fresh_call(void) {
    return (coffer_call){.struct_size = sizeof(coffer_call), .deadline_ns = now_ns() + step_ms * 1000000u};
}

typedef struct failure {
    coffer_error error;
    char         message[512];
} failure;

static coffer_error *fresh_error(failure *f) {
    memset(f, 0, sizeof *f);
    f->error.struct_size = sizeof f->error;
    f->error.message = f->message;
    f->error.message_cap = sizeof f->message - 1;
    return &f->error;
}

static int tell(const failure *f, coffer_status status) {
    if (status != COFFER_OK)
        fprintf(stderr, "code %d%s%s: %s\n", status, f->error.flags & COFFER_ERR_RETRYABLE ? " retryable" : "",
                f->error.flags & COFFER_ERR_MAYBE_APPLIED ? " maybe-applied" : "", f->message);
    return status;
}

/* ---- opening ---- */

/* "15s" as a host expands it: milliseconds. */
static const char *expanded(uint32_t type, const char *value, char *room, size_t size) {
    if (type != COFFER_OPT_DURATION) return value;
    char  *end;
    double number = strtod(value, &end);
    double unit = !strcmp(end, "ms") ? 1 : !strcmp(end, "s") ? 1e3 : !strcmp(end, "m") ? 6e4 : !strcmp(end, "h") ? 36e5 : 1;
    snprintf(room, size, "%.0f", number * unit);
    return room;
}

static int open_instance(int count, char **settings) {
    static char      rooms[64][32];
    static coffer_kv options[128];
    size_t           n = 0;
    for (size_t i = 0; i < plugin->n_options; i++) {
        const coffer_option *option = (const coffer_option *)((const char *)plugin->options + i * plugin->option_size);
        const char          *value = option->default_value;
        size_t               length = strlen(option->name);
        for (int s = 0; s < count; s++)
            if (!strncmp(settings[s], option->name, length) && settings[s][length] == '=') value = settings[s] + length + 1;
        if (value != NULL)
            options[n++] = (coffer_kv){text(option->name), text(expanded(option->type, value, rooms[i], sizeof rooms[i]))};
    }
    coffer_open_args   arguments = {.struct_size = sizeof arguments, .name = text("drive"), .n_options = n, .options = options};
    coffer_open_result result = {.struct_size = sizeof result};
    coffer_call        call = fresh_call();
    failure            f;
    int                status = plugin->ops->open(&arguments, &call, &result, fresh_error(&f));
    instance = result.instance;
    return tell(&f, status);
}

/* ---- one object ---- */

typedef size_t (*source)(void *context, char *block, size_t size);

static int put(const char *key, int is_new, size_t unit, source next, void *context) {
    coffer_write_args arguments = {.struct_size = sizeof arguments, .key = text(key), .attempt = text("drive"), .size = -1};
    if (is_new) arguments.if_none_match = text("*");
    coffer_wstream *stream = NULL;
    failure         f;
    coffer_call     call = fresh_call();
    int             status = plugin->ops->write_begin(instance, &call, &arguments, &stream, fresh_error(&f));
    if (status != COFFER_OK) return tell(&f, status);
    char  *block = malloc(unit);
    size_t got;
    while (status == COFFER_OK && (got = next(context, block, unit)) > 0) {
        call = fresh_call();
        status = plugin->ops->write_append(stream, &call, block, got, fresh_error(&f));
    }
    free(block);
    coffer_commit_args last = {.struct_size = sizeof last};
    coffer_sink        sink = {.struct_size = sizeof sink};
    call = fresh_call();
    if (status == COFFER_OK) status = plugin->ops->write_commit(stream, &call, &last, &sink, fresh_error(&f));
    plugin->ops->write_close(stream);
    return tell(&f, status);
}

typedef int (*target)(void *context, const char *block, size_t size);

static int get(const char *key, target take, void *context) {
    coffer_read_args   arguments = {.struct_size = sizeof arguments, .key = text(key), .length = -1};
    coffer_read_result result = {.struct_size = sizeof result, .fd = -1};
    coffer_sink        sink = {.struct_size = sizeof sink};
    failure            f;
    coffer_call        call = fresh_call();
    int                status = plugin->ops->read_open(instance, &call, &arguments, &result, &sink, fresh_error(&f));
    if (status != COFFER_OK) return tell(&f, status);
    size_t unit = 256 << 10, got = 1;
    char  *block = malloc(unit);
    while (status == COFFER_OK) {
        call = fresh_call();
        status = plugin->ops->read(result.stream, &call, block, unit, &got, fresh_error(&f));
        if (got == 0 || (status == COFFER_OK && !take(context, block, got))) break;
    }
    free(block);
    plugin->ops->read_close(result.stream);
    return tell(&f, status);
}

static size_t from_input(void *context, char *block, size_t size) {
    (void)context;
    return fread(block, 1, size, stdin);
}

static int to_output(void *context, const char *block, size_t size) {
    (void)context;
    return fwrite(block, 1, size, stdout) == size;
}

static int to_nothing(void *context, const char *block, size_t size) {
    (void)block;
    *(size_t *)context += size;
    return 1;
}

static void hold(void) {
    puts("held");
    fflush(stdout);
}

/* Half a MiB, then what is left once a line came. */
static int held_output(void *context, const char *block, size_t size) {
    size_t *total = context, before = *total;
    (void)block;
    *total += size;
    if (before < 512 << 10 && *total >= 512 << 10) {
        hold();
        (void)getchar();
    }
    return 1;
}

static size_t held_input(void *context, char *block, size_t size) {
    size_t *total = context, before = *total, got = fread(block, 1, size, stdin);
    *total += got;
    if (before < 8 << 20 && *total >= 8 << 20) hold();
    return got;
}

static size_t zeros(void *context, char *block, size_t size) {
    size_t *left = context, count = *left < size ? *left : size;
    memset(block, 0, count);
    *left -= count;
    return count;
}

/* ---- many objects ---- */

typedef struct load {
    int    first, step, count, is_reading, status;
    size_t size;
} load;

static void *run(void *context) {
    load *work = context;
    for (int i = work->first; i < work->count && work->status == 0; i += work->step) {
        char   key[64];
        size_t left = work->size, got = 0;
        snprintf(key, sizeof key, "many/%d/%d", i % 10, i);
        work->status = work->is_reading ? get(key, to_nothing, &got) : put(key, 0, 256 << 10, zeros, &left);
        if (work->is_reading && got != work->size) work->status = COFFER_E_CORRUPT;
    }
    return NULL;
}

static int many(int is_reading, int count, size_t size, int threads) {
    pthread_t handles[64];
    load      loads[64];
    uint64_t  start = now_ns();
    int       status = 0;
    for (int i = 0; i < threads; i++) {
        loads[i] = (load){i, threads, count, is_reading, 0, size};
        pthread_create(&handles[i], NULL, run, &loads[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(handles[i], NULL);
        if (loads[i].status) status = loads[i].status;
    }
    printf("%.4f\n", (double)(now_ns() - start) / 1e9);
    return status;
}

/* ---- the rest ---- */

static int show(void *context, const coffer_entry *entry) {
    if (context != NULL) printf("%lld %lld\n", (long long)entry->size, (long long)(entry->mtime_ns / 1000000000));
    else printf("%.*s\n", (int)entry->key.len, entry->key.ptr);
    return 0;
}

static int show_value(void *context, uint32_t kind, coffer_str key, coffer_str value) {
    (void)context;
    if (kind == COFFER_VAL_INFO) printf("%.*s=%.*s\n", (int)key.len, key.ptr, (int)value.len, value.ptr);
    return 0;
}

static int list(const char *prefix) {
    coffer_list_args arguments = {.struct_size = sizeof arguments, .prefix = text(prefix)};
    coffer_sink      sink = {.struct_size = sizeof sink, .on_entry = show};
    coffer_lstream  *stream = NULL;
    failure          f;
    coffer_call      call = fresh_call();
    uint32_t         done = 0;
    int              status = plugin->ops->list_open(instance, &call, &arguments, &stream, fresh_error(&f));
    if (status != COFFER_OK) return tell(&f, status);
    while (status == COFFER_OK && !done) {
        call = fresh_call();
        status = plugin->ops->list_next(stream, &call, 1000, &done, &sink, fresh_error(&f));
    }
    plugin->ops->list_close(stream);
    return tell(&f, status);
}

static int command(int count, char **words) {
    const char      *name = words[0], *key = count > 1 ? words[1] : "";
    size_t           total = 0;
    failure          f;
    coffer_call      call = fresh_call();
    coffer_sink      sink = {.struct_size = sizeof sink, .ctx = &sink, .on_entry = show, .on_value = show_value};
    coffer_read_args one = {.struct_size = sizeof one, .key = text(key), .length = -1};
    fresh_error(&f);
    if (!strcmp(name, "put")) return put(key, count > 2, 64 << 10, from_input, NULL);
    if (!strcmp(name, "get")) return get(key, to_output, NULL);
    if (!strcmp(name, "held-put")) return put(key, 0, 64 << 10, held_input, &total);
    if (!strcmp(name, "held-get")) return get(key, held_output, &total);
    if (!strcmp(name, "late")) {
        step_ms = (uint64_t)atoi(key);
        return 0;
    }
    if (!strcmp(name, "hold")) {
        hold();
        return getchar() == EOF;
    }
    if (!strcmp(name, "ls")) return list(key);
    if (!strcmp(name, "stat")) return tell(&f, plugin->ops->stat(instance, &call, &one, &sink, &f.error));
    if (!strcmp(name, "rm")) return tell(&f, plugin->ops->remove(instance, &call, &one, &f.error));
    if (!strcmp(name, "health")) return tell(&f, plugin->ops->health(instance, &call, &sink, &f.error));
    if (!strcmp(name, "cp") || !strcmp(name, "mv")) {
        coffer_copy_args both = {.struct_size = sizeof both, .from = text(key), .to = text(words[2]), .attempt = text("drive")};
        sink.on_entry = NULL;
        return tell(&f, (name[0] == 'c' ? plugin->ops->copy : plugin->ops->move)(instance, &call, &both, &sink, &f.error));
    }
    if (!strcmp(name, "puts")) return many(0, atoi(words[1]), (size_t)atol(words[2]), atoi(words[3]));
    if (!strcmp(name, "gets")) return many(1, atoi(words[1]), (size_t)atol(words[2]), atoi(words[3]));
    if (!strcmp(name, "up") || !strcmp(name, "down")) {
        uint64_t start = now_ns();
        size_t   left = count > 2 ? (size_t)atol(words[2]) << 20 : 0;
        int      status = name[0] == 'u' ? put(key, 0, 256 << 10, zeros, &left) : get(key, to_nothing, &total);
        printf("%.4f\n", (double)(now_ns() - start) / 1e9);
        return status;
    }
    fprintf(stderr, "no such command: %s\n", name);
    return 99;
}

int main(int count, char **words) {
    int split = 2;
    while (split < count && strcmp(words[split], "--")) split++;
    if (split + 1 >= count) {
        fputs("say: drive LIBRARY NAME=VALUE... -- COMMAND ARGUMENTS\n", stderr);
        return 98;
    }
    void            *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    coffer_entry_fn  entry = NULL;
    coffer_host      host = {.struct_size = sizeof host, .abi = COFFER_ABI_CURRENT, .name = "drive", .version = "1"};
    failure          f;
    if (library != NULL) *(void **)&entry = dlsym(library, COFFER_ENTRY_SYMBOL);
    plugin = entry == NULL ? NULL : entry(&host, fresh_error(&f));
    if (plugin == NULL) {
        fprintf(stderr, "%s\n", entry == NULL ? dlerror() : f.message);
        return 97;
    }
    int status = open_instance(split - 2, words + 2);
    /* Several commands on one instance, parted by a comma, or by `or` where the first one may fail: what the first one
     * connected the next ones use. */
    while (split + 1 < count && (status == COFFER_OK || !strcmp(words[split], "or"))) {
        int end = split + 1;
        while (end < count && strcmp(words[end], ",") && strcmp(words[end], "or")) end++;
        status = command(end - split - 1, words + split + 1);
        split = end;
    }
    if (instance != NULL) plugin->ops->close(instance);
    return status;
}

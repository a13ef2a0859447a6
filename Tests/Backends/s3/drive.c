/* Drives a plugin over the ABI: `drive PLUGIN get|put|list SIZE THREADS SECONDS OPTION=VALUE...`
 *
 * get reads keys r0 to r15, put writes keys w0 to w15, each of SIZE bytes; list walks everything once for each round.
 * Prints operations, bytes, seconds, and seconds of processor time, of this process alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define COFFER_NO_ENTRY_DECLARATION
#include "coffer_backend.h"

enum { BLOCK = 1 << 20, KEYS = 16 };

static const coffer_ops *ops;
static coffer_instance *instance;
static size_t size;
static double seconds;
static char what;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static coffer_str text(const char *words) { return (coffer_str){words, strlen(words)}; }

static void fail(const char *doing, coffer_status status, const coffer_error *error) {
    fprintf(stderr, "%s: code %d: %.*s\n", doing, status, (int)error->message_len, error->message);
    exit(1);
}

static int count_entry(void *context, const struct coffer_entry *entry) {
    (void)entry;
    ++*(unsigned long *)context;
    return 0;
}

struct tally {
    pthread_t thread;
    unsigned long operations, bytes;
    int number;
};

static void *work(void *context) {
    struct tally *tally = context;
    char *block = malloc(BLOCK), message[256];
    memset(block, 'x', BLOCK);
    double end = now() + seconds;
    for (unsigned turn = (unsigned)tally->number; now() < end; ++turn) {
        coffer_error error = {.struct_size = sizeof error, .message = message, .message_cap = sizeof message};
        coffer_call call = {.struct_size = sizeof call};
        coffer_sink sink = {.struct_size = sizeof sink};
        coffer_status status;
        char key[16];
        snprintf(key, sizeof key, "%c%u", what == 'g' ? 'r' : 'w', turn % KEYS);
        if (what == 'g') {
            coffer_read_args arguments = {.struct_size = sizeof arguments, .key = text(key), .length = -1};
            coffer_read_result result = {.struct_size = sizeof result, .fd = -1};
            status = ops->read_open(instance, &call, &arguments, &result, &sink, &error);
            if (status != COFFER_OK) fail("read_open", status, &error);
            for (size_t got = 1; got > 0;) {
                status = ops->read(result.stream, &call, block, BLOCK, &got, &error);
                if (status != COFFER_OK) fail("read", status, &error);
                tally->bytes += got;
            }
            ops->read_close(result.stream);
        } else if (what == 'p') {
            coffer_write_args arguments = {.struct_size = sizeof arguments, .key = text(key), .attempt = text("a"),
                                           .size = (int64_t)size};
            coffer_wstream *stream = NULL;
            status = ops->write_begin(instance, &call, &arguments, &stream, &error);
            if (status != COFFER_OK) fail("write_begin", status, &error);
            for (size_t left = size; left > 0;) {
                size_t count = left < BLOCK ? left : BLOCK;
                status = ops->write_append(stream, &call, block, count, &error);
                if (status != COFFER_OK) fail("write_append", status, &error);
                left -= count;
            }
            status = ops->write_commit(stream, &call, NULL, &sink, &error);
            if (status != COFFER_OK) fail("write_commit", status, &error);
            ops->write_close(stream);
            tally->bytes += size;
        } else {
            coffer_list_args arguments = {.struct_size = sizeof arguments};
            coffer_lstream *stream = NULL;
            unsigned long entries = 0;
            uint32_t done = 0;
            sink.ctx = &entries;
            sink.on_entry = count_entry;
            status = ops->list_open(instance, &call, &arguments, &stream, &error);
            if (status != COFFER_OK) fail("list_open", status, &error);
            while (!done) {
                status = ops->list_next(stream, &call, 1000, &done, &sink, &error);
                if (status != COFFER_OK) fail("list_next", status, &error);
            }
            ops->list_close(stream);
            tally->bytes += entries;
        }
        ++tally->operations;
    }
    free(block);
    return NULL;
}

int main(int count, char **words) {
    if (count < 6) return 2;
    void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    if (!library) return fprintf(stderr, "%s\n", dlerror()), 1;
    coffer_entry_fn entry;
    *(void **)&entry = dlsym(library, COFFER_ENTRY_SYMBOL);
    what = words[2][0];
    size = strtoull(words[3], NULL, 10);
    int threads = atoi(words[4]);
    seconds = atof(words[5]);

    static coffer_host host = {.struct_size = sizeof host, .abi = COFFER_ABI_CURRENT, .name = "drive", .version = "0"};
    char message[256];
    coffer_error error = {.struct_size = sizeof error, .message = message, .message_cap = sizeof message};
    const coffer_plugin *plugin = entry(&host, &error);
    if (!plugin) fail("entry", error.code, &error);
    ops = plugin->ops;
    coffer_kv options[32];
    size_t n = 0;
    for (int index = 6; index < count && n < 32; ++index) {
        char *equals = strchr(words[index], '=');
        if (!equals) return 2;
        *equals = 0;
        options[n++] = (coffer_kv){text(words[index]), text(equals + 1)};
    }
    coffer_open_args arguments = {.struct_size = sizeof arguments, .name = text("bench"), .n_options = n, .options = options};
    coffer_open_result result = {.struct_size = sizeof result};
    coffer_call call = {.struct_size = sizeof call};
    coffer_status status = ops->open(&arguments, &call, &result, &error);
    if (status != COFFER_OK) fail("open", status, &error);
    instance = result.instance;

    struct tally *tallies = calloc((size_t)threads, sizeof *tallies);
    double start = now();
    for (int index = 0; index < threads; ++index) {
        tallies[index].number = index;
        pthread_create(&tallies[index].thread, NULL, work, &tallies[index]);
    }
    unsigned long operations = 0, bytes = 0;
    for (int index = 0; index < threads; ++index) {
        pthread_join(tallies[index].thread, NULL);
        operations += tallies[index].operations;
        bytes += tallies[index].bytes;
    }
    double passed = now() - start;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%lu %lu %.6f %.6f\n", operations, bytes, passed,
           usage.ru_utime.tv_sec + usage.ru_stime.tv_sec + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    ops->close(instance);
    return 0;
}

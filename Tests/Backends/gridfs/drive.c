/* The plugin by itself, over its C ABI: `drive PLUGIN.so BYTES KEY=VALUE…` writes an object, reads it back,
 * reads its last MiB, and prints the seconds of the three. The options are given as the host gives them: sizes in bytes.
 * cc -O2 -I…/plugin-sdk/C/include drive.c */
#include <coffer_backend.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST_OPTIONS 32

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static char message[512];
static coffer_error error = {.struct_size = sizeof error, .message_cap = sizeof message, .message = message};

static void must(coffer_status status, const char *what)
{
    if (status == COFFER_OK)
        return;
    fprintf(stderr, "drive: %s: %.*s\n", what, (int)error.message_len, message);
    exit(1);
}

static coffer_str text(const char *words) { return (coffer_str){words, strlen(words)}; }

static double get(const coffer_ops *ops, coffer_instance *instance, const char *sent, uint64_t offset, uint64_t size)
{
    static char buffer[1 << 20];
    coffer_call call = {.struct_size = sizeof call};
    coffer_sink sink = {.struct_size = sizeof sink};
    coffer_read_args arguments = {.struct_size = sizeof arguments, .key = text("drive"), .offset = offset, .length = -1};
    coffer_read_result result = {.struct_size = sizeof result};
    double start = now();
    must(ops->read_open(instance, &call, &arguments, &result, &sink, &error), "read_open");
    uint64_t at = offset;
    for (size_t got = 1; got > 0; at += got) {
        must(ops->read(result.stream, &call, buffer, sizeof buffer, &got, &error), "read");
        if (at + got > size || memcmp(buffer, sent + at, got < 64 ? got : 64) != 0) {
            fprintf(stderr, "drive: other bytes came back\n");
            exit(1);
        }
    }
    double seconds = now() - start;
    ops->read_close(result.stream);
    if (at != size) {
        fprintf(stderr, "drive: too few bytes came back\n");
        exit(1);
    }
    return seconds;
}

int main(int count, char **words)
{
    if (count < 3 || count > 3 + MOST_OPTIONS)
        return 2;
    void *library = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
    coffer_entry_fn entry;
    *(void **)&entry = library ? dlsym(library, COFFER_ENTRY_SYMBOL) : NULL;
    if (!entry) {
        fprintf(stderr, "drive: %s\n", dlerror());
        return 1;
    }
    coffer_host host = {.struct_size = sizeof host, .abi = COFFER_ABI_CURRENT};
    const coffer_plugin *plugin = entry(&host, &error);
    if (!plugin)
        must(COFFER_E_INTERNAL, "entry");
    const coffer_ops *ops = plugin->ops;
    coffer_kv options[MOST_OPTIONS];
    coffer_open_args open = {.struct_size = sizeof open, .name = text("drive"), .options = options};
    for (int i = 3; i < count; i++) {
        char *value = strchr(words[i], '=');
        if (!value)
            return 2;
        *value++ = 0;
        options[open.n_options++] = (coffer_kv){text(words[i]), text(value)};
    }
    coffer_call call = {.struct_size = sizeof call};
    coffer_sink sink = {.struct_size = sizeof sink};
    coffer_open_result opened = {.struct_size = sizeof opened};
    must(ops->open(&open, &call, &opened, &error), "open");

    uint64_t size = strtoull(words[2], NULL, 10), step = 1 << 20;
    char *sent = malloc(size + 1);
    for (uint64_t i = 0; i < size; i++)
        sent[i] = (char)(i * 2654435761u >> 13);
    coffer_write_args arguments = {.struct_size = sizeof arguments, .key = text("drive"), .attempt = text("drive"),
                                   .size = (int64_t)size};
    coffer_commit_args commit = {.struct_size = sizeof commit};
    coffer_wstream *stream = NULL;
    double start = now();
    must(ops->write_begin(opened.instance, &call, &arguments, &stream, &error), "write_begin");
    for (uint64_t at = 0; at < size; at += step)
        must(ops->write_append(stream, &call, sent + at, size - at < step ? size - at : step, &error), "write_append");
    must(ops->write_commit(stream, &call, &commit, &sink, &error), "write_commit");
    ops->write_close(stream);
    double up = now() - start;
    double down = get(ops, opened.instance, sent, 0, size);
    double tail = get(ops, opened.instance, sent, size > step ? size - step : 0, size);
    coffer_read_args removal = {.struct_size = sizeof removal, .key = text("drive"), .length = -1};
    must(ops->remove(opened.instance, &call, &removal, &error), "remove");
    ops->close(opened.instance);
    printf("%.4f %.4f %.4f\n", up, down, tail);
    return 0;
}

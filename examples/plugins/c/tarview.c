/* tarview.c - a storage backend for Coffer that shows the files of a tar archive (ustar), read-only.
 *
 * The whole archive is scanned once, at open; after that a read is a pread. A store that cannot write declares so by
 * leaving COFFER_CAP_WRITE out and the functions of writing NULL: the host refuses writes with `unsupported`.
 */
#define _POSIX_C_SOURCE 200809L
#include <coffer_backend.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NATIVE                                                                                                         \
    (COFFER_CAP_STAT | COFFER_CAP_READ | COFFER_CAP_READ_RANGE | COFFER_CAP_READ_PINNED | COFFER_CAP_READ_CONDITION |  \
     COFFER_CAP_LIST | COFFER_CAP_LIST_AFTER | COFFER_CAP_LIST_SORTED | COFFER_CAP_READ_ONLY)

#define BLOCK 512u
#define WHOLE(p) ((p) && (p)->struct_size >= sizeof *(p))

typedef struct member {
    char    *name;
    size_t   length;
    uint64_t offset, size;
    int64_t  mtime_ns;
    char     etag[48];
} member;

struct coffer_instance {
    int     fd;
    member *members; /* sorted by name, each name once */
    size_t  count;
};

static coffer_status fail(coffer_error *error, coffer_status code, const char *message)
{
    if (error && COFFER_HAS(error, coffer_error, message)) {
        size_t length = strlen(message);
        error->code = code;
        error->message_len = length < error->message_cap ? (uint32_t)length : error->message_cap;
        if (error->message) memcpy(error->message, message, error->message_len);
    }
    return code;
}

static int compare(const char *a, size_t a_len, const char *b, size_t b_len)
{
    int order = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return order ? order : (a_len > b_len) - (a_len < b_len);
}

/* ---- the archive ------------------------------------------------------------------------------------------------- */

/* An octal number of a header; UINT64_MAX if it is none. */
static uint64_t octal(const char *field, size_t width)
{
    uint64_t value = 0;
    size_t i = 0;
    while (i < width && field[i] == ' ') i++;
    if (i == width || !field[i]) return UINT64_MAX;
    for (; i < width && field[i] && field[i] != ' '; i++) {
        if (field[i] < '0' || field[i] > '7' || value >> 60) return UINT64_MAX;
        value = value * 8 + (uint64_t)(field[i] - '0');
    }
    return value;
}

/* The sum of a header's bytes, its own field counted as blanks. */
static uint64_t sum(const char *header)
{
    uint64_t total = 0;
    for (size_t i = 0; i < BLOCK; i++) total += i >= 148 && i < 156 ? ' ' : (unsigned char)header[i];
    return total;
}

static int keep(coffer_instance *self, const char *header, uint64_t offset, uint64_t size)
{
    size_t prefix = strnlen(header + 345, 155), name = strnlen(header, 100);
    int is_split = prefix && !memcmp(header + 257, "ustar", 6);
    size_t length = name + (is_split ? prefix + 1 : 0);
    if (!length) return 1;
    if ((self->count & (self->count - 1)) == 0) { /* full at every power of two */
        member *grown = realloc(self->members, (self->count ? self->count * 2 : 1) * sizeof *grown);
        if (!grown) return 0;
        self->members = grown;
    }
    member *m = &self->members[self->count];
    m->name = malloc(length + 1);
    if (!m->name) return 0;
    if (is_split) memcpy(m->name, header + 345, prefix), m->name[prefix] = '/';
    memcpy(m->name + length - name, header, name);
    m->name[length] = 0;
    m->length = length;
    m->offset = offset;
    m->size = size;
    uint64_t seconds = octal(header + 136, 12);
    m->mtime_ns = seconds > INT64_MAX / 1000000000 ? COFFER_TIME_UNKNOWN : (int64_t)seconds * 1000000000;
    /* The archive does not change while it is open, so a place in it is a token. */
    snprintf(m->etag, sizeof m->etag, "%llx-%llx-%llx", (unsigned long long)offset, (unsigned long long)size,
             (unsigned long long)sum(header));
    self->count++;
    return 1;
}

static int by_name(const void *left, const void *right)
{
    const member *a = left, *b = right;
    int order = compare(a->name, a->length, b->name, b->length);
    return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

/* Reads every header; NULL, or what is wrong. */
static const char *scan(coffer_instance *self)
{
    char header[BLOCK];
    struct stat file;
    if (fstat(self->fd, &file) || !S_ISREG(file.st_mode)) return "archive: it is no regular file";
    for (uint64_t at = 0; at + BLOCK <= (uint64_t)file.st_size;) {
        if (pread(self->fd, header, BLOCK, (off_t)at) != (ssize_t)BLOCK) return "archive: it cannot be read";
        if (!header[0]) break;
        uint64_t size = octal(header + 124, 12);
        if (octal(header + 148, 8) != sum(header)) return "archive: it is no tar archive, or a damaged one";
        if (size > (uint64_t)file.st_size - at - BLOCK) return "archive: it ends inside a file";
        /* Files alone: directories, links and devices are no objects. */
        if ((header[156] == '0' || !header[156]) && !keep(self, header, at + BLOCK, size)) return "out of memory";
        at += BLOCK + (size + BLOCK - 1) / BLOCK * BLOCK;
    }
    if (!self->count) return NULL;
    qsort(self->members, self->count, sizeof *self->members, by_name);
    size_t kept = 0; /* of one name the last in the archive counts, as for tar itself */
    for (size_t i = 0; i < self->count; i++) {
        member m = self->members[i];
        int is_same = kept && !compare(self->members[kept - 1].name, self->members[kept - 1].length, m.name, m.length);
        if (is_same) free(self->members[--kept].name);
        self->members[kept++] = m;
    }
    self->count = kept;
    return NULL;
}

/* The first member whose name is `key` or comes after it. */
static size_t place_of(const coffer_instance *self, const char *key, size_t length)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const member *m = &self->members[middle];
        if (compare(m->name, m->length, key, length) < 0) low = middle + 1;
        else high = middle;
    }
    return low;
}

static coffer_status tell(const coffer_sink *sink, const member *m)
{
    coffer_entry entry = {.struct_size = sizeof entry, .kind = COFFER_KIND_OBJECT};
    entry.key = (coffer_str){m->name, m->length};
    entry.size = (int64_t)m->size;
    entry.mtime_ns = m->mtime_ns;
    entry.ctime_ns = COFFER_TIME_UNKNOWN;
    entry.etag = (coffer_str){m->etag, strlen(m->etag)};
    if (!WHOLE(sink) || !sink->on_entry) return COFFER_OK;
    return sink->on_entry(sink->ctx, &entry) ? COFFER_E_CANCELLED : COFFER_OK;
}

/* ---- an instance -------------------------------------------------------------------------------------------------- */

static void close_instance(coffer_instance *self)
{
    if (!self) return;
    for (size_t i = 0; i < self->count; i++) free(self->members[i].name);
    free(self->members);
    if (self->fd >= 0) close(self->fd);
    free(self);
}

static coffer_status open_instance(const coffer_open_args *args, const coffer_call *call, coffer_open_result *result,
                                   coffer_error *error)
{
    (void)call;
    if (!WHOLE(args) || !WHOLE(result)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    const char *path = NULL; /* strings from the host are followed by a NUL */
    for (size_t i = 0; i < args->n_options; i++)
        if (args->options[i].key.len == 7 && !memcmp(args->options[i].key.ptr, "archive", 7))
            path = args->options[i].value.ptr;
    if (!path) return fail(error, COFFER_E_CONFIG, "archive: it is missing");
    coffer_instance *self = calloc(1, sizeof *self);
    if (!self) return fail(error, COFFER_E_INTERNAL, "out of memory");
    self->fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *wrong = self->fd < 0 ? "archive: it cannot be opened" : scan(self);
    if (wrong) {
        close_instance(self);
        return fail(error, COFFER_E_CONFIG, wrong);
    }
    result->instance = self;
    result->native = NATIVE;
    result->no_emulation = 0;
    result->max_key = 256; /* ustar has no room for more */
    return COFFER_OK;
}

/* ---- looking and reading -------------------------------------------------------------------------------------------- */

static int matches(coffer_str condition, const member *m)
{
    if (condition.len == 1 && condition.ptr[0] == '*') return 1;
    return condition.len == strlen(m->etag) && !memcmp(condition.ptr, m->etag, condition.len);
}

static coffer_status look(coffer_instance *self, const coffer_read_args *args, const member **found, coffer_error *error)
{
    if (!self || !WHOLE(args)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    if (!args->key.ptr || !args->key.len || args->key.len > 1024 || memchr(args->key.ptr, 0, args->key.len))
        return fail(error, COFFER_E_INVALID_KEY, "a key has 1 to 1024 bytes and no NUL");
    if (args->version.len) return fail(error, COFFER_E_UNSUPPORTED, "there are no versions");
    size_t place = place_of(self, args->key.ptr, args->key.len);
    const member *m = place < self->count ? &self->members[place] : NULL;
    if (!m || compare(m->name, m->length, args->key.ptr, args->key.len))
        return fail(error, COFFER_E_NOT_FOUND, "the archive has no such file");
    if (args->if_match.len && !matches(args->if_match, m))
        return fail(error, COFFER_E_PRECONDITION, "the file is another version");
    if (args->if_none_match.len && matches(args->if_none_match, m))
        return fail(error, COFFER_E_NOT_MODIFIED, "the file is that version");
    *found = m;
    return COFFER_OK;
}

static coffer_status stat_member(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                                 const coffer_sink *sink, coffer_error *error)
{
    (void)call;
    const member *m = NULL;
    coffer_status status = look(self, args, &m, error);
    return status ? status : tell(sink, m);
}

struct coffer_rstream {
    int      fd;
    uint64_t next, end; /* in the archive */
};

static coffer_status read_open(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                               coffer_read_result *result, const coffer_sink *sink, coffer_error *error)
{
    (void)call;
    const member *m = NULL;
    if (!WHOLE(result)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no result");
    coffer_status status = look(self, args, &m, error);
    if (status) return status;
    uint64_t start = args->offset, length;
    if (args->flags & COFFER_READ_SUFFIX) {
        if (args->length < 0 || args->offset) return fail(error, COFFER_E_INVALID_ARGUMENT, "no such suffix");
        length = (uint64_t)args->length < m->size ? (uint64_t)args->length : m->size;
        start = m->size - length;
        if (!length && m->size) return fail(error, COFFER_E_RANGE, "a suffix of nothing");
    } else {
        if (args->length < -1) return fail(error, COFFER_E_INVALID_ARGUMENT, "a negative length");
        if (start > m->size || (start == m->size && m->size)) return fail(error, COFFER_E_RANGE, "past the end");
        length = m->size - start;
        if (args->length >= 0 && (uint64_t)args->length < length) length = (uint64_t)args->length;
    }
    coffer_rstream *stream = malloc(sizeof *stream);
    if (!stream) return fail(error, COFFER_E_INTERNAL, "out of memory");
    status = tell(sink, m);
    if (status) return free(stream), fail(error, status, "the host wants no more");
    *stream = (coffer_rstream){self->fd, m->offset + start, m->offset + start + length};
    result->stream = stream;
    result->fd = -1;
    result->offset = start;
    result->length = length;
    return COFFER_OK;
}

static coffer_status read_some(coffer_rstream *stream, const coffer_call *call, void *buffer, size_t cap, size_t *got,
                               coffer_error *error)
{
    (void)call;
    if (!stream || !got || (!buffer && cap)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no buffer");
    *got = 0;
    uint64_t left = stream->end - stream->next;
    if (!left || !cap) return COFFER_OK;
    ssize_t count;
    do count = pread(stream->fd, buffer, left < cap ? (size_t)left : cap, (off_t)stream->next);
    while (count < 0 && errno == EINTR);
    if (count < 0) return fail(error, COFFER_E_IO, "the archive cannot be read");
    if (count == 0) return fail(error, COFFER_E_CORRUPT, "the archive has become shorter");
    stream->next += (uint64_t)count;
    *got = (size_t)count;
    return COFFER_OK;
}

static void read_close(coffer_rstream *stream) { free(stream); }

/* ---- listing --------------------------------------------------------------------------------------------------------- */

/* The members never change, so a place among them is all that a listing has to remember. */
struct coffer_lstream {
    const coffer_instance *self;
    size_t                 next, prefix_length;
    char                   prefix[];
};

static coffer_status list_open(coffer_instance *self, const coffer_call *call, const coffer_list_args *args,
                               coffer_lstream **result, coffer_error *error)
{
    (void)call;
    if (!self || !WHOLE(args) || !result) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    if (args->delimiter.len || args->flags & COFFER_LIST_VERSIONS)
        return fail(error, COFFER_E_UNSUPPORTED, "neither a delimiter nor versions");
    coffer_lstream *stream = calloc(1, sizeof *stream + args->prefix.len);
    if (!stream) return fail(error, COFFER_E_INTERNAL, "out of memory");
    coffer_str after = args->token.len ? args->token : args->start_after; /* our token is the last name given */
    stream->self = self;
    stream->prefix_length = args->prefix.len;
    if (args->prefix.len) memcpy(stream->prefix, args->prefix.ptr, args->prefix.len);
    stream->next = args->prefix.len ? place_of(self, args->prefix.ptr, args->prefix.len) : 0;
    if (after.len) {
        size_t place = place_of(self, after.ptr, after.len);
        if (place < self->count && !compare(self->members[place].name, self->members[place].length, after.ptr, after.len))
            place++;
        if (place > stream->next) stream->next = place;
    }
    *result = stream;
    return COFFER_OK;
}

static coffer_status list_next(coffer_lstream *stream, const coffer_call *call, uint64_t limit, uint32_t *done,
                               const coffer_sink *sink, coffer_error *error)
{
    (void)call;
    if (!stream || !limit || !done || !WHOLE(sink)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no page asked for");
    const coffer_instance *self = stream->self;
    const member *last = NULL;
    *done = 0;
    for (; limit--; stream->next++) {
        const member *m = stream->next < self->count ? &self->members[stream->next] : NULL;
        if (!m || m->length < stream->prefix_length || memcmp(m->name, stream->prefix, stream->prefix_length))
            return *done = 1, COFFER_OK;
        if (tell(sink, m)) return fail(error, COFFER_E_CANCELLED, "the host wants no more");
        last = m;
    }
    if (sink->on_value && last)
        sink->on_value(sink->ctx, COFFER_VAL_NEXT, (coffer_str){NULL, 0}, (coffer_str){last->name, last->length});
    return COFFER_OK;
}

static void list_close(coffer_lstream *stream) { free(stream); }

/* ---- what the plugin says of itself ------------------------------------------------------------------------------------ */

static const coffer_ops ops = {
    .struct_size = sizeof ops,
    .open = open_instance,
    .close = close_instance,
    .stat = stat_member,
    .read_open = read_open,
    .read = read_some,
    .read_close = read_close,
    .list_open = list_open,
    .list_next = list_next,
    .list_close = list_close,
};

static const coffer_option options[] = {
    {.name = "archive", .type = COFFER_OPT_PATH, .flags = COFFER_OPTF_REQUIRED, .doc = "The tar archive to show."},
};

static const coffer_plugin plugin = {
    .magic = COFFER_MAGIC,
    .struct_size = sizeof plugin,
    .abi = COFFER_ABI_CURRENT,
    .threads = COFFER_THREADS_PARALLEL,
    .option_size = sizeof(coffer_option),
    .caps = NATIVE,
    .id = "tarview",
    .version = "0.1.0",
    .name = "Tar view",
    .license = "0BSD",
    .description = "Shows the files of a tar archive.",
    .n_options = sizeof options / sizeof *options,
    .options = options,
    .ops = &ops,
};

const coffer_plugin *coffer_backend_entry_v1(const coffer_host *host, coffer_error *error)
{
    (void)host, (void)error;
    return &plugin;
}

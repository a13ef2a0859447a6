/* NAME.c - a storage backend for Coffer that keeps objects in memory.
 *
 * This is a complete plugin to start from. It builds with a C compiler alone:
 *
 *     cc -shared -fPIC -O2 $(pkg-config --cflags coffer-plugin) -o libcoffer-NAME.so NAME.c
 *     coffer-plugin-check check ./libcoffer-NAME.so
 *
 * Read it from the bottom up: the descriptor says what the plugin is and can, the operations table names the functions,
 * and the functions stand above it. To make it yours, replace the "shelf" (the sorted array of objects) by your store.
 * It declares what a small store has; the host emulates much of the rest. When yours can do more, add the bit to NATIVE,
 * honour the argument that is refused now, and run the check again.
 */
#define _POSIX_C_SOURCE 200809L
#include <coffer_backend.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What this store does by itself. What is not here must be refused, and that is proven too. */
#define NATIVE                                                                                                         \
    (COFFER_CAP_STAT | COFFER_CAP_READ | COFFER_CAP_READ_RANGE | COFFER_CAP_READ_PINNED | COFFER_CAP_WRITE |           \
     COFFER_CAP_ATOMIC_REPLACE | COFFER_CAP_CREATE_IF_ABSENT | COFFER_CAP_IF_MATCH | COFFER_CAP_REMOVE |               \
     COFFER_CAP_LIST | COFFER_CAP_LIST_AFTER | COFFER_CAP_LIST_SORTED)

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Fills the caller's error, which may be NULL, and gives its code back. No secrets in messages. */
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

static coffer_status no_memory(coffer_error *error) { return fail(error, COFFER_E_INTERNAL, "out of memory"); }

/* Did the caller give a struct at least as long as we know it? It is longer where the host is newer; a shorter one no host
 * has. (A field that a later header adds may be missing: look with COFFER_HAS before you read such a one.) */
#define WHOLE(p) ((p) && (p)->struct_size >= sizeof *(p))

/* Strings from the host are ours only until the call returns, so what is kept is copied. */
static int copy_str(coffer_str *to, coffer_str from)
{
    char *copy = malloc(from.len + 1);
    if (!copy) return 0;
    if (from.len) memcpy(copy, from.ptr, from.len);
    copy[from.len] = 0;
    *to = (coffer_str){copy, from.len};
    return 1;
}

static void free_str(coffer_str s) { free((char *)s.ptr); }

/* Keys are bytes: compared as bytes, then by length. */
static int compare(coffer_str a, coffer_str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int starts_with(coffer_str s, coffer_str prefix)
{
    return s.len >= prefix.len && (!prefix.len || !memcmp(s.ptr, prefix.ptr, prefix.len));
}

static int is(coffer_str s, const char *word) { return s.len == strlen(word) && !memcmp(s.ptr, word, s.len); }

static coffer_status check_key(coffer_str key, coffer_error *error)
{
    if (!key.ptr || key.len == 0 || key.len > 1024 || memchr(key.ptr, 0, key.len))
        return fail(error, COFFER_E_INVALID_KEY, "a key has 1 to 1024 bytes and no NUL");
    return COFFER_OK;
}

/* ---- the shelf: objects, sorted by key --------------------------------------------------------------------------- */

/* An object never changes: a write puts another one in its place. A reader holds on to the one that it opened, and so
 * sees one version to its end (COFFER_CAP_READ_PINNED). `holders` is guarded by the shelf's mutex. */
typedef struct object {
    size_t     holders;
    coffer_str key;
    char      *bytes;
    uint64_t   size;
    int64_t    mtime_ns;
    char       etag[24];
} object;

struct coffer_instance {
    pthread_mutex_t mutex;
    object        **objects;
    size_t          count, room;
    uint64_t        generation; /* of the latest write; the token of an object */
};

static void destroy(object *o)
{
    free_str(o->key);
    free(o->bytes);
    free(o);
}

static void let_go(coffer_instance *self, object *o)
{
    pthread_mutex_lock(&self->mutex);
    int last = --o->holders == 0;
    pthread_mutex_unlock(&self->mutex);
    if (last) destroy(o);
}

/* The first place whose key is greater than `key`, or equal to it where that counts too. Mutex held. */
static size_t place(coffer_instance *self, coffer_str key, int or_equal)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare(self->objects[middle]->key, key);
        if (order < 0 || (order == 0 && !or_equal)) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The object under `key`, and its place, which is where it would go if there is none. Mutex held. */
static object *find(coffer_instance *self, coffer_str key, size_t *at)
{
    *at = place(self, key, 1);
    return *at < self->count && !compare(self->objects[*at]->key, key) ? self->objects[*at] : NULL;
}

static coffer_status tell(const coffer_sink *sink, const object *o)
{
    coffer_entry entry = {.struct_size = sizeof entry, .kind = COFFER_KIND_OBJECT, .key = o->key,
                          .size = (int64_t)o->size, .mtime_ns = o->mtime_ns, .ctime_ns = COFFER_TIME_UNKNOWN,
                          .etag = {o->etag, strlen(o->etag)}};
    if (!WHOLE(sink) || !sink->on_entry) return COFFER_OK;
    return sink->on_entry(sink->ctx, &entry) ? COFFER_E_CANCELLED : COFFER_OK;
}

/* ---- an instance ------------------------------------------------------------------------------------------------- */

static coffer_status open_instance(const coffer_open_args *args, const coffer_call *call, coffer_open_result *result,
                                   coffer_error *error)
{
    (void)call;
    if (!WHOLE(args) || !WHOLE(result)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    coffer_instance *self = calloc(1, sizeof *self);
    if (!self) return no_memory(error);
    pthread_mutex_init(&self->mutex, NULL);
    result->instance = self;
    result->native = NATIVE;
    result->max_key = 1024;
    return COFFER_OK;
}

static void close_instance(coffer_instance *self)
{
    if (!self) return;
    for (size_t i = 0; i < self->count; i++) destroy(self->objects[i]);
    free(self->objects);
    pthread_mutex_destroy(&self->mutex);
    free(self);
}

static coffer_status health(coffer_instance *self, const coffer_call *call, const coffer_sink *sink, coffer_error *error)
{
    (void)call, (void)sink;
    return self ? COFFER_OK : fail(error, COFFER_E_INVALID_ARGUMENT, "no instance");
}

/* ---- looking, reading, removing ---------------------------------------------------------------------------------- */

static coffer_status check_read(coffer_instance *self, const coffer_read_args *args, coffer_error *error)
{
    if (!self || !WHOLE(args)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    if (args->version.len) return fail(error, COFFER_E_UNSUPPORTED, "there are no versions");
    if (args->if_match.len || args->if_none_match.len)
        return fail(error, COFFER_E_UNSUPPORTED, "only a write takes conditions");
    return check_key(args->key, error);
}

/* The object that the arguments ask for, held; or why not. */
static coffer_status look(coffer_instance *self, const coffer_read_args *args, object **found, coffer_error *error)
{
    coffer_status status = check_read(self, args, error);
    if (status) return status;
    size_t at;
    pthread_mutex_lock(&self->mutex);
    *found = find(self, args->key, &at);
    if (*found) (*found)->holders++;
    pthread_mutex_unlock(&self->mutex);
    return *found ? COFFER_OK : fail(error, COFFER_E_NOT_FOUND, "there is no such object");
}

static coffer_status stat_object(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                                 const coffer_sink *sink, coffer_error *error)
{
    (void)call;
    object *o = NULL;
    coffer_status status = look(self, args, &o, error);
    if (status) return status;
    status = tell(sink, o);
    let_go(self, o);
    return status;
}

struct coffer_rstream {
    coffer_instance *self;
    object          *object;
    uint64_t         next, end;
};

/* The part of an object that the arguments ask for; COFFER_E_RANGE when it starts at or past the end. */
static coffer_status range(const coffer_read_args *args, uint64_t size, uint64_t *start, uint64_t *length)
{
    if (args->flags & COFFER_READ_SUFFIX) {
        if (args->length < 0 || args->offset) return COFFER_E_INVALID_ARGUMENT;
        *length = (uint64_t)args->length < size ? (uint64_t)args->length : size;
        *start = size - *length;
        return *length || !size ? COFFER_OK : COFFER_E_RANGE;
    }
    if (args->length < -1) return COFFER_E_INVALID_ARGUMENT;
    if (args->offset > size || (args->offset == size && size)) return COFFER_E_RANGE;
    *start = args->offset;
    *length = size - args->offset;
    if (args->length >= 0 && (uint64_t)args->length < *length) *length = (uint64_t)args->length;
    return COFFER_OK;
}

static coffer_status read_open(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                               coffer_read_result *result, const coffer_sink *sink, coffer_error *error)
{
    (void)call;
    if (!WHOLE(result)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no result");
    object *o = NULL;
    coffer_status status = look(self, args, &o, error);
    if (status) return status;
    uint64_t start = 0, length = 0;
    status = range(args, o->size, &start, &length);
    coffer_rstream *stream = status ? NULL : malloc(sizeof *stream);
    if (!status) status = stream ? tell(sink, o) : COFFER_E_INTERNAL;
    if (status) {
        free(stream);
        let_go(self, o);
        return fail(error, status, "the object cannot be read so");
    }
    *stream = (coffer_rstream){self, o, start, start + length};
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
    uint64_t left = stream->end - stream->next;
    *got = left < cap ? (size_t)left : cap;
    if (*got) memcpy(buffer, stream->object->bytes + stream->next, *got);
    stream->next += *got;
    return COFFER_OK;
}

static void read_close(coffer_rstream *stream)
{
    if (!stream) return;
    let_go(stream->self, stream->object);
    free(stream);
}

static coffer_status remove_object(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                                   coffer_error *error)
{
    (void)call;
    coffer_status status = check_read(self, args, error);
    if (status) return status;
    size_t at;
    pthread_mutex_lock(&self->mutex);
    object *gone = find(self, args->key, &at);
    if (gone) memmove(self->objects + at, self->objects + at + 1, (--self->count - at) * sizeof gone);
    pthread_mutex_unlock(&self->mutex);
    if (gone) let_go(self, gone);
    else if (args->flags & COFFER_READ_STRICT) return fail(error, COFFER_E_NOT_FOUND, "there is no such object");
    return COFFER_OK;
}

/* ---- writing: begin, append, commit or close --------------------------------------------------------------------- */

/* Nothing of a write is on the shelf before commit, so there is nothing to clean up but its own memory. */
struct coffer_wstream {
    coffer_instance *self;
    object          *object; /* the one to come */
    uint64_t         room;
    int64_t          size; /* announced, or -1 */
    coffer_str       if_match;
    int              create_only, ended;
};

static coffer_status check_condition(coffer_str if_match, int create_only, const object *present)
{
    if (create_only && present) return COFFER_E_ALREADY_EXISTS;
    if (if_match.len && !(present && (is(if_match, "*") || is(if_match, present->etag)))) return COFFER_E_PRECONDITION;
    return COFFER_OK;
}

/* What can be refused is refused here, before a byte is taken. */
static coffer_status check_write(coffer_instance *self, const coffer_write_args *args, coffer_error *error)
{
    if (!self || !WHOLE(args) || args->size < -1) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    coffer_status status = check_key(args->key, error);
    if (status) return status;
    if (args->if_none_match.len && !is(args->if_none_match, "*"))
        return fail(error, COFFER_E_UNSUPPORTED, "if_none_match takes * alone");
    if (args->n_checksums || args->n_props || args->n_meta)
        return fail(error, COFFER_E_UNSUPPORTED, "nothing is kept beside the bytes");
    size_t at;
    pthread_mutex_lock(&self->mutex);
    status = check_condition(args->if_match, args->if_none_match.len != 0, find(self, args->key, &at));
    pthread_mutex_unlock(&self->mutex);
    return status ? fail(error, status, "the condition does not hold") : COFFER_OK;
}

static void write_close(coffer_wstream *stream)
{
    if (!stream) return;
    if (stream->object) destroy(stream->object);
    free_str(stream->if_match);
    free(stream);
}

static coffer_status write_begin(coffer_instance *self, const coffer_call *call, const coffer_write_args *args,
                                 coffer_wstream **result, coffer_error *error)
{
    (void)call;
    if (!result) return fail(error, COFFER_E_INVALID_ARGUMENT, "no result");
    coffer_status status = check_write(self, args, error);
    if (status) return status;
    coffer_wstream *stream = calloc(1, sizeof *stream);
    if (!stream || !(stream->object = calloc(1, sizeof(object))) || !copy_str(&stream->object->key, args->key) ||
        !copy_str(&stream->if_match, args->if_match)) {
        write_close(stream);
        return no_memory(error);
    }
    stream->self = self;
    stream->size = args->size;
    stream->create_only = args->if_none_match.len != 0;
    *result = stream;
    return COFFER_OK;
}

static coffer_status write_append(coffer_wstream *stream, const coffer_call *call, const void *bytes, size_t n,
                                  coffer_error *error)
{
    (void)call;
    if (!stream || stream->ended || (!bytes && n)) return fail(error, COFFER_E_INVALID_ARGUMENT, "nothing to append to");
    object *o = stream->object;
    if (n > SIZE_MAX / 4 - o->size || (stream->size >= 0 && n > (uint64_t)stream->size - o->size))
        return fail(error, COFFER_E_INVALID_ARGUMENT, "more bytes than were announced");
    if (o->size + n > stream->room) {
        uint64_t room = stream->room * 2 > o->size + n ? stream->room * 2 : o->size + n;
        char *grown = realloc(o->bytes, room);
        if (!grown) return no_memory(error);
        o->bytes = grown;
        stream->room = room;
    }
    if (n) memcpy(o->bytes + o->size, bytes, n);
    o->size += n;
    return COFFER_OK;
}

/* Puts an object on the shelf, at its place, where `old` may stand. Mutex held. */
static coffer_status publish(coffer_instance *self, object *o, object *old, size_t at)
{
    if (!old) {
        size_t room = self->count < self->room ? self->room : self->room * 2 + 16;
        object **grown = room == self->room ? self->objects : realloc(self->objects, room * sizeof *grown);
        if (!grown) return COFFER_E_INTERNAL;
        self->objects = grown;
        self->room = room;
        memmove(grown + at + 1, grown + at, (self->count++ - at) * sizeof *grown);
    }
    self->objects[at] = o;
    snprintf(o->etag, sizeof o->etag, "g%llu", (unsigned long long)++self->generation);
    o->holders = 2; /* the shelf, and the caller while it tells */
    if (old && --old->holders == 0) destroy(old);
    return COFFER_OK;
}

static coffer_status write_commit(coffer_wstream *stream, const coffer_call *call, const coffer_commit_args *args,
                                  const coffer_sink *sink, coffer_error *error)
{
    (void)call, (void)args;
    if (!stream || stream->ended) return fail(error, COFFER_E_INVALID_ARGUMENT, "nothing to commit");
    object *o = stream->object;
    coffer_instance *self = stream->self;
    stream->ended = 1;
    if (stream->size >= 0 && o->size != (uint64_t)stream->size)
        return fail(error, COFFER_E_INVALID_ARGUMENT, "fewer bytes than were announced");
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    o->mtime_ns = (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
    /* Much may have happened since begin: the condition decides now, under the same lock as the change. */
    size_t at;
    pthread_mutex_lock(&self->mutex);
    object *old = find(self, o->key, &at);
    coffer_status status = check_condition(stream->if_match, stream->create_only, old);
    if (!status) status = publish(self, o, old, at);
    pthread_mutex_unlock(&self->mutex);
    if (status) return fail(error, status, "the condition does not hold any more");
    stream->object = NULL;
    tell(sink, o); /* it is published, whatever the sink says */
    let_go(self, o);
    return COFFER_OK;
}

/* ---- listing ----------------------------------------------------------------------------------------------------- */

/* A listing remembers the key that it gave last, not a place in the array: the array changes between pages. */
struct coffer_lstream {
    coffer_instance *self;
    coffer_str       prefix, last;
};

static void list_close(coffer_lstream *stream)
{
    if (!stream) return;
    free_str(stream->prefix);
    free_str(stream->last);
    free(stream);
}

static coffer_status list_open(coffer_instance *self, const coffer_call *call, const coffer_list_args *args,
                               coffer_lstream **result, coffer_error *error)
{
    (void)call;
    if (!self || !WHOLE(args) || !result) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    if (args->flags & COFFER_LIST_VERSIONS) return fail(error, COFFER_E_UNSUPPORTED, "there are no versions");
    if (args->delimiter.len) return fail(error, COFFER_E_UNSUPPORTED, "keys are not grouped");
    coffer_lstream *stream = calloc(1, sizeof *stream);
    if (!stream || !copy_str(&stream->prefix, args->prefix) ||
        !copy_str(&stream->last, args->token.len ? args->token : args->start_after)) {
        list_close(stream);
        return no_memory(error);
    }
    stream->self = self;
    *result = stream;
    return COFFER_OK;
}

/* The next object, held; NULL at the end. */
static object *next_object(coffer_lstream *stream)
{
    coffer_instance *self = stream->self;
    pthread_mutex_lock(&self->mutex);
    /* The prefix itself may be a key, and comes first. */
    int before = compare(stream->last, stream->prefix) < 0;
    size_t at = place(self, before ? stream->prefix : stream->last, before);
    object *o = at < self->count ? self->objects[at] : NULL;
    if (o && !starts_with(o->key, stream->prefix)) o = NULL;
    if (o) o->holders++;
    pthread_mutex_unlock(&self->mutex);
    return o;
}

static coffer_status list_next(coffer_lstream *stream, const coffer_call *call, uint64_t limit, uint32_t *done,
                               const coffer_sink *sink, coffer_error *error)
{
    (void)call;
    if (!stream || !limit || !done || !WHOLE(sink)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no page asked for");
    for (uint64_t given = 0;; given++) {
        object *o = next_object(stream);
        *done = !o;
        if (!o) return COFFER_OK;
        coffer_str key = {NULL, 0};
        coffer_status status = given == limit || copy_str(&key, o->key) ? COFFER_OK : COFFER_E_INTERNAL;
        if (key.ptr) {
            status = tell(sink, o);
            free_str(stream->last);
            stream->last = key;
        }
        let_go(stream->self, o);
        if (status) return fail(error, status, "the listing was stopped");
        if (given == limit) break;
    }
    /* There is more: a listing that is opened with this token goes on after the last key. */
    if (sink->on_value) sink->on_value(sink->ctx, COFFER_VAL_NEXT, (coffer_str){NULL, 0}, stream->last);
    return COFFER_OK;
}

/* ---- what the plugin says of itself ------------------------------------------------------------------------------ */

/* What is not named here is NULL, and that means: not supported. */
static const coffer_ops ops = {
    .struct_size = sizeof ops,
    .open = open_instance,
    .close = close_instance,
    .health = health,
    .stat = stat_object,
    .read_open = read_open,
    .read = read_some,
    .read_close = read_close,
    .write_begin = write_begin,
    .write_append = write_append,
    .write_commit = write_commit,
    .write_close = write_close,
    .remove = remove_object,
    .list_open = list_open,
    .list_next = list_next,
    .list_close = list_close,
};

static const coffer_plugin plugin = {
    .magic = COFFER_MAGIC,
    .struct_size = sizeof plugin,
    .abi = COFFER_ABI_CURRENT,
    .threads = COFFER_THREADS_PARALLEL,
    .option_size = sizeof(coffer_option),
    .caps = NATIVE,
    .id = "NAME", /* what `backend:` names in a profile */
    .version = "0.1.0",
    .name = "NAME",
    .license = "0BSD",
    .description = "Keeps objects in memory.",
    .ops = &ops,
};

/* The one symbol that the host looks for. */
const coffer_plugin *coffer_backend_entry_v1(const coffer_host *host, coffer_error *error)
{
    (void)host, (void)error;
    return &plugin;
}

/* shelf.c - a storage backend in memory that has every capability that a single file can have.
 *
 * The tests break its promises one by one (broken.c), to prove that the conformance suite notices.
 */
#define _POSIX_C_SOURCE 200809L
#include <coffer_backend.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What this store does by itself. The host may emulate the rest, or refuse it. */
#define NATIVE                                                                                                         \
    (COFFER_CAP_STAT | COFFER_CAP_READ | COFFER_CAP_READ_RANGE | COFFER_CAP_READ_PINNED | COFFER_CAP_READ_CONDITION |  \
     COFFER_CAP_WRITE | COFFER_CAP_ATOMIC_REPLACE | COFFER_CAP_CREATE_IF_ABSENT | COFFER_CAP_IF_MATCH |                \
     COFFER_CAP_REMOVE | COFFER_CAP_REMOVE_IF_MATCH | COFFER_CAP_LIST | COFFER_CAP_LIST_DELIMITER |                    \
     COFFER_CAP_LIST_AFTER | COFFER_CAP_LIST_SORTED | COFFER_CAP_CONTENT_TYPE | COFFER_CAP_CONTENT_PROPS |             \
     COFFER_CAP_USER_META)

/* ---- values ------------------------------------------------------------------------------------------------------ */

/* Strings from the host are ours only until the call returns, so what is kept is copied. */
static int copy_str(coffer_str *to, coffer_str from)
{
    char *copy = malloc(from.len + 1);
    if (!copy) return 0;
    if (from.len) memcpy(copy, from.ptr, from.len);
    copy[from.len] = 0;
    to->ptr = copy;
    to->len = from.len;
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

typedef struct pairs {
    size_t     n;
    coffer_kv *kv;
} pairs;

static void free_pairs(pairs p)
{
    for (size_t i = 0; i < p.n; i++) free_str(p.kv[i].key), free_str(p.kv[i].value);
    free(p.kv);
}

static int copy_pairs(pairs *to, const coffer_kv *from, size_t n)
{
    to->n = 0;
    to->kv = n ? calloc(n, sizeof *to->kv) : NULL;
    if (n && !to->kv) return 0;
    for (; to->n < n; to->n++) {
        coffer_kv *kv = &to->kv[to->n];
        if (!copy_str(&kv->key, from[to->n].key)) return 0;
        if (!copy_str(&kv->value, from[to->n].value)) return free_str(kv->key), 0;
    }
    return 1;
}

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

/* Did the caller give a struct at least as long as we know it? It is longer where the host is newer; a shorter one no host
 * has. (A field that a later header adds may be missing: look with COFFER_HAS before you read such a one.) */
#define WHOLE(p) ((p) && (p)->struct_size >= sizeof *(p))

static coffer_status no_memory(coffer_error *error) { return fail(error, COFFER_E_INTERNAL, "out of memory"); }

/* ---- the shelf: objects, sorted by key ------------------------------------------------------------------------------ */

/* An object never changes: a write puts another one in its place. A reader holds on to the one that it opened, and so
 * sees one version to its end (COFFER_CAP_READ_PINNED). `holders` is guarded by the shelf's mutex. */
typedef struct object {
    size_t     holders;
    coffer_str key;
    char      *bytes;
    uint64_t   size;
    int64_t    mtime_ns;
    char       etag[24];
    pairs      props, meta;
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
    free_pairs(o->props);
    free_pairs(o->meta);
    free(o);
}

static object *hold(object *o) { return o->holders++, o; } /* mutex held */

static void let_go(coffer_instance *self, object *o)
{
    pthread_mutex_lock(&self->mutex);
    int last = --o->holders == 0;
    pthread_mutex_unlock(&self->mutex);
    if (last) destroy(o);
}

/* The first place whose key comes after `at`; with `past_children`, and is not below it either. Mutex held. */
static size_t place_after(coffer_instance *self, coffer_str at, int past_children)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        coffer_str key = self->objects[middle]->key;
        if (compare(key, at) <= 0 || (past_children && starts_with(key, at))) low = middle + 1;
        else high = middle;
    }
    return low;
}

/* The place of `key`, or -1. Mutex held. */
static long find(coffer_instance *self, coffer_str key)
{
    size_t after = place_after(self, key, 0);
    return after && !compare(self->objects[after - 1]->key, key) ? (long)after - 1 : -1;
}

static coffer_status check_key(coffer_str key, coffer_error *error)
{
    if (!key.ptr || key.len == 0 || key.len > 1024 || memchr(key.ptr, 0, key.len))
        return fail(error, COFFER_E_INVALID_KEY, "a key has 1 to 1024 bytes and no NUL");
    return COFFER_OK;
}

/* Does a condition, a token or "*", name this object? Mutex held. */
static int matches(coffer_str condition, const object *o) { return o && (is(condition, "*") || is(condition, o->etag)); }

static coffer_status tell(const coffer_sink *sink, const object *o)
{
    coffer_entry entry = {.struct_size = sizeof entry, .kind = COFFER_KIND_OBJECT};
    entry.key = o->key;
    entry.size = (int64_t)o->size;
    entry.mtime_ns = o->mtime_ns;
    entry.ctime_ns = COFFER_TIME_UNKNOWN;
    entry.etag = (coffer_str){o->etag, strlen(o->etag)};
    entry.n_props = o->props.n;
    entry.props = o->props.kv;
    entry.n_meta = o->meta.n;
    entry.meta = o->meta.kv;
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
    result->no_emulation = 0;
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

/* ---- looking and reading ------------------------------------------------------------------------------------------ */

/* The object that the arguments ask for, held; or why not. */
static coffer_status look(coffer_instance *self, const coffer_read_args *args, object **found, coffer_error *error)
{
    if (!self || !WHOLE(args)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    coffer_status status = check_key(args->key, error);
    if (status) return status;
    if (args->version.len) return fail(error, COFFER_E_UNSUPPORTED, "there are no versions");
    pthread_mutex_lock(&self->mutex);
    long place = find(self, args->key);
    object *o = place < 0 ? NULL : self->objects[place];
    if (!o) status = COFFER_E_NOT_FOUND;
    else if (args->if_match.len && !matches(args->if_match, o)) status = COFFER_E_PRECONDITION;
    else if (args->if_none_match.len && matches(args->if_none_match, o)) status = COFFER_E_NOT_MODIFIED;
    else *found = hold(o);
    pthread_mutex_unlock(&self->mutex);
    return status ? fail(error, status, "no such object, or not in that version") : COFFER_OK;
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

/* ---- writing: begin, append, commit or close ------------------------------------------------------------------------ */

/* Nothing of a write is on the shelf before commit, so there is nothing to clean up but its own memory. */
struct coffer_wstream {
    coffer_instance *self;
    object          *object; /* the one to come */
    uint64_t         room;
    int64_t          size; /* announced, or -1 */
    coffer_str       if_match, if_none_match;
    int              ended;
};

static coffer_status check_write_condition(coffer_str if_match, coffer_str if_none_match, const object *present)
{
    if (if_match.len && !matches(if_match, present)) return COFFER_E_PRECONDITION;
    if (if_none_match.len && present) return COFFER_E_ALREADY_EXISTS;
    return COFFER_OK;
}

static int keeps(coffer_str name)
{
    return is(name, "content-type") || is(name, "content-encoding") || is(name, "content-disposition") ||
           is(name, "content-language") || is(name, "cache-control");
}

/* What can be refused is refused here, before a byte is taken. */
static coffer_status check_write(coffer_instance *self, const coffer_write_args *args, coffer_error *error)
{
    if (!self || !WHOLE(args) || args->size < -1 || (args->n_props && !args->props) || (args->n_meta && !args->meta))
        return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments, or impossible ones");
    coffer_status status = check_key(args->key, error);
    if (status) return status;
    if (args->if_none_match.len && !is(args->if_none_match, "*"))
        return fail(error, COFFER_E_UNSUPPORTED, "if_none_match takes * alone");
    if (args->n_checksums) return fail(error, COFFER_E_UNSUPPORTED, "checksums are not kept");
    for (size_t i = 0; i < args->n_props; i++)
        if (!keeps(args->props[i].key)) return fail(error, COFFER_E_UNSUPPORTED, "a property cannot be kept");
    pthread_mutex_lock(&self->mutex);
    long place = find(self, args->key);
    status = check_write_condition(args->if_match, args->if_none_match, place < 0 ? NULL : self->objects[place]);
    pthread_mutex_unlock(&self->mutex);
    return status ? fail(error, status, "the condition does not hold") : COFFER_OK;
}

static void write_close(coffer_wstream *stream)
{
    if (!stream) return;
    if (stream->object) destroy(stream->object);
    free_str(stream->if_match);
    free_str(stream->if_none_match);
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
    object *o = stream ? stream->object = calloc(1, sizeof *o) : NULL;
    if (!o || !copy_str(&o->key, args->key) || !copy_pairs(&o->props, args->props, args->n_props) ||
        !copy_pairs(&o->meta, args->meta, args->n_meta) || !copy_str(&stream->if_match, args->if_match) ||
        !copy_str(&stream->if_none_match, args->if_none_match)) {
        write_close(stream);
        return no_memory(error);
    }
    stream->self = self;
    stream->size = args->size;
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

/* Puts an object on the shelf, in the place of `old` if there is one. Mutex held. */
static int publish(coffer_instance *self, object *o, long old)
{
    if (old >= 0) {
        object *replaced = self->objects[old];
        self->objects[old] = o;
        if (--replaced->holders == 0) destroy(replaced);
        return 1;
    }
    if (self->count == self->room) {
        size_t room = self->room ? self->room * 2 : 16;
        object **grown = realloc(self->objects, room * sizeof *grown);
        if (!grown) return 0;
        self->objects = grown;
        self->room = room;
    }
    size_t place = place_after(self, o->key, 0);
    memmove(self->objects + place + 1, self->objects + place, (self->count - place) * sizeof *self->objects);
    self->objects[place] = o;
    self->count++;
    return 1;
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
    pthread_mutex_lock(&self->mutex);
    long old = find(self, o->key);
    /* Much may have happened since begin: the condition decides now, under the same lock as the change. */
    coffer_status status =
        check_write_condition(stream->if_match, stream->if_none_match, old < 0 ? NULL : self->objects[old]);
    if (!status) {
        snprintf(o->etag, sizeof o->etag, "g%llu", (unsigned long long)++self->generation);
        o->holders = 2; /* the shelf, and we while we tell */
        if (!publish(self, o, old)) status = COFFER_E_INTERNAL;
    }
    pthread_mutex_unlock(&self->mutex);
    if (status) return fail(error, status, "the condition does not hold any more");
    stream->object = NULL;
    tell(sink, o); /* it is published, whatever the sink says */
    let_go(self, o);
    return COFFER_OK;
}

/* ---- removing ------------------------------------------------------------------------------------------------------ */

static coffer_status remove_object(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                                   coffer_error *error)
{
    (void)call;
    if (!self || !WHOLE(args)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    coffer_status status = check_key(args->key, error);
    if (status) return status;
    if (args->version.len || args->if_none_match.len) return fail(error, COFFER_E_UNSUPPORTED, "only if_match");
    object *gone = NULL;
    pthread_mutex_lock(&self->mutex);
    long place = find(self, args->key);
    if (args->if_match.len && (place < 0 || !matches(args->if_match, self->objects[place]))) {
        status = COFFER_E_PRECONDITION;
    } else if (place < 0) {
        status = args->flags & COFFER_READ_STRICT ? COFFER_E_NOT_FOUND : COFFER_OK;
    } else {
        gone = self->objects[place];
        self->count--;
        memmove(self->objects + place, self->objects + place + 1, (self->count - (size_t)place) * sizeof gone);
    }
    pthread_mutex_unlock(&self->mutex);
    if (gone) let_go(self, gone);
    return status ? fail(error, status, "no such object, or not in that version") : COFFER_OK;
}

/* ---- listing -------------------------------------------------------------------------------------------------------- */

/* A listing remembers the entry that it gave last, not a place in the array: the array changes between pages. */
struct coffer_lstream {
    coffer_instance *self;
    coffer_str       prefix, delimiter, last;
    int              last_is_prefix;
};

static void list_close(coffer_lstream *stream)
{
    if (!stream) return;
    free_str(stream->prefix);
    free_str(stream->delimiter);
    free_str(stream->last);
    free(stream);
}

static coffer_status list_open(coffer_instance *self, const coffer_call *call, const coffer_list_args *args,
                               coffer_lstream **result, coffer_error *error)
{
    (void)call;
    if (!self || !WHOLE(args) || !result) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    if (args->flags & COFFER_LIST_VERSIONS) return fail(error, COFFER_E_UNSUPPORTED, "there are no versions");
    coffer_str token = args->token, last = args->start_after;
    if (token.len) { /* our own, below: k or p, then the last entry */
        if (token.ptr[0] != 'k' && token.ptr[0] != 'p') return fail(error, COFFER_E_INVALID_ARGUMENT, "not our token");
        last = (coffer_str){token.ptr + 1, token.len - 1};
    }
    coffer_lstream *stream = calloc(1, sizeof *stream);
    if (!stream || !copy_str(&stream->prefix, args->prefix) || !copy_str(&stream->delimiter, args->delimiter) ||
        !copy_str(&stream->last, last)) {
        list_close(stream);
        return no_memory(error);
    }
    stream->self = self;
    stream->last_is_prefix = token.len && token.ptr[0] == 'p';
    *result = stream;
    return COFFER_OK;
}

/* The part of `key` that the delimiter rolls up, or nothing. */
static coffer_str rolled_up(const coffer_lstream *stream, coffer_str key)
{
    coffer_str d = stream->delimiter;
    for (size_t i = stream->prefix.len; d.len && i + d.len <= key.len; i++)
        if (!memcmp(key.ptr + i, d.ptr, d.len)) return (coffer_str){key.ptr, i + d.len};
    return (coffer_str){NULL, 0};
}

/* The object of the next entry, held, and how much of its key the entry is; NULL at the end. Mutex held. */
static object *next_entry(coffer_lstream *stream, coffer_str *common)
{
    coffer_instance *self = stream->self;
    coffer_str at = stream->last;
    int past_children = stream->last_is_prefix;
    if (compare(at, stream->prefix) < 0) at = stream->prefix, past_children = 0;
    size_t place = place_after(self, at, past_children);
    /* The prefix itself may be a key, and comes first. */
    if (compare(stream->last, stream->prefix) < 0 && place && !compare(self->objects[place - 1]->key, stream->prefix))
        place--;
    while (place < self->count && starts_with(self->objects[place]->key, stream->prefix)) {
        *common = rolled_up(stream, self->objects[place]->key);
        if (!common->len || compare(*common, stream->last) > 0) return hold(self->objects[place]);
        place = place_after(self, *common, 1); /* start_after lies inside this prefix */
    }
    return NULL;
}

static coffer_status list_next(coffer_lstream *stream, const coffer_call *call, uint64_t limit, uint32_t *done,
                               const coffer_sink *sink, coffer_error *error)
{
    (void)call;
    if (!stream || !limit || !done || !WHOLE(sink)) return fail(error, COFFER_E_INVALID_ARGUMENT, "no page asked for");
    coffer_instance *self = stream->self;
    for (uint64_t given = 0;; given++) {
        coffer_str common;
        pthread_mutex_lock(&self->mutex);
        object *o = next_entry(stream, &common);
        pthread_mutex_unlock(&self->mutex);
        *done = !o;
        if (!o) return COFFER_OK;
        coffer_str copy = {NULL, 0};
        coffer_status status = COFFER_OK;
        if (given < limit) {
            coffer_entry prefix = {.struct_size = sizeof prefix, .kind = COFFER_KIND_PREFIX, .key = common, .size = -1,
                                   .mtime_ns = COFFER_TIME_UNKNOWN, .ctime_ns = COFFER_TIME_UNKNOWN};
            if (!copy_str(&copy, common.len ? common : o->key)) status = COFFER_E_INTERNAL;
            else if (!common.len) status = tell(sink, o);
            else if (sink->on_entry && sink->on_entry(sink->ctx, &prefix)) status = COFFER_E_CANCELLED;
        }
        let_go(self, o);
        if (copy.ptr) {
            free_str(stream->last);
            stream->last = copy;
            stream->last_is_prefix = common.len != 0;
        }
        if (status) return fail(error, status, "the listing was stopped");
        if (given == limit) break;
    }
    /* There is more: the token reopens the listing after the last entry. */
    char *token = malloc(stream->last.len + 1);
    if (!token) return no_memory(error);
    token[0] = stream->last_is_prefix ? 'p' : 'k';
    memcpy(token + 1, stream->last.ptr, stream->last.len);
    if (sink->on_value)
        sink->on_value(sink->ctx, COFFER_VAL_NEXT, (coffer_str){NULL, 0}, (coffer_str){token, stream->last.len + 1});
    free(token);
    return COFFER_OK;
}

/* ---- what the plugin says of itself ---------------------------------------------------------------------------------- */

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
    .id = "shelf",
    .version = "0.1.0",
    .name = "shelf",
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

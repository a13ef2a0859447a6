/* shelf.c with one of its promises broken, which the option `break` names; `none` breaks nothing.
 *
 * It is compiled into this file, so that a fault may reach into its objects and streams. */
#define coffer_backend_entry_v1 shelf_entry
#include "shelf.c"
#undef coffer_backend_entry_v1
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "broken_faults.h"
#include "broken_uploads.h"

/* Without NO_UPLOADS, it takes uploads in parts. */
#ifdef NO_UPLOADS
#define UPLOADS 0
#define EXTENSION NULL
#else
#define UPLOADS COFFER_CAP_RESUME
#define EXTENSION broken_extension
#endif

/* ---- opening ------------------------------------------------------------------------------------------------------ */

static coffer_status b_open(const coffer_open_args *args, const coffer_call *call, coffer_open_result *result,
                            coffer_error *error)
{
    if (!WHOLE(args) || !result) return open_instance(args, call, result, error);
    coffer_str fault = option(args, "break");
    if (!fault.len) return fail(error, COFFER_E_CONFIG, "break: it is missing");
    if (!option(args, "place").len && !is(fault, "open-takes-anything")) {
        if (is(fault, "message-names-nothing")) return fail(error, COFFER_E_CONFIG, "an option is missing");
        if (is(fault, "message-tells-the-secret")) return fail(error, COFFER_E_CONFIG, "place is missing, pass is hush");
        if (is(fault, "missing-option-is-io")) return fail(error, COFFER_E_IO, "place: it is missing");
        return fail(error, COFFER_E_CONFIG, "place: it is missing");
    }
    if (is(fault, "dies-at-open")) raise(SIGSEGV);
    if (is(fault, "hangs-at-open")) for (;;) pause();
    if (is(fault, "open-leaks-a-descriptor")) (void)dup(0);
    if (is(fault, "open-writes-past-the-end")) {
        result->max_meta = 7;
        if (result->struct_size < sizeof *result) return fail(error, COFFER_E_INVALID_ARGUMENT, "too short");
    }
    coffer_status status = open_instance(args, call, result, error);
    if (status) return status;
    name_fault(NULL, result->instance, fault);
    result->native |= UPLOADS;
    if (is(fault, "hides-uploads")) result->native &= ~COFFER_CAP_RESUME;
    if (is(fault, "copy-without-function")) result->native |= COFFER_CAP_COPY;
    if (is(fault, "upload-without-extension")) result->native |= COFFER_CAP_RESUME;
    if (is(fault, "more-than-the-descriptor")) result->native |= 1ull << 60;
    if (is(fault, "hides-if-match")) result->native &= ~COFFER_CAP_IF_MATCH;
    if (is(fault, "sends-unproven-unasked"))
        result->native &= ~COFFER_CAP_IF_MATCH, result->unproven = COFFER_CAP_IF_MATCH;
    if (is(fault, "unproven-and-native")) result->unproven = COFFER_CAP_IF_MATCH;
    if (is(fault, "unproven-checksums")) result->unproven = COFFER_CAP_CHECKSUM;
    if (is(fault, "unproven-beyond-the-descriptor")) result->unproven = COFFER_CAP_COPY_CONDITION;
    if (is(fault, "hides-create")) result->native &= ~COFFER_CAP_CREATE_IF_ABSENT;
    if (is(fault, "hides-delimiter")) result->native &= ~COFFER_CAP_LIST_DELIMITER;
    if (is(fault, "hides-metadata")) result->native &= ~COFFER_CAP_USER_META;
    if (is(fault, "hides-range")) result->native &= ~COFFER_CAP_READ_RANGE;
    if (is(fault, "hides-conditional-remove")) result->native &= ~COFFER_CAP_REMOVE_IF_MATCH;
    if (is(fault, "read-only-in-truth"))
        result->native &= COFFER_CAP_STAT | COFFER_CAP_READ | COFFER_CAP_READ_RANGE | COFFER_CAP_READ_PINNED |
                          COFFER_CAP_READ_CONDITION;
    if (is(fault, "boasts-of-checksums")) result->native |= COFFER_CAP_CHECKSUM;
    if (is(fault, "boasts-of-mtime")) result->native |= COFFER_CAP_MTIME;
    return COFFER_OK;
}

static void b_close(coffer_instance *self)
{
    forget_uploads(self);
    name_fault(self, NULL, (coffer_str){NULL, 0});
    close_instance(self);
}

/* ---- looking and reading -------------------------------------------------------------------------------------------- */

static coffer_status b_look(coffer_instance *self, const coffer_read_args *args, coffer_read_args *mine,
                            changed_key *key, coffer_error *error)
{
    if (!args) return fail(error, COFFER_E_INVALID_ARGUMENT, "no arguments");
    if (args->struct_size < sizeof *args) return fail(error, COFFER_E_INVALID_ARGUMENT, "short arguments");
    *mine = *args;
    mine->key = changed(self, args->key, key);
    if (faulty(self, "ignores-read-conditions")) mine->if_none_match.len = 0;
    if (faulty(self, "reads-any-version-asked")) mine->version.len = 0;
    return COFFER_OK;
}

static int b_lies(void *context, const coffer_entry *entry);

/* A sink between the template and the host that changes what is told. */
typedef struct liar {
    const coffer_instance *self;
    const coffer_sink *to;
} liar;

static int b_lies(void *context, const coffer_entry *entry)
{
    liar *l = context;
    coffer_entry mine = *entry;
    if (faulty(l->self, "empty-has-no-size") && mine.size == 0) mine.size = -1;
    if (faulty(l->self, "encoded-size") && mine.n_props && is(mine.props[0].key, "content-encoding")) mine.size += 100;
    if (faulty(l->self, "loses-large-metadata"))
        for (size_t i = 0; i < mine.n_meta; i++)
            if (mine.meta[i].value.len > 1000) mine.n_meta = i;
    if (faulty(l->self, "range-size-is-the-whole") && mine.size == 14) mine.size = 4;
    return l->to->on_entry ? l->to->on_entry(l->to->ctx, &mine) : 0;
}

static coffer_sink lying(liar *l, const coffer_instance *self, const coffer_sink *to)
{
    *l = (liar){self, to};
    coffer_sink mine = {.struct_size = sizeof mine, .ctx = l, .on_entry = b_lies};
    return mine;
}

static coffer_status b_stat(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                            const coffer_sink *sink, coffer_error *error)
{
    coffer_read_args mine;
    changed_key key;
    coffer_status status = b_look(self, args, &mine, &key, error);
    if (status || !sink) return status ? status : stat_object(self, call, &mine, sink, error);
    liar l;
    coffer_sink lie = lying(&l, self, sink);
    status = stat_object(self, call, &mine, sink->on_entry ? &lie : sink, error);
    if (status == COFFER_E_NOT_FOUND && faulty(self, "not-found-is-retryable") && error)
        error->flags = COFFER_ERR_RETRYABLE;
    if (status == COFFER_E_NOT_FOUND && faulty(self, "not-found-is-io")) return fail(error, COFFER_E_IO, "gone");
    return status;
}

static coffer_status b_read_open(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                                 coffer_read_result *result, const coffer_sink *sink, coffer_error *error)
{
    coffer_read_args mine;
    changed_key key;
    if (faulty(self, "long-messages-overflow") && error && error->message) memset(error->message, 'm', 20);
    if (faulty(self, "newer-hosts-are-refused") && args && args->struct_size > sizeof *args)
        return fail(error, COFFER_E_INVALID_ARGUMENT, "too long");
    if (faulty(self, "reads-nonsense") && args && args->key.len > 4096) return COFFER_E_IO;
    coffer_status status = b_look(self, args, &mine, &key, error);
    if (status || !sink || !result) return status ? status : read_open(self, call, &mine, result, sink, error);
    int is_part = mine.offset || mine.length != -1;
    if (faulty(self, "ignores-ranges")) mine.offset = 0, mine.length = -1, mine.flags = 0;
    if (faulty(self, "suffix-is-a-length")) mine.flags &= ~COFFER_READ_SUFFIX;
    if (faulty(self, "huge-offsets-wrap") && mine.offset > INT64_MAX) mine.offset = 0;
    if (faulty(self, "no-cut-at-the-end") && mine.length > 90000) return fail(error, COFFER_E_RANGE, "too long");
    liar l;
    coffer_sink lie = lying(&l, self, sink);
    status = read_open(self, call, &mine, result, sink->on_entry ? &lie : sink, error);
    if (status == COFFER_E_RANGE && faulty(self, "past-the-end-is-not-found"))
        return fail(error, COFFER_E_NOT_FOUND, "nothing there");
    if (status) return status;
    if (faulty(self, "empty-range-is-io") && is_part && !result->length) {
        read_close(result->stream);
        return fail(error, COFFER_E_IO, "nothing to read");
    }
    if (faulty(self, "parts-start-late") && is_part && result->length > 40000) result->stream->next++;
    if (faulty(self, "reads-touch")) {
        pthread_mutex_lock(&self->mutex);
        result->stream->object->mtime_ns++;
        pthread_mutex_unlock(&self->mutex);
    }
    if (faulty(self, "size-is-lost") && result->length == 65537) result->stream->end--;
    if (faulty(self, "long-reads-end-early") && result->length >= 4u << 20) result->stream->end -= 1u << 20;
    return COFFER_OK;
}

static coffer_status b_read(coffer_rstream *stream, const coffer_call *call, void *buffer, size_t cap, size_t *got,
                            coffer_error *error)
{
    if (!stream || !got) return read_some(stream, call, buffer, cap, got, error);
    coffer_instance *self = stream->self;
    if (faulty(self, "reads-what-is-there-now")) {
        pthread_mutex_lock(&self->mutex);
        long place = find(self, stream->object->key);
        object *old = stream->object, *now = place < 0 ? old : self->objects[place];
        if (now != old) hold(now), stream->object = now;
        if (stream->end > now->size) stream->end = now->size < stream->next ? stream->next : now->size;
        pthread_mutex_unlock(&self->mutex);
        if (now != old) let_go(self, old);
    }
    return read_some(stream, call, buffer, cap, got, error);
}

static void b_read_close(coffer_rstream *stream)
{
    if (stream && stream->next < stream->end && faulty(stream->self, "early-close-leaks")) (void)dup(0);
    read_close(stream);
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

/* The write that this thread began last. */
static __thread const coffer_wstream *begun_here;

static coffer_status b_write_begin(coffer_instance *self, const coffer_call *call, const coffer_write_args *args,
                                   coffer_wstream **result, coffer_error *error)
{
    if (!args || args->struct_size < sizeof *args) return write_begin(self, call, args, result, error);
    changed_key key;
    coffer_write_args mine = *args;
    mine.key = changed(self, args->key, &key);
    if (faulty(self, "any-size-is-announced") && mine.size < -1) mine.size = -1;
    if (faulty(self, "ignores-write-conditions")) mine.if_match.len = mine.if_none_match.len = 0;
    if (faulty(self, "ignores-checksums") || faulty(self, "boasts-of-checksums")) mine.n_checksums = 0;
    if (faulty(self, "boasts-of-mtime") || faulty(self, "drops-odd-properties"))
        for (size_t i = 0; mine.props && i < mine.n_props; i++)
            if (!keeps(mine.props[i].key)) mine.n_props = i;
    if (faulty(self, "if-match-may-create")) {
        pthread_mutex_lock(&self->mutex);
        if (find(self, mine.key) < 0) mine.if_match.len = 0;
        pthread_mutex_unlock(&self->mutex);
    }
    begun_here = NULL;
    coffer_str empty = {"unnamed", 7};
    if (faulty(self, "empty-key-is-a-name") && !mine.key.len) mine.key = empty;
    coffer_status status = write_begin(self, call, &mine, result, error);
    if (!status && faulty(self, "conditions-only-at-begin"))
        (*result)->if_match.len = (*result)->if_none_match.len = 0;
    if (!status) begun_here = *result;
    if (!status && faulty(self, "create-only-at-begin")) (*result)->if_none_match.len = 0;
    return status;
}

static coffer_status b_append(coffer_wstream *stream, const coffer_call *call, const void *bytes, size_t n,
                              coffer_error *error)
{
    if (!stream || is_part(stream)) return write_append(stream, call, bytes, n, error);
    uint64_t after = stream->object->size + n;
    if (faulty(stream->self, "long-body-is-taken") && stream->size >= 0 && after > (uint64_t)stream->size)
        stream->size = (int64_t)after;
    if (faulty(stream->self, "handles-know-their-thread") && !begun_here)
        return fail(error, COFFER_E_INTERNAL, "another thread");
    if (faulty(stream->self, "unsized-pieces-lose-a-byte") && stream->size < 0 && n == 100001) n--;
    coffer_status status = write_append(stream, call, bytes, n, error);
    if (!status && faulty(stream->self, "seen-before-commit")) {
        coffer_wstream *early = NULL;
        coffer_write_args args = {.struct_size = sizeof args, .key = stream->object->key, .size = -1};
        if (!write_begin(stream->self, call, &args, &early, NULL)) {
            write_append(early, call, stream->object->bytes, stream->object->size, NULL);
            write_commit(early, call, NULL, NULL, NULL);
            write_close(early);
        }
    }
    return status;
}

static object *present(coffer_instance *self, coffer_str key) /* mutex held */
{
    long place = find(self, key);
    return place < 0 ? NULL : self->objects[place];
}

static coffer_status b_commit(coffer_wstream *stream, const coffer_call *call, const coffer_commit_args *args,
                              const coffer_sink *sink, coffer_error *error)
{
    if (stream && is_part(stream)) return commit_part(stream, sink, error);
    if (!stream || !stream->object) return write_commit(stream, call, args, sink, error);
    coffer_instance *self = stream->self;
    object *o = stream->object;
    if (faulty(self, "short-body-is-taken")) stream->size = -1;
    if (faulty(self, "nothing-is-no-object") && !o->size) return fail(error, COFFER_E_INVALID_ARGUMENT, "nothing");
    if (faulty(self, "tail-stays")) {
        pthread_mutex_lock(&self->mutex);
        object *old = present(self, o->key);
        if (old && old->size > o->size + 5000) {
            char *grown = realloc(o->bytes, old->size);
            if (grown) {
                memcpy(grown + o->size, old->bytes + o->size, old->size - o->size);
                o->bytes = grown;
                o->size = old->size;
                stream->size = -1;
            }
        }
        pthread_mutex_unlock(&self->mutex);
    }
    if (faulty(self, "first-writer-wins") && o->size == 90000) {
        pthread_mutex_lock(&self->mutex);
        object *old = present(self, o->key);
        int is_taken = old && old->size == 90000 && old->bytes[0] != o->bytes[0];
        pthread_mutex_unlock(&self->mutex);
        if (is_taken) stream->object->bytes[0] = 'A', stream->object->bytes[1] = 'B';
    }
    char token[24] = "";
    if (faulty(self, "tokens-tell-the-size")) snprintf(token, sizeof token, "s%llu", (unsigned long long)o->size);
    coffer_status status = write_commit(stream, call, args, sink, error);
    if (status) return status;
    if (*token || faulty(self, "commit-tells-another-time")) {
        pthread_mutex_lock(&self->mutex);
        if (*token) memcpy(o->etag, token, sizeof token);
        else o->mtime_ns++;
        pthread_mutex_unlock(&self->mutex);
    }
    if (faulty(self, "cancelled-but-published") && call && call->token) {
        pthread_mutex_lock(&self->mutex);
        int is_new = o->size > 3 && !memcmp(o->bytes, "new", 3);
        pthread_mutex_unlock(&self->mutex);
        if (is_new) return fail(error, COFFER_E_CANCELLED, "cancelled");
    }
    return COFFER_OK;
}

static void b_write_close(coffer_wstream *stream)
{
    if (!stream) return;
    if (is_part(stream)) {
        end_part(stream);
        return;
    }
    coffer_instance *self = stream->self;
    if (stream->object && !stream->ended && faulty(self, "close-publishes")) {
        stream->size = -1;
        write_commit(stream, NULL, NULL, NULL, NULL);
    }
    if (stream->object && stream->ended && faulty(self, "clean-up-by-name")) {
        coffer_read_args gone = {.struct_size = sizeof gone, .key = stream->object->key, .length = -1};
        remove_object(self, NULL, &gone, NULL);
    }
    if (!stream->object && faulty(self, "writes-leak-descriptors")) (void)dup(0);
    write_close(stream);
}

static coffer_status b_remove(coffer_instance *self, const coffer_call *call, const coffer_read_args *args,
                              coffer_error *error)
{
    coffer_read_args mine;
    changed_key key;
    coffer_status status = b_look(self, args, &mine, &key, error);
    if (status) return status;
    if (faulty(self, "remove-is-strict")) mine.flags |= COFFER_READ_STRICT;
    if (faulty(self, "remove-takes-any-token")) mine.if_match.len = 0;
    if (faulty(self, "remove-does-nothing") && !mine.if_match.len && !mine.flags && mine.key.len) return COFFER_OK;
    return remove_object(self, call, &mine, error);
}

/* ---- listing ---------------------------------------------------------------------------------------------------------- */

/* How many objects there were when a listing began, and how many entries it gave. */
static struct progress {
    const coffer_lstream *stream;
    size_t count, given;
} progresses[256];

static struct progress *progress_of(const coffer_lstream *stream)
{
    struct progress *found = NULL;
    pthread_mutex_lock(&faults_mutex);
    for (size_t i = 0; i < 256 && !found; i++)
        if (progresses[i].stream == stream) found = &progresses[i];
    pthread_mutex_unlock(&faults_mutex);
    return found ? found : &progresses[255];
}

static void b_list_close(coffer_lstream *stream)
{
    if (stream) progress_of(stream)->stream = NULL;
    list_close(stream);
}

static coffer_status b_list_open(coffer_instance *self, const coffer_call *call, const coffer_list_args *args,
                                 coffer_lstream **result, coffer_error *error)
{
    if (!args || args->struct_size < sizeof *args) return list_open(self, call, args, result, error);
    coffer_list_args mine = *args;
    if (faulty(self, "ignores-tokens")) mine.token.len = 0;
    if (faulty(self, "prefix-loses-its-slash") && mine.prefix.len > 6 &&
        !memcmp(mine.prefix.ptr + mine.prefix.len - 3, "/a/", 3))
        mine.prefix.len--;
    if (faulty(self, "prefix-needs-a-slash") && mine.prefix.len > 3 &&
        !memcmp(mine.prefix.ptr + mine.prefix.len - 3, "foo", 3))
        mine.prefix.len = 0;
    if (faulty(self, "prefix-is-a-pattern"))
        for (size_t i = 0; i < mine.prefix.len; i++)
            if (mine.prefix.ptr[i] == '*') mine.prefix.len = i;
    if (faulty(self, "start-is-included") && mine.start_after.len && !mine.delimiter.len) mine.start_after.len--;
    coffer_status status = list_open(self, call, &mine, result, error);
    if (!status && faulty(self, "absent-prefix-is-not-found")) {
        coffer_str common;
        pthread_mutex_lock(&self->mutex);
        object *first = next_entry(*result, &common);
        pthread_mutex_unlock(&self->mutex);
        if (first) let_go(self, first);
        else list_close(*result), status = fail(error, COFFER_E_NOT_FOUND, "no such prefix");
    }
    if (!status) *progress_of(NULL) = (struct progress){*result, self->count, 0};
    return status;
}

static int goes_on(void *context, const coffer_entry *entry)
{
    const coffer_sink *sink = context;
    return sink->on_entry(sink->ctx, entry), 0;
}

static int passes_value(void *context, uint32_t kind, coffer_str key, coffer_str value)
{
    const coffer_sink *sink = context;
    return sink->on_value ? sink->on_value(sink->ctx, kind, key, value) : 0;
}

static coffer_status b_list_next(coffer_lstream *stream, const coffer_call *call, uint64_t limit, uint32_t *done,
                                 const coffer_sink *sink, coffer_error *error)
{
    if (!stream || !sink || !done) return list_next(stream, call, limit, done, sink, error);
    coffer_instance *self = stream->self;
    if (faulty(self, "prefix-comes-again") && stream->last_is_prefix) stream->last.len--, stream->last_is_prefix = 0;
    if (faulty(self, "pages-are-too-long") && limit == 1) limit = 2;
    if (faulty(self, "pages-skip-one") && limit == 2 && stream->last.len) {
        coffer_str common;
        pthread_mutex_lock(&self->mutex);
        object *skipped = next_entry(stream, &common);
        pthread_mutex_unlock(&self->mutex);
        if (skipped) {
            free_str(stream->last);
            copy_str(&stream->last, skipped->key);
            let_go(self, skipped);
        }
    }
    struct progress *progress = progress_of(stream);
    if (faulty(self, "removals-end-a-listing") && self->count < progress->count)
        return fail(error, COFFER_E_NOT_FOUND, "it went away");
    if (faulty(self, "pages-go-by-position") && progress->given) {
        pthread_mutex_lock(&self->mutex);
        size_t place = place_after(self, stream->prefix, 0) + progress->given;
        free_str(stream->last);
        copy_str(&stream->last, self->objects[place < self->count ? place - 1 : self->count - 1]->key);
        pthread_mutex_unlock(&self->mutex);
    }
    progress->given += limit;
    coffer_sink stubborn = {.struct_size = sizeof stubborn, .ctx = (void *)sink, .on_entry = goes_on,
                            .on_value = passes_value};
    if (faulty(self, "goes-on-when-stopped") && sink->on_entry) sink = &stubborn;
    return list_next(stream, call, limit, done, sink, error);
}

/* ---- what the plugin says of itself ------------------------------------------------------------------------------------ */

static const coffer_ops broken_ops = {
    .struct_size = sizeof broken_ops,
    .open = b_open,
    .close = b_close,
    .health = health,
    .stat = b_stat,
    .read_open = b_read_open,
    .read = b_read,
    .read_close = b_read_close,
    .write_begin = b_write_begin,
    .write_append = b_append,
    .write_commit = b_commit,
    .write_close = b_write_close,
    .remove = b_remove,
    .list_open = b_list_open,
    .list_next = b_list_next,
    .list_close = b_list_close,
};

static const coffer_option broken_options[] = {
    {.name = "break", .type = COFFER_OPT_STRING, .flags = COFFER_OPTF_REQUIRED, .doc = "The promise to break."},
    {.name = "place", .type = COFFER_OPT_STRING, .flags = COFFER_OPTF_REQUIRED, .doc = "Anything."},
    {.name = "pass", .type = COFFER_OPT_STRING, .flags = COFFER_OPTF_SECRET, .doc = "A secret."},
};

static const coffer_plugin broken_plugin = {
    .magic = COFFER_MAGIC,
    .struct_size = sizeof broken_plugin,
    .abi = COFFER_ABI_CURRENT,
    .threads = COFFER_THREADS_PARALLEL,
    .option_size = sizeof(coffer_option),
    .caps = NATIVE | COFFER_CAP_CHECKSUM | COFFER_CAP_MTIME | UPLOADS,
    .id = "broken",
    .version = "1.0.0",
    .license = "0BSD",
    .description = "Breaks one promise.",
    .n_options = sizeof broken_options / sizeof *broken_options,
    .options = broken_options,
    .ops = &broken_ops,
    .get_extension = EXTENSION,
};

COFFER_EXPORT const coffer_plugin *coffer_backend_entry_v1(const coffer_host *host, coffer_error *error);

COFFER_EXPORT const coffer_plugin *coffer_backend_entry_v1(const coffer_host *host, coffer_error *error)
{
    (void)host, (void)error;
    return &broken_plugin;
}

/* A backend in memory, small enough to read: what the tests of the loader and of the plugin host run against.
 *
 * ID, THREADS, CAPS and UNPROVEN change what it says of itself; OLD leaves out what a cut header does not have; LINKS adds
 * links and containers. Its option `misbehave` makes it break one rule of the ABI, by the word beside the breach below. */
#include "tiny_store.h"
#include "tiny_capabilities.h"

static coffer_status tell(coffer_instance *in, const object *o, const coffer_sink *to)
{
    coffer_entry e;
    coffer_kv prop;
    entry_of(o, &e, &prop);
    if (bad(in, "none"))
        return COFFER_OK;
    if (bad(in, "size"))
        e.size = -5;
    if (bad(in, "text"))
        e.etag = (coffer_str){ "\xff\xfe", 2 };
    if (bad(in, "kind"))
        e.kind = 77;
    if (bad(in, "tiny"))
        e.struct_size = 3;
    if (bad(in, "props"))
        e.n_props = 9, e.props = NULL;
    if (bad(in, "twice"))
        to->on_entry(to->ctx, &e);
    return to->on_entry(to->ctx, &e) != 0 ? COFFER_E_CANCELLED : COFFER_OK;
}

static coffer_status t_open(const coffer_open_args *a, const coffer_call *c, coffer_open_result *r, coffer_error *e)
{
    (void)c;
    coffer_instance *in = calloc(1, sizeof *in);
    pthread_mutex_init(&in->lock, NULL);
    in->host_instance = a->host_instance;
    for (size_t n = 0; n < a->n_options; n++) {
        coffer_kv o = a->options[n];
        if (strcmp(o.key.ptr, "misbehave") == 0)
            snprintf(in->misbehave, sizeof in->misbehave, "%s", o.value.ptr);
        if (strcmp(o.key.ptr, "password") == 0)
            snprintf(in->password, sizeof in->password, "%s", o.value.ptr);
#ifdef LINKS
        links_option(&in->containers, o);
#endif
    }
    if (bad(in, "refuse")) {
        char text[128];
        snprintf(text, sizeof text, "password: %s\nis not liked", in->password);
        free(in);
        return fail(e, COFFER_E_CONFIG, 0, text);
    }
    if (bad(in, "nothing"))
        return free(in), COFFER_OK;
    r->instance = in;
    r->native = NATIVE;
    r->no_emulation = COFFER_CAP_MOVE;
    if (bad(in, "promise"))
        r->native |= COFFER_CAP_CONTAINERS;
    r->max_object = 1 << 30;
    r->unproven = UNPROVEN;
#ifdef LINKS
    r->max_presign_s = in->containers.max_link;
#endif
    host->log(host->ctx, a->host_instance, COFFER_LOG_INFO, (coffer_str){ "opened", 6 });
    return COFFER_OK;
}

static void t_close(coffer_instance *in)
{
    for (size_t n = 0; n < in->count; n++)
        free(in->objects[n].key), free(in->objects[n].type), free(in->objects[n].bytes);
    free(in->objects);
    pthread_mutex_destroy(&in->lock);
    free(in);
}

/* Tells what the host tells: the present password, whether the call is cancelled, its trace. */
static int keep_value(void *ctx, uint32_t kind, coffer_str key, coffer_str value)
{
    (void)kind, (void)key;
    snprintf(ctx, 64, "%.*s", (int)value.len, value.ptr);
    return 0;
}

static coffer_status t_health(coffer_instance *in, const coffer_call *c, const coffer_sink *to, coffer_error *e)
{
    char value[64] = "";
    if (bad(in, "wait")) {
        struct pollfd wake = { .fd = host->cancel_fd(host->ctx, c->token), .events = POLLIN };
        host->log(host->ctx, in->host_instance, COFFER_LOG_INFO, (coffer_str){ "waiting", 7 });
        int woken = poll(&wake, 1, 5000);
        return woken == 1 && host->cancelled(host->ctx, c->token) ? COFFER_E_CANCELLED : COFFER_E_TIMEOUT;
    }
    coffer_sink sink = { .struct_size = sizeof sink, .ctx = value, .on_value = keep_value };
    if (host->config_get(host->ctx, in->host_instance, (coffer_str){ "password", 8 }, &sink) != COFFER_OK)
        return fail(e, COFFER_E_INTERNAL, 0, "no password");
    host->log(host->ctx, in->host_instance, COFFER_LOG_WARN, (coffer_str){ value, strlen(value) });
    host->log(host->ctx, (void *)(intptr_t)0x7fffffff, COFFER_LOG_WARN, (coffer_str){ "nobody", 6 });
    coffer_kv label = { { "kind", 4 }, { "test", 4 } };
    host->metric(host->ctx, in->host_instance, COFFER_METRIC_COUNTER, (coffer_str){ "checks", 6 }, 1, &label, 1);
    const char *state = host->cancelled(host->ctx, c->token) ? "cancelled" : "fine";
    to->on_value(to->ctx, COFFER_VAL_INFO, (coffer_str){ "state", 5 }, (coffer_str){ state, strlen(state) });
    to->on_value(to->ctx, COFFER_VAL_INFO, (coffer_str){ "trace", 5 }, c->trace);
    if (bad(in, "length")) {
        int n = snprintf(value, sizeof value, "%zu", strlen(value));
        to->on_value(to->ctx, COFFER_VAL_INFO, (coffer_str){ "length", 6 }, (coffer_str){ value, (size_t)n });
    }
    const char *when = c->deadline_ns != 0 ? "yes" : "no";
    to->on_value(to->ctx, COFFER_VAL_INFO, (coffer_str){ "deadline", 8 }, (coffer_str){ when, strlen(when) });
    const char *wakes = host->cancel_fd(host->ctx, c->token) >= 0 ? "yes" : "no";
    to->on_value(to->ctx, COFFER_VAL_INFO, (coffer_str){ "cancel_fd", 9 }, (coffer_str){ wakes, strlen(wakes) });
    return COFFER_OK;
}

static coffer_status t_stat(coffer_instance *in, const coffer_call *c, const coffer_read_args *a, const coffer_sink *to,
                            coffer_error *e)
{
    (void)c;
    if (bad(in, "status"))
        return 4711;
    if (bad(in, "secret")) {
        char text[128];
        snprintf(text, sizeof text, "login with\n%s failed\x07", in->password);
        e->retry_after_ms = 250;
        return fail(e, COFFER_E_UNAUTHENTICATED, COFFER_ERR_RETRYABLE | COFFER_ERR_MAYBE_APPLIED, text);
    }
    if (bad(in, "long")) {
        e->message_len = 1u << 30;
        return COFFER_E_IO;
    }
    if (THREADS != COFFER_THREADS_PARALLEL) {
        int others = atomic_fetch_add(&in->inside, 1);
        for (int n = 0; n < 20; n++)
            sched_yield();
        atomic_fetch_sub(&in->inside, 1);
        if (others > 0)
            return fail(e, COFFER_E_INTERNAL, 0, "two calls at once");
    }
    pthread_mutex_lock(&in->lock);
    object *o = find(in, a->key.ptr, a->key.len);
    coffer_status s = o == NULL ? fail(e, COFFER_E_NOT_FOUND, 0, "no such object") : conditions(o, a->if_match, a->if_none_match, e);
    if (s == COFFER_OK)
        s = tell(in, o, to);
    pthread_mutex_unlock(&in->lock);
    return s;
}

static coffer_status t_read_open(coffer_instance *in, const coffer_call *c, const coffer_read_args *a,
                                 coffer_read_result *r, const coffer_sink *to, coffer_error *e)
{
    (void)c;
    pthread_mutex_lock(&in->lock);
    object *o = find(in, a->key.ptr, a->key.len);
    coffer_status s = o == NULL ? fail(e, COFFER_E_NOT_FOUND, 0, "no such object") : conditions(o, a->if_match, a->if_none_match, e);
    if (s == COFFER_OK)
        s = tell(in, o, to);
    if (s == COFFER_OK) {
        uint64_t start = a->offset, length = (uint64_t)a->length;
        if (a->flags & COFFER_READ_SUFFIX)
            start = length > o->len ? 0 : o->len - length;
        if (start > o->len || (start == o->len && o->len > 0)) {
            pthread_mutex_unlock(&in->lock);
            return fail(e, COFFER_E_RANGE, 0, "past the end");
        }
        if (a->length < 0 || length > o->len - start)
            length = o->len - start;
        r->offset = start;
        r->length = length;
        if (bad(in, "range"))
            r->offset = start + 1;
        if (bad(in, "numbers"))
            r->length = UINT64_MAX;
        if (a->flags & COFFER_READ_WANT_FD || bad(in, "descriptor")) {
            r->fd = memfd_create(ID, MFD_CLOEXEC);
            if (write(r->fd, o->bytes, o->len) != (ssize_t)o->len)
                abort();
            r->fd_flags = COFFER_FD_SEEKABLE | COFFER_FD_SHAREABLE;
            r->fd_offset = start;
        }
        if (r->fd < 0 || bad(in, "both")) {
            r->stream = calloc(1, sizeof *r->stream);
            r->stream->in = in;
            r->stream->bytes = malloc(length + 1);
            memcpy(r->stream->bytes, o->bytes + start, length);
            r->stream->len = length;
            if (bad(in, "short"))
                r->stream->len = length / 2;
        }
        if (bad(in, "neither"))
            free(r->stream->bytes), free(r->stream), r->stream = NULL;
    }
    pthread_mutex_unlock(&in->lock);
    return s;
}

static coffer_status t_read(coffer_rstream *r, const coffer_call *c, void *buffer, size_t cap, size_t *got, coffer_error *e)
{
    (void)c, (void)e;
    size_t n = r->len - r->at < cap ? r->len - r->at : cap;
    memcpy(buffer, r->bytes + r->at, n);
    r->at += n;
    *got = bad(r->in, "got") ? cap + 1 : n;
    return COFFER_OK;
}

static void t_read_close(coffer_rstream *r) { free(r->bytes), free(r); }

static coffer_status t_write_begin(coffer_instance *in, const coffer_call *c, const coffer_write_args *a,
                                   coffer_wstream **out, coffer_error *e)
{
    if (!sends(c, COFFER_CAP_IF_MATCH, a->if_match) || !sends(c, COFFER_CAP_CREATE_IF_ABSENT, a->if_none_match))
        return fail(e, COFFER_E_UNSUPPORTED, 0, "nobody has proven it");
    if (bad(in, "stream"))
        return COFFER_OK;
    coffer_wstream *w = calloc(1, sizeof *w);
    w->in = in;
    w->key = copy_of(a->key);
    w->key_len = a->key.len;
    w->size = a->size;
    w->create_only = a->if_none_match.len > 0;
    w->if_match = a->if_match.len > 0 ? copy_of(a->if_match) : NULL;
    for (size_t n = 0; n < a->n_props; n++)
        if (a->props[n].key.len == 12 && memcmp(a->props[n].key.ptr, "content-type", 12) == 0)
            w->type = copy_of(a->props[n].value);
    *out = w;
    return COFFER_OK;
}

static coffer_status t_write_append(coffer_wstream *w, const coffer_call *c, const void *bytes, size_t n, coffer_error *e)
{
    (void)c, (void)e;
    grow(w, n);
    memcpy(w->bytes + w->len, bytes, n);
    w->len += n;
    return COFFER_OK;
}

static coffer_status t_write_ingest(coffer_wstream *w, const coffer_call *c, int32_t fd, int64_t offset, uint64_t length,
                                    uint64_t *done, coffer_error *e)
{
    (void)c;
    if (bad(w->in, "ingest"))
        return *done = length + 1, COFFER_OK;
    if (bad(w->in, "append"))
        return COFFER_E_UNSUPPORTED;
    size_t step = length < 5 ? (size_t)length : 5;
    grow(w, step);
    ssize_t got = pread(fd, w->bytes + w->len, step, offset);
    if (got < 0)
        return fail(e, COFFER_E_IO, 0, "pread");
    w->len += (size_t)got;
    *done = (uint64_t)got;
    return COFFER_OK;
}

static coffer_status t_write_commit(coffer_wstream *w, const coffer_call *c, const coffer_commit_args *a,
                                    const coffer_sink *to, coffer_error *e)
{
    (void)c, (void)a;
    coffer_instance *in = w->in;
    if (w->size >= 0 && (size_t)w->size != w->len)
        return fail(e, COFFER_E_INVALID_ARGUMENT, 0, "another length was announced");
    pthread_mutex_lock(&in->lock);
    object *o = find(in, w->key, w->key_len);
    coffer_status s = COFFER_OK;
    if (o != NULL && w->create_only)
        s = fail(e, COFFER_E_ALREADY_EXISTS, 0, "it is there already");
    if (w->if_match != NULL && (o == NULL || (strcmp(w->if_match, "*") != 0 && strcmp(w->if_match, o->etag) != 0)))
        s = fail(e, COFFER_E_PRECONDITION, 0, "it has another version");
    if (s == COFFER_OK) {
        if (o == NULL) {
            size_t at = position(in, w->key, w->key_len);
            if (in->count == in->room) {
                in->room = in->room * 2 + 16;
                in->objects = realloc(in->objects, in->room * sizeof *in->objects);
            }
            memmove(in->objects + at + 1, in->objects + at, (in->count - at) * sizeof *in->objects);
            in->count++;
            o = &in->objects[at];
            *o = (object){ .key = w->key, .key_len = w->key_len };
            w->key = NULL;
        } else {
            free(o->bytes), free(o->type);
        }
        o->bytes = w->bytes;
        o->len = w->len;
        o->type = w->type;
        w->bytes = NULL;
        w->type = NULL;
        snprintf(o->etag, sizeof o->etag, "g%lu", ++in->generation);
        s = tell(in, o, to);
    }
    pthread_mutex_unlock(&in->lock);
    return s;
}

static void t_write_close(coffer_wstream *w)
{
    free(w->key), free(w->type), free(w->if_match), free(w->bytes), free(w);
}

static coffer_status removed(coffer_instance *in, coffer_str key, coffer_str match, int strict, coffer_error *e)
{
    pthread_mutex_lock(&in->lock);
    object *o = find(in, key.ptr, key.len);
    coffer_status s = COFFER_OK;
    if (o == NULL && match.len > 0)
        s = fail(e, COFFER_E_PRECONDITION, 0, "there is none");
    else if (o == NULL && strict)
        s = fail(e, COFFER_E_NOT_FOUND, 0, "no such object");
    else if (o != NULL)
        s = conditions(o, match, (coffer_str){ NULL, 0 }, e);
    if (s == COFFER_OK && o != NULL) {
        free(o->key), free(o->type), free(o->bytes);
        memmove(o, o + 1, (size_t)(in->objects + in->count - (o + 1)) * sizeof *o);
        in->count--;
    }
    pthread_mutex_unlock(&in->lock);
    return s;
}

static coffer_status t_remove(coffer_instance *in, const coffer_call *c, const coffer_read_args *a, coffer_error *e)
{
    if (!sends(c, COFFER_CAP_REMOVE_IF_MATCH, a->if_match))
        return fail(e, COFFER_E_UNSUPPORTED, 0, "nobody has proven it");
    return removed(in, a->key, a->if_match, (a->flags & COFFER_READ_STRICT) != 0, e);
}

static coffer_status t_list_open(coffer_instance *in, const coffer_call *c, const coffer_list_args *a,
                                 coffer_lstream **out, coffer_error *e)
{
    (void)c, (void)e;
    coffer_str after = a->token.len > 0 ? a->token : a->start_after;
    coffer_lstream *l = calloc(1, sizeof *l);
    *l = (coffer_lstream){ in, copy_of(a->prefix), copy_of(after), a->prefix.len, after.len };
    *out = l;
    return COFFER_OK;
}

static coffer_status t_list_next(coffer_lstream *l, const coffer_call *c, uint64_t limit, uint32_t *done,
                                 const coffer_sink *to, coffer_error *e)
{
    (void)c, (void)e;
    coffer_instance *in = l->in;
    coffer_entry entry;
    coffer_kv prop;
    if (bad(in, "limit"))
        limit++;
    pthread_mutex_lock(&in->lock);
    const object *last = NULL;
    size_t at = position(in, l->after_len > 0 ? l->after : l->prefix, l->after_len > 0 ? l->after_len : l->prefix_len);
    coffer_status s = COFFER_OK;
    for (*done = 1; at < in->count; at++) {
        const object *o = &in->objects[at];
        if (l->after_len > 0 && order(o->key, o->key_len, l->after, l->after_len) <= 0)
            continue;
        if (o->key_len < l->prefix_len || memcmp(o->key, l->prefix, l->prefix_len) != 0)
            break;
        if (limit-- == 0) {
            *done = 0;
            break;
        }
        entry_of(o, &entry, &prop);
        if (bad(in, "key"))
            entry.key = (coffer_str){ "\xc3(", 2 };
        if (bad(in, "empty"))
            entry.key.len = 0;
        if (bad(in, "size"))
            entry.size = -2;
        if (to->on_entry(to->ctx, &entry) != 0) {
            s = COFFER_E_CANCELLED;
            break;
        }
        last = o;
    }
    if (last != NULL) {
        free(l->after);
        l->after = copy_of((coffer_str){ last->key, last->key_len });
        l->after_len = last->key_len;
    }
    if (s == COFFER_OK && *done == 0)
        to->on_value(to->ctx, COFFER_VAL_NEXT, (coffer_str){ "", 0 }, (coffer_str){ l->after, l->after_len });
    pthread_mutex_unlock(&in->lock);
    return s;
}

static void t_list_close(coffer_lstream *l) { free(l->prefix), free(l->after), free(l); }

#ifndef OLD
static coffer_status t_remove_batch(coffer_instance *in, const coffer_call *c, const coffer_remove_item *items, size_t n,
                                    size_t stride, const coffer_sink *to, coffer_error *unused)
{
    (void)c, (void)unused;
    for (size_t k = 0; k < n; k++) {
        const coffer_remove_item *item = (const void *)((const char *)items + k * stride);
        char text[64];
        coffer_error e = { .struct_size = sizeof e, .message = text, .message_cap = sizeof text };
        coffer_status s = removed(in, item->key, item->if_match, 0, &e);
        if (bad(in, "batch"))
            k = n;
        to->on_result(to->ctx, k, s == COFFER_OK ? NULL : &e);
    }
    return COFFER_OK;
}

static coffer_status t_copy(coffer_instance *in, const coffer_call *c, const coffer_copy_args *a, const coffer_sink *to,
                            coffer_error *e)
{
    pthread_mutex_lock(&in->lock);
    object *o = find(in, a->from.ptr, a->from.len);
    coffer_status s = o == NULL ? fail(e, COFFER_E_NOT_FOUND, 0, "no such object")
                                : conditions(o, a->source_if_match, (coffer_str){ NULL, 0 }, e);
    coffer_wstream *w = NULL;
    if (s == COFFER_OK) {
        coffer_write_args args = { .struct_size = sizeof args, .key = a->to, .if_match = a->if_match,
                                   .if_none_match = a->if_none_match, .size = -1 };
        t_write_begin(in, c, &args, &w, e);
        t_write_append(w, c, o->bytes, o->len, e);
    }
    pthread_mutex_unlock(&in->lock);
    if (w == NULL)
        return s;
    s = t_write_commit(w, c, NULL, to, e);
    t_write_close(w);
    return s;
}

static coffer_status t_public_url(coffer_instance *in, const coffer_call *c, coffer_str key, const coffer_sink *to,
                                  coffer_error *e)
{
    (void)in, (void)c, (void)e;
    char url[2048];
    int n = snprintf(url, sizeof url, "https://tiny.example/%.*s", (int)key.len, key.ptr);
    to->on_value(to->ctx, COFFER_VAL_URL, (coffer_str){ "", 0 }, (coffer_str){ url, (size_t)n });
    return COFFER_OK;
}

static coffer_status t_usage(coffer_instance *in, const coffer_call *c, const coffer_sink *to, coffer_error *e)
{
    (void)c, (void)e;
    char number[24];
    int n = snprintf(number, sizeof number, bad(in, "usage") ? "-%zu" : "%zu", in->count);
    to->on_value(to->ctx, COFFER_VAL_USAGE, (coffer_str){ "objects", 7 }, (coffer_str){ number, (size_t)n });
    return COFFER_OK;
}

static int downs;
static void t_shutdown(void) { downs++; }
#endif

static const coffer_option options[] = {
    { .name = "misbehave", .type = COFFER_OPT_STRING, .doc = "The rule to break." },
    { .name = "password", .type = COFFER_OPT_STRING, .flags = COFFER_OPTF_SECRET | COFFER_OPTF_LIVE,
      .default_value = "open sesame", .doc = "A secret." },
    { .name = "mode", .type = COFFER_OPT_ENUM, .default_value = "soft", .choices = "soft|hard", .doc = "A choice." },
    { .name = "buffer", .type = COFFER_OPT_SIZE, .default_value = "8MiB", .doc = "A size.",
#ifndef OLD
      .min = 1024, .max = 1 << 30, .deprecated_alias = "buffer_size",
#endif
    },
#ifdef LINKS
    { .name = "container", .type = COFFER_OPT_STRING, .doc = "The container; else the storage's name." },
    { .name = "create", .type = COFFER_OPT_BOOL, .default_value = "false", .doc = "Make the container if it is missing." },
    { .name = "gate", .type = COFFER_OPT_PATH, .doc = "While there is no such file, no container can be made." },
    { .name = "max_link", .type = COFFER_OPT_DURATION, .doc = "How long the store lets a link live." },
#endif
};

static const coffer_ops operations = {
    .struct_size = sizeof operations,
    .open = t_open, .close = t_close, .health = t_health, .stat = t_stat,
    .read_open = t_read_open, .read = t_read, .read_close = t_read_close,
    .write_begin = t_write_begin, .write_append = t_write_append, .write_ingest = t_write_ingest,
    .write_commit = t_write_commit, .write_close = t_write_close, .remove = t_remove,
    .list_open = t_list_open, .list_next = t_list_next, .list_close = t_list_close,
#ifndef OLD
    .remove_batch = t_remove_batch, .copy = t_copy, .public_url = t_public_url, .usage = t_usage,
#endif
#ifdef LINKS
    .presign = t_presign, .container_list = t_container_list, .container_make = t_container_make,
    .container_remove = t_container_remove,
#endif
};

static const coffer_plugin plugin = {
    .magic = COFFER_MAGIC, .struct_size = sizeof plugin, .abi = COFFER_ABI_CURRENT, .threads = THREADS,
    .option_size = sizeof(coffer_option), .caps = CAPS,
    .id = ID, .version = "1.2.3", .name = "Tiny", .license = "0BSD", .description = "Keeps objects in memory.",
    .n_options = sizeof options / sizeof *options, .options = options, .ops = &operations,
#ifndef OLD
    .shutdown = t_shutdown,
#endif
};

const coffer_plugin *coffer_backend_entry_v1(const coffer_host *from, coffer_error *err)
{
    (void)err;
    host = from;
    return &plugin;
}

/* What tiny.c has with -DLINKS: links that look signed, and containers. */
#include <time.h>

static coffer_str text_of(const char *s) { return (coffer_str){ s, strlen(s) }; }

static int is_word(coffer_str s, const char *word) { return s.len == strlen(word) && memcmp(s.ptr, word, s.len) == 0; }

static void links_option(containers *c, coffer_kv o)
{
    if (strcmp(o.key.ptr, "container") == 0)
        snprintf(c->own, sizeof c->own, "%s", o.value.ptr);
    if (strcmp(o.key.ptr, "gate") == 0)
        snprintf(c->gate, sizeof c->gate, "%s", o.value.ptr);
    if (strcmp(o.key.ptr, "max_link") == 0)
        c->max_link = strtoull(o.value.ptr, NULL, 10) / 1000;
}

/* Appends `s`, percent-encoded but for what may stand in a path. */
static size_t add_encoded(char *to, size_t n, size_t cap, coffer_str s)
{
    for (size_t k = 0; k < s.len && n + 4 < cap; k++) {
        unsigned char c = (unsigned char)s.ptr[k];
        int plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~/", c);
        n += (size_t)snprintf(to + n, cap - n, plain && c != 0 ? "%c" : "%%%02X", c);
    }
    return n;
}

static coffer_status t_presign(coffer_instance *in, const coffer_call *c, const coffer_presign_args *a,
                               const coffer_sink *to, coffer_error *e)
{
    (void)c;
    char url[8192], expires[32], size[32];
    long long now = (long long)time(NULL), end = now + (long long)a->expires_s;
    if (bad(in, "bind") && a->size_exact >= 0)
        return fail(e, COFFER_E_UNSUPPORTED, 0, "no link of this store can be bound to a size");
    if (bad(in, "leak")) {
        char text[128];
        snprintf(text, sizeof text, "cannot sign with %s", in->password);
        return fail(e, COFFER_E_UNAUTHENTICATED, 0, text);
    }
    if (bad(in, "past"))
        end = now - 1;
    if (bad(in, "ages"))
        end = now + 30 * 86400;
    size_t n = (size_t)snprintf(url, sizeof url, "https://tiny.example/");
    n = add_encoded(url, n, sizeof url - 256, a->key);
    n += (size_t)snprintf(url + n, sizeof url - n, "?method=%.*s&expires=%lld&signature=5ec2e7", (int)a->method.len,
                          a->method.ptr, end);
    if (a->filename.len > 0) {
        n += (size_t)snprintf(url + n, sizeof url - n, "&filename=");
        n = add_encoded(url, n, sizeof url - 64, a->filename);
    }
    if (a->response_type.len > 0) {
        n += (size_t)snprintf(url + n, sizeof url - n, "&type=");
        n = add_encoded(url, n, sizeof url, a->response_type);
    }
    if (bad(in, "url"))
        snprintf(url, sizeof url, "tiny.example/%s", "not absolute");
    if (!bad(in, "none"))
        to->on_value(to->ctx, COFFER_VAL_URL, text_of(""), text_of(url));
    snprintf(expires, sizeof expires, "%lld", end);
    if (!bad(in, "expiry"))
        to->on_value(to->ctx, COFFER_VAL_EXPIRES, text_of(""), text_of(bad(in, "time") ? "soon" : expires));
    if (is_word(a->method, "PUT"))
        to->on_value(to->ctx, COFFER_VAL_HEADER, text_of("Content-Type"), a->content_type);
    if (a->size_exact >= 0) {
        snprintf(size, sizeof size, "%lld", (long long)a->size_exact);
        to->on_value(to->ctx, COFFER_VAL_HEADER, text_of("Content-Length"), text_of(size));
    }
    if (bad(in, "header"))
        to->on_value(to->ctx, COFFER_VAL_HEADER, text_of("X-Smuggled"), text_of("a\r\nHost: other"));
    return COFFER_OK;
}

static size_t container_at(containers *c, coffer_str name)
{
    size_t at = 0;
    while (at < c->count && !is_word(name, c->names[at]))
        at++;
    return at;
}

static coffer_status t_container_list(coffer_instance *in, const coffer_call *c, const coffer_sink *to, coffer_error *e)
{
    (void)c, (void)e;
    coffer_status s = COFFER_OK;
    pthread_mutex_lock(&in->lock);
    /* The newest first: no order is promised. */
    for (size_t at = in->containers.count; at > 0 && s == COFFER_OK; at--) {
        coffer_entry entry = { .struct_size = sizeof entry, .kind = COFFER_KIND_CONTAINER, .size = -1,
                               .mtime_ns = COFFER_TIME_UNKNOWN, .ctime_ns = 1700000000000000000 };
        entry.key = text_of(in->containers.names[at - 1]);
        if (bad(in, "kind"))
            entry.kind = COFFER_KIND_OBJECT;
        if (bad(in, "empty"))
            entry.key.len = 0;
        if (to->on_entry(to->ctx, &entry) != 0)
            s = COFFER_E_CANCELLED;
    }
    pthread_mutex_unlock(&in->lock);
    return s;
}

static coffer_status t_container_make(coffer_instance *in, const coffer_call *c, coffer_str name, const coffer_kv *options,
                                      size_t n, coffer_error *e)
{
    (void)c, (void)options, (void)n;
    if (bad(in, "denied"))
        return fail(e, COFFER_E_PERMISSION, 0, "these credentials make no containers");
    if (in->containers.gate[0] != 0 && access(in->containers.gate, F_OK) != 0)
        return fail(e, COFFER_E_UNAVAILABLE, COFFER_ERR_RETRYABLE, "the store cannot be reached");
    coffer_status s = COFFER_OK;
    pthread_mutex_lock(&in->lock);
    if (container_at(&in->containers, name) < in->containers.count)
        s = fail(e, COFFER_E_ALREADY_EXISTS, 0, "there is such a container");
    else if (name.len >= sizeof in->containers.names[0])
        s = fail(e, COFFER_E_INVALID_ARGUMENT, 0, "the name of a container has at most 63 bytes");
    else if (in->containers.count == TINY_CONTAINERS)
        s = fail(e, COFFER_E_QUOTA, 0, "no more containers");
    else
        snprintf(in->containers.names[in->containers.count++], sizeof in->containers.names[0], "%s", name.ptr);
    pthread_mutex_unlock(&in->lock);
    return s;
}

static coffer_status t_container_remove(coffer_instance *in, const coffer_call *c, coffer_str name, coffer_error *e)
{
    (void)c;
    coffer_status s = COFFER_OK;
    pthread_mutex_lock(&in->lock);
    size_t at = container_at(&in->containers, name);
    if (at == in->containers.count)
        s = fail(e, COFFER_E_NOT_FOUND, 0, "no such container");
    else if (is_word(name, in->containers.own) && in->count > 0)
        s = fail(e, COFFER_E_NOT_EMPTY, 0, "the container holds objects");
    else
        memmove(in->containers.names[at], in->containers.names[at + 1],
                (--in->containers.count - at) * sizeof in->containers.names[0]);
    pthread_mutex_unlock(&in->lock);
    return s;
}

/* The objects of tiny.c, in an array that is ordered by key. */
#define _GNU_SOURCE
#include <coffer_backend.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct object {
    char *key, *type;
    size_t key_len, len;
    unsigned char *bytes;
    char etag[24];
} object;

#ifdef LINKS
#define TINY_CONTAINERS 4096

/* Each container's name; the instance's own is the option `container`. */
typedef struct containers {
    char own[64], gate[256];
    char names[TINY_CONTAINERS][64];
    size_t count;
    uint64_t max_link;
} containers;
#endif

struct coffer_instance {
    pthread_mutex_t lock;
    object *objects;
    size_t count, room;
    unsigned long generation;
    char misbehave[32];
    char password[64];
    void *host_instance;
    atomic_int inside;
#ifdef LINKS
    containers containers;
#endif
};

struct coffer_rstream {
    unsigned char *bytes;
    size_t len, at;
    coffer_instance *in;
};

struct coffer_wstream {
    coffer_instance *in;
    char *key, *type, *if_match;
    size_t key_len, len, room;
    int64_t size;
    int create_only;
    unsigned char *bytes;
};

struct coffer_lstream {
    coffer_instance *in;
    char *prefix, *after;
    size_t prefix_len, after_len;
};

static const coffer_host *host;

static coffer_status fail(coffer_error *e, coffer_status code, uint32_t flags, const char *text)
{
    if (e != NULL) {
        size_t n = strlen(text);
        e->code = code;
        e->flags = flags;
        if (n > e->message_cap)
            n = e->message_cap;
        memcpy(e->message, text, n);
        e->message_len = (uint32_t)n;
    }
    return code;
}

static int bad(coffer_instance *in, const char *word) { return strcmp(in->misbehave, word) == 0; }

static char *copy_of(coffer_str s)
{
    char *p = malloc(s.len + 1);
    if (s.len > 0)
        memcpy(p, s.ptr, s.len);
    p[s.len] = 0;
    return p;
}

static int order(const char *a, size_t n, const char *b, size_t m)
{
    int c = memcmp(a, b, n < m ? n : m);
    return c != 0 ? c : n < m ? -1 : n > m;
}

static size_t position(coffer_instance *in, const char *key, size_t len)
{
    size_t low = 0, high = in->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (order(in->objects[middle].key, in->objects[middle].key_len, key, len) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static object *find(coffer_instance *in, const char *key, size_t len)
{
    size_t at = position(in, key, len);
    return at < in->count && order(in->objects[at].key, in->objects[at].key_len, key, len) == 0 ? &in->objects[at] : NULL;
}

static void entry_of(const object *o, coffer_entry *e, coffer_kv *prop)
{
    memset(e, 0, sizeof *e);
    e->struct_size = sizeof *e;
    e->kind = COFFER_KIND_OBJECT;
    e->key = (coffer_str){ o->key, o->key_len };
    e->size = (int64_t)o->len;
    e->mtime_ns = 1700000000000000000;
    e->ctime_ns = COFFER_TIME_UNKNOWN;
    e->etag = (coffer_str){ o->etag, strlen(o->etag) };
    if (o->type != NULL) {
        *prop = (coffer_kv){ { "content-type", 12 }, { o->type, strlen(o->type) } };
        e->n_props = 1;
        e->props = prop;
    }
}

static coffer_status conditions(const object *o, coffer_str match, coffer_str none, coffer_error *e)
{
    if (match.len > 0 && !(match.len == 1 && *match.ptr == '*') &&
        (strlen(o->etag) != match.len || memcmp(o->etag, match.ptr, match.len) != 0))
        return fail(e, COFFER_E_PRECONDITION, 0, "it has another version");
    if (none.len > 0 && ((none.len == 1 && *none.ptr == '*') ||
                         (strlen(o->etag) == none.len && memcmp(o->etag, none.ptr, none.len) == 0)))
        return fail(e, COFFER_E_NOT_MODIFIED, 0, "");
    return COFFER_OK;
}

static void grow(coffer_wstream *w, size_t more)
{
    if (w->len + more > w->room) {
        w->room = (w->len + more) * 2;
        w->bytes = realloc(w->bytes, w->room);
    }
}

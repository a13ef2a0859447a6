/* Wires: made, set up, driven, ended. */
#define _GNU_SOURCE
#include "curl_shim.h"
#include "curl_callbacks.h"
#include "curl_memory.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static CURLcode       begun;

static void begin(void)
{
    /* Where somebody in this process was first, the memory functions are theirs, and nothing else differs. */
    begun = curl_global_init_mem(CURL_GLOBAL_DEFAULT, coffer_curl_malloc, coffer_curl_free, coffer_curl_realloc,
                                 coffer_curl_strdup, coffer_curl_calloc);
}

typedef struct share {
    CURLSH         *handle;
    pthread_mutex_t locks[CURL_LOCK_DATA_LAST];
} share;

static void lock(CURL *easy, curl_lock_data what, curl_lock_access access, void *context)
{
    (void)easy, (void)access;
    pthread_mutex_lock(&((share *)context)->locks[what]);
}

static void unlock(CURL *easy, curl_lock_data what, void *context)
{
    (void)easy;
    pthread_mutex_unlock(&((share *)context)->locks[what]);
}

void *coffer_share_make(void)
{
    pthread_once(&once, begin);
    share *made = begun == CURLE_OK ? calloc(1, sizeof *made) : NULL;
    if (made == NULL)
        return NULL;
    made->handle = curl_share_init();
    if (made->handle == NULL) {
        free(made);
        return NULL;
    }
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&made->locks[i], NULL);
    curl_share_setopt(made->handle, CURLSHOPT_LOCKFUNC, lock);
    curl_share_setopt(made->handle, CURLSHOPT_UNLOCKFUNC, unlock);
    curl_share_setopt(made->handle, CURLSHOPT_USERDATA, made);
    curl_share_setopt(made->handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(made->handle, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    return made;
}

void coffer_share_free(void *context)
{
    share *gone = context;
    if (gone == NULL)
        return;
    curl_share_cleanup(gone->handle);
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&gone->locks[i]);
    free(gone);
}

/* What holds for every request. */
static void set_up(coffer_wire *wire, share *shared)
{
    CURL *easy = wire->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* a cancelled call does not wait for a name to be looked up */
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)COFFER_RECEIVE_BUFFER);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, coffer_on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, wire);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, coffer_on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, wire);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, coffer_on_send);
    curl_easy_setopt(easy, CURLOPT_READDATA, wire);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, coffer_on_seek);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, wire);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, coffer_on_issue);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, wire);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, coffer_on_socket);
    if (shared != NULL)
        curl_easy_setopt(easy, CURLOPT_SHARE, shared->handle);
    curl_multi_setopt(wire->multi, CURLMOPT_SOCKETFUNCTION, coffer_on_wait);
    curl_multi_setopt(wire->multi, CURLMOPT_SOCKETDATA, wire);
    curl_multi_setopt(wire->multi, CURLMOPT_TIMERFUNCTION, coffer_on_timer);
    curl_multi_setopt(wire->multi, CURLMOPT_TIMERDATA, wire);
    curl_multi_setopt(wire->multi, CURLMOPT_MAXCONNECTS, 2L);
}

coffer_wire *coffer_wire_make(void *shared)
{
    pthread_once(&once, begin);
    coffer_wire *wire = begun == CURLE_OK ? calloc(1, sizeof *wire) : NULL;
    if (wire == NULL)
        return NULL;
    wire->easy       = curl_easy_init();
    wire->multi      = curl_multi_init();
    wire->n_waits    = 1;
    wire->due_ns     = -1;
    wire->head_limit = 64 * 1024;
    if (wire->easy == NULL || wire->multi == NULL) {
        coffer_wire_free(wire);
        return NULL;
    }
    set_up(wire, shared);
    return wire;
}

void coffer_wire_free(coffer_wire *wire)
{
    if (wire == NULL)
        return;
    coffer_wire_end(wire);
    curl_easy_cleanup(wire->easy);
    curl_multi_cleanup(wire->multi);
    curl_slist_free_all(wire->common);
    free(wire->head);
    free(wire->overflow);
    free(wire);
}

int32_t coffer_wire_set_text(coffer_wire *wire, coffer_wire_text option, const char *text)
{
    switch (option) {
    case COFFER_WIRE_URL: return curl_easy_setopt(wire->easy, CURLOPT_URL, text);
    case COFFER_WIRE_METHOD: return curl_easy_setopt(wire->easy, CURLOPT_CUSTOMREQUEST, text);
    case COFFER_WIRE_TARGET: return curl_easy_setopt(wire->easy, CURLOPT_REQUEST_TARGET, text);
    case COFFER_WIRE_PROXY: return curl_easy_setopt(wire->easy, CURLOPT_PROXY, text);
    case COFFER_WIRE_CA_FILE: return curl_easy_setopt(wire->easy, CURLOPT_CAINFO, text);
    case COFFER_WIRE_CERTIFICATE: return curl_easy_setopt(wire->easy, CURLOPT_SSLCERT, text);
    case COFFER_WIRE_KEY: return curl_easy_setopt(wire->easy, CURLOPT_SSLKEY, text);
    }
    return CURLE_UNKNOWN_OPTION;
}

int32_t coffer_wire_set_number(coffer_wire *wire, coffer_wire_number option, int64_t number)
{
    switch (option) {
    case COFFER_WIRE_VERIFY:
        curl_easy_setopt(wire->easy, CURLOPT_SSL_VERIFYHOST, number != 0 ? 2L : 0L);
        return curl_easy_setopt(wire->easy, CURLOPT_SSL_VERIFYPEER, (long)(number != 0));
    case COFFER_WIRE_CONNECT_MS: return curl_easy_setopt(wire->easy, CURLOPT_CONNECTTIMEOUT_MS, (long)number);
    case COFFER_WIRE_IDLE_S: return curl_easy_setopt(wire->easy, CURLOPT_MAXAGE_CONN, (long)number);
    case COFFER_WIRE_UPLOAD_BUFFER: return curl_easy_setopt(wire->easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)number);
    }
    return CURLE_UNKNOWN_OPTION;
}

int coffer_wire_field(coffer_wire *wire, const char *line)
{
    /* Appended at the end that is known: libcurl would walk the list. */
    struct curl_slist *one = curl_slist_append(NULL, line);
    if (one == NULL)
        return -1;
    if (wire->fields == NULL)
        wire->fields = one;
    else
        ((struct curl_slist *)wire->last_field)->next = one;
    wire->last_field = one;
    return 0;
}

int coffer_wire_common_field(coffer_wire *wire, const char *line)
{
    struct curl_slist *longer = curl_slist_append(wire->common, line);
    if (longer == NULL)
        return -1;
    wire->common = longer;
    return 0;
}

void coffer_wire_use_common(coffer_wire *wire) { wire->shared_common = 1; }

/* All lines of the request: its own, then the kept ones where it uses them. */
static struct curl_slist *join_fields(coffer_wire *wire)
{
    if (!wire->shared_common)
        return wire->fields;
    if (wire->fields == NULL)
        return wire->common;
    ((struct curl_slist *)wire->last_field)->next = wire->common;
    return wire->fields;
}

static void drop_fields(coffer_wire *wire)
{
    if (wire->fields != NULL) {
        ((struct curl_slist *)wire->last_field)->next = NULL;
        curl_slist_free_all(wire->fields);
    }
    wire->fields = wire->last_field = NULL;
    wire->shared_common             = 0;
}

static void reap(coffer_wire *wire)
{
    int      left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(wire->multi, &left)) != NULL) {
        if (message->msg == CURLMSG_DONE) {
            wire->is_done = 1;
            wire->result  = message->data.result;
        }
    }
}

int32_t coffer_wire_begin(coffer_wire *wire, int kind, const void *bytes, int64_t length)
{
    CURL *easy         = wire->easy;
    wire->head_len     = 0;
    wire->status       = 0;
    wire->head_done    = wire->head_too_long = wire->seen_head = 0;
    wire->target       = NULL;
    wire->target_cap   = wire->target_len = 0;
    wire->overflow_at  = wire->overflow_len = 0;
    wire->body_bytes   = 0;
    wire->piece        = NULL;
    wire->piece_len    = wire->piece_at = 0;
    wire->piece_start  = 0;
    wire->is_last      = 0;
    wire->recv_paused  = wire->send_paused = 0;
    wire->issued       = 0;
    wire->is_done      = 0;
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L); /* forgets what the last request was */
    switch (kind) {
    case COFFER_BODY_HEAD: curl_easy_setopt(easy, CURLOPT_NOBODY, 1L); break;
    case COFFER_BODY_BYTES:
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, length > 0 ? bytes : "");
        curl_easy_setopt(easy, CURLOPT_POST, 1L);
        break;
    case COFFER_BODY_PUSHED:
        curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)length);
        break;
    default: break;
    }
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, join_fields(wire));
    CURLMcode code = curl_multi_add_handle(wire->multi, easy);
    if (code == CURLM_OK)
        wire->is_running = 1;
    return code;
}

static void act(coffer_wire *wire, curl_socket_t socket, int what)
{
    int running;
    if (socket == CURL_SOCKET_TIMEOUT)
        wire->due_ns = -1;
    curl_multi_socket_action(wire->multi, socket, what, &running);
    if (running == 0)
        reap(wire);
}

/* Lets libcurl work on the sockets that poll found ready. */
static void act_on(coffer_wire *wire, const struct pollfd *seen, uint32_t n)
{
    for (uint32_t i = 0; i < n && !wire->is_done; i++) {
        short events = seen[i].revents;
        if (events == 0)
            continue;
        wire->moves++;
        act(wire, seen[i].fd,
            (events & POLLIN ? CURL_CSELECT_IN : 0) | (events & POLLOUT ? CURL_CSELECT_OUT : 0) |
                (events & (POLLERR | POLLHUP | POLLNVAL) ? CURL_CSELECT_ERR : 0));
    }
}

int coffer_wire_turn(coffer_wire *wire, int extra, int wait_ms)
{
    int64_t now = wire->due_ns > 0 ? coffer_now_ns() : 1;
    if (wire->due_ns >= 0) {
        int64_t left = wire->due_ns - now;
        if (left <= 0) {
            act(wire, CURL_SOCKET_TIMEOUT, 0);
            return 0;
        }
        left = (left + 999999) / 1000000;
        if (left < wait_ms)
            wait_ms = (int)left;
    }
    wire->waits[0].fd      = extra;
    wire->waits[0].events  = POLLIN;
    wire->waits[0].revents = 0;
    int ready              = poll(wire->waits, wire->n_waits, wait_ms);
    if (ready <= 0)
        return 0; /* an interruption is as good as nothing: the caller looks at its clocks */
    if (wire->waits[0].revents != 0)
        return 1;
    struct pollfd seen[COFFER_WIRE_SOCKETS + 1];
    uint32_t      n = wire->n_waits;
    memcpy(seen, wire->waits, n * sizeof *seen);
    act_on(wire, seen + 1, n - 1);
    return 0;
}

int coffer_wires_turn(coffer_wire *const *wires, size_t n, int extra, int wait_ms)
{
    struct pollfd all[1 + COFFER_WIRES * COFFER_WIRE_SOCKETS];
    uint32_t      counts[COFFER_WIRES];
    nfds_t        total = 1;
    int64_t       now   = coffer_now_ns();
    for (size_t i = 0; i < n; i++) {
        coffer_wire *wire = wires[i];
        if (wire->due_ns >= 0 && wire->due_ns <= now && !wire->is_done) {
            act(wire, CURL_SOCKET_TIMEOUT, 0);
            wait_ms = 0; /* who has work already is looked at first */
        }
        if (wire->is_done)
            wait_ms = 0;
        if (wire->due_ns >= 0 && (wire->due_ns - now + 999999) / 1000000 < wait_ms)
            wait_ms = wire->due_ns <= now ? 0 : (int)((wire->due_ns - now + 999999) / 1000000);
        counts[i] = wire->n_waits - 1;
        memcpy(all + total, wire->waits + 1, counts[i] * sizeof *all);
        total += counts[i];
    }
    all[0] = (struct pollfd){.fd = extra, .events = POLLIN};
    if (poll(all, total, wait_ms) <= 0)
        return 0;
    if (all[0].revents != 0)
        return 1;
    for (size_t i = 0, at = 1; i < n; at += counts[i], i++)
        act_on(wires[i], all + at, counts[i]);
    return 0;
}

void coffer_wire_push(coffer_wire *wire, const void *bytes, size_t length, int is_last)
{
    wire->piece_start += wire->piece_len;
    wire->piece     = bytes;
    wire->piece_len = length;
    wire->piece_at  = 0;
    wire->is_last   = is_last != 0;
    if (wire->send_paused) {
        wire->send_paused = 0;
        curl_easy_pause(wire->easy, wire->recv_paused ? CURLPAUSE_RECV : CURLPAUSE_CONT);
    }
}

void coffer_wire_resume(coffer_wire *wire)
{
    if (!wire->recv_paused)
        return;
    wire->recv_paused = 0;
    curl_easy_pause(wire->easy, wire->send_paused ? CURLPAUSE_SEND : CURLPAUSE_CONT);
}

void coffer_wire_end(coffer_wire *wire)
{
    if (wire->is_running) {
        curl_multi_remove_handle(wire->multi, wire->easy);
        wire->is_running = 0;
    }
    drop_fields(wire); /* the easy handle gets a new list before it looks again */
    wire->target = NULL;
    wire->piece  = NULL;
}

int coffer_wire_errno(coffer_wire *wire)
{
    long number = 0;
    curl_easy_getinfo(wire->easy, CURLINFO_OS_ERRNO, &number);
    return (int)number;
}

const char *coffer_wire_reason(int32_t result) { return curl_easy_strerror((CURLcode)result); }

coffer_wire_failure coffer_wire_classify(int32_t result)
{
    switch ((CURLcode)result) {
    case CURLE_OK: /* asked of a failure: the connection ended in order, within the head */
        return COFFER_CURL_BROKEN;
    case CURLE_COULDNT_RESOLVE_HOST: return COFFER_CURL_RESOLVE;
    case CURLE_COULDNT_CONNECT: return COFFER_CURL_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return COFFER_CURL_TIMEOUT;
    case CURLE_SSL_CONNECT_ERROR: return COFFER_CURL_TLS;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS: return COFFER_CURL_TRUST;
    case CURLE_PARTIAL_FILE: return COFFER_CURL_PARTIAL;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_ABORTED_BY_CALLBACK: return COFFER_CURL_BROKEN;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2: return COFFER_CURL_GARBLED;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_PROXY: return COFFER_CURL_PROXY;
    case CURLE_WRITE_ERROR: return COFFER_CURL_REFUSED;
    default: return COFFER_CURL_OTHER;
    }
}

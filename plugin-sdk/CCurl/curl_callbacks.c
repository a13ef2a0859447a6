/* What libcurl calls while a wire is driven. */
#define _GNU_SOURCE
#include "curl_callbacks.h"
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

int64_t coffer_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Gathers the head of the answer. A status line begins anew, so that interim answers leave nothing. */
size_t coffer_on_head(char *line, size_t size, size_t count, void *context)
{
    coffer_wire *wire   = context;
    size_t       length = size * count;
    wire->moves++;
    if (wire->head_done)
        return length; /* a trailer */
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        const char *blank = memchr(line, ' ', length);
        wire->head_len    = 0;
        wire->status      = blank != NULL ? atoi(blank + 1) : 0;
        wire->seen_head   = 1;
    }
    if (wire->head_len + length > wire->head_limit) {
        wire->head_too_long = 1;
        return 0;
    }
    if (wire->head_len + length > wire->head_cap) {
        size_t cap   = (wire->head_len + length) * 2;
        char  *wider = realloc(wire->head, cap);
        if (wider == NULL)
            return 0;
        wire->head     = wider;
        wire->head_cap = cap;
    }
    memcpy(wire->head + wire->head_len, line, length);
    wire->head_len += length;
    if (length <= 2 && (line[0] == '\r' || line[0] == '\n') && wire->status >= 200)
        wire->head_done = 1;
    return length;
}

size_t coffer_on_body(char *bytes, size_t size, size_t count, void *context)
{
    coffer_wire *wire   = context;
    size_t       length = size * count;
    size_t       direct = wire->target_cap - wire->target_len;
    if (direct > length)
        direct = length;
    if (length - direct > COFFER_OVERFLOW - wire->overflow_len) {
        wire->recv_paused = 1;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (length > direct && wire->overflow == NULL) {
        wire->overflow = malloc(COFFER_OVERFLOW);
        if (wire->overflow == NULL)
            return 0;
    }
    wire->moves++;
    if (direct > 0)
        memcpy(wire->target + wire->target_len, bytes, direct);
    wire->target_len += direct;
    if (length > direct)
        memcpy(wire->overflow + wire->overflow_len, bytes + direct, length - direct);
    wire->overflow_len += length - direct;
    wire->body_bytes += length;
    return length;
}

size_t coffer_on_send(char *buffer, size_t size, size_t count, void *context)
{
    coffer_wire *wire = context;
    size_t       room = size * count;
    size_t       left = wire->piece_len - wire->piece_at;
    if (left == 0 && !wire->is_last) {
        wire->send_paused = 1;
        return CURL_READFUNC_PAUSE;
    }
    if (left > room)
        left = room;
    if (left > 0)
        memcpy(buffer, wire->piece + wire->piece_at, left);
    wire->piece_at += left;
    return left;
}

/* libcurl goes back when a kept connection turns out dead: possible only while the first bytes are at hand. */
int coffer_on_seek(void *context, curl_off_t offset, int origin)
{
    coffer_wire *wire = context;
    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset < wire->piece_start)
        return CURL_SEEKFUNC_FAIL;
    uint64_t at = (uint64_t)offset - wire->piece_start;
    if (at > wire->piece_len || wire->piece == NULL)
        return CURL_SEEKFUNC_FAIL;
    wire->piece_at = (size_t)at;
    return CURL_SEEKFUNC_OK;
}

int coffer_on_issue(void *context, char *peer, char *local, int peer_port, int local_port)
{
    coffer_wire *wire = context;
    (void)peer, (void)local, (void)peer_port, (void)local_port;
    if (wire->issued > 0 && wire->is_once)
        return CURL_PREREQFUNC_ABORT;
    wire->issued++;
    return CURL_PREREQFUNC_OK;
}

curl_socket_t coffer_on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    (void)context, (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

int coffer_on_wait(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context)
{
    coffer_wire *wire = context;
    uint32_t     i    = 1;
    (void)easy, (void)socket_context;
    while (i < wire->n_waits && wire->waits[i].fd != socket)
        i++;
    if (what == CURL_POLL_REMOVE) {
        if (i < wire->n_waits)
            wire->waits[i] = wire->waits[--wire->n_waits];
        return 0;
    }
    if (i == wire->n_waits) {
        if (i > COFFER_WIRE_SOCKETS)
            return -1;
        wire->n_waits++;
    }
    wire->waits[i].fd      = socket;
    wire->waits[i].revents = 0;
    wire->waits[i].events  = (short)((what & CURL_POLL_IN ? POLLIN : 0) | (what & CURL_POLL_OUT ? POLLOUT : 0));
    return 0;
}

int coffer_on_timer(CURLM *multi, long timeout_ms, void *context)
{
    coffer_wire *wire = context;
    (void)multi;
    wire->due_ns = timeout_ms < 0 ? -1 : timeout_ms == 0 ? 0 : coffer_now_ns() + (int64_t)timeout_ms * 1000000;
    return 0;
}

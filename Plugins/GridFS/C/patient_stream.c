#define _GNU_SOURCE
#include "patient_stream.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

_Thread_local gridfs_waiting gridfs_now;

/* A cancellation without a descriptor is seen by asking this often. */
static const int64_t slice_ms = 50;

bool gridfs_may_wait(void)
{
    const gridfs_patience *patience = gridfs_now.patience;
    if (gridfs_now.ended)
        return false;
    if (!patience)
        return true;
    if (patience->cancelled && patience->cancelled(patience->token))
        gridfs_now.ended = GRIDFS_FAILED_CANCELLED;
    else if (gridfs_monotonic_ns() >= patience->deadline_ns)
        gridfs_now.ended = GRIDFS_FAILED_LATE;
    return !gridfs_now.ended;
}

static int64_t until_deadline_ms(void)
{
    const gridfs_patience *patience = gridfs_now.patience;
    if (!patience || patience->deadline_ns == UINT64_MAX)
        return INT64_MAX;
    uint64_t now = gridfs_monotonic_ns();
    return now >= patience->deadline_ns ? 0 : (int64_t)((patience->deadline_ns - now) / 1000000 + 1);
}

/* Polls descriptors and the cancellation together; the same answers as gridfs_wait. */
static int wait_for(struct pollfd *descriptors, nfds_t count, int64_t timeout_ms)
{
    const gridfs_patience *patience = gridfs_now.patience;
    bool has_cancel = patience && patience->cancel_fd >= 0;
    uint64_t start = gridfs_monotonic_ns();
    struct pollfd all[64];
    if (count >= sizeof all / sizeof all[0])
        count = sizeof all / sizeof all[0] - 1;
    for (;;) {
        memcpy(all, descriptors, count * sizeof all[0]);
        if (has_cancel)
            all[count] = (struct pollfd){.fd = patience->cancel_fd, .events = POLLIN};
        int64_t passed = (int64_t)((gridfs_monotonic_ns() - start) / 1000000);
        int64_t left = timeout_ms < 0 ? INT64_MAX : timeout_ms > passed ? timeout_ms - passed : 0;
        int64_t step = until_deadline_ms();
        if (step > left)
            step = left;
        if (!has_cancel && patience && patience->cancelled && step > slice_ms)
            step = slice_ms;
        if (step > 3600000)
            step = 3600000;
        int ready = poll(all, count + (has_cancel ? 1 : 0), (int)step);
        if (ready < 0 && errno != EINTR)
            return -1;
        if (ready > 0) {
            bool is_ready = false;
            for (nfds_t i = 0; i < count; i++) {
                descriptors[i].revents = all[i].revents;
                is_ready |= all[i].revents != 0;
            }
            if (is_ready)
                return 1;
            if (has_cancel && all[count].revents)
                gridfs_now.ended = GRIDFS_FAILED_CANCELLED;
        }
        if (timeout_ms != 0 && !gridfs_may_wait())
            return -1;
        if (timeout_ms >= 0 && (int64_t)((gridfs_monotonic_ns() - start) / 1000000) >= timeout_ms)
            return 0;
    }
}

int gridfs_wait(int fd, short events, int64_t timeout_ms)
{
    struct pollfd descriptor = {.fd = fd, .events = events};
    return wait_for(&descriptor, 1, timeout_ms);
}

bool gridfs_sleep(int64_t milliseconds, const gridfs_patience *patience)
{
    gridfs_now = (gridfs_waiting){.patience = patience};
    bool is_whole = gridfs_wait(-1, 0, milliseconds) == 0;
    gridfs_now = (gridfs_waiting){0};
    return is_whole;
}

/* ---- the stream ------------------------------------------------------------------------------------------------ */

typedef struct patient_stream {
    mongoc_stream_t table; /* first, since libmongoc knows only this */
    int fd, failure;
} patient_stream;

/* libmongoc polls streams together only if their types are one; its own have small numbers. */
static const int stream_type = 0x67667;

static int stream_close(mongoc_stream_t *stream)
{
    patient_stream *mine = (patient_stream *)stream;
    if (mine->fd >= 0)
        close(mine->fd);
    mine->fd = -1;
    return 0;
}

static void stream_destroy(mongoc_stream_t *stream)
{
    stream_close(stream);
    bson_free(stream);
}

static int stream_flush(mongoc_stream_t *stream)
{
    (void)stream;
    return 0;
}

/* Takes `done` bytes off the front of the vectors; the first that has any left. */
static size_t advance(mongoc_iovec_t *vectors, size_t count, size_t at, size_t done)
{
    while (at < count && done >= vectors[at].iov_len)
        done -= vectors[at++].iov_len;
    if (at < count) {
        vectors[at].iov_base = (char *)vectors[at].iov_base + done;
        vectors[at].iov_len -= done;
    }
    return at;
}

static ssize_t fail(patient_stream *mine, int failure)
{
    mine->failure = errno = failure;
    return -1;
}

/* Waits for a socket that was not ready; 0, or the errno that ends the transfer. */
static int wait_again(patient_stream *mine, short events, int32_t timeout_ms)
{
    if (timeout_ms == 0)
        return EAGAIN;
    int ready = gridfs_wait(mine->fd, events, timeout_ms);
    return ready > 0 ? 0 : ETIMEDOUT;
}

static ssize_t stream_writev(mongoc_stream_t *stream, mongoc_iovec_t *vectors, size_t count, int32_t timeout_ms)
{
    patient_stream *mine = (patient_stream *)stream;
    /* The caller's vectors stay as they are. */
    mongoc_iovec_t few[8], *rest = count <= 8 ? few : bson_malloc(count * sizeof *rest);
    memcpy(rest, vectors, count * sizeof *rest);
    ssize_t sent = 0;
    size_t at = advance(rest, count, 0, 0);
    int failure = 0;
    while (at < count && !failure) {
        struct msghdr message = {.msg_iov = (struct iovec *)(rest + at), .msg_iovlen = count - at > 64 ? 64 : count - at};
        ssize_t step = sendmsg(mine->fd, &message, MSG_NOSIGNAL);
        if (step >= 0) {
            sent += step;
            at = advance(rest, count, at, (size_t)step);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            failure = wait_again(mine, POLLOUT, timeout_ms);
        } else if (errno != EINTR) {
            failure = errno;
        }
    }
    if (rest != few)
        bson_free(rest);
    if (failure == EAGAIN && sent > 0)
        return sent;
    return failure ? fail(mine, failure) : sent;
}

static ssize_t stream_readv(mongoc_stream_t *stream, mongoc_iovec_t *vectors, size_t count, size_t least,
                            int32_t timeout_ms)
{
    patient_stream *mine = (patient_stream *)stream;
    mongoc_iovec_t few[8], *rest = count <= 8 ? few : bson_malloc(count * sizeof *rest);
    memcpy(rest, vectors, count * sizeof *rest);
    size_t got = 0, at = advance(rest, count, 0, 0);
    int failure = 0;
    while (at < count && !failure) {
        struct msghdr message = {.msg_iov = (struct iovec *)(rest + at), .msg_iovlen = count - at > 64 ? 64 : count - at};
        ssize_t step = recvmsg(mine->fd, &message, 0);
        if (step > 0) {
            got += (size_t)step;
            at = advance(rest, count, at, (size_t)step);
            if (got >= least)
                break;
        } else if (step == 0) {
            failure = ECONNRESET;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            failure = wait_again(mine, POLLIN, timeout_ms);
        } else if (errno != EINTR) {
            failure = errno;
        }
    }
    if (rest != few)
        bson_free(rest);
    if (failure && (got == 0 || got < least))
        return fail(mine, failure);
    mine->failure = errno = 0;
    return (ssize_t)got;
}

static int stream_setsockopt(mongoc_stream_t *stream, int level, int name, void *value, mongoc_socklen_t length)
{
    return setsockopt(((patient_stream *)stream)->fd, level, name, value, length);
}

static bool stream_check_closed(mongoc_stream_t *stream)
{
    char byte;
    ssize_t got = recv(((patient_stream *)stream)->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK);
}

/* All streams are ours. When the call ends each one is told that it hung up: libmongoc would poll on otherwise. */
static ssize_t stream_poll(mongoc_stream_poll_t *streams, size_t count, int32_t timeout_ms)
{
    struct pollfd descriptors[63];
    if (count > 63)
        count = 63;
    for (size_t i = 0; i < count; i++) {
        descriptors[i] = (struct pollfd){.fd = ((patient_stream *)streams[i].stream)->fd,
                                         .events = (short)streams[i].events};
        streams[i].revents = 0;
    }
    int ready = wait_for(descriptors, count, timeout_ms);
    ssize_t result = 0;
    for (size_t i = 0; i < count && ready != 0; i++) {
        streams[i].revents = ready < 0 ? POLLERR | POLLHUP : descriptors[i].revents;
        result += streams[i].revents != 0;
    }
    return result;
}

static bool stream_timed_out(mongoc_stream_t *stream) { return ((patient_stream *)stream)->failure == ETIMEDOUT; }

static bool stream_should_retry(mongoc_stream_t *stream)
{
    int failure = ((patient_stream *)stream)->failure;
    return failure == EAGAIN || failure == EWOULDBLOCK || failure == EINPROGRESS || failure == EINTR;
}

static mongoc_stream_t *make_stream(int fd)
{
    patient_stream *mine = bson_malloc0(sizeof *mine);
    mine->fd = fd;
    mine->table.type = stream_type;
    mine->table.destroy = stream_destroy;
    mine->table.failed = stream_destroy;
    mine->table.close = stream_close;
    mine->table.flush = stream_flush;
    mine->table.writev = stream_writev;
    mine->table.readv = stream_readv;
    mine->table.setsockopt = stream_setsockopt;
    mine->table.check_closed = stream_check_closed;
    mine->table.poll = stream_poll;
    mine->table.timed_out = stream_timed_out;
    mine->table.should_retry = stream_should_retry;
    return &mine->table;
}

/* ---- connecting ------------------------------------------------------------------------------------------------- */

/* A connected descriptor, or minus the errno. */
static int connect_to(const struct sockaddr *address, socklen_t length, int32_t timeout_ms)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), failure = 0, one = 1;
    if (fd < 0)
        return -errno;
    if (connect(fd, address, length) == -1) {
        socklen_t size = sizeof failure;
        if (errno != EINPROGRESS && errno != EINTR)
            failure = errno;
        else if (gridfs_wait(fd, POLLOUT, timeout_ms) <= 0)
            failure = ETIMEDOUT;
        else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) == -1)
            failure = errno;
    }
    if (failure) {
        close(fd);
        return -failure;
    }
    if (address->sa_family != AF_UNIX) {
        /* A server that vanished without a word is noticed; that it takes longer without these is no reason to fail. */
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    }
    return fd;
}

static int connect_by_path(const mongoc_host_list_t *host, int32_t timeout_ms)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(host->host) >= sizeof address.sun_path)
        return -ENAMETOOLONG;
    strcpy(address.sun_path, host->host);
    return connect_to((struct sockaddr *)&address, sizeof address, timeout_ms);
}

static int connect_by_name(const mongoc_host_list_t *host, int32_t timeout_ms)
{
    char port[8];
    snprintf(port, sizeof port, "%u", host->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_family = host->family}, *found = NULL;
    if (getaddrinfo(host->host, port, &hints, &found) != 0)
        return -EHOSTUNREACH;
    int fd = -EHOSTUNREACH;
    for (struct addrinfo *each = found; each && fd < 0 && gridfs_may_wait(); each = each->ai_next)
        fd = connect_to(each->ai_addr, each->ai_addrlen, timeout_ms);
    freeaddrinfo(found);
    return fd;
}

mongoc_stream_t *gridfs_connect(const mongoc_host_list_t *host, int32_t timeout_ms, bson_error_t *error)
{
    int fd = host->family == AF_UNIX ? connect_by_path(host, timeout_ms) : connect_by_name(host, timeout_ms);
    if (fd >= 0)
        return make_stream(fd);
    bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_CONNECT, "cannot connect to %s: %s",
                   host->host_and_port, strerror(-fd));
    return NULL;
}

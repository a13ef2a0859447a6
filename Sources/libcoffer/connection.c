/* connection.c - one connection to the host: sends requests, receives answers, and keeps within its bounds. */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define INTERIM_LIMIT 8
#define LINE_LIMIT 4096

static int unreachable(const char *path, int number, coffer_failure *failure) {
    char text[128];
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return fail(failure, COFFER_CODE_UNAVAILABLE,
                    "no host at %s: there is no such socket; start cofferd, or name its socket with COFFER_SOCKET", path);
    case ECONNREFUSED:
        return fail(failure, COFFER_CODE_UNAVAILABLE, "no host at %s: nobody listens there any more; start cofferd",
                    path);
    case EACCES:
    case EPERM:
        return fail(failure, COFFER_CODE_PERMISSION_DENIED,
                    "no access to the socket %s; its owner or `socket:` in the host's configuration decides who has",
                    path);
    default:
        return fail(failure, COFFER_CODE_UNAVAILABLE, "no host at %s: %s", path,
                    system_word(number, text, sizeof text));
    }
}

static int64_t now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Whether a call that a signal interrupted goes on; signals that come again and again keep no call for ever. */
static bool goes_on(const struct connection *connection, int64_t *since) {
    if (!connection->timeout_ms) return true;
    int64_t now = now_ms();
    if (*since < 0) *since = now;
    return now - *since < connection->timeout_ms;
}

int connection_open(const char *path, uint32_t timeout_ms, struct connection **result, coffer_failure *failure) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path)
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "the name of the socket is longer than %zu bytes: %s",
                    sizeof address.sun_path - 1, path);
    memcpy(address.sun_path, path, length + 1);
    struct connection *connection = malloc(sizeof *connection);
    if (!connection) return fail_memory(failure);
    memset(connection, 0, offsetof(struct connection, buffer));
    connection->fd = -1;
    connection->pid = getpid();
    connection->timeout_ms = timeout_ms;
    connection->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->socket < 0) {
        int number = errno;
        char text[128];
        free(connection);
        int code = fail(failure, COFFER_CODE_UNAVAILABLE, "cannot connect to %s: %s", path,
                        system_word(number, text, sizeof text));
        fail_more(failure, true, false);
        return code;
    }
    if (timeout_ms) {
        struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
        setsockopt(connection->socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(connection->socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    }
    int64_t since = -1;
    while (connect(connection->socket, (struct sockaddr *)&address, sizeof address) < 0) {
        int number = errno;
        if (number == EINTR && goes_on(connection, &since)) continue;
        // A signal that came after the connection was made.
        if (number == EISCONN) break;
        connection_close(connection);
        if (number == EAGAIN || number == EINTR) {
            int code = fail(failure, COFFER_CODE_TIMEOUT, "the host at %s takes no connection for %u ms", path, timeout_ms);
            fail_more(failure, true, false);
            return code;
        }
        return unreachable(path, number, failure);
    }
    *result = connection;
    return COFFER_CODE_OK;
}

void connection_close(struct connection *connection) {
    if (!connection) return;
    close(connection->socket);
    if (connection->fd >= 0) close(connection->fd);
    free(connection);
}

bool connection_alive(struct connection *connection) {
    char byte;
    ssize_t count;
    do count = recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (count < 0 && errno == EINTR);
    return count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool connection_reusable(const struct connection *connection) {
    return connection->keep && !connection->chunked && !connection->left && connection->start == connection->end;
}

/* ---- sending ---- */

static enum outcome broke(struct connection *connection, int number) {
    connection->number = number;
    return number == EPIPE || number == ECONNRESET || number == ENOTCONN ? CLOSED : FAILED;
}

static enum outcome wait_to_send(struct connection *connection) {
    struct pollfd ready = {connection->socket, POLLIN | POLLOUT, 0};
    int64_t since = -1;
    for (;;) {
        int count = poll(&ready, 1, connection->timeout_ms ? (int)(connection->timeout_ms & 0x7FFFFFFF) : -1);
        if (count > 0) return ready.revents & POLLIN ? EARLY : DONE;
        if (count == 0) return LATE;
        if (errno != EINTR) return broke(connection, errno);
        if (!goes_on(connection, &since)) return LATE;
    }
}

enum outcome connection_send(struct connection *connection, const struct piece *pieces, size_t count, int fd) {
    size_t index = 0, done = 0;
    while (index < count && !pieces[index].size) index++;
    while (index < count) {
        struct iovec parts[3];
        size_t used = 0;
        for (size_t at = index; at < count && used < 3; at++) {
            size_t skip = at == index ? done : 0;
            parts[used++] = (struct iovec){(char *)(uintptr_t)pieces[at].data + skip, pieces[at].size - skip};
        }
        union {
            struct cmsghdr header;
            char           room[CMSG_SPACE(sizeof(int))];
        } control;
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = used};
        if (fd >= 0) {
            memset(&control, 0, sizeof control);
            message.msg_control = control.room;
            message.msg_controllen = sizeof control.room;
            struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
            rights->cmsg_level = SOL_SOCKET;
            rights->cmsg_type = SCM_RIGHTS;
            rights->cmsg_len = CMSG_LEN(sizeof(int));
            memcpy(CMSG_DATA(rights), &fd, sizeof fd);
        }
        ssize_t sent = sendmsg(connection->socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0) {
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return broke(connection, errno);
            enum outcome outcome = wait_to_send(connection);
            if (outcome != DONE) return outcome;
            continue;
        }
        // The descriptor went with the first byte.
        fd = -1;
        connection->sent += (size_t)sent;
        done += (size_t)sent;
        while (index < count && done >= pieces[index].size) done -= pieces[index++].size;
    }
    return DONE;
}

/* ---- receiving ---- */

/* Keeps the first descriptor that came, and closes all others. */
static void take_descriptors(struct connection *connection, struct msghdr *message) {
    for (struct cmsghdr *rights = CMSG_FIRSTHDR(message); rights; rights = CMSG_NXTHDR(message, rights)) {
        if (rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int fd;
            memcpy(&fd, CMSG_DATA(rights) + index * sizeof fd, sizeof fd);
            if (connection->fd < 0) connection->fd = fd;
            else close(fd);
        }
    }
}

static enum outcome receive(struct connection *connection, void *buffer, size_t capacity, bool want_fd,
                            size_t *length) {
    int64_t since = -1;
    for (;;) {
        ssize_t count;
        if (want_fd) {
            struct iovec part = {buffer, capacity};
            union {
                struct cmsghdr header;
                char           room[CMSG_SPACE(8 * sizeof(int))];
            } control;
            struct msghdr message = {
                .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
            count = recvmsg(connection->socket, &message, MSG_CMSG_CLOEXEC);
            if (count >= 0) take_descriptors(connection, &message);
        } else {
            // Without room for them, the kernel keeps descriptors that nobody asked for away.
            count = recv(connection->socket, buffer, capacity, 0);
        }
        if (count > 0) {
            *length = (size_t)count;
            return DONE;
        }
        if (count == 0) return CLOSED;
        if (errno == EINTR) {
            if (goes_on(connection, &since)) continue;
            return LATE;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) return LATE;
        return broke(connection, errno);
    }
}

static enum outcome malformed(struct connection *connection, const char *wrong) {
    connection->wrong = wrong;
    connection->keep = false;
    return MALFORMED;
}

enum outcome connection_receive(struct connection *connection, struct head *head, bool no_body, bool want_fd) {
    int interim = 0;
    connection->keep = false;
    connection->before_answer = connection->start == connection->end;
    memmove(connection->buffer, connection->buffer + connection->start, connection->end - connection->start);
    connection->end -= connection->start;
    connection->start = 0;
    size_t looked = 0;
    for (;;) {
        char *from = connection->buffer + connection->start;
        size_t have = connection->end - connection->start;
        // What is no answer is told at once, not when enough of it came.
        if (have && memcmp(from, "HTTP/1.1 ", have < 9 ? have : 9) != 0)
            return malformed(connection, "it does not begin as an answer");
        char *end = have >= 4 ? memmem(from + looked, have - looked, "\r\n\r\n", 4) : NULL;
        if (!end) {
            looked = have > 3 ? have - 3 : 0;
            if (connection->end == sizeof connection->buffer) return malformed(connection, "its head has no end");
            size_t count;
            enum outcome outcome = receive(connection, connection->buffer + connection->end,
                                           sizeof connection->buffer - connection->end, want_fd, &count);
            if (outcome != DONE) return outcome;
            connection->before_answer = false;
            connection->end += count;
            continue;
        }
        const char *wrong = head_read(head, (struct span){from, (size_t)(end - from)});
        if (wrong) return malformed(connection, wrong);
        connection->start += (size_t)(end - from) + 4;
        if (head->status >= 200) break;
        // An interim answer is not the real one, which follows.
        looked = 0;
        if (++interim > INTERIM_LIMIT) return malformed(connection, "it sends interim answers without end");
    }
    connection->keep = !head->close;
    connection->chunked = head->chunked && !no_body;
    connection->left = no_body ? 0 : connection->chunked ? 0 : head->length;
    connection->place = AT_SIZE;
    head->fd = connection->fd;
    connection->fd = -1;
    return DONE;
}

static enum outcome chunk_line(struct connection *connection, struct span *line) {
    for (;;) {
        char *from = connection->buffer + connection->start;
        size_t have = connection->end - connection->start;
        char *end = have ? memmem(from, have, "\r\n", 2) : NULL;
        if (end) {
            *line = (struct span){from, (size_t)(end - from)};
            connection->start += line->length + 2;
            return DONE;
        }
        if (have > LINE_LIMIT) return malformed(connection, "a line of its chunks has no end");
        memmove(connection->buffer, from, have);
        connection->start = 0;
        connection->end = have;
        size_t count;
        enum outcome outcome =
            receive(connection, connection->buffer + have, sizeof connection->buffer - have, false, &count);
        if (outcome != DONE) return outcome;
        connection->end += count;
    }
}

static bool chunk_size(struct span line, uint64_t *size) {
    size_t at = 0;
    *size = 0;
    for (; at < line.length && at < 16; at++) {
        char digit = line.at[at];
        int value = digit >= '0' && digit <= '9' ? digit - '0'
                    : (digit | 32) >= 'a' && (digit | 32) <= 'f' ? (digit | 32) - 'a' + 10
                                                                 : -1;
        if (value < 0) break;
        *size = *size << 4 | (uint64_t)value;
    }
    return at > 0 && at < 16 && (at == line.length || line.at[at] == ';' || line.at[at] == ' ');
}

/* Reads what stands between chunks, until bytes are there or the body has ended. */
static enum outcome next_chunk(struct connection *connection) {
    struct span line;
    enum outcome outcome;
    int trailers = 0;
    for (;;) {
        switch (connection->place) {
        case IN_CHUNK:
            if (connection->left) return DONE;
            connection->place = AT_CHUNK_END;
            break;
        case AT_CHUNK_END:
            if ((outcome = chunk_line(connection, &line)) != DONE) return outcome;
            if (line.length) return malformed(connection, "a chunk does not end where it said");
            connection->place = AT_SIZE;
            break;
        case AT_SIZE:
            if ((outcome = chunk_line(connection, &line)) != DONE) return outcome;
            if (!chunk_size(line, &connection->left)) return malformed(connection, "a chunk does not say its size");
            connection->place = connection->left ? IN_CHUNK : AT_TRAILERS;
            break;
        case AT_TRAILERS:
            if ((outcome = chunk_line(connection, &line)) != DONE) return outcome;
            if (!line.length) {
                connection->chunked = false;
                return DONE;
            }
            if (++trailers > 64) return malformed(connection, "its trailers have no end");
            break;
        }
    }
}

enum outcome connection_read(struct connection *connection, void *buffer, size_t capacity, size_t *length) {
    enum outcome outcome;
    *length = 0;
    if (!capacity) return DONE;
    if (connection->chunked && !connection->left && (outcome = next_chunk(connection)) != DONE) return outcome;
    size_t wanted = capacity < connection->left ? capacity : (size_t)connection->left;
    if (!wanted) return DONE;
    size_t have = connection->end - connection->start;
    if (have) {
        *length = wanted < have ? wanted : have;
        memcpy(buffer, connection->buffer + connection->start, *length);
        connection->start += *length;
    } else if ((outcome = receive(connection, buffer, wanted, false, length)) != DONE) {
        return outcome;
    }
    connection->left -= *length;
    return DONE;
}

enum outcome connection_read_all(struct connection *connection, size_t limit, char **data, size_t *length) {
    size_t capacity = 4096, filled = 0;
    if (!connection->chunked) {
        if (connection->left > limit) return malformed(connection, "its answer is longer than any can be");
        capacity = (size_t)connection->left;
    }
    char *body = malloc(capacity + 1);
    if (!body) return malformed(connection, "there is no memory for its answer");
    for (;;) {
        if (filled == capacity && !connection->chunked) break;
        if (filled == capacity) {
            char *grown = capacity < limit ? realloc(body, capacity * 2 + 1) : NULL;
            if (!grown) {
                free(body);
                return malformed(connection, "its answer is longer than any can be");
            }
            body = grown;
            capacity *= 2;
        }
        size_t count;
        enum outcome outcome = connection_read(connection, body + filled, capacity - filled, &count);
        if (outcome != DONE) {
            free(body);
            return outcome;
        }
        if (!count) break;
        filled += count;
    }
    body[filled] = 0;
    *data = body;
    *length = filled;
    return DONE;
}

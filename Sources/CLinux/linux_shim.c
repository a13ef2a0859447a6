#define _GNU_SOURCE
#include "linux_shim.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int coffer_eventfd(unsigned int initial)
{
    return eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK);
}

void coffer_eventfd_signal(int fd)
{
    uint64_t one = 1;
    ssize_t  written = write(fd, &one, sizeof one);
    (void)written; /* fails only when the count is full, and then it is readable already */
}

void coffer_eventfd_clear(int fd)
{
    uint64_t count;
    ssize_t  got = read(fd, &count, sizeof count);
    (void)got; /* fails only when the count is zero, and then there is nothing to clear */
}

int coffer_open(const char *path, int flags, mode_t mode)
{
    return open(path, flags, mode);
}

int coffer_accept(int listener, int blocks)
{
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | (blocks ? 0 : SOCK_NONBLOCK));
}

int coffer_socket(int domain, int type)
{
    return socket(domain, type | SOCK_CLOEXEC, 0);
}

/* An address holds 107 bytes of a path. A longer one is named by its open directory, which *directory then is: to be
 * closed after use, or -1. */
static int unix_address(struct sockaddr_un *address, const char *path, size_t length, int *directory)
{
    *directory = -1;
    memset(address, 0, sizeof *address);
    address->sun_family = AF_UNIX;
    if (length == 0 || memchr(path, 0, length)) {
        errno = EINVAL;
        return -1;
    }
    if (length < sizeof address->sun_path) {
        memcpy(address->sun_path, path, length);
        return 0;
    }
    char folder[PATH_MAX];
    if (length >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, path, length);
    folder[length] = 0;
    char *slash = strrchr(folder, '/');
    if (!slash || strlen(slash + 1) > 64) {
        errno = ENAMETOOLONG;
        return -1;
    }
    *slash = 0;
    *directory = open(slash == folder ? "/" : folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*directory < 0) return -1;
    snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/%s", *directory, slash + 1);
    return 0;
}

static int close_after(int directory, int result)
{
    int number = errno;
    if (directory >= 0) close(directory);
    errno = number;
    return result;
}

int coffer_unix_connect(int fd, const char *path, size_t length)
{
    struct sockaddr_un address;
    int                directory;
    if (unix_address(&address, path, length, &directory) != 0) return -1;
    return close_after(directory, connect(fd, (struct sockaddr *)&address, sizeof address));
}

int coffer_unix_bind(int fd, const char *path, size_t length)
{
    struct sockaddr_un address;
    int                directory;
    if (unix_address(&address, path, length, &directory) != 0) return -1;
    return close_after(directory, bind(fd, (struct sockaddr *)&address, sizeof address));
}

static struct addrinfo *numeric(const char *address, uint16_t port, int flags)
{
    struct addrinfo  hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | flags, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char             service[8];
    snprintf(service, sizeof service, "%u", (unsigned)port);
    if (getaddrinfo(address, service, &hints, &found) != 0) {
        errno = EINVAL;
        return NULL;
    }
    return found;
}

static int fail(int fd)
{
    int number = errno;
    close(fd);
    errno = number;
    return -1;
}

int coffer_tcp_listen(const char *address, uint16_t port, int backlog)
{
    struct addrinfo *info = numeric(address, port, AI_PASSIVE);
    int              one = 1, fd, done;
    if (!info) return -1;
    fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    done = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0
        && bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, backlog) == 0;
    freeaddrinfo(info);
    if (done || fd < 0) return fd;
    return fail(fd);
}

int coffer_tcp_connect(const char *address, uint16_t port)
{
    struct addrinfo *info = numeric(address, port, 0);
    int              one = 1, fd, done;
    if (!info) return -1;
    fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    done = fd >= 0 && connect(fd, info->ai_addr, info->ai_addrlen) == 0
        && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one) == 0;
    freeaddrinfo(info);
    if (done || fd < 0) return fd;
    return fail(fd);
}

int coffer_local_port(int fd)
{
    struct sockaddr_storage address;
    socklen_t               length = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &length) != 0) return -1;
    if (address.ss_family == AF_INET) return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6) return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return -1;
}

int coffer_peer(int fd, uint32_t *user, uint32_t *group, int32_t *process)
{
    struct ucred peer;
    socklen_t    length = sizeof peer;
    int          domain = 0;
    socklen_t    domain_length = sizeof domain;
    /* A TCP socket answers SO_PEERCRED with nobody instead of failing. */
    if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_length) != 0 || domain != AF_UNIX) return -1;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0) return -1;
    *user = peer.uid;
    *group = peer.gid;
    *process = peer.pid;
    return 0;
}

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

int coffer_peer_groups(int fd, uint32_t *groups, int capacity)
{
    socklen_t length = (socklen_t)capacity * sizeof(gid_t);
    _Static_assert(sizeof(gid_t) == sizeof(uint32_t), "group ids are 32 bits wide");
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &length) != 0 && errno != ERANGE) return -1;
    return (int)(length / sizeof(gid_t));
}

/* Room for one descriptor, not CMSG_SPACE of it: that is padded, and two would fit. */
union control {
    struct cmsghdr header;
    char           bytes[CMSG_SPACE(sizeof(int))];
};

ssize_t coffer_receive(int fd, void *buffer, size_t length, int flags, int *attached, int *truncated)
{
    union control  control;
    struct iovec   part = {.iov_base = buffer, .iov_len = length};
    struct msghdr  message = {
         .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t got = recvmsg(fd, &message, flags | MSG_CMSG_CLOEXEC);
    *attached = -1;
    *truncated = 0;
    if (got < 0) return got;
    *truncated = (message.msg_flags & MSG_CTRUNC) != 0;
    for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
        size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t index = 0; index < count; index++) {
            int descriptor;
            memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof(int));
            if (*attached < 0)
                *attached = descriptor;
            else
                close(descriptor);
        }
    }
    return got;
}

ssize_t coffer_send(int fd, const struct iovec *parts, int count, int flags, int attached)
{
    union control control;
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    if (attached >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = &control;
        message.msg_controllen = CMSG_LEN(sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &attached, sizeof(int));
    }
    return sendmsg(fd, &message, flags | MSG_NOSIGNAL);
}

int coffer_place_thread(pid_t thread, int processor)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int n = 0; n < CPU_SETSIZE; n++)
        if (processor < 0 || n == processor)
            CPU_SET(n, &set);
    return sched_setaffinity(thread, sizeof set, &set) == 0 ? 0 : errno;
}

ssize_t coffer_copy_range(int to, int from, size_t length)
{
    return copy_file_range(from, NULL, to, NULL, length, 0);
}

ssize_t coffer_sendfile(int to, int from, int64_t *offset, size_t length)
{
    off_t   position = *offset;
    ssize_t sent = sendfile(to, from, &position, length);
    *offset = position;
    return sent;
}

int coffer_thread_start(pthread_t *thread, size_t stack, const char *name, void *(*body)(void *), void *context)
{
    pthread_attr_t attributes;
    int            number = pthread_attr_init(&attributes);
    if (number != 0) return number;
    number = pthread_attr_setstacksize(&attributes, stack);
    if (number == 0) number = pthread_create(thread, &attributes, body, context);
    if (number == 0) pthread_setname_np(*thread, name); /* only for people: a long name is refused, and that is fine */
    pthread_attr_destroy(&attributes);
    return number;
}

void coffer_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

int coffer_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t nanoseconds)
{
    struct timespec until = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000};
    return pthread_cond_timedwait(condition, mutex, &until);
}

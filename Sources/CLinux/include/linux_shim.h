/* What Swift cannot say of Linux: function-like macros, variadic calls, and what glibc's module leaves out. */
#ifndef COFFER_LINUX_SHIM_H
#define COFFER_LINUX_SHIM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>
#include <sys/uio.h>

/* A new eventfd (close-on-exec, non-blocking) with `initial` as its count, or -1 with errno. */
int coffer_eventfd(unsigned int initial);

/* Adds one to an eventfd's count. */
void coffer_eventfd_signal(int fd);

/* Takes an eventfd's count, so that it is no longer readable. */
void coffer_eventfd_clear(int fd);

/* open(2) with a mode, which is variadic in C. */
int coffer_open(const char *path, int flags, mode_t mode);

/* accept4 without the address: close-on-exec, and non-blocking where `blocks` is 0. */
int coffer_accept(int listener, int blocks);

/* socket(2), close-on-exec. */
int coffer_socket(int domain, int type);

/* Fills a sockaddr_un and connects, binds; -1 with errno (ENAMETOOLONG for a name of more than 64
 * bytes in a path of more than 107). */
int coffer_unix_connect(int fd, const char *path, size_t length);
int coffer_unix_bind(int fd, const char *path, size_t length);

/* A TCP socket listening on a numeric address; `port` 0 lets the kernel choose. -1 with errno. */
int coffer_tcp_listen(const char *address, uint16_t port, int backlog);
/* A TCP connection to a numeric address. -1 with errno. */
int coffer_tcp_connect(const char *address, uint16_t port);
/* The local port of an internet socket; -1 where there is none. */
int coffer_local_port(int fd);

/* SO_PEERCRED; -1 where the socket is not a Unix one. */
int coffer_peer(int fd, uint32_t *user, uint32_t *group, int32_t *process);
/* SO_PEERGROUPS: how many groups there are; only as many as fit `capacity` are written. -1 with errno. */
int coffer_peer_groups(int fd, uint32_t *groups, int capacity);

/* One recvmsg that is prepared for a descriptor. `*attached` becomes it (close-on-exec) or -1; `*truncated` becomes 1
 * when more came than fitted, or none could be opened: the kernel has closed those. */
ssize_t coffer_receive(int fd, void *buffer, size_t length, int flags, int *attached, int *truncated);

/* One sendmsg without SIGPIPE; `attached` travels with its first byte unless it is -1. */
ssize_t coffer_send(int fd, const struct iovec *parts, int count, int flags, int attached);

/* sendfile; `*offset` moves on. */
ssize_t coffer_sendfile(int to, int from, int64_t *offset, size_t length);

/* copy_file_range from and to the files' own positions; -1 with errno. */
ssize_t coffer_copy_range(int to, int from, size_t length);

/* Keeps a thread, 0 for the calling one, on one processor; -1 lets it run on any. The error number, or 0. */
int coffer_place_thread(pid_t thread, int processor);

/* Starts a thread with a stack of at least `stack` bytes; returns the error number. */
int coffer_thread_start(pthread_t *thread, size_t stack, const char *name, void *(*body)(void *), void *context);

/* A condition variable that waits by the monotonic clock. */
void coffer_condition_init(pthread_cond_t *condition);
/* Waits until `nanoseconds` of the monotonic clock; returns the error number. */
int coffer_condition_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, int64_t nanoseconds);

#endif

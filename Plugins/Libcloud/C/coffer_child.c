#define _GNU_SOURCE
#include "coffer_child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// posix_spawn and not fork: the host has many threads, and whatever lock one of them holds would stay held.
int coffer_child_start(
    const char *program, char *const *arguments, char *const *environment, int channel, int complaints, pid_t *child
) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    // Above what they become, or one would be lost under another.
    int high = fcntl(channel, F_DUPFD_CLOEXEC, 10);
    if (high < 0) return errno;
    int loud = fcntl(complaints, F_DUPFD_CLOEXEC, 10);
    if (loud < 0) {
        int error = errno;
        close(high);
        return error;
    }
    sigemptyset(&none);
    sigfillset(&all);
    int error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = posix_spawnattr_init(&attributes);
        if (error == 0) {
            if (!error) error = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
            if (!error) error = posix_spawn_file_actions_adddup2(&actions, loud, 1);
            if (!error) error = posix_spawn_file_actions_adddup2(&actions, loud, 2);
            if (!error) error = posix_spawn_file_actions_adddup2(&actions, high, 3);
            if (!error) error = posix_spawn_file_actions_addclosefrom_np(&actions, 4);
            if (!error) error = posix_spawnattr_setpgroup(&attributes, 0);
            if (!error) error = posix_spawnattr_setsigmask(&attributes, &none);
            if (!error) error = posix_spawnattr_setsigdefault(&attributes, &all);
            if (!error)
                error = posix_spawnattr_setflags(
                    &attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
                );
            if (!error) error = posix_spawn(child, program, &actions, &attributes, arguments, environment);
            posix_spawnattr_destroy(&attributes);
        }
        posix_spawn_file_actions_destroy(&actions);
    }
    close(high);
    close(loud);
    return error;
}

ssize_t coffer_child_send(int channel, const void *bytes, size_t count, int descriptor) {
    struct iovec piece = {.iov_base = (void *)bytes, .iov_len = count};
    union {
        struct cmsghdr head;
        char room[CMSG_SPACE(sizeof(int))];
    } control;
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
    if (descriptor >= 0) {
        memset(&control, 0, sizeof control);
        message.msg_control = control.room;
        message.msg_controllen = sizeof control.room;
        struct cmsghdr *head = CMSG_FIRSTHDR(&message);
        head->cmsg_level = SOL_SOCKET;
        head->cmsg_type = SCM_RIGHTS;
        head->cmsg_len = CMSG_LEN(sizeof descriptor);
        memcpy(CMSG_DATA(head), &descriptor, sizeof descriptor);
    }
    return sendmsg(channel, &message, MSG_NOSIGNAL);
}

int coffer_child_spool(const char *directory) {
    int file = open(directory, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    // A file system, or a kernel, that knows no files without a name.
    if (file >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return file;
    char *path = NULL;
    if (asprintf(&path, "%s/coffer-libcloud-XXXXXX", directory) < 0) {
        errno = ENOMEM;
        return -1;
    }
    file = mkostemp(path, O_CLOEXEC);
    if (file >= 0) unlink(path);
    int error = errno;
    free(path);
    errno = error;
    return file;
}

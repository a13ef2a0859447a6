#define _GNU_SOURCE
#include "ftp_system.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

int ftp_accept(int listener) {
    int number = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    return number < 0 ? -errno : number;
}

int ftp_event(void) {
    int number = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return number < 0 ? -errno : number;
}

void ftp_signal(int event) { eventfd_write(event, 1); }

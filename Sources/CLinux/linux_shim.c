#include "linux_shim.h"

#include <stdint.h>
#include <sys/eventfd.h>
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

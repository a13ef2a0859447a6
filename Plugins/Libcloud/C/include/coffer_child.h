// What Swift cannot say: starting a process with no descriptor but three, and sending a descriptor.

#pragma once

#include <stddef.h>
#include <sys/types.h>

/// Starts `program` in a process group of its own, with default signals; 0, or the number of the error.
///
/// It has /dev/null as standard input, `complaints` as standard output and error, `channel` as descriptor 3, and no other.
int coffer_child_start(
    const char *program, char *const *arguments, char *const *environment, int channel, int complaints, pid_t *child
);

/// Sends bytes, and with the first of them a descriptor where it is not negative; like `send`, without SIGPIPE.
ssize_t coffer_child_send(int channel, const void *bytes, size_t count, int descriptor);

/// Opens a file without a name, for reading and writing, closed on exec; -1 with errno.
int coffer_child_spool(const char *directory);

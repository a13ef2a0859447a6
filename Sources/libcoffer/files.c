/* files.c - bytes between descriptors and memory: all of them, or a failure. */
#include "internal.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#define CALL_LIMIT ((size_t)1 << 30)

static int failed(coffer_failure *failure, const char *what) {
    int number = errno;
    char text[128];
    int code = number == ENOSPC || number == EDQUOT ? COFFER_CODE_NO_SPACE : COFFER_CODE_BACKEND_ERROR;
    return fail(failure, code, "%s: %s", what, system_word(number, text, sizeof text));
}

static int early(coffer_failure *failure, uint64_t left) {
    return fail(failure, COFFER_CODE_CORRUPT, "the object's file ends %llu bytes early", (unsigned long long)left);
}

int file_read(int fd, uint64_t offset, void *buffer, size_t length, coffer_failure *failure) {
    for (size_t done = 0; done < length;) {
        size_t wanted = length - done < CALL_LIMIT ? length - done : CALL_LIMIT;
        ssize_t count = pread(fd, (char *)buffer + done, wanted, (off_t)(offset + done));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return failed(failure, "reading the object's file");
        if (count == 0) return early(failure, length - done);
        done += (size_t)count;
    }
    return COFFER_CODE_OK;
}

int file_write(int to, const void *data, size_t length, coffer_failure *failure) {
    for (size_t done = 0; done < length;) {
        ssize_t count = write(to, (const char *)data + done, length - done);
        if (count >= 0) {
            done += (size_t)count;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            // The caller's descriptor may not block; the caller does.
            struct pollfd ready = {to, POLLOUT, 0};
            if (poll(&ready, 1, -1) < 0 && errno != EINTR) return failed(failure, "waiting for the descriptor");
        } else if (errno != EINTR) {
            return failed(failure, "writing to the descriptor");
        }
    }
    return COFFER_CODE_OK;
}

int file_copy(int from, uint64_t offset, uint64_t length, int to, coffer_failure *failure) {
    char buffer[32768];
    bool by_kernel = true;
    off_t place = (off_t)offset;
    while (length) {
        if (by_kernel) {
            size_t wanted = length < CALL_LIMIT ? (size_t)length : CALL_LIMIT;
            ssize_t count = copy_file_range(from, &place, to, NULL, wanted, 0);
            if (count > 0) {
                length -= (uint64_t)count;
                continue;
            }
            if (count < 0 && errno == EINTR) continue;
            // A pipe, another file system or an older kernel; and an end is looked at twice.
            by_kernel = false;
        }
        size_t wanted = length < sizeof buffer ? (size_t)length : sizeof buffer;
        int code = file_read(from, (uint64_t)place, buffer, wanted, failure);
        if (!code) code = file_write(to, buffer, wanted, failure);
        if (code) return code;
        place += (off_t)wanted;
        length -= wanted;
    }
    return COFFER_CODE_OK;
}

/* put.c - writing an object whole: from memory, from a descriptor, from a file, from a callback. */
#include "internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int coffer_put(coffer_client *client, const char *storage, const char *key, const void *data, size_t size,
               const coffer_write_options *given, coffer_object **object, coffer_failure *failure) {
    coffer_write_options options;
    struct request request;
    int code = write_options(&options, given, failure);
    if (code) return code;
    if (options.length != COFFER_ALL && options.length != size)
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "%zu bytes are there, and %llu were announced", size,
                    (unsigned long long)options.length);
    code = request_put(&request, storage, key, &options, failure);
    if (code) {
        text_end(&request.head);
        return code;
    }
    request.body = (struct piece){data, size};
    request.has_length = true;
    return object_answer(client, &request, object, failure);
}

static int read_some(int fd, bool by_place, uint64_t offset, void *buffer, size_t wanted, size_t *count,
                     coffer_failure *failure) {
    for (;;) {
        ssize_t found = by_place ? pread(fd, buffer, wanted, (off_t)offset) : read(fd, buffer, wanted);
        if (found >= 0) {
            *count = (size_t)found;
            return COFFER_CODE_OK;
        }
        if (errno == EAGAIN || errno == EWOULDBLOCK) {
            // The caller's descriptor may not block; the caller does.
            struct pollfd ready = {fd, POLLIN, 0};
            poll(&ready, 1, -1);
        } else if (errno != EINTR) {
            char text[128];
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "the descriptor cannot be read: %s",
                        system_word(errno, text, sizeof text));
        }
    }
}

/* Sends what is read, through a writer. */
static int put_read(coffer_client *client, const char *storage, const char *key, int fd, bool by_place,
                    uint64_t offset, uint64_t length, const coffer_write_options *options, coffer_object **object,
                    coffer_failure *failure) {
    coffer_writer *writer;
    char buffer[65536];
    int code = coffer_writer_begin(client, storage, key, options, &writer, failure);
    if (code) return code;
    for (uint64_t done = 0; !code && done < length;) {
        size_t wanted = length - done < sizeof buffer ? (size_t)(length - done) : sizeof buffer, count = 0;
        code = read_some(fd, by_place, offset + done, buffer, wanted, &count, failure);
        if (!code && !count) {
            if (length == COFFER_ALL) break;
            code = fail(failure, COFFER_CODE_INVALID_ARGUMENT, "the descriptor ends %llu bytes early",
                        (unsigned long long)(length - done));
        }
        if (!code) code = coffer_writer_append(writer, buffer, count, failure);
        done += count;
    }
    if (!code) return coffer_writer_commit(writer, object, failure);
    coffer_writer_abort(writer);
    return code;
}

int coffer_put_fd(coffer_client *client, const char *storage, const char *key, int fd, uint64_t offset,
                  uint64_t length, const coffer_write_options *given, coffer_object **object,
                  coffer_failure *failure) {
    coffer_write_options options;
    struct stat status;
    int code = write_options(&options, given, failure);
    if (code) return code;
    if (fstat(fd, &status) != 0) {
        char text[128];
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "the descriptor %d is none: %s", fd,
                    system_word(errno, text, sizeof text));
    }
    if (!S_ISREG(status.st_mode)) {
        if (offset)
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "what is no regular file is read from where it stands");
        return put_read(client, storage, key, fd, false, 0, length, &options, object, failure);
    }
    uint64_t size = (uint64_t)status.st_size;
    if (offset > size || (length != COFFER_ALL && length > size - offset))
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "the range lies outside the file of %llu bytes",
                    (unsigned long long)size);
    if (length == COFFER_ALL) length = size - offset;
    if (options.length != COFFER_ALL && options.length != length)
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "%llu bytes are there, and %llu were announced",
                    (unsigned long long)length, (unsigned long long)options.length);
    options.length = length;
    if (length >= DESCRIPTOR_FROM) {
        struct request request;
        coffer_failure refusal = COFFER_FAILURE_INIT;
        code = request_put(&request, storage, key, &options, failure);
        if (code) {
            text_end(&request.head);
            return code;
        }
        text_word(&request.head, "Coffer-Fd: offset=");
        text_number(&request.head, offset);
        text_word(&request.head, "; length=");
        text_number(&request.head, length);
        text_word(&request.head, "\r\n");
        request.fd = fd;
        request.has_length = true;
        code = object_answer(client, &request, object, failure ? failure : &refusal);
        // Refused before anything was written: a host that takes no descriptor takes bytes.
        if (code != COFFER_CODE_UNSUPPORTED) return code;
    }
    return put_read(client, storage, key, fd, true, offset, length, &options, object, failure);
}

int coffer_put_file(coffer_client *client, const char *storage, const char *key, const char *path,
                    const coffer_write_options *options, coffer_object **object, coffer_failure *failure) {
    int fd;
    do fd = open(path, O_RDONLY | O_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        char text[128];
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "the file %s cannot be opened: %s", path,
                    system_word(errno, text, sizeof text));
    }
    int code = coffer_put_fd(client, storage, key, fd, 0, COFFER_ALL, options, object, failure);
    close(fd);
    return code;
}

int coffer_put_pieces(coffer_client *client, const char *storage, const char *key, coffer_give give, void *context,
                      const coffer_write_options *options, coffer_object **object, coffer_failure *failure) {
    coffer_writer *writer;
    char buffer[65536];
    int code = coffer_writer_begin(client, storage, key, options, &writer, failure);
    if (code) return code;
    for (;;) {
        size_t size = 0;
        if (give(context, buffer, sizeof buffer, &size) || size > sizeof buffer) {
            coffer_writer_abort(writer);
            return fail(failure, COFFER_CODE_CANCELLED, "the write was given up");
        }
        if (!size) return coffer_writer_commit(writer, object, failure);
        if ((code = coffer_writer_append(writer, buffer, size, failure))) {
            coffer_writer_abort(writer);
            return code;
        }
    }
}

/* get.c - reading an object whole: into the caller's memory, into the library's, to a descriptor, to a callback. */
#include "internal.h"

#include <stdlib.h>
#include <unistd.h>

int coffer_get_into(coffer_client *client, const char *storage, const char *key, const coffer_read_options *given,
                    void *buffer, size_t capacity, size_t *length, coffer_failure *failure) {
    coffer_read_options options;
    struct request request;
    struct head head;
    struct connection *connection;
    bool want_fd = capacity >= DESCRIPTOR_FROM;
    *length = 0;
    int code = read_options(&options, given, failure);
    if (code) return code;
    for (;;) {
        code = request_get(&request, storage, key, &options, want_fd, failure);
        if (!code) code = exchange(client, &request, &head, &connection, failure);
        text_end(&request.head);
        if (code) return code;
        if (head.status >= 300) return exchange_finish(client, connection, &head, true, &request, NULL, NULL, failure);
        if (!head.passed || head.fd >= 0) break;
        // Too many files are open here for one more: then the bytes themselves.
        pool_release(client, connection);
        if (!want_fd)
            return fail(failure, COFFER_CODE_INTERNAL, "the host at %s names a descriptor that nobody asked for",
                        client->path);
        want_fd = false;
    }
    uint64_t size = head.passed ? head.fd_length : head.length;
    if (connection->chunked) {
        connection_close(connection);
        if (head.fd >= 0) close(head.fd);
        return fail(failure, COFFER_CODE_INTERNAL, "the host at %s does not say how long the object is", client->path);
    }
    if (size > capacity) {
        if (!head.passed) connection->keep = false;
        pool_release(client, connection);
        if (head.fd >= 0) close(head.fd);
        code = fail(failure, COFFER_CODE_TOO_LARGE, "the object has %llu bytes, and the buffer holds %zu",
                    (unsigned long long)size, capacity);
        fail_where(failure, storage, key);
        *length = size < SIZE_MAX ? (size_t)size : SIZE_MAX;
        return code;
    }
    if (head.passed) {
        pool_release(client, connection);
        code = file_read(head.fd, head.fd_offset, buffer, (size_t)size, failure);
        close(head.fd);
        if (code) fail_where(failure, storage, key);
        else *length = (size_t)size;
        return code;
    }
    if (head.fd >= 0) close(head.fd);
    for (size_t done = 0; done < size;) {
        size_t count;
        enum outcome outcome = connection_read(connection, (char *)buffer + done, (size_t)size - done, &count);
        if (outcome != DONE) {
            code = exchange_broken(client, connection, outcome, true, failure);
            fail_where(failure, storage, key);
            connection_close(connection);
            return code;
        }
        done += count;
    }
    pool_release(client, connection);
    *length = (size_t)size;
    return COFFER_CODE_OK;
}

/* The reader's object as a block of its own: the reader gives it up. */
static void give_object(coffer_reader *reader, coffer_object **object);

int coffer_get(coffer_client *client, const char *storage, const char *key, const coffer_read_options *options,
               void **data, size_t *length, coffer_object **object, coffer_failure *failure) {
    coffer_reader *reader;
    int code = coffer_reader_open(client, storage, key, options, &reader, failure);
    if (code) return code;
    uint64_t size = coffer_reader_length(reader);
    char *block = size < SIZE_MAX - 1 ? malloc((size_t)size + 1) : NULL;
    if (!block)
        code = fail(failure, COFFER_CODE_TOO_LARGE, "there is no memory for an object of %llu bytes",
                    (unsigned long long)size);
    for (size_t done = 0; !code && done < size;) {
        size_t count = 0;
        code = coffer_reader_read(reader, block + done, (size_t)size - done, &count, failure);
        done += count;
    }
    if (code) {
        free(block);
    } else {
        block[size] = 0;
        *data = block;
        *length = (size_t)size;
        give_object(reader, object);
    }
    coffer_reader_close(reader);
    return code;
}

int coffer_get_pieces(coffer_client *client, const char *storage, const char *key, const coffer_read_options *options,
                      coffer_take take, void *context, coffer_object **object, coffer_failure *failure) {
    coffer_reader *reader;
    char buffer[32768];
    int code = coffer_reader_open(client, storage, key, options, &reader, failure);
    if (code) return code;
    for (size_t count = 1; !code && count;) {
        code = coffer_reader_read(reader, buffer, sizeof buffer, &count, failure);
        if (!code && count && take(context, buffer, count)) {
            code = fail(failure, COFFER_CODE_CANCELLED, "the read was given up");
            fail_where(failure, storage, key);
        }
    }
    if (!code) give_object(reader, object);
    coffer_reader_close(reader);
    return code;
}

int coffer_get_fd(coffer_client *client, const char *storage, const char *key, const coffer_read_options *options,
                  int fd, coffer_object **object, coffer_failure *failure) {
    coffer_reader *reader;
    char buffer[32768];
    uint64_t offset;
    int code = coffer_reader_open(client, storage, key, options, &reader, failure);
    if (code) return code;
    int from = coffer_reader_descriptor(reader, &offset);
    if (from >= 0) {
        code = file_copy(from, offset, coffer_reader_length(reader), fd, failure);
        if (code) fail_where(failure, storage, key);
    } else {
        for (size_t count = 1; !code && count;) {
            code = coffer_reader_read(reader, buffer, sizeof buffer, &count, failure);
            if (!code) code = file_write(fd, buffer, count, failure);
        }
    }
    if (!code) give_object(reader, object);
    coffer_reader_close(reader);
    return code;
}

coffer_object *reader_take_object(coffer_reader *reader);

static void give_object(coffer_reader *reader, coffer_object **object) {
    if (object) *object = reader_take_object(reader);
}

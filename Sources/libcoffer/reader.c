/* reader.c - reading an object as a stream: from the descriptor that the host passed, or from the connection.
 *
 * All bytes are of one version, or reading fails: going elsewhere in a stream asks for the same version again.
 */
#include "internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So much is read and thrown away rather than asked for anew. */
#define SKIP ((uint64_t)256 << 10)

struct coffer_reader {
    coffer_client     *client;
    char              *storage, *key; /* copies: a stream may be asked for anew */
    char              *version;
    pid_t              pid;
    struct connection *connection;
    int                fd;
    uint64_t           fd_offset; /* where the byte at `start` would lie */
    uint64_t           start, stop;
    uint64_t           position;  /* of the caller, from start */
    uint64_t           streaming; /* of the connection, from start */
    coffer_object     *object;
};

coffer_object *reader_take_object(coffer_reader *reader);

/* Sends a GET, and keeps what its answer gives to read from. */
static int ask(coffer_reader *reader, const coffer_read_options *options, struct head *head, coffer_failure *failure) {
    for (bool want_fd = true;; want_fd = false) {
        struct request request;
        struct connection *connection;
        int code = request_get(&request, reader->storage, reader->key, options, want_fd, failure);
        if (!code) code = exchange(reader->client, &request, head, &connection, failure);
        text_end(&request.head);
        if (code) return code;
        if (head->status >= 300)
            return exchange_finish(reader->client, connection, head, true, &request, NULL, NULL, failure);
        if (head->passed && head->fd < 0) {
            pool_release(reader->client, connection);
            // Too many files are open here for one more: then the bytes themselves.
            if (want_fd) continue;
            return fail(failure, COFFER_CODE_INTERNAL, "the host at %s names a descriptor that nobody asked for",
                        reader->client->path);
        }
        if (!head->passed && head->fd >= 0) {
            close(head->fd);
            head->fd = -1;
        }
        if (head->chunked) {
            connection_close(connection);
            if (head->fd >= 0) close(head->fd);
            return fail(failure, COFFER_CODE_INTERNAL, "the host at %s does not say how long the object is",
                        reader->client->path);
        }
        // Kept here also where a descriptor came: the head lies in it until it is read.
        reader->connection = connection;
        reader->fd = head->fd;
        return COFFER_CODE_OK;
    }
}

static void drop(coffer_reader *reader) {
    // In a child this closes its copy alone, and the parent reads on.
    connection_close(reader->connection);
    reader->connection = NULL;
}

/* The connection has nothing more for this reader. */
static void finish(coffer_reader *reader) {
    pool_release(reader->client, reader->connection);
    reader->connection = NULL;
}

int coffer_reader_open(coffer_client *client, const char *storage, const char *key, const coffer_read_options *given,
                       coffer_reader **result, coffer_failure *failure) {
    coffer_read_options options;
    struct head head;
    uint64_t size;
    int code = read_options(&options, given, failure);
    if (code) return code;
    coffer_reader *reader = calloc(1, sizeof *reader);
    if (!reader) return fail_memory(failure);
    reader->client = client;
    reader->pid = getpid();
    reader->fd = -1;
    reader->storage = strdup(storage);
    reader->key = strdup(key);
    reader->version = options.version ? strdup(options.version) : NULL;
    if (!reader->storage || !reader->key || (options.version && !reader->version)) code = fail_memory(failure);
    if (!code) code = ask(reader, &options, &head, failure);
    if (!code) {
        head_part(&head, &reader->start, &reader->stop, &size);
        reader->fd_offset = head.fd_offset;
        reader->object = object_of_head(&head, key, size);
        if (!reader->object) code = fail_memory(failure);
        if (head.passed || reader->stop == reader->start) finish(reader);
    }
    if (code) {
        coffer_reader_close(reader);
        return code;
    }
    *result = reader;
    return COFFER_CODE_OK;
}

const coffer_object *coffer_reader_object(const coffer_reader *reader) { return reader->object; }
uint64_t coffer_reader_length(const coffer_reader *reader) { return reader->stop - reader->start; }

coffer_object *reader_take_object(coffer_reader *reader) {
    coffer_object *object = reader->object;
    reader->object = NULL;
    return object;
}

int coffer_reader_descriptor(const coffer_reader *reader, uint64_t *offset) {
    if (offset) *offset = reader->fd_offset;
    return reader->fd;
}

int coffer_reader_seek(coffer_reader *reader, uint64_t position, coffer_failure *failure) {
    if (position > INT64_MAX)
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "no object has a position of more than 63 bits");
    reader->position = position;
    return COFFER_CODE_OK;
}

static int changed(coffer_reader *reader, coffer_failure *failure) {
    int code = fail(failure, COFFER_CODE_CHANGED, "the object was replaced while it was read");
    fail_where(failure, reader->storage, reader->key);
    return code;
}

static bool same_text(const char *one, const char *other) {
    return one == other || (one && other && strcmp(one, other) == 0);
}

/* Asks for the rest of the same version, from the caller's position on. */
static int reopen(coffer_reader *reader, coffer_failure *failure) {
    coffer_read_options options = COFFER_READ_OPTIONS_INIT;
    struct head head;
    uint64_t start, stop, size, place = reader->start + reader->position;
    options.offset = place;
    options.length = reader->stop - place;
    options.if_match = reader->object->etag;
    options.version = reader->version;
    int code = ask(reader, &options, &head, failure);
    if (code == COFFER_CODE_PRECONDITION_FAILED || code == COFFER_CODE_RANGE_INVALID) return changed(reader, failure);
    if (code) return code;
    head_part(&head, &start, &stop, &size);
    bool same = start == place && stop == reader->stop && size == reader->object->size;
    if (same && !reader->object->etag) {
        coffer_object *found = object_of_head(&head, reader->key, size);
        same = found && same_text(found->modified, reader->object->modified);
        free(found);
    }
    if (!same) {
        drop(reader);
        if (reader->fd >= 0) close(reader->fd);
        reader->fd = -1;
        return changed(reader, failure);
    }
    reader->streaming = reader->position;
    if (head.passed) {
        finish(reader);
        reader->fd_offset = head.fd_offset - reader->position;
    }
    return COFFER_CODE_OK;
}

/* Brings the stream to the caller's position. */
static int arrive(coffer_reader *reader, coffer_failure *failure) {
    char scratch[16384];
    if (reader->connection && reader->position >= reader->streaming && reader->position - reader->streaming <= SKIP) {
        while (reader->streaming < reader->position) {
            uint64_t ahead = reader->position - reader->streaming;
            size_t count;
            enum outcome outcome = connection_read(reader->connection, scratch,
                                                   ahead < sizeof scratch ? (size_t)ahead : sizeof scratch, &count);
            if (outcome != DONE) {
                int code = exchange_broken(reader->client, reader->connection, outcome, true, failure);
                drop(reader);
                return code;
            }
            reader->streaming += count;
        }
        return COFFER_CODE_OK;
    }
    drop(reader);
    return reopen(reader, failure);
}

static int from_file(coffer_reader *reader, void *buffer, size_t capacity, size_t *length, coffer_failure *failure) {
    ssize_t count;
    if (capacity > (size_t)1 << 30) capacity = (size_t)1 << 30;
    do count = pread(reader->fd, buffer, capacity, (off_t)(reader->fd_offset + reader->position));
    while (count < 0 && errno == EINTR);
    // A short count is looked at again by the next call: only nothing at all is too early.
    if (count <= 0) {
        int code = file_read(reader->fd, reader->fd_offset + reader->position, buffer, 1, failure);
        if (code) {
            fail_where(failure, reader->storage, reader->key);
            return code;
        }
        count = 1;
    }
    *length = (size_t)count;
    return COFFER_CODE_OK;
}

int coffer_reader_read(coffer_reader *reader, void *buffer, size_t capacity, size_t *length, coffer_failure *failure) {
    uint64_t all = reader->stop - reader->start;
    int code = COFFER_CODE_OK;
    *length = 0;
    if (!capacity || reader->position >= all) return COFFER_CODE_OK;
    if (capacity > all - reader->position) capacity = (size_t)(all - reader->position);
    if (reader->fd < 0) {
        if (reader->pid != getpid())
            return fail(failure, COFFER_CODE_UNAVAILABLE,
                        "this reader belongs to the process that opened it; open it again after the fork");
        code = arrive(reader, failure);
    }
    if (code) return code;
    if (reader->fd >= 0) {
        code = from_file(reader, buffer, capacity, length, failure);
    } else {
        enum outcome outcome = connection_read(reader->connection, buffer, capacity, length);
        if (outcome != DONE) {
            code = exchange_broken(reader->client, reader->connection, outcome, true, failure);
            fail_where(failure, reader->storage, reader->key);
            drop(reader);
            return code;
        }
        reader->streaming += *length;
        if (reader->streaming == all) finish(reader);
    }
    reader->position += *length;
    return code;
}

void coffer_reader_close(coffer_reader *reader) {
    if (!reader) return;
    if (reader->connection) drop(reader);
    if (reader->fd >= 0) close(reader->fd);
    free(reader->object);
    free(reader->storage);
    free(reader->key);
    free(reader->version);
    free(reader);
}

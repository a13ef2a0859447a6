/* writer.c - writing an object as a stream: nothing is visible before commit, and nothing ever after a failure.
 *
 * Small objects go as one request when they are complete; larger ones go in pieces while they are made.
 */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct coffer_writer {
    coffer_client     *client;
    struct request     request;
    pid_t              pid;
    uint64_t           length, written;
    struct connection *connection;
    bool               given_up;
    char              *storage, *key; /* for failures */
    size_t             filled;
    char               buffer[PIECE];
};

int coffer_writer_begin(coffer_client *client, const char *storage, const char *key, const coffer_write_options *given,
                        coffer_writer **result, coffer_failure *failure) {
    coffer_write_options options;
    int code = write_options(&options, given, failure);
    if (code) return code;
    coffer_writer *writer = malloc(sizeof *writer);
    if (!writer) return fail_memory(failure);
    memset(writer, 0, offsetof(struct coffer_writer, buffer));
    writer->client = client;
    writer->pid = getpid();
    writer->length = options.length;
    writer->storage = strdup(storage);
    writer->key = key ? strdup(key) : NULL;
    // A head that cannot be sent is told at once.
    code = request_put(&writer->request, storage, key, &options, failure);
    if (!code && (!writer->storage || (key && !writer->key) || writer->request.head.failed)) code = fail_memory(failure);
    writer->request.storage = writer->storage;
    writer->request.key = writer->key;
    if (code) {
        coffer_writer_abort(writer);
        return code;
    }
    *result = writer;
    return COFFER_CODE_OK;
}

static void give_up(coffer_writer *writer) {
    writer->given_up = true;
    writer->filled = 0;
    // The host sees a body that ends early, and drops it. In a child, this closes its copy alone.
    connection_close(writer->connection);
    writer->connection = NULL;
}

static int cut_off(coffer_writer *writer, enum outcome outcome, coffer_failure *failure) {
    int code;
    if (outcome == CLOSED || outcome == FAILED) {
        // It never had the end, so it cannot have published anything.
        code = fail(failure, COFFER_CODE_UNAVAILABLE,
                    "the host at %s went away before it had all bytes; nothing was written", writer->client->path);
        fail_more(failure, true, false);
    } else {
        code = exchange_broken(writer->client, writer->connection, outcome, false, failure);
        if (outcome == LATE) fail_more(failure, true, false);
    }
    fail_where(failure, writer->storage, writer->key);
    give_up(writer);
    return code;
}

/* The host answered before it had everything, or closed: tells why. */
static int refused(coffer_writer *writer, coffer_failure *failure) {
    struct head head;
    enum outcome outcome = connection_receive(writer->connection, &head, false, false);
    if (outcome != DONE) return cut_off(writer, outcome, failure);
    struct connection *connection = writer->connection;
    writer->connection = NULL;
    int code = exchange_finish(writer->client, connection, &head, false, &writer->request, NULL, NULL, failure);
    give_up(writer);
    return code ? code
                : fail(failure, COFFER_CODE_INTERNAL, "the host at %s answered %d before it had all bytes",
                       writer->client->path, head.status);
}

static int send_bytes(coffer_writer *writer, const void *data, size_t size, coffer_failure *failure) {
    if (!size) return COFFER_CODE_OK;
    if (!writer->connection) {
        if (writer->length == COFFER_ALL) {
            text_word(&writer->request.head, "Transfer-Encoding: chunked\r\n\r\n");
        } else {
            text_word(&writer->request.head, "Content-Length: ");
            text_number(&writer->request.head, writer->length);
            text_word(&writer->request.head, "\r\n\r\n");
        }
        writer->request.framed = true;
        int code = exchange_begin(writer->client, &writer->request, &writer->connection, failure);
        if (code) {
            give_up(writer);
            return code;
        }
    }
    char line[24];
    int length = snprintf(line, sizeof line, "%zx\r\n", size);
    struct piece chunk[3] = {{line, (size_t)length}, {data, size}, {"\r\n", 2}};
    bool chunked = writer->length == COFFER_ALL;
    enum outcome outcome = connection_send(writer->connection, chunked ? chunk : chunk + 1, chunked ? 3 : 1, -1);
    if (outcome == DONE) return COFFER_CODE_OK;
    if (outcome == EARLY || outcome == CLOSED) return refused(writer, failure);
    return cut_off(writer, outcome, failure);
}

static int flush(coffer_writer *writer, coffer_failure *failure) {
    size_t filled = writer->filled;
    writer->filled = 0;
    return send_bytes(writer, writer->buffer, filled, failure);
}

static int usable(coffer_writer *writer, coffer_failure *failure) {
    if (writer->given_up) return fail(failure, COFFER_CODE_CANCELLED, "the write was given up");
    if (writer->pid != getpid())
        return fail(failure, COFFER_CODE_UNAVAILABLE,
                    "this writer belongs to the process that began it; begin it again after the fork");
    return COFFER_CODE_OK;
}

int coffer_writer_append(coffer_writer *writer, const void *data, size_t size, coffer_failure *failure) {
    int code = usable(writer, failure);
    if (code) return code;
    if (writer->length != COFFER_ALL && size > writer->length - writer->written) {
        give_up(writer);
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "more bytes than the announced %llu",
                    (unsigned long long)writer->length);
    }
    writer->written += size;
    if (size > PIECE - writer->filled) {
        if ((code = flush(writer, failure))) return code;
        if (size >= PIECE) return send_bytes(writer, data, size, failure);
    }
    if (size) memcpy(writer->buffer + writer->filled, data, size);
    writer->filled += size;
    return COFFER_CODE_OK;
}

static int commit(coffer_writer *writer, coffer_object **object, coffer_failure *failure) {
    int code = usable(writer, failure);
    if (code) return code;
    if (writer->length != COFFER_ALL && writer->written != writer->length)
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "%llu bytes fewer than the announced %llu",
                    (unsigned long long)(writer->length - writer->written), (unsigned long long)writer->length);
    if (!writer->connection) {
        writer->request.body = (struct piece){writer->buffer, writer->filled};
        writer->request.has_length = true;
        return object_answer(writer->client, &writer->request, object, failure);
    }
    if ((code = flush(writer, failure))) return code;
    struct piece end = {"0\r\n\r\n", 5};
    enum outcome outcome = writer->length == COFFER_ALL ? connection_send(writer->connection, &end, 1, -1) : DONE;
    // An answer or an end may be there already: receiving finds it.
    if (outcome == LATE || outcome == FAILED) return cut_off(writer, outcome, failure);
    struct head head;
    struct connection *connection = writer->connection;
    bool whole = outcome == DONE;
    outcome = connection_receive(connection, &head, false, false);
    if (outcome != DONE) {
        if (!whole) return cut_off(writer, outcome, failure);
        code = exchange_broken(writer->client, connection, outcome, false, failure);
        fail_where(failure, writer->storage, writer->key);
        return code;
    }
    writer->connection = NULL;
    char *data;
    size_t length;
    code = exchange_finish(writer->client, connection, &head, whole, &writer->request, &data, &length, failure);
    if (code) return code;
    coffer_object *written = object_of_json((struct span){data, length});
    free(data);
    if (!written) return exchange_not_understood(writer->client, failure);
    if (object) *object = written;
    else free(written);
    return COFFER_CODE_OK;
}

int coffer_writer_commit(coffer_writer *writer, coffer_object **object, coffer_failure *failure) {
    int code = commit(writer, object, failure);
    coffer_writer_abort(writer);
    return code;
}

void coffer_writer_abort(coffer_writer *writer) {
    if (!writer) return;
    give_up(writer);
    text_end(&writer->request.head);
    free(writer->storage);
    free(writer->key);
    free(writer);
}

/* exchange.c - a request and its answer, over a connection that may turn out to be dead.
 *
 * A request goes out twice only if it may: the connection was an old one, and either the host cannot have seen anything of
 * it, or nothing of an answer came and doing it twice does the same as doing it once.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int exchange_broken(coffer_client *client, const struct connection *connection, enum outcome outcome, bool safe,
                    coffer_failure *failure) {
    bool unseen = connection->sent == 0;
    int code;
    switch (outcome) {
    case LATE:
        code = fail(failure, COFFER_CODE_TIMEOUT, "the host at %s said nothing for %u ms", client->path,
                    (unsigned)client->timeout_ms);
        fail_more(failure, safe || unseen, !safe && !unseen);
        return code;
    case MALFORMED:
        return fail(failure, COFFER_CODE_INTERNAL, "what answers at %s does not speak HTTP as a host does: %s",
                    client->path, connection->wrong);
    case FAILED: {
        char text[128];
        code = fail(failure, COFFER_CODE_UNAVAILABLE, "the connection to the host at %s failed: %s", client->path,
                    system_word(connection->number, text, sizeof text));
        break;
    }
    default:
        code = fail(failure, COFFER_CODE_UNAVAILABLE, "the host at %s closed the connection %s", client->path,
                    connection->before_answer ? "without an answer" : "in the middle of its answer");
    }
    fail_more(failure, safe || unseen, !safe && !unseen);
    return code;
}

int exchange_not_understood(const coffer_client *client, coffer_failure *failure) {
    return fail(failure, COFFER_CODE_INTERNAL, "the answer of the host at %s is not understood", client->path);
}

/* Says how long the body is, and ends the head. */
static int framed(struct request *request, coffer_failure *failure) {
    if (!request->framed) {
        if (request->has_length) {
            text_word(&request->head, "Content-Length: ");
            text_number(&request->head, request->body.size);
            text_word(&request->head, "\r\n");
        }
        text_word(&request->head, "\r\n");
        request->framed = true;
    }
    if (request->head.failed) return fail_memory(failure);
    if (request->head.length > HEAD_LIMIT)
        return fail(failure, COFFER_CODE_TOO_LARGE, "the key and the metadata exceed %zu bytes", HEAD_LIMIT);
    return COFFER_CODE_OK;
}

int exchange(coffer_client *client, struct request *request, struct head *head, struct connection **result,
             coffer_failure *failure) {
    bool again = request->repeatable;
    int code = framed(request, failure);
    if (code) return code;
    struct piece pieces[2] = {{request->head.data, request->head.length}, request->body};
    for (;;) {
        struct connection *connection;
        bool is_old;
        if ((code = pool_acquire(client, !again, &connection, &is_old, failure))) return code;
        connection->before_answer = true;
        enum outcome outcome = connection_send(connection, pieces, 2, request->fd);
        bool whole = outcome == DONE;
        // The host may have answered before it had everything, and closed: then the answer is there.
        if (outcome == DONE || outcome == EARLY || (outcome == CLOSED && connection->sent))
            outcome = connection_receive(connection, head, request->no_body, request->want_fd);
        if (outcome == DONE) {
            if (!whole) connection->keep = false;
            *result = connection;
            return COFFER_CODE_OK;
        }
        bool lost = outcome == CLOSED && is_old && connection->before_answer && (again || !connection->sent);
        if (!lost) code = exchange_broken(client, connection, outcome, request->safe, failure);
        connection_close(connection);
        if (!lost) return code;
        // All that wait are as old: once is enough.
        pool_discard(client);
        again = false;
    }
}

int exchange_begin(coffer_client *client, struct request *request, struct connection **result,
                   coffer_failure *failure) {
    int code = framed(request, failure);
    if (code) return code;
    struct piece piece = {request->head.data, request->head.length};
    for (;;) {
        struct connection *connection;
        bool is_old;
        if ((code = pool_acquire(client, true, &connection, &is_old, failure))) return code;
        connection->before_answer = true;
        enum outcome outcome = connection_send(connection, &piece, 1, -1);
        if (outcome == DONE) {
            *result = connection;
            return COFFER_CODE_OK;
        }
        bool lost = outcome == CLOSED && is_old && !connection->sent;
        if (!lost) code = exchange_broken(client, connection, outcome, false, failure);
        connection_close(connection);
        if (!lost) return code;
    }
}

int exchange_finish(coffer_client *client, struct connection *connection, struct head *head, bool keep,
                    const struct request *request, char **data, size_t *length, coffer_failure *failure) {
    char *body = NULL;
    size_t size = 0;
    if (head->fd >= 0) close(head->fd);
    head->fd = -1;
    enum outcome outcome = connection_read_all(connection, DOCUMENT_LIMIT, &body, &size);
    if (outcome != DONE) {
        int code = exchange_broken(client, connection, outcome, request->safe, failure);
        connection_close(connection);
        return code;
    }
    if (!keep) connection->keep = false;
    pool_release(client, connection);
    int code = COFFER_CODE_OK;
    if (head->status >= 300) {
        code = fail_problem(failure, head->status, (struct span){body, size}, head->retry_after);
    }
    if (code || !data) {
        free(body);
        return code;
    }
    *data = body;
    if (length) *length = size;
    return COFFER_CODE_OK;
}

int exchange_json(coffer_client *client, struct request *request, char **data, size_t *length,
                  coffer_failure *failure) {
    struct head head;
    struct connection *connection;
    int code = exchange(client, request, &head, &connection, failure);
    if (!code) code = exchange_finish(client, connection, &head, true, request, data, length, failure);
    text_end(&request->head);
    return code;
}

/* listing.c - a whole listing, line by line as the host sends it. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_LIMIT ((size_t)1 << 20)

struct coffer_listing {
    coffer_client     *client;
    struct connection *connection; /* NULL after its end, and after a failure */
    pid_t              pid;
    bool               ended;
    char              *data; /* lines as they came */
    size_t             start, end, capacity;
    char              *block; /* of the entry that was given last */
    size_t             block_size;
    coffer_line       entry;
    coffer_object      object;
};

int coffer_listing_open(coffer_client *client, const char *storage, const coffer_list_options *given,
                        coffer_listing **result, coffer_failure *failure) {
    coffer_list_options options = COFFER_LIST_OPTIONS_INIT;
    struct request request;
    struct head head;
    struct connection *connection;
    int code = options_taken(&options, sizeof options, given, failure);
    if (code) return code;
    request_begin(&request, "GET", storage, NULL);
    request_path(&request, "/objects");
    const char *values[3] = {options.prefix, options.delimiter, options.start_after};
    static const char *const names[3] = {"prefix", "delimiter", "start_after"};
    for (int index = 0; index < 3; index++)
        if (values[index] && *values[index]) request_query(&request, names[index], values[index]);
    request_fields(&request);
    text_word(&request.head, "Accept: application/x-ndjson\r\n");
    code = exchange(client, &request, &head, &connection, failure);
    text_end(&request.head);
    if (code) return code;
    if (head.status >= 300) return exchange_finish(client, connection, &head, true, &request, NULL, NULL, failure);
    coffer_listing *listing = calloc(1, sizeof *listing);
    if (listing) listing->data = malloc(listing->capacity = 64 << 10);
    if (!listing || !listing->data) {
        free(listing);
        connection_close(connection);
        return fail_memory(failure);
    }
    listing->client = client;
    listing->connection = connection;
    listing->pid = getpid();
    *result = listing;
    return COFFER_CODE_OK;
}

static int broken_line(coffer_listing *listing, coffer_failure *failure) {
    connection_close(listing->connection);
    listing->connection = NULL;
    return fail(failure, COFFER_CODE_CORRUPT, "a line of the listing is not understood");
}

/* Makes an entry of a line; a line may also tell of a failure. */
static int understood(coffer_listing *listing, struct span line, coffer_failure *failure) {
    struct json look = json_of(line);
    struct span name, problem = {NULL, 0}, prefix = {NULL, 0};
    bool first = true, is_object = false;
    if (json_open(&look, '{'))
        while (json_member(&look, &first, &name)) {
            const char *from = look.at;
            bool text = span_is(name, "prefix") && json_string(&look, &prefix);
            if (!text) json_skip(&look);
            if (span_is(name, "key")) is_object = true;
            if (span_is(name, "problem")) problem = (struct span){from, (size_t)(look.at - from)};
        }
    if (look.bad) return broken_line(listing, failure);
    if (problem.at) {
        connection_close(listing->connection);
        listing->connection = NULL;
        return fail_problem(failure, 0, problem, -1);
    }
    struct json json = json_of(line);
    size_t pairs = is_object ? object_pairs(json) * sizeof(coffer_pair) : 0, needed = pairs + line.length + 1;
    if (needed > listing->block_size) {
        free(listing->block);
        listing->block = malloc(2 * needed);
        listing->block_size = listing->block ? 2 * needed : 0;
        if (!listing->block) return fail_memory(failure);
    }
    struct arena arena = {listing->block + pairs, listing->block + listing->block_size};
    listing->entry.struct_size = sizeof listing->entry;
    listing->entry.object = NULL;
    if (is_object) {
        if (!object_fill(&listing->object, &json, (coffer_pair *)(void *)listing->block, &arena))
            return broken_line(listing, failure);
        listing->entry.key = listing->object.key;
        listing->entry.object = &listing->object;
    } else if (!prefix.at || !arena_text(&arena, prefix, &listing->entry.key)) {
        return broken_line(listing, failure);
    }
    return COFFER_CODE_OK;
}

/* More of the lines; `ended` where there are none. */
static int more(coffer_listing *listing, coffer_failure *failure) {
    memmove(listing->data, listing->data + listing->start, listing->end - listing->start);
    listing->end -= listing->start;
    listing->start = 0;
    if (listing->end == listing->capacity) {
        char *grown = listing->capacity < LINE_LIMIT ? realloc(listing->data, listing->capacity * 2) : NULL;
        if (!grown) return broken_line(listing, failure);
        listing->data = grown;
        listing->capacity *= 2;
    }
    size_t count;
    enum outcome outcome = connection_read(listing->connection, listing->data + listing->end,
                                           listing->capacity - listing->end, &count);
    if (outcome != DONE) {
        int code = exchange_broken(listing->client, listing->connection, outcome, true, failure);
        connection_close(listing->connection);
        listing->connection = NULL;
        return code;
    }
    listing->end += count;
    if (count) return COFFER_CODE_OK;
    if (listing->end) return broken_line(listing, failure);
    pool_release(listing->client, listing->connection);
    listing->connection = NULL;
    listing->ended = true;
    return COFFER_CODE_OK;
}

int coffer_listing_next(coffer_listing *listing, const coffer_line **entry, coffer_failure *failure) {
    *entry = NULL;
    for (;;) {
        if (listing->ended) return COFFER_CODE_OK;
        if (!listing->connection) return fail(failure, COFFER_CODE_UNAVAILABLE, "the listing has failed before");
        if (listing->pid != getpid())
            return fail(failure, COFFER_CODE_UNAVAILABLE,
                        "this listing belongs to the process that opened it; open it again after the fork");
        const char *from = listing->data + listing->start;
        size_t have = listing->end - listing->start;
        const char *stop = have ? memchr(from, '\n', have) : NULL;
        int code;
        if (!stop) {
            if ((code = more(listing, failure))) return code;
            continue;
        }
        listing->start += (size_t)(stop - from) + 1;
        if (stop == from) continue;
        code = understood(listing, (struct span){from, (size_t)(stop - from)}, failure);
        if (!code) *entry = &listing->entry;
        return code;
    }
}

void coffer_listing_close(coffer_listing *listing) {
    if (!listing) return;
    connection_close(listing->connection);
    free(listing->data);
    free(listing->block);
    free(listing);
}

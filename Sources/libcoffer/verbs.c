/* verbs.c - what is asked and changed without carrying an object's bytes; each verb is one request. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

int coffer_stat(coffer_client *client, const char *storage, const char *key, const coffer_read_options *given,
                coffer_object **object, coffer_failure *failure) {
    coffer_read_options options;
    struct request request;
    int code = read_options(&options, given, failure);
    if (code) return code;
    request_begin(&request, "GET", storage, key);
    request_key(&request, "stat", key);
    request_query(&request, "version", options.version);
    request_fields(&request);
    code = request_match(&request, options.if_match, options.if_none_match, failure);
    if (!code) return object_answer(client, &request, object, failure);
    text_end(&request.head);
    return code;
}

int coffer_exists(coffer_client *client, const char *storage, const char *key, int *exists, coffer_failure *failure) {
    coffer_failure own = COFFER_FAILURE_INIT;
    int code = coffer_stat(client, storage, key, NULL, NULL, &own);
    // Without a key, it is the storage that is not there.
    bool absent = code == COFFER_CODE_NOT_FOUND && *own.key;
    if (code && !absent) {
        if (failure && failure->struct_size) {
            size_t size = failure->struct_size < sizeof own ? failure->struct_size : sizeof own;
            own.struct_size = failure->struct_size;
            memcpy(failure, &own, size);
        }
        return code;
    }
    *exists = !absent;
    return COFFER_CODE_OK;
}

int coffer_delete(coffer_client *client, const char *storage, const char *key, const char *if_match,
                  coffer_failure *failure) {
    struct request request;
    request_begin(&request, "DELETE", storage, key);
    request_key(&request, "objects", key);
    request_fields(&request);
    request.repeatable = !if_match;
    int code = request_match(&request, if_match, NULL, failure);
    if (!code) return exchange_json(client, &request, NULL, NULL, failure);
    text_end(&request.head);
    return code;
}

/* ---- with a document for a body ---- */

static void member(struct text *body, const char *name, const char *value) {
    if (!value) return;
    text_word(body, body->length ? "," : "{");
    text_json(body, name);
    text_word(body, ":");
    text_json(body, value);
}

static int transfer(coffer_client *client, const char *verb, const char *storage, const char *key, const char *to,
                    const coffer_copy_options *given, coffer_object **object, coffer_failure *failure) {
    coffer_copy_options options = COFFER_COPY_OPTIONS_INIT;
    struct request request;
    struct text body;
    int code = options_taken(&options, sizeof options, given, failure);
    if (code) return code;
    text_begin(&body);
    member(&body, "from", key);
    member(&body, "to", to);
    member(&body, "to_storage", options.to_storage);
    member(&body, "on_conflict", options.on_conflict);
    member(&body, "source_if_match", options.source_if_match);
    text_word(&body, "}");
    request_begin(&request, "POST", storage, key);
    request_path(&request, verb);
    request_fields(&request);
    request_json(&request, &body);
    code = request_match(&request, options.if_match, options.if_none_match, failure);
    if (!code) code = object_answer(client, &request, object, failure);
    text_end(&request.head);
    text_end(&body);
    return code;
}

int coffer_copy(coffer_client *client, const char *storage, const char *key, const char *to,
                const coffer_copy_options *options, coffer_object **object, coffer_failure *failure) {
    return transfer(client, "/copy", storage, key, to, options, object, failure);
}

int coffer_move(coffer_client *client, const char *storage, const char *key, const char *to,
                const coffer_copy_options *options, coffer_object **object, coffer_failure *failure) {
    return transfer(client, "/move", storage, key, to, options, object, failure);
}

int coffer_duplicate(coffer_client *client, const char *storage, const char *key, const char *to_storage,
                     coffer_object **object, coffer_failure *failure) {
    coffer_copy_options options = COFFER_COPY_OPTIONS_INIT;
    options.to_storage = to_storage;
    return transfer(client, "/duplicate", storage, key, NULL, &options, object, failure);
}

static void changes(struct text *body, const coffer_pair *pairs, size_t count) {
    for (size_t index = 0; index < count; index++) {
        if (index) text_word(body, ",");
        text_json(body, pairs[index].name);
        text_word(body, ":");
        if (pairs[index].value) text_json(body, pairs[index].value);
        else text_word(body, "null");
    }
}

int coffer_change(coffer_client *client, const char *storage, const char *key, const coffer_pair *fields,
                  size_t field_count, const coffer_pair *metadata, size_t metadata_count, const char *if_match,
                  coffer_object **object, coffer_failure *failure) {
    struct request request;
    struct text body;
    text_begin(&body);
    text_word(&body, "{");
    changes(&body, fields, field_count);
    if (metadata_count) {
        text_word(&body, field_count ? ",\"metadata\":{" : "\"metadata\":{");
        changes(&body, metadata, metadata_count);
        text_word(&body, "}");
    }
    text_word(&body, "}");
    request_begin(&request, "PATCH", storage, key);
    request_key(&request, "stat", key);
    request_fields(&request);
    request_json(&request, &body);
    int code = request_match(&request, if_match, NULL, failure);
    if (!code) code = object_answer(client, &request, object, failure);
    text_end(&request.head);
    text_end(&body);
    return code;
}

/* ---- links and URLs ---- */

int coffer_url(coffer_client *client, const char *storage, const char *key, char **url, coffer_failure *failure) {
    struct request request;
    char *data = NULL;
    size_t length = 0;
    request_begin(&request, "GET", storage, key);
    request_key(&request, "url", key);
    request_fields(&request);
    int code = exchange_json(client, &request, &data, &length, failure);
    if (code) return code;
    struct json json = json_of((struct span){data, length});
    struct span name, raw = {NULL, 0};
    bool first = true;
    if (json_open(&json, '{'))
        while (json_member(&json, &first, &name))
            if (!span_is(name, "url") || !json_string(&json, &raw)) json_skip(&json);
    char *text = raw.at && !json.bad ? malloc(raw.length + 1) : NULL;
    if (text && json_decoded(raw, text)) {
        *url = text;
    } else {
        free(text);
        code = exchange_not_understood(client, failure);
    }
    free(data);
    return code;
}

static coffer_link *link_of_json(struct span text) {
    struct json json = json_of(text);
    struct span name;
    bool first = true;
    // No pair is shorter than six bytes in JSON.
    size_t most = text.length / 6 + 1, fixed = sizeof(coffer_link) + most * sizeof(coffer_pair);
    coffer_link *link = calloc(1, fixed + text.length + 1);
    if (!link) return NULL;
    char *block = (char *)link;
    coffer_pair *headers = (coffer_pair *)(void *)(block + sizeof *link);
    struct arena arena = {block + fixed, block + fixed + text.length + 1};
    link->struct_size = sizeof *link;
    link->headers = headers;
    if (json_open(&json, '{'))
        while (json_member(&json, &first, &name)) {
            if (span_is(name, "url")) json_text(&json, &arena, &link->url);
            else if (span_is(name, "method")) json_text(&json, &arena, &link->method);
            else if (span_is(name, "expires_at")) json_text(&json, &arena, &link->expires_at);
            else if (span_is(name, "required_headers") && json.at < json.end && *json.at == '{') {
                bool inner = true;
                json_open(&json, '{');
                link->header_count = 0;
                while (json_member(&json, &inner, &name) && link->header_count < most) {
                    coffer_pair *pair = &headers[link->header_count++];
                    pair->value = "";
                    if (!arena_text(&arena, name, &pair->name) || !json_text(&json, &arena, &pair->value))
                        json.bad = true;
                }
            } else json_skip(&json);
        }
    if (!json.bad && link->url && link->method) return link;
    free(link);
    return NULL;
}

int coffer_link_make(coffer_client *client, const char *storage, const char *key, const coffer_link_options *given,
                     coffer_link **link, coffer_failure *failure) {
    coffer_link_options options = COFFER_LINK_OPTIONS_INIT;
    struct request request;
    struct text body;
    char *data = NULL;
    size_t length = 0;
    int code = options_taken(&options, sizeof options, given, failure);
    if (code) return code;
    text_begin(&body);
    member(&body, "key", key);
    member(&body, "method", options.method);
    member(&body, "content_type", options.content_type);
    member(&body, "filename", options.filename);
    if (options.expires_in) {
        text_word(&body, ",\"expires_in\":");
        text_number(&body, options.expires_in);
    }
    if (options.size != COFFER_ALL) {
        text_word(&body, ",\"size\":");
        text_number(&body, options.size);
    }
    text_word(&body, "}");
    request_begin(&request, "POST", storage, key);
    request_path(&request, "/links");
    request_fields(&request);
    request_json(&request, &body);
    code = exchange_json(client, &request, &data, &length, failure);
    text_end(&body);
    if (code) return code;
    *link = link_of_json((struct span){data, length});
    free(data);
    return *link ? COFFER_CODE_OK : exchange_not_understood(client, failure);
}

/* ---- everything else ---- */

int coffer_request(coffer_client *client, const char *method, const char *target, const char *body, size_t size,
                   char **answer, size_t *length, coffer_failure *failure) {
    struct request request;
    char *data = NULL;
    size_t count = 0;
    for (const char *at = method; *at; at++)
        if (*at < 'A' || *at > 'Z')
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "the method %s has more than capital letters", method);
    for (const char *at = target; *at || at == target; at++)
        if (*target != '/' || (unsigned char)*at < 0x21 || (unsigned char)*at > 0x7E)
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT,
                        "the target %s is no path of visible ASCII: percent-encode its parts", target);
    request_begin(&request, method, NULL, NULL);
    request_path(&request, target);
    request_fields(&request);
    if (body) text_word(&request.head, "Content-Type: application/json\r\n");
    request.body = (struct piece){body, body ? size : 0};
    request.has_length = !request.safe;
    // What the target deletes, nobody here knows.
    request.repeatable = request.safe;
    int code = exchange_json(client, &request, &data, &count, failure);
    if (code) return code;
    if (!count) {
        free(data);
        data = NULL;
    }
    if (length) *length = count;
    if (answer) *answer = data;
    else free(data);
    return COFFER_CODE_OK;
}

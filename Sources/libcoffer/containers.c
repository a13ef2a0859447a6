/* containers.c - the buckets, containers or shares of a storage's store. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

static coffer_containers *containers_of_json(struct span text) {
    struct json json = json_of(text), look = json;
    struct span name;
    bool first = true, inner = true;
    size_t count = 0;
    if (json_open(&look, '{'))
        while (json_member(&look, &first, &name)) {
            bool list = span_is(name, "containers") && json_open(&look, '[');
            if (!list) json_skip(&look);
            for (inner = true; list && json_element(&look, &inner); count++) json_skip(&look);
        }
    if (look.bad) return NULL;
    size_t fixed = sizeof(coffer_containers) + count * sizeof(coffer_container);
    coffer_containers *all = calloc(1, fixed + text.length + 1);
    if (!all) return NULL;
    char *block = (char *)all;
    coffer_container *item = (coffer_container *)(void *)(block + sizeof *all);
    struct arena arena = {block + fixed, block + fixed + text.length + 1};
    all->struct_size = sizeof *all;
    all->items = item;
    first = true;
    json_open(&json, '{');
    while (json_member(&json, &first, &name)) {
        if (!span_is(name, "containers") || !json_open(&json, '[')) {
            json_skip(&json);
            continue;
        }
        for (inner = true; json_element(&json, &inner); all->count++, item++) {
            bool start = true;
            json_open(&json, '{');
            while (json_member(&json, &start, &name)) {
                if (span_is(name, "name")) json_text(&json, &arena, &item->name);
                else if (span_is(name, "created")) json_text(&json, &arena, &item->created);
                else json_skip(&json);
            }
            if (!item->name) json.bad = true;
        }
    }
    if (!json.bad) return all;
    free(all);
    return NULL;
}

int coffer_containers_list(coffer_client *client, const char *storage, coffer_containers **containers,
                           coffer_failure *failure) {
    struct request request;
    char *data = NULL;
    size_t length = 0;
    request_begin(&request, "GET", storage, NULL);
    request_path(&request, "/containers");
    request_fields(&request);
    int code = exchange_json(client, &request, &data, &length, failure);
    if (code) return code;
    *containers = containers_of_json((struct span){data, length});
    free(data);
    return *containers ? COFFER_CODE_OK : exchange_not_understood(client, failure);
}

/* A request about one container, whose answer tells nothing. */
static int about(coffer_client *client, const char *method, const char *storage, const char *name,
                 coffer_failure *failure) {
    struct request request;
    char *data = NULL;
    size_t length = 0;
    request_begin(&request, method, storage, NULL);
    request_path(&request, "/containers/");
    text_encoded(&request.head, name, strlen(name), "");
    request_fields(&request);
    request.has_length = true;
    // Once more would find what the first time made or removed.
    request.repeatable = false;
    int code = exchange_json(client, &request, &data, &length, failure);
    if (!code) free(data);
    return code;
}

int coffer_container_make(coffer_client *client, const char *storage, const char *name, coffer_failure *failure) {
    return about(client, "PUT", storage, name, failure);
}

int coffer_container_remove(coffer_client *client, const char *storage, const char *name, coffer_failure *failure) {
    return about(client, "DELETE", storage, name, failure);
}

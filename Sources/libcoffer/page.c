/* page.c - pages of a listing, as one block each. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* How much a page needs beside its texts. */
struct room {
    size_t objects, prefixes, pairs;
};

static bool measured(struct json json, struct room *room) {
    struct span name;
    bool first = true;
    if (!json_open(&json, '{')) return false;
    while (json_member(&json, &first, &name)) {
        bool inner = true, objects = span_is(name, "objects");
        if ((!objects && !span_is(name, "prefixes")) || !json_open(&json, '[')) {
            json_skip(&json);
            continue;
        }
        while (json_element(&json, &inner)) {
            if (objects) room->pairs += object_pairs(json);
            *(objects ? &room->objects : &room->prefixes) += 1;
            json_skip(&json);
        }
    }
    return !json.bad;
}

static coffer_page *page_of_json(struct span text) {
    struct json json = json_of(text);
    struct room room = {0, 0, 0};
    struct span name;
    bool first = true;
    if (!measured(json, &room)) return NULL;
    size_t fixed = sizeof(coffer_page) + room.objects * (sizeof(coffer_object) + sizeof(coffer_object *)) +
                   room.pairs * sizeof(coffer_pair) + room.prefixes * sizeof(char *);
    coffer_page *page = calloc(1, fixed + text.length + 1);
    if (!page) return NULL;
    char *block = (char *)page;
    coffer_object *object = (coffer_object *)(void *)(block + sizeof *page);
    const coffer_object **list = (const coffer_object **)(void *)(object + room.objects);
    coffer_pair *pairs = (coffer_pair *)(void *)(list + room.objects);
    const char **prefix = (const char **)(void *)(pairs + room.pairs);
    struct arena arena = {block + fixed, block + fixed + text.length + 1};
    page->struct_size = sizeof *page;
    page->objects = list;
    page->prefixes = prefix;
    json_open(&json, '{');
    while (json_member(&json, &first, &name)) {
        bool inner = true, objects = span_is(name, "objects");
        if (span_is(name, "cursor")) {
            json_text(&json, &arena, &page->cursor);
        } else if ((objects || span_is(name, "prefixes")) && json_open(&json, '[')) {
            while (json_element(&json, &inner)) {
                if (!objects) {
                    prefix[page->prefix_count] = "";
                    json_text(&json, &arena, &prefix[page->prefix_count++]);
                } else {
                    if (!object_fill(object, &json, pairs, &arena)) json.bad = true;
                    pairs += object->metadata_count;
                    list[page->object_count++] = object++;
                }
            }
        } else {
            json_skip(&json);
        }
    }
    if (!json.bad) return page;
    free(page);
    return NULL;
}

int coffer_page_read(coffer_client *client, const char *storage, const coffer_page_options *given, coffer_page **page,
                     coffer_failure *failure) {
    coffer_page_options options = COFFER_PAGE_OPTIONS_INIT;
    struct request request;
    char *data = NULL;
    size_t length = 0;
    int code = options_taken(&options, sizeof options, given, failure);
    if (code) return code;
    request_begin(&request, "GET", storage, NULL);
    request_path(&request, "/objects");
    request_query(&request, "prefix", options.prefix);
    request_query(&request, "delimiter", options.delimiter);
    request_query(&request, "start_after", options.start_after);
    request_query(&request, "cursor", options.cursor);
    request_count(&request, "limit", options.limit);
    request_fields(&request);
    code = exchange_json(client, &request, &data, &length, failure);
    if (code) return code;
    *page = page_of_json((struct span){data, length});
    free(data);
    return *page ? COFFER_CODE_OK : exchange_not_understood(client, failure);
}

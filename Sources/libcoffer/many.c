/* many.c - deletions of many objects in one request. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* One result or failure: {"key", "deleted", "problem"} of keys, a problem itself of a prefix. */
static bool fill(coffer_deletion *item, struct json *json, struct arena *arena, bool is_problem) {
    struct span name;
    bool first = true;
    if (is_problem) {
        item->word = "";
        item->code = COFFER_CODE_OTHER;
    }
    if (!json_open(json, '{')) return false;
    while (json_member(json, &first, &name)) {
        if (span_is(name, "key")) {
            json_text(json, arena, &item->key);
        } else if (span_is(name, "problem") && !is_problem && json->at < json->end && *json->at == '{') {
            if (!fill(item, json, arena, true)) return false;
        } else if (is_problem && span_is(name, "code")) {
            json_text(json, arena, &item->word);
            item->code = code_of_word((struct span){item->word, strlen(item->word)});
        } else if (is_problem && span_is(name, "detail")) {
            json_text(json, arena, &item->detail);
        } else if (is_problem && span_is(name, "retryable")) {
            item->retryable = json_true(json);
        } else {
            json_skip(json);
        }
    }
    if (is_problem && !item->detail) item->detail = "";
    return !json->bad;
}

static size_t counted(struct json json) {
    bool first = true;
    size_t count = 0;
    if (json_open(&json, '['))
        for (; json_element(&json, &first); count++) json_skip(&json);
    return count;
}

static coffer_deletions *deletions_of_json(struct span text) {
    struct json json = json_of(text), look = json;
    struct span name;
    bool first = true;
    size_t items = 0, keys = 0;
    if (json_open(&look, '{'))
        while (json_member(&look, &first, &name)) {
            if (span_is(name, "results") || span_is(name, "failures")) items += counted(look);
            if (span_is(name, "keys")) keys += counted(look);
            json_skip(&look);
        }
    if (look.bad) return NULL;
    size_t fixed = sizeof(coffer_deletions) + items * sizeof(coffer_deletion) + keys * sizeof(char *);
    // A key may stand in its item and in its problem, so every text has room twice.
    coffer_deletions *all = calloc(1, fixed + 2 * text.length + 2);
    if (!all) return NULL;
    char *block = (char *)all;
    coffer_deletion *item = (coffer_deletion *)(void *)(block + sizeof *all);
    const char **key = (const char **)(void *)(block + sizeof *all + items * sizeof *item);
    struct arena arena = {block + fixed, block + fixed + 2 * text.length + 2};
    all->struct_size = sizeof *all;
    all->items = item;
    all->keys = key;
    first = true;
    json_open(&json, '{');
    while (json_member(&json, &first, &name)) {
        bool inner = true, failures = span_is(name, "failures");
        if (failures || span_is(name, "results")) {
            json_open(&json, '[');
            while (json_element(&json, &inner)) {
                if (!fill(item, &json, &arena, failures)) json.bad = true;
                item++;
                all->item_count++;
            }
        } else if (span_is(name, "keys")) {
            json_open(&json, '[');
            while (json_element(&json, &inner)) {
                *key = "";
                json_text(&json, &arena, key++);
                all->key_count++;
            }
        } else if (!span_is(name, "count") || !json_whole(&json, &all->count)) {
            json_skip(&json);
        }
    }
    if (!json.bad) return all;
    free(all);
    return NULL;
}

static int answer(coffer_client *client, struct request *request, coffer_deletions **result, size_t expected,
                  coffer_failure *failure) {
    char *data = NULL;
    size_t length = 0;
    int code = exchange_json(client, request, &data, &length, failure);
    if (code) return code;
    coffer_deletions *all = deletions_of_json((struct span){data, length});
    free(data);
    // Each key has its result, or nobody knows which is whose.
    if (!all || (expected != SIZE_MAX && all->item_count != expected)) {
        free(all);
        return exchange_not_understood(client, failure);
    }
    if (result) *result = all;
    else free(all);
    return COFFER_CODE_OK;
}

int coffer_delete_many(coffer_client *client, const char *storage, const coffer_pair *keys, size_t count,
                       coffer_deletions **deletions, coffer_failure *failure) {
    struct request request;
    struct text body;
    text_begin(&body);
    text_word(&body, "{\"keys\":[");
    for (size_t index = 0; index < count; index++) {
        if (index) text_word(&body, ",");
        if (keys[index].value) text_word(&body, "{\"key\":");
        text_json(&body, keys[index].name);
        if (!keys[index].value) continue;
        text_word(&body, ",\"if_match\":");
        text_json(&body, keys[index].value);
        text_word(&body, "}");
    }
    text_word(&body, "]}");
    request_begin(&request, "POST", storage, NULL);
    request_path(&request, "/delete");
    request_fields(&request);
    request_json(&request, &body);
    int code = answer(client, &request, deletions, count, failure);
    text_end(&body);
    return code;
}

int coffer_delete_prefix(coffer_client *client, const char *storage, const char *prefix, unsigned flags,
                         coffer_deletions **deletions, coffer_failure *failure) {
    struct request request;
    request_begin(&request, "DELETE", storage, NULL);
    request_path(&request, "/objects");
    request_query(&request, "prefix", prefix);
    if (flags & COFFER_DRY_RUN) request_query(&request, "dry_run", "true");
    if (flags & COFFER_FORCE) request_query(&request, "force", "true");
    request_fields(&request);
    return answer(client, &request, deletions, SIZE_MAX, failure);
}

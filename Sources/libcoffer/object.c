/* object.c - objects as callers see them, out of JSON and out of the head of an answer: one block each. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool arena_text(struct arena *arena, struct span raw, const char **text) {
    if ((size_t)(arena->end - arena->at) <= raw.length || !json_decoded(raw, arena->at)) return false;
    *text = arena->at;
    arena->at += strlen(arena->at) + 1;
    return true;
}

bool json_text(struct json *json, struct arena *arena, const char **text) {
    struct span raw;
    if (!json_string(json, &raw)) {
        json_skip(json);
        return !json->bad;
    }
    if (arena_text(arena, raw, text)) return true;
    json->bad = true;
    return false;
}

size_t object_pairs(struct json json) {
    struct span name;
    bool first = true;
    size_t count = 0;
    if (!json_open(&json, '{')) return 0;
    while (json_member(&json, &first, &name)) {
        if (span_is(name, "metadata") && json.at < json.end && *json.at == '{') {
            bool inner = true;
            json_open(&json, '{');
            while (json_member(&json, &inner, &name)) {
                json_skip(&json);
                count++;
            }
        } else {
            json_skip(&json);
        }
    }
    return count;
}

static void metadata(coffer_object *object, struct json *json, coffer_pair *pairs, struct arena *arena) {
    struct span name;
    bool first = true;
    if (json->at == json->end || *json->at != '{') {
        json_skip(json);
        return;
    }
    object->metadata = pairs;
    object->metadata_count = 0;
    json_open(json, '{');
    while (json_member(json, &first, &name)) {
        coffer_pair *pair = &pairs[object->metadata_count];
        pair->value = "";
        if (!arena_text(arena, name, &pair->name) || !json_text(json, arena, &pair->value)) {
            json->bad = true;
            return;
        }
        object->metadata_count++;
    }
}

static void checksum(coffer_object *object, struct json *json, struct arena *arena) {
    struct span name;
    bool first = true;
    if (json->at == json->end || *json->at != '{') {
        json_skip(json);
        return;
    }
    json_open(json, '{');
    while (json_member(json, &first, &name)) {
        if (span_is(name, "algorithm")) json_text(json, arena, &object->checksum_algorithm);
        else if (span_is(name, "value")) json_text(json, arena, &object->checksum_value);
        else json_skip(json);
    }
}

bool object_fill(coffer_object *object, struct json *json, coffer_pair *pairs, struct arena *arena) {
    const struct {
        const char  *name;
        const char **text;
    } texts[] = {
        {"storage", &object->storage},
        {"backend", &object->backend},
        {"key", &object->key},
        {"etag", &object->etag},
        {"version", &object->version},
        {"modified", &object->modified},
        {"created", &object->created},
        {"content_type", &object->content_type},
        {"content_encoding", &object->content_encoding},
        {"content_disposition", &object->content_disposition},
        {"content_language", &object->content_language},
        {"cache_control", &object->cache_control},
    };
    struct span name;
    bool first = true, known_pairs = false;
    memset(object, 0, sizeof *object);
    object->struct_size = sizeof *object;
    object->size = COFFER_ALL;
    if (!json_open(json, '{')) return false;
    while (json_member(json, &first, &name)) {
        size_t index = 0, count = sizeof texts / sizeof texts[0];
        while (index < count && !span_is(name, texts[index].name)) index++;
        if (index < count) json_text(json, arena, texts[index].text);
        else if (span_is(name, "size") && json_whole(json, &object->size)) continue;
        else if (span_is(name, "generation") && json_whole(json, &object->generation)) continue;
        else if (span_is(name, "checksum")) checksum(object, json, arena);
        else if (span_is(name, "metadata") && !known_pairs) metadata(object, json, pairs, arena), known_pairs = true;
        else json_skip(json);
    }
    return !json->bad && object->key;
}

coffer_object *object_of_json(struct span text) {
    struct json json = json_of(text);
    size_t pairs = object_pairs(json), fixed = sizeof(coffer_object) + pairs * sizeof(coffer_pair);
    // No text is longer than it is in JSON, quotes and all.
    coffer_object *object = malloc(fixed + text.length + 1);
    if (!object) return NULL;
    char *block = (char *)object;
    struct arena arena = {block + fixed, block + fixed + text.length + 1};
    if (object_fill(object, &json, (coffer_pair *)(void *)(block + sizeof *object), &arena)) return object;
    free(object);
    return NULL;
}

/* ---- out of a head ---- */

static const char *copied(struct arena *arena, struct span value, bool decoded) {
    const char *text = arena->at;
    if (decoded) {
        arena->at += percent_decoded(value, arena->at) + 1;
    } else {
        memcpy(arena->at, value.at, value.length);
        arena->at[value.length] = 0;
        arena->at += value.length + 1;
    }
    return text;
}

static bool is(struct span name, const char *word) {
    return strlen(word) == name.length && strncasecmp(name.at, word, name.length) == 0;
}

coffer_object *object_of_head(const struct head *head, const char *key, uint64_t size) {
    struct span name, value;
    size_t pairs = 0;
    for (size_t place = 0; head_next(head, &place, &name, &value);)
        pairs += name.length > 12 && strncasecmp(name.at, "coffer-meta-", 12) == 0;
    size_t fixed = sizeof(coffer_object) + pairs * sizeof(coffer_pair);
    size_t room = head->fields.length + strlen(key) + 8;
    coffer_object *object = calloc(1, fixed + room);
    if (!object) return NULL;
    char *block = (char *)object;
    coffer_pair *metadata = (coffer_pair *)(void *)(block + sizeof *object);
    struct arena arena = {block + fixed, block + fixed + room};
    object->struct_size = sizeof *object;
    object->size = size;
    object->key = copied(&arena, (struct span){key, strlen(key)}, false);
    object->metadata = metadata;
    const struct {
        const char  *name;
        const char **text;
        bool         encoded;
    } texts[] = {
        {"coffer-storage", &object->storage, true},
        {"coffer-backend", &object->backend, true},
        {"coffer-version", &object->version, true},
        {"coffer-modified", &object->modified, false},
        {"coffer-created", &object->created, false},
        {"content-type", &object->content_type, false},
        {"content-encoding", &object->content_encoding, false},
        {"content-disposition", &object->content_disposition, false},
        {"content-language", &object->content_language, false},
        {"cache-control", &object->cache_control, false},
    };
    for (size_t place = 0; head_next(head, &place, &name, &value);) {
        // A field, its colon and its line end take more than its value and two NULs do: there is room.
        if (name.length > 12 && strncasecmp(name.at, "coffer-meta-", 12) == 0) {
            coffer_pair *pair = &metadata[object->metadata_count++];
            pair->name = copied(&arena, (struct span){name.at + 12, name.length - 12}, false);
            pair->value = copied(&arena, value, true);
        } else if (is(name, "etag")) {
            while (value.length && value.at[0] == '"') value.at++, value.length--;
            while (value.length && value.at[value.length - 1] == '"') value.length--;
            object->etag = copied(&arena, value, false);
        } else if (is(name, "coffer-checksum")) {
            const char *equals = memchr(value.at, '=', value.length);
            if (!equals) continue;
            size_t left = (size_t)(equals - value.at);
            object->checksum_algorithm = copied(&arena, (struct span){value.at, left}, false);
            object->checksum_value = copied(&arena, (struct span){equals + 1, value.length - left - 1}, false);
        } else if (is(name, "coffer-generation")) {
            struct json number = json_of(value);
            json_whole(&number, &object->generation);
        } else {
            for (size_t index = 0; index < sizeof texts / sizeof texts[0]; index++)
                if (is(name, texts[index].name)) *texts[index].text = copied(&arena, value, texts[index].encoded);
        }
    }
    return object;
}

int object_answer(coffer_client *client, struct request *request, coffer_object **result, coffer_failure *failure) {
    char *data = NULL;
    size_t length = 0;
    int code = exchange_json(client, request, &data, &length, failure);
    if (code) return code;
    coffer_object *object = object_of_json((struct span){data, length});
    free(data);
    if (!object) return exchange_not_understood(client, failure);
    if (result) *result = object;
    else free(object);
    return COFFER_CODE_OK;
}

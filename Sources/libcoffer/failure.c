/* failure.c - failures: the one table of codes, and the story that a caller is told. */
#include "internal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *word;
    int         status;
} codes[] = {
    {"ok", 200},
    {"not_found", 404},
    {"already_exists", 409},
    {"precondition_failed", 412},
    {"not_modified", 304},
    {"invalid_key", 400},
    {"invalid_argument", 400},
    {"range_invalid", 416},
    {"too_large", 413},
    {"bad_type", 415},
    {"checksum_mismatch", 422},
    {"not_empty", 409},
    {"no_space", 507},
    {"quota_exceeded", 507},
    {"permission_denied", 403},
    {"unauthenticated", 401},
    {"unsupported", 501},
    {"changed", 409},
    {"rate_limited", 429},
    {"timeout", 504},
    {"unavailable", 503},
    {"backend_error", 502},
    {"plugin_failed", 502},
    {"corrupt", 502},
    {"cancelled", 499},
    {"config_invalid", 422},
    {"internal", 500},
};
#define CODES ((int)(sizeof codes / sizeof codes[0]))

const char *coffer_code_word(int code) { return code >= 0 && code < CODES ? codes[code].word : "other"; }
const char *coffer_version(void) { return COFFER_VERSION; }
void coffer_free(void *block) { free(block); }

const char *system_word(int number, char *room, size_t size) {
#ifdef __GLIBC__
    return strerror_r(number, room, size);
#else
    return strerror_r(number, room, size) ? "" : room;
#endif
}

int code_of_word(struct span word) {
    for (int code = 1; code < CODES; code++)
        if (span_is(word, codes[code].word)) return code;
    return COFFER_CODE_OTHER;
}

static int code_of_status(int status) {
    if (status == 400) return COFFER_CODE_INVALID_ARGUMENT;
    for (int code = 1; code < CODES; code++)
        if (codes[code].status == status) return code;
    return status >= 400 && status < 500 ? COFFER_CODE_INVALID_ARGUMENT : COFFER_CODE_INTERNAL;
}

/* Gives the caller as much as its struct has room for. */
static int told(coffer_failure *failure, coffer_failure *story) {
    if (failure) {
        size_t size = failure->struct_size < sizeof *story ? failure->struct_size : sizeof *story;
        story->struct_size = failure->struct_size;
        if (size >= sizeof(size_t)) memcpy(failure, story, size);
    }
    return story->code;
}

int fail(coffer_failure *failure, int code, const char *format, ...) {
    coffer_failure story = COFFER_FAILURE_INIT;
    va_list arguments;
    story.code = code;
    snprintf(story.word, sizeof story.word, "%s", coffer_code_word(code));
    va_start(arguments, format);
    vsnprintf(story.detail, sizeof story.detail, format, arguments);
    va_end(arguments);
    return told(failure, &story);
}

int fail_memory(coffer_failure *failure) {
    return fail(failure, COFFER_CODE_INTERNAL, "there is no memory for this in the process");
}

void fail_more(coffer_failure *failure, bool retryable, bool maybe_applied) {
    if (!failure || failure->struct_size < offsetof(coffer_failure, retry_after)) return;
    failure->retryable = retryable;
    failure->maybe_applied = maybe_applied;
}

void fail_where(coffer_failure *failure, const char *storage, const char *key) {
    if (!failure || failure->struct_size < offsetof(coffer_failure, detail)) return;
    if (storage && !*failure->storage) snprintf(failure->storage, sizeof failure->storage, "%s", storage);
    if (key && !*failure->key) snprintf(failure->key, sizeof failure->key, "%s", key);
}

/* A text of a document, cut where it has no room, never inside a character. */
static void cut_text(struct json *json, char *to, size_t room) {
    struct span raw;
    if (!json_string(json, &raw)) {
        json_skip(json);
        return;
    }
    char *whole = malloc(raw.length + 1);
    if (whole && json_decoded(raw, whole)) {
        size_t length = strlen(whole);
        if (length >= room) {
            length = room - 1;
            while (length && ((unsigned char)whole[length] & 0xC0) == 0x80) length--;
        }
        memcpy(to, whole, length);
        to[length] = 0;
    }
    free(whole);
}

int fail_problem(coffer_failure *failure, int status, struct span body, int64_t retry_after) {
    coffer_failure story = COFFER_FAILURE_INIT;
    struct json json = json_of(body);
    struct span name;
    char title[128] = "";
    bool first = true;
    story.status = status;
    if (retry_after >= 0) story.retry_after = (double)retry_after;
    if (json_open(&json, '{')) {
        while (json_member(&json, &first, &name)) {
            uint64_t number;
            if (span_is(name, "code")) cut_text(&json, story.word, sizeof story.word);
            else if (span_is(name, "detail")) cut_text(&json, story.detail, sizeof story.detail);
            else if (span_is(name, "title")) cut_text(&json, title, sizeof title);
            else if (span_is(name, "storage")) cut_text(&json, story.storage, sizeof story.storage);
            else if (span_is(name, "key")) cut_text(&json, story.key, sizeof story.key);
            else if (span_is(name, "retryable")) story.retryable = json_true(&json);
            else if (span_is(name, "maybe_applied")) story.maybe_applied = json_true(&json);
            else if (span_is(name, "retry_after") && json_number(&json, &story.retry_after)) continue;
            else if (span_is(name, "status") && !status && json_whole(&json, &number)) story.status = (int)number;
            else json_skip(&json);
        }
    }
    if (json.bad) {
        // Something in between may answer anything: then the status alone decides.
        coffer_failure plain = COFFER_FAILURE_INIT;
        plain.status = status;
        plain.retry_after = retry_after >= 0 ? (double)retry_after : -1;
        story = plain;
        *title = 0;
    }
    story.code = *story.word ? code_of_word((struct span){story.word, strlen(story.word)}) : code_of_status(story.status);
    if (!*story.word) snprintf(story.word, sizeof story.word, "%s", coffer_code_word(story.code));
    if (!*story.detail) {
        if (story.status == 304) snprintf(story.detail, sizeof story.detail, "the object has not changed");
        else if (*title) snprintf(story.detail, sizeof story.detail, "%s", title);
        else snprintf(story.detail, sizeof story.detail, "the host answered %d without a reason", (int)story.status);
    }
    return told(failure, &story);
}

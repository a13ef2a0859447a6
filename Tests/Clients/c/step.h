/* step.h - a step of a scenario as the driver reads it, and how it answers. */
#ifndef STEP_H
#define STEP_H

#include "internal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST 64

/* A step, taken apart. */
static struct argument {
    struct span name, raw; /* raw: with quotes and brackets */
    bool        used;
} arguments[MOST];
static size_t argument_count;
/* Texts of the step, freed after it. */
static void  *held[4096];
static size_t held_count;

static struct text out;

static void die(const char *why) {
    fprintf(stderr, "driver: %s\n", why);
    exit(2);
}

static void *hold(void *block) {
    if (!block || held_count == sizeof held / sizeof held[0]) die("no memory");
    return held[held_count++] = block;
}

static struct argument *find(const char *name) {
    for (size_t index = 0; index < argument_count; index++)
        if (span_is(arguments[index].name, name)) {
            arguments[index].used = true;
            return &arguments[index];
        }
    return NULL;
}

static const char *decoded(struct span raw) {
    char *to = hold(malloc(raw.length + 1));
    if (!json_decoded(raw, to)) die("a text cannot be decoded");
    return to;
}

/* The text that comes next; NULL for null. */
static const char *next_text(struct json *json) {
    struct span raw;
    if (json_string(json, &raw)) return decoded(raw);
    json_skip(json);
    return NULL;
}

static const char *text(const char *name) {
    struct argument *found = find(name);
    struct json json = json_of(found ? found->raw : (struct span){"null", 4});
    return next_text(&json);
}

static uint64_t number(const char *name, uint64_t otherwise) {
    struct argument *found = find(name);
    struct json json = json_of(found ? found->raw : (struct span){"", 0});
    json_whole(&json, &otherwise);
    return otherwise;
}

static bool flag(const char *name) {
    struct argument *found = find(name);
    return found && span_is(found->raw, "true");
}

static size_t pairs(const char *name, coffer_pair **into) {
    struct argument *found = find(name);
    size_t count = 0;
    if (!found) return 0;
    struct json json = json_of(found->raw);
    struct span member;
    bool first = true;
    *into = hold(calloc(MOST, sizeof **into));
    json_open(&json, '{');
    while (json_member(&json, &first, &member) && count < MOST) {
        (*into)[count].name = decoded(member);
        (*into)[count++].value = next_text(&json);
    }
    return count;
}

static char *contents(size_t *length) {
    int fd = open(text("body"), O_RDONLY | O_CLOEXEC);
    struct stat status;
    if (fd < 0 || fstat(fd, &status)) die("the body is missing");
    char *data = hold(malloc((size_t)status.st_size + 1));
    if (read(fd, data, (size_t)status.st_size) != status.st_size) die("the body cannot be read");
    close(fd);
    *length = (size_t)status.st_size;
    return data;
}

/* ---- answers ---- */

static void put(const char *words) { text_word(&out, words); }

static void put_text(const char *name, const char *value) {
    text_json(&out, name);
    put(":");
    if (value) text_json(&out, value);
    else put("null");
}

static void put_number(const char *name, uint64_t value) {
    text_json(&out, name);
    put(":");
    if (value == COFFER_ALL) put("null");
    else text_number(&out, value);
}

#endif

/* head.c - the head of an answer: its grammar, its length, and the fields that the library asks for. */
#include "internal.h"

#include <string.h>
#include <strings.h>

static bool is(struct span span, const char *word) {
    return strlen(word) == span.length && strncasecmp(span.at, word, span.length) == 0;
}

static bool digits(struct span span, uint64_t *number) {
    uint64_t value = 0;
    if (!span.length || span.length > 19) return false;
    for (size_t at = 0; at < span.length; at++) {
        if (span.at[at] < '0' || span.at[at] > '9') return false;
        value = value * 10 + (uint64_t)(span.at[at] - '0');
    }
    *number = value;
    return true;
}

bool head_next(const struct head *head, size_t *place, struct span *name, struct span *value) {
    if (*place >= head->fields.length) return false;
    const char *line = head->fields.at + *place, *end = head->fields.at + head->fields.length;
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    const char *next = stop ? stop + 1 : end;
    if (!stop) stop = end;
    if (stop > line && stop[-1] == '\r') stop--;
    const char *colon = memchr(line, ':', (size_t)(stop - line));
    if (!colon) colon = stop;
    *name = (struct span){line, (size_t)(colon - line)};
    const char *from = colon < stop ? colon + 1 : stop;
    while (from < stop && (*from == ' ' || *from == '\t')) from++;
    while (stop > from && (stop[-1] == ' ' || stop[-1] == '\t')) stop--;
    *value = (struct span){from, (size_t)(stop - from)};
    *place = (size_t)(next - head->fields.at);
    return true;
}

bool head_field(const struct head *head, const char *name, struct span *value) {
    struct span found;
    for (size_t place = 0; head_next(head, &place, &found, value);)
        if (is(found, name)) return true;
    return false;
}

static bool passed(struct head *head, struct span value) {
    bool offset = false, length = false;
    for (size_t at = 0; at < value.length;) {
        const char *item = value.at + at;
        const char *stop = memchr(item, ';', value.length - at);
        size_t size = stop ? (size_t)(stop - item) : value.length - at;
        at += size + 1;
        while (size && *item == ' ') item++, size--;
        if (size > 7 && strncasecmp(item, "offset=", 7) == 0)
            offset = digits((struct span){item + 7, size - 7}, &head->fd_offset);
        else if (size > 7 && strncasecmp(item, "length=", 7) == 0)
            length = digits((struct span){item + 7, size - 7}, &head->fd_length);
        else return false;
    }
    return offset && length;
}

static bool has_word(struct span value, const char *word) {
    size_t length = strlen(word);
    for (size_t at = 0; at + length <= value.length; at++)
        if (strncasecmp(value.at + at, word, length) == 0) return true;
    return false;
}

const char *head_read(struct head *head, struct span raw) {
    uint64_t number;
    memset(head, 0, sizeof *head);
    head->fd = -1;
    head->retry_after = -1;
    if (raw.length < 12 || memcmp(raw.at, "HTTP/1.1 ", 9) != 0 || !digits((struct span){raw.at + 9, 3}, &number) ||
        (raw.length > 12 && raw.at[12] != ' ' && raw.at[12] != '\r'))
        return "it does not begin as an answer";
    head->status = (int)number;
    const char *line = memchr(raw.at, '\n', raw.length);
    if (line) head->fields = (struct span){line + 1, raw.length - (size_t)(line + 1 - raw.at)};
    struct span name, value;
    bool has_length = false, coded = false;
    for (size_t place = 0; head_next(head, &place, &name, &value);) {
        if (!name.length || name.at + name.length == value.at) return "its head has a line that is no field";
        // By the first letter, so that most fields cost one comparison.
        switch (name.at[0] | 0x20) {
        case 'c':
            if (is(name, "content-length")) {
                if (!digits(value, &number)) return "its answer does not say how long it is";
                if (has_length && number != head->length) return "it says two lengths";
                has_length = true;
                head->length = number;
            } else if (is(name, "connection")) {
                head->close = has_word(value, "close");
            } else if (is(name, "coffer-fd")) {
                if (!passed(head, value)) return "its coffer-fd says no offset and length";
                head->passed = true;
            }
            break;
        case 't':
            if (is(name, "transfer-encoding")) {
                if (coded || !is(value, "chunked")) return "it answers in a coding that nobody asked for";
                coded = head->chunked = true;
            }
            break;
        case 'r':
            if (is(name, "retry-after") && digits(value, &number) && number < INT64_MAX)
                head->retry_after = (int64_t)number;
            break;
        default: break;
        }
    }
    if (has_length && coded) return "it says a length and comes in chunks";
    if (head->status < 200 || head->status == 204 || head->status == 304) {
        head->length = 0;
        head->chunked = false;
    } else if (!has_length && !coded) {
        return "its answer does not say how long it is";
    }
    return NULL;
}

void head_part(const struct head *head, uint64_t *start, uint64_t *stop, uint64_t *size) {
    uint64_t length = head->passed ? head->fd_length : head->length;
    struct span value;
    *start = 0;
    *stop = *size = length;
    if (!head_field(head, "content-range", &value) || value.length < 6 || memcmp(value.at, "bytes ", 6) != 0) return;
    const char *end = value.at + value.length, *from = value.at + 6;
    const char *dash = memchr(from, '-', (size_t)(end - from)), *slash = memchr(from, '/', (size_t)(end - from));
    uint64_t first, last, whole = COFFER_ALL;
    if (!dash || !slash || slash < dash) return;
    struct span total = {slash + 1, (size_t)(end - slash - 1)};
    if (!digits((struct span){from, (size_t)(dash - from)}, &first) ||
        !digits((struct span){dash + 1, (size_t)(slash - dash - 1)}, &last) || last < first ||
        last - first + 1 != length || (!digits(total, &whole) && !span_is(total, "*")))
        return;
    *start = first;
    *stop = last + 1;
    *size = whole;
}

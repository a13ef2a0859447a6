/* text.c - bytes that grow: heads and bodies of requests are built in them. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

void text_begin(struct text *text) {
    text->data = text->own;
    text->length = 0;
    text->capacity = sizeof text->own;
    text->failed = false;
}

void text_end(struct text *text) {
    if (text->data != text->own) free(text->data);
    text_begin(text);
}

static bool text_room(struct text *text, size_t more) {
    if (text->failed || more > SIZE_MAX / 4 || text->length > SIZE_MAX / 4) {
        text->failed = true;
        return false;
    }
    if (text->length + more <= text->capacity) return true;
    size_t capacity = (text->length + more) * 2;
    char *grown = text->data == text->own ? malloc(capacity) : realloc(text->data, capacity);
    if (!grown) {
        text->failed = true;
        return false;
    }
    if (text->data == text->own) memcpy(grown, text->own, text->length);
    text->data = grown;
    text->capacity = capacity;
    return true;
}

void text_add(struct text *text, const char *data, size_t length) {
    if (!length || !text_room(text, length)) return;
    memcpy(text->data + text->length, data, length);
    text->length += length;
}

void text_word(struct text *text, const char *word) { text_add(text, word, strlen(word)); }

void text_number(struct text *text, uint64_t number) {
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    text_add(text, digits + at, sizeof digits - at);
}

void text_json(struct text *text, const char *value) {
    static const char hex[] = "0123456789abcdef";
    text_add(text, "\"", 1);
    for (const char *at = value; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\') {
            char escaped[2] = {'\\', *at};
            text_add(text, escaped, 2);
        } else if (byte < 0x20) {
            char escaped[6] = {'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]};
            text_add(text, escaped, 6);
        } else {
            text_add(text, at, 1);
        }
    }
    text_add(text, "\"", 1);
}

static bool is_plain(unsigned char byte, const char *more) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte && (strchr("-._~", byte) || strchr(more, byte)));
}

void text_encoded(struct text *text, const char *value, size_t length, const char *more) {
    static const char hex[] = "0123456789ABCDEF";
    size_t plain = 0;
    for (size_t at = 0; at <= length; at++) {
        unsigned char byte = at < length ? (unsigned char)value[at] : 0;
        if (at < length && is_plain(byte, more)) continue;
        // What needs no change goes in one copy.
        text_add(text, value + plain, at - plain);
        plain = at + 1;
        if (at == length) break;
        char encoded[3] = {'%', hex[byte >> 4], hex[byte & 15]};
        text_add(text, encoded, 3);
    }
}

static int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

size_t percent_decoded(struct span from, char *to) {
    size_t length = 0;
    for (size_t at = 0; at < from.length; at++) {
        if (from.at[at] == '%' && from.length - at > 2) {
            int high = hex_value(from.at[at + 1]), low = hex_value(from.at[at + 2]);
            if (high >= 0 && low >= 0) {
                to[length++] = (char)(high << 4 | low);
                at += 2;
                continue;
            }
        }
        to[length++] = from.at[at];
    }
    to[length] = 0;
    return length;
}

bool span_is(struct span span, const char *word) {
    return strlen(word) == span.length && memcmp(span.at, word, span.length) == 0;
}

char *coffer_escape(const char *value) {
    struct text text;
    text_begin(&text);
    text_encoded(&text, value, strlen(value), "");
    text_add(&text, "", 1);
    char *copy = text.failed ? NULL : malloc(text.length);
    if (copy) memcpy(copy, text.data, text.length);
    text_end(&text);
    return copy;
}

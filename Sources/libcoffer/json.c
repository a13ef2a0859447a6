/* json.c - reads JSON where it lies: no tree, no copies, bounded depth. */
#include "internal.h"

#include <string.h>

#define DEPTH_LIMIT 64

struct json json_of(struct span text) { return (struct json){text.at, text.at + text.length, 0, false}; }

static void blank(struct json *json) {
    while (json->at < json->end && (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' || *json->at == '\t'))
        json->at++;
}

static bool wrong(struct json *json) {
    json->bad = true;
    json->at = json->end;
    return false;
}

static bool take(struct json *json, char byte) {
    if (json->at == json->end || *json->at != byte) return false;
    json->at++;
    return true;
}

bool json_open(struct json *json, char bracket) {
    blank(json);
    if (json->depth == DEPTH_LIMIT || !take(json, bracket)) return wrong(json);
    json->depth++;
    return true;
}

static bool next(struct json *json, bool *first, char closing) {
    blank(json);
    if (take(json, closing)) {
        json->depth--;
        return false;
    }
    if (!*first && !take(json, ',')) return wrong(json);
    *first = false;
    blank(json);
    return true;
}

bool json_member(struct json *json, bool *first, struct span *name) {
    if (json->bad || !next(json, first, '}')) return false;
    if (!json_string(json, name)) return wrong(json);
    blank(json);
    if (!take(json, ':')) return wrong(json);
    blank(json);
    return true;
}

bool json_element(struct json *json, bool *first) { return !json->bad && next(json, first, ']'); }

bool json_string(struct json *json, struct span *raw) {
    if (!take(json, '"')) return false;
    const char *start = json->at;
    while (json->at < json->end && *json->at != '"') {
        if ((unsigned char)*json->at < 0x20) return wrong(json);
        if (*json->at == '\\' && ++json->at == json->end) return wrong(json);
        json->at++;
    }
    if (json->at == json->end) return wrong(json);
    *raw = (struct span){start, (size_t)(json->at - start)};
    json->at++;
    return true;
}

static bool is_number(char byte) {
    return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' || byte == 'e' || byte == 'E';
}

bool json_number(struct json *json, double *number) {
    // By hand: what the library of C reads depends on the locale.
    double value = 0, scale = 1;
    const char *at = json->at;
    bool minus = at < json->end && *at == '-';
    if (minus) at++;
    const char *digits = at;
    for (; at < json->end && *at >= '0' && *at <= '9'; at++) value = value * 10 + (*at - '0');
    if (at == digits) return false;
    if (at < json->end && *at == '.')
        for (at++; at < json->end && *at >= '0' && *at <= '9'; at++) value += (*at - '0') * (scale /= 10);
    *number = minus ? -value : value;
    while (at < json->end && is_number(*at)) at++;
    json->at = at;
    return true;
}

bool json_whole(struct json *json, uint64_t *number) {
    const char *at = json->at;
    uint64_t value = 0;
    for (; at < json->end && *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');
        if (value > (UINT64_MAX - digit) / 10) return false;
        value = value * 10 + digit;
    }
    if (at == json->at || (at < json->end && is_number(*at))) return false;
    *number = value;
    json->at = at;
    return true;
}

static bool word(struct json *json, const char *text) {
    size_t length = strlen(text);
    if ((size_t)(json->end - json->at) < length || memcmp(json->at, text, length) != 0) return false;
    json->at += length;
    return true;
}

bool json_true(struct json *json) {
    if (word(json, "true")) return true;
    json_skip(json);
    return false;
}

void json_skip(struct json *json) {
    struct span raw;
    double number;
    bool first = true;
    blank(json);
    if (json->at == json->end) {
        wrong(json);
    } else if (*json->at == '{') {
        if (json_open(json, '{'))
            while (json_member(json, &first, &raw)) json_skip(json);
    } else if (*json->at == '[') {
        if (json_open(json, '['))
            while (json_element(json, &first)) json_skip(json);
    } else if (!json_string(json, &raw) && !json->bad && !word(json, "null") && !word(json, "true") &&
               !word(json, "false") && !json_number(json, &number)) {
        wrong(json);
    }
}

static bool hex4(const char *at, const char *end, uint32_t *value) {
    if (end - at < 4) return false;
    *value = 0;
    for (int index = 0; index < 4; index++) {
        char digit = at[index];
        uint32_t part;
        if (digit >= '0' && digit <= '9') part = (uint32_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f') part = (uint32_t)(digit - 'a') + 10;
        else if (digit >= 'A' && digit <= 'F') part = (uint32_t)(digit - 'A') + 10;
        else return false;
        *value = *value << 4 | part;
    }
    return true;
}

static char *utf8(char *to, uint32_t scalar) {
    if (scalar < 0x80) {
        *to++ = (char)scalar;
    } else if (scalar < 0x800) {
        *to++ = (char)(0xC0 | scalar >> 6);
        *to++ = (char)(0x80 | (scalar & 63));
    } else if (scalar < 0x10000) {
        *to++ = (char)(0xE0 | scalar >> 12);
        *to++ = (char)(0x80 | (scalar >> 6 & 63));
        *to++ = (char)(0x80 | (scalar & 63));
    } else {
        *to++ = (char)(0xF0 | scalar >> 18);
        *to++ = (char)(0x80 | (scalar >> 12 & 63));
        *to++ = (char)(0x80 | (scalar >> 6 & 63));
        *to++ = (char)(0x80 | (scalar & 63));
    }
    return to;
}

bool json_decoded(struct span raw, char *to) {
    const char *at = raw.at, *end = raw.at + raw.length;
    while (at < end) {
        if (*at != '\\') {
            *to++ = *at++;
            continue;
        }
        if (++at == end) return false;
        static const char names[] = "\"\\/bfnrt", means[] = "\"\\/\b\f\n\r\t";
        const char *found = strchr(names, *at);
        if (*at && found) {
            *to++ = means[found - names];
            at++;
            continue;
        }
        uint32_t scalar, low;
        if (*at != 'u' || !hex4(at + 1, end, &scalar)) return false;
        at += 5;
        if (scalar >= 0xD800 && scalar < 0xDC00) {
            if (end - at < 6 || at[0] != '\\' || at[1] != 'u' || !hex4(at + 2, end, &low) || low < 0xDC00 ||
                low > 0xDFFF)
                return false;
            scalar = 0x10000 + ((scalar - 0xD800) << 10) + (low - 0xDC00);
            at += 6;
        } else if (scalar >= 0xDC00 && scalar < 0xE000) {
            return false;
        }
        // A NUL would end the text here.
        if (!scalar) return false;
        to = utf8(to, scalar);
    }
    *to = 0;
    return true;
}

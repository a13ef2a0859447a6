/* request.c - requests as bytes: targets, fields, and what the options of callers mean there. */
#include "internal.h"

#include <string.h>

static const char path_bytes[] = "/!$&'()*+,;=:@";

void request_begin(struct request *request, const char *method, const char *storage, const char *key) {
    text_begin(&request->head);
    request->body = (struct piece){NULL, 0};
    request->storage = storage;
    request->key = key;
    request->fd = -1;
    request->no_body = strcmp(method, "HEAD") == 0;
    request->safe = request->no_body || strcmp(method, "GET") == 0;
    request->repeatable = request->safe || strcmp(method, "DELETE") == 0;
    request->want_fd = request->has_length = request->framed = false;
    text_word(&request->head, method);
    text_word(&request->head, " ");
    if (storage) {
        text_word(&request->head, "/v1/storages/");
        text_encoded(&request->head, storage, strlen(storage), "");
    }
}

void request_path(struct request *request, const char *tail) { text_word(&request->head, tail); }

/* Whether something on the way might normalise it: a segment is empty, `.` or `..`. */
static bool is_odd(const char *key) {
    for (const char *at = key;;) {
        size_t length = strcspn(at, "/");
        if (length == 0 || (length <= 2 && strncmp(at, "..", length) == 0)) return true;
        if (!at[length]) return false;
        at += length + 1;
    }
}

void request_key(struct request *request, const char *kind, const char *key) {
    text_word(&request->head, "/");
    if (is_odd(key)) {
        // Such keys travel in the query.
        text_word(&request->head, strcmp(kind, "objects") == 0 ? "object" : kind);
        request_query(request, "key", key);
        return;
    }
    text_word(&request->head, kind);
    text_word(&request->head, "/");
    text_encoded(&request->head, key, strlen(key), path_bytes);
}

void request_query(struct request *request, const char *name, const char *value) {
    if (!value) return;
    const char *more = memchr(request->head.data, '?', request->head.length) ? "&" : "?";
    text_word(&request->head, more);
    text_word(&request->head, name);
    text_word(&request->head, "=");
    text_encoded(&request->head, value, strlen(value), "");
}

void request_count(struct request *request, const char *name, uint64_t number) {
    if (number == COFFER_ALL) return;
    request_query(request, name, "");
    text_number(&request->head, number);
}

void request_fields(struct request *request) { text_word(&request->head, " HTTP/1.1\r\nHost: coffer\r\n"); }

int request_field(struct request *request, const char *name, const char *value, const char *what,
                  coffer_failure *failure) {
    if (!value) return COFFER_CODE_OK;
    for (const char *at = value; *at; at++)
        if (((unsigned char)*at < 0x20 && *at != '\t') || *at == 0x7F)
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "%s has a control character", what);
    text_word(&request->head, name);
    text_word(&request->head, ": ");
    text_word(&request->head, value);
    text_word(&request->head, "\r\n");
    return COFFER_CODE_OK;
}

static int match(struct request *request, const char *name, const char *etag, const char *what,
                 coffer_failure *failure) {
    if (!etag) return COFFER_CODE_OK;
    if (strcmp(etag, "*") == 0) return request_field(request, name, etag, what, failure);
    for (const char *at = etag; *at; at++)
        if ((unsigned char)*at < 0x21 || *at == '"' || *at == 0x7F)
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "%s is no etag: it has a character that none has", what);
    text_word(&request->head, name);
    text_word(&request->head, ": \"");
    text_word(&request->head, etag);
    text_word(&request->head, "\"\r\n");
    return COFFER_CODE_OK;
}

int request_match(struct request *request, const char *if_match, const char *if_none_match, coffer_failure *failure) {
    int code = match(request, "If-Match", if_match, "if_match", failure);
    return code ? code : match(request, "If-None-Match", if_none_match, "if_none_match", failure);
}

static int metadata(struct request *request, const coffer_pair *pairs, size_t count, coffer_failure *failure) {
    // Visible ASCII but the percent sign travels as it is.
    static const char visible[] = "!\"#$&'()*+,/:;<=>?@[\\]^`{|}";
    for (size_t index = 0; index < count; index++) {
        const char *name = pairs[index].name, *value = pairs[index].value;
        if (!name || !*name || !value)
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "metadata needs a name and a value");
        for (const char *at = name; *at; at++)
            if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.!#$%&'*+^`|~", *at))
                return fail(failure, COFFER_CODE_INVALID_ARGUMENT,
                            "the metadata name %s has more than letters, digits, -, _ and .", name);
        text_word(&request->head, "Coffer-Meta-");
        text_word(&request->head, name);
        text_word(&request->head, ": ");
        text_encoded(&request->head, value, strlen(value), visible);
        text_word(&request->head, "\r\n");
    }
    return COFFER_CODE_OK;
}

static int nibble(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
    return -1;
}

/* Hexadecimal digits as base64. */
static bool base64(struct text *text, const char *hex) {
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(hex) / 2;
    if (strlen(hex) % 2) return false;
    for (size_t at = 0; at < length; at += 3) {
        uint32_t group = 0;
        size_t have = length - at < 3 ? length - at : 3;
        for (size_t index = 0; index < have; index++) {
            int high = nibble(hex[2 * (at + index)]), low = nibble(hex[2 * (at + index) + 1]);
            if (high < 0 || low < 0) return false;
            group |= (uint32_t)(high << 4 | low) << (16 - 8 * index);
        }
        char four[4] = {letters[group >> 18], letters[group >> 12 & 63], have > 1 ? letters[group >> 6 & 63] : '=',
                        have > 2 ? letters[group & 63] : '='};
        text_add(text, four, 4);
    }
    return true;
}

static int digests(struct request *request, const coffer_pair *pairs, size_t count, coffer_failure *failure) {
    if (count) text_word(&request->head, "Content-Digest: ");
    for (size_t index = 0; index < count; index++) {
        const char *algorithm = pairs[index].name;
        if (!algorithm || !pairs[index].value)
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "a checksum needs an algorithm and a value");
        if (strcmp(algorithm, "sha256") == 0) algorithm = "sha-256";
        if (strcmp(algorithm, "sha512") == 0) algorithm = "sha-512";
        if (index) text_word(&request->head, ", ");
        // A word that nobody here knows is the host's to refuse.
        text_encoded(&request->head, algorithm, strlen(algorithm), "");
        text_word(&request->head, "=:");
        if (!base64(&request->head, pairs[index].value))
            return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "the %s checksum is not hexadecimal", algorithm);
        text_word(&request->head, ":");
    }
    if (count) text_word(&request->head, "\r\n");
    return COFFER_CODE_OK;
}

int request_terms(struct request *request, const coffer_write_options *options, coffer_failure *failure) {
    const struct {
        const char *name, *value, *what;
    } fields[] = {
        {"Content-Type", options->content_type, "content_type"},
        {"Content-Encoding", options->content_encoding, "content_encoding"},
        {"Content-Disposition", options->content_disposition, "content_disposition"},
        {"Content-Language", options->content_language, "content_language"},
        {"Cache-Control", options->cache_control, "cache_control"},
        {"Idempotency-Key", options->idempotency_key, "idempotency_key"},
    };
    int code = COFFER_CODE_OK;
    for (size_t index = 0; !code && index < sizeof fields / sizeof fields[0]; index++)
        code = request_field(request, fields[index].name, fields[index].value, fields[index].what, failure);
    if (!code) code = metadata(request, options->metadata, options->metadata_count, failure);
    if (!code) code = request_match(request, options->if_match, options->if_none_match, failure);
    if (!code) code = digests(request, options->checksums, options->checksum_count, failure);
    return code;
}

int request_range(struct request *request, const coffer_read_options *options, coffer_failure *failure) {
    bool suffix = options->suffix != COFFER_ALL, length = options->length != COFFER_ALL;
    if (suffix && (options->offset || length))
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "a suffix goes with neither offset nor length");
    if (length && !options->length)
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "a range of no bytes cannot be read");
    if (options->offset > INT64_MAX)
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "no object has an offset of more than 63 bits");
    if (!suffix && !length && !options->offset) return COFFER_CODE_OK;
    text_word(&request->head, "Range: bytes=");
    if (!suffix) text_number(&request->head, options->offset);
    text_word(&request->head, "-");
    if (suffix) {
        text_number(&request->head, options->suffix < INT64_MAX ? options->suffix : INT64_MAX);
    } else if (length) {
        uint64_t room = INT64_MAX - options->offset, take = options->length - 1;
        text_number(&request->head, options->offset + (take < room ? take : room));
    }
    text_word(&request->head, "\r\n");
    return COFFER_CODE_OK;
}

void request_json(struct request *request, struct text *body) {
    text_word(&request->head, "Content-Type: application/json\r\n");
    request->body = (struct piece){body->data, body->length};
    request->has_length = true;
    // No memory for the body is no memory for the request.
    if (body->failed) request->head.failed = true;
}

int options_taken(void *into, size_t size, const void *from, coffer_failure *failure) {
    size_t given;
    if (!from) return COFFER_CODE_OK;
    memcpy(&given, from, sizeof given);
    if (given < sizeof given)
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "options have no struct_size: begin them with their _INIT");
    // What a newer program says beyond what is known here cannot be honoured, unless it says nothing.
    memcpy(into, from, given < size ? given : size);
    return COFFER_CODE_OK;
}

int read_options(coffer_read_options *into, const coffer_read_options *from, coffer_failure *failure) {
    *into = (coffer_read_options)COFFER_READ_OPTIONS_INIT;
    return options_taken(into, sizeof *into, from, failure);
}

int write_options(coffer_write_options *into, const coffer_write_options *from, coffer_failure *failure) {
    *into = (coffer_write_options)COFFER_WRITE_OPTIONS_INIT;
    return options_taken(into, sizeof *into, from, failure);
}

int request_get(struct request *request, const char *storage, const char *key, const coffer_read_options *options,
                bool want_fd, coffer_failure *failure) {
    request_begin(request, "GET", storage, key);
    request_key(request, "objects", key);
    request_query(request, "version", options->version);
    request_fields(request);
    if (want_fd) text_word(&request->head, "Prefer: coffer-fd\r\n");
    request->want_fd = want_fd;
    int code = request_range(request, options, failure);
    return code ? code : request_match(request, options->if_match, options->if_none_match, failure);
}

int request_put(struct request *request, const char *storage, const char *key, const coffer_write_options *options,
                coffer_failure *failure) {
    request_begin(request, key ? "PUT" : "POST", storage, key);
    if (key) {
        request_key(request, "objects", key);
    } else {
        request_path(request, "/objects");
        request_query(request, "filename", options->filename);
        request_query(request, "location", options->location && *options->location ? options->location : NULL);
    }
    request_query(request, "on_conflict", options->on_conflict);
    request_fields(request);
    request->repeatable = key && options->idempotency_key;
    if (!key && (options->if_match || options->if_none_match))
        return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "a key that the host makes takes no conditions");
    return request_terms(request, options, failure);
}

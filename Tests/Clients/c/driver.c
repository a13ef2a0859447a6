/* driver.c - does the steps of scenarios with the C client: one step as JSON on a line of its input, one answer as JSON
 * on a line of its output, {"result": ...} or {"error": ...}. Bodies are paths of files. What a verb does not know ends it.
 *
 * It calls the public API alone; only its own JSON is read and written by the library's own files. */
#include "step.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static coffer_client *client;
static coffer_failure failure;

static coffer_write_options terms(void) {
    coffer_write_options options = COFFER_WRITE_OPTIONS_INIT;
    coffer_pair *metadata = NULL, *checksums = NULL;
    options.on_conflict = text("on_conflict");
    options.if_match = text("if_match");
    options.if_none_match = text("if_none_match");
    options.content_type = text("content_type");
    options.content_encoding = text("content_encoding");
    options.content_disposition = text("content_disposition");
    options.content_language = text("content_language");
    options.cache_control = text("cache_control");
    options.idempotency_key = text("idempotency_key");
    options.metadata_count = pairs("metadata", &metadata);
    options.metadata = metadata;
    options.checksum_count = pairs("checksums", &checksums);
    options.checksums = checksums;
    return options;
}

static coffer_read_options part(void) {
    coffer_read_options options = COFFER_READ_OPTIONS_INIT;
    options.offset = number("offset", 0);
    options.length = number("length", COFFER_ALL);
    options.suffix = number("suffix", COFFER_ALL);
    options.if_match = text("if_match");
    options.if_none_match = text("if_none_match");
    return options;
}

/* ---- answers ---- */

static void put_object(const coffer_object *object) {
    put("{");
    put_text("storage", object->storage), put(",");
    put_text("backend", object->backend), put(",");
    put_text("key", object->key), put(",");
    put_number("size", object->size), put(",");
    put_text("etag", object->etag), put(",");
    put_text("version", object->version), put(",");
    put_text("modified", object->modified), put(",");
    put_text("created", object->created), put(",");
    put_text("content_type", object->content_type), put(",");
    put_text("content_encoding", object->content_encoding), put(",");
    put_text("content_disposition", object->content_disposition), put(",");
    put_text("content_language", object->content_language), put(",");
    put_text("cache_control", object->cache_control), put(",");
    put_number("generation", object->generation), put(",\"checksum\":");
    if (object->checksum_value) {
        put("{"), put_text("algorithm", object->checksum_algorithm), put(",");
        put_text("value", object->checksum_value), put("}");
    } else {
        put("null");
    }
    put(",\"metadata\":");
    if (!object->metadata) put("null");
    for (size_t index = 0; object->metadata && index <= object->metadata_count; index++) {
        if (index < object->metadata_count) {
            put(index ? "," : "{");
            put_text(object->metadata[index].name, object->metadata[index].value);
        } else {
            put(index ? "}" : "{}");
        }
    }
    put("}");
}

/* ---- the verbs: each gives a code, and has written its result where that is 0 ---- */

static const char *storage, *key;
static coffer_object *object;

static int object_of(int code) {
    if (!code) put_object(object);
    coffer_free(object);
    object = NULL;
    return code;
}

static int nothing_of(int code) {
    if (!code) put("{}");
    return code;
}

static int do_put(void) {
    size_t length;
    coffer_write_options options = terms();
    char *data = contents(&length);
    return object_of(coffer_put(client, storage, key, data, length, &options, &object, &failure));
}

static int do_put_file(void) {
    coffer_write_options options = terms();
    return object_of(coffer_put_file(client, storage, key, text("body"), &options, &object, &failure));
}

static int do_create(void) {
    coffer_write_options options = terms();
    size_t length;
    char *data = contents(&length);
    options.filename = text("filename");
    options.location = text("location");
    return object_of(coffer_put(client, storage, NULL, data, length, &options, &object, &failure));
}

static int stream(bool abandoned) {
    coffer_write_options options = terms();
    coffer_writer *writer;
    size_t length, piece = (size_t)number("piece", 0);
    char *data = contents(&length);
    if (flag("announced")) options.length = length;
    if (abandoned) length = (size_t)number("after", 0);
    int code = coffer_writer_begin(client, storage, key, &options, &writer, &failure);
    if (code) return code;
    for (size_t done = 0; !code && done < length; done += piece)
        code = coffer_writer_append(writer, data + done, length - done < piece ? length - done : piece, &failure);
    if (!code && !abandoned) return object_of(coffer_writer_commit(writer, &object, &failure));
    coffer_writer_abort(writer);
    return abandoned ? nothing_of(code) : code;
}

static int do_put_stream(void) { return stream(false); }
static int do_abandon(void) { return stream(true); }

static int into_file(void) {
    int fd = open(text("into"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) die("the result has no place");
    return fd;
}

/* The three ways to read whole, which must agree. */
static int do_get(void) {
    coffer_read_options options = part();
    void *data;
    size_t length, again;
    int fd = into_file();
    int code = coffer_get(client, storage, key, &options, &data, &length, NULL, &failure);
    if (!code) {
        char *buffer = malloc(length + 1);
        if (!buffer || coffer_get_into(client, storage, key, &options, buffer, length, &again, NULL) || again != length ||
            memcmp(buffer, data, length))
            die("coffer_get_into reads something else than coffer_get");
        free(buffer);
        code = coffer_get_fd(client, storage, key, &options, fd, NULL, &failure);
        if (code) die("coffer_get_fd fails where coffer_get does not");
        coffer_free(data);
    }
    close(fd);
    return nothing_of(code);
}

static int do_read(void) {
    coffer_read_options options = part();
    coffer_reader *reader;
    size_t piece = (size_t)number("piece", 0), count = 1;
    char *buffer = hold(malloc(piece));
    int fd = into_file();
    int code = coffer_reader_open(client, storage, key, &options, &reader, &failure);
    if (!code) {
        while (!code && count) {
            code = coffer_reader_read(reader, buffer, piece, &count, &failure);
            if (!code && write(fd, buffer, count) != (ssize_t)count) die("the result cannot be written");
        }
        if (!code) put_object(coffer_reader_object(reader));
        coffer_reader_close(reader);
    }
    close(fd);
    return code;
}

static int do_seek(void) {
    struct argument *reads = find("reads");
    struct json json = json_of(reads->raw);
    coffer_reader *reader;
    int fd = into_file();
    int code = coffer_reader_open(client, storage, key, NULL, &reader, &failure);
    bool first = true, any = false;
    if (code) return code;
    json_open(&json, '[');
    put("{\"counts\":[");
    while (!code && json_element(&json, &first)) {
        uint64_t position = 0, wanted = 0, done = 0;
        bool inner = true;
        json_open(&json, '['), json_element(&json, &inner), json_whole(&json, &position);
        json_element(&json, &inner), json_whole(&json, &wanted), json_element(&json, &inner);
        code = coffer_reader_seek(reader, position, &failure);
        char buffer[4096];
        for (size_t count = 1; !code && count && done < wanted; done += count) {
            code = coffer_reader_read(reader, buffer, (size_t)(wanted - done), &count, &failure);
            if (write(fd, buffer, count) != (ssize_t)count) die("the result cannot be written");
        }
        put(any ? "," : ""), text_number(&out, done);
        any = true;
    }
    put("]}");
    coffer_reader_close(reader);
    close(fd);
    return code;
}

static int do_stat(void) {
    coffer_read_options options = part();
    return object_of(coffer_stat(client, storage, key, &options, &object, &failure));
}

static int do_exists(void) {
    int exists;
    int code = coffer_exists(client, storage, key, &exists, &failure);
    if (!code) put(exists ? "{\"exists\":true}" : "{\"exists\":false}");
    return code;
}

static int do_list(void) {
    coffer_list_options options = COFFER_LIST_OPTIONS_INIT;
    coffer_listing *listing;
    const coffer_line *entry;
    options.prefix = text("prefix");
    options.delimiter = text("delimiter");
    options.start_after = text("start_after");
    int code = coffer_listing_open(client, storage, &options, &listing, &failure);
    if (code) return code;
    put("{\"entries\":[");
    bool any = false;
    while (!(code = coffer_listing_next(listing, &entry, &failure)) && entry) {
        put(any ? ",[" : "["), text_json(&out, entry->key), put(entry->object ? ",true]" : ",false]");
        any = true;
    }
    put("]}");
    coffer_listing_close(listing);
    return code;
}

static void put_texts(const char *name, const char *const *texts, size_t count) {
    text_json(&out, name), put(":[");
    for (size_t index = 0; index < count; index++) put(index ? "," : ""), text_json(&out, texts[index]);
    put("]");
}

static int do_page(void) {
    coffer_page_options options = COFFER_PAGE_OPTIONS_INIT;
    coffer_page *page;
    options.prefix = text("prefix");
    options.delimiter = text("delimiter");
    options.start_after = text("start_after");
    options.cursor = text("cursor");
    options.limit = number("limit", COFFER_ALL);
    int code = coffer_page_read(client, storage, &options, &page, &failure);
    if (code) return code;
    put("{\"keys\":[");
    for (size_t index = 0; index < page->object_count; index++) {
        if (strcmp(page->objects[index]->storage, storage)) die("an object of a page is of another storage");
        put(index ? "," : ""), text_json(&out, page->objects[index]->key);
    }
    put("],"), put_texts("prefixes", page->prefixes, page->prefix_count), put(",");
    put_text("cursor", page->cursor), put("}");
    coffer_free(page);
    return code;
}

static int do_containers(void) {
    coffer_containers *containers;
    int code = coffer_containers_list(client, storage, &containers, &failure);
    if (code) return code;
    put("{\"names\":[");
    for (size_t index = 0; index < containers->count; index++)
        put(index ? "," : ""), text_json(&out, containers->items[index].name);
    put("]}");
    coffer_free(containers);
    return code;
}

static int do_make_container(void) {
    return nothing_of(coffer_container_make(client, storage, text("name"), &failure));
}

static int do_remove_container(void) {
    return nothing_of(coffer_container_remove(client, storage, text("name"), &failure));
}

static int do_delete(void) { return nothing_of(coffer_delete(client, storage, key, text("if_match"), &failure)); }

static int do_delete_many(void) {
    struct json json = json_of(find("keys")->raw);
    coffer_pair keys[MOST];
    size_t count = 0;
    bool first = true;
    coffer_deletions *deletions;
    json_open(&json, '[');
    while (json_element(&json, &first) && count < MOST) {
        bool inner = true;
        struct span name;
        keys[count] = (coffer_pair){NULL, NULL};
        if (*json.at == '"') {
            keys[count].name = next_text(&json);
        } else if (json_open(&json, '{')) {
            while (json_member(&json, &inner, &name))
                *(span_is(name, "key") ? &keys[count].name : &keys[count].value) = next_text(&json);
        }
        count++;
    }
    int code = coffer_delete_many(client, storage, keys, count, &deletions, &failure);
    if (code) return code;
    put("{\"results\":[");
    for (size_t index = 0; index < deletions->item_count; index++) {
        const coffer_deletion *item = &deletions->items[index];
        put(index ? ",{" : "{"), put_text("key", item->key), put(","), put_text("code", item->word), put("}");
        if (item->code && strcmp(item->word, coffer_code_word(item->code))) die("a deletion's code is not its word");
    }
    put("]}");
    coffer_free(deletions);
    return code;
}

static int do_delete_prefix(void) {
    coffer_deletions *deletions;
    unsigned flags = (flag("dry_run") ? COFFER_DRY_RUN : 0) | (flag("force") ? COFFER_FORCE : 0);
    int code = coffer_delete_prefix(client, storage, text("prefix"), flags, &deletions, &failure);
    if (code) return code;
    put("{"), put_number("count", deletions->count), put(",");
    put_texts("keys", deletions->keys, deletions->key_count), put("}");
    coffer_free(deletions);
    return code;
}

static int transfer(int (*verb)(coffer_client *, const char *, const char *, const char *, const coffer_copy_options *,
                                coffer_object **, coffer_failure *)) {
    coffer_copy_options options = COFFER_COPY_OPTIONS_INIT;
    options.to_storage = text("to_storage");
    options.on_conflict = text("on_conflict");
    options.if_match = text("if_match");
    options.if_none_match = text("if_none_match");
    options.source_if_match = text("source_if_match");
    return object_of(verb(client, storage, key, text("to"), &options, &object, &failure));
}

static int do_copy(void) { return transfer(coffer_copy); }
static int do_move(void) { return transfer(coffer_move); }

static int do_duplicate(void) {
    return object_of(coffer_duplicate(client, storage, key, text("to_storage"), &object, &failure));
}

static int do_change(void) {
    static const char *const names[] = {"content_type", "content_encoding", "content_disposition", "content_language",
                                        "cache_control"};
    coffer_pair fields[5], *metadata = NULL;
    size_t count = 0;
    for (size_t index = 0; index < 5; index++)
        if (find(names[index])) fields[count++] = (coffer_pair){names[index], text(names[index])};
    size_t metadata_count = pairs("metadata", &metadata);
    return object_of(coffer_change(client, storage, key, fields, count, metadata, metadata_count, text("if_match"),
                                   &object, &failure));
}

static int do_url(void) {
    char *url;
    int code = coffer_url(client, storage, key, &url, &failure);
    if (code) return code;
    put("{"), put_text("url", url), put("}");
    coffer_free(url);
    return code;
}

static int do_link(void) {
    coffer_link_options options = COFFER_LINK_OPTIONS_INIT;
    coffer_link *link;
    options.method = text("method");
    options.expires_in = number("expires_in", 0);
    options.content_type = text("content_type");
    options.size = number("size", COFFER_ALL);
    options.filename = text("filename");
    int code = coffer_link_make(client, storage, key, &options, &link, &failure);
    if (code) return code;
    put("{"), put_text("url", link->url), put(","), put_text("method", link->method), put(",");
    put_text("expires_at", link->expires_at), put(",\"required_headers\":{");
    for (size_t index = 0; index < link->header_count; index++)
        put(index ? "," : ""), put_text(link->headers[index].name, link->headers[index].value);
    put("}}");
    coffer_free(link);
    return code;
}

static int do_request(void) {
    char *answer;
    const char *body = text("document");
    int code = coffer_request(client, text("method"), text("target"), body, body ? strlen(body) : 0, &answer, NULL,
                              &failure);
    if (code) return code;
    // Between the values of JSON a line end is as good as a space.
    for (char *at = answer; at && (at = strchr(at, '\n'));) *at = ' ';
    put(answer ? answer : "{}");
    coffer_free(answer);
    return code;
}

static const struct {
    const char *name;
    int (*run)(void);
} verbs[] = {{"put", do_put}, {"put_file", do_put_file}, {"put_stream", do_put_stream}, {"abandon", do_abandon},
             {"create", do_create}, {"get", do_get}, {"read", do_read}, {"seek", do_seek}, {"stat", do_stat},
             {"exists", do_exists}, {"list", do_list}, {"page", do_page}, {"containers", do_containers},
             {"make_container", do_make_container}, {"remove_container", do_remove_container}, {"delete", do_delete}, {"delete_many", do_delete_many},
             {"delete_prefix", do_delete_prefix}, {"copy", do_copy}, {"move", do_move}, {"duplicate", do_duplicate},
             {"change", do_change}, {"url", do_url}, {"link", do_link}, {"request", do_request}};

static void step(struct span line) {
    struct json json = json_of(line);
    bool first = true;
    argument_count = 0;
    json_open(&json, '{');
    while (argument_count < MOST && json_member(&json, &first, &arguments[argument_count].name)) {
        const char *from = json.at;
        json_skip(&json);
        arguments[argument_count].raw = (struct span){from, (size_t)(json.at - from)};
        arguments[argument_count++].used = false;
    }
    if (json.bad) die("a step is no JSON");
    const char *name = text("call");
    storage = text("storage");
    key = text("key");
    failure = (coffer_failure)COFFER_FAILURE_INIT;
    text_begin(&out);
    put("{\"result\":");
    size_t index = 0, count = sizeof verbs / sizeof verbs[0];
    while (index < count && strcmp(verbs[index].name, name)) index++;
    if (index == count) die(name);
    int code = verbs[index].run();
    for (index = 0; index < argument_count; index++)
        if (!arguments[index].used) die("a verb does not know an argument");
    if (code) {
        text_end(&out);
        if (code != failure.code) die("a call returned another code than it told");
        put("{\"error\":{");
        put_text("code", failure.word), put(","), put_text("detail", failure.detail), put(",");
        put_text("storage", *failure.storage ? failure.storage : NULL), put(",");
        put_text("key", *failure.key ? failure.key : NULL), put(failure.retryable ? ",\"retryable\":true" : ",\"retryable\":false");
        put(failure.maybe_applied ? ",\"maybe_applied\":true," : ",\"maybe_applied\":false,");
        put_number("status", failure.status ? (uint64_t)failure.status : COFFER_ALL), put(",");
        put_number("retry_after", failure.retry_after >= 0 ? (uint64_t)failure.retry_after : COFFER_ALL), put("}");
    }
    put("}\n");
    if (out.failed || fwrite(out.data, 1, out.length, stdout) != out.length || fflush(stdout)) die("no answer");
    text_end(&out);
    while (held_count) free(held[--held_count]);
}

int main(int count, char **words) {
    char *line = NULL;
    size_t room = 0;
    ssize_t length;
    if (count != 2 || coffer_client_open(words[1], NULL, &client, &failure)) die("usage: driver SOCKET");
    while ((length = getline(&line, &room, stdin)) > 0) step((struct span){line, (size_t)length});
    free(line);
    coffer_client_close(client);
    return 0;
}

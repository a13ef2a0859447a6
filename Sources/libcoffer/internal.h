/* internal.h - what the files of libcoffer share. Nothing here is seen from outside.
 *
 *     verbs, get, put, reader, writer, listing, ...  the API
 *       └─▶ exchange ─▶ pool ─▶ connection ─▶ head  a request and its answer
 *       └─▶ request, object ─▶ text, json           what both mean
 */
#ifndef COFFER_INTERNAL_H
#define COFFER_INTERNAL_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "coffer.h"

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

/* The most that a head may have, ours and the host's. */
#define HEAD_LIMIT ((size_t)64 << 10)
/* The most that a JSON answer may have: the largest one tells of 10000 keys. */
#define DOCUMENT_LIMIT ((size_t)64 << 20)
/* A descriptor is worth its calls from here on. */
#define DESCRIPTOR_FROM ((size_t)64 << 10)
#define PIECE ((size_t)256 << 10)

/* ---- text.c: bytes that grow, begun in place so that a small request needs no memory ---- */

struct text {
    char  *data;
    size_t length, capacity;
    bool   failed; /* there was no memory */
    char   own[3584];
};

struct span {
    const char *at;
    size_t      length;
};

void text_begin(struct text *text);
void text_end(struct text *text);
void text_add(struct text *text, const char *data, size_t length);
void text_word(struct text *text, const char *word);
void text_number(struct text *text, uint64_t number);
void text_json(struct text *text, const char *value);
/* Percent-encodes what is not a letter, a digit, one of -._~ or in `more`. */
void text_encoded(struct text *text, const char *value, size_t length, const char *more);
/* Undoes percent-encoding; `to` has room for `from` and a NUL. Gives the length. */
size_t percent_decoded(struct span from, char *to);
bool span_is(struct span span, const char *word);

/* ---- failure.c ---- */

int fail(coffer_failure *failure, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
int fail_memory(coffer_failure *failure);
/* Says more of a failure that was told by fail. */
void fail_more(coffer_failure *failure, bool retryable, bool maybe_applied);
void fail_where(coffer_failure *failure, const char *storage, const char *key);
/* The failure that an answer of `status` with this body tells. */
int fail_problem(coffer_failure *failure, int status, struct span body, int64_t retry_after);
int code_of_word(struct span word);
/* What a number of errno means; `room` may be used for it. */
const char *system_word(int number, char *room, size_t size);

/* ---- json.c: reads one value after the other; `bad` once it is no JSON ---- */

struct json {
    const char *at, *end;
    int         depth;
    bool        bad;
};

struct json json_of(struct span text);
bool json_open(struct json *json, char bracket);
/* The next member or element; false at the end, which is read too. `first` begins as true. */
bool json_member(struct json *json, bool *first, struct span *name);
bool json_element(struct json *json, bool *first);
/* The raw text of a string; false, and nothing read, where it is something else. */
bool json_string(struct json *json, struct span *raw);
bool json_number(struct json *json, double *number);
bool json_whole(struct json *json, uint64_t *number);
bool json_true(struct json *json);
void json_skip(struct json *json);
/* Writes what a raw text means, and a NUL; never more than its length and one. False where that cannot be. */
bool json_decoded(struct span raw, char *to);

/* ---- head.c ---- */

struct head {
    int         status;
    uint64_t    length;
    bool        chunked, close;
    bool        passed; /* a descriptor is told of */
    uint64_t    fd_offset, fd_length;
    int         fd; /* the descriptor that came; -1 without */
    int64_t     retry_after;
    struct span fields; /* where the connection has them; good until its body is read */
};

/* NULL, or what is wrong with it. `raw` ends before the empty line. */
const char *head_read(struct head *head, struct span raw);
bool head_field(const struct head *head, const char *name, struct span *value);
/* The next field from *place on; false at the end. */
bool head_next(const struct head *head, size_t *place, struct span *name, struct span *value);
/* First byte, the one after the last, and the whole size that a GET's answer tells. */
void head_part(const struct head *head, uint64_t *start, uint64_t *stop, uint64_t *size);

/* ---- connection.c: one connection, with one exchange at a time ---- */

enum outcome {
    DONE = 0,
    CLOSED,    /* the host went away */
    LATE,      /* it was silent for too long */
    EARLY,     /* it answered before it had everything */
    MALFORMED, /* what came is not an answer of a host: see `wrong` */
    FAILED     /* a system call failed: see `number` */
};

enum place { AT_SIZE, IN_CHUNK, AT_CHUNK_END, AT_TRAILERS };

struct connection {
    struct connection *next;
    int                socket;
    pid_t              pid;
    uint32_t           timeout_ms;
    uint64_t           left; /* of the body, or of its chunk */
    bool               chunked, keep, before_answer;
    enum place         place;
    int                fd;
    int                number;
    size_t             sent; /* of this request */
    const char        *wrong;
    size_t             start, end; /* what came and is not read */
    char               buffer[HEAD_LIMIT];
};

struct piece {
    const void *data;
    size_t      size;
};

int connection_open(const char *path, uint32_t timeout_ms, struct connection **connection, coffer_failure *failure);
void connection_close(struct connection *connection);
bool connection_alive(struct connection *connection);
bool connection_reusable(const struct connection *connection);
enum outcome connection_send(struct connection *connection, const struct piece *pieces, size_t count, int fd);
enum outcome connection_receive(struct connection *connection, struct head *head, bool no_body, bool want_fd);
/* Some of the body; *length is 0 only at its end, or for no capacity. */
enum outcome connection_read(struct connection *connection, void *buffer, size_t capacity, size_t *length);
/* All of a body that does not exceed `limit`, with a NUL behind it; MALFORMED where it does. The caller frees it. */
enum outcome connection_read_all(struct connection *connection, size_t limit, char **data, size_t *length);

/* ---- pool.c ---- */

struct coffer_client {
    coffer_client     *next, *previous; /* of all clients, for forks */
    char              *path;
    uint32_t           timeout_ms, idle_limit;
    pthread_mutex_t    lock;
    pid_t              pid;
    struct connection *idle;
    uint32_t           idle_count;
};

int pool_acquire(coffer_client *client, bool must_live, struct connection **connection, bool *is_old,
                 coffer_failure *failure);
void pool_release(coffer_client *client, struct connection *connection);
void pool_discard(coffer_client *client);

/* ---- exchange.c ---- */

struct request {
    struct text  head; /* without its empty line until it is sent */
    struct piece body;
    const char  *storage, *key; /* for failures */
    int          fd;            /* to send beside the head; -1 without */
    bool         safe;          /* changes nothing */
    bool         repeatable;    /* twice does the same as once */
    bool         no_body;       /* of the answer: HEAD */
    bool         want_fd;
    bool         has_length; /* Content-Length is to be said */
    bool         framed;     /* nothing more is to be said of the body */
};

/* Sends a whole request, once more where that is right; on success the body of the answer waits on *connection. */
int exchange(coffer_client *client, struct request *request, struct head *head, struct connection **connection,
             coffer_failure *failure);
/* Sends the head of a request whose body follows in pieces. */
int exchange_begin(coffer_client *client, struct request *request, struct connection **connection,
                   coffer_failure *failure);
/* Reads the whole answer, gives the connection back, and tells the failure that it may be. *data is the caller's. */
int exchange_finish(coffer_client *client, struct connection *connection, struct head *head, bool keep,
                    const struct request *request, char **data, size_t *length, coffer_failure *failure);
/* Both, for a request whose answer is JSON. Ends `request`. */
int exchange_json(coffer_client *client, struct request *request, char **data, size_t *length,
                  coffer_failure *failure);
/* What callers are told of a connection that broke. */
int exchange_broken(coffer_client *client, const struct connection *connection, enum outcome outcome, bool safe,
                    coffer_failure *failure);
int exchange_not_understood(const coffer_client *client, coffer_failure *failure);

/* ---- request.c ---- */

void request_begin(struct request *request, const char *method, const char *storage, const char *key);
/* Parts of the target, in this order. */
void request_path(struct request *request, const char *tail);
void request_key(struct request *request, const char *kind, const char *key);
void request_query(struct request *request, const char *name, const char *value);
/* A number in the query; COFFER_ALL is none. */
void request_count(struct request *request, const char *name, uint64_t number);
/* Ends the target; fields follow. */
void request_fields(struct request *request);
int request_field(struct request *request, const char *name, const char *value, const char *what,
                  coffer_failure *failure);
int request_match(struct request *request, const char *if_match, const char *if_none_match, coffer_failure *failure);
int request_terms(struct request *request, const coffer_write_options *options, coffer_failure *failure);
int request_range(struct request *request, const coffer_read_options *options, coffer_failure *failure);
void request_json(struct request *request, struct text *body);
/* The caller's options up to their struct_size, over what they are without a word. */
int options_taken(void *into, size_t size, const void *from, coffer_failure *failure);
int read_options(coffer_read_options *into, const coffer_read_options *from, coffer_failure *failure);
int write_options(coffer_write_options *into, const coffer_write_options *from, coffer_failure *failure);
/* A whole GET of an object, ready to be sent. */
int request_get(struct request *request, const char *storage, const char *key, const coffer_read_options *options,
                bool want_fd, coffer_failure *failure);
/* The head of a write, without what says how long its body is. */
int request_put(struct request *request, const char *storage, const char *key, const coffer_write_options *options,
                coffer_failure *failure);

/* ---- object.c ---- */

/* Where texts of a block go. */
struct arena {
    char *at, *end;
};

/* Reads one value as an object; `pairs` has room for what json_pairs counted. */
bool object_fill(coffer_object *object, struct json *json, coffer_pair *pairs, struct arena *arena);
size_t object_pairs(struct json json);
coffer_object *object_of_json(struct span text);
coffer_object *object_of_head(const struct head *head, const char *key, uint64_t size);
bool arena_text(struct arena *arena, struct span raw, const char **text);
/* A text, or nothing where null stands. */
bool json_text(struct json *json, struct arena *arena, const char **text);
int object_answer(coffer_client *client, struct request *request, coffer_object **object, coffer_failure *failure);

/* ---- files.c: bytes between descriptors ---- */

/* pread of all of it; a file that ends before is corrupt. */
int file_read(int fd, uint64_t offset, void *buffer, size_t length, coffer_failure *failure);
int file_copy(int from, uint64_t offset, uint64_t length, int to, coffer_failure *failure);
int file_write(int to, const void *data, size_t length, coffer_failure *failure);

#endif

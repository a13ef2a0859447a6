/* coffer.h - the C client of Coffer: storage by name, over the host's Unix socket. Link with -lcoffer.
 *
 * SPDX-License-Identifier: 0BSD   (this header alone, so that any program, free or not, may include it)
 *
 * THE RULES
 *
 *  1  Results. A function that can fail returns a code: COFFER_CODE_OK (0) or what went wrong. Its last argument, which
 *     may be NULL, is then filled in with the story. Results are set on success alone, unless their function says more.
 *     No other pointer is NULL unless its function says so.
 *  2  Ownership. What a caller passes in is read during the call and never kept. What the library hands out behind a
 *     pointer to a pointer is one block, the caller's, and is freed by coffer_free, with all texts and lists inside it.
 *     Handles (coffer_client, coffer_reader, coffer_writer, coffer_listing) end by the function that each one names.
 *  3  Threads. One coffer_client serves any number of threads at once. A reader, a writer or a listing may move from one
 *     thread to another, and is used by one at a time.
 *  4  Forks. In a child, a client makes connections of its own. Readers by descriptor go on, and their copies share no
 *     position; other streams stay with the process that opened them: in the child they fail, and closing them there does
 *     the parent no harm. No descriptor of the library survives exec.
 *  5  Sizes are of bytes. Texts are UTF-8 and end with a NUL. Keys are 1 to 1024 bytes, without control characters.
 *  6  Structs that a caller fills in begin with struct_size, and are begun with the macro of their name and _INIT. Those
 *     that the library hands out begin with it where they may grow. Members are only ever appended.
 *  7  Signals. No call raises SIGPIPE. A call that a signal interrupts goes on.
 *  8  A request that got lost with an idle connection is sent once more where doing it twice does the same as doing it
 *     once: reads, deletions without a condition, writes with an idempotency key. Any other one fails as unavailable, and
 *     maybe_applied says whether the host may have done it.
 */
#ifndef COFFER_H
#define COFFER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define COFFER_API __attribute__((visibility("default")))
#else
#define COFFER_API
#endif

#define COFFER_VERSION "0.1.0"

/* No length is said: to the end of what is read, or however many bytes will be written. */
#define COFFER_ALL UINT64_MAX

/* ---- failures ------------------------------------------------------------------------------------------------- */

/* What went wrong. The numbers are for ever; a host may know more words than this version: those are COFFER_CODE_OTHER,
 * and coffer_failure.word says which. */
enum coffer_code {
    COFFER_CODE_OK                  = 0,
    COFFER_CODE_NOT_FOUND           = 1,  /* no such object, storage or profile */
    COFFER_CODE_ALREADY_EXISTS      = 2,  /* the key is taken, and on_conflict is "error" */
    COFFER_CODE_PRECONDITION_FAILED = 3,  /* if_match or if_none_match does not hold */
    COFFER_CODE_NOT_MODIFIED        = 4,  /* a read's condition says that the caller has it already */
    COFFER_CODE_INVALID_KEY         = 5,  /* the key breaks the rules for keys, or its store cannot hold it */
    COFFER_CODE_INVALID_ARGUMENT    = 6,  /* an argument is wrong; detail names it */
    COFFER_CODE_RANGE_INVALID       = 7,  /* the range lies outside the object */
    COFFER_CODE_TOO_LARGE           = 8,  /* more than the storage takes, or than the buffer holds */
    COFFER_CODE_BAD_TYPE            = 9,  /* the storage does not take this type */
    COFFER_CODE_CHECKSUM_MISMATCH   = 10, /* the bytes have another digest than announced */
    COFFER_CODE_NOT_EMPTY           = 11, /* what is to be removed has something in it */
    COFFER_CODE_NO_SPACE            = 12, /* the store is full */
    COFFER_CODE_QUOTA_EXCEEDED      = 13, /* the store's quota is used up */
    COFFER_CODE_PERMISSION_DENIED   = 14, /* no rule allows it, or the socket lets nobody in */
    COFFER_CODE_UNAUTHENTICATED     = 15, /* the connection does not say who is calling */
    COFFER_CODE_UNSUPPORTED         = 16, /* the storage cannot do it; nothing was written */
    COFFER_CODE_CHANGED             = 17, /* the object changed while it was read, or the source while it was copied */
    COFFER_CODE_RATE_LIMITED        = 18, /* the store wants fewer requests */
    COFFER_CODE_TIMEOUT             = 19, /* the host or its store took too long */
    COFFER_CODE_UNAVAILABLE         = 20, /* the host, the storage or its store is not there, or broke off */
    COFFER_CODE_BACKEND_ERROR       = 21, /* the store failed in its own words */
    COFFER_CODE_PLUGIN_FAILED       = 22, /* the plugin is missing, broken, or broke its contract */
    COFFER_CODE_CORRUPT             = 23, /* what the store keeps contradicts itself, or bytes are missing */
    COFFER_CODE_CANCELLED           = 24, /* the caller gave it up */
    COFFER_CODE_CONFIG_INVALID      = 25, /* the configuration, or a storage's settings, are wrong; nothing changed */
    COFFER_CODE_INTERNAL            = 26, /* the host's own fault, no memory, or something that is no host answered */
    COFFER_CODE_OTHER               = 27  /* a word that this version does not know */
};

/* The story of a failure. The caller owns it, on its stack as a rule; nothing in it is ever freed. Untouched by success.
 *
 *     coffer_failure failure = COFFER_FAILURE_INIT;
 *     if (coffer_delete(client, "files", "a", NULL, &failure)) fprintf(stderr, "%s\n", failure.detail);
 */
typedef struct coffer_failure {
    size_t  struct_size;
    int32_t code;          /* what the call returned */
    int32_t status;        /* the HTTP status; 0 for what the library found itself */
    int32_t retryable;     /* 1: the same request may succeed later */
    int32_t maybe_applied; /* 1: the host may have done it nevertheless */
    double  retry_after;   /* after how many seconds to try again; below 0 where the host did not say */
    char    word[32];      /* the code as the wire has it, as in "not_found" */
    char    storage[128];  /* empty where it is not known */
    char    key[1028];     /* empty where it is not known */
    char    detail[1024];  /* for a person; cut where it is longer */
} coffer_failure;

#define COFFER_FAILURE_INIT {sizeof(coffer_failure), 0, 0, 0, 0, -1.0, {0}, {0}, {0}, {0}}

/* The wire's word for a code, as in "not_found"; "other" for what is none. Never NULL, never freed. */
COFFER_API const char *coffer_code_word(int code);

/* The version of the library, which may be newer than COFFER_VERSION. Never freed. */
COFFER_API const char *coffer_version(void);

/* Frees a block that the library handed out (rule 2); NULL is nothing. */
COFFER_API void coffer_free(void *block);

/* ---- the client ------------------------------------------------------------------------------------------------ */

/* A way to one host: [any-thread], with connections that are kept and reused. */
typedef struct coffer_client coffer_client;

typedef struct coffer_client_options {
    size_t   struct_size;
    uint32_t timeout_ms; /* how long the host may be silent before a call fails as timeout; 0: as long as it likes */
    uint32_t idle_limit; /* how many connections are kept while nobody uses them */
} coffer_client_options;

#define COFFER_CLIENT_OPTIONS_INIT {sizeof(coffer_client_options), 0, 32}

/* Makes a client. Nothing is connected before the first request.
 *
 * socket: the path of the host's socket. NULL looks in this order: $COFFER_SOCKET, $XDG_RUNTIME_DIR/coffer/coffer.sock
 * and /run/coffer/coffer.sock, the first of the latter two that exists.
 * options: may be NULL. */
COFFER_API int coffer_client_open(const char *socket, const coffer_client_options *options, coffer_client **client,
                                  coffer_failure *failure);

/* Ends a client; NULL is nothing. All of its readers, writers and listings are closed before, and no call is running. */
COFFER_API void coffer_client_close(coffer_client *client);

/* The path of the socket in use; lives as long as the client. */
COFFER_API const char *coffer_client_socket(const coffer_client *client);

/* ---- what is known of objects ----------------------------------------------------------------------------------- */

/* A name and a text. Frozen. */
typedef struct coffer_pair {
    const char *name;
    const char *value; /* NULL where something is to be removed */
} coffer_pair;

/* An object. What is not known is NULL, or COFFER_ALL for the size. Times are RFC 3339, in UTC. */
typedef struct coffer_object {
    size_t             struct_size;
    const char        *storage;
    const char        *backend;
    const char        *key; /* the real one, also where on_conflict was "rename" */
    uint64_t           size;
    const char        *etag;
    const char        *version;
    const char        *modified;
    const char        *created;
    const char        *content_type;
    const char        *content_encoding;
    const char        *content_disposition;
    const char        *content_language;
    const char        *cache_control;
    const char        *checksum_algorithm; /* as in "sha256"; NULL without a checksum of the whole object */
    const char        *checksum_value;     /* hexadecimal */
    const coffer_pair *metadata;           /* NULL where it is not known, as in a listing */
    size_t             metadata_count;
    uint64_t           generation; /* the number of the configuration that answered */
} coffer_object;

/* ---- reading ----------------------------------------------------------------------------------------------------- */

typedef struct coffer_read_options {
    size_t      struct_size;
    uint64_t    offset;
    uint64_t    length;        /* at most so many bytes, at least one; COFFER_ALL: to the end */
    uint64_t    suffix;        /* the last so many bytes, without offset and length; COFFER_ALL: not asked */
    const char *if_match;      /* only this etag; "*": any object */
    const char *if_none_match; /* only if it has another etag: else COFFER_CODE_NOT_MODIFIED */
    const char *version;       /* of a storage that keeps versions */
} coffer_read_options;

#define COFFER_READ_OPTIONS_INIT {sizeof(coffer_read_options), 0, COFFER_ALL, COFFER_ALL, NULL, NULL, NULL}

/* Reads an object into the caller's buffer, all of it one version. options may be NULL.
 *
 * *length becomes how many bytes there are. Where that is more than capacity the call fails as COFFER_CODE_TOO_LARGE,
 * with *length set nevertheless, and what is in the buffer means nothing. After any other failure *length is 0.
 * Allocates nothing once a connection is there, for names, conditions and keys of up to 3 KiB together. */
COFFER_API int coffer_get_into(coffer_client *client, const char *storage, const char *key,
                               const coffer_read_options *options, void *buffer, size_t capacity, size_t *length,
                               coffer_failure *failure);

/* Reads an object into a block of the library's (coffer_free), which a NUL follows that *length does not count.
 * options and object may be NULL. */
COFFER_API int coffer_get(coffer_client *client, const char *storage, const char *key,
                          const coffer_read_options *options, void **data, size_t *length, coffer_object **object,
                          coffer_failure *failure);

/* Writes an object's bytes to a descriptor, from where it stands; by the kernel alone where it can. After a failure some
 * may be there already. options and object may be NULL. */
COFFER_API int coffer_get_fd(coffer_client *client, const char *storage, const char *key,
                             const coffer_read_options *options, int fd, coffer_object **object,
                             coffer_failure *failure);

/* Takes a piece of what is read: 0 to go on, anything else ends the read as COFFER_CODE_CANCELLED. */
typedef int (*coffer_take)(void *context, const void *data, size_t size);

/* Reads an object piece by piece, in order. options and object may be NULL. */
COFFER_API int coffer_get_pieces(coffer_client *client, const char *storage, const char *key,
                                 const coffer_read_options *options, coffer_take take, void *context,
                                 coffer_object **object, coffer_failure *failure);

/* An object, open for reading. All bytes are of one version, or reading fails. [one thread at a time] */
typedef struct coffer_reader coffer_reader;

/* Begins to read; where the host can, by the descriptor of the object's own file. options may be NULL. */
COFFER_API int coffer_reader_open(coffer_client *client, const char *storage, const char *key,
                                  const coffer_read_options *options, coffer_reader **reader,
                                  coffer_failure *failure);

/* What is read; lives as long as the reader. Its size is that of the whole object. */
COFFER_API const coffer_object *coffer_reader_object(const coffer_reader *reader);

/* Bytes from the first to the last that was asked for. */
COFFER_API uint64_t coffer_reader_length(const coffer_reader *reader);

/* Reads at least one and at most capacity bytes; *length is 0 only at the end, or for a capacity of 0. */
COFFER_API int coffer_reader_read(coffer_reader *reader, void *buffer, size_t capacity, size_t *length,
                                  coffer_failure *failure);

/* Goes to a position, counted from the first byte that was asked for. Nothing is asked of the host before the next read;
 * where a stream must be asked for anew, it is for the same version (else COFFER_CODE_CHANGED). */
COFFER_API int coffer_reader_seek(coffer_reader *reader, uint64_t position, coffer_failure *failure);

/* The descriptor that the bytes come from, and in *offset where they begin in it; -1 where they come over the connection.
 * It is the reader's: read it by pread or mmap, and do not close it. offset may be NULL. */
COFFER_API int coffer_reader_descriptor(const coffer_reader *reader, uint64_t *offset);

/* Ends a read, at any time; NULL is nothing. */
COFFER_API void coffer_reader_close(coffer_reader *reader);

/* ---- writing ----------------------------------------------------------------------------------------------------- */

typedef struct coffer_write_options {
    size_t             struct_size;
    const char        *on_conflict;   /* "error", "replace" or "rename"; NULL: the storage's own rule */
    const char        *if_match;      /* only in the place of the object with this etag; "*": of any */
    const char        *if_none_match; /* "*": only where there is no object */
    const char        *content_type;  /* NULL: the key's extension decides */
    const char        *content_encoding;
    const char        *content_disposition;
    const char        *content_language;
    const char        *cache_control;
    const coffer_pair *metadata; /* 8 KiB in all; names of letters, digits, -, _ and . */
    size_t             metadata_count;
    const coffer_pair *checksums; /* an algorithm ("sha256", "sha512", "crc32c", "md5") and hexadecimal digits: bytes */
    size_t             checksum_count; /* with another digest publish nothing */
    const char        *idempotency_key; /* the same request again gets the first one's answer */
    uint64_t           length;          /* of a stream: how long it will be; COFFER_ALL: nobody knows yet */
    const char        *filename;        /* where the host makes the key: its extension, */
    const char        *location;        /* and the folder that it lies below */
} coffer_write_options;

#define COFFER_WRITE_OPTIONS_INIT                                                                                     \
    {sizeof(coffer_write_options), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL, 0, NULL, COFFER_ALL, \
     NULL, NULL}

/* In all functions that write:
 * key: NULL has the host make one, a UUID with the extension of options->filename below options->location; there are no
 * conditions then.
 * options: may be NULL. object: where not NULL, *object becomes what was written (coffer_free).
 * Nobody sees anything before the function returns, and a failure leaves what was there. */

/* Writes bytes of memory. data may be NULL where size is 0. */
COFFER_API int coffer_put(coffer_client *client, const char *storage, const char *key, const void *data, size_t size,
                          const coffer_write_options *options, coffer_object **object, coffer_failure *failure);

/* Writes length bytes of a descriptor from offset; COFFER_ALL: to its end. A regular file goes to the host as a
 * descriptor and is copied there as the disks can best; anything else is read from where it stands (offset is then 0). */
COFFER_API int coffer_put_fd(coffer_client *client, const char *storage, const char *key, int fd, uint64_t offset,
                             uint64_t length, const coffer_write_options *options, coffer_object **object,
                             coffer_failure *failure);

/* Writes a file of this machine. */
COFFER_API int coffer_put_file(coffer_client *client, const char *storage, const char *key, const char *path,
                               const coffer_write_options *options, coffer_object **object, coffer_failure *failure);

/* Gives the next bytes: at most capacity into buffer, and how many in *size, 0 at the end. Returns 0 to go on; anything
 * else gives the write up, as COFFER_CODE_CANCELLED. */
typedef int (*coffer_give)(void *context, void *buffer, size_t capacity, size_t *size);

/* Writes what a callback gives, piece by piece. */
COFFER_API int coffer_put_pieces(coffer_client *client, const char *storage, const char *key, coffer_give give,
                                 void *context, const coffer_write_options *options, coffer_object **object,
                                 coffer_failure *failure);

/* An object, open for writing: nobody sees it before commit. [one thread at a time] */
typedef struct coffer_writer coffer_writer;

COFFER_API int coffer_writer_begin(coffer_client *client, const char *storage, const char *key,
                                   const coffer_write_options *options, coffer_writer **writer,
                                   coffer_failure *failure);

/* Takes all of the bytes; returns when the host, or the library, has them. After a failure the write is given up: what is
 * left is abort, or a commit that fails. */
COFFER_API int coffer_writer_append(coffer_writer *writer, const void *data, size_t size, coffer_failure *failure);

/* Publishes the object. The writer is gone afterwards, whatever is returned. object may be NULL. */
COFFER_API int coffer_writer_commit(coffer_writer *writer, coffer_object **object, coffer_failure *failure);

/* Gives the write up, and frees the writer: what was there stays. NULL is nothing. */
COFFER_API void coffer_writer_abort(coffer_writer *writer);

/* ---- asking and changing ------------------------------------------------------------------------------------------- */

/* What is known of an object (coffer_free). Of options, the conditions and the version count; it may be NULL. */
COFFER_API int coffer_stat(coffer_client *client, const char *storage, const char *key,
                           const coffer_read_options *options, coffer_object **object, coffer_failure *failure);

/* *exists becomes 1 or 0. That the storage is not there is a failure. */
COFFER_API int coffer_exists(coffer_client *client, const char *storage, const char *key, int *exists,
                             coffer_failure *failure);

/* Deletes an object; that there is none is success, unless if_match names one. if_match may be NULL. */
COFFER_API int coffer_delete(coffer_client *client, const char *storage, const char *key, const char *if_match,
                             coffer_failure *failure);

/* What became of one key. Frozen. */
typedef struct coffer_deletion {
    const char *key;
    int32_t     code; /* COFFER_CODE_OK: it is gone */
    int32_t     retryable;
    const char *word;   /* NULL where it is gone */
    const char *detail; /* NULL where it is gone */
} coffer_deletion;

typedef struct coffer_deletions {
    size_t                 struct_size;
    uint64_t               count;     /* of a prefix: how many were deleted, or would be */
    const coffer_deletion *items;     /* of keys: one for each, in their order; of a prefix: those that failed */
    size_t                 item_count;
    const char *const     *keys;      /* of a prefix: the first of the deleted ones */
    size_t                 key_count;
} coffer_deletions;

/* Deletes up to 10000 keys in one request: a coffer_pair is a key and the etag that it must have, or NULL.
 * *deletions (coffer_free) may tell of failures although the call succeeds. */
COFFER_API int coffer_delete_many(coffer_client *client, const char *storage, const coffer_pair *keys, size_t count,
                                  coffer_deletions **deletions, coffer_failure *failure);

/* In flags of coffer_delete_prefix. */
#define COFFER_DRY_RUN 1u /* only count */
#define COFFER_FORCE   2u /* the empty prefix too, which is everything */

/* Deletes what lies below a prefix, by segments: "a" means a/..., never ab. deletions (coffer_free) may be NULL. */
COFFER_API int coffer_delete_prefix(coffer_client *client, const char *storage, const char *prefix, unsigned flags,
                                    coffer_deletions **deletions, coffer_failure *failure);

typedef struct coffer_copy_options {
    size_t      struct_size;
    const char *to_storage;      /* NULL: the same */
    const char *on_conflict;     /* as in coffer_write_options */
    const char *if_match;        /* of the target */
    const char *if_none_match;   /* of the target */
    const char *source_if_match; /* the etag that the source must have */
} coffer_copy_options;

#define COFFER_COPY_OPTIONS_INIT {sizeof(coffer_copy_options), NULL, NULL, NULL, NULL, NULL}

/* Copies an object. options and object may be NULL; *object (coffer_free) is the new one. */
COFFER_API int coffer_copy(coffer_client *client, const char *storage, const char *key, const char *to,
                           const coffer_copy_options *options, coffer_object **object, coffer_failure *failure);

/* The same, and the source is gone afterwards. */
COFFER_API int coffer_move(coffer_client *client, const char *storage, const char *key, const char *to,
                           const coffer_copy_options *options, coffer_object **object, coffer_failure *failure);

/* A copy beside it, under a key that the host makes. to_storage and object may be NULL. */
COFFER_API int coffer_duplicate(coffer_client *client, const char *storage, const char *key, const char *to_storage,
                                coffer_object **object, coffer_failure *failure);

/* Changes what is kept beside the bytes. fields: "content_type", "content_encoding", "content_disposition",
 * "content_language" and "cache_control"; metadata: names of your own. A NULL value removes, what is not named stays.
 * if_match and object may be NULL. */
COFFER_API int coffer_change(coffer_client *client, const char *storage, const char *key, const coffer_pair *fields,
                             size_t field_count, const coffer_pair *metadata, size_t metadata_count,
                             const char *if_match, coffer_object **object, coffer_failure *failure);

/* The object's public URL (coffer_free), where the storage has one. */
COFFER_API int coffer_url(coffer_client *client, const char *storage, const char *key, char **url,
                          coffer_failure *failure);

typedef struct coffer_link_options {
    size_t      struct_size;
    const char *method;       /* "GET", "HEAD", "PUT" or "DELETE"; NULL: GET */
    uint64_t    expires_in;   /* seconds; 0: an hour */
    const char *content_type; /* PUT: the only one that the link takes; GET: the one that the answer declares */
    uint64_t    size;         /* PUT: the only length that the link takes; COFFER_ALL: not bound */
    const char *filename;     /* GET: the name under which the answer is saved */
} coffer_link_options;

#define COFFER_LINK_OPTIONS_INIT {sizeof(coffer_link_options), NULL, 0, NULL, COFFER_ALL, NULL}

typedef struct coffer_link {
    size_t             struct_size;
    const char        *url;
    const char        *method;
    const char        *expires_at; /* RFC 3339, in UTC */
    const coffer_pair *headers;    /* the request that uses it sends these as they are */
    size_t             header_count;
} coffer_link;

/* A signed URL (coffer_free), which lets whoever holds it do one thing with one object. options may be NULL. */
COFFER_API int coffer_link_make(coffer_client *client, const char *storage, const char *key,
                                const coffer_link_options *options, coffer_link **link, coffer_failure *failure);

/* ---- listings ------------------------------------------------------------------------------------------------------ */

typedef struct coffer_list_options {
    size_t      struct_size;
    const char *prefix;      /* only keys that start with these bytes */
    const char *delimiter;   /* keys that share what follows the prefix up to here become one prefix */
    const char *start_after; /* only keys greater than this */
} coffer_list_options;

#define COFFER_LIST_OPTIONS_INIT {sizeof(coffer_list_options), NULL, NULL, NULL}

/* One line of a listing: an object, or a common prefix. */
typedef struct coffer_line {
    size_t               struct_size;
    const char          *key;    /* of the object, or the prefix itself */
    const coffer_object *object; /* NULL for a prefix */
} coffer_line;

/* A listing in byte order, made while it is read. [one thread at a time] */
typedef struct coffer_listing coffer_listing;

/* Begins a listing. options may be NULL: everything. */
COFFER_API int coffer_listing_open(coffer_client *client, const char *storage, const coffer_list_options *options,
                                   coffer_listing **listing, coffer_failure *failure);

/* *entry becomes the next one, or NULL at the end, and lives until the next call with this listing. A listing that does
 * not fail before its end is whole. */
COFFER_API int coffer_listing_next(coffer_listing *listing, const coffer_line **entry, coffer_failure *failure);

/* Ends a listing, at any time; NULL is nothing. */
COFFER_API void coffer_listing_close(coffer_listing *listing);

typedef struct coffer_page_options {
    size_t      struct_size;
    const char *prefix;      /* as in coffer_list_options, */
    const char *delimiter;   /* and this, */
    const char *start_after; /* and this */
    const char *cursor;      /* of the page before, with the same options; NULL: from the start */
    uint64_t    limit;       /* entries, 1 to 10000; COFFER_ALL: as many as the host likes */
} coffer_page_options;

#define COFFER_PAGE_OPTIONS_INIT {sizeof(coffer_page_options), NULL, NULL, NULL, NULL, COFFER_ALL}

/* A part of a listing: objects and prefixes, each in byte order. */
typedef struct coffer_page {
    size_t                      struct_size;
    const coffer_object *const *objects;
    size_t                      object_count;
    const char *const          *prefixes;
    size_t                      prefix_count;
    const char                 *cursor; /* goes on from here; NULL: this is the last page */
} coffer_page;

/* Reads a part of a listing (coffer_free), for those who must stop in between. options may be NULL. */
COFFER_API int coffer_page_read(coffer_client *client, const char *storage, const coffer_page_options *options,
                                coffer_page **page, coffer_failure *failure);

/* ---- containers ---------------------------------------------------------------------------------------------------- */

/* What a store calls a bucket, container or share. Frozen. */
typedef struct coffer_container {
    const char *name;
    const char *created; /* RFC 3339, in UTC; NULL where the store does not say */
} coffer_container;

typedef struct coffer_containers {
    size_t                  struct_size;
    const coffer_container *items;
    size_t                  count;
} coffer_containers;

/* The containers of a storage's store (coffer_free); COFFER_CODE_UNSUPPORTED where it has none. All three calls need the
 * permission "manage". */
COFFER_API int coffer_containers_list(coffer_client *client, const char *storage, coffer_containers **containers,
                                      coffer_failure *failure);

/* Makes a container; one that is there is COFFER_CODE_ALREADY_EXISTS. */
COFFER_API int coffer_container_make(coffer_client *client, const char *storage, const char *name,
                                     coffer_failure *failure);

/* Removes a container; one that holds anything is COFFER_CODE_NOT_EMPTY. */
COFFER_API int coffer_container_remove(coffer_client *client, const char *storage, const char *name,
                                       coffer_failure *failure);

/* ---- everything else ------------------------------------------------------------------------------------------------- */

/* Sends one request of the RPC whose body, if any, and whose answer are JSON: storages, profiles, ...
 *
 * method: as in "GET". target: the raw path and query, percent-encoded, as in "/v1/health". body may be NULL; size is its
 * length. *answer becomes the text (coffer_free) with a NUL behind it; NULL where there is none. *length may be NULL. */
COFFER_API int coffer_request(coffer_client *client, const char *method, const char *target, const char *body,
                              size_t size, char **answer, size_t *length, coffer_failure *failure);

/* `text` as a part of a path or query, percent-encoded (coffer_free); NULL where there is no memory. */
COFFER_API char *coffer_escape(const char *text);

#ifdef __cplusplus
}
#endif

#endif

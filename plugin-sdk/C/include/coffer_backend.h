/* coffer_backend.h - the C ABI between a host and a storage backend plugin (a shared object), version 1.0.
 *
 * SPDX-License-Identifier: 0BSD   (this header alone, so that any plugin, free or not, may include it)
 *
 * What is built against version 1.0 loads for ever: later versions append, and change nothing that is here.
 *
 * THE RULES ("the host" loads, "the plugin" is loaded)
 *
 *  R1  No memory ever changes owner. What the host passes in is valid until the call returns, also the strings of
 *      coffer_open_args: copy what you keep. What the plugin gives back goes through a coffer_sink call, is valid only
 *      during that call, and is copied by the host before it returns. Handles (coffer_instance, coffer_rstream,
 *      coffer_wstream, coffer_lstream) are freed by the plugin's own *_close and by nothing else. There is no allocator
 *      in this ABI. The descriptor, the option table and the operations table live until the process ends.
 *  R2  Every struct starts with struct_size, set by whoever allocates it to its own sizeof. The reader touches no field
 *      at or past struct_size: use COFFER_HAS. Fields are only ever appended; none is moved, removed, resized or given
 *      another meaning. A missing function pointer and a NULL one mean the same: not supported. Arrays of structs
 *      carry their stride. coffer_str, coffer_kv and coffer_checksum are frozen as they are.
 *  R3  No exception, panic, longjmp or Swift error crosses a function of this header.
 *  R4  Calls block. They come on host threads with at least 256 KiB of stack, never on the main thread of the host.
 *      coffer_plugin.threads says what may run at once. Handles have no thread affinity: the next call on one may come
 *      on another thread, but two calls on one stream never overlap.
 *  R5  A blocking call ends within a second of its coffer_call being cancelled or its deadline passing. The deadline
 *      belongs to one call and measures progress: a long transfer gets a new one with each step.
 *  R6  The plugin does not install signal handlers, does not change the working directory, umask, locale, environment
 *      or resource limits, does not write to standard output or error, does not call exit, does not fork without exec,
 *      does not close descriptors that it does not own, and keeps none without O_CLOEXEC. SIGPIPE is ignored.
 *  R7  Plugins are never unloaded: the host opens with RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE. Threads of the plugin are
 *      joined in close (per instance) or in shutdown (per plugin). Every *_close returns within a second; slower
 *      clean-up is the plugin's own background work, found again by its attempt token, never by name alone.
 *  R8  Keys are bytes, UTF-8 by convention, 1 to 1024 of them; compare and order them as bytes (memcmp, then length).
 *      Strings from the host are followed by a NUL that len does not count; strings from the plugin need not be. An
 *      empty string may have a NULL ptr, in both directions.
 *  R9  What cannot be honoured is refused with COFFER_E_UNSUPPORTED before anything is written: a condition, a
 *      checksum, a cursor, a property. Nothing is ever dropped silently.
 *  R10 Every entry point survives NULL and nonsense in what a caller may get wrong (keys, sizes, ranges) and answers
 *      COFFER_E_INVALID_ARGUMENT or COFFER_E_INVALID_KEY.
 */
#ifndef COFFER_BACKEND_H
#define COFFER_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define COFFER_EXPORT __attribute__((visibility("default")))
#else
#define COFFER_EXPORT
#endif

/* ---- versions ------------------------------------------------------------------------------------------------- */

#define COFFER_ENTRY_SYMBOL "coffer_backend_entry_v1" /* the major version is in the name */
#define COFFER_MAGIC        0x52464643u               /* "CFFR" in memory */
#define COFFER_ABI_1_0      0x00010000u               /* major << 16 | minor */
#define COFFER_ABI_CURRENT  0x00010000u

/* Is `field` inside what the other side allocated? (p: pointer to a struct that starts with struct_size) */
#define COFFER_HAS(p, type, field) ((p)->struct_size >= offsetof(type, field) + sizeof((p)->field))

/* ---- values --------------------------------------------------------------------------------------------------- */

/* Borrowed bytes. Frozen. */
typedef struct coffer_str {
    const char *ptr;
    size_t      len;
} coffer_str;

/* A name and its value. Frozen. */
typedef struct coffer_kv {
    coffer_str key, value;
} coffer_kv;

/* A digest of an object's bytes. Frozen. */
typedef struct coffer_checksum {
    coffer_str algorithm; /* "sha256", "sha512", "crc32c", "md5", "sha1", ... */
    coffer_str value;     /* lower-case hexadecimal, most significant byte first */
    uint64_t   flags;     /* COFFER_CHECKSUM_* */
} coffer_checksum;

#define COFFER_CHECKSUM_COMPOSITE 1u /* a digest of the parts' digests, not of the bytes */

typedef struct coffer_instance coffer_instance; /* one configured backend */
typedef struct coffer_rstream  coffer_rstream;  /* one read */
typedef struct coffer_wstream  coffer_wstream;  /* one write */
typedef struct coffer_lstream  coffer_lstream;  /* one listing */

/* ---- errors --------------------------------------------------------------------------------------------------- */

/* Stable codes. A reader takes a code that it does not know for COFFER_E_INTERNAL. */
typedef int32_t coffer_status;

#define COFFER_OK                 ((coffer_status)0)
#define COFFER_E_UNSUPPORTED      ((coffer_status)1)  /* never possible here; the host may emulate it */
#define COFFER_E_INVALID_ARGUMENT ((coffer_status)2)
#define COFFER_E_CONFIG           ((coffer_status)3)  /* open: an option is wrong; the message names it */
#define COFFER_E_NOT_FOUND        ((coffer_status)4)
#define COFFER_E_ALREADY_EXISTS   ((coffer_status)5)  /* container exists, or if_none_match "*" lost */
#define COFFER_E_PRECONDITION     ((coffer_status)6)  /* another condition lost */
#define COFFER_E_PERMISSION       ((coffer_status)7)
#define COFFER_E_UNAUTHENTICATED  ((coffer_status)8)  /* credentials missing, wrong or expired */
#define COFFER_E_RATE_LIMITED     ((coffer_status)9)
#define COFFER_E_NO_SPACE         ((coffer_status)10) /* the medium is full */
#define COFFER_E_TOO_LARGE        ((coffer_status)11)
#define COFFER_E_RANGE            ((coffer_status)12) /* the range starts at or past the end */
#define COFFER_E_NOT_EMPTY        ((coffer_status)13)
#define COFFER_E_TIMEOUT          ((coffer_status)14)
#define COFFER_E_CANCELLED        ((coffer_status)15)
#define COFFER_E_IO               ((coffer_status)16)
#define COFFER_E_UNAVAILABLE      ((coffer_status)17)
#define COFFER_E_CORRUPT          ((coffer_status)18) /* the store's bytes are wrong or too few */
#define COFFER_E_INTERNAL         ((coffer_status)19)
#define COFFER_E_AGAIN            ((coffer_status)20) /* only in extensions that do not block */
#define COFFER_E_INVALID_KEY      ((coffer_status)21) /* the store cannot hold this key; refused before any I/O */
#define COFFER_E_CHANGED          ((coffer_status)22) /* the object changed while it was read or copied */
#define COFFER_E_CHECKSUM         ((coffer_status)23) /* the caller's digest does not match the caller's bytes */
#define COFFER_E_QUOTA            ((coffer_status)24) /* over an allowance; the medium has room */
#define COFFER_E_NOT_MODIFIED     ((coffer_status)25) /* a read's if_none_match matched: nothing to send */
/* 1000 and above are made by the host alone: a crashed child, a broken rule, a failed load. */

#define COFFER_ERR_RETRYABLE     1u /* the same call may succeed later, and repeating it does no harm */
#define COFFER_ERR_MAYBE_APPLIED 2u /* the effect may have happened (a time-out after sending) */

/* Allocated and zeroed by the caller; a plugin accepts NULL. Fill it only when returning something but COFFER_OK. */
typedef struct coffer_error {
    uint32_t      struct_size;
    coffer_status code;           /* the same as the return value */
    uint32_t      flags;          /* COFFER_ERR_* */
    int32_t       native;         /* errno, HTTP status, ...; 0 if none */
    uint32_t      retry_after_ms; /* 0 if the store named none */
    uint32_t      message_cap;    /* bytes at message, given by the caller */
    uint32_t      message_len;    /* bytes written, cut at a character; no secrets inside */
    uint32_t      reserved;
    char         *message;        /* the caller's buffer: nothing to free, may outlive the plugin */
} coffer_error;

/* ---- what the host offers -------------------------------------------------------------------------------------- */

#define COFFER_LOG_ERROR 1u
#define COFFER_LOG_WARN  2u
#define COFFER_LOG_INFO  3u
#define COFFER_LOG_DEBUG 4u

#define COFFER_METRIC_COUNTER 1u
#define COFFER_METRIC_GAUGE   2u
#define COFFER_METRIC_TIMING  3u /* seconds */

#define COFFER_CALL_UNPROVEN 1u /* send conditions in coffer_open_result.unproven: tried on purpose, or proven since */

/* One call's deadline and cancellation. Valid until that call returns; each step of a stream brings its own. */
typedef struct coffer_call {
    uint32_t   struct_size;
    uint32_t   flags;       /* COFFER_CALL_*; ignore the others */
    uint64_t   deadline_ns; /* CLOCK_MONOTONIC; 0 = none */
    void      *token;       /* for coffer_host.cancelled and cancel_fd */
    coffer_str trace;       /* a W3C traceparent, or empty */
} coffer_call;

#define COFFER_VAL_URL     1u /* public_url, presign */
#define COFFER_VAL_HEADER  2u /* presign: a header that the client must send; key is its name */
#define COFFER_VAL_NEXT    3u /* list_next: an opaque token that reopens the listing after the last entry given */
#define COFFER_VAL_CONFIG  4u /* coffer_host.config_get */
#define COFFER_VAL_EXPIRES 5u /* presign: when the URL really expires, Unix seconds in decimal */
#define COFFER_VAL_USAGE   6u /* usage: key "bytes", "objects", "bytes_free", "bytes_total"; value in decimal */
#define COFFER_VAL_INFO    7u /* health: anything worth showing to an operator; no secrets */

struct coffer_entry;

/* How results come back. Any function may be NULL. Called on the calling thread, inside the operation. A non-zero
 * return asks the plugin to stop and to return COFFER_E_CANCELLED. */
typedef struct coffer_sink {
    uint32_t struct_size, reserved;
    void    *ctx;
    int (*on_entry)(void *ctx, const struct coffer_entry *entry);
    int (*on_value)(void *ctx, uint32_t kind, coffer_str key, coffer_str value);
    int (*on_result)(void *ctx, size_t index, const coffer_error *error); /* remove_batch; NULL error = done */
} coffer_sink;

/* The host's table. Lives until the process ends; every function is safe on any thread. */
typedef struct coffer_host {
    uint32_t    struct_size;
    uint32_t    abi; /* the newest that the host speaks */
    void       *ctx; /* first argument of each function below */
    const char *name, *version;
    int (*log_enabled)(void *ctx, uint32_t level);
    void (*log)(void *ctx, void *host_instance, uint32_t level, coffer_str message);
    int (*cancelled)(void *ctx, void *token); /* token: coffer_call.token; non-zero once cancelled */
    int (*cancel_fd)(void *ctx, void *token); /* readable once cancelled; the host's: do not read, do not close; or -1 */
    /* The present value of an option by COFFER_VAL_CONFIG; one flagged LIVE is read afresh. */
    coffer_status (*config_get)(void *ctx, void *host_instance, coffer_str key, const coffer_sink *to);
    void (*metric)(void *ctx, void *host_instance, uint32_t kind, coffer_str name, double value,
                   const coffer_kv *labels, size_t n_labels);
    const void *(*get_extension)(void *ctx, const char *id); /* "vendor.name/1"; NULL = none */
} coffer_host;

/* ---- what the plugin says of itself ------------------------------------------------------------------------------ */

#define COFFER_OPT_STRING   1u
#define COFFER_OPT_INT      2u  /* decimal, fits int64_t */
#define COFFER_OPT_BOOL     3u  /* "true" or "false" */
#define COFFER_OPT_SIZE     4u  /* bytes in decimal: the host has expanded 8MiB */
#define COFFER_OPT_DURATION 5u  /* milliseconds in decimal, likewise */
#define COFFER_OPT_ENUM     6u  /* one of choices */
#define COFFER_OPT_PATH     7u  /* absolute when it arrives */
#define COFFER_OPT_URL      8u  /* absolute, with a scheme */
#define COFFER_OPT_LIST     9u  /* a JSON array of strings */
#define COFFER_OPT_MAP      10u /* a JSON object of strings */

#define COFFER_OPTF_REQUIRED 1u
#define COFFER_OPTF_SECRET   2u /* never logged, never in an error, masked wherever it is shown */
#define COFFER_OPTF_LIVE     4u /* may change while open: ask config_get again when the store refuses it */
#define COFFER_OPTF_OPEN     8u /* on an option named "*": any key that is not declared is taken as a string */

/* One option. The array's stride is coffer_plugin.option_size. */
typedef struct coffer_option {
    const char *name; /* [a-z][a-z0-9_]*, or "*" with COFFER_OPTF_OPEN */
    uint32_t    type, flags;
    const char *default_value; /* NULL = none; in the form that an operator would write */
    const char *choices;       /* COFFER_OPT_ENUM: "a|b|c" */
    const char *doc;           /* one sentence */
    int64_t     min, max;      /* INT, SIZE, DURATION; both 0 = any */
    const char *deprecated_alias; /* an older name, still taken with a warning; NULL = none */
} coffer_option;

/* Capabilities. A bit in `native` means that the store itself does it, safely. What is not native the host may emulate,
 * unless the bit stands in coffer_open_result.no_emulation; the rest is `none` and answers COFFER_E_UNSUPPORTED.
 *
 * A condition that the plugin can send while nobody knows whether this store keeps it (a server of unknown making) is
 * neither native nor none: it stands in coffer_open_result.unproven. It is refused like what is none, unless the call
 * carries COFFER_CALL_UNPROVEN; then it is sent, and the store may lose it. The host sets that flag in two cases: when
 * an operator has it probe the store with an object of its own, which shows a store that drops conditions, and for
 * those that such a probe has proven. */
#define COFFER_CAP_STAT             0x1ull
#define COFFER_CAP_READ             0x2ull
#define COFFER_CAP_READ_RANGE       0x4ull          /* offset, length and suffix */
#define COFFER_CAP_READ_FD          0x8ull          /* read_open may answer with a descriptor */
#define COFFER_CAP_READ_PINNED      0x10ull         /* a reader sees one version to its end, or COFFER_E_CHANGED */
#define COFFER_CAP_READ_CONDITION   0x20ull         /* if_match and if_none_match on read and stat */
#define COFFER_CAP_WRITE            0x40ull
#define COFFER_CAP_WRITE_INGEST     0x80ull         /* write_ingest takes a descriptor */
#define COFFER_CAP_ATOMIC_REPLACE   0x100ull        /* nothing is visible before commit; then all of it */
#define COFFER_CAP_CREATE_IF_ABSENT 0x200ull        /* if_none_match "*" on write */
#define COFFER_CAP_IF_MATCH         0x400ull        /* if_match on write */
#define COFFER_CAP_REMOVE           0x800ull
#define COFFER_CAP_REMOVE_IF_MATCH  0x1000ull
#define COFFER_CAP_REMOVE_BATCH     0x2000ull
#define COFFER_CAP_LIST             0x4000ull
#define COFFER_CAP_LIST_DELIMITER   0x8000ull       /* any delimiter */
#define COFFER_CAP_LIST_AFTER       0x10000ull      /* start_after */
#define COFFER_CAP_LIST_SORTED      0x20000ull      /* in byte order of the key */
#define COFFER_CAP_COPY             0x40000ull      /* inside the store */
#define COFFER_CAP_COPY_CONDITION   0x80000ull      /* conditions of coffer_copy_args */
#define COFFER_CAP_COPY_META        0x100000ull     /* meta_mode REPLACE; from = to changes metadata in place */
#define COFFER_CAP_MOVE             0x200000ull     /* atomic: source or target, never neither, never both */
#define COFFER_CAP_CONTENT_TYPE     0x400000ull
#define COFFER_CAP_CONTENT_PROPS    0x800000ull     /* encoding, disposition, language, cache-control */
#define COFFER_CAP_USER_META        0x1000000ull
#define COFFER_CAP_MTIME            0x2000000ull    /* the property mtime is kept */
#define COFFER_CAP_CHECKSUM         0x4000000ull    /* checksums given by the host are kept and shown by stat */
#define COFFER_CAP_PRESIGN          0x8000000ull
#define COFFER_CAP_PUBLIC_URL       0x10000000ull
#define COFFER_CAP_CONTAINERS       0x20000000ull
#define COFFER_CAP_VERSIONS         0x40000000ull
#define COFFER_CAP_USAGE            0x80000000ull
#define COFFER_CAP_RESUME           0x100000000ull  /* the extension coffer.upload/1 */
#define COFFER_CAP_DURABLE          0x200000000ull  /* a commit that returned survives a power loss */
/* Facts about the store, not abilities. */
#define COFFER_CAP_READ_ONLY        0x10000000000ull
#define COFFER_CAP_CASE_INSENSITIVE 0x20000000000ull
#define COFFER_CAP_NORMALIZING      0x40000000000ull /* Unicode forms are unified */
#define COFFER_CAP_EVENTUAL         0x80000000000ull /* a read may miss an acknowledged write for a while */
#define COFFER_CAP_DIRECTORIES      0x100000000000ull /* "a" and "a/b" cannot both be objects */

#define COFFER_THREADS_PARALLEL        0u /* any calls at once */
#define COFFER_THREADS_SERIAL_INSTANCE 1u /* the host locks each instance, its streams included */
#define COFFER_THREADS_SERIAL_PLUGIN   2u /* the host locks the whole plugin */

#define COFFER_PLUGIN_WANTS_PROCESS 1u /* the author asks for a process of its own (Go runtime, CUDA, ...) */

struct coffer_ops;

typedef struct coffer_plugin {
    uint32_t    magic;       /* COFFER_MAGIC */
    uint32_t    struct_size;
    uint32_t    abi;         /* what it was compiled for; another major is refused */
    uint32_t    flags;       /* COFFER_PLUGIN_* */
    uint32_t    threads;     /* COFFER_THREADS_* */
    uint32_t    option_size; /* sizeof(coffer_option) as compiled: the stride */
    uint64_t    caps;        /* upper bound of coffer_open_result.native */
    const char *id;          /* [a-z][a-z0-9-]{0,31}, unique; what `backend:` names */
    const char *version, *name, *license /* SPDX */, *description, *homepage;
    size_t      n_options;
    const coffer_option *options;
    const struct coffer_ops *ops;
    const void *(*get_extension)(const char *id); /* optional tables, e.g. "coffer.upload/1" */
    void (*shutdown)(void); /* once, before the process ends; no instance is open */
} coffer_plugin;

/* The one exported symbol. May be called again and gives the same answer. No I/O and no threads here. NULL: the plugin
 * refuses, *err says why. The host takes it only from the file itself, never from a library that the file depends on. */
typedef const coffer_plugin *(*coffer_entry_fn)(const coffer_host *host, coffer_error *err);
#ifndef COFFER_NO_ENTRY_DECLARATION
COFFER_EXPORT const coffer_plugin *coffer_backend_entry_v1(const coffer_host *host, coffer_error *err);
#endif

/* ---- arguments and results --------------------------------------------------------------------------------------- */

typedef struct coffer_open_args {
    uint32_t   struct_size, reserved;
    void      *host_instance; /* for log, config_get and metric; valid until close returns */
    coffer_str name;          /* the operator's name of this storage */
    size_t     n_options;
    const coffer_kv *options; /* every declared option that has a value, defaults included, checked against the table */
} coffer_open_args;

typedef struct coffer_open_result {
    uint32_t         struct_size, reserved;
    coffer_instance *instance;
    uint64_t         native;       /* a subset of coffer_plugin.caps, true for this configuration */
    uint64_t         no_emulation; /* what the host must not emulate here */
    /* Limits, in bytes or counts; 0 = none. */
    uint64_t max_object, preferred_part, max_parts, max_key, max_list_page, max_batch, max_presign_s, max_meta;
    /* CREATE_IF_ABSENT, IF_MATCH, REMOVE_IF_MATCH or COPY_CONDITION: in coffer_plugin.caps, not in native. */
    uint64_t unproven;
    uint64_t min_part; /* coffer.upload/1: the least bytes of every part but the last; 0 = any */
} coffer_open_result;

#define COFFER_KIND_OBJECT    1u
#define COFFER_KIND_PREFIX    2u
#define COFFER_KIND_CONTAINER 3u

#define COFFER_ENTRY_LATEST        1u
#define COFFER_ENTRY_DELETE_MARKER 2u

#define COFFER_TIME_UNKNOWN INT64_MIN

/* An object, a common prefix or a container. A listing may leave all but kind, key, size and mtime empty. */
typedef struct coffer_entry {
    uint32_t   struct_size, kind; /* COFFER_KIND_* */
    uint32_t   flags, reserved;   /* COFFER_ENTRY_* */
    coffer_str key;
    int64_t    size;     /* -1 unknown */
    int64_t    mtime_ns; /* Unix time of the last change; COFFER_TIME_UNKNOWN */
    int64_t    ctime_ns; /* Unix time of creation; COFFER_TIME_UNKNOWN */
    coffer_str etag;     /* the strong token that conditions compare, unquoted */
    coffer_str version;  /* the version's id, where the store keeps versions */
    size_t     n_props;
    const coffer_kv *props; /* reserved names: content-type, content-encoding, content-disposition, content-language,
                               cache-control, storage-class; the host passes on any other */
    size_t     n_meta;
    const coffer_kv *meta;  /* user metadata; names are lower-case */
    size_t     n_checksums;
    const coffer_checksum *checksums;
} coffer_entry;

#define COFFER_READ_WANT_FD 1u /* read_open: a descriptor is welcome */
#define COFFER_READ_SUFFIX  2u /* the last `length` bytes; offset is 0 */
#define COFFER_READ_STRICT  4u /* remove: an absent key is COFFER_E_NOT_FOUND instead of COFFER_OK */

/* Arguments of stat, read_open and remove. Conditions are one token or "*"; empty = none. */
typedef struct coffer_read_args {
    uint32_t   struct_size, flags; /* COFFER_READ_* */
    coffer_str key, version, if_match, if_none_match;
    uint64_t   offset; /* read_open. At or past the end of the object: COFFER_E_RANGE, unless the whole empty object is asked for */
    int64_t    length; /* -1 = to the end; past the end is cut */
} coffer_read_args;

#define COFFER_FD_SEEKABLE  1u /* a regular file: pread, sendfile; else a pipe or socket */
#define COFFER_FD_SHAREABLE 2u /* opened read-only, holds this object and nothing else: may go to a client */
#define COFFER_FD_IMMUTABLE 4u /* its bytes never change while it is open */

typedef struct coffer_read_result {
    uint32_t        struct_size, reserved;
    coffer_rstream *stream;    /* set, or ... */
    int32_t         fd;        /* ... a descriptor, O_CLOEXEC, that the host owns and closes; else -1 */
    uint32_t        fd_flags;  /* COFFER_FD_* */
    uint64_t        fd_offset; /* where the answer starts in fd */
    uint64_t        length;    /* bytes of this answer, for a stream and a descriptor alike */
    uint64_t        offset;    /* where the answer starts in the object */
} coffer_read_result;

typedef struct coffer_write_args {
    uint32_t   struct_size, flags; /* 0 */
    coffer_str key;
    coffer_str if_match;      /* replace this version alone, or "*": any that exists; lost = COFFER_E_PRECONDITION */
    coffer_str if_none_match; /* "*" = create only; lost = COFFER_E_ALREADY_EXISTS */
    coffer_str attempt;       /* unique for this attempt: mark temporary data with it, clean up by it */
    int64_t    size;          /* -1 unknown; else exact: another length fails and publishes nothing */
    size_t     n_props;
    const coffer_kv *props;   /* as in coffer_entry, and mtime (Unix nanoseconds in decimal) */
    size_t     n_meta;
    const coffer_kv *meta;
    size_t     n_checksums;
    /* Digests that the caller claims; without COFFER_CAP_CHECKSUM any is refused. Before the plugin publishes it compares
     * each with its own or, if it computes none, with that of the same algorithm in coffer_commit_args: another value is
     * COFFER_E_CHECKSUM. One that can be compared with neither is not kept. */
    const coffer_checksum *checksums;
} coffer_write_args;

/* What the host knows only at the end. Each condition is checked again at this moment, not only at begin. */
typedef struct coffer_commit_args {
    uint32_t struct_size, reserved;
    size_t   n_checksums;
    const coffer_checksum *checksums; /* computed by the host while it streamed */
} coffer_commit_args;

#define COFFER_LIST_VERSIONS  1u /* each version is an entry */
#define COFFER_LIST_WANT_META 2u /* properties, metadata and checksums are wanted, even at a cost */

typedef struct coffer_list_args {
    uint32_t   struct_size, flags; /* COFFER_LIST_* */
    coffer_str prefix;      /* of bytes, not of segments */
    coffer_str delimiter;   /* empty = none; keys that share the part up to it become one COFFER_KIND_PREFIX entry */
    coffer_str start_after; /* only keys and prefixes strictly greater */
    coffer_str token;       /* COFFER_VAL_NEXT of an earlier listing with the same arguments; outranks start_after */
} coffer_list_args;

#define COFFER_META_KEEP    0u /* the target gets the source's properties and metadata */
#define COFFER_META_REPLACE 1u /* the target gets those of the arguments */

/* Arguments of copy and move. from = to is allowed with COFFER_META_REPLACE only. */
typedef struct coffer_copy_args {
    uint32_t   struct_size, flags; /* 0 */
    coffer_str from, source_version, source_if_match;
    coffer_str to, if_match, if_none_match, attempt;
    uint32_t   meta_mode, reserved; /* COFFER_META_* */
    size_t     n_props;
    const coffer_kv *props;
    size_t     n_meta;
    const coffer_kv *meta;
} coffer_copy_args;

/* One item of remove_batch; the stride comes with the call. */
typedef struct coffer_remove_item {
    uint32_t   struct_size, reserved;
    coffer_str key, version, if_match;
} coffer_remove_item;

typedef struct coffer_presign_args {
    uint32_t   struct_size, reserved;
    coffer_str method, key; /* GET, PUT, HEAD or DELETE */
    uint64_t   expires_s;
    coffer_str content_type;  /* PUT: bound to the link; GET: the answer's type */
    coffer_str filename;      /* GET: the download's name */
    coffer_str response_type; /* GET: overrides the stored type */
    int64_t    size_exact;    /* PUT: bound to the link; -1 = any */
    size_t     n_query;
    const coffer_kv *query;   /* further parameters to sign */
} coffer_presign_args;

/* ---- operations ---------------------------------------------------------------------------------------------------
 * `open` does no network I/O and blocks only for local work. Unless a comment says otherwise a function may be called
 * on any thread, may block (R4, R5), and may fail with any code that fits its meaning. */
typedef struct coffer_ops {
    uint32_t struct_size, reserved;

    /* Makes an instance. COFFER_E_CONFIG names the option that is wrong. On failure nothing is left behind. */
    coffer_status (*open)(const coffer_open_args *, const coffer_call *, coffer_open_result *, coffer_error *);
    /* Ends it. No call is in flight and no stream is open. */
    void (*close)(coffer_instance *);
    /* Is the store reachable and are we let in? Writes nothing. on_value: COFFER_VAL_INFO. */
    coffer_status (*health)(coffer_instance *, const coffer_call *, const coffer_sink *, coffer_error *);

    /* One on_entry with all that is known. COFFER_E_NOT_FOUND, COFFER_E_PRECONDITION, COFFER_E_NOT_MODIFIED. */
    coffer_status (*stat)(coffer_instance *, const coffer_call *, const coffer_read_args *, const coffer_sink *,
                          coffer_error *);

    /* One on_entry with all that is known comes before this returns, so that a head can be sent first; its size is
     * that of the whole object. Then a stream or a descriptor in the result. */
    coffer_status (*read_open)(coffer_instance *, const coffer_call *, const coffer_read_args *, coffer_read_result *,
                               const coffer_sink *, coffer_error *);
    /* Up to cap bytes; *got = 0 only at the end. Fewer bytes in all than promised is COFFER_E_CORRUPT. */
    coffer_status (*read)(coffer_rstream *, const coffer_call *, void *buf, size_t cap, size_t *got, coffer_error *);
    /* Always, once, also after an error and before the end. */
    void (*read_close)(coffer_rstream *);

    /* Refuses here what can be refused here: keys, conditions that are lost already, properties that cannot be kept. */
    coffer_status (*write_begin)(coffer_instance *, const coffer_call *, const coffer_write_args *, coffer_wstream **,
                                 coffer_error *);
    /* All of it, or an error after which only close may follow. */
    coffer_status (*write_append)(coffer_wstream *, const coffer_call *, const void *, size_t, coffer_error *);
    /* Copies from a descriptor that stays the host's. offset -1: not seekable, read from where it is. *done says how
     * many bytes were taken; COFFER_E_UNSUPPORTED with *done = 0 lets the host append instead. */
    coffer_status (*write_ingest)(coffer_wstream *, const coffer_call *, int32_t fd, int64_t offset, uint64_t length,
                                  uint64_t *done, coffer_error *);
    /* Publishes, once. One on_entry with the new object. What it answers is what a stat would answer now. */
    coffer_status (*write_commit)(coffer_wstream *, const coffer_call *, const coffer_commit_args *,
                                  const coffer_sink *, coffer_error *);
    /* Always, once. Without a successful commit it aborts, and nothing of this attempt remains. */
    void (*write_close)(coffer_wstream *);

    /* An absent key is COFFER_OK unless COFFER_READ_STRICT. With if_match, an absent key is COFFER_E_PRECONDITION. */
    coffer_status (*remove)(coffer_instance *, const coffer_call *, const coffer_read_args *, coffer_error *);
    /* on_result once for each item, in any order. */
    coffer_status (*remove_batch)(coffer_instance *, const coffer_call *, const coffer_remove_item *items, size_t n,
                                  size_t item_size, const coffer_sink *, coffer_error *);

    /* Opens a listing. An absent prefix is an empty listing. */
    coffer_status (*list_open)(coffer_instance *, const coffer_call *, const coffer_list_args *, coffer_lstream **,
                               coffer_error *);
    /* on_entry for up to `limit` entries (at least 1), then *done = 1 if there are no more, else 0 and, where the
     * store can resume, one on_value with COFFER_VAL_NEXT. No entry and *done = 0 is allowed (a page of nothing). */
    coffer_status (*list_next)(coffer_lstream *, const coffer_call *, uint64_t limit, uint32_t *done,
                               const coffer_sink *, coffer_error *);
    void (*list_close)(coffer_lstream *);

    /* One on_entry with the target. An absent source is COFFER_E_NOT_FOUND and leaves the target as it was. */
    coffer_status (*copy)(coffer_instance *, const coffer_call *, const coffer_copy_args *, const coffer_sink *,
                          coffer_error *);
    coffer_status (*move)(coffer_instance *, const coffer_call *, const coffer_copy_args *, const coffer_sink *,
                          coffer_error *);

    /* COFFER_VAL_URL, COFFER_VAL_EXPIRES, and COFFER_VAL_HEADER for each header that the client must send. */
    coffer_status (*presign)(coffer_instance *, const coffer_call *, const coffer_presign_args *, const coffer_sink *,
                             coffer_error *);
    /* COFFER_VAL_URL. No I/O. */
    coffer_status (*public_url)(coffer_instance *, const coffer_call *, coffer_str key, const coffer_sink *,
                                coffer_error *);

    /* on_entry for each, with COFFER_KIND_CONTAINER. */
    coffer_status (*container_list)(coffer_instance *, const coffer_call *, const coffer_sink *, coffer_error *);
    coffer_status (*container_make)(coffer_instance *, const coffer_call *, coffer_str name, const coffer_kv *options,
                                    size_t n_options, coffer_error *);
    /* COFFER_E_NOT_EMPTY if anything is inside. */
    coffer_status (*container_remove)(coffer_instance *, const coffer_call *, coffer_str name, coffer_error *);

    /* COFFER_VAL_USAGE for what is known. */
    coffer_status (*usage)(coffer_instance *, const coffer_call *, const coffer_sink *, coffer_error *);
} coffer_ops;

/* ---- extension: resumable uploads, "coffer.upload/1" (get_extension of the plugin) -------------------------------
 * An upload gathers parts, in any order, over any time, from any process, and becomes an object in one step. Until then
 * nothing of it is seen but by list_uploads. The table is the plugin's; an instance without COFFER_CAP_RESUME answers
 * COFFER_E_UNSUPPORTED. An id that is unknown, aborted or completed is COFFER_E_NOT_FOUND, but see complete. */

#define COFFER_EXT_UPLOAD "coffer.upload/1"

typedef struct coffer_upload_part {
    uint32_t   struct_size, number; /* from 1 to coffer_open_result.max_parts */
    coffer_str etag; /* as the part's commit answered it */
    int64_t    size; /* -1 unknown */
} coffer_upload_part;

typedef struct coffer_upload {
    uint32_t struct_size, reserved;
    /* on_value: COFFER_VAL_NEXT carries the upload's id: all that another process needs to go on. Properties and
     * metadata are those of the object; conditions that are lost already are refused here. */
    coffer_status (*create)(coffer_instance *, const coffer_call *, const coffer_write_args *, const coffer_sink *,
                            coffer_error *);
    /* The stream takes write_append and write_ingest; its commit answers one on_entry whose etag is the part's. A part
     * sent again replaces the earlier one when its commit is acknowledged. The commit of a part whose upload is over
     * fails. */
    coffer_status (*part)(coffer_instance *, const coffer_call *, coffer_str id, uint32_t number, int64_t size,
                          coffer_wstream **, coffer_error *);
    /* on_entry for each part, by number: key is its number in decimal; with size and etag. */
    coffer_status (*list_parts)(coffer_instance *, const coffer_call *, coffer_str id, const coffer_sink *,
                                coffer_error *);
    /* Publishes these parts, in this order, and drops the others: one on_entry with the new object. The arguments are
     * those of create: the key is the same, conditions are checked now, a size is that of all the parts. Twice gives the
     * same answer twice. No part, one that is missing or wrong, numbers that do not rise, or a part but the last below
     * min_part: COFFER_E_INVALID_ARGUMENT, and the key and the upload are as they were. */
    coffer_status (*complete)(coffer_instance *, const coffer_call *, coffer_str id, const coffer_write_args *,
                              const coffer_upload_part *parts, size_t n, size_t part_size, const coffer_sink *,
                              coffer_error *);
    /* Nothing of the upload remains, nor of a part that is still being sent. */
    coffer_status (*abort)(coffer_instance *, const coffer_call *, coffer_str id, coffer_error *);
    /* on_entry for each pending upload begun before a moment (INT64_MAX: all of them): key, version = the upload's id,
     * mtime_ns = when it began. */
    coffer_status (*list_uploads)(coffer_instance *, const coffer_call *, coffer_str prefix, int64_t before_ns,
                                  const coffer_sink *, coffer_error *);
} coffer_upload;

#ifdef __cplusplus
}
#endif
#endif

/* What the backend needs of libmongoc: commands as bytes, on connections that obey the caller's deadline.
 *
 * libmongoc blocks without a word for as long as its own time-outs say, and a pooled client of it may not have a
 * transport of its own. So this room keeps single clients, each with one connection over a stream that waits for the
 * socket, the deadline and the cancellation at once. No type of libmongoc leaves it. */
#ifndef GRIDFS_SHIM_H
#define GRIDFS_SHIM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a call may wait. */
typedef struct gridfs_patience {
    uint64_t deadline_ns; /* CLOCK_MONOTONIC; UINT64_MAX = none */
    int cancel_fd;        /* readable once cancelled, or -1 */
    bool (*cancelled)(const void *token); /* or NULL */
    const void *token;
} gridfs_patience;

#define GRIDFS_FAILED_CANCELLED 1 /* the caller gave up */
#define GRIDFS_FAILED_LATE      2 /* the deadline passed */
#define GRIDFS_FAILED_NO_SERVER 3 /* nothing was sent: no server that will do */
#define GRIDFS_FAILED_NETWORK   4 /* the connection broke or stalled: the command may have been carried out */
#define GRIDFS_FAILED_LOGIN     5 /* the server does not know us */
#define GRIDFS_FAILED_SERVER    6 /* the server says no; code is its own */
#define GRIDFS_FAILED_CLIENT    7 /* libmongoc says no */

typedef struct gridfs_failure {
    int32_t kind, code;
    char message[512];
} gridfs_failure;

/* Something that the URI does not say, or says otherwise: by the name that it has in a URI, and username, password. */
typedef struct gridfs_option {
    const char *name, *value;
} gridfs_option;

typedef struct gridfs_settings {
    const char *uri;
    const gridfs_option *options;
    size_t n_options;
    int32_t stall_ms;     /* the longest silence in the middle of a command */
    int32_t connect_ms;   /* the longest time that one address may take */
    int32_t selection_ms; /* how long to look for a server */
    size_t most_clients;
} gridfs_settings;

typedef struct gridfs_store gridfs_store;
typedef struct gridfs_reply gridfs_reply;

#define GRIDFS_READ         0 /* at the primary */
#define GRIDFS_READ_NEAR    1 /* where the URI's read preference says */
#define GRIDFS_WRITE        2
#define GRIDFS_WRITE_DURABLE 3 /* answered once it is in the journal */

/* No network. NULL: *wrong is the name of the option that is wrong, or NULL for the URI itself. */
gridfs_store *gridfs_store_open(const gridfs_settings *settings, const char **wrong);
/* The database that the URI names, or NULL. */
const char *gridfs_store_database(const gridfs_store *store);
/* Whether what GRIDFS_WRITE_DURABLE has done survives a crash: not if the URI says journal=false. */
bool gridfs_store_is_durable(const gridfs_store *store);
/* Whether it names a user. */
bool gridfs_store_has_user(const gridfs_store *store);
/* Whether it asks to read elsewhere than at the primary. */
bool gridfs_store_reads_elsewhere(const gridfs_store *store);
void gridfs_store_close(gridfs_store *store);

/* Runs a command, in BSON, and answers the server's reply; false: the failure says why. Any thread. */
bool gridfs_run(gridfs_store *store, const char *database, const uint8_t *command, size_t length, int how,
                const gridfs_patience *patience, gridfs_reply **reply, gridfs_failure *failure);
const uint8_t *gridfs_reply_bytes(const gridfs_reply *reply, size_t *length);
void gridfs_reply_free(gridfs_reply *reply);

/* Walks the documents of a first batch that have `n` and `data`. */
typedef struct gridfs_chunk {
    int64_t n;
    const uint8_t *data; /* inside the reply */
    size_t length;
} gridfs_chunk;
/* Fills up to `most` chunks and answers how many; -1 if a document is no chunk. */
int64_t gridfs_reply_chunks(const gridfs_reply *reply, gridfs_chunk *chunks, size_t most);

uint64_t gridfs_monotonic_ns(void);
/* False: the patience ended first. */
bool gridfs_sleep(int64_t milliseconds, const gridfs_patience *patience);
void gridfs_make_id(uint8_t id[12]);
/* A condition on the monotonic clock, and a wait of at most so long: timespec's arithmetic stays here. */
void gridfs_cond_init(pthread_cond_t *condition);
void gridfs_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t nanoseconds);
/* A pipe whose ends are closed by exec. */
bool gridfs_pipe(int ends[2]);
void gridfs_name_thread(const char *name);

#endif

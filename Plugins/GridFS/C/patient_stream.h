/* A connection that waits for the socket, the deadline and the cancellation at once. */
#ifndef GRIDFS_PATIENT_STREAM_H
#define GRIDFS_PATIENT_STREAM_H

#include "gridfs_shim.h"

#include <mongoc/mongoc.h>

/* The patience of the call that this thread is in. libmongoc does all I/O of a single client on the calling thread. */
typedef struct gridfs_waiting {
    const gridfs_patience *patience;
    int32_t ended; /* 0, GRIDFS_FAILED_CANCELLED or GRIDFS_FAILED_LATE */
} gridfs_waiting;
extern _Thread_local gridfs_waiting gridfs_now;

/* True while the call may go on; remembers why not. */
bool gridfs_may_wait(void);
/* Waits for events on a descriptor, at most so long (-1: no bound of its own). 1 ready, 0 time-out, -1 the call ends. */
int gridfs_wait(int fd, short events, int64_t timeout_ms);

/* Connects to a host, patiently. NULL: the error says why. */
mongoc_stream_t *gridfs_connect(const mongoc_host_list_t *host, int32_t timeout_ms, bson_error_t *error);

#endif

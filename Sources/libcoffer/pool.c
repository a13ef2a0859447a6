/* pool.c - clients, and the connections that they keep.
 *
 * 1. A connection is with one exchange at a time, and comes back only when its answer was read to the end.
 * 2. A process uses no connection that another one made: a child closes its copies, which leaves the parent's alone.
 * 3. Nobody forks while a lock is held, so that a child never finds one that will not open again.
 */
#include "internal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static coffer_client *all;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int watched;

static void before_fork(void) {
    pthread_mutex_lock(&all_lock);
    for (coffer_client *client = all; client; client = client->next) pthread_mutex_lock(&client->lock);
}

static void after_fork(void) {
    for (coffer_client *client = all; client; client = client->next) pthread_mutex_unlock(&client->lock);
    pthread_mutex_unlock(&all_lock);
}

static void watch_forks(void) { watched = pthread_atfork(before_fork, after_fork, after_fork) == 0; }

static char *located(void) {
    const char *named = getenv("COFFER_SOCKET"), *folder = getenv("XDG_RUNTIME_DIR");
    static const char usual[] = "/run/coffer/coffer.sock", below[] = "/coffer/coffer.sock";
    if (named && *named) return strdup(named);
    if (!folder || !*folder) return strdup(usual);
    char *own = malloc(strlen(folder) + sizeof below);
    if (!own) return NULL;
    strcpy(own, folder);
    strcat(own, below);
    // Where neither exists the first one is named in the failure that follows.
    if (access(own, F_OK) == 0 || access(usual, F_OK) != 0) return own;
    free(own);
    return strdup(usual);
}

int coffer_client_open(const char *socket, const coffer_client_options *given, coffer_client **result,
                       coffer_failure *failure) {
    coffer_client_options options = COFFER_CLIENT_OPTIONS_INIT;
    int code = options_taken(&options, sizeof options, given, failure);
    if (code) return code;
    if (!result) return fail(failure, COFFER_CODE_INVALID_ARGUMENT, "there is no place for the client: it is NULL");
    pthread_once(&once, watch_forks);
    coffer_client *client = calloc(1, sizeof *client);
    if (!client || !watched || !(client->path = socket ? strdup(socket) : located())) {
        free(client);
        return fail_memory(failure);
    }
    client->timeout_ms = options.timeout_ms;
    client->idle_limit = options.idle_limit;
    client->pid = getpid();
    pthread_mutex_init(&client->lock, NULL);
    pthread_mutex_lock(&all_lock);
    client->next = all;
    if (all) all->previous = client;
    all = client;
    pthread_mutex_unlock(&all_lock);
    *result = client;
    return COFFER_CODE_OK;
}

void coffer_client_close(coffer_client *client) {
    if (!client) return;
    pthread_mutex_lock(&all_lock);
    if (client->previous) client->previous->next = client->next;
    else all = client->next;
    if (client->next) client->next->previous = client->previous;
    pthread_mutex_unlock(&all_lock);
    pool_discard(client);
    pthread_mutex_destroy(&client->lock);
    free(client->path);
    free(client);
}

const char *coffer_client_socket(const coffer_client *client) { return client->path; }

static void close_all(struct connection *connection) {
    while (connection) {
        struct connection *next = connection->next;
        connection_close(connection);
        connection = next;
    }
}

void pool_discard(coffer_client *client) {
    pthread_mutex_lock(&client->lock);
    struct connection *idle = client->idle;
    client->idle = NULL;
    client->idle_count = 0;
    pthread_mutex_unlock(&client->lock);
    close_all(idle);
}

int pool_acquire(coffer_client *client, bool must_live, struct connection **result, bool *is_old,
                 coffer_failure *failure) {
    pid_t pid = getpid();
    for (;;) {
        struct connection *inherited = NULL;
        pthread_mutex_lock(&client->lock);
        if (client->pid != pid) {
            inherited = client->idle;
            client->idle = NULL;
            client->idle_count = 0;
            client->pid = pid;
        }
        struct connection *connection = client->idle;
        if (connection) {
            client->idle = connection->next;
            client->idle_count--;
        }
        pthread_mutex_unlock(&client->lock);
        close_all(inherited);
        *is_old = connection != NULL;
        if (!connection) return connection_open(client->path, client->timeout_ms, result, failure);
        if (!must_live || connection_alive(connection)) {
            connection->sent = 0;
            *result = connection;
            return COFFER_CODE_OK;
        }
        connection_close(connection);
    }
}

void pool_release(coffer_client *client, struct connection *connection) {
    if (!connection) return;
    if (connection_reusable(connection)) {
        pthread_mutex_lock(&client->lock);
        bool taken = client->pid == connection->pid && client->idle_count < client->idle_limit;
        if (taken) {
            connection->next = client->idle;
            client->idle = connection;
            client->idle_count++;
        }
        pthread_mutex_unlock(&client->lock);
        if (taken) return;
    }
    connection_close(connection);
}

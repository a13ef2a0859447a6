#define _GNU_SOURCE
#include "patient_stream.h"
#include "uri_options.h"

#include <pthread.h>
#include <string.h>

/* The clients of one storage. An idle client keeps its connection; one that failed is thrown away with it. */
struct gridfs_store {
    mongoc_uri_t *uri;
    mongoc_write_concern_t *concern, *durable;
    mongoc_ssl_opt_t tls;
    int32_t connect_ms, selection_ms;
    size_t most, made;
    /* How many were in use at once lately: more than that are not kept. */
    size_t peak, earlier_peak, takes;
    bool has_tls;
    pthread_mutex_t mutex;
    pthread_cond_t came_back;
    mongoc_client_t **idle;
    size_t idle_count;
};

struct gridfs_reply {
    bson_t document;
};

/* ---- once for each process ------------------------------------------------------------------------------------- */

/* A plugin writes nothing to standard error; what matters comes back as an error of the call. */
static void drop_log(mongoc_log_level_t level, const char *domain, const char *message, void *context)
{
    (void)level, (void)domain, (void)message, (void)context;
}

static void start_once(void)
{
    mongoc_init();
    mongoc_log_set_handler(drop_log, NULL);
}

static void start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, start_once);
}

void gridfs_make_id(uint8_t id[12])
{
    start();
    bson_oid_t made;
    bson_oid_init(&made, NULL);
    memcpy(id, made.bytes, 12);
}

/* ---- failures ---------------------------------------------------------------------------------------------------- */

static bool fail(gridfs_failure *failure, int32_t kind, int32_t code, const char *message)
{
    failure->kind = kind;
    failure->code = code;
    strncpy(failure->message, message, sizeof failure->message - 1);
    failure->message[sizeof failure->message - 1] = 0;
    return false;
}

static bool fail_with(gridfs_failure *failure, const bson_error_t *error)
{
    int32_t kind;
    if (gridfs_now.ended)
        return fail(failure, gridfs_now.ended, 0, gridfs_now.ended == GRIDFS_FAILED_LATE ? "the deadline passed"
                                                                                          : "cancelled");
    switch (error->domain) {
    case MONGOC_ERROR_SERVER:
    case MONGOC_ERROR_WRITE_CONCERN:
        kind = GRIDFS_FAILED_SERVER;
        break;
    case MONGOC_ERROR_SERVER_SELECTION:
        kind = error->code == MONGOC_ERROR_SERVER_SELECTION_FAILURE ? GRIDFS_FAILED_NO_SERVER : GRIDFS_FAILED_CLIENT;
        break;
    case MONGOC_ERROR_STREAM:
        kind = GRIDFS_FAILED_NETWORK;
        break;
    case MONGOC_ERROR_SASL:
    case MONGOC_ERROR_SCRAM:
        kind = GRIDFS_FAILED_LOGIN;
        break;
    case MONGOC_ERROR_CLIENT:
        kind = error->code == MONGOC_ERROR_CLIENT_AUTHENTICATE ? GRIDFS_FAILED_LOGIN : GRIDFS_FAILED_CLIENT;
        break;
    case MONGOC_ERROR_PROTOCOL:
        kind = error->code == MONGOC_ERROR_PROTOCOL_INVALID_REPLY ? GRIDFS_FAILED_NETWORK : GRIDFS_FAILED_CLIENT;
        break;
    default:
        kind = GRIDFS_FAILED_CLIENT;
    }
    return fail(failure, kind, (int32_t)error->code, error->message);
}

/* ---- open and close ---------------------------------------------------------------------------------------------- */

static void use_tls_of(gridfs_store *store)
{
    const mongoc_uri_t *uri = store->uri;
    bool is_insecure = mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLSINSECURE, false);
    store->has_tls = mongoc_uri_get_tls(uri);
    store->tls.ca_file = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCAFILE, NULL);
    store->tls.pem_file = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILE, NULL);
    store->tls.pem_pwd = mongoc_uri_get_option_as_utf8(uri, MONGOC_URI_TLSCERTIFICATEKEYFILEPASSWORD, NULL);
    store->tls.weak_cert_validation =
        is_insecure || mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLSALLOWINVALIDCERTIFICATES, false);
    store->tls.allow_invalid_hostname =
        is_insecure || mongoc_uri_get_option_as_bool(uri, MONGOC_URI_TLSALLOWINVALIDHOSTNAMES, false);
}

/* Unless the operator has said otherwise: a majority; and what publishes waits for the journal. */
static void use_write_concern_of(gridfs_store *store)
{
    store->concern = mongoc_write_concern_copy(mongoc_uri_get_write_concern(store->uri));
    if (mongoc_write_concern_is_default(store->concern))
        mongoc_write_concern_set_w(store->concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    store->durable = mongoc_write_concern_copy(store->concern);
    if (!mongoc_write_concern_journal_is_set(store->durable))
        mongoc_write_concern_set_journal(store->durable, true);
}

gridfs_store *gridfs_store_open(const gridfs_settings *settings, const char **wrong)
{
    start();
    *wrong = NULL;
    /* What libmongoc says of a wrong one may quote the part with the password. */
    mongoc_uri_t *uri = mongoc_uri_new_with_error(settings->uri, NULL);
    if (!uri)
        return NULL;
    for (size_t i = 0; i < settings->n_options; i++) {
        if (!gridfs_set_option(uri, settings->options[i].name, settings->options[i].value)) {
            *wrong = settings->options[i].name;
            mongoc_uri_destroy(uri);
            return NULL;
        }
    }
    /* Without an answer to a write there is no promise to keep. */
    if (mongoc_write_concern_get_w(mongoc_uri_get_write_concern(uri)) == 0) {
        *wrong = MONGOC_URI_W;
        mongoc_uri_destroy(uri);
        return NULL;
    }
    gridfs_store *store = bson_malloc0(sizeof *store);
    store->uri = uri;
    store->connect_ms = settings->connect_ms;
    store->selection_ms = settings->selection_ms;
    store->most = settings->most_clients;
    store->idle = bson_malloc0(store->most * sizeof(mongoc_client_t *));
    pthread_mutex_init(&store->mutex, NULL);
    gridfs_cond_init(&store->came_back);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, settings->stall_ms);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, settings->connect_ms);
    /* One look at the servers; looking again is ours, between two looks at the clock. */
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_SERVERSELECTIONTRYONCE, true);
    use_tls_of(store);
    use_write_concern_of(store);
    return store;
}

const char *gridfs_store_database(const gridfs_store *store) { return mongoc_uri_get_database(store->uri); }

bool gridfs_store_is_durable(const gridfs_store *store) { return mongoc_write_concern_get_journal(store->durable); }

bool gridfs_store_has_user(const gridfs_store *store) { return mongoc_uri_get_username(store->uri) != NULL; }

bool gridfs_store_reads_elsewhere(const gridfs_store *store)
{
    return mongoc_read_prefs_get_mode(mongoc_uri_get_read_prefs_t(store->uri)) != MONGOC_READ_PRIMARY;
}

void gridfs_store_close(gridfs_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->idle_count; i++)
        mongoc_client_destroy(store->idle[i]);
    bson_free(store->idle);
    mongoc_write_concern_destroy(store->concern);
    mongoc_write_concern_destroy(store->durable);
    mongoc_uri_destroy(store->uri);
    pthread_cond_destroy(&store->came_back);
    pthread_mutex_destroy(&store->mutex);
    bson_free(store);
}

/* ---- clients ------------------------------------------------------------------------------------------------------ */

static mongoc_stream_t *connect_client(const mongoc_uri_t *uri, const mongoc_host_list_t *host, void *context,
                                       bson_error_t *error)
{
    (void)uri;
    gridfs_store *store = context;
    mongoc_stream_t *stream = gridfs_connect(host, store->connect_ms, error);
    if (!stream || !store->has_tls)
        return stream ? mongoc_stream_buffered_new(stream, 1024) : NULL;
    mongoc_stream_t *secure = mongoc_stream_tls_new_with_hostname(stream, host->host, &store->tls, 1);
    if (!secure) {
        mongoc_stream_destroy(stream);
        bson_set_error(error, MONGOC_ERROR_STREAM, MONGOC_ERROR_STREAM_SOCKET, "TLS cannot be set up for %s",
                       host->host_and_port);
        return NULL;
    }
    if (!mongoc_stream_tls_handshake_block(secure, host->host, store->connect_ms, error)) {
        mongoc_stream_destroy(secure);
        return NULL;
    }
    return mongoc_stream_buffered_new(secure, 1024);
}

static mongoc_client_t *make_client(gridfs_store *store, bson_error_t *error)
{
    /* For mongodb+srv this asks the DNS. */
    mongoc_client_t *client = mongoc_client_new_from_uri_with_error(store->uri, error);
    if (!client)
        return NULL;
    mongoc_client_set_error_api(client, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_set_stream_initiator(client, connect_client, store);
    return client;
}

/* After so many uses the demand is measured anew. */
static const size_t demand_window = 128;

/* How many clients are worth keeping: as many as were in use at once, this while or the last. */
static size_t demand(const gridfs_store *store)
{
    return store->peak > store->earlier_peak ? store->peak : store->earlier_peak;
}

static void note_use(gridfs_store *store)
{
    size_t in_use = store->made - store->idle_count;
    if (++store->takes >= demand_window) {
        store->takes = 0;
        store->earlier_peak = store->peak;
        store->peak = 0;
    }
    if (in_use > store->peak)
        store->peak = in_use;
}

/* Takes an idle client, or the right to make one. False: the call ended before its turn came. */
static bool take(gridfs_store *store, mongoc_client_t **client)
{
    bool has_place = false;
    *client = NULL;
    pthread_mutex_lock(&store->mutex);
    while (!has_place) {
        if (store->idle_count > 0) {
            *client = store->idle[--store->idle_count];
            has_place = true;
        } else if (store->made < store->most) {
            store->made++;
            has_place = true;
        } else if (!gridfs_may_wait()) {
            break;
        } else {
            gridfs_cond_wait(&store->came_back, &store->mutex, 50000000);
        }
    }
    if (has_place)
        note_use(store);
    pthread_mutex_unlock(&store->mutex);
    return has_place;
}

/* Keeps a good client, as long as that many are wanted; the one that has been idle for longest goes first. */
static void give_back(gridfs_store *store, mongoc_client_t *client, bool is_good)
{
    mongoc_client_t *gone[2] = {NULL, NULL};
    pthread_mutex_lock(&store->mutex);
    if (client && is_good) {
        store->idle[store->idle_count++] = client;
    } else {
        gone[0] = client;
        store->made--;
    }
    if (store->made > demand(store) && store->idle_count > 0) {
        gone[1] = store->idle[0];
        memmove(store->idle, store->idle + 1, --store->idle_count * sizeof(mongoc_client_t *));
        store->made--;
    }
    pthread_cond_signal(&store->came_back);
    pthread_mutex_unlock(&store->mutex);
    for (int i = 0; i < 2; i++)
        if (gone[i])
            mongoc_client_destroy(gone[i]);
}

/* ---- commands ------------------------------------------------------------------------------------------------------ */

static bool run_once(gridfs_store *store, mongoc_client_t *client, const char *database, const bson_t *command,
                     int how, bson_t *reply, bson_error_t *error)
{
    if (how == GRIDFS_READ || how == GRIDFS_READ_NEAR) {
        mongoc_read_prefs_t *primary = how == GRIDFS_READ ? mongoc_read_prefs_new(MONGOC_READ_PRIMARY) : NULL;
        bool is_done = mongoc_client_read_command_with_opts(client, database, command, primary, NULL, reply, error);
        mongoc_read_prefs_destroy(primary);
        return is_done;
    }
    bson_t options = BSON_INITIALIZER;
    mongoc_write_concern_append(how == GRIDFS_WRITE_DURABLE ? store->durable : store->concern, &options);
    bool is_done = mongoc_client_write_command_with_opts(client, database, command, &options, reply, error);
    bson_destroy(&options);
    return is_done;
}

bool gridfs_run(gridfs_store *store, const char *database, const uint8_t *command, size_t length, int how,
                const gridfs_patience *patience, gridfs_reply **reply, gridfs_failure *failure)
{
    bson_t body;
    if (!bson_init_static(&body, command, length))
        return fail(failure, GRIDFS_FAILED_CLIENT, 0, "the command is no document");
    gridfs_now = (gridfs_waiting){.patience = patience};
    uint64_t start_ns = gridfs_monotonic_ns();
    gridfs_reply *answer = bson_malloc0(sizeof *answer);
    bool is_done = false;
    for (;;) {
        mongoc_client_t *client = NULL;
        bson_error_t error = {0};
        bool has_place = gridfs_may_wait() && take(store, &client), has_reply = false;
        if (!has_place) {
            fail_with(failure, &error);
            break;
        }
        if (!client)
            client = make_client(store, &error);
        if (client) {
            is_done = run_once(store, client, database, &body, how, &answer->document, &error);
            has_reply = true;
        }
        if (!is_done)
            fail_with(failure, &error);
        /* After a word of the server the connection is as good as before; after anything else it may not be. */
        give_back(store, client, is_done || failure->kind == GRIDFS_FAILED_SERVER);
        if (is_done)
            break;
        if (has_reply)
            bson_destroy(&answer->document);
        bool is_new_look = failure->kind == GRIDFS_FAILED_NO_SERVER &&
                           gridfs_monotonic_ns() - start_ns < (uint64_t)store->selection_ms * 1000000;
        if (!is_new_look)
            break;
        /* No socket to wait for: a descriptor of -1 is none. */
        (void)gridfs_wait(-1, 0, 100);
    }
    gridfs_now = (gridfs_waiting){0};
    if (is_done) {
        *reply = answer;
    } else {
        bson_free(answer);
    }
    return is_done;
}

const uint8_t *gridfs_reply_bytes(const gridfs_reply *reply, size_t *length)
{
    *length = reply->document.len;
    return bson_get_data(&reply->document);
}

void gridfs_reply_free(gridfs_reply *reply)
{
    if (!reply)
        return;
    bson_destroy(&reply->document);
    bson_free(reply);
}

int64_t gridfs_reply_chunks(const gridfs_reply *reply, gridfs_chunk *chunks, size_t most)
{
    bson_iter_t top, batch, document;
    if (!bson_iter_init(&top, &reply->document) || !bson_iter_find_descendant(&top, "cursor.firstBatch", &batch) ||
        !BSON_ITER_HOLDS_ARRAY(&batch) || !bson_iter_recurse(&batch, &document))
        return -1;
    size_t count = 0;
    while (count < most && bson_iter_next(&document)) {
        bson_iter_t field;
        bson_subtype_t subtype;
        gridfs_chunk chunk = {.n = -1};
        if (!BSON_ITER_HOLDS_DOCUMENT(&document) || !bson_iter_recurse(&document, &field))
            return -1;
        while (bson_iter_next(&field)) {
            const char *name = bson_iter_key(&field);
            uint32_t length = 0;
            if (strcmp(name, "n") == 0 && BSON_ITER_HOLDS_NUMBER(&field)) {
                chunk.n = bson_iter_as_int64(&field);
            } else if (strcmp(name, "data") == 0 && BSON_ITER_HOLDS_BINARY(&field)) {
                bson_iter_binary(&field, &subtype, &length, &chunk.data);
                chunk.length = length;
            }
        }
        if (chunk.n < 0 || !chunk.data)
            return -1;
        chunks[count++] = chunk;
    }
    return (int64_t)count;
}

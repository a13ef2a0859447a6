#include "coffer_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct coffer_tls_stream {
    SSL        *ssl;
    SSL_SESSION *latest; /* a ticket of TLS 1.3 comes after the handshake, maybe several times */
    char        reason[256];
};

static SSL_CTX *raw(coffer_tls_context *context) { return (SSL_CTX *)context; }

/* OpenSSL hands over each new session here; 1 keeps the reference. */
static int keep_session(SSL *ssl, SSL_SESSION *session) {
    coffer_tls_stream *stream = SSL_get_app_data(ssl);
    if (stream == NULL) return 0;
    SSL_SESSION_free(stream->latest);
    stream->latest = session;
    return 1;
}

static void describe(char *reason, size_t room, const char *what) {
    unsigned long error = ERR_get_error();
    const char   *text = error ? ERR_reason_error_string(error) : NULL;
    snprintf(reason, room, "%s%s%s", what, text ? ": " : "", text ? text : "");
    ERR_clear_error();
}

coffer_tls_context *coffer_tls_context_make(const char *authorities, const char *certificate, const char *key,
                                            char *reason, size_t room) {
    ERR_clear_error();
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (context == NULL) {
        describe(reason, room, "no context");
        return NULL;
    }
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    /* A peer that closes without a word ends the stream; who needs to know more has a length or an answer. */
    SSL_CTX_set_options(context, SSL_OP_IGNORE_UNEXPECTED_EOF | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    int trusted = authorities ? SSL_CTX_load_verify_locations(context, authorities, NULL)
                              : SSL_CTX_set_default_verify_paths(context);
    if (trusted != 1) {
        describe(reason, room, "the authorities cannot be read");
        SSL_CTX_free(context);
        return NULL;
    }
    if (certificate &&
        (SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
         SSL_CTX_use_PrivateKey_file(context, key ? key : certificate, SSL_FILETYPE_PEM) != 1 ||
         SSL_CTX_check_private_key(context) != 1)) {
        describe(reason, room, "the client's certificate or its key cannot be used");
        SSL_CTX_free(context);
        return NULL;
    }
    return (coffer_tls_context *)context;
}

void coffer_tls_context_free(coffer_tls_context *context) { SSL_CTX_free(raw(context)); }

/* Whether the name is an address, which certificates hold elsewhere and which is never sent as a name. */
static int is_address(const char *name) {
    unsigned char bytes[16];
    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

coffer_tls_stream *coffer_tls_stream_make(coffer_tls_context *context, int descriptor, const char *name,
                                          coffer_tls_session *session) {
    ERR_clear_error();
    coffer_tls_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) return NULL;
    SSL *ssl = stream->ssl = SSL_new(raw(context));
    int  good = ssl != NULL && SSL_set_fd(ssl, descriptor) == 1;
    if (good && is_address(name)) {
        good = X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name) == 1;
    } else if (good) {
        good = SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
    }
    if (!good) {
        coffer_tls_stream_free(stream);
        return NULL;
    }
    SSL_set_app_data(ssl, stream);
    SSL_set_connect_state(ssl);
    if (session) {
        /* OpenSSL wants a session of TLS 1.3 to be used once, and spoils it; a copy lets the caller decide. One that
         * cannot be resumed costs a whole handshake, no more. */
        SSL_SESSION *copy = SSL_SESSION_dup((SSL_SESSION *)session);
        if (copy) SSL_set_session(ssl, copy);
        SSL_SESSION_free(copy);
    }
    return stream;
}

void coffer_tls_stream_free(coffer_tls_stream *stream) {
    if (stream == NULL) return;
    if (stream->ssl) {
        SSL_set_app_data(stream->ssl, NULL);
        /* A stream that ends without a word would spoil its session for all who still want to resume it. */
        SSL_set_shutdown(stream->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(stream->ssl);
    SSL_SESSION_free(stream->latest);
    free(stream);
}

/* What a call that did not succeed came to. */
static long outcome(coffer_tls_stream *stream, int result, const char *what) {
    int number = errno;
    switch (SSL_get_error(stream->ssl, result)) {
    case SSL_ERROR_WANT_READ: return COFFER_TLS_WANTS_READ;
    case SSL_ERROR_WANT_WRITE: return COFFER_TLS_WANTS_WRITE;
    case SSL_ERROR_ZERO_RETURN: return COFFER_TLS_END;
    case SSL_ERROR_SYSCALL:
        snprintf(stream->reason, sizeof stream->reason, "%s: %s", what,
                 number ? strerror(number) : "the peer closed the connection");
        ERR_clear_error();
        return COFFER_TLS_FAILED;
    default: break;
    }
    long verified = SSL_get_verify_result(stream->ssl);
    if (verified != X509_V_OK && !SSL_is_init_finished(stream->ssl)) {
        snprintf(stream->reason, sizeof stream->reason, "%s", X509_verify_cert_error_string(verified));
        ERR_clear_error();
        return COFFER_TLS_UNTRUSTED;
    }
    describe(stream->reason, sizeof stream->reason, what);
    return COFFER_TLS_FAILED;
}

long coffer_tls_handshake(coffer_tls_stream *stream) {
    ERR_clear_error();
    errno = 0;
    int result = SSL_do_handshake(stream->ssl);
    return result == 1 ? 1 : outcome(stream, result, "the handshake failed");
}

long coffer_tls_read(coffer_tls_stream *stream, void *buffer, size_t room) {
    ERR_clear_error();
    errno = 0;
    size_t got = 0;
    int    result = SSL_read_ex(stream->ssl, buffer, room, &got);
    return result == 1 ? (long)got : outcome(stream, result, "reading failed");
}

long coffer_tls_write(coffer_tls_stream *stream, const void *bytes, size_t count) {
    ERR_clear_error();
    errno = 0;
    size_t taken = 0;
    int    result = SSL_write_ex(stream->ssl, bytes, count, &taken);
    return result == 1 ? (long)taken : outcome(stream, result, "writing failed");
}

long coffer_tls_finish(coffer_tls_stream *stream) {
    ERR_clear_error();
    errno = 0;
    int result = SSL_shutdown(stream->ssl);
    return result >= 0 ? 1 : outcome(stream, result, "closing failed");
}

size_t coffer_tls_pending(coffer_tls_stream *stream) { return (size_t)SSL_pending(stream->ssl); }

coffer_tls_session *coffer_tls_session_of(coffer_tls_stream *stream) {
    if (stream->latest == NULL || SSL_SESSION_up_ref(stream->latest) != 1) return NULL;
    return (coffer_tls_session *)stream->latest;
}

void coffer_tls_session_free(coffer_tls_session *session) { SSL_SESSION_free((SSL_SESSION *)session); }

int coffer_tls_resumed(coffer_tls_stream *stream) { return SSL_session_reused(stream->ssl); }

const char *coffer_tls_version(coffer_tls_stream *stream) { return SSL_get_version(stream->ssl); }

const char *coffer_tls_reason(coffer_tls_stream *stream) { return stream->reason; }

/* TLS over a socket that does not block, by OpenSSL: what of it is a macro or needs a callback, as plain functions. */
#ifndef COFFER_TLS_H
#define COFFER_TLS_H

#include <stddef.h>

typedef struct coffer_tls_context coffer_tls_context;
typedef struct coffer_tls_stream  coffer_tls_stream;
typedef struct coffer_tls_session coffer_tls_session;

/* What a step came to; a positive number of bytes is success. */
#define COFFER_TLS_END         0  /* the peer sends no more */
#define COFFER_TLS_WANTS_READ  -1 /* wait until the socket is readable, then do the same again */
#define COFFER_TLS_WANTS_WRITE -2 /* likewise writable */
#define COFFER_TLS_FAILED      -3 /* the connection is of no more use; coffer_tls_reason says why */
#define COFFER_TLS_UNTRUSTED   -4 /* likewise: the peer's certificate is not good for that name */

/* A client's context: TLS 1.2 and later, peers verified against `authorities` (a PEM file) or, if NULL, the system's.
 * NULL on failure; `reason` says why. */
coffer_tls_context *coffer_tls_context_make(const char *authorities, const char *certificate, const char *key,
                                            char *reason, size_t room);
void coffer_tls_context_free(coffer_tls_context *);

/* A stream over a connected socket, which stays the caller's, to a peer that must prove to be `name` (a host name or an
 * address). With a session, that one is resumed if the peer agrees. NULL on failure. */
coffer_tls_stream *coffer_tls_stream_make(coffer_tls_context *, int descriptor, const char *name,
                                          coffer_tls_session *session);
void coffer_tls_stream_free(coffer_tls_stream *);

/* One step: 1 when the handshake is done. */
long coffer_tls_handshake(coffer_tls_stream *);
/* Bytes read, or one of the above. */
long coffer_tls_read(coffer_tls_stream *, void *, size_t);
/* Bytes written, at least 1 of at least 1, or one of the above. */
long coffer_tls_write(coffer_tls_stream *, const void *, size_t);
/* Tells the peer that no more comes: 1 when told. */
long coffer_tls_finish(coffer_tls_stream *);
/* Bytes that were decrypted already: a poll does not know of them. */
size_t coffer_tls_pending(coffer_tls_stream *);
/* The latest session that the peer offered on this stream, since it was made; NULL if there is none. The caller frees it.
 * Under TLS 1.3 it comes after the handshake, while something is read. */
coffer_tls_session *coffer_tls_session_of(coffer_tls_stream *);
void coffer_tls_session_free(coffer_tls_session *);
/* Whether the handshake resumed a session. */
int coffer_tls_resumed(coffer_tls_stream *);
/* "TLSv1.3" and so on. */
const char *coffer_tls_version(coffer_tls_stream *);
/* Why the latest step of this stream failed; valid until the next one. */
const char *coffer_tls_reason(coffer_tls_stream *);

#endif

/* What Swift cannot say to libcurl: variadic options and callbacks.
 *
 * A wire is one easy handle in a multi handle of its own, with at most a few connections: the thread that has it drives
 * it, and while nobody drives it nothing is read from the network. */
#ifndef COFFER_CURL_SHIM_H
#define COFFER_CURL_SHIM_H

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#define COFFER_WIRE_SOCKETS 8

typedef struct coffer_wire {
    void *easy, *multi;
    void *fields; /* the list of header lines of the present request, and its last one */
    void *last_field;
    void *common; /* the lines that most requests end with, kept; shared_common says whether this one does */

    /* The sockets that libcurl waits for; slot 0 is the caller's. */
    struct pollfd waits[COFFER_WIRE_SOCKETS + 1];
    uint32_t      n_waits;
    int64_t       due_ns; /* when libcurl wants to be called anyway, CLOCK_MONOTONIC; -1 = never */

    /* The answer's head: the lines as they came, CRLF included, without interim answers. */
    char   *head;
    size_t  head_len, head_cap, head_limit;
    int32_t status;
    uint8_t head_done, head_too_long, seen_head;

    /* Where body bytes go: into the target while it has room, then into the overflow, which is kept. */
    unsigned char *target;
    size_t         target_cap, target_len;
    unsigned char *overflow;
    size_t         overflow_at, overflow_len;
    uint64_t       body_bytes; /* taken in all */

    /* What is to be sent: the present piece of a pushed body. */
    const unsigned char *piece;
    size_t               piece_len, piece_at;
    uint64_t             piece_start; /* where the piece begins in the whole body */
    uint8_t              is_last;     /* nothing follows the piece */

    uint8_t  recv_paused, send_paused;
    uint8_t  shared_common;
    uint8_t  is_once;    /* the request must not be issued a second time on another connection */
    uint32_t issued;     /* how often the request was begun to be sent */
    uint64_t moves;      /* counts whatever a peer did: progress */
    uint8_t  is_running; /* between begin and the end */
    uint8_t  is_done;
    int32_t  result;     /* once done: a CURLcode */
} coffer_wire;

/* What several wires know together: names that were looked up, TLS sessions. NULL: out of memory. */
void *coffer_share_make(void);
void  coffer_share_free(void *share);

/* Initialises libcurl at the first call; NULL: it cannot be initialised, or memory is out. Any thread. */
coffer_wire *coffer_wire_make(void *share);
void         coffer_wire_free(coffer_wire *wire);

typedef enum coffer_wire_text {
    COFFER_WIRE_URL, COFFER_WIRE_METHOD, COFFER_WIRE_TARGET, COFFER_WIRE_PROXY, COFFER_WIRE_CA_FILE,
    COFFER_WIRE_CERTIFICATE, COFFER_WIRE_KEY
} coffer_wire_text;
typedef enum coffer_wire_number {
    COFFER_WIRE_VERIFY, COFFER_WIRE_CONNECT_MS, COFFER_WIRE_IDLE_S, COFFER_WIRE_UPLOAD_BUFFER
} coffer_wire_number;

/* Sets an option that stays: 0, or a CURLcode. NULL gives back libcurl's default. */
int32_t coffer_wire_set_text(coffer_wire *wire, coffer_wire_text option, const char *text);
int32_t coffer_wire_set_number(coffer_wire *wire, coffer_wire_number option, int64_t number);

/* Adds a header line `Name: value` to the next request; 0, or -1: out of memory. */
int coffer_wire_field(coffer_wire *wire, const char *line);

/* Adds a line to those that are kept for every request that asks for them, and asks for them. */
int  coffer_wire_common_field(coffer_wire *wire, const char *line);
void coffer_wire_use_common(coffer_wire *wire);

#define COFFER_BODY_NONE   0 /* GET and whatever has no body */
#define COFFER_BODY_HEAD   1 /* HEAD: the answer has none */
#define COFFER_BODY_BYTES  2 /* all of it at once; must stay valid until the end */
#define COFFER_BODY_PUSHED 3 /* piece by piece; length -1: chunked */

/* Starts the request that was set up; 0, or a code (CURLMcode). */
int32_t coffer_wire_begin(coffer_wire *wire, int kind, const void *bytes, int64_t length);

/* Lets libcurl work once, after waiting up to wait_ms for a socket, for its own timer, or for `extra` (a descriptor, or
 * -1). Non-zero: `extra` is readable, and nothing was done. */
int coffer_wire_turn(coffer_wire *wire, int extra, int wait_ms);

/* The same for many wires at once; a wire moved if its `moves` or `is_done` changed. n is at most COFFER_WIRES. */
#define COFFER_WIRES 64
int coffer_wires_turn(coffer_wire *const *wires, size_t n, int extra, int wait_ms);

/* Gives the next piece of a pushed body; the bytes must stay valid until piece_at == piece_len. */
void coffer_wire_push(coffer_wire *wire, const void *bytes, size_t length, int is_last);

/* Goes on with a body that was halted because the overflow was full. */
void coffer_wire_resume(coffer_wire *wire);

/* Ends the request: whole, and the connection stays for the next; or in the midst, and it is closed. */
void coffer_wire_end(coffer_wire *wire);

/* The error number of the operating system behind a failure, or 0; and libcurl's words for a CURLcode. */
int         coffer_wire_errno(coffer_wire *wire);
const char *coffer_wire_reason(int32_t result);

/* The CURLcodes that the transport tells apart. */
typedef enum coffer_wire_failure {
    COFFER_CURL_OTHER, COFFER_CURL_RESOLVE, COFFER_CURL_CONNECT, COFFER_CURL_TIMEOUT, COFFER_CURL_TLS,
    COFFER_CURL_TRUST, COFFER_CURL_PARTIAL, COFFER_CURL_BROKEN, COFFER_CURL_GARBLED, COFFER_CURL_PROXY,
    COFFER_CURL_REFUSED
} coffer_wire_failure;
coffer_wire_failure coffer_wire_classify(int32_t result);

#endif

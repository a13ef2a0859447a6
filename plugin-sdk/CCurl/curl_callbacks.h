/* What libcurl calls while a wire is driven. `context` is the wire everywhere. */
#ifndef COFFER_CURL_CALLBACKS_H
#define COFFER_CURL_CALLBACKS_H

#include "curl_shim.h"
#include <curl/curl.h>

#define COFFER_OVERFLOW (128 * 1024)

size_t        coffer_on_head(char *line, size_t size, size_t count, void *context);
size_t        coffer_on_body(char *bytes, size_t size, size_t count, void *context);
size_t        coffer_on_send(char *buffer, size_t size, size_t count, void *context);
int           coffer_on_seek(void *context, curl_off_t offset, int origin);
int           coffer_on_issue(void *context, char *peer, char *local, int peer_port, int local_port);
curl_socket_t coffer_on_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address);
int coffer_on_wait(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context);
int coffer_on_timer(CURLM *multi, long timeout_ms, void *context);

int64_t coffer_now_ns(void);

#endif

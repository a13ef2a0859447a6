/* libcurl's memory: its large buffers are kept. */
#ifndef COFFER_CURL_MEMORY_H
#define COFFER_CURL_MEMORY_H

#include <stddef.h>

#define COFFER_RECEIVE_BUFFER (64 * 1024)
#define COFFER_UPLOAD_BUFFER  (2 * 1024 * 1024)

void *coffer_curl_malloc(size_t size);
void  coffer_curl_free(void *block);
void *coffer_curl_realloc(void *block, size_t size);
char *coffer_curl_strdup(const char *text);
void *coffer_curl_calloc(size_t count, size_t size);

#endif

/* libcurl's memory: its large buffers are kept.
 *
 * libcurl allocates the receive and the upload buffer of a transfer anew for each, and frees them at its end. Fresh pages
 * cost more than a small request, so blocks of these two sizes wait here for the next transfer. */
#define _GNU_SOURCE
#include "curl_memory.h"
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct shelf {
    pthread_mutex_t lock;
    size_t          size, slack; /* a block of size to size + slack bytes fits */
    unsigned        n, max;
    void           *blocks[64];
} shelf;

/* Blocks of these sizes begin at a page, which hardly any other does: so one look tells that a block is none of them. */
#define PAGE 4096

static shelf shelves[2] = {
    {PTHREAD_MUTEX_INITIALIZER, COFFER_RECEIVE_BUFFER + 1, 4096, 0, 64, {NULL}},
    {PTHREAD_MUTEX_INITIALIZER, COFFER_UPLOAD_BUFFER, 8192, 0, 8, {NULL}},
};

static void *take(shelf *from)
{
    void *block = NULL;
    pthread_mutex_lock(&from->lock);
    if (from->n > 0)
        block = from->blocks[--from->n];
    pthread_mutex_unlock(&from->lock);
    return block;
}

static int put(shelf *to, void *block)
{
    int taken = 0;
    pthread_mutex_lock(&to->lock);
    if (to->n < to->max) {
        to->blocks[to->n++] = block;
        taken               = 1;
    }
    pthread_mutex_unlock(&to->lock);
    return taken;
}

void *coffer_curl_malloc(size_t size)
{
    for (int i = 0; i < 2; i++) {
        if (size == shelves[i].size) {
            void *block = take(&shelves[i]);
            if (block == NULL && posix_memalign(&block, PAGE, size) != 0)
                return NULL;
            return block;
        }
    }
    return malloc(size);
}

void coffer_curl_free(void *block)
{
    if (((uintptr_t)block & (PAGE - 1)) != 0) {
        free(block);
        return;
    }
    if (block == NULL)
        return;
    size_t size = malloc_usable_size(block);
    for (int i = 0; i < 2; i++)
        if (size >= shelves[i].size && size <= shelves[i].size + shelves[i].slack && put(&shelves[i], block))
            return;
    free(block);
}

void *coffer_curl_realloc(void *block, size_t size) { return realloc(block, size); }

char *coffer_curl_strdup(const char *text) { return strdup(text); }

void *coffer_curl_calloc(size_t count, size_t size) { return calloc(count, size); }

/* hot.c - counts what is allocated while small objects are read: `hot SOCKET`. Nothing may be, after the first call. */
#include <coffer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The allocator of the C library, which the ones below stand before. */
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);

static int counting, counted;

void *malloc(size_t size) {
    counted += counting;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    counted += counting;
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size) {
    counted += counting;
    return __libc_realloc(block, size);
}

int main(int count, char **words) {
    coffer_failure failure = COFFER_FAILURE_INIT;
    coffer_read_options options = COFFER_READ_OPTIONS_INIT;
    coffer_client *client;
    coffer_object *object;
    static char written[1024], found[1024];
    static const char *const storages[] = {"scratch", "files"};
    size_t length;
    memset(written, 'x', sizeof written);
    if (count != 2 || coffer_client_open(words[1], NULL, &client, &failure)) return 2;
    for (int which = 0; which < 2; which++) {
        const char *storage = storages[which];
        if (coffer_put(client, storage, "k", written, sizeof written, NULL, &object, &failure)) return 3;
        options.if_match = object->etag;
        counting = 1;
        for (int round = 0; round < 1000; round++)
            if (coffer_get_into(client, storage, "k", round % 2 ? &options : NULL, found, sizeof found, &length, &failure) ||
                length != sizeof found || memcmp(found, written, length))
                return 4;
        // A failure costs no memory of the caller's either, but for the document that tells it.
        if (counted) {
            fprintf(stderr, "hot: %d allocations in 1000 reads of %s\n", counted, storage);
            return 5;
        }
        counting = 0;
        coffer_free(object);
    }
    coffer_client_close(client);
    return 0;
}

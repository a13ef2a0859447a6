/* What libmongoc does by itself: `bare URI BYTES` stores a file by its gridfs bucket, reads it back, deletes
 * it, and prints the seconds of both ways. A proof for the endpoint, and a floor for the benchmark.
 * cc -O2 bare.c $(pkg-config --cflags --libs libmongoc-1.0) */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static int fail(const char *what, const bson_error_t *error)
{
    fprintf(stderr, "bare: %s: %s\n", what, error->message);
    return 1;
}

int main(int count, char **words)
{
    if (count != 3)
        return 2;
    size_t size = strtoull(words[2], NULL, 10), step = 1 << 20;
    char *sent = malloc(size + 1), *got = malloc(step);
    for (size_t i = 0; i < size; i++)
        sent[i] = (char)(i * 2654435761u >> 13);
    bson_error_t error = {0};
    mongoc_init();
    mongoc_client_t *client = mongoc_client_new(words[1]);
    if (!client)
        return 2;
    mongoc_database_t *database = mongoc_client_get_database(client, "bare");
    mongoc_gridfs_bucket_t *bucket = mongoc_gridfs_bucket_new(database, NULL, NULL, &error);
    if (!bucket)
        return fail("bucket", &error);

    bson_value_t id;
    double start = now();
    mongoc_stream_t *up = mongoc_gridfs_bucket_open_upload_stream(bucket, "bare", NULL, &id, &error);
    if (!up)
        return fail("upload", &error);
    for (size_t at = 0; at < size; at += step) {
        size_t part = size - at < step ? size - at : step;
        if (mongoc_stream_write(up, sent + at, part, 0) != (ssize_t)part) {
            mongoc_gridfs_bucket_stream_error(up, &error);
            return fail("write", &error);
        }
    }
    if (mongoc_stream_close(up) != 0) {
        mongoc_gridfs_bucket_stream_error(up, &error);
        return fail("close", &error);
    }
    mongoc_stream_destroy(up);
    double middle = now();

    mongoc_stream_t *down = mongoc_gridfs_bucket_open_download_stream(bucket, &id, &error);
    if (!down)
        return fail("download", &error);
    size_t total = 0;
    for (ssize_t part; (part = mongoc_stream_read(down, got, step, 1, 0)) > 0; total += (size_t)part) {
        if (total + (size_t)part > size || memcmp(got, sent + total, (size_t)part < 64 ? (size_t)part : 64) != 0) {
            fprintf(stderr, "bare: other bytes came back\n");
            return 1;
        }
    }
    mongoc_stream_destroy(down);
    double end = now();
    if (total != size) {
        fprintf(stderr, "bare: %zu of %zu bytes came back\n", total, size);
        return 1;
    }
    if (!mongoc_gridfs_bucket_delete_by_id(bucket, &id, &error))
        return fail("delete", &error);
    printf("%.4f %.4f\n", middle - start, end - middle);
    mongoc_gridfs_bucket_destroy(bucket);
    mongoc_database_destroy(database);
    mongoc_client_destroy(client);
    mongoc_cleanup();
    return 0;
}

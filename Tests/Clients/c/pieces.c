/* pieces.c - what the scenarios do not reach: callbacks, pipes, ranges of files, small buffers, older callers, and where the
 * socket is looked for. `pieces SOCKET [limits]`. */
#include <coffer.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static coffer_failure failure = COFFER_FAILURE_INIT;
static coffer_client *client;

#define CHECK(truth)                                                                                                   \
    do {                                                                                                               \
        if (!(truth)) {                                                                                                \
            fprintf(stderr, "pieces: line %d: %s: %s\n", __LINE__, #truth, failure.detail);                            \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

#define SIZE ((size_t)700001)
static unsigned char bytes[SIZE], found[SIZE];

struct cursor {
    size_t at, stop;
};

static int give(void *context, void *buffer, size_t capacity, size_t *size) {
    struct cursor *cursor = context;
    if (cursor->stop && cursor->at >= cursor->stop) return 1;
    *size = SIZE - cursor->at < capacity ? SIZE - cursor->at : capacity;
    memcpy(buffer, bytes + cursor->at, *size);
    cursor->at += *size;
    return 0;
}

static int take(void *context, const void *data, size_t size) {
    struct cursor *cursor = context;
    if (cursor->stop && cursor->at >= cursor->stop) return 1;
    if (size > SIZE - cursor->at) return 1;
    memcpy(found + cursor->at, data, size);
    cursor->at += size;
    return 0;
}

static void callbacks(const char *storage) {
    struct cursor cursor = {0, 0};
    coffer_object *object;
    CHECK(!coffer_put_pieces(client, storage, "p", give, &cursor, NULL, &object, &failure) && object->size == SIZE);
    coffer_free(object);
    cursor.at = 0;
    CHECK(!coffer_get_pieces(client, storage, "p", NULL, take, &cursor, &object, &failure) && cursor.at == SIZE);
    CHECK(memcmp(found, bytes, SIZE) == 0 && object->size == SIZE && strcmp(object->key, "p") == 0);
    coffer_free(object);
    // Either side may give up, and what was there stays.
    cursor = (struct cursor){0, 400000};
    CHECK(coffer_put_pieces(client, storage, "p", give, &cursor, NULL, NULL, &failure) == COFFER_CODE_CANCELLED);
    cursor = (struct cursor){0, 100000};
    CHECK(coffer_get_pieces(client, storage, "p", NULL, take, &cursor, NULL, &failure) == COFFER_CODE_CANCELLED);
    CHECK(!coffer_stat(client, storage, "p", NULL, &object, &failure) && object->size == SIZE);
    coffer_free(object);
}

static void descriptors(const char *storage) {
    char path[] = "/tmp/coffer-pieces-XXXXXX";
    coffer_object *object;
    size_t length;
    void *data;
    int pipes[2], fd = mkstemp(path);
    CHECK(fd >= 0 && unlink(path) == 0 && write(fd, bytes, SIZE) == (ssize_t)SIZE && pipe(pipes) == 0);
    CHECK(!coffer_put_fd(client, storage, "f", fd, 1000, 300000, NULL, &object, &failure) && object->size == 300000);
    coffer_free(object);
    CHECK(!coffer_get(client, storage, "f", NULL, &data, &length, &object, &failure) && length == 300000);
    CHECK(memcmp(data, bytes + 1000, length) == 0 && ((char *)data)[length] == 0 && object->etag);
    coffer_free(data);
    coffer_free(object);
    CHECK(!coffer_put_fd(client, storage, "g", fd, SIZE - 7, COFFER_ALL, NULL, &object, &failure) && object->size == 7);
    coffer_free(object);
    CHECK(coffer_put_fd(client, storage, "g", fd, SIZE, 1, NULL, NULL, &failure) == COFFER_CODE_INVALID_ARGUMENT);
    CHECK(coffer_put_fd(client, storage, "g", 999, 0, 1, NULL, NULL, &failure) == COFFER_CODE_INVALID_ARGUMENT);
    CHECK(coffer_put_file(client, storage, "g", "/nowhere", NULL, NULL, &failure) == COFFER_CODE_INVALID_ARGUMENT);
    // A pipe has neither a length nor an offset.
    CHECK(write(pipes[1], bytes, 5000) == 5000 && close(pipes[1]) == 0);
    CHECK(!coffer_put_fd(client, storage, "h", pipes[0], 0, COFFER_ALL, NULL, &object, &failure) && object->size == 5000);
    coffer_free(object);
    CHECK(coffer_put_fd(client, storage, "h", pipes[0], 0, 10, NULL, NULL, &failure) == COFFER_CODE_INVALID_ARGUMENT);
    close(pipes[0]);
    CHECK(pipe(pipes) == 0 && !coffer_get_fd(client, storage, "h", NULL, pipes[1], NULL, &failure));
    CHECK(read(pipes[0], found, SIZE) == 5000 && memcmp(found, bytes, 5000) == 0);
    close(pipes[0]), close(pipes[1]);
    CHECK(ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
    CHECK(!coffer_get_fd(client, storage, "f", NULL, fd, NULL, &failure));
    CHECK(pread(fd, found, SIZE, 0) == 300000 && memcmp(found, bytes + 1000, 300000) == 0);
    close(fd);
}

static void buffers(const char *storage) {
    size_t length;
    char small[8];
    CHECK(!coffer_put(client, storage, "b", bytes, SIZE, NULL, NULL, &failure));
    CHECK(coffer_get_into(client, storage, "b", NULL, small, sizeof small, &length, &failure) == COFFER_CODE_TOO_LARGE);
    CHECK(length == SIZE && strcmp(failure.key, "b") == 0);
    CHECK(coffer_get_into(client, storage, "b", NULL, found, SIZE - 1, &length, NULL) == COFFER_CODE_TOO_LARGE);
    CHECK(length == SIZE && !coffer_get_into(client, storage, "b", NULL, found, SIZE, &length, NULL) && length == SIZE);
    CHECK(memcmp(found, bytes, SIZE) == 0);
}

static void writers(const char *storage) {
    coffer_write_options options = COFFER_WRITE_OPTIONS_INIT;
    coffer_writer *writer;
    options.length = 10;
    CHECK(!coffer_writer_begin(client, storage, "w", &options, &writer, &failure));
    CHECK(coffer_writer_append(writer, bytes, 11, &failure) == COFFER_CODE_INVALID_ARGUMENT);
    CHECK(coffer_writer_commit(writer, NULL, &failure) == COFFER_CODE_CANCELLED);
    CHECK(!coffer_writer_begin(client, storage, "w", &options, &writer, &failure));
    CHECK(!coffer_writer_append(writer, bytes, 9, &failure));
    CHECK(coffer_writer_commit(writer, NULL, &failure) == COFFER_CODE_INVALID_ARGUMENT);
    CHECK(coffer_put(client, storage, "w", bytes, 9, &options, NULL, &failure) == COFFER_CODE_INVALID_ARGUMENT);
    CHECK(!coffer_exists(client, storage, "w", &(int){0}, &failure));
}

/* An object that is replaced under a stream that must be asked for anew. */
static void changes(const char *storage) {
    coffer_reader *reader;
    size_t length;
    CHECK(!coffer_put(client, storage, "c", bytes, SIZE, NULL, NULL, &failure));
    CHECK(!coffer_reader_open(client, storage, "c", NULL, &reader, &failure));
    CHECK(!coffer_reader_read(reader, found, 10, &length, &failure));
    CHECK(!coffer_put(client, storage, "c", bytes + 1, SIZE - 1, NULL, NULL, &failure));
    CHECK(!coffer_reader_seek(reader, SIZE - 5, &failure));
    int code = coffer_reader_read(reader, found, 10, &length, &failure);
    // A file that is open stays what it was.
    if (coffer_reader_descriptor(reader, NULL) >= 0) CHECK(!code && memcmp(found, bytes + SIZE - 5, length) == 0);
    else CHECK(code == COFFER_CODE_CHANGED);
    coffer_reader_close(reader);
}

static void older_callers(const char *storage) {
    // A struct of an older header ends earlier: what it has not is as if nothing was said.
    struct {
        size_t   struct_size;
        uint64_t offset;
    } early = {sizeof early, SIZE - 4};
    struct {
        size_t  struct_size;
        int32_t code, status;
        char    guard[8];
    } little = {offsetof(coffer_failure, retryable), 0, 0, "guarded"};
    coffer_read_options none;
    size_t length;
    memset(&none, 0, sizeof none);
    CHECK(!coffer_put(client, storage, "o", bytes, SIZE, NULL, NULL, &failure));
    CHECK(!coffer_get_into(client, storage, "o", (coffer_read_options *)(void *)&early, found, SIZE, &length, &failure));
    CHECK(length == 4 && memcmp(found, bytes + SIZE - 4, 4) == 0);
    CHECK(coffer_stat(client, storage, "absent", NULL, NULL, (coffer_failure *)(void *)&little) == COFFER_CODE_NOT_FOUND);
    CHECK(little.code == COFFER_CODE_NOT_FOUND && little.status == 404 && strcmp(little.guard, "guarded") == 0);
    CHECK(coffer_stat(client, storage, "o", &none, NULL, &failure) == COFFER_CODE_INVALID_ARGUMENT);
    CHECK(strcmp(coffer_code_word(COFFER_CODE_TOO_LARGE), "too_large") == 0 && strcmp(coffer_code_word(99), "other") == 0);
}

static const char *found_socket(const char *named) {
    static char path[300];
    coffer_client *other;
    CHECK(!coffer_client_open(named, NULL, &other, &failure));
    snprintf(path, sizeof path, "%s", coffer_client_socket(other));
    coffer_client_close(other);
    return path;
}

static void the_socket(const char *real) {
    char folder[] = "/tmp/coffer-run-XXXXXX", path[100];
    CHECK(mkdtemp(folder));
    unsetenv("COFFER_SOCKET");
    setenv("XDG_RUNTIME_DIR", folder, 1);
    snprintf(path, sizeof path, "%s/coffer", folder);
    CHECK(mkdir(path, 0700) == 0);
    strcat(path, "/coffer.sock");
    const char *usual = "/run/coffer/coffer.sock";
    CHECK(strcmp(found_socket(NULL), access(usual, F_OK) ? path : usual) == 0);
    CHECK(symlink(real, path) == 0 && strcmp(found_socket(NULL), path) == 0);
    setenv("COFFER_SOCKET", real, 1);
    CHECK(strcmp(found_socket(NULL), real) == 0 && strcmp(found_socket("/other"), "/other") == 0);
    unlink(path);
    *strrchr(path, '/') = 0;
    CHECK(rmdir(path) == 0 && rmdir(folder) == 0);
}

/* Where no file more can be opened, the bytes come over the connection, and a new connection is refused by name. */
static void no_descriptors(void) {
    struct rlimit limit;
    coffer_reader *one, *other;
    size_t length;
    int held[64], count = 0;
    CHECK(!coffer_put(client, "files", "n", bytes, SIZE, NULL, NULL, &failure));
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = 64;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while ((held[count] = dup(0)) >= 0) count++;
    CHECK(!coffer_get_into(client, "files", "n", NULL, found, SIZE, &length, &failure) && length == SIZE);
    CHECK(memcmp(found, bytes, SIZE) == 0);
    CHECK(!coffer_reader_open(client, "files", "n", NULL, &one, &failure));
    CHECK(coffer_reader_descriptor(one, NULL) == -1);
    CHECK(coffer_reader_open(client, "files", "n", NULL, &other, &failure) == COFFER_CODE_UNAVAILABLE);
    CHECK(strstr(failure.detail, "Too many open files"));
    close(held[--count]);
    CHECK(!coffer_reader_open(client, "files", "n", NULL, &other, &failure));
    coffer_reader_close(one);
    coffer_reader_close(other);
    while (count) close(held[--count]);
}

int main(int count, char **words) {
    CHECK(count >= 2);
    the_socket(words[1]);
    for (size_t index = 0; index < SIZE; index++) bytes[index] = (unsigned char)(index * 2654435761u >> 13);
    CHECK(!coffer_client_open(words[1], NULL, &client, &failure));
    static const char *const storages[] = {"files", "scratch"};
    for (int which = 0; which < 2; which++) {
        callbacks(storages[which]);
        descriptors(storages[which]);
        buffers(storages[which]);
        writers(storages[which]);
        changes(storages[which]);
        older_callers(storages[which]);
    }
    // Valgrind keeps descriptors of its own, and no limit to what messages bring.
    if (count == 3) no_descriptors();
    coffer_client_close(client);
    return 0;
}

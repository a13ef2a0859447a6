/* threads.c - many threads, forks and children that exec, on one client: `threads SOCKET COUNT`. */
#include <coffer.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(truth)                                                                                                   \
    do {                                                                                                               \
        if (!(truth)) {                                                                                                \
            fprintf(stderr, "threads: line %d: %s: %s\n", __LINE__, #truth, failure.detail);                           \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)

static coffer_client *client;

static const char *storage_of(long number) { return number % 2 ? "scratch" : "files"; }

static void *work(void *context) {
    long number = (long)context;
    coffer_failure failure = COFFER_FAILURE_INIT;
    char key[32], written[300], found[300];
    size_t size = (size_t)(number % 300), length;
    int exists;
    snprintf(key, sizeof key, "t/%ld", number);
    memset(written, (int)number, sizeof written);
    CHECK(!coffer_put(client, storage_of(number), key, written, size, NULL, NULL, &failure));
    CHECK(!coffer_get_into(client, storage_of(number), key, NULL, found, sizeof found, &length, &failure));
    CHECK(length == size && memcmp(found, written, size) == 0);
    CHECK(!coffer_exists(client, storage_of(number), "absent", &exists, &failure) && !exists);
    CHECK(!coffer_delete(client, storage_of(number), key, NULL, &failure));
    return NULL;
}

static void many(long count) {
    coffer_failure failure = COFFER_FAILURE_INIT;
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, 256 << 10);
    for (long index = 0; index < count; index++) CHECK(!pthread_create(&threads[index], &small, work, (void *)index));
    for (long index = 0; index < count; index++) pthread_join(threads[index], NULL);
    pthread_attr_destroy(&small);
    free(threads);
}

static atomic_int over;

static void *busy(void *context) {
    while (!over) work(context);
    return NULL;
}

static void well(pid_t child) {
    coffer_failure failure = COFFER_FAILURE_INIT;
    int status;
    CHECK(child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* Children make connections of their own, while other threads hold and release locks. */
static void forks(void) {
    pthread_t others[4];
    for (long index = 0; index < 4; index++) pthread_create(&others[index], NULL, busy, (void *)(5000 + index));
    for (long round = 0; round < 20; round++) {
        pid_t child = fork();
        if (child == 0) {
            for (long index = 0; index < 5; index++) work((void *)(6000 + index));
            coffer_client_close(client);
            _exit(0);
        }
        work((void *)(7000 + round));
        well(child);
    }
    over = 1;
    for (long index = 0; index < 4; index++) pthread_join(others[index], NULL);
}

/* A child leaves the streams of its parent alone, and cannot use them. */
static void streams(void) {
    static char bytes[1 << 20], found[1 << 20];
    coffer_failure failure = COFFER_FAILURE_INIT;
    coffer_reader *reader;
    coffer_writer *writer;
    coffer_listing *listing;
    coffer_object *object;
    const coffer_line *entry;
    size_t count, done = 100;
    for (size_t index = 0; index < sizeof bytes; index++) bytes[index] = (char)(index * 31 >> 3);
    CHECK(!coffer_put(client, "scratch", "big", bytes, sizeof bytes, NULL, NULL, &failure));
    CHECK(!coffer_reader_open(client, "scratch", "big", NULL, &reader, &failure));
    CHECK(!coffer_reader_read(reader, found, done, &count, &failure));
    done = count;
    CHECK(!coffer_writer_begin(client, "scratch", "new", NULL, &writer, &failure));
    CHECK(!coffer_writer_append(writer, bytes, sizeof bytes / 2, &failure));
    CHECK(!coffer_listing_open(client, "scratch", NULL, &listing, &failure));
    pid_t child = fork();
    if (child == 0) {
        CHECK(coffer_reader_read(reader, found, 10, &count, &failure) == COFFER_CODE_UNAVAILABLE);
        CHECK(coffer_writer_append(writer, bytes, 10, &failure) == COFFER_CODE_UNAVAILABLE);
        CHECK(coffer_listing_next(listing, &entry, &failure) == COFFER_CODE_UNAVAILABLE);
        coffer_reader_close(reader);
        coffer_writer_abort(writer);
        coffer_listing_close(listing);
        coffer_client_close(client);
        _exit(0);
    }
    well(child);
    while (done < sizeof bytes) {
        CHECK(!coffer_reader_read(reader, found + done, sizeof found - done, &count, &failure) && count);
        done += count;
    }
    CHECK(memcmp(found, bytes, sizeof bytes) == 0);
    coffer_reader_close(reader);
    CHECK(!coffer_writer_append(writer, bytes + sizeof bytes / 2, sizeof bytes / 2, &failure));
    CHECK(!coffer_writer_commit(writer, &object, &failure) && object->size == sizeof bytes);
    coffer_free(object);
    CHECK(!coffer_listing_next(listing, &entry, &failure) && entry);
    coffer_listing_close(listing);
}

/* Nothing of the library survives exec: the child counts what it has. */
static void execs(char *self) {
    pid_t child = fork();
    if (child == 0) {
        execl(self, self, "--descriptors", (char *)NULL);
        _exit(1);
    }
    well(child);
}

static int descriptors(void) {
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    char path[300], target[300];
    while (folder && (entry = readdir(folder))) {
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length > 0 && strncmp(target, "socket:", 7) == 0 && atoi(entry->d_name) > 2) return 1;
    }
    closedir(folder);
    return 0;
}

int main(int count, char **words) {
    coffer_failure failure = COFFER_FAILURE_INIT;
    if (count == 2 && strcmp(words[1], "--descriptors") == 0) return descriptors();
    CHECK(count == 3 && !coffer_client_open(words[1], NULL, &client, &failure));
    many(atol(words[2]));
    forks();
    streams();
    execs(words[0]);
    coffer_client_close(client);
    return 0;
}

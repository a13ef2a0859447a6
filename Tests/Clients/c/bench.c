/* bench.c - reads of 1 KiB by the library and by bare send and recv in turn, A B A B: `bench SOCKET`. Only ratios of one
 * run mean something. */
#include <coffer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 15
#define TIMES 1500
#define SIZE 1024

static coffer_client *client;
static const char *storage;
static char found[65536];
static int raw;
static char request[128];
static int size;

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void ours(void) {
    size_t length;
    coffer_failure failure = COFFER_FAILURE_INIT;
    if (coffer_get_into(client, storage, "k", NULL, found, SIZE, &length, &failure) || length != SIZE) exit(3);
}

/* As little as can be done: bytes that are ready, and no look at the answer but for its length. */
static void bare(void) {
    if (send(raw, request, (size_t)size, MSG_NOSIGNAL) != size) exit(4);
    size_t have = 0;
    char *end = NULL;
    while (!end || have < (size_t)(end + 4 - found) + SIZE) {
        ssize_t count = recv(raw, found + have, sizeof found - have, 0);
        if (count <= 0) exit(5);
        have += (size_t)count;
        if (!end) end = memmem(found, have, "\r\n\r\n", 4);
    }
}

static double timed(void (*work)(void)) {
    double start = now();
    for (int index = 0; index < TIMES; index++) work();
    return (now() - start) / TIMES;
}

static int order(const void *one, const void *other) {
    double difference = *(const double *)one - *(const double *)other;
    return difference < 0 ? -1 : difference > 0;
}

int main(int count, char **words) {
    static const char *const storages[] = {"scratch", "files"};
    coffer_failure failure = COFFER_FAILURE_INIT;
    char data[SIZE] = {0};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (count != 2 || coffer_client_open(words[1], NULL, &client, &failure)) return 2;
    strncpy(address.sun_path, words[1], sizeof address.sun_path - 1);
    raw = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(raw, (struct sockaddr *)&address, sizeof address)) return 2;
    printf("| row | measured | target | verdict |\n| --- | --- | --- | --- |\n");
    for (int which = 0; which < 2; which++) {
        double ratios[ROUNDS], mine[ROUNDS], floor[ROUNDS];
        storage = storages[which];
        size = snprintf(request, sizeof request, "GET /v1/storages/%s/objects/k HTTP/1.1\r\nHost: coffer\r\n\r\n", storage);
        if (coffer_put(client, storage, "k", data, sizeof data, NULL, NULL, &failure)) return 2;
        ours(), bare();
        for (int round = 0; round < ROUNDS; round++) {
            floor[round] = timed(bare);
            mine[round] = timed(ours);
            ratios[round] = mine[round] / floor[round];
        }
        qsort(ratios, ROUNDS, sizeof *ratios, order);
        qsort(mine, ROUNDS, sizeof *mine, order);
        qsort(floor, ROUNDS, sizeof *floor, order);
        double ratio = ratios[ROUNDS / 2];
        printf("| C: get 1 KiB from %s, against bare send and recv | %.2fx [%.2f–%.2f] (%.1f µs; %.1f µs) | at most 1.20x | %s |\n",
               storage, ratio, ratios[0], ratios[ROUNDS - 1], mine[ROUNDS / 2] * 1e6, floor[ROUNDS / 2] * 1e6,
               ratio <= 1.2 ? "reached" : "missed");
    }
    coffer_client_close(client);
    close(raw);
    return 0;
}

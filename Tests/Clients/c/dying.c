/* dying.c - streams under which the host dies: `dying SOCKET read|write|announced|descriptor`. It says "ready" when the
 * host may be killed, waits for a line, goes on, and prints the code that it ended with. */
#include <coffer.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIZE ((size_t)8 << 20)

static void wait_for_the_end(void) {
    char line[16];
    puts("ready");
    fflush(stdout);
    if (!fgets(line, sizeof line, stdin)) exit(2);
}

int main(int count, char **words) {
    coffer_failure failure = COFFER_FAILURE_INIT;
    coffer_client *client;
    char *bytes = calloc(1, SIZE);
    size_t got = 1, all = 0;
    int code = count == 3 ? coffer_client_open(words[1], NULL, &client, &failure) : 1;
    if (code || !bytes) return 2;
    if (strcmp(words[2], "read") == 0 || strcmp(words[2], "descriptor") == 0) {
        const char *storage = words[2][0] == 'r' ? "scratch" : "files";
        coffer_reader *reader;
        if (coffer_put(client, storage, "big", bytes, SIZE, NULL, NULL, &failure) ||
            coffer_reader_open(client, storage, "big", NULL, &reader, &failure) ||
            coffer_reader_read(reader, bytes, 1000, &got, &failure))
            return 2;
        all = got;
        wait_for_the_end();
        while (!code && got) {
            code = coffer_reader_read(reader, bytes, 100000, &got, &failure);
            all += got;
        }
        if (!code && all != SIZE) code = -1;
        coffer_reader_close(reader);
    } else {
        coffer_write_options options = COFFER_WRITE_OPTIONS_INIT;
        coffer_writer *writer;
        if (words[2][0] == 'a') options.length = 2 * SIZE;
        if (coffer_put(client, "files", "big", "old", 3, NULL, NULL, &failure) ||
            coffer_writer_begin(client, "files", "big", &options, &writer, &failure) ||
            coffer_writer_append(writer, bytes, SIZE, &failure))
            return 2;
        wait_for_the_end();
        code = coffer_writer_append(writer, bytes, SIZE, &failure);
        if (code) coffer_writer_abort(writer);
        else code = coffer_writer_commit(writer, NULL, &failure);
    }
    printf("%s %d %s\n", coffer_code_word(code), code ? (int)failure.maybe_applied : 0, code ? failure.detail : "");
    coffer_client_close(client);
    free(bytes);
    return 0;
}

/* backup.c - keeps copies of files in a storage, and brings them back.
 *
 *     cc -o backup backup.c $(pkg-config --cflags --libs coffer)
 *     backup save STORAGE FILE...       backup list STORAGE       backup restore STORAGE NAME FILE
 */
#define _POSIX_C_SOURCE 200809L

#include <coffer.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static coffer_failure failure = COFFER_FAILURE_INIT;

static int save(coffer_client *client, const char *storage, const char *path) {
    coffer_write_options options = COFFER_WRITE_OPTIONS_INIT;
    coffer_pair metadata = {"path", path};
    coffer_object *object;
    char key[1024];
    const char *slash = strrchr(path, '/');
    snprintf(key, sizeof key, "backup/%s", slash ? slash + 1 : path);
    options.on_conflict = "replace";
    options.metadata = &metadata;
    options.metadata_count = 1;
    int code = coffer_put_file(client, storage, key, path, &options, &object, &failure);
    if (code) return code;
    printf("saved %s, %llu bytes\n", object->key, (unsigned long long)object->size);
    coffer_free(object);
    return 0;
}

static int list(coffer_client *client, const char *storage) {
    coffer_list_options options = COFFER_LIST_OPTIONS_INIT;
    coffer_listing *listing;
    const coffer_line *entry;
    options.prefix = "backup/";
    int code = coffer_listing_open(client, storage, &options, &listing, &failure);
    if (code) return code;
    while (!(code = coffer_listing_next(listing, &entry, &failure)) && entry)
        printf("%10llu %s\n", (unsigned long long)entry->object->size, entry->key + strlen("backup/"));
    coffer_listing_close(listing);
    return code;
}

static int restore(coffer_client *client, const char *storage, const char *name, const char *path) {
    char key[1024];
    snprintf(key, sizeof key, "backup/%s", name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) {
        perror(path);
        return 1;
    }
    int code = coffer_get_fd(client, storage, key, NULL, fd, NULL, &failure);
    // A copy that is not whole is none.
    if (close(fd) && !code) perror(path), code = 1;
    if (code) unlink(path);
    return code;
}

int main(int count, char **words) {
    coffer_client *client;
    int code = coffer_client_open(NULL, NULL, &client, &failure);
    if (code) {
        fprintf(stderr, "backup: %s\n", failure.detail);
        return 1;
    }
    if (count >= 4 && strcmp(words[1], "save") == 0) {
        for (int index = 3; !code && index < count; index++) code = save(client, words[2], words[index]);
    } else if (count == 3 && strcmp(words[1], "list") == 0) {
        code = list(client, words[2]);
    } else if (count == 5 && strcmp(words[1], "restore") == 0) {
        code = restore(client, words[2], words[3], words[4]);
    } else {
        fprintf(stderr, "usage: backup save STORAGE FILE... | list STORAGE | restore STORAGE NAME FILE\n");
        code = 2;
    }
    if (failure.code) fprintf(stderr, "backup: %s (%s)\n", failure.detail, failure.word);
    coffer_client_close(client);
    return code != 0;
}

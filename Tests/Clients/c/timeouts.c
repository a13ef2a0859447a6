/* timeouts.c - a host that says nothing: `timeouts SOCKET`. Every call ends as a timeout, signals or not. */
#include <coffer.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

static void nothing(int number) { (void)number; }

static void check(const char *what, int code, const coffer_failure *failure) {
    if (code == COFFER_CODE_TIMEOUT && strcmp(failure->word, "timeout") == 0) return;
    fprintf(stderr, "timeouts: %s ended as %s: %s\n", what, coffer_code_word(code), failure->detail);
    exit(1);
}

int main(int count, char **words) {
    coffer_failure failure = COFFER_FAILURE_INIT;
    coffer_client_options options = COFFER_CLIENT_OPTIONS_INIT;
    coffer_client *client;
    coffer_listing *listing;
    char buffer[16], *big = calloc(1, 8 << 20);
    size_t length;
    // Signals that come all the time neither end a call nor keep it for ever.
    struct sigaction action = {.sa_handler = nothing};
    struct itimerval often = {{0, 5000}, {0, 5000}};
    options.timeout_ms = 100;
    if (count != 2 || !big || coffer_client_open(words[1], &options, &client, &failure)) return 2;
    for (int round = 0; round < 2; round++) {
        check("a stat", coffer_stat(client, "s", "k", NULL, NULL, &failure), &failure);
        if (!failure.retryable || failure.maybe_applied) return 3;
        check("a get", coffer_get_into(client, "s", "k", NULL, buffer, sizeof buffer, &length, &failure), &failure);
        check("a put", coffer_put(client, "s", "k", "x", 1, NULL, NULL, &failure), &failure);
        if (failure.retryable || !failure.maybe_applied) return 4;
        check("a large put", coffer_put(client, "s", "k", big, 8 << 20, NULL, NULL, &failure), &failure);
        check("a listing", coffer_listing_open(client, "s", NULL, &listing, &failure), &failure);
        sigaction(SIGALRM, &action, NULL);
        setitimer(ITIMER_REAL, &often, NULL);
    }
    coffer_client_close(client);
    free(big);
    return 0;
}

#define _GNU_SOURCE
#include "ssh_system.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

struct ssh_lookup {
    struct gaicb    request;
    struct addrinfo hints;
    int             is_known; /* an address was given: nothing runs */
    ssh_lookup     *next;     /* in the list of those that were given up */
    char            text[];   /* host, NUL, service, NUL */
};

const int ssh_lookup_pending = EAI_INPROGRESS;

static pthread_mutex_t given_up_lock = PTHREAD_MUTEX_INITIALIZER;
static ssh_lookup     *given_up;

static void discard(ssh_lookup *lookup) {
    if (lookup->request.ar_result != NULL) freeaddrinfo(lookup->request.ar_result);
    free(lookup);
}

/* Frees those that have ended since. */
static void reap(void) {
    pthread_mutex_lock(&given_up_lock);
    for (ssh_lookup **at = &given_up; *at != NULL;) {
        ssh_lookup *lookup = *at;
        if (gai_error(&lookup->request) == EAI_INPROGRESS) {
            at = &lookup->next;
        } else {
            *at = lookup->next;
            discard(lookup);
        }
    }
    pthread_mutex_unlock(&given_up_lock);
}

ssh_lookup *ssh_lookup_begin(const char *host, const char *service) {
    reap();
    size_t      host_size = strlen(host) + 1, service_size = strlen(service) + 1;
    ssh_lookup *lookup = calloc(1, sizeof *lookup + host_size + service_size);
    if (lookup == NULL) return NULL;
    memcpy(lookup->text, host, host_size);
    memcpy(lookup->text + host_size, service, service_size);
    lookup->hints.ai_socktype = SOCK_STREAM;
    lookup->hints.ai_flags = AI_NUMERICHOST;
    lookup->request.ar_name = lookup->text;
    lookup->request.ar_service = lookup->text + host_size;
    if (getaddrinfo(host, service, &lookup->hints, &lookup->request.ar_result) == 0) {
        lookup->is_known = 1;
        return lookup;
    }
    lookup->hints.ai_flags = AI_ADDRCONFIG;
    lookup->request.ar_request = &lookup->hints;
    struct gaicb *list[] = {&lookup->request};
    if (getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) != 0) {
        discard(lookup);
        return NULL;
    }
    return lookup;
}

int ssh_lookup_wait(ssh_lookup *lookup, int milliseconds) {
    if (lookup->is_known) return 0;
    const struct gaicb *list[] = {&lookup->request};
    struct timespec     span = {milliseconds / 1000, milliseconds % 1000 * 1000000L};
    gai_suspend(list, 1, &span);
    return gai_error(&lookup->request);
}

const struct addrinfo *ssh_lookup_addresses(const ssh_lookup *lookup) { return lookup->request.ar_result; }

void ssh_lookup_end(ssh_lookup *lookup) {
    if (lookup->is_known || gai_cancel(&lookup->request) != EAI_NOTCANCELED) {
        discard(lookup);
        return;
    }
    pthread_mutex_lock(&given_up_lock);
    lookup->next = given_up;
    given_up = lookup;
    pthread_mutex_unlock(&given_up_lock);
}

int ssh_wake_make(void) { return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK); }

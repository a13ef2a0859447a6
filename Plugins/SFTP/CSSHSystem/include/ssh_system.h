/* What Swift cannot see of Linux, since it needs _GNU_SOURCE or headers that are not in its module of glibc. */
#ifndef COFFER_SSH_SYSTEM_H
#define COFFER_SSH_SYSTEM_H

#include <netdb.h>

/* Looking up a host's name without being stuck in it: glibc's own threads ask, and who gives up leaves them to it. */
typedef struct ssh_lookup ssh_lookup;

extern const int ssh_lookup_pending; /* what ssh_lookup_wait answers while nothing is known */

/* Starts; NULL without memory. An address instead of a name is answered at once. */
ssh_lookup *ssh_lookup_begin(const char *host, const char *service);
/* Waits up to some milliseconds: 0 when addresses are there, ssh_lookup_pending, or another EAI_ code. */
int ssh_lookup_wait(ssh_lookup *, int milliseconds);
/* The addresses, until ssh_lookup_end. */
const struct addrinfo *ssh_lookup_addresses(const ssh_lookup *);
/* Always, once. A lookup that still runs is freed when it is done, by a later ssh_lookup_begin. */
void ssh_lookup_end(ssh_lookup *);

/* An eventfd, close-on-exec and not blocking; -1 where there are none left. */
int ssh_wake_make(void);

#endif

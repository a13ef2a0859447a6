/* What tiny.c says of itself and can do; each word can be given to the compiler. */
#ifndef ID
#define ID "tiny"
#endif
#ifndef THREADS
#define THREADS COFFER_THREADS_PARALLEL
#endif
#ifndef CAPS
#define CAPS (COFFER_CAP_STAT | COFFER_CAP_READ | COFFER_CAP_READ_RANGE | COFFER_CAP_READ_FD | COFFER_CAP_READ_PINNED | \
              COFFER_CAP_READ_CONDITION | COFFER_CAP_WRITE | COFFER_CAP_WRITE_INGEST | COFFER_CAP_ATOMIC_REPLACE | \
              COFFER_CAP_CREATE_IF_ABSENT | COFFER_CAP_IF_MATCH | COFFER_CAP_REMOVE | COFFER_CAP_REMOVE_IF_MATCH | \
              COFFER_CAP_LIST | COFFER_CAP_LIST_SORTED | COFFER_CAP_LIST_AFTER | COFFER_CAP_CONTENT_TYPE | EXTRA_CAPS)
#endif
#ifdef OLD
#define EXTRA_CAPS 0
#elif defined(LINKS)
#include "tiny_links.h"
#define EXTRA_CAPS (COFFER_CAP_REMOVE_BATCH | COFFER_CAP_PRESIGN | COFFER_CAP_CONTAINERS)
#else
#define EXTRA_CAPS (COFFER_CAP_REMOVE_BATCH | COFFER_CAP_COPY | COFFER_CAP_COPY_CONDITION | COFFER_CAP_PUBLIC_URL | \
                    COFFER_CAP_USAGE)
#endif
#ifndef NATIVE
#define NATIVE (CAPS)
#endif

#ifndef UNPROVEN
#define UNPROVEN 0
#endif

/* May this condition, if it is one, be sent? */
static int sends(const coffer_call *c, uint64_t bit, coffer_str condition)
{
    return condition.len == 0 || !(UNPROVEN & bit) || (c->flags & COFFER_CALL_UNPROVEN);
}

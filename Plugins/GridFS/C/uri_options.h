/* What the operator says beside the URI. */
#ifndef GRIDFS_URI_OPTIONS_H
#define GRIDFS_URI_OPTIONS_H

#include <mongoc/mongoc.h>
#include <stdbool.h>

/* Puts an option into a URI, by the name that it has there; false: it has no such value. */
bool gridfs_set_option(mongoc_uri_t *uri, const char *name, const char *value);

#endif

#include "uri_options.h"

#include <stdlib.h>
#include <string.h>

static bool set_read_preference(mongoc_uri_t *uri, const char *value)
{
    static const struct {
        const char *name;
        mongoc_read_mode_t mode;
    } modes[] = {{"primary", MONGOC_READ_PRIMARY},
                 {"primaryPreferred", MONGOC_READ_PRIMARY_PREFERRED},
                 {"secondary", MONGOC_READ_SECONDARY},
                 {"secondaryPreferred", MONGOC_READ_SECONDARY_PREFERRED},
                 {"nearest", MONGOC_READ_NEAREST}};
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, value) != 0)
            continue;
        mongoc_read_prefs_t *preference = mongoc_read_prefs_new(modes[i].mode);
        mongoc_uri_set_read_prefs_t(uri, preference);
        mongoc_read_prefs_destroy(preference);
        return true;
    }
    return false;
}

static bool set_write_concern(mongoc_uri_t *uri, const char *value)
{
    char *end;
    long count = strtol(value, &end, 10);
    mongoc_write_concern_t *concern = mongoc_write_concern_new();
    if (*value && !*end && count >= 1 && count <= 50)
        mongoc_write_concern_set_w(concern, (int32_t)count);
    else if (strcmp(value, "majority") == 0)
        mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    else
        mongoc_write_concern_set_wtag(concern, value);
    mongoc_uri_set_write_concern(uri, concern);
    mongoc_write_concern_destroy(concern);
    return *value && !(*end == 0 && (count < 1 || count > 50));
}

static bool set_read_concern(mongoc_uri_t *uri, const char *value)
{
    mongoc_read_concern_t *concern = mongoc_read_concern_new();
    bool is_set = mongoc_read_concern_set_level(concern, value);
    mongoc_uri_set_read_concern(uri, concern);
    mongoc_read_concern_destroy(concern);
    return is_set;
}

bool gridfs_set_option(mongoc_uri_t *uri, const char *name, const char *value)
{
    if (strcmp(name, "username") == 0)
        return mongoc_uri_set_username(uri, value);
    if (strcmp(name, "password") == 0)
        return mongoc_uri_set_password(uri, value);
    if (strcmp(name, MONGOC_URI_AUTHSOURCE) == 0)
        return mongoc_uri_set_auth_source(uri, value);
    if (strcmp(name, MONGOC_URI_AUTHMECHANISM) == 0)
        return mongoc_uri_set_auth_mechanism(uri, value);
    if (strcmp(name, MONGOC_URI_READPREFERENCE) == 0)
        return set_read_preference(uri, value);
    if (strcmp(name, MONGOC_URI_READCONCERNLEVEL) == 0)
        return set_read_concern(uri, value);
    if (strcmp(name, MONGOC_URI_W) == 0)
        return set_write_concern(uri, value);
    if (mongoc_uri_option_is_bool(name))
        return mongoc_uri_set_option_as_bool(uri, name, strcmp(value, "true") == 0);
    return mongoc_uri_option_is_utf8(name) && mongoc_uri_set_option_as_utf8(uri, name, value);
}

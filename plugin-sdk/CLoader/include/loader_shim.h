/* What Swift cannot say of the dynamic linker and of groups. */
#ifndef COFFER_LOADER_SHIM_H
#define COFFER_LOADER_SHIM_H

#include <stddef.h>
#include <sys/types.h>

/* Opens a plugin: everything is bound now, its symbols stay its own, and it is never unmapped. NULL: see dlerror. */
void *coffer_loader_open(const char *path);

/* Whether `symbol` lies in the very file behind `handle` and not in a library that the file depends on. */
int coffer_loader_symbol_is_own(void *handle, const void *symbol);

/* Whether `group` has the name of `user`, is its primary group and has no other member. */
int coffer_loader_group_is_private(uid_t user, gid_t group);

/* Whether `part` stands somewhere in `text`. */
int coffer_loader_contains(const void *text, size_t text_count, const void *part, size_t part_count);

#endif

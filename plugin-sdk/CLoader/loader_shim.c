#define _GNU_SOURCE
#include "loader_shim.h"
#include <dlfcn.h>
#include <grp.h>
#include <link.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>

void *coffer_loader_open(const char *path)
{
    /* Never RTLD_DEEPBIND: it breaks replaced allocators. NODELETE: runtimes keep pointers into what they loaded. */
    return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

int coffer_loader_symbol_is_own(void *handle, const void *symbol)
{
    struct link_map *map = NULL;
    struct link_map *owner = NULL;
    Dl_info info;
    if (dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
        return 0;
    return dladdr1(symbol, &info, (void **)&owner, RTLD_DL_LINKMAP) != 0 && owner == map;
}

int coffer_loader_group_is_private(uid_t user, gid_t group)
{
    char user_text[4096], group_text[16384];
    struct passwd account, *account_found = NULL;
    struct group entry, *entry_found = NULL;
    if (getpwuid_r(user, &account, user_text, sizeof user_text, &account_found) != 0 || account_found == NULL)
        return 0;
    if (account.pw_gid != group)
        return 0;
    if (getgrgid_r(group, &entry, group_text, sizeof group_text, &entry_found) != 0 || entry_found == NULL)
        return 0;
    if (strcmp(entry.gr_name, account.pw_name) != 0)
        return 0;
    for (char **member = entry.gr_mem; *member != NULL; member++)
        if (strcmp(*member, account.pw_name) != 0)
            return 0;
    return 1;
}

int coffer_loader_contains(const void *text, size_t text_count, const void *part, size_t part_count)
{
    return memmem(text, text_count, part, part_count) != NULL;
}

/* What Swift cannot say of Linux file systems: variadic calls, ioctls, raw system calls and constants that need
 * _GNU_SOURCE. Each function makes one system call (again after EINTR, where that is safe) and answers its result,
 * or minus the error number, so that nobody reads errno after the fact. Nothing is decided here. */
#ifndef COFFER_LOCAL_SHIM_H
#define COFFER_LOCAL_SHIM_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* One file's facts, in one system call. btime_ns is 0 where the file system does not know. */
typedef struct local_facts {
    uint64_t inode, device, size, blocks;
    int64_t  mtime_ns, ctime_ns, btime_ns;
    uint32_t mode, links;
} local_facts;

/* The space of a file system, in bytes. */
typedef struct local_space {
    uint64_t total, available;
    int64_t  type;
} local_space;

extern const int local_O_TMPFILE, local_O_PATH, local_O_NOATIME;
extern const uint64_t local_RESOLVE_INSIDE; /* beneath, no symlinks, no magic links */
extern const int64_t local_MSDOS_MAGIC, local_EXT_MAGIC, local_TMPFS_MAGIC;

int local_openat2(int at, const char *path, int flags, uint32_t mode, uint64_t resolve);
int local_openat(int at, const char *path, int flags, uint32_t mode);
int local_close(int fd);
int local_facts_of(int fd, local_facts *facts);
int local_facts_at(int at, const char *name, local_facts *facts); /* does not follow a link */
int local_space_of(int fd, local_space *space);
int local_writable(int fd);

int64_t local_getdents(int fd, void *buffer, size_t size);
int64_t local_pread(int fd, void *buffer, size_t size, int64_t offset);
int64_t local_read(int fd, void *buffer, size_t size);
int64_t local_pwrite(int fd, const void *bytes, size_t size, int64_t offset);
int     local_sequential(int fd);

int64_t local_getxattr(int fd, const char *name, void *buffer, size_t size);
int     local_setxattr(int fd, const char *name, const void *bytes, size_t size);

int local_fsync(int fd);
int local_chmod(int fd, uint32_t mode);
int local_set_mtime(int fd, int64_t mtime_ns);
int local_mkdirat(int at, const char *name, uint32_t mode);
int local_unlinkat(int at, const char *name, int directory);
int local_link_open(int fd, int at, const char *name); /* gives an O_TMPFILE descriptor a name */
int local_linkat(int from_at, const char *from, int at, const char *name);
int local_renameat(int from_at, const char *from, int at, const char *name, int noreplace);

int     local_clone_range(int to, int from, uint64_t from_offset, uint64_t length, uint64_t to_offset);
int64_t local_copy_range(int to, int64_t to_offset, int from, int64_t from_offset, size_t length);

/* A lock on one byte of a file, owned by the open file description. Never waits: -EAGAIN while another holds it. */
int local_lock_byte(int fd, int64_t byte, int exclusive_or_unlock);

/* Waits for a mutex up to so many milliseconds: 0, or -ETIMEDOUT. */
int local_mutex_wait(pthread_mutex_t *mutex, uint32_t milliseconds);

/* A condition on CLOCK_MONOTONIC, and waiting for it, its mutex held, for so long at most. */
void local_cond_init(pthread_cond_t *condition);
void local_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t nanoseconds);

void local_name_thread(const char *name); /* this thread's */

uint64_t local_monotonic_ns(void);
void local_pause(uint32_t microseconds);

#endif

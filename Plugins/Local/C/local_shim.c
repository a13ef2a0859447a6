#define _GNU_SOURCE
#include "local_shim.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

const int local_O_TMPFILE = O_TMPFILE, local_O_PATH = O_PATH, local_O_NOATIME = O_NOATIME;
const uint64_t local_RESOLVE_INSIDE = 0x08 /* BENEATH */ | 0x04 /* NO_SYMLINKS */ | 0x02 /* NO_MAGICLINKS */;
const int64_t local_MSDOS_MAGIC = 0x4d44, local_EXT_MAGIC = 0xef53, local_TMPFS_MAGIC = 0x01021994;

/* Kept out of <linux/openat2.h>, which older systems do not have. */
struct how {
    uint64_t flags, mode, resolve;
};

#ifndef SYS_openat2
#define SYS_openat2 437
#endif

#define AGAIN(type, expression)                                                                                       \
    type result;                                                                                                      \
    do                                                                                                                \
        result = (expression);                                                                                        \
    while (result == -1 && errno == EINTR);                                                                           \
    return result == -1 ? -errno : result

int local_openat2(int at, const char *path, int flags, uint32_t mode, uint64_t resolve)
{
    struct how how = {.flags = (uint64_t)(uint32_t)flags, .mode = mode, .resolve = resolve};
    AGAIN(int, (int)syscall(SYS_openat2, at, path, &how, sizeof how));
}

int local_openat(int at, const char *path, int flags, uint32_t mode) { AGAIN(int, openat(at, path, flags, mode)); }

/* Not repeated: after EINTR the descriptor is gone. */
int local_close(int fd) { return close(fd) == -1 ? -errno : 0; }

static int64_t nanoseconds(struct statx_timestamp time) { return time.tv_sec * 1000000000 + time.tv_nsec; }

static int facts(int at, const char *path, int flags, local_facts *out)
{
    struct statx status;
    if (statx(at, path, flags, STATX_BASIC_STATS | STATX_BTIME, &status) == -1)
        return -errno;
    out->inode = status.stx_ino;
    out->device = makedev(status.stx_dev_major, status.stx_dev_minor);
    out->size = status.stx_size;
    out->blocks = status.stx_blocks;
    out->mtime_ns = nanoseconds(status.stx_mtime);
    out->ctime_ns = nanoseconds(status.stx_ctime);
    out->btime_ns = status.stx_mask & STATX_BTIME ? nanoseconds(status.stx_btime) : 0;
    out->mode = status.stx_mode;
    out->links = status.stx_nlink;
    return 0;
}

int local_facts_of(int fd, local_facts *out) { return facts(fd, "", AT_EMPTY_PATH, out); }
int local_facts_at(int at, const char *name, local_facts *out) { return facts(at, name, AT_SYMLINK_NOFOLLOW, out); }

int local_space_of(int fd, local_space *space)
{
    struct statfs status;
    if (fstatfs(fd, &status) == -1)
        return -errno;
    space->total = (uint64_t)status.f_blocks * (uint64_t)status.f_bsize;
    space->available = (uint64_t)status.f_bavail * (uint64_t)status.f_bsize;
    space->type = status.f_type;
    return 0;
}

int local_writable(int fd) { return faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) == -1 ? -errno : 0; }

int64_t local_getdents(int fd, void *buffer, size_t size) { AGAIN(int64_t, syscall(SYS_getdents64, fd, buffer, size)); }
int64_t local_pread(int fd, void *buffer, size_t size, int64_t offset) { AGAIN(int64_t, pread(fd, buffer, size, offset)); }
int64_t local_read(int fd, void *buffer, size_t size) { AGAIN(int64_t, read(fd, buffer, size)); }

int64_t local_pwrite(int fd, const void *bytes, size_t size, int64_t offset)
{
    AGAIN(int64_t, pwrite(fd, bytes, size, offset));
}

int     local_sequential(int fd) { return -posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); }

int64_t local_getxattr(int fd, const char *name, void *buffer, size_t size)
{
    AGAIN(int64_t, fgetxattr(fd, name, buffer, size));
}

int local_setxattr(int fd, const char *name, const void *bytes, size_t size)
{
    AGAIN(int, fsetxattr(fd, name, bytes, size, 0));
}

int local_fsync(int fd) { AGAIN(int, fsync(fd)); }
int local_chmod(int fd, uint32_t mode) { AGAIN(int, fchmod(fd, mode)); }

int local_set_mtime(int fd, int64_t mtime_ns)
{
    int64_t seconds = mtime_ns / 1000000000, rest = mtime_ns % 1000000000;
    if (rest < 0) {
        rest += 1000000000;
        seconds -= 1;
    }
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = seconds, .tv_nsec = rest}};
    AGAIN(int, futimens(fd, times));
}

int local_mkdirat(int at, const char *name, uint32_t mode) { AGAIN(int, mkdirat(at, name, mode)); }

int local_unlinkat(int at, const char *name, int directory)
{
    AGAIN(int, unlinkat(at, name, directory ? AT_REMOVEDIR : 0));
}

int local_link_open(int fd, int at, const char *name)
{
    if (linkat(fd, "", at, name, AT_EMPTY_PATH) == 0)
        return 0;
    /* Kernels before 6.10 want a capability for that, and say ENOENT without it. */
    if (errno != ENOENT && errno != EPERM)
        return -errno;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    AGAIN(int, linkat(AT_FDCWD, path, at, name, AT_SYMLINK_FOLLOW));
}

int local_linkat(int from_at, const char *from, int at, const char *name)
{
    AGAIN(int, linkat(from_at, from, at, name, 0));
}

int local_renameat(int from_at, const char *from, int at, const char *name, int noreplace)
{
    AGAIN(int, noreplace ? (int)syscall(SYS_renameat2, from_at, from, at, name, 1 /* RENAME_NOREPLACE */)
                         : renameat(from_at, from, at, name));
}

int local_clone_range(int to, int from, uint64_t from_offset, uint64_t length, uint64_t to_offset)
{
    struct file_clone_range range = {
        .src_fd = from, .src_offset = from_offset, .src_length = length, .dest_offset = to_offset};
    AGAIN(int, ioctl(to, FICLONERANGE, &range));
}

int64_t local_copy_range(int to, int64_t to_offset, int from, int64_t from_offset, size_t length)
{
    off64_t source = from_offset, target = to_offset;
    AGAIN(int64_t, copy_file_range(from, &source, to, &target, length, 0));
}

int local_lock_byte(int fd, int64_t byte, int exclusive)
{
    struct flock lock = {
        .l_type = exclusive ? F_WRLCK : F_UNLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
    int result;
    do
        result = fcntl(fd, F_OFD_SETLK, &lock);
    while (result == -1 && errno == EINTR);
    if (result == -1)
        return errno == EACCES ? -EAGAIN : -errno;
    return 0;
}

int local_mutex_wait(pthread_mutex_t *mutex, uint32_t milliseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)milliseconds * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return -pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);
}

void local_cond_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

void local_cond_wait(pthread_cond_t *condition, pthread_mutex_t *mutex, uint64_t nanoseconds)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += (long)(nanoseconds % 1000000000u);
    until.tv_sec += (time_t)(nanoseconds / 1000000000u) + until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_cond_timedwait(condition, mutex, &until);
}

void local_name_thread(const char *name) { pthread_setname_np(pthread_self(), name); }

uint64_t local_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void local_pause(uint32_t microseconds)
{
    struct timespec time = {.tv_sec = microseconds / 1000000, .tv_nsec = (long)(microseconds % 1000000) * 1000};
    nanosleep(&time, NULL);
}

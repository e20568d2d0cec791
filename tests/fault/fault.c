/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A library to be preloaded that lets one call on files below a folder fail: the n-th write,
 * fsync, rename, open, ... of a job. glibc's stdio does not go through the symbols that can be
 * preloaded, so a stream opened on a descriptor of ours is made anew over our own write.
 *
 *   FAULT_ROOT    the folder; other files are never touched
 *   FAULT_CALL    write fsync rename open read mkdir chmod opendir
 *   FAULT_AT      the call that fails, from 1; 0: none
 *   FAULT_ERRNO   with which errno (a number); 0: no error, but half of the bytes only
 *   FAULT_EVER    set: every later one fails too (a disk that stays full)
 *   FAULT_COUNT   a file (outside FAULT_ROOT) that gets the number of such calls at the end
 *   FAULT_CLOCK   set: the time of day goes backwards, a day at each look
 */
/* open and open64 are two symbols here. */
#undef _FILE_OFFSET_BITS

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

enum { MAX_FD = 4096 };

static atomic_bool ours[MAX_FD]; /* descriptors of files below the folder */
static atomic_long count;

/* ISO C casts no object pointer to a function. */
static void next(const char *name, void *function, size_t n)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, n);
}

static bool is_below(const char *path)
{
    const char *root = getenv("FAULT_ROOT");
    return root && path && strncmp(path, root, strlen(root)) == 0;
}

static bool is_fd_below(int fd)
{
    return fd >= 0 && fd < MAX_FD && atomic_load(&ours[fd]);
}

/* Is it this call's turn? Counts it where it is of the kind that fails. */
static bool strikes(const char *call)
{
    const char *wanted = getenv("FAULT_CALL"), *at = getenv("FAULT_AT");
    if (!wanted || strcmp(wanted, call) != 0)
        return false;
    long n = atomic_fetch_add(&count, 1) + 1, turn = at ? atol(at) : 0;
    return turn > 0 && (n == turn || (n > turn && getenv("FAULT_EVER")));
}

/* 0: the call is only cut short. */
static int error_wanted(void)
{
    const char *text = getenv("FAULT_ERRNO");
    return text ? atoi(text) : EIO;
}

static bool fails(const char *call)
{
    if (!strikes(call))
        return false;
    int error = error_wanted();
    errno = error ? error : EIO;
    return true;
}

/* Opened at once: the job's sandbox would not let it be opened at the end. */
static int count_fd = -1;

__attribute__((constructor)) static void open_count(void)
{
    const char *path = getenv("FAULT_COUNT");
    if (path)
        count_fd = (int)syscall(SYS_openat, AT_FDCWD, path,
                                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
}

__attribute__((destructor)) static void tell_count(void)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%ld\n", atomic_load(&count));
    if (count_fd >= 0)
        syscall(SYS_write, count_fd, text, (size_t)n);
}

/* --- Opening and closing ------------------------------------------------------------ */

static int opened(const char *path, int fd)
{
    if (fd >= 0 && fd < MAX_FD)
        atomic_store(&ours[fd], is_below(path));
    return fd;
}

static int open_any(const char *path, int flags, mode_t mode)
{
    /* O_PATH looks a name up and touches no file. */
    if (!(flags & O_PATH) && is_below(path) && fails("open"))
        return -1;
    return opened(path, (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode));
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(args, unsigned) : 0;
}

EXPORT int open(const char *path, int flags, ...);
EXPORT int open64(const char *path, int flags, ...);

int open(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    va_list args;
    va_start(args, flags);
    mode_t mode = mode_of(flags, args);
    va_end(args);
    return open_any(path, flags, mode);
}

EXPORT int close(int fd);
int close(int fd)
{
    if (fd >= 0 && fd < MAX_FD)
        atomic_store(&ours[fd], false);
    return (int)syscall(SYS_close, fd);
}

/* --- Reading and writing ------------------------------------------------------------ */

EXPORT ssize_t write(int fd, const void *bytes, size_t n);
ssize_t write(int fd, const void *bytes, size_t n)
{
    if (is_fd_below(fd) && strikes("write")) {
        errno = error_wanted();
        if (errno)
            return -1;
        n = n > 1 ? n / 2 : n;
    }
    return (ssize_t)syscall(SYS_write, fd, bytes, n);
}

static ssize_t pwrite_any(int fd, const void *bytes, size_t n, off_t at)
{
    if (is_fd_below(fd) && strikes("write")) {
        errno = error_wanted();
        if (errno)
            return -1;
        n = n > 1 ? n / 2 : n;
    }
    return (ssize_t)syscall(SYS_pwrite64, fd, bytes, n, at);
}

EXPORT ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at);
EXPORT ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at);

ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite_any(fd, bytes, n, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
    return pwrite_any(fd, bytes, n, at);
}

EXPORT ssize_t read(int fd, void *bytes, size_t n);
ssize_t read(int fd, void *bytes, size_t n)
{
    if (is_fd_below(fd) && strikes("read")) {
        errno = error_wanted();
        if (errno)
            return -1;
        n = n > 1 ? n / 2 : n;
    }
    return (ssize_t)syscall(SYS_read, fd, bytes, n);
}

EXPORT int fsync(int fd);
int fsync(int fd)
{
    return is_fd_below(fd) && fails("fsync") ? -1 : (int)syscall(SYS_fsync, fd);
}

/* --- Streams ------------------------------------------------------------------------ */

typedef struct stream {
    int fd;
} stream;

/* As glibc's own streams: what was not taken is written once more. */
static ssize_t stream_write(void *cookie, const char *bytes, size_t n)
{
    size_t done = 0;
    while (done < n) {
        ssize_t written = write(((stream *)cookie)->fd, bytes + done, n - done);
        if (written < 0)
            return 0; /* what fopencookie takes for an error */
        done += (size_t)written;
    }
    return (ssize_t)done;
}

static int stream_close(void *cookie)
{
    int fd = ((stream *)cookie)->fd;
    free(cookie);
    return close(fd);
}

EXPORT FILE *fdopen(int fd, const char *mode);
FILE *fdopen(int fd, const char *mode)
{
    FILE *(*real)(int, const char *);
    next("fdopen", &real, sizeof real);
    if (!is_fd_below(fd) || mode[0] != 'w')
        return real(fd, mode);
    stream *cookie = malloc(sizeof *cookie);
    if (!cookie)
        return NULL;
    cookie->fd = fd;
    const cookie_io_functions_t calls = {.write = stream_write, .close = stream_close};
    return fopencookie(cookie, "w", calls);
}

/* --- Names -------------------------------------------------------------------------- */

EXPORT int rename(const char *from, const char *to);
int rename(const char *from, const char *to)
{
    if (is_below(to) && fails("rename"))
        return -1;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

EXPORT int mkdir(const char *path, mode_t mode);
int mkdir(const char *path, mode_t mode)
{
    if (is_below(path) && fails("mkdir"))
        return -1;
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

EXPORT int chmod(const char *path, mode_t mode);
int chmod(const char *path, mode_t mode)
{
    if (is_below(path) && fails("chmod"))
        return -1;
    return (int)syscall(SYS_fchmodat, AT_FDCWD, path, mode);
}

EXPORT DIR *opendir(const char *path);
DIR *opendir(const char *path)
{
    DIR *(*real)(const char *);
    next("opendir", &real, sizeof real);
    return is_below(path) && fails("opendir") ? NULL : real(path);
}

/* --- The time of day ---------------------------------------------------------------- */

static time_t back(time_t now)
{
    static atomic_long looks;
    return getenv("FAULT_CLOCK") ? now - 86400 * (atomic_fetch_add(&looks, 1) + 1) : now;
}

EXPORT time_t time(time_t *ret);
time_t time(time_t *ret)
{
    struct timespec now = {0};
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    time_t value = back(now.tv_sec);
    if (ret)
        *ret = value;
    return value;
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ret);
int clock_gettime(clockid_t clock, struct timespec *ret)
{
    int rc = (int)syscall(SYS_clock_gettime, clock, ret);
    if (rc == 0 && clock == CLOCK_REALTIME)
        ret->tv_sec = back(ret->tv_sec);
    return rc;
}

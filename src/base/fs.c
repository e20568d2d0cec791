/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

bl_status bli_path_join(const char *a, const char *b, char **ret_path, bl_err *err)
{
    size_t n = strlen(a) + strlen(b) + 2;
    void *path;
    bl_status st = bli_alloc(n, 1, "a path", &path, err);
    if (st != BL_OK)
        return st;
    size_t n_a = strlen(a);
    snprintf(path, n, "%s%s%s", a, n_a && a[n_a - 1] == '/' ? "" : "/", b);
    *ret_path = path;
    return BL_OK;
}

/* Length of the folder part of a path, without the last slash; 0 where there is none. */
static size_t folder_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? (size_t)(slash - path) : 0;
}

/* The folder of a path in a fresh string: "." or "/" where it has no longer one. */
static bl_status folder_of(const char *path, char **ret_folder, bl_err *err)
{
    size_t n = folder_length(path);
    if (n == 0)
        return bli_strdup(path[0] == '/' ? "/" : ".", ret_folder, err);
    char *folder = strndup(path, n);
    if (!folder)
        return bli_fail(err, BL_E_NOMEM, "no memory for a path");
    *ret_folder = folder;
    return BL_OK;
}

/* Root gives a new file or folder the owner of the folder it is in, so that whoever
 * mounted the folder can delete what we leave. Where that is not permitted it stays ours.
 */
static bool own_as_folder(const char *path, const char *folder)
{
    struct stat st;
    return geteuid() != 0 || stat(folder, &st) != 0 ||
           lchown(path, st.st_uid, st.st_gid) == 0;
}

bl_status bli_make_folder(const char *path, unsigned mode, bl_err *err)
{
    if (bli_is_folder(path))
        return BL_OK;
    char *folder;
    bl_status st = folder_of(path, &folder, err);
    if (st != BL_OK)
        return st;
    if (!bli_exists(folder))
        st = bli_make_folder(folder, mode, err);
    if (st == BL_OK && mkdir(path, (mode_t)mode) != 0 && errno != EEXIST)
        st = bli_fail_errno(err, BL_E_IO, errno, "'%s': make folder", path);
    else if (st == BL_OK) {
        own_as_folder(path, folder);
        chmod(path, (mode_t)mode); /* mkdir's mode is cut by the umask */
    }
    free(folder);
    return st;
}

bl_status bli_temp_name(const char *path, char **ret_temp_path, bl_err *err)
{
    uint64_t draw;
    if (getrandom(&draw, sizeof draw, 0) != (ssize_t)sizeof draw)
        return bli_fail_errno(err, BL_E_IO, errno, "getrandom");
    size_t n_folder = folder_length(path);
    const char *name = path + (strchr(path, '/') ? n_folder + 1 : 0);
    size_t n = strlen(path) + 32;
    void *temp;
    bl_status st = bli_alloc(n, 1, "a path", &temp, err);
    if (st != BL_OK)
        return st;
    /* The leading dot keeps it out of what readers of the folder list. */
    snprintf(temp, n, "%.*s.%s.%016llx.tmp", (int)(name - path), path, name,
             (unsigned long long)draw);
    *ret_temp_path = temp;
    return BL_OK;
}

static bl_status sync_folder(const char *folder, bl_err *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return bli_fail_errno(err, BL_E_IO, errno, "'%s': open folder", folder);
    bl_status st = BL_OK;
    /* EINVAL: a file system that cannot sync a folder, and needs not. */
    if (fsync(fd) != 0 && errno != EINVAL)
        st = bli_fail_errno(err, BL_E_IO, errno, "'%s': sync folder", folder);
    close(fd);
    return st;
}

static bl_status sync_file(const char *path, bl_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return bli_fail_errno(err, BL_E_IO, errno, "'%s': open", path);
    bl_status st = BL_OK;
    if (fsync(fd) != 0)
        st = bli_fail_errno(err, BL_E_IO, errno, "'%s': sync", path);
    close(fd);
    return st;
}

bl_status bli_temp_commit(const char *temp_path, const char *path, unsigned mode,
                          bl_err *err)
{
    char *folder = NULL;
    bl_status st = sync_file(temp_path, err);
    if (st == BL_OK)
        st = folder_of(path, &folder, err);
    if (st == BL_OK && chmod(temp_path, (mode_t)mode) != 0)
        st = bli_fail_errno(err, BL_E_IO, errno, "'%s': set mode", temp_path);
    if (st == BL_OK) {
        own_as_folder(temp_path, folder);
        if (rename(temp_path, path) != 0)
            st = bli_fail_errno(err, BL_E_IO, errno, "'%s': rename into place", path);
    }
    if (st == BL_OK)
        st = sync_folder(folder, err);
    else
        bli_temp_abort(temp_path);
    free(folder);
    return st;
}

void bli_temp_abort(const char *temp_path)
{
    if (temp_path)
        unlink(temp_path);
}

static bl_status open_temp(bl_output *output, bl_err *err)
{
    int fd = open(output->temp_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
        output->file = fdopen(fd, "w");
    if (output->file)
        return BL_OK;
    bl_status st = bli_fail_errno(err, BL_E_IO, errno, "'%s': create", output->path);
    if (fd >= 0) {
        close(fd);
        unlink(output->temp_path);
    }
    return st;
}

bl_status bli_output_open_as(const char *path, const char *temp_path, unsigned mode,
                             bl_output *ret_output, bl_err *err)
{
    bl_output output = {.mode = mode};
    bl_status st = bli_strdup(path, &output.path, err);
    if (st == BL_OK)
        st = bli_strdup(temp_path, &output.temp_path, err);
    if (st == BL_OK)
        st = open_temp(&output, err);
    if (st != BL_OK) {
        bli_output_abort(&output);
        return st;
    }
    *ret_output = output;
    return BL_OK;
}

bool bli_is_standard_output(const char *path)
{
    return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdout") == 0;
}

/* A device or a pipe: nothing that a rename could put in place, and nothing that one may
 * replace. */
static bool is_stream(const char *path)
{
    struct stat found;
    return bli_is_standard_output(path) ||
           (stat(path, &found) == 0 && !S_ISREG(found.st_mode) &&
            !S_ISDIR(found.st_mode));
}

static bl_status open_stream(const char *path, bl_output *ret_output, bl_err *err)
{
    bl_output output = {0};
    int fd = bli_is_standard_output(path) ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
                                          : open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd >= 0)
        output.file = fdopen(fd, "w");
    if (!output.file) {
        bl_status st = bli_fail_errno(err, BL_E_IO, errno, "'%s': open", path);
        if (fd >= 0)
            close(fd);
        return st;
    }
    bl_status st = bli_strdup(path, &output.path, err);
    if (st == BL_OK)
        *ret_output = output;
    else
        bli_output_abort(&output);
    return st;
}

bl_status bli_output_open(const char *path, unsigned mode, bl_output *ret_output,
                          bl_err *err)
{
    char *temp_path = NULL;
    bl_status st = bli_temp_name(path, &temp_path, err);
    if (st == BL_OK)
        st = bli_output_open_as(path, temp_path, mode, ret_output, err);
    free(temp_path);
    return st;
}

bl_status bli_output_open_named(const char *path, unsigned mode, bl_output *ret_output,
                                bl_err *err)
{
    if (is_stream(path))
        return open_stream(path, ret_output, err);
    if (bli_is_folder(path))
        return bli_fail(err, BL_E_ARG, "'%s' is a folder; a file is expected", path);
    char *real = realpath(path, NULL);
    bl_status st = bli_output_open(real ? real : path, mode, ret_output, err);
    free(real);
    return st;
}

static void output_done(bl_output *output)
{
    free(output->path);
    free(output->temp_path);
    *output = (bl_output){0};
}

bl_status bli_output_commit(bl_output *output, bl_err *err)
{
    bl_status st = BL_OK;
    errno = 0;
    int bad = ferror(output->file);
    bad |= fflush(output->file);
    if (bad)
        st = bli_fail_errno(err, BL_E_IO, errno ? errno : EIO, "'%s': write",
                            output->path);
    if (fclose(output->file) != 0 && st == BL_OK)
        st = bli_fail_errno(err, BL_E_IO, errno, "'%s': close", output->path);
    output->file = NULL;
    if (st == BL_OK && output->temp_path)
        st = bli_temp_commit(output->temp_path, output->path, output->mode, err);
    else
        bli_temp_abort(output->temp_path);
    output_done(output);
    return st;
}

void bli_output_abort(bl_output *output)
{
    if (!output)
        return;
    if (output->file) {
        fclose(output->file);
        bli_temp_abort(output->temp_path);
    }
    output_done(output);
}

bl_status bli_write_file(const char *path, unsigned mode, const void *bytes, size_t n,
                         bl_err *err)
{
    bl_output output;
    bl_status st = bli_output_open(path, mode, &output, err);
    if (st != BL_OK)
        return st;
    if (n)
        fwrite(bytes, 1, n, output.file); /* a short write shows in ferror at commit */
    return bli_output_commit(&output, err);
}

bl_status bli_read_file(const char *path, size_t max_bytes, bl_buf *ret_buf, bl_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return bli_fail_errno(err, BL_E_IO, errno, "'%s': open", path);
    bl_buf buf = {0};
    bl_status st = BL_OK;
    for (;;) {
        char chunk[65536];
        ssize_t n = read(fd, chunk, sizeof chunk);
        if (n < 0)
            st = bli_fail_errno(err, BL_E_IO, errno, "'%s': read", path);
        if (n <= 0)
            break;
        if ((size_t)n > max_bytes - buf.n) {
            st =
                bli_fail(err, BL_E_LIMIT, "'%s': larger than %zu bytes", path, max_bytes);
            break;
        }
        bli_buf_add(&buf, chunk, (size_t)n);
    }
    close(fd);
    if (st == BL_OK)
        bli_buf_text(&buf, ""); /* data is a string also where the file is empty */
    if (st == BL_OK)
        st = bli_buf_check(&buf, path, err);
    if (st == BL_OK)
        *ret_buf = buf;
    else
        bli_buf_done(&buf);
    return st;
}

bl_status bli_check_writable(const char *folder, bool *ret_owned, bl_err *err)
{
    char *probe = NULL, *temp = NULL;
    bl_status st = bli_path_join(folder, "probe", &probe, err);
    if (st == BL_OK)
        st = bli_temp_name(probe, &temp, err);
    if (st == BL_OK) {
        int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
            st = bli_fail_errno(err, BL_E_IO, errno, "folder '%s' cannot be written to",
                                folder);
        else {
            close(fd);
            if (ret_owned)
                *ret_owned = own_as_folder(temp, folder);
            unlink(temp);
        }
    }
    free(probe);
    free(temp);
    return st;
}

bool bli_is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool bli_exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

uint64_t bli_free_bytes(const char *path)
{
    struct statvfs fs;
    if (statvfs(path, &fs) != 0)
        return UINT64_MAX;
    return (uint64_t)fs.f_bavail * (uint64_t)fs.f_frsize;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The folder of checkpoints. The platform's uploader looks into it all the time: a name
 * that ends in .sagemaker-ignore is not ready yet, <file>.sagemaker-uploading stands
 * beside a file while it is sent and <file>.sagemaker-uploaded after that. Deleting a file
 * here deletes it in S3, so only own files are ever deleted.
 */
#include "train/checkpoint_priv.h"

#include "base/fs.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IGNORE    ".sagemaker-ignore"
#define UPLOADING ".sagemaker-uploading"
#define UPLOADED  ".sagemaker-uploaded"

/* --- Names -------------------------------------------------------------------------- */

/* The number of "xgboost-checkpoint.<n>" followed by exactly `suffix`; -1: another name. */
static int64_t number_in(const char *name, const char *suffix)
{
    size_t n_prefix = sizeof BL_CKPT_PREFIX - 1, n = strlen(name),
           n_suffix = strlen(suffix);
    if (n <= n_prefix + n_suffix || strncmp(name, BL_CKPT_PREFIX, n_prefix) != 0 ||
        strcmp(name + n - n_suffix, suffix) != 0)
        return -1;
    int64_t number;
    size_t n_digits = n - n_prefix - n_suffix;
    const char *digits = name + n_prefix;
    if (n_digits > 18 || strspn(digits, "0123456789") < n_digits ||
        (digits[0] == '0' && n_digits > 1) || !bli_read_int(digits, n_digits, &number))
        return -1;
    return number;
}

/* What AWS's image leaves: one model file after the first round. */
static bool is_aws_name(const char *name)
{
    return strcmp(name, "xgboost-checkpoint_0.json") == 0 ||
           strcmp(name, "xgboost-checkpoint_0.ubj") == 0;
}

static int newest_first(const void *a, const void *b)
{
    const bl_ckpt_file *x = a, *y = b;
    return x->n != y->n ? (x->n < y->n) - (x->n > y->n) : strcmp(x->name, y->name);
}

static bl_status add_file(bl_ckpt_files *files, int64_t n, const char *name, bl_err *err)
{
    bl_status st = bli_grow((void **)&files->file, &files->cap, files->n + 1,
                            sizeof *files->file, "checkpoints", err);
    char *copy = NULL;
    if (st == BL_OK)
        st = bli_strdup(name, &copy, err);
    if (st == BL_OK)
        files->file[files->n++] = (bl_ckpt_file){.n = n, .name = copy};
    return st;
}

bl_status bli_ckpt_list(const char *folder, bl_ckpt_files *ret_files, bl_err *err)
{
    bl_ckpt_files files = {0};
    DIR *dir = opendir(folder);
    if (!dir && errno == ENOENT) {
        *ret_files = files;
        return BL_OK;
    }
    if (!dir)
        return bli_fail_errno(err, BL_E_IO, errno, "checkpoints: '%s': open folder",
                              folder);
    bl_status st = BL_OK;
    const struct dirent *entry;
    errno = 0;
    while (st == BL_OK && (entry = readdir(dir))) {
        int64_t n = number_in(entry->d_name, "");
        if (n >= 0 || is_aws_name(entry->d_name))
            st = add_file(&files, n, entry->d_name, err);
        errno = 0;
    }
    if (st == BL_OK && errno)
        st =
            bli_fail_errno(err, BL_E_IO, errno, "checkpoints: '%s': read folder", folder);
    closedir(dir);
    if (st != BL_OK) {
        bli_ckpt_files_done(&files);
        return st;
    }
    if (files.n)
        qsort(files.file, files.n, sizeof *files.file, newest_first);
    *ret_files = files;
    return BL_OK;
}

void bli_ckpt_files_done(bl_ckpt_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        free(files->file[i].name);
    free(files->file);
    *files = (bl_ckpt_files){0};
}

void bli_ckpt_sweep(const char *folder)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        if (number_in(entry->d_name, IGNORE) >= 0)
            unlinkat(dirfd(dir), entry->d_name, 0);
    if (dir)
        closedir(dir);
}

/* --- Reading ------------------------------------------------------------------------ */

bl_status bli_ckpt_bytes(const char *folder, const char *name, bl_buf *ret_bytes,
                         bl_err *err)
{
    char *path;
    struct stat about;
    bl_status st = bli_path_join(folder, name, &path, err);
    if (st != BL_OK)
        return st;
    /* No link is followed out of the folder, and a pipe of that name is not waited for. */
    if (lstat(path, &about) != 0)
        st = bli_fail_errno(err, BL_E_IO, errno, "'%s': look at", path);
    else if (!S_ISREG(about.st_mode))
        st = bli_fail(err, BL_E_IO, "'%s': no regular file", path);
    else
        st = bli_read_file(path, (size_t)bli_limits().model_bytes, ret_bytes, err);
    free(path);
    return st;
}

bl_status bli_ckpt_read(const char *folder, const char *name, bl_ckpt *ret_ckpt,
                        bl_ckpt_kind *ret_kind, char why[BL_CKPT_WHY], bl_err *err)
{
    bl_buf bytes = {0};
    bl_status st = bli_ckpt_bytes(folder, name, &bytes, err);
    return st == BL_OK ? bli_ckpt_decode(&bytes, ret_ckpt, ret_kind, why, err) : st;
}

/* --- Writing ------------------------------------------------------------------------ */

static bl_status path_of(const bl_checkpoints *place, int64_t n, const char *suffix,
                         char **ret_path, bl_err *err)
{
    char name[64];
    snprintf(name, sizeof name, BL_CKPT_PREFIX "%" PRId64 "%s", n, suffix);
    return bli_path_join(place->folder, name, ret_path, err);
}

/* Header and state of a file; n = 0 where it is not ours, or torn early. */
static bl_status front_of(const char *path, bl_buf *ret_front)
{
    char header[BL_CKPT_HEADER], chunk[4096];
    struct stat about;
    FILE *file =
        lstat(path, &about) == 0 && S_ISREG(about.st_mode) ? fopen(path, "re") : NULL;
    if (!file)
        return BL_E_IO;
    size_t got = fread(header, 1, sizeof header, file);
    bli_buf_add(ret_front, header, got);
    uint64_t left = 0;
    if (got == sizeof header) {
        uint64_t n = bli_ckpt_front_bytes(header, (uint64_t)about.st_size);
        left = n ? n - got : 0;
    }
    while (left > 0) {
        got = fread(chunk, 1, left < sizeof chunk ? (size_t)left : sizeof chunk, file);
        if (got == 0)
            break;
        bli_buf_add(ret_front, chunk, got);
        left -= got;
    }
    fclose(file);
    return bli_buf_check(ret_front, "a checkpoint", NULL);
}

/* May this file be deleted or replaced: is it of this very job, or a torn one of ours that is
 * of no use to anybody? */
static bool is_own(const bl_checkpoints *place, const char *path, int64_t num_round)
{
    bl_buf front = {0};
    bl_ckpt ckpt = {0};
    bl_ckpt_kind kind = BL_CKPT_FOREIGN;
    char differs[BL_ERR_BYTES];
    if (front_of(path, &front) != BL_OK ||
        bli_ckpt_decode_state(&front, &ckpt, &kind, NULL) != BL_OK) {
        bli_buf_done(&front);
        return false;
    }
    if (kind != BL_CKPT_OURS)
        return kind == BL_CKPT_TORN;
    bool own = !ckpt.job_name == !place->job_name && bli_ckpt_same_name(&ckpt, place) &&
               !bli_ckpt_differs(&ckpt, place, num_round, differs);
    bli_ckpt_done(&ckpt);
    return own;
}

static bl_status write_parts(const char *path, const char *temp, const bl_ckpt *ckpt,
                             const bl_buf *front, bl_err *err)
{
    bl_output output;
    unlink(temp);
    bl_status st = bli_output_open_as(path, temp, 0600, &output, err);
    if (st != BL_OK)
        return st;
    fwrite(front->data, 1, front->n, output.file);
    fwrite(ckpt->booster, 1, ckpt->n_booster, output.file);
    if (ckpt->n_best_model)
        fwrite(ckpt->best_model, 1, ckpt->n_best_model, output.file);
    return bli_output_commit(&output, err); /* a short write shows there */
}

bl_status bli_ckpt_write(const bl_checkpoints *place, const bl_ckpt *ckpt,
                         bool *ret_taken, bl_err *err)
{
    int64_t n = ckpt->first_round + ckpt->n_rounds - 1;
    char *path = NULL, *temp = NULL;
    bl_buf front = {0};
    bl_status st = bli_make_folder(place->folder, 0700, err);
    if (st == BL_OK)
        st = path_of(place, n, "", &path, err);
    if (st == BL_OK)
        st = path_of(place, n, IGNORE, &temp, err);
    *ret_taken = st == BL_OK && bli_exists(path) && !is_own(place, path, ckpt->num_round);
    if (st == BL_OK && !*ret_taken) {
        st = bli_ckpt_encode(ckpt, &front, err);
        if (st == BL_OK)
            st = write_parts(path, temp, ckpt, &front, err);
    }
    bli_buf_done(&front);
    free(path);
    free(temp);
    return st;
}

/* --- Making room -------------------------------------------------------------------- */

/* The upload may end, and its marker vanish, between the two looks: then the file counts
 * as not being uploaded, which it is. */
static bool is_uploading(const bl_checkpoints *place, int64_t n)
{
    char *uploading = NULL, *uploaded = NULL;
    bool busy = path_of(place, n, UPLOADING, &uploading, NULL) != BL_OK ||
                path_of(place, n, UPLOADED, &uploaded, NULL) != BL_OK ||
                (bli_exists(uploading) && !bli_exists(uploaded));
    free(uploading);
    free(uploaded);
    return busy;
}

void bli_ckpt_prune(const bl_checkpoints *place, int64_t newest, int64_t num_round)
{
    bl_ckpt_files files = {0};
    if (bli_ckpt_list(place->folder, &files, NULL) != BL_OK)
        return;
    int64_t kept = 0;
    for (size_t i = 0; i < files.n; i++) {
        const bl_ckpt_file *file = &files.file[i];
        char *path = NULL;
        /* A larger number is one that was passed over: it is replaced when its round comes. */
        if (file->n < 0 || file->n > newest ||
            bli_path_join(place->folder, file->name, &path, NULL) != BL_OK)
            continue;
        if (is_own(place, path, num_round) && kept++ >= place->keep &&
            !is_uploading(place, file->n))
            unlink(path); /* not to be had: the next round tries again */
        free(path);
    }
    bli_ckpt_files_done(&files);
}

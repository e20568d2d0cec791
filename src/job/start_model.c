/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Channel `model`: a bare model file, or model.tar.gz of an earlier job, from which only
 * a regular member called xgboost-model is read. Nothing is unpacked to disk.
 */
#include "job/job_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { TAR_BLOCK = 512 };

/* The one file of the folder whose name does not begin with '.' or '_'. */
static bl_status find_file(const char *folder, char **ret_path, bl_err *err)
{
    DIR *dir = opendir(folder);
    if (!dir)
        return bli_fail_errno(err, BL_E_IO, errno, "'%s': open folder", folder);
    char *path = NULL;
    bl_status st = BL_OK;
    struct dirent *entry;
    while (st == BL_OK && (entry = readdir(dir))) {
        if (entry->d_name[0] == '.' || entry->d_name[0] == '_')
            continue;
        if (path)
            st = bli_fail(
                err, BL_E_CONFIG,
                "channel model holds more than one file ('%s' and others): leave one, "
                "model.tar.gz or the model itself",
                entry->d_name);
        else
            st = bli_path_join(folder, entry->d_name, &path, err);
    }
    closedir(dir);
    if (st == BL_OK && !path)
        st = bli_fail(err, BL_E_CONFIG, "channel model is empty: put model.tar.gz there");
    if (st == BL_OK && bli_is_folder(path))
        st = bli_fail(err, BL_E_CONFIG,
                      "channel model: '%s' is a folder, a file is expected",
                      strrchr(path, '/') + 1);
    if (st == BL_OK)
        *ret_path = path;
    else
        free(path);
    return st;
}

static bl_status read_stream(gzFile file, void *bytes, size_t n, bool *ret_end,
                             bl_err *err)
{
    size_t got = 0;
    while (got < n) {
        size_t left = n - got;
        int step =
            gzread(file, (char *)bytes + got, left < 1 << 20 ? (unsigned)left : 1 << 20);
        if (step < 0) {
            int code;
            return bli_fail(err, BL_E_MODEL, "damaged gzip: %s", gzerror(file, &code));
        }
        if (step == 0)
            break;
        got += (size_t)step;
    }
    *ret_end = got == 0;
    if (got > 0 && got < n)
        return bli_fail(err, BL_E_MODEL, "the archive ends in the middle of a member");
    return BL_OK;
}

/* POSIX ustar's octal size, or GNU's base-256 beyond 8 GiB. */
static bool member_size(const unsigned char *header, uint64_t *ret_size)
{
    const unsigned char *field = header + 124;
    uint64_t size = 0;
    if (field[0] & 0x80) {
        for (int i = 4; i < 12; i++)
            size = size << 8 | field[i];
        *ret_size = size;
        return field[0] == 0x80 && !field[1] && !field[2] && !field[3];
    }
    for (int i = 0; i < 12 && field[i]; i++) {
        if (field[i] == ' ')
            continue;
        if (field[i] < '0' || field[i] > '7')
            return false;
        size = size * 8 + (uint64_t)(field[i] - '0');
    }
    *ret_size = size;
    return true;
}

static bool is_model_member(const unsigned char *header)
{
    char name[101] = {0};
    memcpy(name, header, 100);
    const char *plain = strncmp(name, "./", 2) == 0 ? name + 2 : name;
    return (header[156] == '0' || header[156] == '\0') &&
           strcmp(plain, "xgboost-model") == 0;
}

static bl_status take_member(gzFile file, uint64_t size, const bl_limits *limits,
                             bl_buf *ret_model, bl_err *err)
{
    if (size > limits->model_bytes)
        return bli_fail(
            err, BL_E_LIMIT, "xgboost-model: %llu bytes, at most %llu are read",
            (unsigned long long)size, (unsigned long long)limits->model_bytes);
    /* In steps, so that a size that lies costs no more memory than the bytes that come.
     */
    bl_buf model = {0};
    bl_status st = BL_OK;
    char chunk[65536];
    for (uint64_t left = size; st == BL_OK && left > 0;) {
        size_t step = left < sizeof chunk ? (size_t)left : sizeof chunk;
        bool end = false;
        st = read_stream(file, chunk, step, &end, err);
        if (st == BL_OK && end)
            st = bli_fail(err, BL_E_MODEL,
                          "the archive ends in the middle of xgboost-model");
        bli_buf_add(&model, chunk, step);
        left -= step;
    }
    if (st == BL_OK)
        st = bli_buf_check(&model, "the model", err);
    if (st == BL_OK)
        *ret_model = model;
    else
        bli_buf_done(&model);
    return st;
}

static bl_status read_archive(gzFile file, const bl_limits *limits, bl_buf *ret_model,
                              bl_err *err)
{
    for (;;) {
        unsigned char header[TAR_BLOCK];
        bool end = false;
        bl_status st = read_stream(file, header, sizeof header, &end, err);
        if (st != BL_OK)
            return st;
        if (end || !header[0])
            return bli_fail(err, BL_E_MODEL,
                            "no regular member 'xgboost-model' in the archive");
        uint64_t size;
        if (memcmp(header + 257, "ustar", 5) != 0 || !member_size(header, &size))
            return bli_fail(
                err, BL_E_MODEL,
                "gzip, but no tar archive inside: a model.tar.gz is expected");
        if (is_model_member(header))
            return take_member(file, size, limits, ret_model, err);
        uint64_t skip = (size + TAR_BLOCK - 1) / TAR_BLOCK;
        while (st == BL_OK && skip-- > 0 && !end)
            st = read_stream(file, header, sizeof header, &end, err);
        if (st != BL_OK)
            return st;
    }
}

bl_status bli_start_model_read(const bl_channel *channel, const bl_limits *limits,
                               bl_buf *ret_model, bl_err *err)
{
    char *path = NULL;
    bl_status st = find_file(channel->path, &path, err);
    if (st != BL_OK)
        return st;
    gzFile file = gzopen(path, "rb");
    if (!file) {
        st = bli_fail_errno(err, BL_E_IO, errno ? errno : ENOMEM, "open");
    } else {
        unsigned char magic[2] = {0};
        FILE *plain = fopen(path, "rbe");
        bool packed = plain && fread(magic, 1, 2, plain) == 2 && magic[0] == 0x1f &&
                      magic[1] == 0x8b;
        if (plain)
            fclose(plain);
        st = packed ? read_archive(file, limits, ret_model, err)
                    : bli_read_file(path, (size_t)limits->model_bytes, ret_model, err);
        gzclose(file);
    }
    if (st != BL_OK)
        bli_err_prefix(err, "channel model: '%s'", strrchr(path, '/') + 1);
    free(path);
    return st;
}

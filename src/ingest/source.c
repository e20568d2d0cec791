/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file or of memory, unpacked where they begin as gzip does. */
#include "ingest/reader.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define RAW_BYTES 262144

typedef enum packing { PACKING_UNKNOWN, PACKING_NONE, PACKING_GZIP } packing;

struct bl_source {
    const char *name;
    int fd;          /* -1: memory, which then is raw, all of it */
    const char *raw; /* unread from begin to end */
    char *own;       /* [RAW_BYTES] raw of a file */
    size_t begin, end;
    bool raw_ended;
    uint64_t n_bytes;
    bl_digest *digest;
    packing packing;
    z_stream zip;
    bool zip_open;
    bool in_member; /* between the first byte and the checksum of a gzip member */
};

static bl_status source_new(const char *name, bl_source **ret_source, bl_err *err)
{
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_source), "a reader", &block, err);
    if (st != BL_OK)
        return st;
    bl_source *source = block;
    source->fd = -1;
    source->name = name;
    st = bli_digest_new(&source->digest, err);
    if (st != BL_OK) {
        bli_source_free(source);
        return st;
    }
    *ret_source = source;
    return BL_OK;
}

bl_status bli_source_open(const char *path, const char *name, bl_source **ret_source,
                          bl_err *err)
{
    bl_source *source;
    bl_status st = source_new(name, &source, err);
    if (st != BL_OK)
        return st;
    source->raw = source->own = malloc(RAW_BYTES);
    source->fd = source->own ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (source->fd < 0) {
        st = source->own ? bli_fail_errno(err, BL_E_IO, errno, "'%s': open", name)
                         : bli_fail(err, BL_E_NOMEM, "no memory to read '%s'", name);
        bli_source_free(source);
        return st;
    }
    *ret_source = source;
    return BL_OK;
}

bl_status bli_source_of_bytes(const void *bytes, size_t n_bytes, const char *name,
                              bl_source **ret_source, bl_err *err)
{
    bl_source *source;
    bl_status st = source_new(name, &source, err);
    if (st != BL_OK)
        return st;
    source->raw = bytes;
    source->end = n_bytes;
    source->raw_ended = true;
    source->n_bytes = n_bytes;
    bli_digest_add(source->digest, bytes, n_bytes);
    *ret_source = source;
    return BL_OK;
}

void bli_source_free(bl_source *source)
{
    if (!source)
        return;
    if (source->zip_open)
        inflateEnd(&source->zip);
    if (source->fd >= 0)
        close(source->fd);
    bli_digest_free(source->digest);
    free(source->own);
    free(source);
}

uint64_t bli_source_n_bytes(const bl_source *source)
{
    return source->n_bytes;
}

bl_status bli_source_digest(bl_source *source, char ret_hex[BL_DIGEST_TEXT], bl_err *err)
{
    return bli_digest_end(source->digest, ret_hex, err);
}

static bl_status storage_read(bl_source *source, char *out, size_t cap, size_t *ret_n,
                              bl_err *err)
{
    ssize_t n;
    if (source->fd < 0) {
        *ret_n = 0;
        return BL_OK;
    }
    do
        n = read(source->fd, out, cap);
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return bli_fail_errno(err, BL_E_IO, errno, "'%s': read", source->name);
    size_t got = (size_t)n;
    bli_digest_add(source->digest, out, got);
    source->n_bytes += got;
    *ret_n = got;
    return BL_OK;
}

/* Reads into raw until at least n bytes (n small) are there, or storage ends. */
static bl_status raw_fill(bl_source *source, size_t n, bl_err *err)
{
    if (source->own && source->begin && source->end - source->begin < n) {
        memmove(source->own, source->own + source->begin, source->end - source->begin);
        source->end -= source->begin;
        source->begin = 0;
    }
    while (!source->raw_ended && source->end - source->begin < n) {
        size_t got = 0;
        bl_status st = storage_read(source, source->own + source->end,
                                    RAW_BYTES - source->end, &got, err);
        if (st != BL_OK)
            return st;
        source->end += got;
        source->raw_ended = got == 0;
    }
    return BL_OK;
}

static bool at_gzip(const bl_source *source)
{
    return source->end - source->begin >= 2 &&
           memcmp(source->raw + source->begin, "\x1f\x8b", 2) == 0;
}

static bl_status decide_packing(bl_source *source, bl_err *err)
{
    bl_status st = raw_fill(source, 2, err);
    if (st != BL_OK)
        return st;
    source->packing = at_gzip(source) ? PACKING_GZIP : PACKING_NONE;
    if (source->packing == PACKING_GZIP) {
        if (inflateInit2(&source->zip, 15 + 16) != Z_OK)
            return bli_fail(err, BL_E_NOMEM, "'%s': no memory to unpack gzip",
                            source->name);
        source->zip_open = true;
        source->in_member = true;
    }
    return BL_OK;
}

/* Between members: another one, zero padding, or the end. */
static bl_status next_member(bl_source *source, bool *ret_ended, bl_err *err)
{
    bl_status st = raw_fill(source, 2, err);
    if (st != BL_OK)
        return st;
    if (at_gzip(source)) {
        inflateReset(&source->zip);
        source->in_member = true;
        return BL_OK;
    }
    while (st == BL_OK && source->begin < source->end) {
        if (source->raw[source->begin++] != 0)
            return bli_fail(err, BL_E_DATA,
                            "'%s': other bytes follow the end of the gzip data; compress "
                            "the file anew",
                            source->name);
        if (source->begin == source->end)
            st = raw_fill(source, 1, err);
    }
    *ret_ended = true;
    return st;
}

static bl_status gzip_read(bl_source *source, char *out, size_t cap, size_t *ret_n,
                           bl_err *err)
{
    z_stream *zip = &source->zip;
    size_t got = 0;
    bool ended = false;
    while (got == 0 && !ended) {
        bl_status st = BL_OK;
        if (!source->in_member) {
            st = next_member(source, &ended, err);
            if (st != BL_OK || ended)
                return *ret_n = 0, st;
        }
        st = raw_fill(source, 1, err);
        if (st != BL_OK)
            return st;
        size_t n_in = source->end - source->begin;
        zip->next_in = (z_const Bytef *)(uintptr_t)(source->raw + source->begin);
        n_in = n_in > 1u << 30 ? 1u << 30 : n_in;
        zip->avail_in = (uInt)n_in;
        zip->next_out = (unsigned char *)out;
        zip->avail_out = cap > (1u << 30) ? 1u << 30 : (uInt)cap;
        size_t room = zip->avail_out;
        int rc = inflate(zip, Z_NO_FLUSH);
        source->begin += n_in - zip->avail_in;
        got = room - zip->avail_out;
        if (rc == Z_STREAM_END)
            source->in_member = false;
        else if (rc == Z_BUF_ERROR || (rc == Z_OK && n_in == 0 && got == 0))
            return bli_fail(err, BL_E_DATA,
                            "'%s': the gzip data break off; the file is cut short",
                            source->name);
        else if (rc == Z_MEM_ERROR)
            return bli_fail(err, BL_E_NOMEM, "'%s': no memory to unpack gzip",
                            source->name);
        else if (rc != Z_OK)
            return bli_fail(err, BL_E_DATA, "'%s': damaged gzip data (%s)", source->name,
                            zip->msg ? zip->msg : "unknown");
    }
    *ret_n = got;
    return BL_OK;
}

bl_status bli_source_read(bl_source *source, char *out, size_t cap, size_t *ret_n,
                          bl_err *err)
{
    if (source->packing == PACKING_UNKNOWN) {
        bl_status st = decide_packing(source, err);
        if (st != BL_OK)
            return st;
    }
    if (source->packing == PACKING_GZIP)
        return gzip_read(source, out, cap, ret_n, err);
    size_t waiting = source->end - source->begin;
    if (!waiting)
        return storage_read(source, out, cap, ret_n, err);
    size_t n = waiting < cap ? waiting : cap;
    memcpy(out, source->raw + source->begin, n);
    source->begin += n;
    *ret_n = n;
    return BL_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How HDF5 reaches the file. Its own driver reports a failed write upwards, after which the
 * library can neither close the file nor forget it and crashes when the process ends (1.10.8,
 * disk full). This one keeps the first error to itself, writes nothing more and lets HDF5 come
 * to a clean end; the caller asks the bl_h5_disk what happened.
 */
#include "report/report_priv.h"

#include <H5FDpublic.h>
#include <H5Ppublic.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The pointer that travels in the file access settings. */
typedef struct bl_h5_access {
    bl_h5_disk *disk;
} bl_h5_access;

typedef struct bl_h5_file {
    H5FD_t common; /* HDF5's own; first */
    bl_h5_disk *disk;
    int fd;
    haddr_t allocated; /* end of what HDF5 gave out */
    haddr_t end;       /* of what was written */
    dev_t device;
    ino_t inode;
} bl_h5_file;

static void remember(bl_h5_disk *disk, int errno_value)
{
    if (disk->errno_value == 0)
        disk->errno_value = errno_value;
}

static H5FD_t *file_open(const char *name, unsigned flags, hid_t access, haddr_t max)
{
    const bl_h5_access *settings = H5Pget_driver_info(access);
    struct stat about;
    (void)flags;
    (void)max;
    if (!settings)
        return NULL;
    bl_h5_file *file = calloc(1, sizeof(*file));
    if (!file) {
        remember(settings->disk, ENOMEM);
        return NULL;
    }
    file->disk = settings->disk;
    file->fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file->fd < 0 || fstat(file->fd, &about) != 0) {
        remember(file->disk, errno);
        if (file->fd >= 0)
            close(file->fd);
        free(file);
        return NULL;
    }
    file->device = about.st_dev;
    file->inode = about.st_ino;
    return &file->common;
}

static herr_t file_close(H5FD_t *common)
{
    bl_h5_file *file = (bl_h5_file *)common;
    if (close(file->fd) != 0)
        remember(file->disk, errno);
    free(file);
    return 0;
}

static int file_compare(const H5FD_t *a, const H5FD_t *b)
{
    const bl_h5_file *x = (const bl_h5_file *)a;
    const bl_h5_file *y = (const bl_h5_file *)b;
    if (x->device != y->device)
        return x->device < y->device ? -1 : 1;
    return (x->inode > y->inode) - (x->inode < y->inode);
}

/* As HDF5's default driver: files of both are laid out alike. */
static herr_t file_query(const H5FD_t *common, unsigned long *flags)
{
    (void)common;
    *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA |
             H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA |
             H5FD_FEAT_DEFAULT_VFD_COMPATIBLE;
    return 0;
}

static haddr_t file_allocated(const H5FD_t *common, H5FD_mem_t type)
{
    (void)type;
    return ((const bl_h5_file *)common)->allocated;
}

static herr_t file_allocate(H5FD_t *common, H5FD_mem_t type, haddr_t end)
{
    (void)type;
    ((bl_h5_file *)common)->allocated = end;
    return 0;
}

static haddr_t file_end(const H5FD_t *common, H5FD_mem_t type)
{
    (void)type;
    return ((const bl_h5_file *)common)->end;
}

/* What was never written, and what could not be, reads as zeros. */
static herr_t file_read(H5FD_t *common, H5FD_mem_t type, hid_t settings, haddr_t at,
                        size_t n, void *bytes)
{
    bl_h5_file *file = (bl_h5_file *)common;
    unsigned char *to = bytes;
    (void)type;
    (void)settings;
    while (n > 0) {
        ssize_t got = pread(file->fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            remember(file->disk, errno);
        if (got <= 0)
            break;
        to += got;
        at += (haddr_t)got;
        n -= (size_t)got;
    }
    memset(to, 0, n);
    return 0;
}

static herr_t file_write(H5FD_t *common, H5FD_mem_t type, hid_t settings, haddr_t at,
                         size_t n, const void *bytes)
{
    bl_h5_file *file = (bl_h5_file *)common;
    const unsigned char *from = bytes;
    (void)type;
    (void)settings;
    if (file->end < at + n)
        file->end = at + n;
    while (n > 0 && file->disk->errno_value == 0) {
        ssize_t put = pwrite(file->fd, from, n, (off_t)at);
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0) {
            remember(file->disk, errno);
            break;
        }
        from += put;
        at += (haddr_t)put;
        n -= (size_t)put;
    }
    return 0;
}

static herr_t file_truncate(H5FD_t *common, hid_t settings, hbool_t closing)
{
    bl_h5_file *file = (bl_h5_file *)common;
    (void)settings;
    (void)closing;
    if (file->end != file->allocated && file->disk->errno_value == 0 &&
        ftruncate(file->fd, (off_t)file->allocated) != 0)
        remember(file->disk, errno);
    file->end = file->allocated;
    return 0;
}

static const H5FD_class_t driver = {
#ifdef H5FD_CLASS_VERSION
    .version = H5FD_CLASS_VERSION,
    .value =
        (H5FD_class_value_t)512, /* HDF5 gives 512 to 1023 to testing and private use */
#endif
    .name = "boostlens",
    .maxaddr = ((haddr_t)1 << 62) - 1,
    .fc_degree = H5F_CLOSE_WEAK,
    .fapl_size = sizeof(bl_h5_access),
    .open = file_open,
    .close = file_close,
    .cmp = file_compare,
    .query = file_query,
    .get_eoa = file_allocated,
    .set_eoa = file_allocate,
    .get_eof = file_end,
    .read = file_read,
    .write = file_write,
    .truncate = file_truncate,
    .fl_map = H5FD_FLMAP_DICHOTOMY,
};

bool bli_h5_disk_use(bl_h5_disk *disk, hid_t access)
{
    const bl_h5_access settings = {disk};
    disk->driver = H5FDregister(&driver);
    return disk->driver >= 0 && H5Pset_driver(access, disk->driver, &settings) >= 0;
}

void bli_h5_disk_done(bl_h5_disk *disk)
{
    if (disk->driver > 0)
        H5FDunregister(disk->driver);
    disk->driver = H5I_INVALID_HID;
}

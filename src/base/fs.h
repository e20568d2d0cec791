/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files. Every output is whole or absent: written to a temporary name in its own folder, synced,
 * renamed, and the folder synced. Messages name the path relative to the root where one is given.
 */
#ifndef BL_BASE_FS_H
#define BL_BASE_FS_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* "a/b" in a fresh string; either part may be absolute only if it is a. */
bl_status bli_path_join(const char *a, const char *b, char **ret_path, bl_err *err);

/* Makes folder path and its parents that lack (mode), then gives each new one the owner of its
 * parent when run as root. Existing is fine. */
bl_status bli_make_folder(const char *path, unsigned mode, bl_err *err);

/* A file being written. Zero-initialised is nothing. */
typedef struct bl_output {
    FILE *file; /* write here */
    char *path;
    char *temp_path; /* NULL: written in place */
    unsigned mode;
} bl_output;

/* Opens <folder of path>/.<name>.<random>.tmp for writing (mode once in place, e.g. 0644). What stands
 * at path is replaced, a link or a pipe too: an output of a job goes nowhere else, and waits for
 * nobody. */
bl_status bli_output_open(const char *path, unsigned mode, bl_output *ret_output,
                          bl_err *err);
/* The same by a temporary name of the caller's, in the same folder, that is not there. */
bl_status bli_output_open_as(const char *path, const char *temp_path, unsigned mode,
                             bl_output *ret_output, bl_err *err);
/* For a path that a person names on the command line. A link is followed: the file behind it is
 * replaced. "-", /dev/stdout, a device or a pipe is written to as it is. BL_E_ARG for a folder. */
bl_status bli_output_open_named(const char *path, unsigned mode, bl_output *ret_output,
                                bl_err *err);
bool bli_is_standard_output(const char *path);
/* Flush, sync, own as the folder, rename, sync the folder. The output is closed in any case. */
bl_status bli_output_commit(bl_output *output, bl_err *err);
/* Removes the temporary file; NULL and closed are fine. */
void bli_output_abort(bl_output *output);

/* The steps above for whole contents. */
bl_status bli_write_file(const char *path, unsigned mode, const void *bytes, size_t n,
                         bl_err *err);

/* For writers that open by name themselves (HDF5): a temporary name to write to, then commit.
 * free() the name after either bli_temp_commit or bli_temp_abort. */
bl_status bli_temp_name(const char *path, char **ret_temp_path, bl_err *err);
bl_status bli_temp_commit(const char *temp_path, const char *path, unsigned mode,
                          bl_err *err);
void bli_temp_abort(const char *temp_path);

/* Reads a whole file of at most max_bytes (BL_E_LIMIT beyond). */
bl_status bli_read_file(const char *path, size_t max_bytes, bl_buf *ret_buf, bl_err *err);

/* BL_E_IO where no file can be made in the folder: said before hours of work, not after.
 * ret_owned: NULL, or false where we are root and files cannot be given the folder's owner. */
bl_status bli_check_writable(const char *folder, bool *ret_owned, bl_err *err);

bool bli_is_folder(const char *path);
bool bli_exists(const char *path);

/* Free bytes of the file system that holds path; UINT64_MAX where it cannot be told. */
uint64_t bli_free_bytes(const char *path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Files into a profile: what process --profile and plan share. */
#ifndef BL_JOB_PROFILE_PRIV_H
#define BL_JOB_PROFILE_PRIV_H

#include "evaluate/profile.h"
#include "ingest/ingest.h"

#include <signal.h>

typedef struct bl_profile_read {
    size_t n_files;
    const char *const *files;
    const bl_texts *missing;    /* texts that mean missing; NULL: the usual ones */
    const bl_column_ref *label; /* NULL: none */
    bool guess_label;           /* a column of a usual name, else the first */
    bool names_columns;         /* line 1 is the header */
    const bl_limits *limits;
    const bl_log *log;
    const volatile sig_atomic_t *stop;
} bl_profile_read;

/* Reads the files once, in parts. ret_frame: columns, dictionaries and files, without rows; free:
 * bli_frame_free. */
bl_status bli_profile_read_files(const bl_profile_read *read, bl_profile **ret_profile,
                                 bl_frame **ret_frame, bl_err *err);

/* "3" or "name" as typed; lends the text. */
bl_column_ref bli_typed_column(const char *text);

#endif

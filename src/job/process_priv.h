/* SPDX-License-Identifier: Apache-2.0 */
/* Where a Processing job's files come from and go to. */
#ifndef BL_JOB_PROCESS_PRIV_H
#define BL_JOB_PROCESS_PRIV_H

#include "job/job_priv.h"

typedef enum bl_process_file {
    BL_FILE_TRAIN,
    BL_FILE_TEST,
    BL_FILE_HEADERS,
    BL_FILE_VALIDATION,
    BL_FILE_PLAN,
    BL_FILE_PROFILE,
    BL_FILE_PROFILE_PAGE,
    BL_N_PROCESS_FILES
} bl_process_file;

typedef struct bl_process_places {
    char *plan; /* plan.json of an input; NULL: none */
    size_t n;
    char **data; /* [n] .csv and .csv.gz of the inputs, in order of path */
    char *path[BL_N_PROCESS_FILES];
} bl_process_places;

/* Reads <root>/config, and looks through the inputs. */
bl_status bli_process_places(const bl_process *process, const bl_limits *limits,
                             bl_process_places *ret_places, bl_err *err);
/* Bars the process to its inputs and the folders of its outputs. */
bl_status bli_process_isolate(const bl_process *process, const bl_process_places *places,
                              bl_err *err);
/* Makes the folder a file goes to. */
bl_status bli_make_parent(const char *path, bl_err *err);
/* A profile of the inputs to profile.json and profile.html. plan: says which column is the label
 * (unless process->label does) and which texts mean missing. */
bl_status bli_process_profile(const bl_process *process, const bl_process_places *places,
                              const bl_plan *plan, const bl_limits *limits, bl_err *err);
void bli_process_places_done(bl_process_places *places);

#endif

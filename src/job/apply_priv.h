/* SPDX-License-Identifier: Apache-2.0 */
/* A saved model, opened; the rows it is applied to. */
#ifndef BL_JOB_APPLY_PRIV_H
#define BL_JOB_APPLY_PRIV_H

#include "job/job_priv.h"

typedef struct bl_saved {
    size_t n_models; /* more than one: k-fold */
    bl_final_model *models;
    bl_schema *schema; /* the card's, else the model's own names, types and levels */
    bl_plan *plan;     /* the card's, fitted; NULL: none */
    bl_transform *transform;
    bl_read_settings read;
    bool has_card;
} bl_saved;

/* apply_isolation.c: bars the process to the model, the data and the folder of the output; before
 * anything is read. BL_E_ARG: no such word; BL_E_CONFIG: less than all where all is required. */
bl_status bli_apply_isolate(const bl_apply *apply, bl_err *err);

/* saved.c */
bl_status bli_saved_open(const bl_apply *apply, const bl_limits *limits,
                         bl_saved **ret_saved, bl_err *err);
void bli_saved_free(bl_saved *saved);

/* saved_read.c: the settings of the model with the options over them, and the rows. */
bl_status bli_saved_options(const bl_apply *apply, bl_saved *saved, bl_err *err);
/* Rows of a part, about 32 MB of them and a multiple of `multiple`. */
uint64_t bli_part_rows(size_t n_features, uint64_t multiple);
/* All rows of --data, part by part (ingest.h). */
bl_status bli_saved_parts(const bl_apply *apply, const bl_saved *saved,
                          const bl_limits *limits, uint64_t part_rows,
                          bl_status (*part)(void *cookie, const bl_part *part,
                                            bl_err *err),
                          void *cookie, bl_err *err);
/* saved_plan.c: the two functions below where the model has a plan. */
bl_status bli_planned_parts(const bl_apply *apply, const bl_saved *saved,
                            const bl_limits *limits, uint64_t part_rows,
                            bl_status (*part)(void *cookie, const bl_part *part,
                                              bl_err *err),
                            void *cookie, bl_err *err);
bl_status bli_planned_background(const bl_apply *apply, const bl_saved *saved,
                                 const bl_limits *limits, bl_matrix **ret_matrix,
                                 bl_err *err);
/* The rows of --background, read as those of --data are; columns of ids may lack. */
bl_status bli_saved_background(const bl_apply *apply, const bl_saved *saved,
                               const bl_limits *limits, bl_matrix **ret_matrix,
                               bl_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The explain verb at work: what all parts of the rows share. */
#ifndef BL_JOB_EXPLAIN_PRIV_H
#define BL_JOB_EXPLAIN_PRIV_H

#include "job/apply_priv.h"

#include "explain/aggregates.h"
#include "explain/background.h"
#include "explain/interactions.h"

/* Where the texts come from that sort rows into groups. */
typedef enum bl_facet_kind {
    BL_FACET_NONE,
    BL_FACET_FEATURE, /* at: its number */
    BL_FACET_LABEL,
    BL_FACET_ID /* at: which one of the ids */
} bl_facet_kind;

/* What metrics need of all rows: nothing where they have no labels. */
typedef struct bl_kept {
    bl_roles roles; /* labels, weights, bounds, groups */
    float *margins; /* [n_rows][n_outputs] */
    size_t cap[6];
    uint64_t n_rows;
    size_t n_margins;
} bl_kept;

typedef struct bl_explaining {
    const bl_apply *apply;
    bl_saved *saved;
    bl_stages *stages;
    uint64_t part_rows;
    bl_background *background; /* NULL: path-dependent values */
    uint64_t background_rows;
    bl_interactions *interactions;
    bl_strengths *strengths;
    bl_aggregates *aggregates;
    bl_facet_kind facet;
    size_t facet_at;
    bool facet_is_ours; /* the last id is there for the facet only */
    bl_levels *groups;  /* its texts */
    char *h5_path;
    bl_h5 *h5; /* NULL: not yet, or none */
    bl_additivity values, pairs;
    uint64_t n_rows, n_paired; /* rows whose whole matrices were summed */
    double *base_sums;         /* [n_outputs] of base values, where they differ by row */
    bl_kept kept;
    /* the part at work */
    const bl_matrix *matrix;
    uint64_t first_row;
    bool only_part;  /* all rows are in it */
    uint32_t *group; /* [n_rows] or NULL */
    /* rows that wait for a whole chunk of strengths */
    float *pending;
    uint64_t n_pending;
} bl_explaining;

/* explain_part.c: takes the rows of one part; an ingest part callback. */
bl_status bli_explain_part(void *cookie, const bl_part *part, bl_err *err);

/* explain_pairs.c: interactions of a batch; those still waiting, after the last. */
bl_status bli_explain_pairs(bl_explaining *x, const bl_batch *batch, bl_err *err);
bl_status bli_explain_pairs_end(bl_explaining *x, bl_err *err);

/* explain_facet.c: how a column named by --facet is read, before reading; the group of each row of
 * the part at work into x->group, for free(). */
bl_status bli_facet_find(bl_explaining *x, bl_err *err);
bl_status bli_facet_groups(bl_explaining *x, bl_err *err);

/* explain_kept.c */
bl_status bli_kept_roles(bl_kept *kept, const bl_roles *roles, uint64_t n_rows,
                         bl_err *err);
bl_status bli_kept_margins(bl_kept *kept, const float *margins, size_t n, bl_err *err);
void bli_kept_done(bl_kept *kept);

#endif

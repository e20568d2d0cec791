/* SPDX-License-Identifier: Apache-2.0 */
/* A proposed plan: decided in propose.c, written in propose_write.c. */
#ifndef BL_JOB_PROPOSE_PRIV_H
#define BL_JOB_PROPOSE_PRIV_H

#include "job/profile_priv.h"

typedef enum bl_proposal {
    BL_PROPOSE_NUMBER,
    BL_PROPOSE_CATEGORY,
    BL_PROPOSE_DATE,
    BL_PROPOSE_LABEL,
    BL_PROPOSE_ID,
    BL_PROPOSE_DROP
} bl_proposal;

typedef struct bl_proposed {
    bl_proposal use;
    bool rare;          /* a step for rare texts */
    bool texts_missing; /* numbers, and a few texts that then mean missing */
    bl_buf why;         /* of what is not plain */
} bl_proposed;

typedef struct bl_proposing {
    const char *file; /* its name, without folders */
    const bl_profile *profile;
    const bl_frame *frame;
    const bl_levels *missing; /* texts; NULL: the usual ones */
    bool label_is_guessed;
    bl_proposed *columns; /* [n_columns] */
} bl_proposing;

void bli_propose_write(const bl_proposing *p, bl_buf *out);

#endif

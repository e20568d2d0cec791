/* SPDX-License-Identifier: Apache-2.0 */
/* For forest.c and booster.c only. */
#ifndef BL_MODEL_READER_PRIV_H
#define BL_MODEL_READER_PRIV_H

#include "model/model_priv.h"

typedef struct bl_reader {
    const bl_ubj *learner;
    const bl_limits *limits;
    const bl_log *log;
    bl_forest *forest;
    const bl_objective *objective;
    bl_unknown_keys keys;
    bl_err *err;
} bl_reader;

/* A whole number of 0 to max under key, `missing` where there is none. */
bl_status bli_get_count(const bl_reader *r, const bl_ubj *param, const char *key,
                        int64_t missing, int64_t max, int64_t *ret_value);

/* Trees or weights, and all that goes with them. */
bl_status bli_read_booster(bl_reader *r);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A loaded model, as the files of this room see it. */
#ifndef BL_API_API_PRIV_H
#define BL_API_API_PRIV_H

#include "boostlens.h"

#include "explain/explain.h"
#include "model/model.h"

struct bl_model {
    bl_forest *forest;
    bl_explainer *explainer;
    size_t n_rounds; /* in use */
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* For tree.c and tree_cats.c only. */
#ifndef BL_MODEL_TREE_PRIV_H
#define BL_MODEL_TREE_PRIV_H

#include "model/model_priv.h"

/* What is read of one tree. */
typedef struct bl_tree_source {
    const bl_ubj *node;
    size_t t;
    size_t n; /* nodes */
    size_t n_features;
    const bl_limits *limits;
    bl_err *err;
} bl_tree_source;

/* Says what is wrong with a list that has not n numbers of the kind wanted. */
bl_status bli_wrong_array(const bl_tree_source *s, const char *name, size_t n);
bl_status bli_get_ints(const bl_tree_source *s, const char *name, size_t n,
                       int32_t *values);

/* Models before 1.3 know no split_type: all numeric. */
bl_status bli_read_categories(const bl_tree_source *s, bl_tree *tree);

#endif

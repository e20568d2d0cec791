/* SPDX-License-Identifier: Apache-2.0 */
/* XGBoost's feature scores: sums over the splits of the trees, each in the order of the
 * model. */
#include "model/model_priv.h"

#include "base/mem.h"

#include <stdlib.h>

static void add_tree(const bl_tree *tree, bl_split_scores *scores)
{
    for (uint32_t node = 0; node < tree->n_nodes; node++) {
        if (tree->left[node] < 0)
            continue;
        uint32_t feature = tree->feature[node];
        scores->weight[feature] += 1;
        scores->total_gain[feature] += (double)tree->gain[node];
        scores->total_cover[feature] += (double)tree->cover[node];
    }
}

bl_status bli_forest_split_scores(const bl_forest *forest, size_t first, size_t last,
                                  bl_split_scores *ret_scores, bl_err *err)
{
    bl_split_scores scores = {0};
    double **array[] = {&scores.weight, &scores.total_gain, &scores.total_cover};
    bl_status st = BL_OK;
    for (size_t i = 0; i < BL_LEN(array) && st == BL_OK; i++)
        st = bli_alloc(forest->n_features, sizeof(double), "feature scores",
                       (void **)array[i], err);
    if (st != BL_OK) {
        bli_split_scores_done(&scores);
        return st;
    }
    size_t end = forest->round_first ? forest->round_first[last] : 0;
    for (size_t t = end ? forest->round_first[first] : 0; t < end; t++)
        add_tree(&forest->trees[t], &scores);
    *ret_scores = scores;
    return BL_OK;
}

void bli_split_scores_done(bl_split_scores *scores)
{
    free(scores->weight);
    free(scores->total_gain);
    free(scores->total_cover);
    *scores = (bl_split_scores){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of rows in order of score. Rows of one score share the places they take together:
 * each counts with the mean of the discounts there (McSherry and Najork 2008), which is
 * the mean over all orders of the tied rows.
 */
#include "evaluate/evaluate_priv.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

enum { LARGEST_EXPONENT = 31 }; /* XGBoost's own bound on labels of an exponential gain */

static const uint64_t depths[] = {UINT64_MAX, 5, 10};
enum { N_DEPTHS = 3 };

typedef struct bl_ranking {
    double weight;
    double ndcg[N_DEPTHS];
    double map;
} bl_ranking;

static double discount(uint64_t place)
{
    return 1 / log2((double)place + 2);
}

static double gain_of(float label, bool linear)
{
    return linear ? (double)label : exp2((double)label) - 1;
}

/* rows sorted; the label of each is its gain here. */
static double dcg(const bl_ranked *rows, uint64_t n, uint64_t depth)
{
    double sum = 0;
    for (uint64_t i = 0; i < n && i < depth;) {
        uint64_t first = i;
        uint32_t key = rows[i].key;
        double gain = 0;
        double share = 0;
        for (; i < n && rows[i].key == key; i++) {
            gain += (double)rows[i].label;
            if (i < depth)
                share += discount(i);
        }
        sum += gain / (double)(i - first) * share;
    }
    return sum;
}

typedef struct bl_group {
    const bl_scored *scored;
    uint64_t first, n;
    bool linear;
    bl_ranked *rows; /* [2 n] */
} bl_group;

static bool rank_group(const bl_group *group, bool ideal, bool gains)
{
    const bl_scored *scored = group->scored;
    for (uint64_t i = 0; i < group->n; i++) {
        uint64_t row = group->first + i;
        float label = scored->labels[row * scored->n_labels];
        float gain = (float)gain_of(label, group->linear);
        float score = scored->predictions[row * scored->n_predictions];
        if (isnan(score))
            return false;
        group->rows[i] =
            (bl_ranked){bli_rank_key(ideal ? label : score), gains ? gain : label, 1.0F};
    }
    bli_rank_sort(group->rows, group->rows + group->n, group->n);
    return true;
}

static void add_group(const bl_group *group, bool binary, bl_ranking *ranking)
{
    double weight = bli_weight(group->scored->weights, group->first);
    double best[N_DEPTHS];
    ranking->weight += weight;
    rank_group(group, true, true);
    for (int d = 0; d < N_DEPTHS; d++)
        best[d] = dcg(group->rows, group->n, depths[d]);
    bool ordered = rank_group(group, false, true);
    for (int d = 0; d < N_DEPTHS; d++) {
        double got = best[d] > 0 ? dcg(group->rows, group->n, depths[d]) / best[d] : 1;
        ranking->ndcg[d] += weight * (ordered ? got : BL_NAN);
    }
    if (!binary)
        return;
    double positives = 0;
    double ap = 0;
    double hit = 0;
    rank_group(group, false, false);
    for (uint64_t i = 0; i < group->n; i++)
        positives += (double)group->rows[i].label;
    for (uint64_t i = 0; i < group->n;) {
        uint32_t key = group->rows[i].key;
        double hit0 = hit;
        for (; i < group->n && group->rows[i].key == key; i++)
            hit += (double)group->rows[i].label;
        ap += (hit - hit0) * hit / (double)i;
    }
    ranking->map += weight * (!ordered ? BL_NAN : positives > 0 ? ap / positives : 1);
}

bl_status bli_final_ranking(const bl_scored *scored, bl_jw *jw, bl_err *err)
{
    const bl_roles *roles = scored->roles;
    uint64_t whole = scored->n_rows;
    bool grouped = roles && roles->n_groups > 0;
    size_t n_groups = grouped ? roles->n_groups : 1;
    const uint64_t *group_rows = grouped ? roles->group_rows : &whole;
    uint64_t longest = 0;
    uint64_t sum = 0;
    for (size_t g = 0; g < n_groups; g++) {
        sum += group_rows[g];
        longest = group_rows[g] > longest ? group_rows[g] : longest;
    }
    if (sum != scored->n_rows)
        return bli_fail(err, BL_E_SHAPE, "the groups hold %llu rows, but there are %llu",
                        (unsigned long long)sum, (unsigned long long)scored->n_rows);
    bl_group group = {.scored = scored, .linear = scored->linear_gain};
    bool binary = true;
    for (uint64_t row = 0; row < scored->n_rows; row++) {
        float label = scored->labels[row * scored->n_labels];
        binary &= label == 0 || label == 1;
        group.linear |= label > LARGEST_EXPONENT;
    }
    void *memory;
    bl_status status = bli_alloc(2 * (size_t)longest, sizeof(bl_ranked),
                                 "rows in order of score", &memory, err);
    if (status)
        return status;
    group.rows = memory;
    bl_ranking ranking = {0};
    for (size_t g = 0; g < n_groups; g++) {
        group.n = group_rows[g];
        if (group.n > 0)
            add_group(&group, binary, &ranking);
        group.first += group.n;
    }
    free(memory);
    bli_jw_key(jw, "groups");
    bli_jw_int(jw, (int64_t)n_groups);
    bli_member("ndcg", ranking.ndcg[0] / ranking.weight, jw);
    bli_member("ndcg@5", ranking.ndcg[1] / ranking.weight, jw);
    bli_member("ndcg@10", ranking.ndcg[2] / ranking.weight, jw);
    if (binary)
        bli_member("map", ranking.map / ranking.weight, jw);
    return BL_OK;
}

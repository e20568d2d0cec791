/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle/forests.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *more(void *array, size_t n, size_t size)
{
    void *grown = realloc(array, (n ? n : 1) * size);
    if (!grown) {
        fprintf(stderr, "no memory for a test forest\n");
        abort();
    }
    return grown;
}

bl_forest *oracle_forest_new(size_t n_features, size_t n_outputs)
{
    bl_forest *forest = more(NULL, 1, sizeof *forest);
    *forest = (bl_forest){
        .n_features = n_features,
        .n_outputs = n_outputs,
        .best_iteration = -1,
        .best_score = (double)NAN,
    };
    forest->base_margin = more(NULL, n_outputs, sizeof(float));
    for (size_t i = 0; i < n_outputs; i++)
        forest->base_margin[i] = 0;
    forest->round_first = more(NULL, 1, sizeof(uint32_t));
    forest->round_first[0] = 0;
    return forest;
}

void oracle_forest_free(bl_forest *forest)
{
    if (!forest)
        return;
    for (size_t t = 0; t < forest->n_trees; t++) {
        bl_tree *tree = forest->trees + t;
        void *arrays[] = {tree->left,      tree->right,        tree->feature,
                          tree->threshold, tree->cover,        tree->gain,
                          tree->leaf,      tree->default_left, tree->cat_first,
                          tree->cat_words, tree->cat_bits};
        for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
            free(arrays[i]);
    }
    free(forest->trees);
    free(forest->base_margin);
    free(forest->round_first);
    free(forest->linear);
    free(forest);
}

/* Room for n nodes; new ones are leaves of value 0. */
static void resize(bl_tree *tree, uint32_t n)
{
    tree->left = more(tree->left, n, sizeof *tree->left);
    tree->right = more(tree->right, n, sizeof *tree->right);
    tree->feature = more(tree->feature, n, sizeof *tree->feature);
    tree->threshold = more(tree->threshold, n, sizeof *tree->threshold);
    tree->default_left = more(tree->default_left, n, sizeof *tree->default_left);
    tree->cover = more(tree->cover, n, sizeof *tree->cover);
    tree->gain = more(tree->gain, n, sizeof *tree->gain);
    tree->cat_first = more(tree->cat_first, n, sizeof *tree->cat_first);
    tree->cat_words = more(tree->cat_words, n, sizeof *tree->cat_words);
    tree->cat_bits = more(tree->cat_bits, n, sizeof *tree->cat_bits);
    tree->leaf = more(tree->leaf, (size_t)n * tree->n_values, sizeof *tree->leaf);
    for (uint32_t i = tree->n_nodes; i < n; i++) {
        tree->left[i] = tree->right[i] = -1;
        tree->feature[i] = 0;
        tree->threshold[i] = tree->gain[i] = 0;
        tree->cover[i] = 1;
        tree->default_left[i] = 0;
        tree->cat_first[i] = i; /* one word a node, whether used or not */
        tree->cat_words[i] = 0;
        tree->cat_bits[i] = 0;
        memset(tree->leaf + (size_t)i * tree->n_values, 0,
               tree->n_values * sizeof(float));
    }
    tree->n_nodes = n;
}

bl_tree *oracle_add_tree(bl_forest *forest, uint32_t output, uint32_t n_values)
{
    size_t n = forest->n_trees;
    forest->trees = more(forest->trees, n + 1, sizeof *forest->trees);
    forest->round_first = more(forest->round_first, n + 2, sizeof(uint32_t));
    forest->round_first[n + 1] = (uint32_t)n + 1;
    forest->trees[n] = (bl_tree){.n_values = n_values, .output = output, .weight = 1};
    forest->n_trees = forest->n_rounds = n + 1;
    forest->vector_leaf = n_values > 1;
    resize(forest->trees + n, 1);
    forest->trees[n].n_leaves = 1;
    return forest->trees + n;
}

uint32_t oracle_split(bl_tree *tree, uint32_t node, uint32_t feature, float threshold,
                      float left_cover, float right_cover)
{
    uint32_t left = tree->n_nodes;
    resize(tree, left + 2);
    tree->left[node] = (int32_t)left;
    tree->right[node] = (int32_t)left + 1;
    tree->feature[node] = feature;
    tree->threshold[node] = threshold;
    tree->cover[left] = left_cover;
    tree->cover[left + 1] = right_cover;
    return left;
}

void oracle_make_categorical(bl_tree *tree, uint32_t node, uint32_t set)
{
    tree->cat_words[node] = 1;
    tree->cat_bits[tree->cat_first[node]] = set;
}

static uint32_t depth_below(const bl_tree *tree, uint32_t node)
{
    if (tree->left[node] < 0)
        return 0;
    uint32_t left = depth_below(tree, (uint32_t)tree->left[node]);
    uint32_t right = depth_below(tree, (uint32_t)tree->right[node]);
    return 1 + (left > right ? left : right);
}

void oracle_finish_tree(bl_tree *tree)
{
    tree->n_leaves = tree->n_nodes / 2 + 1;
    tree->depth = depth_below(tree, 0);
}

double oracle_uniform(bl_rng *rng)
{
    return (double)(bli_rng_next(rng) >> 11) * 0x1p-53;
}

static bool chance(bl_rng *rng, unsigned percent)
{
    return bli_rng_below(rng, 100) < percent;
}

static double draw_share(const oracle_shape *shape, bl_rng *rng)
{
    if (chance(rng, shape->zero_cover))
        return chance(rng, 50) ? 0 : 1;
    double share = oracle_uniform(rng);
    if (shape->extreme_cover && chance(rng, 50)) {
        double tiny = pow(10, -12 * oracle_uniform(rng));
        share = chance(rng, 50) ? tiny : 1 - tiny;
    }
    return share;
}

void oracle_grow(bl_tree *tree, const oracle_shape *shape, bl_rng *rng)
{
    /* Leaves that may be split, with their levels. */
    uint32_t *open = more(NULL, shape->n_splits + 1, sizeof *open);
    uint32_t *level = more(NULL, shape->n_splits + 1, sizeof *level);
    uint32_t n_open = 1;
    open[0] = level[0] = 0;
    tree->cover[0] = shape->extreme_cover ? 1e9F : 1000;
    for (uint32_t s = 0; s < shape->n_splits; s++) {
        uint32_t at = shape->chain ? n_open - 1 : (uint32_t)bli_rng_below(rng, n_open);
        uint32_t node = open[at], its_level = level[at];
        uint32_t feature = shape->distinct
                               ? its_level % shape->n_features
                               : (uint32_t)bli_rng_below(rng, shape->n_features);
        double cover = (double)tree->cover[node], left = cover * draw_share(shape, rng);
        if (chance(rng, shape->zero_cover / 4))
            left = cover = 0; /* both children, as a refreshed tree may have */
        uint32_t child = oracle_split(tree, node, feature, (float)bli_rng_below(rng, 4),
                                      (float)left, (float)(cover - left));
        tree->default_left[node] = chance(rng, 50);
        if (chance(rng, shape->categorical))
            oracle_make_categorical(tree, node, (uint32_t)bli_rng_next(rng) & 0x1f);
        bool turn = chance(rng, 50);
        open[at] = child + turn;
        level[at] = its_level + 1;
        if (!shape->chain) {
            open[n_open] = child + !turn;
            level[n_open++] = its_level + 1;
        }
    }
    for (size_t i = 0; i < (size_t)tree->n_nodes * tree->n_values; i++)
        tree->leaf[i] = (float)((oracle_uniform(rng) - 0.5) * (double)shape->leaf_scale);
    free(open);
    free(level);
    oracle_finish_tree(tree);
}

void oracle_row(float *row, size_t n_features, unsigned missing, bool hostile,
                bl_rng *rng)
{
    static const float odd[] = {-1, -0.0F, 31, 32, 16777216, 3e9F, 1e-40F, -1e-40F};
    for (size_t f = 0; f < n_features; f++) {
        row[f] = (float)bli_rng_below(rng, 5) - (chance(rng, 30) ? 0.5F : 0);
        if (chance(rng, 5))
            row[f] = odd[bli_rng_below(rng, 8)];
        if (hostile && chance(rng, 10))
            row[f] = chance(rng, 50) ? INFINITY : -INFINITY;
        if (chance(rng, missing))
            row[f] = NAN;
    }
}

uint64_t oracle_seed(uint64_t otherwise)
{
    const char *text = getenv("BL_TEST_SEED");
    uint64_t seed = text ? strtoull(text, NULL, 10) : otherwise;
    printf("seed %llu (BL_TEST_SEED sets another)\n", (unsigned long long)seed);
    return seed;
}

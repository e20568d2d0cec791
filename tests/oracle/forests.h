/* SPDX-License-Identifier: Apache-2.0 */
/* Forests and rows made by hand or drawn at random, for tests of what walks them. */
#ifndef BL_TESTS_ORACLE_FORESTS_H
#define BL_TESTS_ORACLE_FORESTS_H

#include "base/rng.h"
#include "model/model.h"

/* Aborts the test program where memory is short. Free: oracle_forest_free. */
bl_forest *oracle_forest_new(size_t n_features, size_t n_outputs);
void oracle_forest_free(bl_forest *forest);

/* A new tree of one round, of one leaf with value 0 and cover 1; n_values 1 or n_outputs.
 * Valid until the next tree is added. */
bl_tree *oracle_add_tree(bl_forest *forest, uint32_t output, uint32_t n_values);

/* Turns leaf `node` into a split; its children are returned by ret_left, ret_left + 1. */
uint32_t oracle_split(bl_tree *tree, uint32_t node, uint32_t feature, float threshold,
                      float left_cover, float right_cover);
/* The set of categories that go right, as one word. */
void oracle_make_categorical(bl_tree *tree, uint32_t node, uint32_t set);
/* Counts leaves and depth. */
void oracle_finish_tree(bl_tree *tree);

typedef struct oracle_shape {
    uint32_t n_splits;
    uint32_t n_features;  /* drawn from [0, n_features) */
    bool chain;           /* every split but one side is a leaf */
    bool distinct;        /* split k of a path tests feature (level mod n_features) */
    unsigned categorical; /* percent of splits */
    unsigned zero_cover;  /* percent of splits with a child that nothing reached */
    bool extreme_cover;   /* shares from 1e-12 on */
    float leaf_scale;
} oracle_shape;

void oracle_grow(bl_tree *tree, const oracle_shape *shape, bl_rng *rng);

/* Cells on and off the thresholds, categories in and out of range, missing in `missing`
 * percent of the cells; infinities too where `hostile`. */
void oracle_row(float *row, size_t n_features, unsigned missing, bool hostile,
                bl_rng *rng);

double oracle_uniform(bl_rng *rng); /* [0, 1) */

/* Seed of a random test: BL_TEST_SEED, else `otherwise`; prints it. */
uint64_t oracle_seed(uint64_t otherwise);

#endif

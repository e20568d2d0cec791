/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHAP values of many rows at a time: rows in lanes, trees as linear programs. kernels/README.md
 * derives the arithmetic; src/explain/program.c writes the programs.
 *
 * A block of up to `stride` rows lies in columns of `stride` floats: one a used feature, twice
 * where cells are missing (NaN replaced by -infinity, and by +infinity, so that a split picks the
 * plane that sends a missing cell its default way), then a column of 0 and 1 for each split that
 * is no plain comparison. phi has a column a used feature.
 *
 * The variants with fused multiply-adds (every one but "portable") give equal bits; "portable"
 * rounds twice where they round once, and is bound by the same error against the referee.
 */
#ifndef BL_KERNELS_LANES_H
#define BL_KERNELS_LANES_H

#include "kernels/kernels.h"

/* Points that one program carries; a tree that needs more has several. */
#define BLK_MAX_POINTS 8

/* Alignment of every buffer, and the multiple of `stride` in rows. */
#define BLK_ALIGN  64
#define BLK_STRIDE 32
/* Floats of a slot where the block is one row. */
#define BLK_ROW_SLOT 8

/* --- Programs ----------------------------------------------------------------------- */

/*
 * Operations, one after the other in memory, each a blk_op and the constants it is said to need.
 * Slots hold C on the way down and H on the way up: [points][rows] each. A split has a first and
 * a second child, either of which may be the left one: its constants say.
 */
typedef enum blk_code {
    BLK_END,
    BLK_LEAF,     /* slot out = value; blk_leaf_constant */
    BLK_DOWN,     /* C in -> C of first child, C of second child; split */
    BLK_UP,       /* H first, H second, C in -> H out; split */
    BLK_DOWN_ONE, /* the same with a leaf for a second child; split */
    BLK_UP_ONE,   /* split */
    BLK_PAIR,     /* a split with two leaves: C in -> H out; bottom */
    BLK_LEANING,  /* a split with a PAIR and a leaf; split, bottom */
    BLK_FOUR,     /* a split with two PAIRs; split, bottom, bottom */
    BLK_EIGHT /* a split with two FOURs; split, then split, bottom, bottom of either */
} blk_code;

typedef struct blk_op {
    uint32_t code;
    uint32_t
        repeats; /* which parts meet repeated features: a blk_repeat for each split follows
                         where any does. Bit 0: the top split (PAIR: all), bit 1: the rest
                         (EIGHT: its first FOUR), bit 2: the second FOUR */
    uint32_t in, out, first, second; /* slots */
    uint32_t level;                  /* column for d, of DOWN and UP */
    uint32_t bytes;                  /* to the next operation */
} blk_op;

/* The columns of x, by plane: [0] where no cell of the block is missing. */
typedef struct blk_lane_split {
    uint32_t x[2], phi;
    float threshold;
    float share;           /* z of the first child */
    float d_left, d_right; /* [first] - z where x < threshold, and where not */
    float fixed; /* what the point t = 0 adds to the sum of C (H first - H second) */
    float step;  /* FOUR, LEANING: mean of the first child less that of the second */
} blk_lane_split;

typedef struct blk_lane_bottom {
    uint32_t x[2], phi;
    float threshold;
    float e_left, e_right; /* d (value of the first leaf - that of the second) */
    float mean;            /* H_k = mean + t_k e */
    float fixed;           /* what t = 0 adds to the sum of C */
} blk_lane_bottom;

/* For a split on a feature met before, or met again below. active: column of activity of its
 * feature, 0 where it is new; own: two columns written, of the rows still active that go left and
 * of those that go right. */
typedef struct blk_repeat {
    uint32_t active, own;
    float c[2 * BLK_MAX_POINTS]; /* tau_k [points], then weights of C [points], no gap */
} blk_repeat;

typedef struct blk_leaf_constant {
    float value;
} blk_leaf_constant;

typedef struct blk_program {
    const char *code; /* operations to BLK_END */
    uint32_t n_points;
    const float *t, *w; /* [n_points]; programs of one rule share them */
} blk_program;

/*
 * Which leaf each row ends in, by a walk of its own that shares nothing with SHAP's: from the
 * bottom up, each split picks one of what its children picked. Any 32 bits travel.
 */
typedef enum blk_pick_code {
    BLK_PICK_END,
    BLK_PICK_PAIR,  /* value[0] where x < threshold, else value[1] */
    BLK_PICK_EIGHT, /* seven splits, heap order, over value[0..8) */
    BLK_PICK_SLOTS, /* slot `out` or slot `other` */
    BLK_PICK_LEFT,  /* value[0] on the left, slot `out` on the right */
    BLK_PICK_RIGHT  /* slot `out` on the left, value[0] on the right */
} blk_pick_code;

typedef struct blk_pick {
    uint32_t code, out, other;
    uint32_t bytes; /* to the next one */
    float value[8];
    struct {
        uint32_t x[2];
        float threshold;
    } split[7];
} blk_pick;

/* The same for trees that cost more to pick from than to walk down. Nodes in an order in which a
 * right child follows its left sibling; a leaf has threshold -infinity, which no cell is below, and
 * for `left` its own number less one, so that walking on stays there. */
typedef struct blk_walk_node {
    float threshold;
    uint32_t x[2], left;
} blk_walk_node;

typedef struct blk_walk_tree {
    uint32_t depth; /* at least 1 */
    const blk_walk_node *nodes;
    const float *value; /* of each node; only leaves' are used */
} blk_walk_tree;

/* --- One block ---------------------------------------------------------------------- */

typedef struct blk_lanes_block {
    float *x;     /* columns */
    float *phi;   /* columns, added to */
    float *slots; /* [n_slots][BLK_MAX_POINTS * stride + BLK_STRIDE] */
    float *d;     /* [levels] columns */
    char *
        activity; /* [1 + 2 levels] columns of 4 bytes a row; column 0 is written by start */
    size_t stride;     /* rows a column holds: a multiple of BLK_STRIDE */
    size_t n_rows;     /* in use; the rest of the last step repeats the last row */
    uint32_t plane;    /* 1: some cell is missing */
    const float *root; /* the weights that slot 0 holds now; NULL at first */
} blk_lanes_block;

/* One instruction set. All functions are pure but for their outputs; buffers are aligned to
 * BLK_ALIGN and do not overlap. */
typedef struct blk_lanes {
    const char *name;
    unsigned cpu; /* flags it needs, see blk_cpu */
    size_t step;  /* rows that go together; divides BLK_STRIDE */

    /* Rows [n_rows][row_stride] to columns of the features `used`; both planes, and 1 returned,
     * where some cell is NaN. Sets up activity column 0. EXACT. */
    uint32_t (*start)(const blk_lanes_block *block, const float *rows, size_t row_stride,
                      const uint32_t *used, size_t n_used);
    /* Adds the values of one program to phi. Cells may be infinite, not NaN. */
    void (*shap)(blk_lanes_block *block, const blk_program *program);
    /* The same, same bits, for a block of one row whose columns hold one cell: stride 1, slots
     * [n_slots][BLK_ROW_SLOT], start not called: x and activity column 0 (all ones) are the
     * caller's. NULL: this variant has none. */
    void (*row)(blk_lanes_block *block, const blk_program *program);
    /* One tree: leaf [n_rows, padded to step] = what each row's picks end in. Uses the slots. */
    void (*pick)(const blk_lanes_block *block, const char *picks, float *leaf);
    /* margin += leaf * weight in float32, exact += the same in double; columns of n_rows. EXACT,
     * and the additions of XGBoost's predictor. */
    void (*add_leaves)(size_t n_rows, const float *leaf, float weight, float *margin,
                       double *exact);
    /* The float32 half of add_leaves; both columns are padded to step. EXACT. */
    void (*add_margins)(size_t n_rows, const float *leaf, float weight, float *margin);
    /* Adds phi [n_used] columns to sums, columns of doubles, and clears it. EXACT. */
    void (*flush)(const blk_lanes_block *block, size_t n_used, double *sums);
} blk_lanes;

/* leaf [n_rows, padded to 8]: where each row's walk ends. Columns of block->x as for pick; the
 * padding may hold anything. Any processor. EXACT. */
void blk_walk(const blk_lanes_block *block, const blk_walk_tree *tree, float *leaf);

/* Flags of the processor this runs on that the operating system lets us use. */
#define BLK_CPU_AVX2   1u /* AVX2 and FMA */
#define BLK_CPU_AVX512 2u /* AVX-512 F, DQ, BW, VL */
#define BLK_CPU_NEON   4u
#define BLK_CPU_FMAF   8u /* no instruction set: asks for the fmaf reference */
unsigned blk_cpu(void);

/* The best variant that needs no other flag than these; never NULL. */
const blk_lanes *blk_lanes_for(unsigned cpu);
/* All variants of this build, weakest first, for tests; the list ends with NULL. Variants whose
 * flags blk_cpu() lacks must not be called. */
const blk_lanes *const *blk_lanes_all(void);

#endif

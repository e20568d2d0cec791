/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a training leaves checkpoints, and what one must agree with to be gone on from.
 *
 * A checkpoint is one file, xgboost-checkpoint.<n>, n = the 0-based number of the last
 * finished round as printed. It holds the serialized booster, the evaluation history and
 * the state of early stopping, so that a training that goes on from it ends in the bytes
 * of one that was never interrupted. No row of data is in it. The format is described in
 * checkpoint_format.c.
 */
#ifndef BL_TRAIN_CHECKPOINT_H
#define BL_TRAIN_CHECKPOINT_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Something that has to be equal: "channel train" and a digest, "eta" and "0.3". */
typedef struct bl_checkpoint_item {
    const char *name;
    const char *value;
} bl_checkpoint_item;

typedef struct bl_checkpoints {
    const char *folder;   /* of this training; made when its first file is written */
    const char *job_name; /* NULL: none */
    size_t n_items;
    const bl_checkpoint_item *items;
    int64_t keep;     /* own files kept, at least 1 */
    double seconds;   /* least time between two */
    double factor;    /* and at least so many times what the last one cost */
    bool use_foreign; /* go on from a file that is not ours */
} bl_checkpoints;

/* The interval is never less than this many times the last one's cost: at most 2 % of
 * the time goes into them, however large the model. */
#define BL_CHECKPOINT_FACTOR 50

#endif

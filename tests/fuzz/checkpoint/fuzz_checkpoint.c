/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as a checkpoint: as they are, and once more with a digest that is right, so that what lies
 * behind it is reached too. What is taken for one is compared with a place, written again, and must
 * then be the same bytes.
 */
#include "base/digest.h"
#include "train/checkpoint_priv.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void encode_again(const bl_ckpt *ckpt)
{
    bl_buf file = {0};
    bl_ckpt again;
    bl_ckpt_kind kind;
    char why[BL_CKPT_WHY], differs[BL_ERR_BYTES];
    const bl_checkpoints place = {
        .job_name = ckpt->job_name, .n_items = ckpt->n_items, .items = ckpt->items};
    must(bli_ckpt_encode(ckpt, &file, NULL) == BL_OK);
    bli_buf_add(&file, ckpt->booster, ckpt->n_booster);
    bli_buf_add(&file, ckpt->best_model, ckpt->n_best_model);
    must(bli_ckpt_decode(&file, &again, &kind, why, NULL) == BL_OK &&
         kind == BL_CKPT_OURS);
    must(again.n_booster == ckpt->n_booster && again.n_rounds == ckpt->n_rounds &&
         again.n_items == ckpt->n_items && again.n_metrics == ckpt->n_metrics);
    must(memcmp(again.booster, ckpt->booster, ckpt->n_booster) == 0);
    must(!bli_ckpt_differs(&again, &place, again.num_round, differs));
    bli_ckpt_done(&again);
}

static void try_bytes(const uint8_t *data, size_t size, bool mend)
{
    enum { DIGEST_AT = 56 };
    static const bl_checkpoint_item items[] = {{"channel train", "0123"}, {"eta", "0.3"}};
    const bl_checkpoints place = {.job_name = "job", .n_items = 2, .items = items};
    bl_buf bytes = {0};
    bl_ckpt ckpt;
    bl_ckpt_kind kind;
    char why[BL_CKPT_WHY] = "", differs[BL_ERR_BYTES];
    bli_buf_add(&bytes, data, size);
    bli_buf_text(&bytes, "");
    if (mend && size >= BL_CKPT_HEADER) {
        bl_digest *digest;
        char hex[BL_DIGEST_TEXT];
        must(bli_digest_new(&digest, NULL) == BL_OK);
        bli_digest_add(digest, bytes.data, DIGEST_AT);
        bli_digest_add(digest, bytes.data + BL_CKPT_HEADER, size - BL_CKPT_HEADER);
        must(bli_digest_end(digest, hex, NULL) == BL_OK);
        bli_digest_free(digest);
        memcpy(bytes.data + DIGEST_AT, hex, BL_DIGEST_TEXT - 1);
    }
    must(bli_ckpt_decode(&bytes, &ckpt, &kind, why, NULL) == BL_OK && !bytes.data);
    if (kind != BL_CKPT_OURS) {
        must(why[0] != '\0');
        return;
    }
    if (bli_ckpt_differs(&ckpt, &place, 10, differs))
        must(differs[0] != '\0');
    bli_ckpt_same_name(&ckpt, &place);
    encode_again(&ckpt);
    bli_ckpt_done(&ckpt);
}

/* The start of a file alone, as it is looked at before one is deleted. */
static void try_front(const uint8_t *data, size_t size)
{
    bl_buf front = {0};
    bl_ckpt ckpt;
    bl_ckpt_kind kind;
    uint64_t n =
        size >= BL_CKPT_HEADER ? bli_ckpt_front_bytes((const char *)data, size) : 0;
    must(n <= size);
    bli_buf_add(&front, data, n ? (size_t)n : size);
    must(bli_ckpt_decode_state(&front, &ckpt, &kind, NULL) == BL_OK);
    if (kind == BL_CKPT_OURS)
        bli_ckpt_done(&ckpt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_bytes(data, size, false);
    try_bytes(data, size, true);
    try_front(data, size);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which checkpoint a training goes on from, and what is said of those it does not. */
#include "train/checkpoint_priv.h"

#include "train/train_priv.h"

#include <inttypes.h>
#include <string.h>

/* One file of the folder. *ret_resume stays NOTHING where it is passed over, and why has been
 * said. */
static bl_status try_file(const bl_checkpoints *place, const bl_ckpt_file *file,
                          const char *xgboost, int64_t num_round, const bl_log *log,
                          bl_resume *ret_resume, bl_ckpt *ret_ckpt, bl_err *err)
{
    bl_ckpt_kind kind;
    bl_ckpt ckpt = {0};
    char why[BL_CKPT_WHY], differs[BL_ERR_BYTES];
    bl_err reading = {0};
    bl_status st = bli_ckpt_read(place->folder, file->name, &ckpt, &kind, why, &reading);
    if (st == BL_E_NOMEM)
        return bli_fail(err, st, "%s", reading.msg);
    if (st != BL_OK) {
        bli_log(log, BL_WARNING, BL_STAGE, "checkpoint %s is passed over: %s", file->name,
                reading.msg);
        return BL_OK;
    }
    if (kind == BL_CKPT_FOREIGN) {
        if (place->use_foreign)
            *ret_resume = BL_RESUME_FOREIGN;
        else
            bli_log(log, BL_NOTE, BL_STAGE,
                    "checkpoint %s is left alone: %s, so there is nothing to compare "
                    "(bl_checkpoint_foreign=use goes on from it)",
                    file->name, why);
        return BL_OK;
    }
    if (kind != BL_CKPT_OURS) {
        bli_log(log, BL_WARNING, BL_STAGE, "checkpoint %s is passed over: %s", file->name,
                why);
        return BL_OK;
    }
    if (strcmp(ckpt.xgboost, xgboost) != 0) {
        bli_log(log, BL_WARNING, BL_STAGE,
                "checkpoint %s is passed over: XGBoost %.20s wrote it, this is %s, and a "
                "training goes on only within one version",
                file->name, ckpt.xgboost, xgboost);
    } else if (!bli_ckpt_differs(&ckpt, place, num_round, differs)) {
        *ret_resume = BL_RESUME_OURS;
        *ret_ckpt = ckpt;
        return BL_OK;
    } else if (bli_ckpt_same_name(&ckpt, place)) {
        st = bli_fail(
            err, BL_E_CONFIG,
            "checkpoint %s is of this job, but %.400s: give back what it had, or "
            "another checkpoint place (or an emptied one) to start anew",
            file->name, differs);
    } else {
        bli_log(log, BL_WARNING, BL_STAGE,
                "checkpoint %s is passed over and kept: it is of job '%.100s', and %s",
                file->name, ckpt.job_name, differs);
    }
    bli_ckpt_done(&ckpt);
    return st;
}

bl_status bli_ckpt_find(const bl_checkpoints *place, const char *xgboost,
                        int64_t num_round, const bl_log *log, bl_resume *ret_resume,
                        bl_ckpt *ret_ckpt, bl_buf *ret_foreign, bl_err *err)
{
    bl_ckpt_files files = {0};
    bl_resume resume = BL_RESUME_NOTHING;
    bli_ckpt_sweep(place->folder);
    bl_status st = bli_ckpt_list(place->folder, &files, err);
    for (size_t i = 0; st == BL_OK && i < files.n && resume == BL_RESUME_NOTHING; i++) {
        st = try_file(place, &files.file[i], xgboost, num_round, log, &resume, ret_ckpt,
                      err);
        if (st == BL_OK && resume == BL_RESUME_FOREIGN) {
            st = bli_ckpt_bytes(place->folder, files.file[i].name, ret_foreign, err);
            if (st == BL_OK)
                bli_log(log, BL_WARNING, BL_STAGE,
                        "going on from checkpoint %s, which boostlens did not write: "
                        "nothing tells whether it is of this job, and the result is not "
                        "bit for bit that of a job never interrupted",
                        files.file[i].name);
        }
        if (st == BL_OK && resume == BL_RESUME_OURS)
            bli_log(log, BL_INFO, BL_STAGE, "going on from checkpoint %s%s%s",
                    files.file[i].name, ret_ckpt->job_name ? " of job " : "",
                    ret_ckpt->job_name ? ret_ckpt->job_name : "");
    }
    bli_ckpt_files_done(&files);
    if (st != BL_OK) {
        if (resume == BL_RESUME_OURS)
            bli_ckpt_done(ret_ckpt);
        return st;
    }
    *ret_resume = resume;
    return BL_OK;
}

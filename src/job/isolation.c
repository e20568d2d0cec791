/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox of a job and the evidence about its volumes: which places a job has, and when. */
#include "job/job_priv.h"

#include "base/fs.h"
#include "isolate/isolate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* root, channels, config, model, output, checkpoints, /tmp */
enum { MAX_PLACES = BL_N_CHANNELS + 6 };

typedef struct places {
    bl_place place[MAX_PLACES];
    size_t n;
    char *output_dir;
} places;

/* A path below the root without it; others as they are. */
static const char *relative(const bl_job *job, const char *path)
{
    size_t n = strlen(job->root);
    while (n > 0 && job->root[n - 1] == '/')
        n--;
    return strncmp(path, job->root, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static void add_place(places *p, const bl_job *job, const char *path, bool write)
{
    if (path && p->n < MAX_PLACES)
        p->place[p->n++] = (bl_place){path, relative(job, path), write};
}

/* Every volume the job reads from or writes to, and what can be told of each. */
static bl_status look_at_volumes(const bl_job *job, places *p, bl_volumes *volumes,
                                 bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < p->n; i++)
        if (p->place[i].path != job->root)
            st = bli_volumes_add(volumes, "", p->place[i].path, p->place[i].name, err);
    return st;
}

/* Does the folder hold the job's root? Rules add up: what may be written above may be written below. */
static bool holds_root(const bl_job *job, const char *folder)
{
    char *root = realpath(job->root, NULL), *real = realpath(folder, NULL);
    size_t n = real ? strlen(real) : 0;
    bool holds = root && real && strncmp(root, real, n) == 0 &&
                 (root[n] == '/' || root[n] == '\0');
    free(root);
    free(real);
    return holds;
}

/* /tmp is for libraries that want scratch. This version writes nothing there; where the volume is
 * not what the job asks for, or the job itself lies there, nothing can. */
static bl_status add_scratch(places *p, const bl_job *job, bl_volumes *volumes,
                             bl_encryption needed, bl_err *err)
{
    bl_volumes scratch = {0};
    if (holds_root(job, "/tmp"))
        return BL_OK;
    bl_status st = bli_volumes_add(&scratch, "", "/tmp", "/tmp", err);
    if (st == BL_OK && bli_volumes_require(&scratch, needed, NULL) == BL_OK) {
        add_place(p, job, "/tmp", true);
        st = bli_volumes_add(volumes, "", "/tmp", "/tmp", err);
    }
    bli_volumes_done(&scratch);
    return st;
}

static bl_status collect(const bl_job *job, places *p, bl_err *err)
{
    bl_status st = bli_path_join(job->root, "output", &p->output_dir, err);
    if (st != BL_OK)
        return st;
    add_place(p, job, job->root, false);
    p->place[0].name = ".";
    for (size_t i = 0; i < BL_N_CHANNELS; i++)
        if (job->channels[i].present)
            add_place(p, job, job->channels[i].path, false);
    add_place(p, job, job->model_dir, true);
    add_place(p, job, p->output_dir, true);
    add_place(p, job, job->checkpoint_dir, true);
    return BL_OK;
}

static bl_status write_report(const bl_job *job, const bl_sandbox *sandbox,
                              const places *p, const bl_volumes *volumes,
                              const char *required, bl_err *err)
{
    bl_buf text = {0};
    char *path = NULL;
    bl_status st =
        bli_isolation_write(sandbox, p->place, p->n, volumes, required, &text, err);
    if (st == BL_OK)
        st = bli_output_data_path(job, "isolation.json", &path, err);
    if (st == BL_OK)
        st = bli_write_file(path, 0600, text.data, text.n, err);
    free(path);
    bli_buf_done(&text);
    return st;
}

/* One line for each level, so that a job with five channels on one volume has one line. */
static void say_volumes(const bl_log *log, const bl_volumes *volumes)
{
    for (size_t i = 0; i < volumes->n; i++) {
        const bl_volume *v = &volumes->volume[i];
        char names[512] = "";
        bool said = false;
        for (size_t j = 0; j < volumes->n; j++) {
            const bl_volume *other = &volumes->volume[j];
            if (other->level != v->level || strcmp(other->evidence, v->evidence) != 0)
                continue;
            said |= j < i;
            size_t n = strlen(names);
            snprintf(names + n, sizeof names - n, "%s%s", n ? ", " : "", other->name);
        }
        if (!said)
            bli_log(log, BL_INFO, "encryption", "%s: %s (%s)",
                    bli_encryption_name(v->level), names, v->evidence);
    }
}

static bl_isolation wanted_isolation(const bl_job *job)
{
    const char *text = bli_job_param(job, "bl_isolation");
    if (text && strcmp(text, "required") == 0)
        return BL_ISOLATION_REQUIRED;
    return text && strcmp(text, "off") == 0 ? BL_ISOLATION_OFF : BL_ISOLATION_AUTO;
}

bl_status bli_check_isolate(const bl_job *job, bl_err *err)
{
    places p = {.n = 0};
    bl_sandbox sandbox;
    add_place(&p, job, job->root, false);
    for (size_t i = 0; i < BL_N_CHANNELS; i++)
        if (job->channels[i].present)
            add_place(&p, job, job->channels[i].path, false);
    return bli_sandbox_enter(wanted_isolation(job), p.place, p.n, &sandbox, err);
}

static void say_sandbox(const bl_log *log, const bl_sandbox *sandbox)
{
    char text[512];
    bool whole = sandbox->landlock && sandbox->seccomp && sandbox->no_core_dumps;
    bli_sandbox_say(sandbox, text, sizeof text);
    bli_log(log, whole || sandbox->wanted == BL_ISOLATION_OFF ? BL_INFO : BL_NOTE,
            "isolation", "%s", text);
}

bl_status bli_stage_isolate(const bl_stages *stages, bl_err *err)
{
    const bl_job *job = stages->job;
    const char *required = bli_job_param(job, "bl_require_encryption");
    bl_encryption needed = BL_NOT_ENCRYPTED;
    if (required && required[0])
        needed = strcmp(required, "proven") == 0 ? BL_PROVEN : BL_ASSERTED;
    else
        required = NULL;
    places p = {.n = 0};
    bl_volumes volumes = {0};
    bl_sandbox sandbox = {0};
    bl_err refusal = {0};
    bl_status refused = BL_OK;
    bl_status st = collect(job, &p, err);
    if (st == BL_OK)
        st = look_at_volumes(job, &p, &volumes, err);
    if (st == BL_OK)
        st = add_scratch(&p, job, &volumes, needed, err);
    if (st == BL_OK) {
        refused =
            bli_sandbox_enter(wanted_isolation(job), p.place, p.n, &sandbox, &refusal);
        if (refused == BL_OK)
            refused = bli_volumes_require(&volumes, needed, &refusal);
        say_sandbox(stages->log, &sandbox);
        say_volumes(stages->log, &volumes);
        /* Also where the job is refused: the evidence is what its owner needs then. */
        st = write_report(job, &sandbox, &p, &volumes, required, err);
    }
    if (st == BL_OK && refused != BL_OK) {
        if (err)
            *err = refusal;
        st = refused;
    }
    bli_volumes_done(&volumes);
    free(p.output_dir);
    return st;
}

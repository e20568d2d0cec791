/* SPDX-License-Identifier: Apache-2.0 */
/* train and check: the job, and what it leaves when it fails. */
#include "cmd.h"

#include "base/fs.h"
#include "contract/contract.h"
#include "job/job.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* SageMaker kills 120 s after SIGTERM: so many are left for a model of what there is. */
enum { GIVE_UP_SECONDS = 90 };

bool cmd_root(int argc, char **argv, const char **ret_root)
{
    const char *root = getenv("SAGEMAKER_BASE_DIR");
    if (!root || !root[0])
        root = "/opt/ml";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--root") == 0 && i + 1 < argc && argv[i + 1][0]) {
            root = argv[++i];
        } else {
            fprintf(stderr,
                    "boostlens %s: '%s' is no option here; usage: %s [--root DIR]\n",
                    argv[0], argv[i], argv[0]);
            return false;
        }
    }
    *ret_root = root;
    return true;
}

/* What the callbacks of a job share. */
typedef struct told {
    char *failure_path;
    bool stdout_lost; /* said once */
} told;

static void metric_line(void *cookie, const char *line)
{
    told *t = cookie;
    console_clear();
    errno = 0;
    fputs(line, stdout);
    /* One line at a time: metric collectors match lines as they come. */
    if (fflush(stdout) != 0 && !t->stdout_lost) {
        t->stdout_lost = true;
        bli_log(
            console_log(), BL_WARNING, "train",
            "stdout takes no more metric lines (%s); the job goes on, and metrics.json "
            "will have them",
            strerror(errno));
    }
    clearerr(stdout);
}

/* The failure file: the cause first, at most 1,024 bytes (FailureReason shows no more).
 */
static void write_failure(const char *path, const char *sentence)
{
    bl_err err = {0};
    char *folder = strdup(path);
    char *slash = folder ? strrchr(folder, '/') : NULL;
    if (slash) {
        *slash = '\0';
        bli_make_folder(folder, 0700, NULL);
    }
    free(folder);
    char text[1024];
    size_t n = strlen(sentence);
    if (n > sizeof text - 1)
        n = sizeof text - 1;
    memcpy(text, sentence, n);
    text[n++] = '\n';
    if (bli_write_file(path, 0600, text, n, &err) != BL_OK)
        fprintf(stderr, "boostlens: the failure file could not be written: %s\n",
                err.msg);
}

static void tell_failure(const char *path, const char *sentence)
{
    console_clear();
    bli_log(console_log(), BL_ERROR, "train", "%s", sentence);
    if (path)
        write_failure(path, sentence);
}

/* The round that is given up still runs in another thread: no clean-up, straight out. */
static void gave_up(void *cookie, bl_status status, const char *sentence)
{
    if (status == BL_OK)
        bli_log(console_log(), BL_WARNING, "stop", "%s", sentence);
    else
        tell_failure(((told *)cookie)->failure_path, sentence);
    _exit(bli_status_exit_code(status));
}

int cmd_train(int argc, char **argv)
{
    const char *root;
    if (!cmd_root(argc, argv, &root))
        return EXIT_USAGE;
    bl_err err = {0};
    told t = {0};
    bl_status st = bli_failure_path(root, &t.failure_path, &err);
    if (st == BL_OK) {
        unlink(t.failure_path); /* of an earlier run in the same folder */
        crash_install(t.failure_path);
        trap_install(t.failure_path);
        const bl_run run = {.root = root,
                            .log = console_log(),
                            .metric_line = metric_line,
                            .cookie = &t,
                            .stop = stop_install(),
                            .give_up_seconds = GIVE_UP_SECONDS,
                            .gave_up = gave_up};
        st = bli_job_train(&run, &err);
    }
    console_clear();
    if (st != BL_OK)
        tell_failure(t.failure_path, err.msg);
    free(t.failure_path);
    return bli_status_exit_code(st);
}

int cmd_check(int argc, char **argv)
{
    const char *root;
    if (!cmd_root(argc, argv, &root))
        return EXIT_USAGE;
    bl_err err = {0};
    const bl_run run = {.root = root, .log = console_log(), .stop = stop_install()};
    trap_install(NULL);
    bl_status st = bli_job_check(&run, &err);
    if (st != BL_OK)
        bli_log(console_log(), BL_ERROR, "check", "%s", err.msg);
    else
        fputs("the job's configuration and first lines are right\n", stderr);
    return bli_status_exit_code(st);
}

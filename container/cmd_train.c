/* SPDX-License-Identifier: Apache-2.0 */
/* train and check: the job, and what it leaves when it fails. */
#include "cmd.h"

#include "base/fs.h"
#include "contract/contract.h"
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static void metric_line(void *cookie, const char *line)
{
    (void)cookie;
    console_clear();
    fputs(line, stdout);
    fflush(stdout); /* one line at a time: metric collectors match lines as they come */
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

int cmd_train(int argc, char **argv)
{
    const char *root;
    if (!cmd_root(argc, argv, &root))
        return EXIT_USAGE;
    bl_err err = {0};
    char *failure_path = NULL;
    bl_status st = bli_failure_path(root, &failure_path, &err);
    if (st == BL_OK) {
        unlink(failure_path); /* of an earlier run in the same folder */
        trap_install(failure_path);
        const bl_run run = {.root = root,
                            .log = console_log(),
                            .metric_line = metric_line,
                            .trained = stop_disarm,
                            .stop = stop_install(failure_path)};
        st = bli_job_train(&run, &err);
        stop_disarm();
    }
    console_clear();
    if (st != BL_OK) {
        bli_log(console_log(), BL_ERROR, "train", "%s", err.msg);
        if (failure_path)
            write_failure(failure_path, err.msg);
    }
    free(failure_path);
    return bli_status_exit_code(st);
}

int cmd_check(int argc, char **argv)
{
    const char *root;
    if (!cmd_root(argc, argv, &root))
        return EXIT_USAGE;
    bl_err err = {0};
    const bl_run run = {.root = root, .log = console_log()};
    trap_install(NULL);
    bl_status st = bli_job_check(&run, &err);
    if (st != BL_OK)
        bli_log(console_log(), BL_ERROR, "check", "%s", err.msg);
    else
        fputs("the job's configuration and first lines are right\n", stderr);
    return bli_status_exit_code(st);
}

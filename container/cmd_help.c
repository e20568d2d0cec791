/* SPDX-License-Identifier: Apache-2.0 */
/* help and --version. */
#include "cmd.h"

#include "base/buf.h"
#include "contract/contract.h"
#include "train/train.h"

#include <stdio.h>
#include <string.h>

static int help_train(bool markdown)
{
    bl_buf text = {0};
    bl_err err = {0};
    bl_status st = bli_param_help(&text, markdown, &err);
    if (st == BL_OK)
        fwrite(text.data, 1, text.n, stdout);
    else
        fprintf(stderr, "boostlens help: %s\n", err.msg);
    bli_buf_done(&text);
    return bli_status_exit_code(st);
}

int cmd_help(int argc, char **argv)
{
    stop_release();
    if (argc == 1)
        return cmd_usage();
    bool markdown = argc == 3 && strcmp(argv[2], "--markdown") == 0;
    if (strcmp(argv[1], "train") == 0 && (argc == 2 || markdown))
        return help_train(markdown);
    if (argc == 2 && (strcmp(argv[1], "explain") == 0 || strcmp(argv[1], "predict") == 0))
        return cmd_apply_help();
    if (argc == 2 && strcmp(argv[1], "lint-job") == 0)
        return cmd_lint_job_help();
    if (argc == 2 && strcmp(argv[1], "process") == 0)
        return cmd_process_help();
    if (argc == 2 && strcmp(argv[1], "plan") == 0)
        return cmd_plan_help();
    if (argc == 2 && strcmp(argv[1], "check") == 0) {
        puts("boostlens check [--root DIR]: reads a job folder's configuration and the "
             "first\n"
             "lines of its data, and says what is wrong. Nothing is written.");
        return 0;
    }
    fputs("boostlens help: usage: help [train [--markdown] | explain | predict | process "
          "| plan | "
          "check | lint-job]\n",
          stderr);
    return EXIT_USAGE;
}

int cmd_version(void)
{
    bl_err err = {0};
    int version[3] = {0};
    bl_status st = bli_xgboost_check(version, &err);
    printf("boostlens %s\n", bl_version());
    if (st == BL_OK)
        printf("XGBoost %d.%d.%d\n", version[0], version[1], version[2]);
    else
        fprintf(stderr, "boostlens: %s\n", err.msg);
    return bli_status_exit_code(st);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* plan: a preprocessing plan proposed from the data. */
#include "cmd.h"

#include "job/job.h"

#include <stdio.h>
#include <string.h>

static const char usage_text[] =
    "usage: boostlens plan FILE.csv [--label COLUMN]\n"
    "\n"
    "Reads the file and prints a preprocessing plan for it: types, texts that mean "
    "missing, "
    "the\n"
    "classes of a text label, categories, rare levels, dates, identifiers; constant "
    "columns, "
    "repeated\n"
    "ones and such that give the label away are dropped, each with its reason in "
    "\"comment\". "
    "Edit\n"
    "it, then give it to 'process' (--plan) or 'train' (bl_preprocess).\n"
    "\n"
    "  --label COLUMN   by name, or index from 0; else a column named label, target, "
    "class, "
    "y,\n"
    "                   outcome or response, else the first, and the plan says that it "
    "is a "
    "guess\n";

int cmd_plan_help(void)
{
    fputs(usage_text, stdout);
    return 0;
}

static int parse(int argc, char **argv, bl_propose *propose)
{
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--label=", 8) == 0)
            propose->label = argv[i] + 8;
        else if (strcmp(argv[i], "--label") == 0 && i + 1 < argc)
            propose->label = argv[++i];
        else if (strcmp(argv[i], "--label") == 0)
            return cmd_wrong("plan", "a column is expected after", argv[i]);
        else if (argv[i][0] == '-' && argv[i][1])
            return cmd_wrong("plan", "unknown option", argv[i]);
        else if (propose->file)
            return cmd_wrong("plan", "one file is expected, not also", argv[i]);
        else
            propose->file = argv[i];
    }
    if (!propose->file)
        return cmd_wrong("plan", "a file is expected", NULL);
    return 0;
}

int cmd_plan(int argc, char **argv)
{
    bl_propose propose = {.log = console_log()};
    bl_err err = {0};
    bl_buf text = {0};
    int code = parse(argc, argv, &propose);
    if (code != 0)
        return code;
    propose.stop = stop_install();
    trap_install(NULL);
    bl_status st = bli_propose(&propose, &text, &err);
    console_clear();
    if (st == BL_OK && (fwrite(text.data, 1, text.n, stdout) != text.n || fflush(stdout)))
        st = bli_fail(&err, BL_E_IO, "the plan could not be written to standard output");
    if (st != BL_OK)
        bli_log(console_log(), BL_ERROR, "plan", "%s", err.msg);
    bli_buf_done(&text);
    return bli_status_exit_code(st);
}

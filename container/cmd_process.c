/* SPDX-License-Identifier: Apache-2.0 */
/* process: a SageMaker Processing job. */
#include "cmd.h"

#include "base/text.h"
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
    "usage: boostlens process [--root DIR] [--plan FILE] [--train-test-split-ratio "
    "SHARE]\n"
    "                         [--random-split SEED] [--profile | --profile-only] "
    "[--label COLUMN]\n"
    "\n"
    "Reads every .csv of the inputs, splits the rows, fits the plan on the training rows "
    "and\n"
    "writes train_data.csv, test_data.csv, train_data_headers.csv, validation_data.csv "
    "(where\n"
    "the plan asks) and plan.json (fitted). Each goes to the output of its name "
    "(train_data or\n"
    "train, ...), else below processing/.\n"
    "\n"
    "  --root DIR       stands for /opt/ml; SAGEMAKER_BASE_DIR does too\n"
    "  --plan FILE      the plan; else plan.json of an input; else rows are split only\n"
    "  --train-test-split-ratio SHARE    of the test rows, above 0 and below 1; wins "
    "over the\n"
    "                   plan; 0.3 where neither says\n"
    "  --random-split SEED               seed of the split, 0 to 4294967295; default 0\n"
    "  --isolation WORD                  the sandbox: auto (default), required, off\n"
    "  --profile        first a profile of the inputs as they are: profile.json, and "
    "profile.html\n"
    "                   to look at, to the output named profile, else below "
    "processing/profile\n"
    "  --profile-only   that, and nothing else\n"
    "  --label COLUMN   of the profile, by name or index from 0; else the plan's label: "
    "columns\n"
    "                   that equal or tell it are found\n";

int cmd_process_help(void)
{
    fputs(usage_text, stdout);
    return 0;
}

static int parse(int argc, char **argv, bl_process *process)
{
    const char *ratio = NULL, *seed = NULL;
    const struct {
        const char *name;
        const char **text;
    } options[] = {{"--root", &process->root},
                   {"--plan", &process->plan},
                   {"--isolation", &process->isolation},
                   {"--train-test-split-ratio", &ratio},
                   {"--random-split", &seed},
                   {"--label", &process->label}};
    for (int i = 1; i < argc; i++) {
        const char **into = NULL;
        const char *value = NULL;
        if (strcmp(argv[i], "--profile") == 0 || strcmp(argv[i], "--profile-only") == 0) {
            process->profile = true;
            process->only_profile |= argv[i][strlen("--profile")] != '\0';
            continue;
        }
        for (size_t k = 0; k < sizeof options / sizeof options[0]; k++) {
            size_t n = strlen(options[k].name);
            if (strcmp(argv[i], options[k].name) == 0)
                into = options[k].text;
            else if (strncmp(argv[i], options[k].name, n) == 0 && argv[i][n] == '=')
                into = options[k].text, value = argv[i] + n + 1;
        }
        if (!into)
            return cmd_wrong("process", "unknown option", argv[i]);
        if (!value && i + 1 >= argc)
            return cmd_wrong("process", "a value is expected after", argv[i]);
        *into = value ? value : argv[++i];
    }
    if (process->label && !process->profile)
        return cmd_wrong(
            "process",
            "--label is of --profile or --profile-only; a plan names the label of "
            "the split files",
            NULL);
    if (ratio && (bli_read_double(ratio, strlen(ratio), &process->test) != BL_NUMBER_OK ||
                  !(process->test > 0 && process->test < 1)))
        return cmd_wrong(
            "process", "--train-test-split-ratio takes a share above 0 and below 1, not",
            ratio);
    if (seed && (!bli_read_int(seed, strlen(seed), &process->seed) || process->seed < 0 ||
                 process->seed > UINT32_MAX))
        return cmd_wrong(
            "process", "--random-split takes a whole number, 0 to 4294967295, not", seed);
    return 0;
}

int cmd_process(int argc, char **argv)
{
    const char *root = getenv("SAGEMAKER_BASE_DIR");
    bl_process process = {.root = root && *root ? root : "/opt/ml",
                          .test = -1,
                          .seed = -1,
                          .log = console_log()};
    bl_err err = {0}, message_err = {0};
    int code = parse(argc, argv, &process);
    if (code != 0)
        return code;
    process.stop = stop_install();
    char message[4096];
    int n = snprintf(message, sizeof message, "%s/output/message", process.root);
    trap_install(n < (int)sizeof message ? message : NULL);
    bl_status st = bli_process(&process, &err);
    console_clear();
    if (st != BL_OK) {
        bli_log(console_log(), BL_ERROR, "process", "%s", err.msg);
        /* What the platform shows as ExitMessage. */
        if (bli_process_message(process.root, err.msg, &message_err) != BL_OK)
            bli_log(console_log(), BL_WARNING, "process", "%s", message_err.msg);
    }
    return bli_status_exit_code(st);
}

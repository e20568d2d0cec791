/* SPDX-License-Identifier: Apache-2.0 */
/* lint-job: documents for AWS, before they are sent or after they were logged. */
#include "cmd.h"

#include "base/fs.h"
#include "base/limits.h"
#include "policy/policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
    "usage: boostlens lint-job FILE... [--json]\n"
    "\n"
    "Is what is sent to AWS as secure as it must be? Each FILE (-: standard input) is\n"
    "JSON: a request of CreateTrainingJob, CreateProcessingJob or\n"
    "CreateHyperParameterTuningJob, a role, bucket or trust policy, a CloudTrail event;\n"
    "or anything that holds some of them (what the aws command prints, a log, a\n"
    "template, the definition of a pipeline or of a state machine).\n"
    "\n"
    "One finding a line: FILE: RULE: WHERE: WHAT; write WHAT INSTEAD\n"
    "\n"
    "  --json  {\"files\": [{\"file\", \"kind\", \"findings\":\n"
    "            [{\"rule\", \"at\", \"found\", \"write\"}]}], \"n_findings\"}\n"
    "\n"
    "Exit 1 with findings, 0 without.\n";

int cmd_lint_job_help(void)
{
    fputs(usage_text, stdout);
    return 0;
}

/* Reads and lints one file; one that cannot be read is a finding too, so that the others count. */
static bl_status lint_file(const char *path, bl_lint *ret_lint, bl_err *err)
{
    bl_buf text = {0};
    const char *from = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
    bl_status st = bli_read_file(from, (size_t)bli_limits().config_bytes, &text, err);
    if (st == BL_E_IO || st == BL_E_LIMIT)
        return bli_lint_unreadable(err->msg, ret_lint, err);
    if (st == BL_OK)
        st = bli_lint_document(text.data, text.n, ret_lint, err);
    bli_buf_done(&text);
    return st;
}

static bl_status lint_files(char *const *paths, int n, bool json, bl_buf *out,
                            size_t *ret_findings, bl_err *err)
{
    bl_jw jw = {.buf = out};
    size_t n_findings = 0;
    bl_status st = BL_OK;
    if (json) {
        bli_jw_object(&jw);
        bli_jw_key(&jw, "files");
        bli_jw_list(&jw, false);
    }
    for (int i = 0; st == BL_OK && i < n; i++) {
        bl_lint lint = {0};
        st = lint_file(paths[i], &lint, err);
        if (st == BL_OK && json)
            bli_lint_json(&lint, paths[i], &jw);
        else if (st == BL_OK)
            bli_lint_text(&lint, paths[i], out);
        if (st == BL_OK && !json)
            fprintf(stderr, "%s: %s, %zu finding%s\n", paths[i], lint.kind, lint.n,
                    lint.n == 1 ? "" : "s");
        n_findings += lint.n;
        bli_lint_done(&lint);
    }
    if (json) {
        bli_jw_list_end(&jw);
        bli_jw_key(&jw, "n_findings");
        bli_jw_int(&jw, (int64_t)n_findings);
        bli_jw_object_end(&jw);
        bli_jw_end(&jw);
    }
    *ret_findings = n_findings;
    return st == BL_OK ? bli_buf_check(out, "findings", err) : st;
}

int cmd_lint_job(int argc, char **argv)
{
    char **paths = calloc((size_t)argc, sizeof *paths);
    if (!paths)
        return EXIT_PLATFORM;
    bool json = false, wrong = false;
    int n = 0;
    for (int i = 1; i < argc && !wrong; i++) {
        if (strcmp(argv[i], "--json") == 0)
            json = true;
        else if (argv[i][0] == '-' && argv[i][1])
            wrong = true;
        else
            paths[n++] = argv[i];
    }
    if (wrong || n == 0) {
        fputs(usage_text, stderr);
        free(paths);
        return EXIT_USAGE;
    }
    bl_buf out = {0};
    bl_err err = {0};
    size_t n_findings = 0;
    bl_status st = lint_files(paths, n, json, &out, &n_findings, &err);
    if (st == BL_OK && (fwrite(out.data ? out.data : "", 1, out.n, stdout) != out.n ||
                        fflush(stdout) != 0))
        st = bli_fail(&err, BL_E_IO, "the findings could not be written to stdout");
    if (st != BL_OK)
        fprintf(stderr, "boostlens lint-job: %s\n", err.msg);
    bli_buf_done(&out);
    free(paths);
    return st != BL_OK ? bli_status_exit_code(st) : n_findings ? 1 : 0;
}

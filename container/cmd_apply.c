/* SPDX-License-Identifier: Apache-2.0 */
/* explain and predict: a saved model on any rows. */
#include "cmd.h"

#include "base/text.h"
#include "job/job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage_text[] =
    "usage: boostlens explain --model DIR|FILE --data FILE... --output DIR [OPTION...]\n"
    "       boostlens predict --model DIR|FILE --data FILE... --output FILE [OPTION...]\n"
    "\n"
    "  --model         a folder that boostlens train wrote, or any XGBoost model file\n"
    "  --data          CSV files (or one folder), read as the model's own data were; - "
    "for a pipe\n"
    "  --output        explain: the folder for attributions.h5, importance.csv, "
    "aggregates.json\n"
    "                  and, where the rows have labels, metrics.json; predict: the file, "
    "one line\n"
    "                  a row (-: standard output)\n"
    "  --type TYPE     predict: prediction (default), margin, probability, leaf, "
    "contribs\n"
    "  --trees WHICH   best (default: best_iteration + 1 rounds where recorded), all, "
    "FROM:TO\n"
    "  --label COLUMN  the label by name or 0-based index; none\n"
    "  --id COLUMN     columns carried along as text; none\n"
    "  --header WORD   auto (default), yes, no\n"
    "  --missing NUMBER, --missing-text LIST    what else means missing\n"
    "  --unseen WORD   a level not seen in training: error (default), missing\n"
    "  --isolation WORD  the sandbox: auto (default), required, off\n"
    "  --nthread N     default: as many as this process may use\n"
    "explain:\n"
    "  --interactions  SHAP interactions of each row, their strengths in "
    "interactions.csv\n"
    "  --background FILE    values against these rows instead of path-dependent ones\n"
    "  --space SPACE   margin (default); with --background probability, logloss\n"
    "  --top K         the strongest K values (and pairs) of each row instead of all\n"
    "  --aggregate-only     no attributions.h5: importances, aggregates, metrics\n"
    "  --facet COLUMN  means by the groups of a column: a feature by name, another "
    "column by\n"
    "                  name or index, label\n"
    "  --compress WORD gzip (default), none\n";

/* Options that are words or numbers, as typed. */
typedef struct words {
    const char *type, *compress, *nthread, *space, *top;
} words;

/* Where the text of an option goes; NULL: no such option. */
static const char **text_option(bl_apply *apply, const char *name, bool predict, words *w)
{
    const struct {
        const char *name;
        const char **text;
        bool only_predict, only_explain;
    } options[] = {
        {"--model", &apply->model, false, false},
        {"--output", &apply->output, false, false},
        {"--trees", &apply->trees, false, false},
        {"--label", &apply->label, false, false},
        {"--id", &apply->id, false, false},
        {"--header", &apply->header, false, false},
        {"--missing", &apply->missing, false, false},
        {"--missing-text", &apply->missing_text, false, false},
        {"--unseen", &apply->unseen, false, false},
        {"--isolation", &apply->isolation, false, false},
        {"--nthread", &w->nthread, false, false},
        {"--type", &w->type, true, false},
        {"--compress", &w->compress, false, true},
        {"--background", &apply->background, false, true},
        {"--space", &w->space, false, true},
        {"--top", &w->top, false, true},
        {"--facet", &apply->facet, false, true},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(name, options[i].name) == 0 &&
            !(options[i].only_predict && !predict) &&
            !(options[i].only_explain && predict))
            return options[i].text;
    return NULL;
}

/* Number of a word in a list, or -1. */
static int find_word(const char *word, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(word, list[i]) == 0)
            return (int)i;
    return -1;
}

static bool parse_number(const char *text, int64_t most, int64_t *ret)
{
    return bli_read_int(text, strlen(text), ret) && *ret >= 1 && *ret <= most;
}

static int parse_words(const char *verb, const words *w, bl_apply *apply)
{
    static const char *const types[] = {[BL_OUTPUT_PREDICTION] = "prediction",
                                        [BL_OUTPUT_MARGIN] = "margin",
                                        [BL_OUTPUT_PROBABILITY] = "probability",
                                        [BL_OUTPUT_LEAF] = "leaf",
                                        [BL_OUTPUT_CONTRIBS] = "contribs"};
    static const char *const spaces[] = {[BL_SPACE_MARGIN] = "margin",
                                         [BL_SPACE_PROBABILITY] = "probability",
                                         [BL_SPACE_LOG_LOSS] = "logloss"};
    static const char *const compressions[] = {"none", "gzip"};
    int type = find_word(w->type ? w->type : "prediction", types, 5);
    int space = find_word(w->space ? w->space : "margin", spaces, 3);
    int compress = find_word(w->compress ? w->compress : "gzip", compressions, 2);
    int64_t top = 0;
    if (type < 0)
        return cmd_wrong(verb, "unknown --type", w->type);
    if (space < 0)
        return cmd_wrong(verb, "--space takes margin, probability or logloss, not",
                         w->space);
    if (compress < 0)
        return cmd_wrong(verb, "unknown --compress", w->compress);
    if (w->nthread && !parse_number(w->nthread, 4096, &apply->nthread))
        return cmd_wrong(verb, "--nthread takes a number from 1 on, not", w->nthread);
    if (w->top && !parse_number(w->top, 65536, &top))
        return cmd_wrong(verb, "--top takes a number from 1 to 65536, not", w->top);
    if (!apply->model || !apply->output || apply->n_data == 0)
        return cmd_wrong(verb, "--model, --data and --output are needed", NULL);
    apply->type = (bl_output_type)type;
    apply->space = (bl_space)space;
    apply->compress = compress != 0;
    apply->top = (size_t)top;
    return 0;
}

/* Options without a value. */
static bool flag(bl_apply *apply, const char *name, bool predict)
{
    if (predict)
        return false;
    bool *at = strcmp(name, "--interactions") == 0     ? &apply->interactions
               : strcmp(name, "--aggregate-only") == 0 ? &apply->aggregate_only
                                                       : NULL;
    if (at)
        *at = true;
    return at != NULL;
}

/* 0, or an exit code with the reason already said. files [argc] is filled. */
static int parse(int argc, char **argv, bool predict, const char **files, bl_apply *apply)
{
    words w = {0};
    apply->data = files;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--data") == 0) {
            for (; i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0; i++)
                files[apply->n_data++] =
                    strcmp(argv[i + 1], "-") == 0 ? "/dev/stdin" : argv[i + 1];
            continue;
        }
        if (flag(apply, argv[i], predict))
            continue;
        const char **text = text_option(apply, argv[i], predict, &w);
        if (!text)
            return cmd_wrong(argv[0], "unknown option", argv[i]);
        if (i + 1 >= argc)
            return cmd_wrong(argv[0], "a value is expected after", argv[i]);
        *text = argv[++i];
    }
    return parse_words(argv[0], &w, apply);
}

static int run(int argc, char **argv, bool predict)
{
    const char **files = calloc((size_t)argc, sizeof *files);
    if (!files)
        return EXIT_PLATFORM;
    bl_apply apply = {.log = console_log(), .stop = stop_install()};
    int code = parse(argc, argv, predict, files, &apply);
    if (code == 0) {
        bl_err err = {0};
        trap_install(NULL);
        bl_status st =
            predict ? bli_predict_files(&apply, &err) : bli_explain_files(&apply, &err);
        console_clear();
        if (st != BL_OK)
            bli_log(console_log(), BL_ERROR, argv[0], "%s", err.msg);
        code = bli_status_exit_code(st);
    }
    free(files);
    return code;
}

int cmd_explain(int argc, char **argv)
{
    return run(argc, argv, false);
}

int cmd_predict(int argc, char **argv)
{
    return run(argc, argv, true);
}

int cmd_apply_help(void)
{
    fputs(usage_text, stdout);
    return 0;
}

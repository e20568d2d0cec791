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
    "  --data          CSV files (or one folder), read as the model's own data were\n"
    "  --output        explain: the folder for attributions.h5, importance.csv and, "
    "where the\n"
    "                  rows have labels, metrics.json; predict: the file, one line a "
    "row\n"
    "  --type TYPE     predict: prediction (default), margin, probability, leaf, "
    "contribs\n"
    "  --trees WHICH   best (default: best_iteration + 1 rounds where recorded), all, "
    "FROM:TO\n"
    "  --label COLUMN  the label by name or 0-based index; none\n"
    "  --id COLUMN     columns carried along as text; none\n"
    "  --header WORD   auto (default), yes, no\n"
    "  --missing NUMBER, --missing-text LIST    what else means missing\n"
    "  --unseen WORD   a level not seen in training: error (default), missing\n"
    "  --compress WORD explain: gzip (default), none\n"
    "  --isolation WORD  the sandbox: auto (default), required, off\n"
    "  --nthread N     default: as many as this process may use\n";

/* Where the text of an option goes; NULL: no such option. */
static const char **text_option(bl_apply *apply, const char *name, bool predict,
                                const char **type, const char **compress,
                                const char **nthread)
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
        {"--nthread", nthread, false, false},
        {"--type", type, true, false},
        {"--compress", compress, false, true},
    };
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(name, options[i].name) == 0 &&
            !(options[i].only_predict && !predict) &&
            !(options[i].only_explain && predict))
            return options[i].text;
    return NULL;
}

static int wrong(const char *verb, const char *what, const char *word)
{
    fprintf(stderr, "boostlens %s: %s%s%s%s; see 'boostlens help %s'\n", verb, what,
            word ? " '" : "", word ? word : "", word ? "'" : "", verb);
    return EXIT_USAGE;
}

static int parse_words(const char *verb, const char *type, const char *compress,
                       const char *nthread, bl_apply *apply)
{
    static const char *const types[] = {[BL_OUTPUT_PREDICTION] = "prediction",
                                        [BL_OUTPUT_MARGIN] = "margin",
                                        [BL_OUTPUT_PROBABILITY] = "probability",
                                        [BL_OUTPUT_LEAF] = "leaf",
                                        [BL_OUTPUT_CONTRIBS] = "contribs"};
    bool known = !type;
    for (size_t i = 0; type && i < sizeof types / sizeof types[0]; i++)
        if (strcmp(type, types[i]) == 0) {
            apply->type = (bl_output_type)i;
            known = true;
        }
    if (!known)
        return wrong(verb, "unknown --type", type);
    apply->compress = !compress || strcmp(compress, "gzip") == 0;
    if (!apply->compress && strcmp(compress, "none") != 0)
        return wrong(verb, "unknown --compress", compress);
    if (nthread && (!bli_read_int(nthread, strlen(nthread), &apply->nthread) ||
                    apply->nthread < 1 || apply->nthread > 4096))
        return wrong(verb, "--nthread takes a number from 1 on, not", nthread);
    if (!apply->model || !apply->output || apply->n_data == 0)
        return wrong(verb, "--model, --data and --output are needed", NULL);
    return 0;
}

/* 0, or an exit code with the reason already said. files [argc] is filled. */
static int parse(int argc, char **argv, bool predict, const char **files, bl_apply *apply)
{
    const char *type = NULL, *compress = NULL, *nthread = NULL;
    apply->data = files;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--data") == 0) {
            while (i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0)
                files[apply->n_data++] = argv[++i];
            continue;
        }
        const char **text =
            text_option(apply, argv[i], predict, &type, &compress, &nthread);
        if (!text)
            return wrong(argv[0], "unknown option", argv[i]);
        if (i + 1 >= argc)
            return wrong(argv[0], "a value is expected after", argv[i]);
        *text = argv[++i];
    }
    return parse_words(argv[0], type, compress, nthread, apply);
}

static int run(int argc, char **argv, bool predict)
{
    const char **files = calloc((size_t)argc, sizeof *files);
    if (!files)
        return EXIT_PLATFORM;
    bl_apply apply = {.log = console_log(), .stop = stop_install("")};
    int code = parse(argc, argv, predict, files, &apply);
    if (code == 0) {
        bl_err err = {0};
        stop_disarm(); /* nothing here takes a round */
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

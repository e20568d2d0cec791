/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHAP values of one real set, ours beside XGBoost's own pred_contribs: same process, same rows,
 * same threads, calls alternating. Processor seconds are what the ratio is made of, so that a
 * busy neighbour disturbs it little.
 *
 *   explain_bench FILE [depth=6] [rounds=100] [classes=0] [rows=0] [threads=1] [repeats=5]
 *
 * FILE: label first, no header, an empty cell is missing; gzip or not. One JSON line a kernel.
 */
#include "base/mem.h"
#include "explain/explain.h"
#include "kernels/lanes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xgboost/c_api.h>
#include <zlib.h>

static void must(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "%s\n", what);
        exit(1);
    }
}
#define XGB(call) must((call) == 0, XGBGetLastError())

typedef struct options {
    unsigned depth, rounds, classes, rows, threads, repeats, leaves;
} options;

static options read_options(int n, char **text)
{
    options o = {.depth = 6, .rounds = 100, .threads = 1, .repeats = 5};
    struct {
        const char *name;
        unsigned *value;
    } known[] = {{"depth", &o.depth},  {"rounds", &o.rounds},   {"classes", &o.classes},
                 {"rows", &o.rows},    {"threads", &o.threads}, {"repeats", &o.repeats},
                 {"leaves", &o.leaves}};
    for (int i = 0; i < n; i++) {
        bool found = false;
        for (size_t k = 0; k < BL_LEN(known); k++) {
            size_t length = strlen(known[k].name);
            if (strncmp(text[i], known[k].name, length) == 0 && text[i][length] == '=') {
                *known[k].value = (unsigned)strtoul(text[i] + length + 1, NULL, 10);
                found = true;
            }
        }
        must(found,
             "usage: explain_bench FILE [depth=6] [rounds=100] [leaves=0] [classes=0] "
             "[rows=0] [threads=1] [repeats=5]");
    }
    return o;
}

typedef struct rows {
    size_t n, n_features;
    float *x, *y;
} rows;

static rows read_rows(const char *path)
{
    static char line[1 << 16];
    rows r = {0};
    size_t x_cap = 0, y_cap = 0, cells = 0;
    void *x = NULL, *y = NULL;
    gzFile file = gzopen(path, "rb");
    must(file != NULL, path);
    while (gzgets(file, line, sizeof line)) {
        size_t column = 0;
        for (char *at = line, *end;; at = end + 1, column++) {
            float value = strtof(at, &end);
            if (end == at)
                value = NAN;
            void **into = column ? &x : &y;
            size_t at_cell = column ? cells++ : r.n;
            must(bli_grow(into, column ? &x_cap : &y_cap, at_cell + 1, sizeof value,
                          "rows", NULL) == BL_OK,
                 "memory");
            ((float *)*into)[at_cell] = value;
            if (*end != ',')
                break;
        }
        r.n_features = column;
        r.n++;
    }
    gzclose(file);
    r.x = x;
    r.y = y;
    return r;
}

static void set(BoosterHandle booster, const char *name, unsigned value)
{
    char text[16];
    snprintf(text, sizeof text, "%u", value);
    XGB(XGBoosterSetParam(booster, name, text));
}

static BoosterHandle train(const rows *r, const options *o)
{
    DMatrixHandle data;
    BoosterHandle booster;
    float least = r->y[0], most = r->y[0];
    for (size_t i = 0; i < r->n; i++) {
        least = fminf(least, r->y[i]);
        most = fmaxf(most, r->y[i]);
    }
    for (size_t i = 0; o->classes && i < r->n; i++)
        r->y[i] -= least;
    bool binary = least == 0 && most == 1;
    XGB(XGDMatrixCreateFromMat(r->x, r->n, r->n_features, NAN, &data));
    XGB(XGDMatrixSetFloatInfo(data, "label", r->y, r->n));
    XGB(XGBoosterCreate(&data, 1, &booster));
    XGB(XGBoosterSetParam(booster, "objective",
                          o->classes ? "multi:softprob"
                          : binary   ? "binary:logistic"
                                     : "reg:squarederror"));
    XGB(XGBoosterSetParam(booster, "tree_method", "hist"));
    XGB(XGBoosterSetParam(booster, "eta", "0.1"));
    set(booster, "max_depth", o->depth);
    set(booster, "nthread", o->threads);
    if (o->leaves) {
        XGB(XGBoosterSetParam(booster, "grow_policy", "lossguide"));
        set(booster, "max_leaves", o->leaves);
    }
    if (o->classes)
        set(booster, "num_class", o->classes);
    for (unsigned i = 0; i < o->rounds; i++)
        XGB(XGBoosterUpdateOneIter(booster, (int)i, data));
    XGB(XGDMatrixFree(data));
    return booster;
}

typedef struct clocks {
    double wall, cpu;
} clocks;

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static clocks now(void)
{
    return (clocks){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static int by_cpu(const void *a, const void *b)
{
    double x = ((const clocks *)a)->cpu, y = ((const clocks *)b)->cpu;
    return (x > y) - (x < y);
}

/* One thing timed. */
typedef struct entry {
    char name[32];
    bl_explainer *explainer;
    bool aggregate; /* bli_explain without a sink: margins, additivity and sums as well */
    clocks *times;
} entry;

typedef struct bench {
    const options *o;
    rows data;
    bl_forest *forest;
    BoosterHandle booster;
    DMatrixHandle matrix;
    float *phi;
} bench;

static void call(const bench *b, const entry *e)
{
    bl_err err = {0};
    if (!e->explainer) {
        const bst_ulong *shape;
        bst_ulong n;
        const float *result;
        XGB(XGBoosterPredictFromDMatrix(
            b->booster, b->matrix,
            "{\"type\":2,\"training\":false,\"iteration_begin\":0,\"iteration_end\":0,"
            "\"strict_shape\":true}",
            &shape, &n, &result));
    } else if (!e->aggregate) {
        must(bli_explain_rows(e->explainer, b->data.x, b->data.n, b->phi, &err) == BL_OK,
             err.msg);
    } else {
        bl_block block = {.x = b->data.x, .n_rows = b->data.n};
        bl_matrix matrix = {.n_features = b->data.n_features,
                            .n_rows = b->data.n,
                            .n_blocks = 1,
                            .blocks = &block};
        bl_attribution *a;
        must(bli_explain(e->explainer, &matrix, &(bl_explain_options){0}, NULL, NULL, &a,
                         &err) == BL_OK,
             err.msg);
        bli_attribution_free(a);
    }
}

static void add_entry(entry *entries, size_t *n, const char *name,
                      bl_explainer *explainer, bool aggregate, unsigned repeats)
{
    entry *e = entries + (*n)++;
    *e = (entry){.explainer = explainer, .aggregate = aggregate};
    snprintf(e->name, sizeof e->name, "%s", name);
    e->times = calloc(repeats, sizeof *e->times);
    must(e->times != NULL, "memory");
}

static void print(const bench *b, const char *file, entry *entries, size_t n,
                  size_t leaves)
{
    const options *o = b->o;
    for (size_t i = 0; i < n; i++)
        qsort(entries[i].times, o->repeats, sizeof(clocks), by_cpu);
    double theirs = entries[0].times[o->repeats / 2].cpu;
    for (size_t i = 0; i < n; i++) {
        clocks t = entries[i].times[o->repeats / 2];
        printf(
            "{\"file\": \"%s\", \"depth\": %u, \"trees\": %zu, \"leaves\": %zu, "
            "\"rows\": %zu, "
            "\"threads\": %u, \"what\": \"%s\", \"cpu_s\": %.4f, \"wall_s\": %.4f, "
            "\"rows_per_cpu_s\": %.0f, \"ns_per_row_and_tree\": %.2f, \"ratio\": %.1f}\n",
            file, o->depth, b->forest->n_trees, leaves, b->data.n, o->threads,
            entries[i].name, t.cpu, t.wall, (double)b->data.n / t.cpu,
            1e9 * t.cpu / (double)b->data.n / (double)b->forest->n_trees, theirs / t.cpu);
    }
}

int main(int argc, char **argv)
{
    must(argc > 1, "usage: explain_bench FILE [depth=6] [rounds=100] ...");
    options o = read_options(argc - 2, argv + 2);
    bench b = {.o = &o, .data = read_rows(argv[1])};
    b.booster = train(&b.data, &o);
    bst_ulong n_bytes;
    const char *bytes;
    bl_err err = {0};
    bl_limits limits = bli_limits();
    XGB(XGBoosterSaveModelToBuffer(b.booster, "{\"format\":\"ubj\"}", &n_bytes, &bytes));
    must(bli_forest_read(bytes, n_bytes, &limits, NULL, &b.forest, &err) == BL_OK,
         err.msg);
    if (o.rows && o.rows < b.data.n)
        b.data.n = o.rows;
    XGB(XGDMatrixCreateFromMat(b.data.x, b.data.n, b.data.n_features, NAN, &b.matrix));
    b.phi =
        malloc(b.data.n * b.forest->n_outputs * (b.data.n_features + 1) * sizeof *b.phi);
    must(b.phi != NULL, "memory");
    size_t leaves = 0, n = 0;
    for (size_t t = 0; t < b.forest->n_trees; t++)
        leaves += b.forest->trees[t].n_leaves;

    entry entries[16];
    add_entry(entries, &n, "XGBoost", NULL, false, o.repeats);
    for (const blk_lanes *const *lanes = blk_lanes_all(); *lanes; lanes++) {
        if (((*lanes)->cpu & BLK_CPU_FMAF) || ((*lanes)->cpu & ~blk_cpu()))
            continue;
        bl_explainer *explainer;
        must(bli_explainer_new_on(b.forest, 0, b.forest->n_rounds, (*lanes)->cpu,
                                  &explainer, &err) == BL_OK,
             err.msg);
        add_entry(entries, &n, (*lanes)->name, explainer, false, o.repeats);
    }
    add_entry(entries, &n, "whole stage", entries[n - 1].explainer, true, o.repeats);
    for (unsigned r = 0; r <= o.repeats; r++)
        for (size_t i = 0; i < n; i++) {
            clocks before = now();
            call(&b, entries + i);
            clocks after = now();
            if (r) /* the first round warms up */
                entries[i].times[r - 1] =
                    (clocks){after.wall - before.wall, after.cpu - before.cpu};
        }
    const char *name = strrchr(argv[1], '/');
    print(&b, name ? name + 1 : argv[1], entries, n, leaves);
    return 0;
}

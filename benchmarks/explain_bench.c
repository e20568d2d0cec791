/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One model, ours beside XGBoost: same process, same rows, same threads, calls alternating, so that
 * whatever else the machine does hits both. One JSON line for everything timed.
 *
 *   explain_bench FILE|drawn [values] [interactions] [background] [predict] [latency] [NAME=N]...
 *
 *   depth=6 rounds=100 leaves=0 classes=0 dart=0   the model (leaves: lossguide with so many)
 *   rows=0 features=50                             rows explained (0: all), columns of drawn rows
 *   seconds=0                                      fewer, where XGBoost's values take longer than this
 *   threads=1 repeats=5 portable=0                 portable=1: our weakest kernels as well
 *   truth=0                                        rows whose error is measured against long double
 *   background=1000                                background rows
 *
 * Times are medians, of processor time (all threads) and wall time. The error is of the largest
 * |value|. memory_mb: what the call added to the process at its worst.
 */
#include "explain_set.h"

#include "explain/background.h"
#include "explain/explain.h"
#include "explain/interactions.h"
#include "kernels/lanes.h"
#include "oracle/shapley.h"

#include "base/mem.h"

#include <math.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct bench {
    bench_options o;
    bench_set set;
    bl_interactions *interactions;
    bl_background *background;
    float *out;     /* ours */
    size_t out_len; /* floats it can hold */
    const float *theirs;
} bench;

static void ours(bl_status status, const bl_err *err)
{
    bench_must(status == BL_OK, err->msg);
}

/* --- What is timed ---------------------------------------------------------------------- */

/* Rows [first, first + n). matrix: XGBoost's, of just these rows. */
typedef struct call {
    bench *b;
    const bl_explainer *explainer;
    DMatrixHandle matrix;
    size_t first, n;
} call;

typedef void (*timed)(const call *c);

static const float *cells(const call *c)
{
    return c->b->set.x + c->first * c->b->set.n_features;
}

static void ask_xgboost(const call *c, const char *config)
{
    const bst_ulong *shape;
    bst_ulong n;
    XGB(XGBoosterPredictFromDMatrix(c->b->set.booster, c->matrix, config, &shape, &n,
                                    &c->b->theirs));
}

#define ASK(type)                                                                        \
    "{\"type\":" type ",\"training\":false,\"iteration_begin\":0,"                       \
    "\"iteration_end\":0,\"strict_shape\":true}"

static void xgboost_values(const call *c)
{
    ask_xgboost(c, ASK("2"));
}

static void xgboost_interactions(const call *c)
{
    ask_xgboost(c, ASK("4"));
}

/* A margin is cached in the matrix: every call needs a fresh one, whose making is not timed. */
static void xgboost_margins(const call *c)
{
    ask_xgboost(c, ASK("1"));
}

/* One request of a server: cells in, values out. */
static void xgboost_request(const call *c)
{
    call mine = *c;
    XGB(XGDMatrixCreateFromMat(cells(c), c->n, c->b->set.n_features, NAN, &mine.matrix));
    ask_xgboost(&mine, ASK("2"));
    XGB(XGDMatrixFree(mine.matrix));
}

static void our_values(const call *c)
{
    bl_err err = {0};
    ours(bli_explain_rows(c->explainer, cells(c), c->n, c->b->out, &err), &err);
}

static bl_matrix matrix_of(const call *c, bl_block *block)
{
    *block =
        (bl_block){.x = c->b->set.x + c->first * c->b->set.n_features, .n_rows = c->n};
    return (bl_matrix){.n_features = c->b->set.n_features,
                       .n_rows = c->n,
                       .n_blocks = 1,
                       .blocks = block};
}

/* Margins, additivity and sums as well; no values written. */
static void our_stage(const call *c)
{
    bl_err err = {0};
    bl_block block;
    bl_matrix matrix = matrix_of(c, &block);
    bl_attribution *a;
    ours(bli_explain(c->explainer, &matrix, &(bl_explain_options){0}, NULL, NULL, &a,
                     &err),
         &err);
    bli_attribution_free(a);
}

static void our_interactions(const call *c)
{
    bl_err err = {0};
    ours(bli_interactions_rows(c->b->interactions, cells(c), c->n, NULL, 0, c->b->out,
                               &err),
         &err);
}

static void our_background(const call *c)
{
    bl_err err = {0};
    ours(bli_background_rows(c->b->background, cells(c), c->n, 0, c->b->out, &err), &err);
}

static void our_margins(const call *c)
{
    bl_err err = {0};
    ours(bli_explainer_margins(c->explainer, cells(c), c->n, c->b->out, &err), &err);
}

/* --- Timing ----------------------------------------------------------------------------- */

typedef struct clocks {
    double wall, cpu;
} clocks;

static double seconds(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* At the given share of the sorted times. */
static double at_share(double *times, size_t n, double share)
{
    qsort(times, n, sizeof *times, by_size);
    size_t i = (size_t)(share * (double)n);
    return times[i < n ? i : n - 1];
}

typedef struct entry {
    char name[32];
    timed run;
    const bl_explainer *explainer;
    bool fresh; /* a new matrix for each call */
    double *wall, *cpu;
    double memory_mb, error;
} entry;

typedef struct entries {
    entry list[8];
    size_t n;
} entries;

static entry *add(entries *all, const bench *b, const char *name, timed run,
                  const bl_explainer *explainer)
{
    entry *e = all->list + all->n++;
    *e = (entry){.run = run, .explainer = explainer, .error = NAN, .memory_mb = NAN};
    snprintf(e->name, sizeof e->name, "%s", name);
    e->wall = calloc(2 * (size_t)b->o.repeats, sizeof *e->wall);
    bench_must(e->wall != NULL, "no memory");
    e->cpu = e->wall + b->o.repeats;
    return e;
}

/* Kilobytes in a line of /proc/self/status; NAN where there is none. */
static double status_kb(const char *key)
{
    char line[256];
    double kb = NAN;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, key, strlen(key)) == 0)
            kb = strtod(line + strlen(key), NULL);
    if (file)
        fclose(file);
    return kb;
}

/* Sets the highest resident size back to the present one. */
static void forget_peak(void)
{
    FILE *file = fopen("/proc/self/clear_refs", "w");
    if (!file)
        return;
    fputs("5\n", file);
    fclose(file);
}

static void run_once(bench *b, entry *e, clocks *ret_time)
{
    call c = {.b = b, .explainer = e->explainer, .n = b->set.n};
    bool theirs = e->run == xgboost_values || e->run == xgboost_interactions ||
                  e->run == xgboost_margins;
    if (theirs)
        XGB(XGDMatrixCreateFromMat(b->set.x, b->set.n, b->set.n_features, NAN,
                                   &c.matrix));
    forget_peak();
    double before = status_kb("VmRSS:");
    clocks start = {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
    e->run(&c);
    *ret_time = (clocks){seconds(CLOCK_MONOTONIC) - start.wall,
                         seconds(CLOCK_PROCESS_CPUTIME_ID) - start.cpu};
    if (isnan(e->memory_mb))
        e->memory_mb = (status_kb("VmHWM:") - before) / 1024;
    if (theirs)
        XGB(XGDMatrixFree(c.matrix));
}

/* Calls in turn; the first of each warms up, and its result is what errors are taken of. */
static void run_all(bench *b, entries *all,
                    double (*error_of)(const bench *b, const float *values))
{
    for (unsigned r = 0; r <= b->o.repeats; r++)
        for (size_t i = 0; i < all->n; i++) {
            entry *e = all->list + i;
            clocks t;
            run_once(b, e, &t);
            if (r) {
                e->wall[r - 1] = t.wall;
                e->cpu[r - 1] = t.cpu;
            } else if (b->o.truth && error_of && e->run != our_stage) {
                bool theirs = e->run == xgboost_values;
                e->error = error_of(b, theirs ? b->theirs : b->out);
            }
        }
}

static void print_head(const bench *b, const char *mode, const char *what)
{
    const bench_options *o = &b->o;
    printf("{\"set\": \"%s\", \"mode\": \"%s\", \"what\": \"%s\", \"features\": %zu, "
           "\"depth\": %u, \"trees\": %zu, \"leaves\": %zu, \"max_leaves\": %u, "
           "\"dart\": %u, \"threads\": %u, ",
           b->set.name, mode, what, b->set.n_features, o->depth, b->set.forest->n_trees,
           b->set.n_leaves, o->leaves, o->dart, o->threads);
}

static void print_number(const char *key, double value)
{
    if (isfinite(value))
        printf(", \"%s\": %.4g", key, value);
}

static void print_all(bench *b, entries *all, const char *mode)
{
    double theirs = NAN, theirs_wall = NAN;
    for (size_t i = 0; i < all->n; i++) {
        entry *e = all->list + i;
        double cpu = at_share(e->cpu, b->o.repeats, 0.5),
               wall = at_share(e->wall, b->o.repeats, 0.5);
        if (strcmp(e->name, "XGBoost") == 0) {
            theirs = cpu;
            theirs_wall = wall;
        }
        print_head(b, mode, e->name);
        printf("\"rows\": %zu, \"cpu_s\": %.5g, \"wall_s\": %.5g, \"rows_per_s\": %.5g, "
               "\"ns_per_row_and_tree\": %.4g",
               b->set.n, cpu, wall, (double)b->set.n / wall,
               1e9 * cpu / (double)b->set.n / (double)b->set.forest->n_trees);
        print_number("ratio", theirs / cpu);
        print_number("wall_ratio", theirs_wall / wall);
        print_number("error", e->error);
        print_number("memory_mb", e->memory_mb);
        printf("}\n");
        free(e->wall);
    }
    fflush(stdout);
}

/* --- Against the truth ------------------------------------------------------------------ */

static double values_error(const bench *b, const float *values)
{
    const bl_forest *forest = b->set.forest;
    size_t F = forest->n_features, K = forest->n_outputs, every = b->set.n / b->o.truth;
    long double *want = malloc((F + 1) * sizeof *want);
    bench_must(want != NULL, "no memory");
    double worst = 0, scale = 0;
    for (size_t r = 0; r < b->set.n; r += every ? every : 1)
        for (size_t k = 0; k < K; k++) {
            oracle_forest_phi(forest, 0, forest->n_rounds, k, b->set.x + r * F, NULL,
                              oracle_tree_leaves, want);
            const float *phi = values + (r * K + k) * (F + 1);
            for (size_t f = 0; f < F; f++) {
                worst = fmax(worst, fabs((double)((long double)phi[f] - want[f])));
                scale = fmax(scale, fabs((double)want[f]));
            }
        }
    free(want);
    return worst / scale;
}

/* --- Modes ------------------------------------------------------------------------------ */

static bl_explainer *explainer_on(const bench *b, unsigned cpu)
{
    bl_explainer *explainer;
    bl_err err = {0};
    ours(bli_explainer_new_on(b->set.forest, 0, b->set.forest->n_rounds, cpu, &explainer,
                              &err),
         &err);
    return explainer;
}

/* Room for `width` floats a row. */
static void need(bench *b, size_t width)
{
    if (b->out_len < b->set.n * width) {
        free(b->out);
        b->out_len = b->set.n * width;
        b->out = malloc(b->out_len * sizeof *b->out);
        bench_must(b->out != NULL, "no memory for results");
        memset(b->out, 0, b->out_len * sizeof *b->out);
    }
}

static size_t width_of(const bench *b)
{
    return b->set.forest->n_outputs * (b->set.n_features + 1);
}

static void run_values(bench *b)
{
    entries all = {.n = 0};
    bl_explainer *best = explainer_on(b, blk_cpu()), *portable = explainer_on(b, 0);
    need(b, width_of(b));
    add(&all, b, "XGBoost", xgboost_values, NULL);
    add(&all, b, bli_explainer_kernel(best), our_values, best);
    if (b->o.portable)
        add(&all, b, bli_explainer_kernel(portable), our_values, portable);
    add(&all, b, "whole stage", our_stage, best);
    run_all(b, &all, values_error);
    print_all(b, &all, "values");
    bli_explainer_free(best);
    bli_explainer_free(portable);
}

/* Matrices are large: fewer rows. */
static void run_interactions(bench *b)
{
    size_t n = b->set.n, width = width_of(b) * (b->set.n_features + 1),
           most = ((size_t)512 << 20) / (width * sizeof(float)) + 1;
    entries all = {.n = 0};
    bl_err err = {0};
    ours(bli_interactions_new(b->set.forest, 0, b->set.forest->n_rounds, NULL,
                              &b->interactions, &err),
         &err);
    b->set.n = n < most ? n : most;
    need(b, width);
    add(&all, b, "XGBoost", xgboost_interactions, NULL);
    add(&all, b, bli_interactions_kernel(b->interactions), our_interactions, NULL);
    run_all(b, &all, NULL);
    print_all(b, &all, "interactions");
    bli_interactions_free(b->interactions);
    b->set.n = n;
}

static void run_background(bench *b)
{
    size_t n = b->o.background < b->set.n ? b->o.background : b->set.n;
    entries all = {.n = 0};
    bl_err err = {0};
    double start = seconds(CLOCK_MONOTONIC);
    ours(bli_background_new(b->set.forest, 0, b->set.forest->n_rounds, b->set.x, n, NULL,
                            (int)b->o.threads, &b->background, &err),
         &err);
    print_head(b, "background", "count and tables");
    printf("\"background\": %zu, \"wall_s\": %.4g}\n", n,
           seconds(CLOCK_MONOTONIC) - start);
    need(b, width_of(b));
    add(&all, b, bli_background_kernel(b->background), our_background, NULL);
    run_all(b, &all, NULL);
    print_all(b, &all, "background");
    bli_background_free(b->background);
}

static void run_predict(bench *b)
{
    entries all = {.n = 0};
    bl_explainer *best = explainer_on(b, blk_cpu());
    need(b, b->set.forest->n_outputs);
    add(&all, b, "XGBoost", xgboost_margins, NULL);
    add(&all, b, bli_explainer_kernel(best), our_margins, best);
    run_all(b, &all, NULL);
    size_t n = b->set.n * b->set.forest->n_outputs, differ = 0;
    call c = {.b = b, .n = b->set.n};
    XGB(XGDMatrixCreateFromMat(b->set.x, b->set.n, b->set.n_features, NAN, &c.matrix));
    xgboost_margins(&c);
    for (size_t i = 0; i < n; i++)
        differ += memcmp(b->theirs + i, b->out + i, sizeof(float)) != 0;
    XGB(XGDMatrixFree(c.matrix));
    print_all(b, &all, "predict");
    bench_must(differ == 0, "margins differ from XGBoost's");
    bli_explainer_free(best);
}

/* Requests of a few rows, one after the other, different ones each time. */
static void time_requests(bench *b, const char *name, timed run,
                          const bl_explainer *explainer, size_t n_rows, size_t times)
{
    double *us = malloc(times * sizeof *us);
    bench_must(us != NULL, "no memory");
    for (size_t i = 0; i < times + times / 10; i++) {
        call c = {.b = b,
                  .explainer = explainer,
                  .first = i * n_rows * 7 % (b->set.n - n_rows + 1),
                  .n = n_rows};
        double start = seconds(CLOCK_MONOTONIC);
        run(&c);
        if (i >= times / 10)
            us[i - times / 10] = 1e6 * (seconds(CLOCK_MONOTONIC) - start);
    }
    print_head(b, "latency", name);
    printf("\"rows\": %zu, \"requests\": %zu, ", n_rows, times);
    printf("\"p50_us\": %.1f, ", at_share(us, times, 0.5));
    printf("\"p90_us\": %.1f, ", at_share(us, times, 0.9));
    printf("\"p99_us\": %.1f}\n", at_share(us, times, 0.99));
    fflush(stdout);
    free(us);
}

static void run_latency(bench *b)
{
    static const size_t sizes[] = {1, 2, 4, 8, 16, 32, 100};
    bl_explainer *best = explainer_on(b, blk_cpu());
    need(b, width_of(b));
    for (size_t i = 0; i < BL_LEN(sizes) && sizes[i] <= b->set.n; i++) {
        time_requests(b, "XGBoost", xgboost_request, NULL, sizes[i], 200);
        time_requests(b, bli_explainer_kernel(best), our_values, best, sizes[i], 2000);
    }
    bli_explainer_free(best);
}

/* --- The command ------------------------------------------------------------------------ */

static const struct {
    const char *name;
    void (*run)(bench *b);
} modes[] = {{"values", run_values},
             {"interactions", run_interactions},
             {"background", run_background},
             {"predict", run_predict},
             {"latency", run_latency}};

static void read_number(bench_options *o, const char *text)
{
    struct {
        const char *name;
        unsigned *value;
    } known[] = {{"depth", &o->depth},
                 {"rounds", &o->rounds},
                 {"leaves", &o->leaves},
                 {"classes", &o->classes},
                 {"dart", &o->dart},
                 {"rows", &o->rows},
                 {"features", &o->features},
                 {"threads", &o->threads},
                 {"repeats", &o->repeats},
                 {"truth", &o->truth},
                 {"background", &o->background},
                 {"seconds", &o->seconds},
                 {"portable", &o->portable}};
    for (size_t k = 0; k < BL_LEN(known); k++) {
        size_t length = strlen(known[k].name);
        if (strncmp(text, known[k].name, length) == 0 && text[length] == '=') {
            *known[k].value = (unsigned)strtoul(text + length + 1, NULL, 10);
            return;
        }
    }
    fprintf(stderr,
            "explain_bench: '%s' is neither a mode nor NAME=N; see the head of "
            "benchmarks/explain_bench.c\n",
            text);
    exit(64);
}

int main(int argc, char **argv)
{
    bench b = {.o = {.depth = 6,
                     .rounds = 100,
                     .features = 50,
                     .threads = 1,
                     .repeats = 5,
                     .background = 1000}};
    bool wanted[BL_LEN(modes)] = {false}, any = false;
    bench_must(argc > 1, "usage: explain_bench FILE|drawn [MODE]... [NAME=N]...");
    for (int i = 2; i < argc; i++) {
        size_t m = 0;
        while (m < BL_LEN(modes) && strcmp(argv[i], modes[m].name) != 0)
            m++;
        if (m < BL_LEN(modes))
            any = wanted[m] = true;
        else
            read_number(&b.o, argv[i]);
    }
    wanted[0] |= !any;
    omp_set_num_threads((int)b.o.threads);
    bench_set_new(argv[1], &b.o, &b.set);
    for (size_t m = 0; m < BL_LEN(modes); m++)
        if (wanted[m])
            modes[m].run(&b);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fit and transform of a plan over numbers in memory: plan_bench FILE ROWS COLUMNS PLAN. FILE holds
 * COLUMNS columns of ROWS doubles, one after the other; columns are named c0, c1, ... Prints one JSON
 * line: seconds of both steps, peak memory, and a sum over the matrix that the peer can be held to.
 */
#include "base/fs.h"
#include "base/machine.h"
#include "base/mem.h"
#include "preprocess/preprocess.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static int failed(const bl_err *err)
{
    fprintf(stderr, "plan_bench: %s\n", err->msg);
    return 1;
}

static bl_status read_columns(const char *path, uint64_t rows, size_t n, bl_frame *frame,
                              bl_err *err)
{
    FILE *file = fopen(path, "rb");
    bl_status st = file ? BL_OK : bli_fail(err, BL_E_IO, "'%s' cannot be read", path);
    for (size_t k = 0; st == BL_OK && k < n; k++) {
        void *block;
        st = bli_alloc((size_t)rows, sizeof(double), "a column", &block, err);
        if (st != BL_OK)
            break;
        frame->columns[k].numbers = block;
        if (fread(block, sizeof(double), (size_t)rows, file) != rows)
            st = bli_fail(err, BL_E_IO, "'%s' is too short", path);
    }
    if (file)
        fclose(file);
    return st;
}

static bl_status choose(const bl_frame_ask *ask, bl_frame *frame, size_t n, bl_err *err)
{
    bl_frame_want *wants = calloc(n, sizeof *wants);
    if (!wants)
        return bli_fail(err, BL_E_NOMEM, "no memory for %zu columns", n);
    bl_status st = ask->choose(ask->cookie, "memory", n,
                               (const char *const *)frame->file_columns, wants, err);
    for (size_t k = 0; k < n; k++)
        frame->columns[k].tag = frame->columns[k].place = k;
    free(wants);
    return st;
}

static double sum_of(const bl_matrix *matrix)
{
    double sum = 0;
    for (size_t b = 0; b < matrix->n_blocks; b++)
        for (size_t i = 0; i < matrix->blocks[b].n_rows * matrix->n_features; i++)
            if (!isnan(matrix->blocks[b].x[i]))
                sum += (double)matrix->blocks[b].x[i];
    return sum;
}

int main(int argc, char **argv)
{
    bl_err err = {0};
    bl_limits limits = bli_limits();
    bl_buf text = {0};
    bl_plan *plan = NULL;
    bl_transform *t = NULL;
    bl_schema *schema = NULL;
    bl_matrix *matrix = NULL;
    if (argc != 5)
        return fprintf(stderr, "usage: plan_bench FILE ROWS COLUMNS PLAN\n"), 64;
    uint64_t rows = strtoull(argv[2], NULL, 10);
    size_t n = (size_t)strtoull(argv[3], NULL, 10);
    bl_frame frame = {
        .has_header = true, .n_columns = n, .n_file_columns = n, .n_rows = rows};
    frame.columns = calloc(n, sizeof *frame.columns);
    frame.file_columns = calloc(n, sizeof *frame.file_columns);
    if (!frame.columns || !frame.file_columns)
        return 74;
    for (size_t k = 0; k < n; k++) {
        char name[32];
        snprintf(name, sizeof name, "c%zu", k);
        frame.columns[k].kind = BL_FRAME_NUMBER;
        frame.columns[k].name = strdup(name);
        frame.file_columns[k] = strdup(name);
    }
    bl_status st = read_columns(argv[1], rows, n, &frame, &err);
    if (st == BL_OK)
        st = bli_read_file(argv[4], 1 << 26, &text, &err);
    if (st == BL_OK)
        st = bli_plan_read("plan", text.data, text.n, &limits, &plan, &err);
    if (st == BL_OK)
        st = bli_transform_new(plan, &limits, &t, &err);
    if (st != BL_OK)
        return failed(&err);
    const bl_frame_ask ask = bli_transform_ask(t, false, false, NULL);
    st = choose(&ask, &frame, n, &err);
    double began = bli_seconds();
    if (st == BL_OK)
        st = bli_transform_fit(t, &frame, NULL, rows, &limits, NULL, &err);
    double fitted = bli_seconds();
    if (st == BL_OK)
        st = bli_transform_schema(t, &schema, &err);
    if (st == BL_OK)
        st = bli_transform_matrix(t, schema, &frame, NULL, 0, true, true, false, NULL,
                                  NULL, &matrix, &err);
    double ended = bli_seconds();
    if (st != BL_OK)
        return failed(&err);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"side\": \"boostlens\", \"fit\": %.4f, \"transform\": %.4f, \"peak_mb\": "
           "%.1f, "
           "\"sum\": %.9e}\n",
           fitted - began, ended - fitted, (double)usage.ru_maxrss / 1024,
           sum_of(matrix));
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rows in parts: put together again they are those of one table. */
#include "ingest_test.h"

#include "base/rng.h"

/* What came, part after part. */
typedef struct heap {
    uint64_t n_rows, n_parts, most;
    size_t n_features;
    float *x, *labels, *weights;
    bl_buf ids; /* "text\n" a row */
    uint64_t *groups;
    size_t n_groups;
    bool ended;
    double read;
    bool refuses;
} heap;

static void add(float **to, uint64_t used, const float *from, uint64_t n)
{
    *to = realloc(*to, (size_t)(used + n + 1) * sizeof **to);
    if (from && n)
        memcpy(*to + used, from, (size_t)n * sizeof **to);
}

static bl_status take(void *cookie, const bl_part *part, bl_err *err)
{
    heap *h = cookie;
    bl_table *table = part->table;
    const bl_roles *roles = &table->roles;
    CHECK(!h->ended && part->first_row == h->n_rows, "part %d", (int)h->n_parts);
    CHECK(table->n_rows <= h->most && (part->is_last || table->n_rows == h->most),
          "%d rows", (int)table->n_rows);
    CHECK(part->read >= h->read && part->read <= 1, "%g", part->read);
    if (h->refuses)
        return bli_fail(err, BL_E_LIMIT, "enough");
    h->read = part->read;
    h->ended = part->is_last;
    h->n_parts++;
    h->n_features = table->n_features;
    for (size_t b = 0; b < table->n_blocks; b++)
        add(&h->x, (h->n_rows + table->blocks[b].first_row) * h->n_features,
            table->blocks[b].x, table->blocks[b].n_rows * h->n_features);
    add(&h->labels, h->n_rows, roles->labels, table->n_rows);
    add(&h->weights, h->n_rows, roles->weights, table->n_rows);
    for (uint64_t r = 0; roles->n_ids && r < table->n_rows; r++) {
        const bl_text_column *id = &roles->ids[0];
        bli_buf_add(&h->ids, id->text + id->offset[r],
                    (size_t)(id->offset[r + 1] - id->offset[r]));
        bli_buf_char(&h->ids, '\n');
    }
    h->groups =
        realloc(h->groups, (h->n_groups + roles->n_groups + 1) * sizeof(uint64_t));
    for (size_t g = 0; g < roles->n_groups; g++) {
        if (g == 0 && roles->group_goes_on)
            h->groups[h->n_groups - 1] += roles->group_rows[0];
        else
            h->groups[h->n_groups++] = roles->group_rows[g];
    }
    h->n_rows += table->n_rows;
    return BL_OK;
}

static void forget(heap *h)
{
    free(h->x);
    free(h->labels);
    free(h->weights);
    free(h->groups);
    bli_buf_done(&h->ids);
    *h = (heap){0};
}

/* label, weight, group, id, two features; the header where `header`. */
static void write_rows(bl_buf *text, int n_rows, bool plain, bl_rng *rng)
{
    int group = 0;
    for (int r = 0; r < n_rows; r++) {
        if (bli_rng_below(rng, 4) == 0)
            group++;
        int x = (int)bli_rng_below(rng, 1000);
        if (plain)
            bli_buf_printf(text, "%d,%d,%d.5\n", r % 3, x, r);
        else
            bli_buf_printf(text, "%d,1,g%d,\"id %d\",%d,%s\n", r % 3, group, r, x,
                           x % 7 ? "2.25" : "");
    }
}

static void set_like(bench *b, bl_table_like *like)
{
    static const char *const types[] = {"q", "q"};
    *like = (bl_table_like){.n_features = 2, .types = types};
    b->ingest.like = like;
    b->settings.label_optional = true;
}

static void compare(bench *b, const char *text, uint64_t part_rows, size_t chunk_bytes)
{
    const bl_read_how how = {.chunk_bytes = chunk_bytes};
    heap h = {.most = part_rows};
    bl_table *rest = NULL;
    b->ingest.part = NULL;
    READ(b, text);
    b->ingest.part = take;
    b->ingest.part_cookie = &h;
    b->ingest.part_rows = part_rows;
    b->err = (bl_err){0};
    CHECK_OK(bli_ingest_text_how(&b->ingest, "t.csv", text, strlen(text), &how, &rest,
                                 &b->err),
             b->err);
    const bl_table *whole = b->table;
    CHECK(h.ended && h.n_rows == whole->n_rows && rest->n_rows == 0, "%d rows",
          (int)h.n_rows);
    CHECK(h.n_parts == whole->n_rows / part_rows + 1, "%d parts", (int)h.n_parts);
    for (uint64_t r = 0; r < whole->n_rows; r++)
        for (size_t f = 0; f < 2; f++)
            CELL_IS(whole, r, f, h.x[r * 2 + f]);
    CHECK(same_floats(h.labels, whole->roles.labels, whole->n_rows), "labels");
    CHECK(!whole->roles.weights ||
              same_floats(h.weights, whole->roles.weights, whole->n_rows),
          "weights");
    CHECK(h.n_groups == whole->roles.n_groups, "%zu groups", h.n_groups);
    for (size_t g = 0; g < h.n_groups; g++)
        CHECK(h.groups[g] == whole->roles.group_rows[g], "group %zu", g);
    for (uint64_t r = 0, at = 0; whole->roles.n_ids && r < whole->n_rows; r++) {
        const bl_text_column *id = &whole->roles.ids[0];
        size_t n = (size_t)(id->offset[r + 1] - id->offset[r]);
        CHECK(memcmp(h.ids.data + at, id->text + id->offset[r], n) == 0, "id");
        at += n + 1;
    }
    CHECK(rest->files.n == 1 && rest->files.file[0].n_rows == whole->n_rows &&
              strcmp(rest->files.file[0].sha256, whole->files.file[0].sha256) == 0,
          "files");
    for (size_t k = 0; k < 2; k++)
        CHECK(rest->columns[k].n_missing == whole->columns[k].n_missing, "counts");
    bli_table_free(rest);
    forget(&h);
    teardown(b);
}

static void test_parts_put_together_are_the_table(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(3);
    bl_table_like like;
    bench b;
    bl_column_ref id = {.index = 3};
    static const uint64_t parts[] = {1, 7, 64, 499, 500, 501, 4000};
    for (int plain = 0; plain < 2; plain++) {
        bl_buf text = {0};
        write_rows(&text, 500, plain, &rng);
        setup(&b);
        set_like(&b, &like);
        if (!plain) {
            b.settings.has_weight = b.settings.has_group = true;
            b.settings.weight.index = 1;
            b.settings.group.index = 2;
            b.settings.ids = (bl_column_refs){1, &id};
        }
        for (size_t i = 0; i < BL_LEN(parts); i++)
            for (size_t chunk = 50; chunk < 100000; chunk *= 10)
                compare(&b, text.data, parts[i], chunk);
        bli_buf_done(&text);
    }
}

static void test_a_label_missing_in_some_part_is_refused(void **state)
{
    (void)state;
    bl_table_like like;
    bench b;
    heap h = {.most = 2};
    setup(&b);
    set_like(&b, &like);
    b.ingest.part = take;
    b.ingest.part_cookie = &h;
    b.ingest.part_rows = 2;
    REFUSED(&b, "1,2,3\n1,2,3\n,2,3\n1,2,3\n", BL_E_DATA,
            "'t.csv', line 3: the label is missing, but other rows have one");
    forget(&h);
    h.most = 2;
    READ(&b, ",2,3\n,2,3\n,2,3\n");
    CHECK(h.n_rows == 3 && h.ended, "%d rows", (int)h.n_rows);
    HEARD(&b, "the label column is empty in every row");
    forget(&h);
    teardown(&b);
}

static void test_places_and_limits_are_of_all_rows(void **state)
{
    (void)state;
    bl_table_like like;
    bench b;
    heap h = {.most = 2};
    setup(&b);
    set_like(&b, &like);
    b.ingest.part = take;
    b.ingest.part_cookie = &h;
    b.ingest.part_rows = 2;
    b.limits.rows = 5;
    REFUSED(&b, "1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n1,2,3\n", BL_E_LIMIT,
            "'t.csv', line 6: more than 5 rows");
    CHECK(h.n_rows == 4, "%d rows", (int)h.n_rows);
    forget(&h);
    h = (heap){.most = 2, .refuses = true};
    REFUSED(&b, "1,2,3\n1,2,3\n1,2,3\n", BL_E_LIMIT, "enough");
    forget(&h);
    teardown(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_put_together_are_the_table),
        cmocka_unit_test(test_a_label_missing_in_some_part_is_refused),
        cmocka_unit_test(test_places_and_limits_are_of_all_rows),
    };
    return cmocka_run_group_tests_name("ingest parts", tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Without a plan: the table's columns are the model's, and nothing is fitted but their
 * levels. */
#include "preprocess/preprocess.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bl_status fit_feature(const bl_column *column, size_t i, bl_schema *schema,
                             bl_err *err)
{
    bl_feature *feature = &schema->features[i];
    char plain[32];
    snprintf(plain, sizeof plain, "f%zu", i);
    const char *name = schema->has_names && column->name ? column->name : plain;
    feature->type = column->type;
    feature->source = i;
    schema->has_types |= column->type_given || strcmp(column->type, "c") == 0;
    bl_status st = bli_strdup(name, &feature->name, err);
    if (st == BL_OK)
        st = bli_strdup(name, &schema->sources[i], err);
    if (st == BL_OK && column->levels)
        st = bli_levels_copy(column->levels, &feature->levels, err);
    return st;
}

bl_status bli_fit(const bl_table *train, bl_schema **ret_schema, bl_err *err)
{
    void *block, *features, *sources;
    bl_status st = bli_alloc(1, sizeof(bl_schema), "a schema", &block, err);
    if (st != BL_OK)
        return st;
    bl_schema *schema = block;
    size_t n = train->n_features;
    schema->has_header = train->has_header;
    schema->has_names = n > 0 && train->columns[0].name;
    st = bli_alloc(n, sizeof(bl_feature), "a schema", &features, err);
    if (st == BL_OK) {
        schema->features = features;
        schema->n_features = n;
        st = bli_alloc(n, sizeof(char *), "a schema", &sources, err);
    }
    if (st == BL_OK) {
        schema->sources = sources;
        schema->n_sources = n;
    }
    for (size_t i = 0; st == BL_OK && i < n; i++)
        st = fit_feature(&train->columns[i], i, schema, err);
    if (st == BL_OK)
        *ret_schema = schema;
    else
        bli_schema_free(schema);
    return st;
}

bl_status bli_apply(const bl_schema *schema, bl_table *table, bl_matrix **ret_matrix,
                    bl_err *err)
{
    if (table->n_features != schema->n_features)
        return bli_fail(err, BL_E_SHAPE, "%zu feature columns, the model has %zu",
                        table->n_features, schema->n_features);
    void *block;
    bl_status st = bli_alloc(1, sizeof(bl_matrix), "a matrix", &block, err);
    if (st != BL_OK)
        return st;
    bl_matrix *matrix = block;
    *matrix = (bl_matrix){.schema = schema,
                          .n_features = table->n_features,
                          .n_rows = table->n_rows,
                          .n_blocks = table->n_blocks,
                          .blocks = table->blocks,
                          .roles = table->roles,
                          .files = table->files};
    table->n_blocks = 0;
    table->blocks = NULL;
    table->roles = (bl_roles){0};
    table->files = (bl_files){0};
    *ret_matrix = matrix;
    return BL_OK;
}

bl_status bli_like_from_schema(const bl_schema *schema, bl_table_like *ret_like,
                               bl_err *err)
{
    size_t n = schema->n_features;
    void *names = NULL, *types = NULL, *levels = NULL;
    bl_status st = bli_alloc(n, sizeof(char *), "column names", &names, err);
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(char *), "column types", &types, err);
    if (st == BL_OK)
        st = bli_alloc(n, sizeof(bl_levels *), "column levels", &levels, err);
    if (st != BL_OK) {
        free(names);
        free(types);
        return st;
    }
    const char **name = names, **type = types;
    const bl_levels **level = levels;
    for (size_t i = 0; i < n; i++) {
        name[i] = schema->has_names ? schema->features[i].name : NULL;
        type[i] = schema->features[i].type;
        level[i] = schema->features[i].levels;
    }
    *ret_like = (bl_table_like){.n_features = n,
                                .has_header = schema->has_header,
                                .names = name,
                                .types = type,
                                .levels = level};
    return BL_OK;
}

void bli_like_done(bl_table_like *like)
{
    free((void *)(uintptr_t)like->names);
    free((void *)(uintptr_t)like->types);
    free((void *)(uintptr_t)like->levels);
    *like = (bl_table_like){0};
}

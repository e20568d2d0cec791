/* SPDX-License-Identifier: Apache-2.0 */
/* Names, kinds and levels of the model's columns, to JSON and back. */
#include "matrix/matrix.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

void bli_schema_free(bl_schema *schema)
{
    if (!schema)
        return;
    for (size_t i = 0; schema->features && i < schema->n_features; i++) {
        free(schema->features[i].name);
        bli_levels_free(schema->features[i].levels);
    }
    for (size_t i = 0; schema->sources && i < schema->n_sources; i++)
        free(schema->sources[i]);
    free(schema->features);
    free(schema->sources);
    free(schema);
}

bool bli_schema_is_plain(const bl_schema *schema)
{
    bool plain = schema->n_sources == schema->n_features;
    for (size_t i = 0; plain && i < schema->n_features; i++)
        plain = schema->features[i].source == i;
    return plain;
}

void bli_schema_write(const bl_schema *schema, bl_jw *jw)
{
    bli_jw_object(jw);
    bli_jw_key(jw, "has_names");
    bli_jw_bool(jw, schema->has_names);
    bli_jw_key(jw, "has_types");
    bli_jw_bool(jw, schema->has_types);
    bli_jw_key(jw, "has_header");
    bli_jw_bool(jw, schema->has_header);
    bli_jw_key(jw, "sources");
    bli_jw_list(jw, true);
    for (size_t i = 0; i < schema->n_sources; i++)
        bli_jw_text(jw, schema->sources[i]);
    bli_jw_list_end(jw);
    bli_jw_key(jw, "features");
    bli_jw_list(jw, false);
    for (size_t i = 0; i < schema->n_features; i++) {
        const bl_feature *feature = &schema->features[i];
        bli_jw_object(jw);
        bli_jw_key(jw, "name");
        bli_jw_text(jw, feature->name);
        bli_jw_key(jw, "type");
        bli_jw_text(jw, feature->type);
        bli_jw_key(jw, "source");
        bli_jw_int(jw, (int64_t)feature->source);
        if (feature->levels) {
            bli_jw_key(jw, "levels");
            bli_jw_list(jw, true);
            for (uint32_t code = 0; code < bli_levels_count(feature->levels); code++)
                bli_jw_text(jw, bli_levels_text(feature->levels, code));
            bli_jw_list_end(jw);
        }
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
}

/* The static text of a type, NULL where it is none. */
static const char *known_type(const char *type)
{
    static const char *const types[] = {"float", "q", "i", "int", "c"};
    for (size_t i = 0; type && i < BL_LEN(types); i++)
        if (strcmp(type, types[i]) == 0)
            return types[i];
    return NULL;
}

static bl_status read_levels(const json_t *list, bl_feature *feature, bl_err *err)
{
    if (!list)
        return BL_OK;
    if (!json_is_array(list))
        return bli_fail(err, BL_E_MODEL, "'levels' of a feature is no list");
    bl_status st = bli_levels_new(&feature->levels, err);
    for (size_t i = 0; st == BL_OK && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        uint32_t code;
        if (!text)
            return bli_fail(err, BL_E_MODEL, "level %zu of a feature is no text", i);
        st = bli_levels_add(feature->levels, text, strlen(text), UINT32_MAX, &code, err);
        if (st == BL_OK && code != i)
            st = bli_fail(err, BL_E_MODEL, "level %zu of a feature stands twice", i);
    }
    return st;
}

static bl_status read_feature(const json_t *object, size_t n_sources, bl_feature *feature,
                              bl_err *err)
{
    const char *name = json_string_value(json_object_get(object, "name"));
    const json_t *source = json_object_get(object, "source");
    feature->type = known_type(json_string_value(json_object_get(object, "type")));
    if (!name || !feature->type || !json_is_integer(source) ||
        json_integer_value(source) < 0 || (size_t)json_integer_value(source) >= n_sources)
        return bli_fail(err, BL_E_MODEL,
                        "a feature lacks its name, type or source, or they are wrong");
    feature->source = (size_t)json_integer_value(source);
    bl_status st = bli_strdup(name, &feature->name, err);
    return st == BL_OK ? read_levels(json_object_get(object, "levels"), feature, err)
                       : st;
}

static bl_status read_sources(const json_t *list, bl_schema *schema, bl_err *err)
{
    void *sources;
    size_t n = json_array_size(list);
    bl_status st = bli_alloc(n, sizeof(char *), "a schema", &sources, err);
    if (st != BL_OK)
        return st;
    schema->sources = sources;
    schema->n_sources = n;
    for (size_t i = 0; st == BL_OK && i < n; i++) {
        const char *name = json_string_value(json_array_get(list, i));
        st = name ? bli_strdup(name, &schema->sources[i], err)
                  : bli_fail(err, BL_E_MODEL, "source column %zu has no name", i);
    }
    return st;
}

bl_status bli_schema_read(const json_t *object, bl_schema **ret_schema, bl_err *err)
{
    const json_t *list = json_object_get(object, "features");
    const json_t *sources = json_object_get(object, "sources");
    if (!json_is_array(list) || !json_is_array(sources))
        return bli_fail(err, BL_E_MODEL, "the schema lacks 'features' or 'sources'");
    void *block, *features;
    bl_status st = bli_alloc(1, sizeof(bl_schema), "a schema", &block, err);
    if (st != BL_OK)
        return st;
    bl_schema *schema = block;
    schema->has_names = json_is_true(json_object_get(object, "has_names"));
    schema->has_types = json_is_true(json_object_get(object, "has_types"));
    schema->has_header = json_is_true(json_object_get(object, "has_header"));
    st = read_sources(sources, schema, err);
    if (st == BL_OK)
        st = bli_alloc(json_array_size(list), sizeof(bl_feature), "a schema", &features,
                       err);
    if (st == BL_OK) {
        schema->features = features;
        schema->n_features = json_array_size(list);
    }
    for (size_t i = 0; st == BL_OK && i < schema->n_features; i++)
        st = read_feature(json_array_get(list, i), schema->n_sources,
                          &schema->features[i], err);
    if (st == BL_OK)
        *ret_schema = schema;
    else
        bli_schema_free(schema);
    return st;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Which column is what: roles by the settings, features by what is left. */
#include "ingest/ingest_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *setting, *name;
} role_words[BL_N_ROLES] = {
    [BL_ROLE_FEATURE] = {"", "a feature"},
    [BL_ROLE_LABEL] = {"bl_label", "a label"},
    [BL_ROLE_WEIGHT] = {"bl_weight", "a weight"},
    [BL_ROLE_GROUP] = {"bl_group", "a group"},
    [BL_ROLE_LOWER] = {"bl_label_lower_bound", "a lower bound"},
    [BL_ROLE_UPPER] = {"bl_label_upper_bound", "an upper bound"},
    [BL_ROLE_MARGIN] = {"bl_base_margin", "a base margin"},
    [BL_ROLE_ID] = {"bl_id", "an id"},
    [BL_ROLE_DROP] = {"bl_drop", "nothing"},
};

const char *bli_role_name(bl_role role)
{
    return role_words[role].name;
}

void bli_layout_done(bl_layout *layout)
{
    for (size_t i = 0; layout->names && i < layout->n_columns; i++)
        free(layout->names[i]);
    free(layout->names);
    free(layout->uses);
    *layout = (bl_layout){0};
}

/* --- Names -------------------------------------------------------------------------- */

/* Column of each name: codes are positions, because names differ. */
static bl_status index_names(const bl_layout *layout, bl_levels **ret_index, bl_err *err)
{
    bl_levels *index;
    bl_status st = bli_levels_new(&index, err);
    if (st != BL_OK)
        return st;
    for (size_t i = 0; st == BL_OK && i < layout->n_columns; i++) {
        uint32_t code;
        st = bli_levels_add(index, layout->names[i], strlen(layout->names[i]), UINT32_MAX,
                            &code, err);
    }
    if (st != BL_OK) {
        bli_levels_free(index);
        return st;
    }
    *ret_index = index;
    return BL_OK;
}

static bl_status copy_names(bl_layout *layout, const bl_row_copy *row,
                            const char *const *names, bl_err *err)
{
    void *block;
    bl_status st =
        bli_alloc(layout->n_columns, sizeof(char *), "column names", &block, err);
    if (st != BL_OK)
        return st;
    layout->names = block;
    for (size_t i = 0; i < layout->n_columns; i++) {
        const char *text = row ? row->cells[i].text : names ? names[i] : NULL;
        if (!text)
            continue;
        layout->names[i] = strndup(text, row ? row->cells[i].n : strlen(text));
        if (!layout->names[i])
            return bli_fail(err, BL_E_NOMEM, "no memory for column names");
    }
    return BL_OK;
}

/* --- Roles -------------------------------------------------------------------------- */

typedef struct marker {
    const bl_ingest *ingest;
    bl_layout *layout;
    const bl_levels *index; /* NULL without a header */
    const char *name;       /* of the file */
    bool tolerant;          /* roles may lack: predict and explain */
} marker;

static bool may_lack(const marker *m, bl_role role)
{
    if (role == BL_ROLE_ID)
        return m->tolerant && m->ingest->settings->ids_optional;
    return m->tolerant && role != BL_ROLE_MARGIN;
}

static bl_status no_such_column(const marker *m, const bl_column_ref *ref, bl_role role,
                                bl_err *err)
{
    const char *setting = role_words[role].setting;
    char quoted[80];
    if (!ref->name)
        return bli_fail(err, BL_E_CONFIG,
                        "'%s' has %zu columns (0 to %zu), but %s names column %lld",
                        m->name, m->layout->n_columns, m->layout->n_columns - 1, setting,
                        (long long)ref->index);
    bli_quote(ref->name, strlen(ref->name), quoted, sizeof quoted);
    if (!m->index)
        return bli_fail(err, BL_E_CONFIG,
                        "%s names column '%s', but '%s' has no header; give its index, "
                        "counted from 0",
                        setting, quoted, m->name);
    const char *near = bli_nearest(ref->name, (const char *const *)m->layout->names,
                                   m->layout->n_columns);
    return bli_fail(err, BL_E_CONFIG, "%s names column '%s', which '%s' has not%s%s%s",
                    setting, quoted, m->name, near ? "; did you mean '" : "",
                    near ? near : "", near ? "'?" : "");
}

static size_t find_column(const marker *m, const bl_column_ref *ref)
{
    size_t n = m->layout->n_columns;
    if (ref->name) {
        uint32_t code = m->index ? bli_levels_find(m->index, ref->name, strlen(ref->name))
                                 : BL_NO_LEVEL;
        return code == BL_NO_LEVEL ? n : code;
    }
    return ref->index >= 0 && (uint64_t)ref->index < n ? (size_t)ref->index : n;
}

/* true where the column is a feature of the table that this one is like. */
static bool is_feature_of_like(const marker *m, size_t column)
{
    const bl_table_like *like = m->ingest->like;
    const char *name = m->layout->names[column];
    for (size_t k = 0; name && like && like->names && k < like->n_features; k++)
        if (like->names[k] && strcmp(like->names[k], name) == 0)
            return true;
    return false;
}

static bl_status mark(const marker *m, const bl_column_refs *refs, bl_role role,
                      bl_err *err)
{
    bl_layout *layout = m->layout;
    for (size_t k = 0; k < refs->n; k++) {
        size_t i = find_column(m, &refs->ref[k]);
        bool lacks = i == layout->n_columns, is_feature = false;
        /* `label 0` of a file that holds features only. */
        if (!lacks && m->tolerant && m->index && !refs->ref[k].name &&
            is_feature_of_like(m, i))
            lacks = is_feature = true;
        if (lacks && may_lack(m, role)) {
            layout->n_of[role] = 0;
            for (size_t j = 0; j < layout->n_columns; j++)
                if (layout->uses[j].role == role)
                    layout->uses[j].role = BL_ROLE_DROP;
            return BL_OK;
        }
        if (is_feature)
            return bli_fail(err, BL_E_CONFIG,
                            "%s names column %lld, which in '%s' is '%s', a feature",
                            role_words[role].setting, (long long)refs->ref[k].index,
                            m->name, layout->names[i]);
        if (lacks)
            return no_such_column(m, &refs->ref[k], role, err);
        bl_role other = layout->uses[i].role;
        if (other != BL_ROLE_FEATURE) {
            const char *column = layout->names[i];
            char number[32];
            snprintf(number, sizeof number, "%zu", i);
            return bli_fail(err, BL_E_CONFIG,
                            other == role ? "%s%.0s names column %s twice"
                                          : "%s and %s both name column %s",
                            role_words[other].setting, role_words[role].setting,
                            column ? column : number);
        }
        layout->uses[i] = (bl_use){role, k, i};
        layout->n_of[role]++;
    }
    return BL_OK;
}

static bl_status mark_all(const marker *m, bl_err *err)
{
    const bl_read_settings *s = m->ingest->settings;
    bl_column_ref weight = s->weight, group = s->group, lower = s->lower,
                  upper = s->upper;
    const struct {
        bl_column_refs refs;
        bl_role role;
    } all[] = {
        {s->labels, BL_ROLE_LABEL},
        {{s->has_weight, &weight}, BL_ROLE_WEIGHT},
        {{s->has_group, &group}, BL_ROLE_GROUP},
        {{s->has_lower, &lower}, BL_ROLE_LOWER},
        {{s->has_upper, &upper}, BL_ROLE_UPPER},
        {s->base_margins, BL_ROLE_MARGIN},
        {s->ids, BL_ROLE_ID},
        {s->drop, BL_ROLE_DROP},
    };
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < BL_LEN(all); i++)
        st = mark(m, &all[i].refs, all[i].role, err);
    return st;
}

/* --- Features ----------------------------------------------------------------------- */

static void number_features(bl_layout *layout)
{
    size_t k = 0;
    for (size_t i = 0; i < layout->n_columns; i++) {
        layout->uses[i].column = i;
        if (layout->uses[i].role == BL_ROLE_FEATURE)
            layout->uses[i].k = k++;
    }
    layout->n_of[BL_ROLE_FEATURE] = k;
}

static void all_features(bl_layout *layout)
{
    memset(layout->uses, 0, layout->n_columns * sizeof *layout->uses);
    memset(layout->n_of, 0, sizeof layout->n_of);
    number_features(layout);
}

static bl_status check_n_features(const marker *m, bl_err *err)
{
    const bl_table_like *like = m->ingest->like;
    size_t n = m->layout->n_of[BL_ROLE_FEATURE], n_columns = m->layout->n_columns;
    if (n == 0 && !like)
        return bli_fail(err, BL_E_DATA,
                        "'%s': no feature is left: %zu column%s, all with another role",
                        m->name, n_columns, n_columns == 1 ? "" : "s");
    if (!like || n == like->n_features)
        return BL_OK;
    return bli_fail(err, BL_E_DATA,
                    "'%s': %zu columns, of which %zu are features; expected are %zu "
                    "features, as in training",
                    m->name, n_columns, n, like->n_features);
}

/* The features of `like` by name, whatever their order; others are extra. */
static bl_status name_features(const marker *m, bl_err *err)
{
    const bl_table_like *like = m->ingest->like;
    bl_layout *layout = m->layout;
    size_t n_found = 0;
    bool *is_extra = calloc(layout->n_columns + 1, sizeof *is_extra);
    if (!is_extra)
        return bli_fail(err, BL_E_NOMEM, "no memory for column names");
    for (size_t i = 0; i < layout->n_columns; i++)
        is_extra[i] = layout->uses[i].role == BL_ROLE_FEATURE;
    bl_status st = BL_OK;
    for (size_t k = 0; st == BL_OK && k < like->n_features; k++) {
        const char *name = like->names[k];
        uint32_t i = bli_levels_find(m->index, name, strlen(name));
        if (i == BL_NO_LEVEL || layout->uses[i].role != BL_ROLE_FEATURE) {
            st = bli_fail(err, BL_E_DATA, "'%s' lacks column '%s', a feature in training",
                          m->name, name);
        } else {
            layout->uses[i].k = k;
            is_extra[i] = false;
            n_found++;
        }
    }
    size_t n_extra = 0, first = 0;
    for (size_t i = layout->n_columns; i-- > 0;) {
        layout->uses[i].column = i;
        if (is_extra[i]) {
            layout->uses[i].role = BL_ROLE_DROP;
            n_extra++, first = i;
        }
    }
    if (st == BL_OK && n_extra && !m->tolerant)
        st =
            bli_fail(err, BL_E_DATA,
                     "'%s' has column '%s', which the training data have not; name it in "
                     "bl_drop if it is to be left out",
                     m->name, layout->names[first]);
    else if (st == BL_OK && n_extra)
        bli_log(m->ingest->log, BL_WARNING, "ingest",
                "'%s': %zu column%s not in training, ignored (the first: '%s')", m->name,
                n_extra, n_extra == 1 ? "" : "s", layout->names[first]);
    layout->n_of[BL_ROLE_FEATURE] = n_found;
    free(is_extra);
    return st;
}

static bool has_all_names(const bl_table_like *like)
{
    for (size_t k = 0; k < like->n_features; k++)
        if (!like->names || !like->names[k])
            return false;
    return true;
}

bl_status bli_layout_make(const bl_ingest *ingest, const bl_probe *probe,
                          const char *name, bool header, bl_layout *ret_layout,
                          bl_err *err)
{
    const bl_table_like *like = ingest->like;
    bool by_like = like && like->n_file_columns && like->has_header && header;
    const bl_row_copy *row = &probe->rows[0];
    bl_layout layout = {.n_columns = by_like ? like->n_file_columns : row->n};
    bl_levels *index = NULL;
    void *uses = NULL;
    bl_status st = copy_names(&layout, header && !by_like ? row : NULL,
                              by_like ? like->file_columns : NULL, err);
    if (st == BL_OK)
        st = bli_alloc(layout.n_columns, sizeof(bl_use), "column roles", &uses, err);
    layout.uses = uses;
    if (st == BL_OK && header)
        st = index_names(&layout, &index, err);
    if (st != BL_OK)
        goto fail;
    marker m = {ingest, &layout, index, name,
                ingest->settings->label_optional && like && !by_like};
    if (!header && m.tolerant && row->n == like->n_features) {
        all_features(&layout);
    } else {
        st = mark_all(&m, err);
        if (st == BL_OK && header && like && !by_like && has_all_names(like))
            st = name_features(&m, err);
        else if (st == BL_OK)
            number_features(&layout);
        if (st == BL_OK)
            st = check_n_features(&m, err);
        if (st != BL_OK)
            goto fail;
    }
    bli_levels_free(index);
    *ret_layout = layout;
    return BL_OK;
fail:
    bli_levels_free(index);
    bli_layout_done(&layout);
    return st;
}

/* --- One file ----------------------------------------------------------------------- */

/* A role that this table's first file lacks is no role of the table. */
static bl_status drop_role(const bl_ingest *ingest, bl_layout *layout, size_t column,
                           const char *name, bl_err *err)
{
    bl_role role = layout->uses[column].role;
    bool needed = role == BL_ROLE_FEATURE || role == BL_ROLE_MARGIN ||
                  (role == BL_ROLE_ID && !ingest->settings->ids_optional);
    if (role == BL_ROLE_DROP)
        return BL_OK;
    if (needed || !ingest->settings->label_optional)
        return bli_fail(err, BL_E_DATA, "'%s' lacks column '%s' (%s)", name,
                        layout->names[column], bli_role_name(role));
    for (size_t i = 0; i < layout->n_columns; i++)
        if (layout->uses[i].role == role)
            layout->uses[i].role = BL_ROLE_DROP;
    layout->n_of[role] = 0;
    return BL_OK;
}

static bl_status map_by_name(const bl_ingest *ingest, bl_layout *layout, bool is_first,
                             const bl_row_copy *row, const char *name, bl_use *uses,
                             bool *seen, bl_err *err)
{
    bl_levels *index;
    bl_status st = index_names(layout, &index, err);
    if (st != BL_OK)
        return st;
    size_t n_extra = 0, extra = 0;
    for (size_t i = 0; i < row->n; i++) {
        uint32_t column = bli_levels_find(index, row->cells[i].text, row->cells[i].n);
        if (column == BL_NO_LEVEL) {
            uses[i] = (bl_use){BL_ROLE_DROP, 0, 0};
            extra = n_extra++ ? extra : i;
        } else {
            seen[column] = true;
            uses[i].column = column;
        }
    }
    bli_levels_free(index);
    for (size_t c = 0; st == BL_OK && c < layout->n_columns; c++)
        if (!seen[c])
            st = is_first || layout->uses[c].role == BL_ROLE_DROP
                     ? drop_role(ingest, layout, c, name, err)
                     : bli_fail(err, BL_E_DATA,
                                "'%s' lacks column '%s' of the other files; all files "
                                "have the same columns",
                                name, layout->names[c]);
    char text[80];
    if (st == BL_OK && n_extra) {
        bli_quote(row->cells[extra].text, row->cells[extra].n, text, sizeof text);
        if (!ingest->settings->label_optional)
            return bli_fail(err, BL_E_DATA,
                            "'%s' has column '%s', which %s; all files have the same "
                            "columns",
                            name, text,
                            is_first ? "the training data have not"
                                     : "the other files have not");
        bli_log(ingest->log, BL_WARNING, "ingest",
                "'%s': %zu column%s not in training, ignored (the first: '%s')", name,
                n_extra, n_extra == 1 ? "" : "s", text);
    }
    return st;
}

static bl_status map_by_place(const bl_layout *layout, const bl_row_copy *row,
                              const char *name, bl_use *uses, bl_err *err)
{
    if (row->n != layout->n_columns)
        return bli_fail(err, BL_E_DATA, "'%s', line %llu: %zu cell%s, expected %zu", name,
                        (unsigned long long)row->line, row->n, row->n == 1 ? "" : "s",
                        layout->n_columns);
    memcpy(uses, layout->uses, row->n * sizeof *uses);
    return BL_OK;
}

bl_status bli_layout_map(const bl_ingest *ingest, bl_layout *layout, bool is_first,
                         const bl_probe *probe, const char *name, bool header,
                         bl_use **ret_uses, bl_err *err)
{
    const bl_row_copy *row = &probe->rows[0];
    bl_use *uses = calloc(row->n + 1, sizeof *uses);
    bool *seen = calloc(layout->n_columns + 1, sizeof *seen);
    bl_status st = BL_OK;
    if (!uses || !seen) {
        st = bli_fail(err, BL_E_NOMEM, "no memory for column roles");
    } else if (!header) {
        st = map_by_place(layout, row, name, uses, err);
    } else {
        st = map_by_name(ingest, layout, is_first, row, name, uses, seen, err);
        for (size_t i = 0; st == BL_OK && i < row->n; i++)
            if (uses[i].role != BL_ROLE_DROP)
                uses[i] = layout->uses[uses[i].column];
    }
    free(seen);
    if (st != BL_OK) {
        free(uses);
        return st;
    }
    *ret_uses = uses;
    return BL_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Booster, tree method and updaters: which go together, and what each of them does not
 * take. */
#include "contract/contract_priv.h"

#include "base/mem.h"

#include <string.h>

static const struct {
    const char *updater, *method;
} growers[] = {{"grow_colmaker", "exact"},
               {"grow_histmaker", "approx"},
               {"grow_quantile_histmaker", "hist"}};

static const char *grower_method(const char *updater)
{
    for (size_t i = 0; i < BL_LEN(growers); i++)
        if (bli_is(updater, growers[i].updater))
            return growers[i].method;
    return NULL;
}

const char *bli_effective_method(const bl_values *values)
{
    const bl_value *updater = bli_given(values, "updater");
    const char *method = bli_choice_or_default(values, "tree_method");
    if (bli_is(bli_choice_or_default(values, "process_type"), "update"))
        return "exact"; /* refresh and prune walk rows of an ordinary matrix */
    for (size_t i = 0; updater && i < json_array_size(updater->items); i++) {
        const char *of =
            grower_method(json_string_value(json_array_get(updater->items, i)));
        if (of)
            return of;
    }
    return method;
}

static bl_status check_linear(const bl_values *values, const bl_job *job, bl_err *err)
{
    static const char *const trees_only[] = {"monotone_constraints",
                                             "interaction_constraints"};
    const bl_value *updater = bli_given(values, "updater");
    const char *selector = bli_choice_or_default(values, "feature_selector");
    const char *solver = "shotgun";
    if (updater) {
        solver = json_string_value(json_array_get(updater->items, 0));
        if (json_array_size(updater->items) != 1 ||
            !(bli_is(solver, "shotgun") || bli_is(solver, "coord_descent")))
            return bli_fail(
                err, BL_E_CONFIG,
                "updater is '%s'; booster gblinear takes exactly one of shotgun and "
                "coord_descent",
                updater->text);
    }
    if (bli_is(solver, "shotgun") && !bli_is(selector, "cyclic") &&
        !bli_is(selector, "shuffle"))
        return bli_fail(
            err, BL_E_CONFIG,
            "feature_selector %s needs updater coord_descent; updater %s takes "
            "cyclic and shuffle",
            selector, updater ? "shotgun" : "shotgun (the default)");
    if (job->read.enable_categorical || bli_lists(values, "bl_feature_types", "c"))
        return bli_fail(
            err, BL_E_CONFIG,
            "booster gblinear takes no categories: use gbtree, or leave %s out",
            job->read.enable_categorical ? "enable_categorical"
                                         : "type c in bl_feature_types");
    for (size_t i = 0; i < BL_LEN(trees_only); i++)
        if (bli_n_items(values, trees_only[i]))
            return bli_fail(err, BL_E_CONFIG,
                            "%s would have no effect with booster gblinear: use gbtree",
                            trees_only[i]);
    if (bli_is(bli_choice_or_default(values, "multi_strategy"), "multi_output_tree") ||
        bli_is(bli_choice_or_default(values, "process_type"), "update"))
        return bli_fail(err, BL_E_CONFIG,
                        "%s needs trees, and booster is gblinear: use gbtree",
                        bli_is(bli_choice_or_default(values, "process_type"), "update")
                            ? "process_type update"
                            : "multi_strategy multi_output_tree");
    return BL_OK;
}

static bl_status check_update(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *updater = bli_given(values, "updater");
    if (!updater)
        return bli_fail(err, BL_E_CONFIG,
                        "process_type update needs updater: refresh, prune or both");
    for (size_t i = 0; i < json_array_size(updater->items); i++) {
        const char *name = json_string_value(json_array_get(updater->items, i));
        if (!bli_is(name, "refresh") && !bli_is(name, "prune"))
            return bli_fail(
                err, BL_E_CONFIG,
                "updater is '%s'; with process_type update it takes refresh and "
                "prune, which change trees, and not %s",
                updater->text, name);
    }
    if (!job->channels[BL_CHANNEL_MODEL].present)
        return bli_fail(
            err, BL_E_CONFIG,
            "process_type update needs channel 'model', whose trees it updates");
    return BL_OK;
}

static bl_status check_updaters(const bl_values *values, bl_err *err)
{
    const bl_value *updater = bli_given(values, "updater");
    const bl_value *method = bli_given(values, "tree_method");
    const char *grower = NULL;
    for (size_t i = 0; updater && i < json_array_size(updater->items); i++) {
        const char *name = json_string_value(json_array_get(updater->items, i));
        if (bli_is(name, "shotgun") || bli_is(name, "coord_descent"))
            return bli_fail(
                err, BL_E_CONFIG,
                "updater %s is for booster gblinear; trees take grow_colmaker, "
                "grow_histmaker, grow_quantile_histmaker, refresh and prune",
                name);
        if (!grower_method(name)) {
            if (i == 0)
                return bli_fail(
                    err, BL_E_CONFIG,
                    "updater is '%s'; the first must grow a tree: grow_colmaker, "
                    "grow_histmaker or grow_quantile_histmaker (%s alone needs "
                    "process_type update)",
                    updater->text, name);
            continue;
        }
        if (grower)
            return bli_fail(err, BL_E_CONFIG,
                            "updater names both %s and %s; only one can grow the trees",
                            grower, name);
        grower = name;
        if (i > 0)
            return bli_fail(err, BL_E_CONFIG, "updater is '%s'; %s must stand first",
                            updater->text, name);
    }
    if (grower && method && !bli_is(method->choice, "auto") &&
        !bli_is(method->choice, grower_method(grower)))
        return bli_fail(
            err, BL_E_CONFIG,
            "updater %s is tree_method %s, but tree_method is %s: leave one out", grower,
            grower_method(grower), method->choice);
    return BL_OK;
}

static bl_status check_exact(const bl_values *values, const bl_job *job, bl_err *err)
{
    const bl_value *depth = bli_given(values, "max_depth");
    const bl_value *bynode = bli_given(values, "colsample_bynode");
    if (depth && depth->i == 0)
        return bli_fail(
            err, BL_E_CONFIG,
            "max_depth is 0, no bound, and tree_method exact needs one: give a "
            "depth of 1 or more, or use hist");
    if (bynode && bynode->d < 1)
        return bli_fail(
            err, BL_E_CONFIG,
            "colsample_bynode is '%s'; tree_method exact does not draw columns by "
            "node: leave it out, or use hist",
            bynode->text);
    if (bli_is(bli_choice_or_default(values, "sampling_method"), "gradient_based"))
        return bli_fail(
            err, BL_E_CONFIG,
            "sampling_method gradient_based has no effect with tree_method exact: "
            "use hist");
    if (job->read.enable_categorical || bli_lists(values, "bl_feature_types", "c"))
        return bli_fail(
            err, BL_E_CONFIG,
            "tree_method exact takes no categories: use hist, or leave %s out",
            job->read.enable_categorical ? "enable_categorical"
                                         : "type c in bl_feature_types");
    return BL_OK;
}

static bl_status check_trees(const bl_values *values, const bl_job *job, bl_err *err)
{
    const char *method = bli_effective_method(values);
    bool update = bli_is(bli_choice_or_default(values, "process_type"), "update");
    bl_status st = update ? check_update(values, job, err) : check_updaters(values, err);
    if (st != BL_OK)
        return st;
    if (bli_is(bli_choice_or_default(values, "multi_strategy"), "multi_output_tree") &&
        !bli_is(method, "hist") && !bli_is(method, "auto"))
        return bli_fail(
            err, BL_E_CONFIG,
            "multi_strategy multi_output_tree needs tree_method hist or auto; it is "
            "%s",
            update ? "an update" : method);
    return bli_is(method, "exact") && !update ? check_exact(values, job, err) : BL_OK;
}

bl_status bli_booster_check(const bl_values *values, const bl_job *job, bl_err *err)
{
    return bli_is(job->booster, "gblinear") ? check_linear(values, job, err)
                                            : check_trees(values, job, err);
}

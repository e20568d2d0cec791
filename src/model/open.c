/* SPDX-License-Identifier: Apache-2.0 */
/* From bytes to the parts of the document that reading and rewriting both look for. */
#include "model/model_priv.h"

#include "base/mem.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool begins(const unsigned char *bytes, size_t n, const char *text, size_t n_text)
{
    return n >= n_text && memcmp(bytes, text, n_text) == 0;
}

/* Before 1.0 the binary format began with its numbers at once; the names of objective and
 * booster follow soon. */
static bool is_bare_binary(const unsigned char *bytes, size_t n)
{
    static const char *const booster[] = {"gbtree", "gblinear", "dart"};
    size_t n_head = n < 512 ? n : 512;
    for (size_t i = 0; i < BL_LEN(booster); i++)
        if (memmem(bytes, n_head, booster[i], strlen(booster[i])))
            return true;
    return false;
}

/* One sentence on bytes that are something else. */
static bl_status no_ubjson(const unsigned char *bytes, size_t n, bl_err *err)
{
    if (n == 0)
        return bli_fail(err, BL_E_MODEL, "the model is empty (0 bytes)");
    if (n >= 2 && bytes[0] == 0x80 && bytes[1] <= 5)
        return bli_fail(
            err, BL_E_MODEL,
            "a Python pickle, which is never unpickled here: load it in the Python "
            "that wrote it and save the booster with save_model('model.ubj')");
    if (begins(bytes, n, "\x1f\x8b", 2))
        return bli_fail(err, BL_E_MODEL,
                        "a gzip file; unpack it and give the model inside");
    if (begins(bytes, n, "PK\x03\x04", 4))
        return bli_fail(err, BL_E_MODEL,
                        "a zip file; unpack it and give the model inside");
    if (n >= 2 && bytes[0] == '{' && bytes[1] != 'L')
        return bli_fail(
            err, BL_E_MODEL,
            "JSON where UBJSON is expected; XGBoost converts it by loading and "
            "saving as model.ubj");
    if (begins(bytes, n, "binf", 4) || begins(bytes, n, "bs64", 4) ||
        is_bare_binary(bytes, n))
        return bli_fail(
            err, BL_E_MODEL,
            "a model in XGBoost's old binary format, which XGBoost 3.1 gave up: "
            "load it with XGBoost 1.7 to 3.0 and save it as model.ubj");
    return bli_fail(
        err, BL_E_MODEL,
        "no XGBoost model: UBJSON begins with '{L', this with bytes %02x %02x", bytes[0],
        n > 1 ? bytes[1] : 0);
}

bl_status bli_open_model(const void *ubj, size_t n_bytes, const bl_limits *limits,
                         bl_ubj_doc **ret_doc, bl_ubj **ret_learner, bl_err *err)
{
    const unsigned char *bytes = ubj;
    if (n_bytes > limits->model_bytes)
        return bli_fail(err, BL_E_LIMIT, "the model has %zu bytes, the limit is %llu",
                        n_bytes, (unsigned long long)limits->model_bytes);
    if (n_bytes < 2 || bytes[0] != '{' || bytes[1] != 'L')
        return no_ubjson(bytes, n_bytes, err);
    bl_ubj_doc *doc = NULL;
    bl_status st = bli_ubj_read(ubj, n_bytes, limits->json_depth, &doc, err);
    if (st != BL_OK) {
        bli_err_prefix(err, "model");
        return st;
    }
    bl_ubj *top = bli_ubj_root(doc);
    bl_ubj *snapshot =
        bli_ubj_get(top, "Model"); /* a booster serialized with its settings */
    bl_ubj *learner = bli_ubj_get(snapshot ? snapshot : top, "learner");
    if (!learner || learner->kind != BL_UBJ_OBJECT) {
        bli_ubj_free(doc);
        return bli_fail(err, BL_E_MODEL,
                        "UBJSON, but no XGBoost model: it has no `learner`");
    }
    *ret_doc = doc;
    *ret_learner = learner;
    return BL_OK;
}

void bli_note_keys(const bl_ubj *object, const char *const *known, bl_unknown_keys *keys)
{
    if (!object || object->kind != BL_UBJ_OBJECT)
        return;
    for (const bl_ubj *m = object->u.first; m; m = m->next) {
        const char *const *k = known;
        while (*k && !bli_ubj_key_is(m, *k))
            k++;
        if (*k)
            continue;
        if (!keys->n++)
            bli_quote(m->key, m->key_n, keys->first, sizeof keys->first);
    }
}

bl_ubj *bli_tree_booster(const bl_ubj *learner)
{
    bl_ubj *booster = bli_ubj_get(learner, "gradient_booster");
    bl_ubj *inner = bli_ubj_get(booster, "gbtree"); /* DART up to 3.2 */
    return inner && !bli_ubj_get(booster, "model") ? inner : booster;
}

bl_ubj *bli_tree_weights(const bl_ubj *learner)
{
    bl_ubj *outer = bli_ubj_get(learner, "gradient_booster");
    bl_ubj *booster = bli_tree_booster(learner);
    bl_ubj *weights = bli_ubj_get(outer, "weight_drop");
    if (!weights)
        weights = bli_ubj_get(booster, "weight_drop");
    if (!weights)
        weights = bli_ubj_get(bli_ubj_get(booster, "model"), "weight_drop");
    return bli_ubj_is_list(weights) && weights->n ? weights : NULL;
}

size_t bli_list_length(const bl_ubj *text)
{
    size_t n = 1;
    for (size_t i = 0; i < text->n; i++)
        n += text->u.bytes[i] == ',';
    return n;
}

bl_status bli_read_base_score(const bl_ubj *param, float **ret_score, size_t *ret_n,
                              bl_err *err)
{
    const bl_ubj *node = bli_ubj_get(param, "base_score");
    if (!node || node->kind != BL_UBJ_TEXT)
        return bli_fail(err, BL_E_MODEL, "the model has no base_score");
    const char *at = (const char *)node->u.bytes, *end = at + node->n;
    void *score;
    bl_status st =
        bli_alloc(bli_list_length(node), sizeof(float), "base_score", &score, err);
    if (st != BL_OK)
        return st;
    size_t n = 0;
    while (at < end) {
        const char *stop = memchr(at, ',', (size_t)(end - at));
        const char *last = stop ? stop : end;
        const char *first = at;
        while (first < last && strchr(" \t\r\n[(", *first) && *first)
            first++;
        while (last > first && strchr(" \t\r\n])", last[-1]) && last[-1])
            last--;
        if (bli_read_float(first, (size_t)(last - first), &((float *)score)[n]) !=
            BL_NUMBER_OK)
            break;
        n++;
        at = stop ? stop + 1 : end;
    }
    if (at < end || n == 0) {
        char quoted[64];
        free(score);
        return bli_fail(
            err, BL_E_MODEL, "base_score '%s' is no number or list of numbers",
            bli_quote((const char *)node->u.bytes, node->n, quoted, sizeof quoted));
    }
    *ret_score = score;
    *ret_n = n;
    return BL_OK;
}

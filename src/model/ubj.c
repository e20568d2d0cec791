/* SPDX-License-Identifier: Apache-2.0 */
#include "model/ubj_priv.h"

#include "base/mem.h"
#include "base/text.h"
#include "model/ubj_doc_priv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct cursor {
    const unsigned char *begin, *at, *end;
    bl_ubj_doc *doc;
    uint64_t max_depth;
    bl_err *err;
} cursor;

static bl_status broken(const cursor *c, const unsigned char *at, const char *what)
{
    return bli_fail(c->err, BL_E_MODEL, "the UBJSON is damaged: byte %zu: %s",
                    (size_t)(at - c->begin), what);
}

static size_t left(const cursor *c)
{
    return (size_t)(c->end - c->at);
}

/* Bytes of one number of a type; 0 where it is none. */
static size_t number_size(char marker)
{
    switch (marker) {
    case 'i':
    case 'U':
    case 'C':
        return 1;
    case 'I':
        return 2;
    case 'l':
    case 'd':
        return 4;
    case 'L':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

static uint64_t big_endian(const unsigned char *at, size_t size)
{
    uint64_t value = 0;
    for (size_t i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

static bool is_real(char marker)
{
    return marker == 'd' || marker == 'D';
}

static double real_at(const unsigned char *at, char marker)
{
    if (marker == 'd') {
        uint32_t bits = (uint32_t)big_endian(at, 4);
        float value;
        memcpy(&value, &bits, sizeof value);
        return (double)value;
    }
    uint64_t bits = big_endian(at, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int64_t integer_at(const unsigned char *at, char marker)
{
    switch (marker) {
    case 'U':
        return at[0];
    case 'i':
    case 'C':
        return (int8_t)at[0];
    case 'I':
        return (int16_t)big_endian(at, 2);
    case 'l':
        return (int32_t)big_endian(at, 4);
    default:
        return (int64_t)big_endian(at, 8);
    }
}

/* 'L' and a length that the rest of the bytes can hold. */
static bl_status read_length(cursor *c, size_t least_size, size_t *ret_n)
{
    const unsigned char *begin = c->at;
    if (left(c) < 9 || c->at[0] != 'L')
        return broken(c, begin, "no length ('L' and 8 bytes) where one must be");
    int64_t n = integer_at(c->at + 1, 'L');
    c->at += 9;
    if (n < 0 || (uint64_t)n > left(c) / least_size)
        return broken(c, begin, "a length that goes beyond the end");
    *ret_n = (size_t)n;
    return BL_OK;
}

static bl_status read_value(cursor *c, uint64_t depth, bl_ubj *ret_node);

static bl_status new_node(const cursor *c, bl_ubj **ret_node)
{
    bl_ubj *node = bli_ubj_node(c->doc);
    if (!node)
        return bli_fail(c->err, BL_E_NOMEM, "no memory for the model's structure");
    *ret_node = node;
    return BL_OK;
}

static bl_status read_typed(cursor *c, bl_ubj *node)
{
    if (left(c) < 2 || !number_size((char)c->at[0]) || c->at[0] == 'C')
        return broken(c, c->at, "a typed array of no known type");
    char marker = (char)c->at[0];
    if (c->at[1] != '#')
        return broken(c, c->at + 1, "a typed array without a count");
    c->at += 2;
    size_t n = 0;
    bl_status st = read_length(c, number_size(marker), &n);
    if (st != BL_OK)
        return st;
    node->kind = BL_UBJ_TYPED;
    node->marker = marker;
    node->n = n;
    node->u.bytes = c->at;
    c->at += n * number_size(marker);
    return BL_OK;
}

static bl_status read_list(cursor *c, uint64_t depth, bl_ubj *node)
{
    if (left(c) && c->at[0] == '$') {
        c->at++;
        return read_typed(c, node);
    }
    node->kind = BL_UBJ_LIST;
    node->counted = left(c) && c->at[0] == '#';
    size_t n = 0;
    if (node->counted) {
        c->at++;
        bl_status st = read_length(c, 1, &n);
        if (st != BL_OK)
            return st;
    }
    bl_ubj **tail = &node->u.first;
    for (;;) {
        if (node->counted && node->n == n)
            return BL_OK;
        if (!node->counted && left(c) && c->at[0] == ']') {
            c->at++;
            return BL_OK;
        }
        bl_status st = new_node(c, tail);
        if (st == BL_OK)
            st = read_value(c, depth + 1, *tail);
        if (st != BL_OK)
            return st;
        tail = &(*tail)->next;
        node->n++;
    }
}

static bl_status read_object(cursor *c, uint64_t depth, bl_ubj *node)
{
    node->kind = BL_UBJ_OBJECT;
    bl_ubj **tail = &node->u.first;
    while (!left(c) || c->at[0] != '}') {
        size_t n = 0;
        bl_status st = read_length(c, 1, &n);
        if (st == BL_OK)
            st = new_node(c, tail);
        if (st != BL_OK)
            return st;
        (*tail)->key = (const char *)c->at;
        (*tail)->key_n = n;
        c->at += n;
        st = read_value(c, depth + 1, *tail);
        if (st != BL_OK)
            return st;
        tail = &(*tail)->next;
        node->n++;
    }
    c->at++;
    return BL_OK;
}

static bl_status read_number(cursor *c, char marker, bl_ubj *node)
{
    size_t size = number_size(marker);
    if (!size)
        return broken(c, c->at - 1, "a marker that XGBoost's UBJSON does not have");
    if (left(c) < size)
        return broken(c, c->at, "the bytes end within a number");
    node->marker = marker;
    if (is_real(marker)) {
        node->kind = BL_UBJ_REAL;
        node->u.real = real_at(c->at, marker);
    } else {
        node->kind = BL_UBJ_INT;
        node->u.integer = integer_at(c->at, marker);
    }
    c->at += size;
    return BL_OK;
}

static bl_status read_value(cursor *c, uint64_t depth, bl_ubj *node)
{
    if (!left(c))
        return broken(c, c->at, "the bytes end where a value must be");
    if (depth > c->max_depth)
        return bli_fail(c->err, BL_E_LIMIT, "byte %zu: nested deeper than %llu",
                        (size_t)(c->at - c->begin), (unsigned long long)c->max_depth);
    char marker = (char)*c->at++;
    switch (marker) {
    case '{':
        return read_object(c, depth, node);
    case '[':
        return read_list(c, depth, node);
    case 'Z':
        node->kind = BL_UBJ_NULL;
        return BL_OK;
    case 'T':
    case 'F':
        node->kind = BL_UBJ_BOOL;
        node->u.integer = marker == 'T';
        return BL_OK;
    case 'S': {
        node->kind = BL_UBJ_TEXT;
        bl_status st = read_length(c, 1, &node->n);
        if (st != BL_OK)
            return st;
        node->u.bytes = c->at;
        c->at += node->n;
        return BL_OK;
    }
    default:
        return read_number(c, marker, node);
    }
}

bl_status bli_ubj_read(const void *bytes, size_t n_bytes, uint64_t max_depth,
                       bl_ubj_doc **ret_doc, bl_err *err)
{
    bl_ubj_doc *doc = NULL;
    bl_status st = bli_ubj_doc_new(&doc, err);
    if (st != BL_OK)
        return st;
    cursor c = {.begin = bytes,
                .at = bytes,
                .end = (const unsigned char *)bytes + n_bytes,
                .doc = doc,
                .max_depth = max_depth,
                .err = err};
    st = read_value(&c, 0, bli_ubj_root(doc));
    if (st == BL_OK && left(&c))
        st = bli_fail(err, BL_E_MODEL, "the UBJSON is damaged: %zu bytes follow its end",
                      left(&c));
    if (st != BL_OK) {
        bli_ubj_free(doc);
        return st;
    }
    *ret_doc = doc;
    return BL_OK;
}

/* --- Looking things up -------------------------------------------------------------- */

bool bli_ubj_key_is(const bl_ubj *member, const char *key)
{
    return member->key_n == strlen(key) && memcmp(member->key, key, member->key_n) == 0;
}

bl_ubj *bli_ubj_get(const bl_ubj *object, const char *key)
{
    if (!object || object->kind != BL_UBJ_OBJECT)
        return NULL;
    for (bl_ubj *member = object->u.first; member; member = member->next)
        if (bli_ubj_key_is(member, key))
            return member;
    return NULL;
}

bool bli_ubj_is_text(const bl_ubj *node, const char *text)
{
    return node && node->kind == BL_UBJ_TEXT && node->n == strlen(text) &&
           memcmp(node->u.bytes, text, node->n) == 0;
}

bool bli_ubj_is_list(const bl_ubj *node)
{
    return node && (node->kind == BL_UBJ_LIST || node->kind == BL_UBJ_TYPED);
}

static bool whole(double value, int64_t *ret_value)
{
    if (!(value >= -9007199254740992.0 && value <= 9007199254740992.0) ||
        value != floor(value))
        return false;
    *ret_value = (int64_t)value;
    return true;
}

bool bli_ubj_int(const bl_ubj *node, int64_t *ret_value)
{
    if (!node)
        return false;
    switch (node->kind) {
    case BL_UBJ_INT:
    case BL_UBJ_BOOL:
        *ret_value = node->u.integer;
        return true;
    case BL_UBJ_REAL:
        return whole(node->u.real, ret_value);
    case BL_UBJ_TEXT:
        return bli_read_int((const char *)node->u.bytes, node->n, ret_value);
    default:
        return false;
    }
}

static void typed_floats(const unsigned char *at, size_t n, float *values)
{
    for (size_t i = 0; i < n; i++, at += 4) {
        uint32_t bits =
            (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
        memcpy(&values[i], &bits, sizeof bits);
    }
}

bool bli_ubj_floats(const bl_ubj *node, size_t n, float *values)
{
    if (!bli_ubj_is_list(node) || node->n != n)
        return false;
    if (node->kind == BL_UBJ_TYPED) {
        char marker = node->marker;
        size_t size = number_size(marker);
        if (marker == 'd')
            typed_floats(node->u.bytes, n, values);
        else
            for (size_t i = 0; i < n; i++)
                values[i] = is_real(marker)
                                ? (float)real_at(node->u.bytes + i * size, marker)
                                : (float)integer_at(node->u.bytes + i * size, marker);
        return true;
    }
    size_t i = 0;
    for (const bl_ubj *v = node->u.first; v; v = v->next, i++) {
        if (v->kind == BL_UBJ_REAL)
            values[i] = (float)v->u.real;
        else if (v->kind == BL_UBJ_INT)
            values[i] = (float)v->u.integer;
        else
            return false;
    }
    return true;
}

/* Element i of a typed array as a whole number. */
static bool typed_integer(const bl_ubj *node, size_t i, int64_t *ret_value)
{
    const unsigned char *at = node->u.bytes + i * number_size(node->marker);
    if (is_real(node->marker))
        return whole(real_at(at, node->marker), ret_value);
    *ret_value = integer_at(at, node->marker);
    return true;
}

bool bli_ubj_ints(const bl_ubj *node, size_t n, int32_t *values)
{
    if (!bli_ubj_is_list(node) || node->n != n)
        return false;
    if (node->kind == BL_UBJ_TYPED && node->marker == 'l') {
        const unsigned char *at = node->u.bytes;
        for (size_t i = 0; i < n; i++, at += 4)
            values[i] = (int32_t)((uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 |
                                  (uint32_t)at[2] << 8 | at[3]);
        return true;
    }
    const bl_ubj *item = node->kind == BL_UBJ_LIST ? node->u.first : NULL;
    for (size_t i = 0; i < n; i++) {
        int64_t value;
        bool ok = item ? bli_ubj_int(item, &value) : typed_integer(node, i, &value);
        if (!ok || value < INT32_MIN || value > INT32_MAX)
            return false;
        values[i] = (int32_t)value;
        item = item ? item->next : NULL;
    }
    return true;
}

bool bli_ubj_long_ints(const bl_ubj *node, size_t n, int64_t *values)
{
    if (!bli_ubj_is_list(node) || node->n != n)
        return false;
    const bl_ubj *item = node->kind == BL_UBJ_LIST ? node->u.first : NULL;
    for (size_t i = 0; i < n; i++) {
        if (!(item ? bli_ubj_int(item, &values[i]) : typed_integer(node, i, &values[i])))
            return false;
        item = item ? item->next : NULL;
    }
    return true;
}

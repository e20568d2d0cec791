/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of a document, changes to it, and its way back to bytes. */
#include "model/ubj_priv.h"

#include "base/mem.h"
#include "model/ubj_doc_priv.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_NODES = 1024 };

typedef struct chunk {
    struct chunk *older;
    size_t n;
    bl_ubj node[CHUNK_NODES];
} chunk;

/* Bytes made for a changed node. */
typedef struct piece {
    struct piece *older;
    unsigned char bytes[];
} piece;

struct bl_ubj_doc {
    bl_ubj root;
    chunk *chunks;
    piece *pieces;
};

bl_status bli_ubj_doc_new(bl_ubj_doc **ret_doc, bl_err *err)
{
    void *doc;
    bl_status st = bli_alloc(1, sizeof(bl_ubj_doc), "the model's structure", &doc, err);
    if (st == BL_OK)
        *ret_doc = doc;
    return st;
}

void bli_ubj_free(bl_ubj_doc *doc)
{
    if (!doc)
        return;
    while (doc->chunks) {
        chunk *older = doc->chunks->older;
        free(doc->chunks);
        doc->chunks = older;
    }
    while (doc->pieces) {
        piece *older = doc->pieces->older;
        free(doc->pieces);
        doc->pieces = older;
    }
    free(doc);
}

bl_ubj *bli_ubj_root(bl_ubj_doc *doc)
{
    return &doc->root;
}

bl_ubj *bli_ubj_node(bl_ubj_doc *doc)
{
    if (!doc->chunks || doc->chunks->n == CHUNK_NODES) {
        chunk *fresh = malloc(sizeof *fresh);
        if (!fresh)
            return NULL;
        fresh->older = doc->chunks;
        fresh->n = 0;
        doc->chunks = fresh;
    }
    bl_ubj *node = &doc->chunks->node[doc->chunks->n++];
    memset(node, 0, sizeof *node);
    return node;
}

static unsigned char *new_piece(bl_ubj_doc *doc, size_t n)
{
    piece *fresh = n > SIZE_MAX - sizeof *fresh ? NULL : malloc(sizeof *fresh + n);
    if (!fresh)
        return NULL;
    fresh->older = doc->pieces;
    doc->pieces = fresh;
    return fresh->bytes;
}

static bl_ubj *new_kind(bl_ubj_doc *doc, bl_ubj_kind kind)
{
    bl_ubj *node = bli_ubj_node(doc);
    if (node) {
        node->kind = kind;
        node->counted = true;
    }
    return node;
}

bl_ubj *bli_ubj_new_object(bl_ubj_doc *doc)
{
    return new_kind(doc, BL_UBJ_OBJECT);
}

bl_ubj *bli_ubj_new_list(bl_ubj_doc *doc)
{
    return new_kind(doc, BL_UBJ_LIST);
}

static bl_ubj *with_bytes(bl_ubj_doc *doc, bl_ubj_kind kind, char marker, size_t n,
                          size_t size, unsigned char **ret_bytes)
{
    size_t n_bytes;
    bl_ubj *node = new_kind(doc, kind);
    unsigned char *bytes = bli_mul(n, size, &n_bytes) ? new_piece(doc, n_bytes) : NULL;
    if (!node || !bytes)
        return NULL;
    node->marker = marker;
    node->n = n;
    node->u.bytes = bytes;
    *ret_bytes = bytes;
    return node;
}

bl_ubj *bli_ubj_new_text(bl_ubj_doc *doc, const char *text)
{
    unsigned char *bytes;
    size_t n = strlen(text);
    bl_ubj *node = with_bytes(doc, BL_UBJ_TEXT, 'S', n, 1, &bytes);
    if (node && n)
        memcpy(bytes, text, n);
    return node;
}

bl_ubj *bli_ubj_new_bytes(bl_ubj_doc *doc, const void *from, size_t n)
{
    unsigned char *bytes;
    bl_ubj *node = with_bytes(doc, BL_UBJ_TYPED, 'i', n, 1, &bytes);
    if (node && n)
        memcpy(bytes, from, n);
    return node;
}

static void put_big_endian(unsigned char *at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        at[i] = (unsigned char)(value >> (8 * (size - 1 - i)));
}

bl_ubj *bli_ubj_new_floats(bl_ubj_doc *doc, const float *values, size_t n)
{
    unsigned char *bytes;
    bl_ubj *node = with_bytes(doc, BL_UBJ_TYPED, 'd', n, 4, &bytes);
    for (size_t i = 0; node && i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &values[i], sizeof bits);
        put_big_endian(bytes + 4 * i, bits, 4);
    }
    return node;
}

bl_ubj *bli_ubj_new_ints(bl_ubj_doc *doc, const int32_t *values, size_t n)
{
    unsigned char *bytes;
    bl_ubj *node = with_bytes(doc, BL_UBJ_TYPED, 'l', n, 4, &bytes);
    for (size_t i = 0; node && i < n; i++)
        put_big_endian(bytes + 4 * i, (uint32_t)values[i], 4);
    return node;
}

/* Order of keys by bytes, as in XGBoost's ordered map. */
static int compare_key(const bl_ubj *member, const char *key, size_t n)
{
    size_t shared = member->key_n < n ? member->key_n : n;
    int order = memcmp(member->key, key, shared);
    if (order)
        return order;
    return member->key_n < n ? -1 : member->key_n > n;
}

bool bli_ubj_put(bl_ubj_doc *doc, bl_ubj *object, const char *key, bl_ubj *value)
{
    size_t n = strlen(key);
    unsigned char *own_key = new_piece(doc, n);
    if (!value || !own_key)
        return false;
    memcpy(own_key, key, n);
    bli_ubj_take(object, key);
    value->key = (const char *)own_key;
    value->key_n = n;
    bl_ubj **at = &object->u.first;
    while (*at && compare_key(*at, key, n) < 0)
        at = &(*at)->next;
    value->next = *at;
    *at = value;
    object->n++;
    return true;
}

bl_ubj *bli_ubj_take(bl_ubj *object, const char *key)
{
    for (bl_ubj **at = &object->u.first; *at; at = &(*at)->next) {
        bl_ubj *member = *at;
        if (!bli_ubj_key_is(member, key))
            continue;
        *at = member->next;
        member->next = NULL;
        object->n--;
        return member;
    }
    return NULL;
}

bool bli_ubj_append(bl_ubj *list, bl_ubj *last, bl_ubj *value)
{
    if (!value)
        return false;
    *(last ? &last->next : &list->u.first) = value;
    list->n++;
    return true;
}

/* --- Writing ------------------------------------------------------------------------ */

static void add_number(bl_buf *out, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    put_big_endian(bytes, value, size);
    bli_buf_add(out, bytes, size);
}

static void add_length(bl_buf *out, size_t n)
{
    bli_buf_char(out, 'L');
    add_number(out, n, 8);
}

static size_t integer_size(char marker)
{
    return marker == 'L' ? 8 : marker == 'l' ? 4 : marker == 'I' ? 2 : 1;
}

static void write_real(const bl_ubj *node, bl_buf *out)
{
    uint64_t bits = 0;
    if (node->marker == 'd') {
        /* A float read into a double: narrowing gives the very same one back. A
         * signalling NaN would come back quiet, which is why NaNs are refused where they
         * would matter. */
        float value = (float)node->u.real;
        uint32_t narrow;
        memcpy(&narrow, &value, sizeof narrow);
        bits = narrow;
    } else {
        memcpy(&bits, &node->u.real, sizeof bits);
    }
    bli_buf_char(out, node->marker);
    add_number(out, bits, node->marker == 'd' ? 4 : 8);
}

static void write_typed(const bl_ubj *node, bl_buf *out)
{
    size_t size = node->marker == 'd'   ? 4
                  : node->marker == 'D' ? 8
                                        : integer_size(node->marker);
    bli_buf_text(out, "[$");
    bli_buf_char(out, node->marker);
    bli_buf_char(out, '#');
    add_length(out, node->n);
    bli_buf_add(out, node->u.bytes, node->n * size);
}

static void write_list(const bl_ubj *node, bl_buf *out)
{
    bli_buf_char(out, '[');
    if (node->counted) {
        bli_buf_char(out, '#');
        add_length(out, node->n);
    }
    for (const bl_ubj *v = node->u.first; v; v = v->next)
        bli_ubj_write(v, out);
    if (!node->counted)
        bli_buf_char(out, ']');
}

static void write_object(const bl_ubj *node, bl_buf *out)
{
    bli_buf_char(out, '{');
    for (const bl_ubj *v = node->u.first; v; v = v->next) {
        add_length(out, v->key_n);
        bli_buf_add(out, v->key, v->key_n);
        bli_ubj_write(v, out);
    }
    bli_buf_char(out, '}');
}

void bli_ubj_write(const bl_ubj *node, bl_buf *out)
{
    switch (node->kind) {
    case BL_UBJ_NULL:
        bli_buf_char(out, 'Z');
        break;
    case BL_UBJ_BOOL:
        bli_buf_char(out, node->u.integer ? 'T' : 'F');
        break;
    case BL_UBJ_INT:
        bli_buf_char(out, node->marker);
        add_number(out, (uint64_t)node->u.integer, integer_size(node->marker));
        break;
    case BL_UBJ_REAL:
        write_real(node, out);
        break;
    case BL_UBJ_TEXT:
        bli_buf_char(out, 'S');
        add_length(out, node->n);
        bli_buf_add(out, node->u.bytes, node->n);
        break;
    case BL_UBJ_LIST:
        write_list(node, out);
        break;
    case BL_UBJ_TYPED:
        write_typed(node, out);
        break;
    case BL_UBJ_OBJECT:
        write_object(node, out);
        break;
    }
}

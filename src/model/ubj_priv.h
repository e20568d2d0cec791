/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UBJSON as XGBoost writes it (ubjson.org draft 12, a subset): big-endian numbers,
 * lengths always of type 'L', arrays counted or closed by ']', typed counted arrays of
 * numbers. A document is read into a tree of small nodes; texts and typed arrays stay in
 * the bytes that were read, so those must outlive the document. The tree can be changed
 * and written; what was not changed is written as it was read, byte for byte.
 */
#ifndef BL_MODEL_UBJ_PRIV_H
#define BL_MODEL_UBJ_PRIV_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

typedef enum bl_ubj_kind {
    BL_UBJ_NULL,
    BL_UBJ_BOOL,   /* integer 0 or 1 */
    BL_UBJ_INT,    /* markers i U I l L C */
    BL_UBJ_REAL,   /* markers d D */
    BL_UBJ_TEXT,   /* n bytes */
    BL_UBJ_LIST,   /* n values of any kind from first on */
    BL_UBJ_TYPED,  /* n numbers of type marker at bytes */
    BL_UBJ_OBJECT, /* n members from first on */
} bl_ubj_kind;

typedef struct bl_ubj {
    struct bl_ubj *next; /* in its list or object */
    const char *key;     /* of a member, not NUL-terminated */
    size_t key_n;
    size_t n;
    union {
        struct bl_ubj *first;
        const unsigned char *bytes;
        int64_t integer;
        double real;
    } u;
    bl_ubj_kind kind;
    char marker;  /* how a number is stored */
    bool counted; /* a list with its count in front */
} bl_ubj;

typedef struct bl_ubj_doc bl_ubj_doc;

/* BL_E_MODEL names the byte. Free: bli_ubj_free. */
bl_status bli_ubj_read(const void *bytes, size_t n_bytes, uint64_t max_depth,
                       bl_ubj_doc **ret_doc, bl_err *err);
void bli_ubj_free(bl_ubj_doc *doc);
bl_ubj *bli_ubj_root(bl_ubj_doc *doc);

/* All take NULL and give what stands for "not there". Where a key is there twice the
 * first counts, as for XGBoost. */
bl_ubj *bli_ubj_get(const bl_ubj *object, const char *key);
bool bli_ubj_is_text(const bl_ubj *node, const char *text);
bool bli_ubj_is_list(const bl_ubj *node); /* LIST or TYPED */
bool bli_ubj_key_is(const bl_ubj *member, const char *key);

/* A number, or a text that is one ("7"). false: neither, or no whole number. */
bool bli_ubj_int(const bl_ubj *node, int64_t *ret_value);

/* All n values of a list, whatever their types; false where node is no list of n numbers,
 * or a value does not fit (whole numbers; true and false count as 1 and 0). */
bool bli_ubj_floats(const bl_ubj *node, size_t n, float *ret_values);
bool bli_ubj_ints(const bl_ubj *node, size_t n, int32_t *ret_values);
bool bli_ubj_long_ints(const bl_ubj *node, size_t n, int64_t *ret_values);

/* --- Changing and writing ----------------------------------------------------------- */

/* Fresh nodes, owned by the document; NULL when out of memory. Bytes given are copied. */
bl_ubj *bli_ubj_new_object(bl_ubj_doc *doc);
bl_ubj *bli_ubj_new_list(bl_ubj_doc *doc);
bl_ubj *bli_ubj_new_text(bl_ubj_doc *doc, const char *text);
bl_ubj *bli_ubj_new_floats(bl_ubj_doc *doc, const float *values, size_t n);
bl_ubj *bli_ubj_new_ints(bl_ubj_doc *doc, const int32_t *values, size_t n);
bl_ubj *bli_ubj_new_bytes(bl_ubj_doc *doc, const void *bytes, size_t n); /* of type 'i' */

/* Sets a member: in place of the one of that key, else in the order of keys, which is how
 * XGBoost writes objects. Accepts NULL for value (out of memory) and then returns false.
 */
bool bli_ubj_put(bl_ubj_doc *doc, bl_ubj *object, const char *key, bl_ubj *value);
/* Takes the member out of its object and returns it; NULL where there is none. */
bl_ubj *bli_ubj_take(bl_ubj *object, const char *key);
/* Adds value behind `last`, the list's last value or NULL; takes NULL as bli_ubj_put
 * does. */
bool bli_ubj_append(bl_ubj *list, bl_ubj *last, bl_ubj *value);

void bli_ubj_write(const bl_ubj *node, bl_buf *out); /* errors: bli_buf_check */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this one whole UBJSON object, nothing missing and nothing after it? XGBoost's reader
 * does not look for the end of its bytes: a model file cut short in a download loads
 * without a word, or is read beyond its end. Source: the UBJSON specification, draft 12,
 * as far as XGBoost writes it (strings, numbers, true, false, null, objects, arrays with
 * $type and #count).
 */
#include "train/train_priv.h"

#include "base/limits.h"

typedef struct walk {
    const unsigned char *b;
    size_t n, at;
    uint64_t depth, max_depth;
} walk;

static bool value_of(walk *w, unsigned char type);

static bool take(walk *w, unsigned char *ret)
{
    if (w->at >= w->n)
        return false;
    *ret = w->b[w->at++];
    return true;
}

static bool skip(walk *w, uint64_t bytes)
{
    if (bytes > w->n - w->at)
        return false;
    w->at += (size_t)bytes;
    return true;
}

/* Bytes of a value of fixed size, 255 where the type has none. */
static unsigned fixed_size(unsigned char type)
{
    switch (type) {
    case 'Z':
    case 'T':
    case 'F':
        return 0;
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
        return 255;
    }
}

/* A count or length: an integer of its own type, big-endian, not negative. */
static bool count_of(walk *w, uint64_t *ret)
{
    unsigned char type, byte;
    if (!take(w, &type) ||
        (type != 'i' && type != 'U' && type != 'I' && type != 'l' && type != 'L'))
        return false;
    unsigned size = fixed_size(type);
    uint64_t value = 0;
    for (unsigned i = 0; i < size; i++) {
        if (!take(w, &byte))
            return false;
        if (i == 0 && type != 'U' && byte > 0x7f)
            return false;
        value = value << 8 | byte;
    }
    *ret = value;
    return true;
}

static bool text_of(walk *w)
{
    uint64_t n;
    return count_of(w, &n) && skip(w, n);
}

/* "$type" and "#count" after an opening bracket; *type 0 and *counted false where absent.
 */
static bool header_of(walk *w, unsigned char *type, bool *counted, uint64_t *count)
{
    *type = 0;
    *counted = false;
    if (w->at < w->n && w->b[w->at] == '$') {
        w->at++;
        if (!take(w, type))
            return false;
    }
    if (w->at < w->n && w->b[w->at] == '#') {
        w->at++;
        *counted = true;
        return count_of(w, count);
    }
    return *type == 0;
}

/* Members up to the closing bracket, or as many as were announced. */
static bool members_of(walk *w, bool object)
{
    unsigned char type, each;
    bool counted;
    uint64_t count = 0;
    if (!header_of(w, &type, &counted, &count))
        return false;
    unsigned size = type ? fixed_size(type) : 255;
    if (counted && !object && size != 255)
        return size == 0 || (count <= w->n / size && skip(w, count * size));
    for (uint64_t i = 0; !counted || i < count; i++) {
        if (!counted && w->at < w->n && w->b[w->at] == (object ? '}' : ']')) {
            w->at++;
            return true;
        }
        if (object && !text_of(w))
            return false;
        each = type;
        if (!each && !take(w, &each))
            return false;
        if (!value_of(w, each))
            return false;
    }
    return true;
}

static bool value_of(walk *w, unsigned char type)
{
    unsigned size = fixed_size(type);
    if (size != 255)
        return skip(w, size);
    if (type == 'S' || type == 'H')
        return text_of(w);
    if ((type != '{' && type != '[') || w->depth == w->max_depth)
        return false;
    w->depth++;
    bool whole = members_of(w, type == '{');
    w->depth--;
    return whole;
}

bool bli_ubj_is_whole(const void *bytes, size_t n)
{
    walk w = {.b = bytes, .n = n, .max_depth = bli_limits().json_depth};
    unsigned char first;
    return take(&w, &first) && first == '{' && value_of(&w, first) && w.at == n;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a checkpoint. Numbers are little-endian.
 *
 *   offset  bytes  what
 *   0       16     magic
 *   16      8      version
 *   24      8      n_state: bytes of the state
 *   32      8      n_numbers: doubles
 *   40      8      n_booster: bytes
 *   48      8      n_best: bytes
 *   56      64     SHA-256 of all other bytes of the file, hexadecimal
 *   120            state: JSON
 *                  numbers: the history [n_rounds][n_sets][n_metrics], then the best score
 *                  booster: XGBoosterSerializeToBuffer
 *                  best: the model of the best round (gblinear with early stopping)
 *
 * A file is taken as a whole or not at all: the sizes must add up to its length, and the
 * digest covers every byte but its own.
 */
#include "train/checkpoint_priv.h"

#include "base/digest.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1, DIGEST_AT = 56, HEADER = BL_CKPT_HEADER };

/* As PNG's: a byte beyond ASCII, both line ends and a control-Z show a file that went
 * through a text channel. */
static const unsigned char magic[16] = {0x89, 'b', 'o', 'o', 's',  't',  'l',  'e',
                                        'n',  's', 'C', 'K', '\r', '\n', 0x1a, '\n'};

/* --- Writing ------------------------------------------------------------------------ */

static void add_u64(bl_buf *out, uint64_t value)
{
    unsigned char byte[8];
    for (unsigned i = 0; i < 8; i++)
        byte[i] = (unsigned char)(value >> (8 * i));
    bli_buf_add(out, byte, sizeof byte);
}

static void add_double(bl_buf *out, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    add_u64(out, bits);
}

static void text_member(bl_jw *jw, const char *key, const char *value)
{
    bli_jw_key(jw, key);
    bli_jw_text(jw, value);
}

static void int_member(bl_jw *jw, const char *key, int64_t value)
{
    bli_jw_key(jw, key);
    bli_jw_int(jw, value);
}

static void bool_member(bl_jw *jw, const char *key, bool value)
{
    bli_jw_key(jw, key);
    bli_jw_bool(jw, value);
}

static void list_member(bl_jw *jw, const char *key, const char *const *text, size_t n)
{
    bli_jw_key(jw, key);
    bli_jw_list(jw, true);
    for (size_t i = 0; i < n; i++)
        bli_jw_text(jw, text[i]);
    bli_jw_list_end(jw);
}

static void write_state(const bl_ckpt *c, bl_buf *out)
{
    bl_jw jw = {.buf = out};
    bli_jw_object(&jw);
    text_member(&jw, "job", c->job_name);
    text_member(&jw, "xgboost", c->xgboost);
    text_member(&jw, "instructions", c->instructions);
    int_member(&jw, "nthread", c->nthread);
    int_member(&jw, "num_round", c->num_round);
    int_member(&jw, "first_round", c->first_round);
    bool_member(&jw, "foreign", c->foreign);
    int_member(&jw, "rounds", c->n_rounds);
    bool_member(&jw, "stopped_early", c->stopped_early);
    bool_member(&jw, "have_best", c->have_best);
    int_member(&jw, "best_iteration", c->have_best ? c->best_iteration : -1);
    list_member(&jw, "sets", c->set_names, c->n_sets);
    list_member(&jw, "metrics", c->metric_names, c->n_metrics);
    bli_jw_key(&jw, "items");
    bli_jw_object(&jw);
    for (size_t i = 0; i < c->n_items; i++)
        text_member(&jw, c->items[i].name, c->items[i].value);
    bli_jw_object_end(&jw);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
}

static bl_status seal(bl_buf *front, const bl_ckpt *c, bl_err *err)
{
    bl_digest *digest;
    char hex[BL_DIGEST_TEXT];
    bl_status st = bli_digest_new(&digest, err);
    if (st != BL_OK)
        return st;
    bli_digest_add(digest, front->data, DIGEST_AT);
    bli_digest_add(digest, front->data + HEADER, front->n - HEADER);
    bli_digest_add(digest, c->booster, c->n_booster);
    if (c->n_best_model)
        bli_digest_add(digest, c->best_model, c->n_best_model);
    st = bli_digest_end(digest, hex, err);
    bli_digest_free(digest);
    if (st == BL_OK)
        memcpy(front->data + DIGEST_AT, hex, BL_DIGEST_TEXT - 1);
    return st;
}

bl_status bli_ckpt_encode(const bl_ckpt *c, bl_buf *ret_front, bl_err *err)
{
    static const char no_digest[BL_DIGEST_TEXT] = {0};
    bl_buf state = {0}, front = {0};
    size_t n_numbers = (size_t)c->n_rounds * c->n_sets * c->n_metrics;
    write_state(c, &state);
    bl_status st = bli_buf_check(&state, "a checkpoint", err);
    bli_buf_add(&front, magic, sizeof magic);
    add_u64(&front, VERSION);
    add_u64(&front, state.n);
    add_u64(&front, n_numbers + 1);
    add_u64(&front, c->n_booster);
    add_u64(&front, c->n_best_model);
    bli_buf_add(&front, no_digest, BL_DIGEST_TEXT - 1);
    bli_buf_add(&front, state.data, state.n);
    for (size_t i = 0; i < n_numbers; i++)
        add_double(&front, c->history[i]);
    add_double(&front, c->have_best ? c->best_score : 0);
    bli_buf_done(&state);
    if (st == BL_OK)
        st = bli_buf_check(&front, "a checkpoint", err);
    if (st == BL_OK)
        st = seal(&front, c, err);
    if (st == BL_OK)
        *ret_front = front;
    else
        bli_buf_done(&front);
    return st;
}

/* --- Reading ------------------------------------------------------------------------ */

static uint64_t get_u64(const char *at)
{
    uint64_t value = 0;
    for (unsigned i = 8; i-- > 0;)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

typedef struct sizes {
    uint64_t state, numbers, booster, best;
} sizes;

/* Do the parts add up to n bytes, with no sum that wraps? */
static bool sizes_fit(const char *header, uint64_t n, sizes *ret)
{
    *ret = (sizes){get_u64(header + 24), get_u64(header + 32), get_u64(header + 40),
                   get_u64(header + 48)};
    uint64_t left = n - HEADER;
    const uint64_t parts[] = {ret->state, ret->booster, ret->best};
    for (size_t i = 0; i < BL_LEN(parts); i++) {
        if (parts[i] > left)
            return false;
        left -= parts[i];
    }
    return ret->numbers >= 1 && ret->numbers <= left / 8 && ret->numbers * 8 == left;
}

static bl_status digest_of(const bl_buf *bytes, char hex[BL_DIGEST_TEXT], bl_err *err)
{
    bl_digest *digest;
    bl_status st = bli_digest_new(&digest, err);
    if (st != BL_OK)
        return st;
    bli_digest_add(digest, bytes->data, DIGEST_AT);
    bli_digest_add(digest, bytes->data + HEADER, bytes->n - HEADER);
    st = bli_digest_end(digest, hex, err);
    bli_digest_free(digest);
    return st;
}

static bool get_text(const json_t *object, const char *key, const char **ret)
{
    const json_t *value = json_object_get(object, key);
    *ret = json_string_value(value);
    return *ret || json_is_null(value);
}

static bool get_count(const json_t *object, const char *key, int64_t low, int64_t *ret)
{
    const json_t *value = json_object_get(object, key);
    *ret = json_integer_value(value);
    return json_is_integer(value) && *ret >= low && *ret <= INT32_MAX;
}

static bool get_bool(const json_t *object, const char *key, bool *ret)
{
    const json_t *value = json_object_get(object, key);
    *ret = json_is_true(value);
    return json_is_boolean(value);
}

static bool get_names(const json_t *list, const char **names)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!(names[i] = json_string_value(json_array_get(list, i))))
            return false;
    return true;
}

/* The members of the state that are no lists. */
static bool read_plain(bl_ckpt *c)
{
    const json_t *o = c->head;
    return get_text(o, "job", &c->job_name) && get_text(o, "xgboost", &c->xgboost) &&
           c->xgboost && get_text(o, "instructions", &c->instructions) &&
           c->instructions && get_count(o, "nthread", 1, &c->nthread) &&
           get_count(o, "num_round", 1, &c->num_round) &&
           get_count(o, "first_round", 0, &c->first_round) &&
           get_bool(o, "foreign", &c->foreign) &&
           get_count(o, "rounds", 1, &c->n_rounds) &&
           get_bool(o, "stopped_early", &c->stopped_early) &&
           get_bool(o, "have_best", &c->have_best) &&
           get_count(o, "best_iteration", -1, &c->best_iteration) &&
           c->have_best == (c->best_iteration >= 0) &&
           c->best_iteration < c->first_round + c->n_rounds;
}

static bool read_lists(bl_ckpt *c)
{
    const json_t *sets = json_object_get(c->head, "sets");
    const json_t *metrics = json_object_get(c->head, "metrics");
    json_t *items = json_object_get(c->head, "items");
    if (!json_is_array(sets) || !json_is_array(metrics) || !json_is_object(items))
        return false;
    c->n_sets = json_array_size(sets);
    c->n_metrics = json_array_size(metrics);
    if (c->n_sets < 1 || c->n_sets > BL_CKPT_MAX_SETS || !get_names(sets, c->set_names) ||
        !get_names(metrics, c->own_names))
        return false;
    c->metric_names = c->own_names;
    const char *name;
    json_t *value;
    json_object_foreach(items, name, value)
    {
        if (!json_is_string(value))
            return false;
        c->own_items[c->n_items++] =
            (bl_checkpoint_item){.name = name, .value = json_string_value(value)};
    }
    c->items = c->own_items;
    return true;
}

static bl_status new_lists(bl_ckpt *c, uint64_t n_numbers, bl_err *err)
{
    void *items, *names, *numbers;
    size_t n_items = json_object_size(json_object_get(c->head, "items"));
    size_t n_names = json_array_size(json_object_get(c->head, "metrics"));
    bl_status st =
        bli_alloc(n_items, sizeof(bl_checkpoint_item), "a checkpoint", &items, err);
    if (st != BL_OK)
        return st;
    c->own_items = items;
    st = bli_alloc(n_names, sizeof(char *), "a checkpoint", &names, err);
    if (st != BL_OK)
        return st;
    c->own_names = names;
    st = bli_alloc((size_t)n_numbers, sizeof(double), "a checkpoint", &numbers, err);
    if (st == BL_OK)
        c->own_history = numbers;
    return st;
}

static void read_numbers(bl_ckpt *c, uint64_t n, const char *at)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t bits = get_u64(at + 8 * i);
        memcpy(&c->own_history[i], &bits, sizeof bits);
    }
    c->history = c->own_history;
    c->best_score = c->own_history[n - 1];
}

/* The parts of a file whose digest is right. *ret_good false: it was made by something
 * that is not this program. */
static bl_status read_parts(bl_ckpt *c, const sizes *n, bool *ret_good, bl_err *err)
{
    const char *at = c->bytes.data + HEADER;
    *ret_good = false;
    bl_status st = bli_json_parse(at, (size_t)n->state, &c->head, NULL);
    if (st != BL_OK)
        return st == BL_E_NOMEM ? bli_fail(err, st, "no memory for a checkpoint") : BL_OK;
    st = new_lists(c, n->numbers, err);
    if (st != BL_OK || !read_plain(c) || !read_lists(c))
        return st;
    if (n->numbers - 1 != (uint64_t)c->n_rounds * c->n_sets * c->n_metrics ||
        n->booster == 0)
        return BL_OK;
    at += n->state;
    read_numbers(c, n->numbers, at);
    at += 8 * n->numbers;
    c->booster = at;
    c->n_booster = (size_t)n->booster;
    c->best_model = at + n->booster;
    c->n_best_model = (size_t)n->best;
    *ret_good = true;
    return BL_OK;
}

uint64_t bli_ckpt_front_bytes(const char *header, uint64_t n)
{
    uint64_t state = get_u64(header + 24);
    if (memcmp(header, magic, sizeof magic) != 0 || n < HEADER || state > n - HEADER ||
        state > bli_limits().config_bytes)
        return 0;
    return HEADER + state;
}

bl_status bli_ckpt_decode_state(bl_buf *take_front, bl_ckpt *ret_ckpt,
                                bl_ckpt_kind *ret_kind, bl_err *err)
{
    bl_ckpt c = {.bytes = *take_front};
    *take_front = (bl_buf){0};
    bl_ckpt_kind kind = BL_CKPT_TORN;
    bl_status st = BL_OK;
    if (c.bytes.n < sizeof magic || memcmp(c.bytes.data, magic, sizeof magic) != 0) {
        kind = BL_CKPT_FOREIGN;
    } else if (c.bytes.n >= HEADER && get_u64(c.bytes.data + 16) != VERSION) {
        kind = BL_CKPT_NEWER;
    } else if (c.bytes.n > HEADER &&
               bli_json_parse(c.bytes.data + HEADER, c.bytes.n - HEADER, &c.head, NULL) ==
                   BL_OK) {
        st = new_lists(&c, 1, err);
        if (st == BL_OK && read_plain(&c) && read_lists(&c))
            kind = BL_CKPT_OURS;
    }
    if (st != BL_OK || kind != BL_CKPT_OURS)
        bli_ckpt_done(&c);
    if (st == BL_OK) {
        *ret_ckpt = c;
        *ret_kind = kind;
    }
    return st;
}

static bl_ckpt_kind look(const bl_buf *bytes, sizes *ret_sizes, char why[BL_CKPT_WHY])
{
    if (bytes->n < sizeof magic || memcmp(bytes->data, magic, sizeof magic) != 0) {
        snprintf(why, BL_CKPT_WHY, "it was not written by boostlens");
        return BL_CKPT_FOREIGN;
    }
    if (bytes->n >= 24 && get_u64(bytes->data + 16) != VERSION) {
        snprintf(why, BL_CKPT_WHY,
                 "it is of format %" PRIu64 ", this program reads format %d",
                 get_u64(bytes->data + 16), VERSION);
        return BL_CKPT_NEWER;
    }
    if (bytes->n < HEADER || !sizes_fit(bytes->data, bytes->n, ret_sizes)) {
        snprintf(why, BL_CKPT_WHY, "it is torn: its %zu bytes are not what it announces",
                 bytes->n);
        return BL_CKPT_TORN;
    }
    return BL_CKPT_OURS;
}

bl_status bli_ckpt_decode(bl_buf *take_bytes, bl_ckpt *ret_ckpt, bl_ckpt_kind *ret_kind,
                          char why[BL_CKPT_WHY], bl_err *err)
{
    bl_ckpt c = {.bytes = *take_bytes};
    *take_bytes = (bl_buf){0};
    sizes n;
    bl_status st = BL_OK;
    bl_ckpt_kind kind = look(&c.bytes, &n, why);
    if (kind == BL_CKPT_OURS) {
        char hex[BL_DIGEST_TEXT];
        bool good = false;
        st = digest_of(&c.bytes, hex, err);
        if (st == BL_OK && memcmp(hex, c.bytes.data + DIGEST_AT, BL_DIGEST_TEXT - 1) != 0)
            snprintf(why, BL_CKPT_WHY, "it is damaged: its SHA-256 is another");
        else if (st == BL_OK) {
            st = read_parts(&c, &n, &good, err);
            snprintf(why, BL_CKPT_WHY, "its state has an unknown form");
        }
        if (!good)
            kind = BL_CKPT_TORN;
    }
    if (st != BL_OK || kind != BL_CKPT_OURS)
        bli_ckpt_done(&c);
    if (st == BL_OK) {
        *ret_ckpt = c;
        *ret_kind = kind;
    }
    return st;
}

void bli_ckpt_done(bl_ckpt *c)
{
    json_decref(c->head);
    bli_buf_done(&c->bytes);
    free(c->own_items);
    free(c->own_names);
    free(c->own_history);
    *c = (bl_ckpt){0};
}

/* --- Comparing ---------------------------------------------------------------------- */

static const char *value_of(const bl_checkpoint_item *items, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(items[i].name, name) == 0)
            return items[i].value;
    return NULL;
}

/* One item that differs, in words; NULL: not there. */
static void tell_item(const char *name, const char *ours, const char *theirs,
                      char out[BL_ERR_BYTES])
{
    char a[81], b[81];
    if (strncmp(name, "channel ", 8) == 0)
        snprintf(out, BL_ERR_BYTES,
                 ours && theirs
                     ? "%s holds other data than when the checkpoint was written"
                 : ours ? "%s is new: the checkpoint's job had none"
                        : "%s is missing: the checkpoint's job had one",
                 name);
    else
        snprintf(out, BL_ERR_BYTES, "%s is %s, the checkpoint's job had %s", name,
                 ours ? bli_quote(ours, strlen(ours), a, sizeof a) : "not given",
                 theirs ? bli_quote(theirs, strlen(theirs), b, sizeof b) : "none");
}

bool bli_ckpt_differs(const bl_ckpt *c, const bl_checkpoints *place, int64_t num_round,
                      char out[BL_ERR_BYTES])
{
    for (size_t i = 0; i < place->n_items; i++) {
        const bl_checkpoint_item *item = &place->items[i];
        const char *theirs = value_of(c->items, c->n_items, item->name);
        if (!theirs || strcmp(theirs, item->value) != 0) {
            tell_item(item->name, item->value, theirs, out);
            return true;
        }
    }
    for (size_t i = 0; i < c->n_items; i++)
        if (!value_of(place->items, place->n_items, c->items[i].name)) {
            tell_item(c->items[i].name, NULL, c->items[i].value, out);
            return true;
        }
    if (num_round < c->num_round) {
        snprintf(out, BL_ERR_BYTES,
                 "num_round is %" PRId64 ", less than the %" PRId64
                 " of the checkpoint's job (more would be fine)",
                 num_round, c->num_round);
        return true;
    }
    return false;
}

bool bli_ckpt_same_name(const bl_ckpt *c, const bl_checkpoints *place)
{
    return !c->job_name || !place->job_name || strcmp(c->job_name, place->job_name) == 0;
}

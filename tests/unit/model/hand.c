/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "hand.h"

#include <jansson.h>
#include <stdlib.h>

const char stump[] =
    "{'learner':{'attributes':{},'feature_names':[],'feature_types':[],"
    "'gradient_booster':{'model':{'gbtree_model_param':{'num_parallel_tree':'1',"
    "'num_trees':'1'},'iteration_indptr':[0,1],'tree_info':[0],'trees':["
    "{'base_weights':[0.0,1.0,2.0],'categories':[],'categories_nodes':[],"
    "'categories_segments':[],'categories_sizes':[],'default_left':[1,0,0],'id':0,"
    "'left_children':[1,-1,-1],'loss_changes':[3.0,0.0,0.0],'parents':[2147483647,0,0],"
    "'right_children':[2,-1,-1],'split_conditions':[0.5,1.0,2.0],'split_indices':[0,0,0],"
    "'split_type':[0,0,0],'sum_hessian':[10.0,10.0,0.0],"
    "'tree_param':{'num_deleted':'0','num_feature':'2','num_nodes':'3',"
    "'size_leaf_vector':'1'}}]},'name':'gbtree'},"
    "'learner_model_param':{'base_score':'[0E0]','boost_from_average':'1','num_class':'0'"
    ","
    "'num_feature':'2','num_target':'1'},"
    "'objective':{'name':'reg:squarederror','reg_loss_param':{'scale_pos_weight':'1'}}},"
    "'version':[3,4,1]}";

static void add_big(bl_buf *out, uint64_t value, int size)
{
    for (int i = size - 1; i >= 0; i--)
        bli_buf_char(out, (char)(value >> (8 * i) & 0xff));
}

static void add_counted(bl_buf *out, const char *bytes, size_t n)
{
    bli_buf_char(out, 'L');
    add_big(out, n, 8);
    bli_buf_add(out, bytes, n);
}

static void add_float(bl_buf *out, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bli_buf_char(out, 'd');
    add_big(out, bits, 4);
}

static void convert(const json_t *value, bl_buf *out)
{
    const char *key;
    json_t *item;
    size_t i;
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        bli_buf_char(out, '{');
        void *at = json_object_iter((json_t *)(uintptr_t)value);
        for (; at; at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
            key = json_object_iter_key(at);
            add_counted(out, key, strlen(key));
            convert(json_object_iter_value(at), out);
        }
        bli_buf_char(out, '}');
        break;
    case JSON_ARRAY:
        bli_buf_char(out, '[');
        json_array_foreach(value, i, item) convert(item, out);
        bli_buf_char(out, ']');
        break;
    case JSON_STRING:
        if (strcmp(json_string_value(value), "NaN") == 0) {
            add_float(out, NAN);
        } else {
            bli_buf_char(out, 'S');
            add_counted(out, json_string_value(value), json_string_length(value));
        }
        break;
    case JSON_INTEGER:
        bli_buf_char(out, 'L');
        add_big(out, (uint64_t)json_integer_value(value), 8);
        break;
    case JSON_REAL:
        add_float(out, (float)json_real_value(value));
        break;
    case JSON_TRUE:
        bli_buf_char(out, 'T');
        break;
    case JSON_FALSE:
        bli_buf_char(out, 'F');
        break;
    case JSON_NULL:
        bli_buf_char(out, 'Z');
        break;
    }
}

bl_buf ubjson(const char *text)
{
    char *quoted = strdup(text);
    assert_non_null(quoted);
    for (char *c = quoted; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_error_t error;
    json_t *value = json_loads(quoted, JSON_DECODE_ANY, &error);
    CHECK(value, "%s at %d in %s", error.text, error.position, quoted);
    bl_buf out = {0};
    convert(value, &out);
    json_decref(value);
    free(quoted);
    return out;
}

const char *replaced(const char *text, const char *find, const char *with)
{
    static char room[2][16384];
    static int turn;
    char *out = room[turn = !turn];
    size_t n = 0;
    CHECK(strstr(text, find), "no '%s' to replace", find);
    while (*text) {
        CHECK(n + strlen(with) + 1 < sizeof room[0], "text too long");
        if (strncmp(text, find, strlen(find)) == 0) {
            memcpy(out + n, with, strlen(with));
            n += strlen(with);
            text += strlen(find);
        } else {
            out[n++] = *text++;
        }
    }
    out[n] = '\0';
    return out;
}

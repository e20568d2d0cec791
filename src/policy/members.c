/* SPDX-License-Identifier: Apache-2.0 */
/* Members of documents as people and services write them. */
#include "policy/policy_priv.h"

#include <string.h>

const json_t *bli_member(const json_t *object, const char *name, bool camel)
{
    char small[64];
    size_t n = strlen(name);
    if (!camel || n >= sizeof small)
        return json_object_get(object, name);
    memcpy(small, name, n + 1);
    if (small[0] >= 'A' && small[0] <= 'Z')
        small[0] = (char)(small[0] - 'A' + 'a');
    return json_object_get(object, small);
}

const char *bli_text_of(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && text[strspn(text, " \t\r\n")] ? text : NULL;
}

size_t bli_n_values(const json_t *value)
{
    if (json_is_array(value))
        return json_array_size(value);
    return value && !json_is_null(value) ? 1 : 0;
}

const json_t *bli_value_at(const json_t *value, size_t i)
{
    return json_is_array(value) ? json_array_get(value, i) : value;
}

json_t *bli_iterable(const json_t *object)
{
    return (json_t *)(uintptr_t)object;
}

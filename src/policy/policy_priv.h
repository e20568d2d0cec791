/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef BL_POLICY_POLICY_PRIV_H
#define BL_POLICY_POLICY_PRIV_H

#include "policy/policy.h"

#include <stdbool.h>

/* A place in a document, for messages. */
typedef struct bl_at {
    char text[192];
} bl_at;
bl_at bli_at(const char *outer, const char *fmt, ...) BL_PRINTF(2, 3);

/* Adds a finding; memory that runs out is remembered in lint. */
void bli_found(bl_lint *lint, const char *rule, const char *at, const char *write,
               const char *fmt, ...) BL_PRINTF(5, 6);

/* --- members.c: members of documents -------------------------------------------------------- */

/* CloudTrail writes names with a small first letter. */
const json_t *bli_member(const json_t *object, const char *name, bool camel);
/* Text that says something: not empty, not blanks. NULL else. */
const char *bli_text_of(const json_t *value);
/* A value, or each of a list of values: how IAM writes. */
size_t bli_n_values(const json_t *value);
const json_t *bli_value_at(const json_t *value, size_t i);
/* For json_object_foreach, which takes no const; not to be changed. */
json_t *bli_iterable(const json_t *object);

/* --- request.c ---------------------------------------------------------------------------- */

void bli_lint_training(bl_lint *lint, const json_t *request, bool camel, const char *at);
void bli_lint_tuning(bl_lint *lint, const json_t *request, bool camel, const char *at);
void bli_lint_processing(bl_lint *lint, const json_t *request, bool camel,
                         const char *at);

/* --- iam.c: what a policy allows ------------------------------------------------------------ */

/* State of a condition key in a request. */
typedef enum bl_key_state {
    BL_KEY_GOOD,   /* there, with the value the policy wants */
    BL_KEY_ABSENT, /* not in the request */
    BL_KEY_OTHER   /* there, with another value; of a yes-or-no key: false */
} bl_key_state;

typedef struct bl_key {
    const char *name; /* lower case */
    bl_key_state state;
    bool is_bool;
} bl_key;

typedef struct bl_call {
    const char *action;   /* "sagemaker:CreateTrainingJob" */
    const char *service;  /* of the resource: "sagemaker", "s3" */
    const char *resource; /* type ("training-job"); NULL: any object of a bucket */
    const bl_key *keys;
    size_t n_keys;
} bl_call;

/* Index of a statement that may allow the call where no Deny is sure to stop it; -1: none. What
 * the policy asks of keys that are not in `keys` counts as met by an Allow, as not met by a Deny
 * (but an exception made for some callers is not taken to hold for all). */
int bli_allowed_by(const json_t *policy, const bl_call *call);

/* Is there a Deny that stops this call for everybody? */
bool bli_is_denied(const json_t *policy, const bl_call *call);

/* The first statement that speaks of the action and has the key in its condition; -1: none. */
int bli_speaks_of(const json_t *policy, const bl_call *call, const char *key);

const json_t *bli_statement(const json_t *policy, size_t i);
size_t bli_n_statements(const json_t *policy);
bool bli_statement_has_action(const json_t *statement, const char *action);
bool bli_has_effect(const json_t *statement, const char *effect);
bool bli_has_condition_on(const json_t *statement, const char *key);
/* Does a condition of these kinds hold that can only hold for callers the owner knows? */
bool bli_is_restricted(const json_t *statement);
/* Glob of IAM: * and ?. */
bool bli_glob(const char *pattern, const char *text, bool nocase);
bool bli_is_known_operator(const char *name);

/* --- role.c, bucket.c ------------------------------------------------------------------------ */

void bli_lint_statements(bl_lint *lint, const json_t *policy, const char *at);
void bli_lint_role(bl_lint *lint, const json_t *policy, const char *at);
void bli_lint_bucket(bl_lint *lint, const json_t *policy, const char *at);
void bli_lint_trust(bl_lint *lint, const json_t *policy, const char *at);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is what is sent to AWS as secure as it must be: requests of CreateTrainingJob and
 * CreateProcessingJob, policies of roles and buckets, trust policies, CloudTrail events. Nothing is
 * asked of AWS: only the document counts. What a document does not show (a bucket's default
 * encryption, a key's own policy, an organisation's policies) is not known here.
 *
 * Rules, by name:
 *
 *   unreadable, json, document          no such file, no JSON, or of no kind known here
 *   member-name, type                   a member AWS would not read: its case, or text for a number
 *   vpc, volume-key, output-key,
 *   isolation, inter-container          a job without it
 *   volume-key-refused                  a key for an instance type that takes none
 *   spot-checkpoint, spot-wait          Spot without a place for checkpoints; a wait shorter than the run
 *   remote-debug, secret                a shell into the job; a credential in Environment
 *   X-not-demanded, X-demand-undone     a role policy lets a job start without X (the five above); undone:
 *                                       a statement seems to demand it, and another one, or the way its
 *                                       condition treats an absent key, lets the job through
 *   admin, allow-not-action, any-bucket, service-wildcard, pass-role    a role policy that is too wide
 *   effect, element, operator           a statement that does not say what it seems to say
 *   vpc-endpoint, public, tls, sse-kms  a bucket policy
 *   trust-anyone, confused-deputy       a trust policy
 */
#ifndef BL_POLICY_POLICY_H
#define BL_POLICY_POLICY_H

#include "base/json.h"

#include <stddef.h>

typedef struct bl_finding {
    char *rule;
    char *
        at; /* where in the document: "ResourceConfig", "Statement[2].Condition", "line 3, column 7" */
    char *found; /* a sentence without its full stop */
    char *write; /* what to write instead, JSON where possible */
} bl_finding;

typedef struct bl_lint {
    char *
        kind; /* "CreateTrainingJob request", "role policy", ...; several: joined by ", " */
    size_t n, cap;
    bl_finding *finding; /* in the order of the document's rules */
    bool failed;         /* memory ran out */
} bl_lint;

/*
 * Looks at one document: a request, a Describe* answer, a policy, an event, a list of these, or anything
 * that holds some of them at any depth (what the aws command and CloudTrail print, CloudFormation in
 * JSON, the definition of a pipeline or a state machine).
 *
 * ret_lint  done with bli_lint_done. What cannot be read is a finding too.
 *
 * Returns BL_OK, BL_E_NOMEM.
 */
bl_status bli_lint_document(const char *text, size_t n, bl_lint *ret_lint, bl_err *err);
/* A document that could not be had: one finding, with the reason. */
bl_status bli_lint_unreadable(const char *reason, bl_lint *ret_lint, bl_err *err);
void bli_lint_done(bl_lint *lint);

/* One finding a line: `NAME: RULE: AT: FOUND; write WRITE`. */
void bli_lint_text(const bl_lint *lint, const char *name, bl_buf *out);

/* {"file", "kind", "findings": [{"rule", "at", "found", "write"}]} as an element of a list. */
void bli_lint_json(const bl_lint *lint, const char *name, bl_jw *jw);

#endif

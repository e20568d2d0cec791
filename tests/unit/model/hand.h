/* SPDX-License-Identifier: Apache-2.0 */
/* Small models made by hand: one JSON-like text, turned into the UBJSON that the reader takes. */
#ifndef BL_TESTS_UNIT_MODEL_HAND_H
#define BL_TESTS_UNIT_MODEL_HAND_H

#include "base/buf.h"
#include "model/model.h"

/*
 * The JSON of text as UBJSON: whole numbers as 'L', others as 'd' (nan and inf by name), lists
 * closed by ']'. Fails the test where text is no JSON. Free with bli_buf_done.
 */
bl_buf ubjson(const char *text);

/* The text with `find` replaced by `with` everywhere; fails where it is not there. Static
 * storage, overwritten by the next call but one. */
const char *replaced(const char *text, const char *find, const char *with);

/* A regression model of one tree: f0 < 0.5 (missing left), leaves 1 and 2. */
extern const char stump[];

#endif

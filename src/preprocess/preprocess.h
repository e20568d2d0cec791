/* SPDX-License-Identifier: Apache-2.0 */
/* bl_table -> bl_matrix. Without a plan the columns of the table are the columns of the
 * model; blocks are taken over, not copied. */
#ifndef BL_PREPROCESS_PREPROCESS_H
#define BL_PREPROCESS_PREPROCESS_H

#include "ingest/ingest.h"
#include "matrix/matrix.h"

/* The schema that the training table fixes. Free: bli_schema_free. */
bl_status bli_fit(const bl_table *train, bl_schema **ret_schema, bl_err *err);

/* Takes the rows out of the table, which keeps its columns, and gives them in the
 * schema's columns. */
bl_status bli_apply(const bl_schema *schema, bl_table *table, bl_matrix **ret_matrix,
                    bl_err *err);

/* What other tables are read like, where only a saved schema is left of the first one. Lends
 * from the schema; the arrays are the result's: bli_like_done. */
bl_status bli_like_from_schema(const bl_schema *schema, bl_table_like *ret_like,
                               bl_err *err);
void bli_like_done(bl_table_like *like);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Where the nodes of a document live; for ubj.c and ubj_write.c only. */
#ifndef BL_MODEL_UBJ_DOC_PRIV_H
#define BL_MODEL_UBJ_DOC_PRIV_H

#include "model/ubj_priv.h"

bl_status bli_ubj_doc_new(bl_ubj_doc **ret_doc, bl_err *err);
/* A zeroed node; NULL when out of memory. */
bl_ubj *bli_ubj_node(bl_ubj_doc *doc);

#endif

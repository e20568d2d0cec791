/* SPDX-License-Identifier: Apache-2.0 */
/* The second view: values summed over the features of each source column. */
#include "report/h5_priv.h"

#include "base/mem.h"

#include <string.h>

/* Where a source column makes several features, or several make one: a view of its own. */
bl_status bli_h5_map_sources(bl_h5 *h5, const bl_schema *schema, bl_err *err)
{
    void *memory;
    h5->options.n_sources = 0;
    if (bli_schema_is_plain(schema))
        return BL_OK;
    bl_status status =
        bli_alloc(h5->n_features, sizeof(size_t), "source columns", &memory, err);
    if (status)
        return status;
    h5->source = memory;
    h5->options.n_sources = schema->n_sources;
    for (size_t f = 0; f < h5->n_features; f++)
        h5->source[f] = schema->features[f].source;
    return BL_OK;
}

/* Sums over the features of each source column, in double, in the order of the features: of a
 * few float32 values they are exact. */
void bli_h5_put_sources(const bl_h5 *h5, const bl_batch *batch, uint64_t first,
                        uint64_t n, double *out)
{
    size_t n_features = h5->n_features, n_outputs = h5->n_outputs;
    size_t width = h5->options.n_sources * n_outputs;
#pragma omp parallel for schedule(static) num_threads(h5->pool.n_threads)
    for (uint64_t i = 0; i < n; i++) {
        const float *phi = batch->phi + (first + i) * n_outputs * (n_features + 1);
        double *to = out + i * width;
        memset(to, 0, width * sizeof *to);
        for (size_t f = 0; f < n_features; f++)
            for (size_t k = 0; k < n_outputs; k++)
                to[h5->source[f] * n_outputs + k] +=
                    (double)phi[k * (n_features + 1) + f];
    }
}

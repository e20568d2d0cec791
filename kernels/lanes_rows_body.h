/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What surrounds the SHAP kernel of a vector variant: which leaf each row ends in, rows to columns,
 * float32 sums to double. A part of shap_lanes_body.h, which includes it.
 */
/* --- Which leaf --------------------------------------------------------------------- */

INLINE W pick_of(const blk_lanes_block *b, const blk_pick *p, int i, size_t row, W left,
                 W right)
{
    const float *x = b->x + p->split[i].x[b->plane] * b->stride + row;
    V threshold = all(p->split[i].threshold);
    EACH_VECTOR left.v[u] =
        v_pick(m_lt(v_load(x + u * VL), threshold), left.v[u], right.v[u]);
    return left;
}

INLINE W pick_two(const blk_lanes_block *b, const blk_pick *p, int i, size_t row,
                  int value)
{
    return pick_of(b, p, i, row, w_all(all(p->value[value])),
                   w_all(all(p->value[value + 1])));
}

static void pick_eight(const blk_lanes_block *b, const blk_pick *p, float *out)
{
    for (size_t row = 0; row < b->n_rows; row += STEP) {
        W left =
            pick_of(b, p, 1, row, pick_two(b, p, 3, row, 0), pick_two(b, p, 4, row, 2));
        W right =
            pick_of(b, p, 2, row, pick_two(b, p, 5, row, 4), pick_two(b, p, 6, row, 6));
        w_store(out + row, pick_of(b, p, 0, row, left, right));
    }
}

static void pick_single(const blk_lanes_block *b, const blk_pick *p, float *out,
                        const float *other)
{
    W value = w_all(all(p->value[0]));
    for (size_t row = 0; row < b->n_rows; row += STEP) {
        W w;
        switch (p->code) {
        case BLK_PICK_PAIR:
            w = pick_two(b, p, 0, row, 0);
            break;
        case BLK_PICK_SLOTS:
            w = pick_of(b, p, 0, row, w_load(out + row), w_load(other + row));
            break;
        case BLK_PICK_LEFT:
            w = pick_of(b, p, 0, row, value, w_load(out + row));
            break;
        default:
            w = pick_of(b, p, 0, row, w_load(out + row), value);
        }
        w_store(out + row, w);
    }
}

static void pick_leaves(const blk_lanes_block *b, const char *picks, float *leaf)
{
    float *columns = slot_at(b, 1); /* SHAP's slot 0 keeps its root */
    for (const blk_pick *p = (const blk_pick *)picks; p->code != BLK_PICK_END;
         p = (const blk_pick *)((const char *)p + p->bytes)) {
        float *out = p->out ? columns + p->out * b->stride : leaf;
        if (p->code == BLK_PICK_EIGHT)
            pick_eight(b, p, out);
        else
            pick_single(b, p, out, columns + p->other * b->stride);
    }
}

static void add_leaves(size_t n_rows, const float *leaf, float weight, float *margin,
                       double *exact)
{
    double weight_exact = (double)weight;
    for (size_t r = 0; r < n_rows; r++) {
        margin[r] += leaf[r] * weight;
        exact[r] += (double)leaf[r] * weight_exact;
    }
}

/* Both columns are padded to STEP, and the padding is nobody's. */
static void add_margins(size_t n_rows, const float *leaf, float weight, float *margin)
{
    V w = all(weight);
    for (size_t r = 0; r < n_rows; r += STEP)
        EACH_VECTOR v_store(
            margin + r + u * VL,
            v_add(v_load(margin + r + u * VL), v_mul(v_load(leaf + r + u * VL), w)));
}

/* --- Rows to columns ---------------------------------------------------------------------- */

/* A step of rows at a time, so that a column is written in runs. */
static uint32_t start(const blk_lanes_block *b, const float *rows, size_t row_stride,
                      const uint32_t *used, size_t n_used)
{
    size_t padded = (b->n_rows + STEP - 1) / STEP * STEP;
    int missing = 0;
    for (size_t r = 0; r < padded; r += STEP)
        for (size_t i = 0; i < n_used; i++) {
            float *column = b->x + i * b->stride + r;
            for (size_t j = 0; j < STEP; j++) {
                size_t row = r + j < b->n_rows ? r + j : b->n_rows - 1;
                float value = rows[row * row_stride + used[i]];
                column[j] = value;
                missing |= value != value;
            }
        }
    for (size_t i = 0; missing && i < n_used; i++) {
        float *low = b->x + i * b->stride, *high = low + n_used * b->stride;
        for (size_t r = 0; r < padded; r++) {
            float value = low[r];
            low[r] = value != value ? -INFINITY : value;
            high[r] = value != value ? INFINITY : value;
        }
    }
    for (size_t r = 0; r < padded / VL; r++)
        m_store(b->activity + r * MB, m_all());
    return (uint32_t)missing;
}

static void flush(const blk_lanes_block *b, size_t n_used, double *sums)
{
    float *phi = b->phi;
    for (size_t i = 0; i < n_used * b->stride; i++) {
        sums[i] += (double)phi[i];
        phi[i] = 0;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/machine.h"
#include "base/rng.h"
#include "base/rows.h"

#include <sched.h>

static void test_draws_are_the_published_ones(void **state)
{
    (void)state;
    /* splitmix64 from seed 0: the first values of the authors' reference program. */
    bl_rng rng = bli_rng(0);
    static const uint64_t want[] = {UINT64_C(0xe220a8397b1dcdaf),
                                    UINT64_C(0x6e789e6aa1b965f4),
                                    UINT64_C(0x06c45d188009454f)};
    for (int i = 0; i < 3; i++) {
        uint64_t got = bli_rng_next(&rng);
        CHECK(got == want[i], "%d: %llx", i, (unsigned long long)got);
    }
}

static void test_draws_below_a_bound_are_uniform(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(5);
    double counts[7] = {0};
    for (int i = 0; i < 70000; i++)
        counts[bli_rng_below(&rng, 7)]++;
    for (int i = 0; i < 7; i++) /* standard deviation 93; six of them */
        CHECK(fabs(counts[i] - 10000) < 560, "%d: %g", i, counts[i]);
}

static void test_a_shuffle_is_a_permutation(void **state)
{
    (void)state;
    bl_rng rng = bli_rng(9);
    uint64_t items[100], seen[100] = {0};
    for (uint64_t i = 0; i < 100; i++)
        items[i] = i;
    bli_rng_shuffle(&rng, items, 100);
    int moved = 0;
    for (uint64_t i = 0; i < 100; i++) {
        seen[items[i]]++;
        moved += items[i] != i;
    }
    for (int i = 0; i < 100; i++)
        CHECK(seen[i] == 1, "%d", i);
    CHECK(moved > 80, "%d moved", moved);
}

static void test_blocks_are_cut_by_data_size(void **state)
{
    (void)state;
    CHECK(bli_block_rows(1) == 1048576 && bli_block_rows(23) == 45568 &&
              bli_block_rows(10000000) == 64 && bli_block_rows(0) == 1048576,
          "%llu", (unsigned long long)bli_block_rows(23));
}

static void test_the_affinity_mask_is_obeyed(void **state)
{
    (void)state;
    cpu_set_t before, one;
    CHECK(sched_getaffinity(0, sizeof before, &before) == 0, "affinity");
    int n = bli_machine_threads();
    CHECK(n >= 1 && n <= CPU_COUNT(&before), "%d", n);
    size_t first = 0;
    while (!CPU_ISSET(first, &before))
        first++;
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    CHECK(sched_setaffinity(0, sizeof one, &one) == 0, "set");
    int bound = bli_machine_threads();
    sched_setaffinity(0, sizeof before, &before);
    CHECK(bound == 1, "%d", bound);
    CHECK(bli_machine_memory() > (UINT64_C(16) << 20), "memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_are_the_published_ones),
        cmocka_unit_test(test_draws_below_a_bound_are_uniform),
        cmocka_unit_test(test_a_shuffle_is_a_permutation),
        cmocka_unit_test(test_blocks_are_cut_by_data_size),
        cmocka_unit_test(test_the_affinity_mask_is_obeyed),
    };
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}

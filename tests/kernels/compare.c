/* SPDX-License-Identifier: Apache-2.0 */
/*
 *   compare_kernels [--seed N] [--bench]
 *
 * One line a claim, "ok - ..." or "not ok - ..."; exits 1 where one failed. --bench times the
 * kernels instead, in processor time.
 */
#include "compare.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static struct {
    char claim[160];
    int failures, failed_claims;
} now;

static void verdict(void)
{
    if (*now.claim)
        printf("%s - %s\n", now.failures ? "not ok" : "ok", now.claim);
    now.failed_claims += now.failures > 0;
    now.failures = 0;
    *now.claim = 0;
}

void kc_claim(const char *format, ...)
{
    verdict();
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(now.claim, sizeof now.claim, format, arguments);
    va_end(arguments);
}

void kc_skip(const char *name, const char *reason)
{
    verdict();
    printf("skip - %s: %s\n", name, reason);
}

int kc_end(void)
{
    verdict();
    return now.failed_claims;
}

#define MOST_SHOWN 10

void kc_fail(const char *file, int line, const char *format, ...)
{
    if (++now.failures > MOST_SHOWN)
        return;
    fprintf(stderr, "%s:%d: ", file, line);
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

kc_guard kc_guarded(size_t bytes, size_t align)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (bytes + page) / page * page;
    kc_guard g = {.map_bytes = body + 2 * page};
    g.map = mmap(NULL, g.map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                 -1, 0);
    if (g.map == MAP_FAILED || mprotect(g.map, page, PROT_NONE) ||
        mprotect(g.map + page + body, page, PROT_NONE)) {
        perror("guard pages");
        exit(2);
    }
    memset(g.map + page, 0xff, body);
    g.at = g.map + page + body - (bytes + align - 1) / align * align;
    return g;
}

void kc_guard_free(kc_guard *guard)
{
    munmap(guard->map, guard->map_bytes);
    *guard = (kc_guard){0};
}

float kc_odd_float(bl_rng *rng)
{
    static const float odd[] = {0,       -0.0F, 1,      -1,   1e-42F, -1e-42F,
                                -1e-30F, 0.5F,  1e-12F, 1e9F, -1e9F};
    if (bli_rng_below(rng, 3) == 0)
        return odd[bli_rng_below(rng, sizeof odd / sizeof *odd)];
    return (float)bli_rng_below(rng, 2001) / 1000 - 1;
}

float kc_small_float(bl_rng *rng)
{
    float a = kc_odd_float(rng);
    return a > 1 || a < -1 ? a / 1e9F : a;
}

float kc_cell(bl_rng *rng, unsigned missing)
{
    if (bli_rng_below(rng, 100) < missing)
        return NAN;
    switch (bli_rng_below(rng, 20)) {
    case 0:
        return INFINITY;
    case 1:
        return -INFINITY;
    case 2:
        return bli_rng_below(rng, 2) ? 1e-42F : -1e-42F;
    case 3:
        return bli_rng_below(rng, 2) ? 3e38F : -3e38F;
    default:
        return (float)bli_rng_below(rng, 9) / 2 - 2;
    }
}

double kc_share(bl_rng *rng)
{
    double left = pow(10, (double)bli_rng_below(rng, 2101) / 100 - 12);
    double right = pow(10, (double)bli_rng_below(rng, 2101) / 100 - 12);
    switch (bli_rng_below(rng, 12)) {
    case 0:
        return 0;
    case 1:
        return 1;
    case 2:
        return left / (left + right);
    default:
        return (double)bli_rng_below(rng, 1001) / 1000;
    }
}

double kc_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void kc_timed(const char *kernel, const char *variant, double seconds, double n,
              const char *thing)
{
    printf("%-28s %-10s %10.3f ns a %s\n", kernel, variant, 1e9 * seconds / n, thing);
}

int main(int argc, char **argv)
{
    const char *text = getenv("BL_TEST_SEED");
    kc_options options = {.seed = text ? strtoull(text, NULL, 10) : 4};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0) {
            options.bench = true;
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            options.seed = strtoull(argv[++i], NULL, 10);
        } else {
            fprintf(stderr, "usage: compare_kernels [--seed N] [--bench]\n");
            return 64;
        }
    }
    printf("seed %llu (--seed or BL_TEST_SEED sets another)\n",
           (unsigned long long)options.seed);
    kc_lanes(&options);
    kc_rows(&options);
    kc_interactions(&options);
    kc_background(&options);
    return kc_end() ? 1 : 0;
}

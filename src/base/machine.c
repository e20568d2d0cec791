/* SPDX-License-Identifier: Apache-2.0 */
#include "base/machine.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int affinity_count(void)
{
    /* Grown because sched_getaffinity refuses a set smaller than the kernel's. */
    for (size_t n_cpus = 1024; n_cpus <= 1 << 20; n_cpus *= 4) {
        cpu_set_t *set = CPU_ALLOC(n_cpus);
        if (!set)
            break;
        size_t bytes = CPU_ALLOC_SIZE(n_cpus);
        int n = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (n > 0)
            return n;
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (int)online : 1;
}

/* One line of a small file; "" where it cannot be read. */
static void read_line(const char *path, char *line, int n)
{
    line[0] = '\0';
    FILE *file = fopen(path, "re");
    if (!file)
        return;
    if (!fgets(line, n, file))
        line[0] = '\0';
    fclose(file);
}

/* The path of this process in a cgroup hierarchy: "" for v2's single one, else a v1 name.
 */
static void cgroup_path(const char *controller, char *path, size_t n)
{
    path[0] = '\0';
    FILE *file = fopen("/proc/self/cgroup", "re");
    if (!file)
        return;
    char line[4096];
    while (fgets(line, sizeof line, file)) {
        char *names = strchr(line, ':');
        char *where = names ? strchr(names + 1, ':') : NULL;
        if (!where)
            continue;
        *where++ = '\0';
        where[strcspn(where, "\n")] = '\0';
        char list[256];
        snprintf(list, sizeof list, ",%s,", names + 1);
        char wanted[64];
        snprintf(wanted, sizeof wanted, ",%s,", controller);
        if (strstr(list, wanted) && strlen(where) < n) {
            memcpy(path, where, strlen(where) + 1);
            break;
        }
    }
    fclose(file);
}

/* Calls visit with each level's value of a limit file, from this process's group up to
 * the root as far as the container sees them. */
static void visit_limits(const char *mount, const char *controller, const char *name,
                         void (*visit)(const char *folder, const char *line,
                                       void *cookie),
                         void *cookie)
{
    char group[4096];
    cgroup_path(controller, group, sizeof group);
    for (;;) {
        char folder[4400], path[4500], line[256];
        snprintf(folder, sizeof folder, "%s%s", mount, strcmp(group, "/") ? group : "");
        snprintf(path, sizeof path, "%s/%s", folder, name);
        read_line(path, line, sizeof line);
        if (line[0])
            visit(folder, line, cookie);
        char *slash = strrchr(group, '/');
        if (!slash)
            return;
        *slash = '\0';
    }
}

static void smaller_quota(double cpus, double *best)
{
    if (cpus > 0 && (*best == 0 || cpus < *best))
        *best = cpus;
}

static void visit_cpu_max(const char *folder, const char *line, void *cookie)
{
    (void)folder;
    long long quota, period;
    if (sscanf(line, "%lld %lld", &quota, &period) == 2 && period > 0)
        smaller_quota((double)quota / (double)period, cookie);
}

static void visit_cfs_quota(const char *folder, const char *line, void *cookie)
{
    char path[4500], period_line[64];
    snprintf(path, sizeof path, "%s/cpu.cfs_period_us", folder);
    read_line(path, period_line, sizeof period_line);
    long long quota = atoll(line), period = atoll(period_line);
    if (quota > 0 && period > 0)
        smaller_quota((double)quota / (double)period, cookie);
}

int bli_machine_threads(void)
{
    int n = affinity_count();
    double quota = 0;
    visit_limits("/sys/fs/cgroup", "", "cpu.max", visit_cpu_max, &quota);
    visit_limits("/sys/fs/cgroup/cpu", "cpu", "cpu.cfs_quota_us", visit_cfs_quota,
                 &quota);
    if (quota > 0 && quota < (double)n) {
        n = (int)quota;
        if ((double)n < quota)
            n++;
    }
    return n > 0 ? n : 1;
}

static void visit_memory(const char *folder, const char *line, void *cookie)
{
    (void)folder;
    uint64_t *best = cookie;
    char *end;
    unsigned long long bytes = strtoull(line, &end, 10);
    if (end != line && bytes > 0 && bytes < *best) /* "max" is no number */
        *best = bytes;
}

uint64_t bli_machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    uint64_t bytes =
        pages > 0 && page > 0 ? (uint64_t)pages * (uint64_t)page : UINT64_MAX;
    visit_limits("/sys/fs/cgroup", "", "memory.max", visit_memory, &bytes);
    visit_limits("/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes", visit_memory,
                 &bytes);
    return bytes;
}

const char *bli_machine_instructions(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return "x86-64 AVX-512";
    return __builtin_cpu_supports("avx2") ? "x86-64 AVX2" : "x86-64";
#elif defined(__aarch64__)
    return "aarch64";
#else
    return "other";
#endif
}

double bli_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What this process may use: processors by affinity and cgroup quota, memory by cgroup limit. */
#ifndef BL_BASE_MACHINE_H
#define BL_BASE_MACHINE_H

#include <stdint.h>

/* At least 1: the smaller of the affinity mask and the CPU quota (cgroup v2 cpu.max, v1 cfs
 * files) rounded up. OpenMP and XGBoost are told this number: libgomp ignores quotas. */
int bli_machine_threads(void);

/* Bytes this process may use: the smallest of cgroup limits and physical memory. */
uint64_t bli_machine_memory(void);

/* What kind of processor this is as far as numbers can depend on it: "x86-64 AVX-512",
 * "x86-64 AVX2", "x86-64", "aarch64", "other". */
const char *bli_machine_instructions(void);

/* Monotonic seconds; only differences mean anything. */
double bli_seconds(void);

#endif

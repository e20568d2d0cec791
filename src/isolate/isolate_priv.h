/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of this room share. */
#ifndef BL_ISOLATE_ISOLATE_PRIV_H
#define BL_ISOLATE_ISOLATE_PRIV_H

#include "isolate/isolate.h"

#include <stdint.h>

/* A sanitizer's leak check traces its own process and reads a file of suppressions at exit, and its
 * reports are made by another program: reading, exec, ptrace and new processes stay open there. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define BL_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) ||               \
    __has_feature(memory_sanitizer)
#define BL_SANITIZED 1
#endif
#endif
#ifndef BL_SANITIZED
#define BL_SANITIZED 0
#endif

/* --- landlock.c ------------------------------------------------------------------------ */

/* The kernel's ABI, 0 where there is none or where it is not permitted. */
int bli_landlock_abi(void);

/* Restricts this thread, and what it starts, to the places and the system's own. false where that
 * failed; *ret_rules: places found. */
bool bli_landlock_enter(int abi, const bl_place *places, size_t n_places,
                        size_t *ret_rules);

/* The system's own places. */
const bl_place *bli_system_places(size_t *ret_n);

/* --- seccomp.c ------------------------------------------------------------------------- */

/* Installs the filter on all threads; false where the kernel or processor has none. */
bool bli_seccomp_enter(void);

/* What the filter does with a call. */
typedef enum bl_call_answer {
    BL_CALL_TRAP,
    BL_CALL_ENOSYS,
    BL_CALL_EPERM
} bl_call_answer;

/* Every call the filter names, for reports: name NULL ends. */
typedef struct bl_call_rule {
    const char *name;
    int number;
    bl_call_answer answer;
    bool process;         /* left open under a sanitizer */
    const char *sentence; /* when it is stopped */
} bl_call_rule;
const bl_call_rule *bli_call_rules(size_t *ret_n);

/* --- mounts.c ---------------------------------------------------------------------------- */

typedef struct bl_mount {
    char *point, *type, *source;
    unsigned major, minor;
} bl_mount;

typedef struct bl_mounts {
    size_t n, cap;
    bl_mount *mount; /* in the order of mountinfo: a later one lies over an earlier one */
} bl_mounts;

/* <system_root>/proc/self/mountinfo; lines that are none are passed over. An unreadable file gives
 * no mounts. */
bl_status bli_mounts_read(const char *system_root, bl_mounts *ret_mounts, bl_err *err);
void bli_mounts_done(bl_mounts *mounts);

/* The mount that an absolute path without links lies on, or NULL. */
const bl_mount *bli_mount_of(const bl_mounts *mounts, const char *path);

/* point is `folder` or lies below it. */
bool bli_path_is_below(const char *point, const char *folder);

/* --- device.c ---------------------------------------------------------------------------- */

/* What is known of a block device and all that it lies on. */
typedef struct bl_device_evidence {
    bl_encryption level;
    char text[256];
} bl_device_evidence;

/* By its numbers. */
void bli_device_look(const char *system_root, unsigned major, unsigned minor,
                     bl_device_evidence *ret_evidence);

/* A file system without a device number of its own (btrfs): by the source of the mount. */
void bli_device_look_btrfs(const char *system_root, const char *source,
                           bl_device_evidence *ret_evidence);

#endif

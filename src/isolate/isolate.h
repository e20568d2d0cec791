/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process can do to keep its data to itself, and what it can say about the volumes they lie
 * on. Two halves that know nothing of each other: the sandbox (Landlock, seccomp, no core dumps)
 * and the evidence of encryption at rest.
 */
#ifndef BL_ISOLATE_ISOLATE_H
#define BL_ISOLATE_ISOLATE_H

#include "base/json.h"

#include <stdbool.h>
#include <stddef.h>

/* --- The sandbox ----------------------------------------------------------------------- */

typedef enum bl_isolation {
    BL_ISOLATION_AUTO, /* what this kernel has; less than all is said, never an error */
    BL_ISOLATION_REQUIRED, /* all of it, or BL_E_CONFIG */
    BL_ISOLATION_OFF       /* nothing but the ban of core dumps */
} bl_isolation;

/* A file or folder that stays open to the process, with everything below it. */
typedef struct bl_place {
    const char *path; /* absent ones are passed over; links are followed */
    const char *name; /* as reports call it: relative to the job's root */
    bool write;       /* make, write, rename, remove, too; else reading only */
} bl_place;

/* What was reached. Zero-initialised: nothing. */
typedef struct bl_sandbox {
    bl_isolation wanted;
    bool no_core_dumps;
    bool no_new_privileges;
    int landlock_abi; /* of the kernel; 0: none, or not permitted here */
    bool landlock;    /* files are restricted to the places */
    bool seccomp;     /* calls are restricted */
    int threads;      /* of the process at that moment; 0: not known */
    bool
        processes; /* a sanitizer's build: reading, exec, ptrace, new processes stay open */
    size_t n_rules; /* places that were there, the system's own included */
} bl_sandbox;

/*
 * Bars this process for good: no core dumps, no new privileges; files outside the places and the
 * system's own (libraries, /proc/self, /sys/devices/system/cpu, cgroups, /dev/null) answer EACCES;
 * the network and new programs raise SIGSYS (install a handler before), new processes answer EPERM,
 * io_uring ENOSYS. Landlock binds only the calling thread and what it starts: call it before the first
 * thread, so before the first OpenMP region, BLAS or XGBoost call.
 *
 * Landlock ABI 1 to 3 restrict files only; from 4 on TCP, from 6 on abstract sockets and signals too
 * (seccomp stops all of these anyway).
 *
 * Returns BL_OK; BL_E_CONFIG where wanted is REQUIRED and something is lacking (the message names
 * it); what was reached until then stays in force, and in *ret_sandbox in that case too.
 */
bl_status bli_sandbox_enter(bl_isolation wanted, const bl_place *places, size_t n_places,
                            bl_sandbox *ret_sandbox, bl_err *err);

/* One line for the log. out is cut at n bytes. */
void bli_sandbox_say(const bl_sandbox *sandbox, char *out, size_t n);

/* The sentence for a call that raised SIGSYS (si_syscall), without final newline. Safe in a signal
 * handler; a constant. */
const char *bli_sandbox_stopped(int call_number);

/* --- Evidence of encryption at rest ------------------------------------------------------ */

/* How well a volume's encryption can be told from inside; weakest first. An encrypted and an
 * unencrypted EBS volume look the same from here, so AWS's word is a level of its own. */
typedef enum bl_encryption {
    BL_NOT_ENCRYPTED, /* a plain disk: nothing on this machine encrypts it */
    BL_UNKNOWN,  /* no block device to be seen: network, overlay, memory, loop, ... */
    BL_ASSERTED, /* AWS's storage by its model string; AWS says it encrypts it */
    BL_PROVEN    /* dm-crypt below the file system, or fscrypt on the folder */
} bl_encryption;

/* "not-encrypted", "unknown", "platform-asserted", "proven" */
const char *bli_encryption_name(bl_encryption level);

typedef struct bl_volume {
    char *name;        /* as reports call the place */
    char *file_system; /* "ext4"; "" where the mount is not known */
    char *device;      /* "259:1", the numbers of mountinfo */
    bl_encryption level;
    char *evidence; /* what was seen, a phrase: "dm-crypt (LUKS2) below ext4" */
} bl_volume;

typedef struct bl_volumes {
    size_t n, cap;
    bl_volume *volume;
} bl_volumes;

/*
 * Adds what can be told of the volume below path, and of each volume mounted further down in it.
 *
 * system_root  "" for this machine. Tests give a folder with proc/self/mountinfo and sys/ in it;
 *              path is then taken as it stands, and no folder is asked for fscrypt.
 *
 * Returns BL_OK also where nothing can be told (BL_UNKNOWN says so), BL_E_NOMEM.
 */
bl_status bli_volumes_add(bl_volumes *volumes, const char *system_root, const char *path,
                          const char *name, bl_err *err);
void bli_volumes_done(bl_volumes *volumes);

/* BL_E_CONFIG, naming the first volume below the level and what was seen of it. */
bl_status bli_volumes_require(const bl_volumes *volumes, bl_encryption level,
                              bl_err *err);

/* --- Both, for output/data/isolation.json -------------------------------------------------- */

/*
 * {"isolation": {"requested", "core_dumps", "no_new_privileges",
 *                "landlock": {"in_force", "kernel_abi", "places": [{"path", "access"}]},
 *                "seccomp": {"in_force", "stopped": [...], "answered_ENOSYS": [...],
 *                            "answered_EPERM": [...]}, "threads_when_it_began"},
 *  "encryption": {"required", "weakest", "volumes":
 *                 [{"path", "file_system", "device", "level", "evidence"}]}}
 * required: NULL for none.
 */
bl_status bli_isolation_write(const bl_sandbox *sandbox, const bl_place *places,
                              size_t n_places, const bl_volumes *volumes,
                              const char *required, bl_buf *out, bl_err *err);

#endif

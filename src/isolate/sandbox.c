/* SPDX-License-Identifier: Apache-2.0 */
/* The order of things: core dumps, privileges, files, calls. */
#include "isolate/isolate_priv.h"

#include "base/digest.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* A dump would hold data. The limit alone is not enough: it does not bind a core_pattern that is a
 * pipe. */
static bool forbid_core_dumps(void)
{
    const struct rlimit none = {0, 0};
    bool limited = setrlimit(RLIMIT_CORE, &none) == 0;
    return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && limited;
}

static int count_threads(void)
{
    FILE *file = fopen("/proc/self/status", "re");
    char line[256];
    int n = 0;
    while (file && n == 0 && fgets(line, sizeof line, file))
        if (sscanf(line, "Threads: %d", &n) != 1)
            n = 0;
    if (file)
        fclose(file);
    return n;
}

/* NULL where nothing is lacking. */
static const char *lacking(const bl_sandbox *s)
{
    if (!s->no_new_privileges)
        return "no_new_privs could not be set";
    if (s->landlock_abi == 0)
        return "Landlock is not there: it takes Linux 5.13 or later with Landlock among "
               "its "
               "security modules, and a container engine whose seccomp profile lets it "
               "through";
    if (!s->landlock)
        return "Landlock is there, but its rules could not be put in force";
    if (!s->seccomp)
        return "the kernel took no seccomp filter";
    if (s->threads > 1 && s->landlock_abi < 8)
        return "a library started a thread before the sandbox, and Landlock before ABI 8 "
               "does not bind that thread";
    if (s->processes)
        return "this is a build with a sanitizer, which reads files and starts programs "
               "of its own";
    return NULL;
}

bl_status bli_sandbox_enter(bl_isolation wanted, const bl_place *places, size_t n_places,
                            bl_sandbox *ret_sandbox, bl_err *err)
{
    bl_sandbox s = {.wanted = wanted, .no_core_dumps = forbid_core_dumps()};
    s.threads = count_threads();
    if (wanted == BL_ISOLATION_OFF) {
        *ret_sandbox = s;
        return BL_OK;
    }
    /* libcrypto reads its configuration at first use: now, while it may. */
    char digest[BL_DIGEST_TEXT];
    bl_status st = bli_digest_bytes("", 0, digest, err);
    if (st != BL_OK)
        return st;
    s.no_new_privileges = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
    s.landlock_abi = bli_landlock_abi();
    s.landlock = s.no_new_privileges && s.landlock_abi > 0 &&
                 bli_landlock_enter(s.landlock_abi, places, n_places, &s.n_rules);
    s.seccomp = s.no_new_privileges && bli_seccomp_enter();
    s.processes = BL_SANITIZED;
    *ret_sandbox = s;
    const char *what = lacking(&s);
    if (wanted == BL_ISOLATION_REQUIRED && what)
        return bli_fail(err, BL_E_CONFIG,
                        "isolation is required, and the sandbox is not whole: %s. Run "
                        "where it is, or ask for auto (bl_isolation, --isolation), which "
                        "says what was reached",
                        what);
    return BL_OK;
}

void bli_sandbox_say(const bl_sandbox *s, char *out, size_t n)
{
    if (s->wanted == BL_ISOLATION_OFF) {
        snprintf(out, n, "off; no core dumps%s", s->no_core_dumps ? "" : ": FAILED");
        return;
    }
    char landlock[64] = "not there", seccomp[96] = "not there";
    if (s->landlock)
        snprintf(landlock, sizeof landlock, "ABI %d, %zu rules", s->landlock_abi,
                 s->n_rules);
    else if (s->landlock_abi)
        snprintf(landlock, sizeof landlock, "ABI %d, not in force", s->landlock_abi);
    if (s->seccomp)
        snprintf(seccomp, sizeof seccomp, "no network%s",
                 s->processes ? "" : ", no other program or process");
    snprintf(out, n, "Landlock %s; seccomp: %s; core dumps %s%s%s", landlock, seccomp,
             s->no_core_dumps ? "off" : "possible",
             s->threads > 1 ? "; NOT one thread only when it began" : "",
             s->processes ? " (a sanitizer's build)" : "");
}

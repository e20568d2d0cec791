/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock through its system calls, because Debian 12's headers know ABI 2 and kernels are at 8.
 * Source: the kernel's userspace-api/landlock document. A right that the kernel's ABI does not know
 * must not be asked for, so the set is cut to the ABI found.
 */
#include "isolate/isolate_priv.h"

#include "base/mem.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The same numbers on every processor. */
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 };
enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1, RESTRICT_SELF_TSYNC = 8 };

enum {
    FS_EXECUTE = 1 << 0,
    FS_WRITE_FILE = 1 << 1,
    FS_READ_FILE = 1 << 2,
    FS_READ_DIR = 1 << 3,
    FS_REMOVE_DIR = 1 << 4,
    FS_REMOVE_FILE = 1 << 5,
    FS_MAKE_CHAR = 1 << 6,
    FS_MAKE_DIR = 1 << 7,
    FS_MAKE_REG = 1 << 8,
    FS_MAKE_SOCK = 1 << 9,
    FS_MAKE_FIFO = 1 << 10,
    FS_MAKE_BLOCK = 1 << 11,
    FS_MAKE_SYM = 1 << 12,
    FS_REFER = 1 << 13,     /* ABI 2: link and rename from one folder to another */
    FS_TRUNCATE = 1 << 14,  /* ABI 3 */
    FS_IOCTL_DEV = 1 << 15, /* ABI 5 */
};
enum { NET_BIND_TCP = 1 << 0, NET_CONNECT_TCP = 1 << 1 };     /* ABI 4 */
enum { SCOPE_ABSTRACT_UNIX = 1 << 0, SCOPE_SIGNAL = 1 << 1 }; /* ABI 6 */

typedef struct ruleset_attr {
    uint64_t fs;
    uint64_t net;   /* from ABI 4 on */
    uint64_t scope; /* from ABI 6 on */
} ruleset_attr;

typedef struct __attribute__((packed)) path_beneath {
    uint64_t allowed;
    int32_t parent_fd;
} path_beneath;

/* What XGBoost, libgomp, glibc, HDF5 and libcrypto read while they run, and the loader for what glibc
 * loads late (libgcc_s, converters). Of /proc only this process. */
static const bl_place system_places[] = {
    {"/usr/lib", "/usr/lib", false},
    {"/usr/lib64", "/usr/lib64", false},
    {"/usr/local/lib", "/usr/local/lib", false},
    {"/lib", "/lib", false},
    {"/lib64", "/lib64", false},
    {"/etc/ld.so.cache", "/etc/ld.so.cache", false},
    {"/proc/self", "/proc/self", false},
    {"/proc/cpuinfo", "/proc/cpuinfo", false},
    {"/proc/meminfo", "/proc/meminfo", false},
    {"/proc/stat", "/proc/stat", false},
    {"/proc/sys/vm/overcommit_memory", "/proc/sys/vm/overcommit_memory", false},
    {"/sys/devices/system", "/sys/devices/system", false},
    {"/sys/fs/cgroup", "/sys/fs/cgroup", false},
    {"/sys/kernel/mm/transparent_hugepage", "/sys/kernel/mm/transparent_hugepage", false},
    {"/dev/urandom", "/dev/urandom", false},
    {"/dev/null", "/dev/null", true},
};

const bl_place *bli_system_places(size_t *ret_n)
{
    *ret_n = BL_LEN(system_places);
    return system_places;
}

int bli_landlock_abi(void)
{
    long abi = syscall(CREATE_RULESET, NULL, (size_t)0, CREATE_RULESET_VERSION);
    return abi > 0 ? (int)abi : 0;
}

/* Rights a file can have; the others make sense for folders only, and the kernel refuses them. */
static const uint64_t file_rights =
    FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV;

static uint64_t known_rights(int abi)
{
    uint64_t rights = FS_MAKE_SYM * 2 - 1; /* ABI 1: all up to here */
    if (abi >= 2)
        rights |= FS_REFER;
    if (abi >= 3)
        rights |= FS_TRUNCATE;
    if (abi >= 5)
        rights |= FS_IOCTL_DEV;
    if (BL_SANITIZED)
        rights &= ~(uint64_t)(FS_EXECUTE | FS_READ_FILE | FS_READ_DIR);
    return rights;
}

static bool add_place(int ruleset, const bl_place *place, uint64_t known, size_t *n_rules)
{
    int fd = open(place->path, O_PATH | O_CLOEXEC);
    struct stat st;
    if (fd < 0)
        return true; /* not there, or not for us: nothing to leave open */
    uint64_t allowed = FS_READ_FILE | FS_READ_DIR;
    if (place->write)
        allowed |= FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |
                   FS_MAKE_REG | FS_TRUNCATE;
    allowed &= known;
    if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
        allowed &= file_rights;
    path_beneath rule = {allowed, fd};
    /* A rule without a right is none, and refused. */
    bool ok =
        allowed == 0 || syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
    close(fd);
    *n_rules += ok;
    return ok;
}

static bool restrict_self(int ruleset, int abi)
{
    /* From ABI 8 on threads that are there already can be bound too. */
    if (abi >= 8 && syscall(RESTRICT_SELF, ruleset, RESTRICT_SELF_TSYNC) == 0)
        return true;
    return syscall(RESTRICT_SELF, ruleset, 0) == 0;
}

bool bli_landlock_enter(int abi, const bl_place *places, size_t n_places,
                        size_t *ret_rules)
{
    const ruleset_attr attr = {known_rights(abi),
                               abi >= 4 ? NET_BIND_TCP | NET_CONNECT_TCP : 0,
                               abi >= 6 ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0};
    /* A kernel is told only the part of the structure that it knows. */
    size_t n_attr = abi >= 6 ? sizeof attr : abi >= 4 ? 16 : 8;
    int ruleset = (int)syscall(CREATE_RULESET, &attr, n_attr, 0);
    if (ruleset < 0)
        return false;
    bool ok = true;
    size_t n_system;
    const bl_place *system = bli_system_places(&n_system);
    *ret_rules = 0;
    for (size_t i = 0; ok && i < n_system; i++)
        ok = add_place(ruleset, &system[i], attr.fs, ret_rules);
    for (size_t i = 0; ok && i < n_places; i++)
        ok = add_place(ruleset, &places[i], attr.fs, ret_rules);
    ok = ok && restrict_self(ruleset, abi);
    close(ruleset);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filter, a small classic BPF program of our own: some thirty comparisons need no library. A
 * call that this program has no use for raises SIGSYS, so that it is named and the process ends;
 * what a library might try and can do without gets an error instead. Everything else passes: which
 * calls libxgboost makes is its affair, and files are Landlock's.
 */
#include "isolate/isolate_priv.h"

#include "base/mem.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define NATIVE_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define NATIVE_ARCH AUDIT_ARCH_AARCH64
#endif

#define STOPPED(what)                                                                    \
    "stopped by the sandbox: " what                                                      \
    ". boostlens never does that, so a library was replaced, injected or is at fault; "  \
    "nothing was let out. Find what called it, or look at the image's digest"
#define NETWORK(call) STOPPED("the call " call " asks for the network")
#define PROGRAM(call) STOPPED("the call " call " starts or reads another process")

static const bl_call_rule rules[] = {
    {"socket", SYS_socket, BL_CALL_TRAP, false, NETWORK("socket")},
    {"socketpair", SYS_socketpair, BL_CALL_TRAP, false, NETWORK("socketpair")},
    {"connect", SYS_connect, BL_CALL_TRAP, false, NETWORK("connect")},
    {"bind", SYS_bind, BL_CALL_TRAP, false, NETWORK("bind")},
    {"listen", SYS_listen, BL_CALL_TRAP, false, NETWORK("listen")},
    {"execve", SYS_execve, BL_CALL_TRAP, true, PROGRAM("execve")},
    {"execveat", SYS_execveat, BL_CALL_TRAP, true, PROGRAM("execveat")},
    {"ptrace", SYS_ptrace, BL_CALL_TRAP, true, PROGRAM("ptrace")},
    {"process_vm_readv", SYS_process_vm_readv, BL_CALL_TRAP, true,
     PROGRAM("process_vm_readv")},
    {"process_vm_writev", SYS_process_vm_writev, BL_CALL_TRAP, true,
     PROGRAM("process_vm_writev")},
#ifdef SYS_fork
    {"fork", SYS_fork, BL_CALL_EPERM, true, ""},
    {"vfork", SYS_vfork, BL_CALL_EPERM, true, ""},
#endif
    /* For anything but a thread. Not stopped: glibc blocks signals around it, and a blocked SIGSYS
     * ends the process without a word. */
    {"clone", SYS_clone, BL_CALL_EPERM, true, ""},
    /* Its flags lie in memory, where a filter cannot look; glibc then takes clone. */
    {"clone3", SYS_clone3, BL_CALL_ENOSYS, true, ""},
    {"io_uring_setup", 425, BL_CALL_ENOSYS, false, ""},
    {"io_uring_enter", 426, BL_CALL_ENOSYS, false, ""},
    {"io_uring_register", 427, BL_CALL_ENOSYS, false, ""},
    {"pidfd_getfd", 438, BL_CALL_EPERM, false, ""},
    {"open_by_handle_at", SYS_open_by_handle_at, BL_CALL_EPERM, false, ""},
    {"mount", SYS_mount, BL_CALL_EPERM, false, ""},
    {"umount2", SYS_umount2, BL_CALL_EPERM, false, ""},
    {"pivot_root", SYS_pivot_root, BL_CALL_EPERM, false, ""},
    {"move_mount", 429, BL_CALL_EPERM, false, ""},
    {"open_tree", 428, BL_CALL_EPERM, false, ""},
    {"unshare", SYS_unshare, BL_CALL_EPERM, false, ""},
    {"setns", SYS_setns, BL_CALL_EPERM, false, ""},
    {"bpf", SYS_bpf, BL_CALL_EPERM, false, ""},
    {"userfaultfd", SYS_userfaultfd, BL_CALL_EPERM, false, ""},
};

const bl_call_rule *bli_call_rules(size_t *ret_n)
{
    *ret_n = BL_LEN(rules);
    return rules;
}

const char *bli_sandbox_stopped(int call_number)
{
    for (size_t i = 0; i < BL_LEN(rules); i++)
        if (rules[i].number == call_number && rules[i].answer == BL_CALL_TRAP)
            return rules[i].sentence;
    return STOPPED("a call in a foreign format was made");
}

#ifdef NATIVE_ARCH

enum { MAX_PROGRAM = 8 + 6 * BL_LEN(rules) };

typedef struct program {
    struct sock_filter step[MAX_PROGRAM];
    unsigned short n;
} program;

static void add(program *p, unsigned short code, uint32_t k, unsigned jump_true,
                unsigned jump_false)
{
    if (p->n < MAX_PROGRAM)
        p->step[p->n++] =
            (struct sock_filter){code, (uint8_t)jump_true, (uint8_t)jump_false, k};
}

static void load(program *p, size_t offset)
{
    add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void answer(program *p, uint32_t action)
{
    add(p, BPF_RET | BPF_K, action, 0, 0);
}

/* Low half of an argument: little-endian on both processors. */
#define ARGUMENT(i) (offsetof(struct seccomp_data, args) + 8 * (i))

static uint32_t action_of(const bl_call_rule *rule)
{
    switch (rule->answer) {
    case BL_CALL_ENOSYS:
        return SECCOMP_RET_ERRNO | ENOSYS;
    case BL_CALL_EPERM:
        return SECCOMP_RET_ERRNO | EPERM;
    default:
        return SECCOMP_RET_TRAP;
    }
}

/* The call's number is in the accumulator before and after. */
static void add_rule(program *p, const bl_call_rule *rule)
{
    uint32_t number = (uint32_t)rule->number;
    if (rule->process && BL_SANITIZED)
        return;
    if (rule->number == SYS_socket || rule->number == SYS_socketpair) {
        add(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
        load(p, ARGUMENT(0));
        add(p, BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 1, 0);
        answer(p, action_of(rule));
        answer(p, SECCOMP_RET_ALLOW);
    } else if (rule->number == SYS_clone) {
        add(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4);
        load(p, ARGUMENT(0));
        add(p, BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0);
        answer(p, action_of(rule));
        answer(p, SECCOMP_RET_ALLOW);
    } else {
        add(p, BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1);
        answer(p, action_of(rule));
    }
}

static void build(program *p)
{
    load(p, offsetof(struct seccomp_data, arch));
    add(p, BPF_JMP | BPF_JEQ | BPF_K, NATIVE_ARCH, 1, 0);
    answer(p, SECCOMP_RET_TRAP); /* 32-bit calls have other numbers */
    load(p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
    add(p, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* x32 likewise */
    answer(p, SECCOMP_RET_TRAP);
#endif
    for (size_t i = 0; i < BL_LEN(rules); i++)
        add_rule(p, &rules[i]);
    answer(p, SECCOMP_RET_ALLOW);
}

bool bli_seccomp_enter(void)
{
    program p = {.n = 0};
    build(&p);
    struct sock_fprog filter = {p.n, p.step};
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
                &filter) == 0)
        return true;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

#else

bool bli_seccomp_enter(void)
{
    return false; /* call numbers of this processor are not known here */
}

#endif

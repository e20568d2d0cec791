/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox, tried from inside: each test is a child, because there is no way back. */
#include "check.h"

#include "isolate/isolate_priv.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* A folder with readable/file and writable/ in it. */
static char root[64], readable[96], readable_file[112], writable[96];

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/boostlens-sandbox-XXXXXX");
    if (!mkdtemp(root))
        return 1;
    snprintf(readable, sizeof readable, "%s/readable", root);
    snprintf(readable_file, sizeof readable_file, "%s/file", readable);
    snprintf(writable, sizeof writable, "%s/writable", root);
    mkdir(readable, 0755);
    mkdir(writable, 0755);
    FILE *file = fopen(readable_file, "w");
    return !file || fclose(file) != 0;
}

static int tear_down(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static bl_status enter(bl_isolation wanted, bl_sandbox *sandbox, bl_err *err)
{
    const bl_place places[] = {{readable, "readable", false},
                               {writable, "writable", true},
                               {"/no/such/place", "absent", true}};
    return bli_sandbox_enter(wanted, places, BL_LEN(places), sandbox, err);
}

/* What the child says on its end of the pipe, and its exit code. */
static int child(int (*run)(int pipe_fd), char *said, size_t n)
{
    int ends[2];
    CHECK(pipe(ends) == 0, "pipe");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        close(ends[0]);
        _exit(run(ends[1]));
    }
    close(ends[1]);
    ssize_t got = read(ends[0], said, n - 1);
    said[got > 0 ? got : 0] = '\0';
    close(ends[0]);
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid, "waitpid");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void say(int fd, const char *text)
{
    ssize_t written = write(fd, text, strlen(text));
    (void)written;
}

/* errno of opening a path so, 0 where it opens. */
static int try_open(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

static void need_landlock(void)
{
    if (bli_landlock_abi() == 0)
        SKIP("no Landlock on this kernel");
}

/* --- Files ---------------------------------------------------------------------------------- */

/* Says the first thing that is not as it must be. */
static int check_files(int fd)
{
    char path[128], other[128];
    snprintf(path, sizeof path, "%s/new", readable);
    if (!BL_SANITIZED && try_open("/etc/passwd", O_RDONLY) != EACCES)
        say(fd, "/etc/passwd opens");
    else if (try_open(readable_file, O_RDONLY) != 0)
        say(fd, "a file of the readable folder does not open");
    else if (try_open(readable_file, O_WRONLY) != EACCES)
        say(fd, "a file of the readable folder opens for writing");
    else if (try_open(path, O_WRONLY | O_CREAT) != EACCES)
        say(fd, "a file can be made in the readable folder");
    else if (unlink(readable_file) == 0 || errno != EACCES)
        say(fd, "a file of the readable folder can be removed");
    else if (!BL_SANITIZED && try_open("/proc/1/environ", O_RDONLY) == 0 && getpid() != 1)
        say(fd, "another process can be read");
    else if (try_open("/proc/self/cgroup", O_RDONLY) == EACCES)
        say(fd, "/proc/self does not open");
    snprintf(path, sizeof path, "%s/.temp", writable);
    snprintf(other, sizeof other, "%s/done", writable);
    if (try_open(path, O_WRONLY | O_CREAT | O_EXCL) != 0)
        say(fd, "no file can be made in the writable folder");
    else if (rename(path, other) != 0 || try_open(other, O_RDONLY) != 0)
        say(fd, "a file of the writable folder cannot be renamed");
    else if (try_open(other, O_WRONLY | O_TRUNC) != 0 || unlink(other) != 0)
        say(fd, "a file of the writable folder cannot be cut and removed");
    return 0;
}

static int files_in_auto(int fd)
{
    bl_sandbox sandbox;
    bl_err err = {0};
    if (enter(BL_ISOLATION_AUTO, &sandbox, &err) != BL_OK || !sandbox.landlock)
        return 1;
    return check_files(fd);
}

static void test_sandbox_files_outside_the_places_answer_EACCES(void **state)
{
    (void)state;
    char said[256];
    need_landlock();
    int code = child(files_in_auto, said, sizeof said);
    CHECK(code == 0 && said[0] == '\0', "exit %d: %s", code, said);
}

static int abi_to_try;

static int files_at_an_abi(int fd)
{
    const bl_place places[] = {{readable, "readable", false}, {writable, "w", true}};
    size_t n;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        !bli_landlock_enter(abi_to_try, places, BL_LEN(places), &n))
        return 1;
    return check_files(fd);
}

static void test_sandbox_holds_with_the_rights_of_every_older_abi(void **state)
{
    (void)state;
    char said[256];
    need_landlock();
    for (abi_to_try = 1; abi_to_try <= bli_landlock_abi(); abi_to_try++) {
        int code = child(files_at_an_abi, said, sizeof said);
        CHECK(code == 0 && said[0] == '\0', "ABI %d: exit %d: %s", abi_to_try, code,
              said);
    }
}

/* --- Calls ---------------------------------------------------------------------------------- */

static int trap_fd;

static void on_trap(int number, siginfo_t *info, void *context)
{
    (void)number;
    (void)context;
    say(trap_fd, bli_sandbox_stopped(info->si_syscall));
    _exit(70);
}

static void call_socket(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
}

static void call_socket6(void)
{
    socket(AF_INET6, SOCK_DGRAM, 0);
}

static void call_connect(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(0, (struct sockaddr *)&to, sizeof to);
}

static void call_exec(void)
{
    char *const none[] = {NULL};
    execve("/bin/true", none, none);
}

static void call_ptrace(void)
{
    ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static const struct {
    const char *name;
    void (*call)(void);
    bool process;
} stopped[] = {{"socket", call_socket, false},
               {"socket", call_socket6, false},
               {"connect", call_connect, false},
               {"execve", call_exec, true},
               {"ptrace", call_ptrace, true}};
static size_t call_to_try;

static int make_call(int fd)
{
    bl_sandbox sandbox;
    bl_err err = {0};
    struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
    trap_fd = fd;
    sigaction(SIGSYS, &action, NULL);
    if (enter(BL_ISOLATION_AUTO, &sandbox, &err) != BL_OK || !sandbox.seccomp)
        return 1;
    stopped[call_to_try].call();
    return 0;
}

static void test_sandbox_network_and_processes_are_stopped_by_name(void **state)
{
    (void)state;
    char said[512], wanted[64];
    for (call_to_try = 0; call_to_try < BL_LEN(stopped); call_to_try++) {
        if (stopped[call_to_try].process && BL_SANITIZED)
            continue;
        int code = child(make_call, said, sizeof said);
        snprintf(wanted, sizeof wanted, "stopped by the sandbox: the call %s",
                 stopped[call_to_try].name);
        CHECK(code == 70 && strstr(said, wanted), "%s: exit %d: %s",
              stopped[call_to_try].name, code, said);
    }
}

static void *open_outside(void *arg)
{
    *(int *)arg = try_open("/etc/passwd", O_RDONLY);
    return NULL;
}

static int harmless_calls(int fd)
{
    bl_sandbox sandbox;
    bl_err err = {0};
    pthread_t thread;
    int ends[2], outside = 0;
    if (enter(BL_ISOLATION_AUTO, &sandbox, &err) != BL_OK || !sandbox.seccomp)
        return 1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
        say(fd, "socketpair of AF_UNIX");
    if (!sandbox.processes && (fork() != -1 || errno != EPERM))
        say(fd, "a process can be started");
    if (syscall(425, 8, NULL) != -1 || errno != ENOSYS)
        say(fd, "io_uring_setup is there");
    if (pthread_create(&thread, NULL, open_outside, &outside) != 0 ||
        pthread_join(thread, NULL) != 0)
        say(fd, "no thread can be started");
    else if (sandbox.landlock && !BL_SANITIZED && outside != EACCES)
        say(fd, "a thread is not bound");
    return 0;
}

static void test_sandbox_threads_start_and_are_bound_and_unix_sockets_stay(void **state)
{
    (void)state;
    char said[256];
    int code = child(harmless_calls, said, sizeof said);
    CHECK(code == 0 && said[0] == '\0', "exit %d: %s", code, said);
}

/* --- Core dumps ------------------------------------------------------------------------------ */

static bl_isolation isolation_to_try;

static int look_at_dumps(int fd)
{
    bl_sandbox sandbox;
    bl_err err = {0};
    struct rlimit limit;
    if (enter(isolation_to_try, &sandbox, &err) != BL_OK)
        return 1;
    if (prctl(PR_GET_DUMPABLE) != 0 || getrlimit(RLIMIT_CORE, &limit) != 0 ||
        limit.rlim_max != 0 || !sandbox.no_core_dumps)
        say(fd, "a core dump is possible");
    return sandbox.wanted == isolation_to_try ? 0 : 1;
}

static void test_sandbox_no_core_is_dumped_even_when_it_is_off(void **state)
{
    (void)state;
    char said[256];
    for (isolation_to_try = BL_ISOLATION_AUTO; isolation_to_try <= BL_ISOLATION_OFF;
         isolation_to_try++) {
        if (isolation_to_try == BL_ISOLATION_REQUIRED)
            continue;
        int code = child(look_at_dumps, said, sizeof said);
        CHECK(code == 0 && said[0] == '\0', "exit %d: %s", code, said);
    }
}

/* --- What is lacking --------------------------------------------------------------------------- */

/* Makes one call answer ENOSYS, as an old kernel or container engine does. */
static bool take_away(uint32_t number)
{
    struct sock_filter steps[] = {
        {BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
        {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | ENOSYS},
        {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}};
    struct sock_fprog filter = {BL_LEN(steps), steps};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

static int without_landlock(int fd)
{
    bl_sandbox sandbox;
    bl_err err = {0};
    char line[512];
    if (!take_away(444))
        return 1;
    if (enter(BL_ISOLATION_AUTO, &sandbox, &err) != BL_OK || sandbox.landlock ||
        !sandbox.seccomp)
        return 2;
    bli_sandbox_say(&sandbox, line, sizeof line);
    say(fd, line);
    return 0;
}

static void test_sandbox_auto_goes_on_without_landlock_and_says_so(void **state)
{
    (void)state;
    char said[512];
    int code = child(without_landlock, said, sizeof said);
    CHECK(code == 0 && strstr(said, "Landlock not there; seccomp: no network"),
          "exit %d: %s", code, said);
}

static int required_without_landlock(int fd)
{
    bl_sandbox sandbox = {0};
    bl_err err = {0};
    if (!take_away(444))
        return 1;
    bl_status st = enter(BL_ISOLATION_REQUIRED, &sandbox, &err);
    say(fd, err.msg);
    return st == BL_E_CONFIG && sandbox.seccomp ? 0 : 2;
}

static void test_sandbox_required_fails_where_landlock_is_not(void **state)
{
    (void)state;
    char said[1024];
    int code = child(required_without_landlock, said, sizeof said);
    CHECK(code == 0 && strstr(said, "isolation is required, and the sandbox is not "
                                    "whole: Landlock is not there"),
          "exit %d: %s", code, said);
}

static int required_without_seccomp(int fd)
{
    bl_sandbox sandbox = {0};
    bl_err err = {0};
    if (!take_away(SYS_seccomp) || syscall(SYS_seccomp, 0, 0, NULL) != -1)
        return 1;
    /* The old door to seccomp is prctl; nothing lacks then. */
    bl_status st = enter(BL_ISOLATION_REQUIRED, &sandbox, &err);
    say(fd, err.msg);
    return (st == BL_OK) == (sandbox.landlock && !sandbox.processes) ? 0 : 2;
}

static void test_sandbox_takes_the_older_door_to_seccomp(void **state)
{
    (void)state;
    char said[1024];
    need_landlock();
    int code = child(required_without_seccomp, said, sizeof said);
    CHECK(code == 0, "exit %d: %s", code, said);
}

static void *wait_forever(void *arg)
{
    (void)arg;
    for (;;)
        pause();
    return NULL;
}

static int required_with_a_thread(int fd)
{
    bl_sandbox sandbox = {0};
    bl_err err = {0};
    pthread_t thread;
    if (pthread_create(&thread, NULL, wait_forever, NULL) != 0)
        return 1;
    bl_status st = enter(BL_ISOLATION_REQUIRED, &sandbox, &err);
    say(fd, err.msg);
    return st == BL_E_CONFIG && sandbox.threads == 2 ? 0 : 2;
}

static void test_sandbox_required_fails_beside_an_earlier_thread(void **state)
{
    (void)state;
    char said[1024];
    need_landlock();
    if (bli_landlock_abi() >= 8)
        SKIP("Landlock of this kernel binds earlier threads too");
    int code = child(required_with_a_thread, said, sizeof said);
    CHECK(code == 0 && strstr(said, "a library started a thread before the sandbox"),
          "exit %d: %s", code, said);
}

/* --- The report ---------------------------------------------------------------------------------- */

static void test_sandbox_report_says_what_was_reached(void **state)
{
    (void)state;
    const bl_place places[] = {{"/opt/ml", ".", false}, {"/opt/ml/model", "model", true}};
    bl_sandbox sandbox = {.wanted = BL_ISOLATION_REQUIRED,
                          .no_core_dumps = true,
                          .no_new_privileges = true,
                          .landlock_abi = 7,
                          .landlock = true,
                          .seccomp = true,
                          .threads = 1,
                          .n_rules = 9};
    bl_volumes volumes = {0};
    bl_buf out = {0};
    bl_err err = {0};
    CHECK_OK(bli_isolation_write(&sandbox, places, 2, &volumes, "proven", &out, &err),
             err);
    json_t *json = NULL;
    CHECK_OK(bli_json_parse(out.data, out.n, &json, &err), err);
    json_t *isolation = json_object_get(json, "isolation");
    json_t *landlock = json_object_get(isolation, "landlock");
    json_t *stops = json_object_get(json_object_get(isolation, "seccomp"), "stopped");
    json_t *place = json_array_get(json_object_get(landlock, "places"), 1);
    assert_string_equal(json_string_value(json_object_get(isolation, "requested")),
                        "required");
    assert_int_equal(json_integer_value(json_object_get(landlock, "kernel_abi")), 7);
    assert_string_equal(json_string_value(json_object_get(place, "path")), "model");
    assert_string_equal(json_string_value(json_object_get(place, "access")), "write");
    assert_string_equal(json_string_value(json_array_get(stops, 0)), "socket");
    json_t *encryption = json_object_get(json, "encryption");
    assert_string_equal(json_string_value(json_object_get(encryption, "required")),
                        "proven");
    json_decref(json);
    bli_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sandbox_files_outside_the_places_answer_EACCES),
        cmocka_unit_test(test_sandbox_holds_with_the_rights_of_every_older_abi),
        cmocka_unit_test(test_sandbox_network_and_processes_are_stopped_by_name),
        cmocka_unit_test(test_sandbox_threads_start_and_are_bound_and_unix_sockets_stay),
        cmocka_unit_test(test_sandbox_no_core_is_dumped_even_when_it_is_off),
        cmocka_unit_test(test_sandbox_auto_goes_on_without_landlock_and_says_so),
        cmocka_unit_test(test_sandbox_required_fails_where_landlock_is_not),
        cmocka_unit_test(test_sandbox_takes_the_older_door_to_seccomp),
        cmocka_unit_test(test_sandbox_required_fails_beside_an_earlier_thread),
        cmocka_unit_test(test_sandbox_report_says_what_was_reached),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The sandbox and the evidence of encryption, on the real program; what is never written or said."""
import re

from harness import *


def compiler():
    found = shutil.which("gcc") or shutil.which("cc")
    if not found:
        raise Skip("no C compiler")
    return found


def preload(name, body, trigger="isolation.json"):
    """A library that runs `body` inside the program once the sandbox stands: when it renames an output of that
    name into place."""
    source, library = os.path.join(scratch, name + ".c"), os.path.join(scratch, name + ".so")
    with open(source, "w", encoding="utf-8") as file:
        file.write(f"#define TRIGGER \"{trigger}\"\n" + """#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
static int done;
static void act(void) {
""" + body + """
}
int rename(const char *from, const char *to) {
    int (*next)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    int rc = next(from, to);
    if (!done && strstr(to, TRIGGER)) { done = 1; act(); }
    return rc;
}
""")
    one = subprocess.run([compiler(), "-shared", "-fPIC", "-o", library, source, "-ldl"], capture_output=True, text=True)
    check(one.returncode == 0, "%s", one.stderr)
    return library


def injected(name, body, **settings):
    """A job with that library in it."""
    job = small_job(**settings)
    job.run(environment={"LD_PRELOAD": preload(name, body)})
    return job


def report(job):
    return job.json("output/data/isolation.json")


def has_landlock():
    return report(small_job().expect(0))["isolation"]["landlock"]["in_force"]


def need_landlock():
    if not has_landlock():
        raise Skip("no Landlock here")


# Starts a program with some system calls answering ENOSYS, as an old kernel or container engine does.
WITHOUT = """
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
numbers = [int(n) for n in sys.argv[1].split(",")]
steps = [struct.pack("HBBI", 0x20, 0, 0, 0)]
for n in numbers:
    steps += [struct.pack("HBBI", 0x15, 0, 1, n), struct.pack("HBBI", 0x06, 0, 0, 0x00050000 | 38)]
steps += [struct.pack("HBBI", 0x06, 0, 0, 0x7fff0000)]
code = ctypes.create_string_buffer(b"".join(steps))
class Program(ctypes.Structure):
    _fields_ = [("n", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
program = Program(len(steps), ctypes.cast(code, ctypes.c_void_p))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(program), 0, 0) == 0, "no seccomp"
os.execv(sys.argv[2], sys.argv[2:])
"""
LANDLOCK_CALLS = "444,445,446"


def without(numbers):
    return (sys.executable, "-c", WITHOUT, numbers)


# --- The sandbox ---------------------------------------------------------------------------------


@claim
def a_job_says_what_was_reached_in_the_log_and_in_isolation_json():
    job = small_job().expect(0)
    got = report(job)["isolation"]
    check(got["requested"] == "auto" and got["core_dumps"] == "off" and got["no_new_privileges"], "%s", got)
    check(got["seccomp"]["in_force"], "no seccomp: %s", got)
    for call in ("socket", "connect"):
        check(call in got["seccomp"]["stopped"], "%s is not stopped", call)
    check(got["threads_when_it_began"] == 1, "%s threads", got["threads_when_it_began"])
    check(re.search(r"isolation: Landlock .*seccomp: no network", job.stderr), "the log says nothing: %s", job.stderr)
    places = {place["path"]: place["access"] for place in got["landlock"]["places"]}
    if got["landlock"]["in_force"]:
        check(places["input/data/train"] == "read" and places["model"] == "write" and places["output"] == "write",
              "%s", places)
    check(job.root not in job.read("output/data/isolation.json").decode(), "an absolute path in isolation.json")


@claim
def required_isolation_trains_the_same_bytes_as_off():
    need_landlock()
    if "a sanitizer's build" in small_job().expect(0).stderr:
        raise Skip("a sanitizer needs ptrace and exec, so required is refused there")
    barred = small_job(bl_isolation="required").expect(0)
    free = small_job(bl_isolation="off").expect(0)
    check(report(barred)["isolation"]["landlock"]["in_force"], "not in force")
    check(not report(free)["isolation"]["seccomp"]["in_force"], "in force though off")
    check(report(free)["isolation"]["core_dumps"] == "off", "core dumps are possible")
    # boostlens.json names the parameters given, so it differs by that one.
    left = {path: digest for path, digest in barred.outputs().items() if "boostlens.json" not in path}
    right = {path: digest for path, digest in free.outputs().items() if "boostlens.json" not in path}
    check(left == right and left, "%s\n%s", left, right)


@claim
def required_isolation_is_refused_where_the_kernel_has_no_landlock_and_auto_goes_on():
    job = small_job(bl_isolation="required").run(prefix=without(LANDLOCK_CALLS))
    check(job.rc == 1, "exit %s: %s", job.rc, job.stderr)
    contains(job.failure, "isolation is required", "Landlock is not there", "auto")
    check(not job.exists("model/xgboost-model"), "a model was trained")
    check(report(job)["isolation"]["landlock"] == {"in_force": False, "kernel_abi": 0, "places": []}, "%s", report(job))
    job = small_job().run(prefix=without(LANDLOCK_CALLS))
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr)
    contains(job.stderr, "Landlock not there")


CONNECT = """
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(80)};
    to.sin_addr.s_addr = htonl(0xa9fea9fe);
    int fd = %s;
    connect(fd, (struct sockaddr *)&to, sizeof to);
"""


@claim
def an_injected_connect_is_stopped_named_and_ends_with_70():
    for name, body, call in (("connect", CONNECT % "0", "connect"),
                             ("socket", CONNECT % "socket(AF_INET, SOCK_STREAM, 0)", "socket"),
                             ("udp", CONNECT % "socket(AF_INET6, SOCK_DGRAM, 0)", "socket")):
        job = injected(name, body)
        check(job.rc == 70, "%s: exit %s: %s", name, job.rc, job.stderr[-500:])
        contains(job.failure, "stopped by the sandbox", "the call " + call)
        contains(job.stderr, "the call " + call)
        check(not job.exists("model/xgboost-model"), "a model was trained")


@claim
def an_injected_exec_is_stopped_and_new_processes_fail():
    job = injected("exec", 'char *const none[] = {NULL}; execve("/bin/true", none, none);')
    if "a sanitizer's build" in job.stderr:
        raise Skip("a sanitizer starts programs for its reports")
    check(job.rc == 70, "exit %s: %s", job.rc, job.stderr[-500:])
    contains(job.failure, "the call execve")
    # Around these glibc blocks signals, so they fail instead, and the job goes on.
    job = injected("spawn", 'errno = 0; int rc = system("true"); fprintf(stderr, "TRY %d %d\\n", rc, errno);'
                   'FILE *f = popen("true", "r"); fprintf(stderr, "TRY %d\\n", !f);'
                   'pid_t pid = fork(); if (pid == 0) _exit(0); fprintf(stderr, "TRY %d %d\\n", (int)pid, errno);')
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
    contains(job.stderr, "TRY 32512 1\nTRY 1\nTRY -1 1\n")  # system: the status of a shell that could not be run


@claim
def what_lies_outside_cannot_be_read_and_the_input_cannot_be_written():
    need_landlock()
    tries = """
    static const char *const reads[] = {"/etc/passwd", "/proc/1/environ", "/etc/shadow"};
    char path[4096];
    for (int i = 0; i < 3; i++) {
        errno = 0;
        int fd = open(reads[i], O_RDONLY);
        fprintf(stderr, "TRY read %s: %d\\n", reads[i], fd < 0 ? errno : 0);
    }
    static const char *const writes[] = {"input/data/train/a.csv", "input/data/train/new", "input/config/new", "new"};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", getenv("JOB_ROOT"), writes[i]);
        errno = 0;
        int fd = open(path, O_WRONLY | O_CREAT, 0600);
        fprintf(stderr, "TRY write %s: %d\\n", writes[i], fd < 0 ? errno : 0);
    }
    snprintf(path, sizeof path, "%s/input/data/train/a.csv", getenv("JOB_ROOT"));
    errno = 0;
    fprintf(stderr, "TRY unlink: %d\\n", unlink(path) ? errno : 0);
    snprintf(path, sizeof path, "%s/model/mine", getenv("JOB_ROOT"));
    fprintf(stderr, "TRY model: %d\\n", open(path, O_WRONLY | O_CREAT, 0600) < 0 ? errno : 0);
"""
    job = small_job()
    job.run(environment={"LD_PRELOAD": preload("tries", tries), "JOB_ROOT": job.root})
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-800:])
    got = dict(re.findall(r"TRY (.*): (\d+)", job.stderr))
    check(len(got) == 9, "%s", got)
    for what, number in got.items():
        wanted = 0 if what == "model" else 13  # EACCES
        check(int(number) == wanted, "%s: errno %s", what, number)


@claim
def a_job_runs_whole_in_a_namespace_without_network():
    tried = subprocess.run(["unshare", "-n", "true"], capture_output=True, text=True)
    prefix = ("unshare", "-n")
    if tried.returncode:
        tried = subprocess.run(["unshare", "-rn", "true"], capture_output=True, text=True)
        prefix = ("unshare", "-rn")
    if tried.returncode:
        raise Skip(f"no network namespace may be made here: {tried.stderr.strip()[:100]}")
    alone = demo_job(num_round="5").run(prefix=prefix)
    check(alone.rc == 0, "exit %s: %s", alone.rc, alone.stderr[-500:])
    check(alone.outputs() == demo_job(num_round="5").expect(0).outputs(), "other bytes than with a network")


@claim
def a_running_job_can_dump_no_core_and_is_no_ones_to_trace():
    job = small_job(num_round="100000", max_depth="2")
    process = job.start()
    try:
        wait_for(lambda: job.exists("output/data/isolation.json") or process.poll() is not None, what="isolation.json")
        with open(f"/proc/{process.pid}/limits", encoding="utf-8") as file:
            limit = [line.split() for line in file if line.startswith("Max core file size")][0]
        check(limit[4:6] == ["0", "0"], "%s", limit)
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        check(status["NoNewPrivs"] == "1" and status["Seccomp"] == "2", "%s %s", status["NoNewPrivs"], status["Seccomp"])
        process.send_signal(signal.SIGSEGV)
        process.communicate(timeout=HANG)
        check(not [name for name in os.listdir(".") + os.listdir(job.root) if name.startswith("core")], "a core file")
    finally:
        process.kill()
        process.communicate()


@claim
def check_says_too_when_isolation_that_is_required_is_not_to_be_had():
    job = small_job(bl_isolation="required").run("check", prefix=without(LANDLOCK_CALLS))
    check(job.rc == 1 and "Landlock is not there" in job.stderr, "exit %s: %s", job.rc, job.stderr)
    small_job().expect(0, verb="check")


# --- Explain and predict --------------------------------------------------------------------------


@claim
def explain_and_predict_are_barred_too_and_read_models_through_links():
    job = small_job().expect(0)
    folder = os.path.join(scratch, "links")
    os.makedirs(os.path.join(folder, "m"), exist_ok=True)
    os.symlink(job.path("model/xgboost-model"), os.path.join(folder, "m/xgboost-model"))
    os.symlink(job.path("model/boostlens"), os.path.join(folder, "m/boostlens"))
    os.symlink(job.path("input/data/train/a.csv"), os.path.join(folder, "rows.csv"))

    def apply(verb, output, *extra, **environment):
        return subprocess.run([BOOSTLENS, verb, "--model", "m", "--data", "rows.csv", "--output", output, *extra],
                              cwd=folder, capture_output=True, text=True, timeout=HANG, env=dict(os.environ, **environment))

    look = 'errno = 0; fprintf(stderr, "TRY %d\\n", open("/etc/passwd", O_RDONLY) < 0 ? errno : 0);'
    for verb, output, trigger in (("predict", "p.csv", "p.csv"), ("explain", "not/yet/there", "attributions.h5")):
        one = apply(verb, output, LD_PRELOAD=preload("look-" + verb, look, trigger))
        check(one.returncode == 0, "%s: exit %s: %s", verb, one.returncode, one.stderr[-500:])
        contains(one.stderr, "isolation: Landlock")
        if "Landlock not there" not in one.stderr:
            contains(one.stderr, "TRY 13")
        one = apply(verb, output, "--isolation", "off")
        check(one.returncode == 0, "%s: exit %s: %s", verb, one.returncode, one.stderr[-500:])
        contains(one.stderr, "isolation: off")
        one = apply(verb, output, LD_PRELOAD=preload("connect-" + verb, CONNECT % "0", trigger))
        check(one.returncode == 70, "%s: exit %s: %s", verb, one.returncode, one.stderr[-500:])
        contains(one.stderr, "the call connect")
        one = apply(verb, output, "--isolation", "x")
        check(one.returncode == 1 and "--isolation 'x'" in one.stderr, "exit %s: %s", one.returncode, one.stderr)


@claim
def a_background_of_another_folder_can_be_read():
    job = small_job().expect(0)
    folder = tempfile.mkdtemp(dir=scratch)
    with open(os.path.join(folder, "background.csv"), "w", encoding="utf-8") as file:
        file.write(small(20))
    one = subprocess.run([BOOSTLENS, "explain", "--model", job.path("model"), "--data", job.path("input/data/train/a.csv"),
                          "--background", os.path.join(folder, "background.csv"), "--output", job.path("e"),
                          "--label", "0"], capture_output=True, text=True, timeout=HANG)
    check(one.returncode == 0, "exit %s: %s", one.returncode, one.stderr[-500:])


@claim
def process_is_barred_too():
    root = tempfile.mkdtemp(prefix="process-", dir=scratch)
    for name in ("input", "train", "test", "train_headers", "fitted", "validation"):  # as the platform makes them
        os.makedirs(os.path.join(root, "processing", name))
    data = os.path.join(root, "processing/input/rows.csv")
    with open(data, "w", encoding="utf-8") as file:
        file.write("a,b\n" + "".join(f"{i},{i % 7}\n" for i in range(50)))
    look = ('errno = 0; fprintf(stderr, "TRY %d", open("/etc/passwd", O_RDONLY) < 0 ? errno : 0);'
            'errno = 0; fprintf(stderr, " %d\\n", open(getenv("ROWS"), O_WRONLY) < 0 ? errno : 0);')

    def process(*arguments, **environment):
        return subprocess.run([BOOSTLENS, "process", "--root", root, *arguments], capture_output=True, text=True,
                              timeout=HANG, env=dict(os.environ, ROWS=data, **environment))

    one = process(LD_PRELOAD=preload("process", look, "train_data.csv"))
    check(one.returncode == 0, "exit %s: %s", one.returncode, one.stderr)
    contains(one.stderr, "isolation: Landlock")
    if "Landlock not there" not in one.stderr:
        contains(one.stderr, "TRY 13 13")
    one = process(LD_PRELOAD=preload("process-connect", CONNECT % "0", "train_data.csv"))
    check(one.returncode == 70, "exit %s: %s", one.returncode, one.stderr)
    with open(os.path.join(root, "output/message"), encoding="utf-8") as file:
        contains(file.read(), "the call connect")
    one = process("--isolation", "off")
    check(one.returncode == 0 and "isolation: off" in one.stderr, "exit %s: %s", one.returncode, one.stderr)


# --- Encryption -------------------------------------------------------------------------------------


@claim
def every_volume_of_the_job_has_a_level_and_a_reason():
    got = report(small_job().expect(0))["encryption"]
    check(got["required"] is None, "%s", got)
    paths = [volume["path"] for volume in got["volumes"]]
    for wanted in ("input/data/train", "input/data/validation", "model", "output"):
        check(wanted in paths, "%s is not in %s", wanted, paths)
    for volume in got["volumes"]:
        check(volume["level"] in ("proven", "platform-asserted", "unknown", "not-encrypted") and volume["evidence"],
              "%s", volume)


@claim
def an_encryption_that_is_required_and_not_there_ends_the_job_before_data_are_read():
    levels = ("not-encrypted", "unknown", "platform-asserted", "proven")
    for required, least in (("proven", 3), ("asserted", 2)):
        job = small_job(bl_require_encryption=required)
        os.remove(job.path("input/data/train/a.csv"))  # reading it would be another error
        job.channel("train", ("bad.csv", "no,csv\nat all"))
        job.run()
        got = report(job)["encryption"]
        weakest = min(levels.index(volume["level"]) for volume in got["volumes"] if volume["path"] != "/tmp")
        check(got["required"] == required, "%s", got)
        if weakest >= least:
            raise Skip(f"the volumes of this machine are {levels[weakest]}")
        check(job.rc == 1, "exit %s", job.rc)
        contains(job.failure, f"bl_require_encryption is {required}", "Nothing was read")
        check("bad.csv" not in job.stderr, "the data were read: %s", job.stderr)


@claim
def an_fscrypt_folder_is_proven():
    if os.geteuid() != 0:
        raise Skip("not root")
    if not shutil.which("mkfs.ext4"):
        raise Skip("no mkfs.ext4")
    image, point = os.path.join(scratch, "fscrypt.img"), os.path.join(scratch, "fscrypt")
    os.makedirs(point, exist_ok=True)
    with open(image, "wb") as file:
        file.truncate(64 << 20)
    made = subprocess.run(["mkfs.ext4", "-q", "-O", "encrypt", image], capture_output=True, text=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, point], capture_output=True, text=True)
    if made.returncode or mounted.returncode:
        raise Skip(f"no such file system can be mounted here: {(made.stderr + mounted.stderr).strip()[:120]}")
    try:
        job = small_job(bl_require_encryption="proven")
        job.configure()
        secret = os.path.join(point, "secret")
        os.makedirs(secret)
        encrypt_folder(point, secret)
        shutil.copytree(job.root, os.path.join(secret, "job"))
        job.root = os.path.join(secret, "job")
        job.run()
        check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
        got = report(job)["encryption"]
        check(got["weakest"] == "proven" and "fscrypt, policy version 2" in got["volumes"][0]["evidence"], "%s", got)
        check("/tmp" not in [volume["path"] for volume in got["volumes"]] or got["weakest"] == "proven",
              "/tmp stays open though it is not proven")
        plain = Job()
        plain.root = os.path.join(point, "plain")
        shutil.copytree(job.root, plain.root)
        plain.run_again = plain.write_config = False
        plain.run()
        check(plain.rc == 1 and "bl_require_encryption is proven" in plain.failure, "exit %s: %s", plain.rc, plain.stderr)
    finally:
        subprocess.run(["umount", point], check=False)


def encrypt_folder(point, folder):
    """Adds a key and sets a v2 policy (AES-256-XTS, AES-256-CTS) on an empty folder."""
    import fcntl
    import struct
    fd = os.open(point, os.O_RDONLY)
    # struct fscrypt_add_key_arg: key_spec (type 2, reserved, 32 bytes), raw_size, key_id, reserved[8], raw
    argument = bytearray(struct.pack("II32sII32s", 2, 0, b"", 64, 0, b"") + os.urandom(64))
    try:
        fcntl.ioctl(fd, 0xc0506617, argument, True)  # FS_IOC_ADD_ENCRYPTION_KEY
    except OSError as error:
        raise Skip(f"no fscrypt key can be added here: {error}") from None
    finally:
        os.close(fd)
    identifier = bytes(argument[8:24])
    fd = os.open(folder, os.O_RDONLY)
    # struct fscrypt_policy_v2: version 2, contents 1, names 4, flags, reserved[4], identifier
    fcntl.ioctl(fd, 0x800c6613, struct.pack("BBBB4s16s", 2, 1, 4, 0, b"", identifier))
    os.close(fd)


# --- What is never written or said --------------------------------------------------------------------

WRITES = re.compile(r'(?:openat|open|creat|mkdir|mkdirat|rename|renameat|renameat2|unlink|unlinkat|truncate|symlink|link|mknod)'
                    r'\((.*)')


@claim
def strace_shows_no_write_outside_the_root_and_tmp():
    strace = shutil.which("strace")
    if not strace:
        raise Skip("no strace")
    if not small_job().expect(0).exists("output/data/isolation.json"):
        raise AssertionError("no isolation.json")
    job = demo_job(num_round="3", nthread="2")
    trace = os.path.join(scratch, "trace")
    job.run(prefix=(strace, "-f", "-y", "-o", trace, "-e", "trace=%file,socket,connect,fork,vfork,execve"))
    if job.rc != 0 and "ptrace" in job.stderr + "".join(open(trace, encoding="utf-8", errors="replace").readlines()[:5]):
        raise Skip("no ptrace here")
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr[-500:])
    outside, network, n_written = [], [], 0
    root = os.path.realpath(job.root)
    with open(trace, encoding="utf-8", errors="replace") as file:
        for line in file:
            if re.search(r"\b(socket|connect|vfork|fork)\(", line):
                network.append(line.strip())
            writing = re.search(r"\bopenat?\(.*O_(WRONLY|RDWR|CREAT)", line) or \
                re.search(r"\b(mkdir|rename|unlink|truncate|symlink|link|mknod|creat)(at|at2)?\(", line)
            if not writing or " = -1 " in line:
                continue
            for path in re.findall(r'"(/[^"]*)"', line):
                real = os.path.realpath(os.path.dirname(path)) + "/"
                n_written += 1
                if not (real.startswith(root + "/") or path.startswith("/tmp/") or path == "/dev/null"):
                    outside.append(line.strip()[:200])
    check(n_written > 10, "only %d writes seen: the trace is not what was meant", n_written)
    check(not outside, "written outside: %s", outside[:5])
    check(not network, "network or processes: %s", network[:5])
    # /tmp holds the job itself in this test, so of /tmp's own no file may be touched.
    with open(trace, encoding="utf-8", errors="replace") as file:
        own = [line for line in file if re.search(r'"/tmp/[^/"]+"', line) and re.search(r"O_(WRONLY|RDWR|CREAT)", line)]
    check(not own, "files of its own in /tmp: %s", own[:3])


@claim
def neither_secrets_of_the_environment_nor_cells_are_in_the_log_or_the_outputs():
    secret, cell = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY", "7.7712345"
    job = small_job(data=small().replace("\n", f"\n1,{cell},0.5,0.5\n", 1))
    job.run(environment={"AWS_SECRET_ACCESS_KEY": secret, "AWS_SESSION_TOKEN": secret,
                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/" + secret})
    check(job.rc == 0, "exit %s: %s", job.rc, job.stderr)
    for text in (job.stdout, job.stderr):
        check(secret not in text and cell not in text and cell[:6] not in text, "it is in the log")
    for folder, _, files in os.walk(job.root):
        for name in files:
            with open(os.path.join(folder, name), "rb") as file:
                check(secret.encode() not in file.read(), "%s holds the secret", name)


raise SystemExit(main())

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command: a table of verbs, one cmd_<verb>.c each. What is done here and nowhere
 * else: the first signal handlers, the bounded spin of the OpenMP runtime, and the name
 * we were called by.
 */
#include "cmd.h"

#include "boostlens.h"

#include <fcntl.h>
#include <omp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv); /* argv[0] is the verb */
    const char *help;
} verbs[] = {
    {"train", cmd_train, "run a SageMaker training job: [--root DIR]"},
    {"explain", cmd_explain,
     "exact attributions of any rows with a saved model: help explain"},
    {"predict", cmd_predict, "scores of any rows with a saved model: help predict"},
    {"process", cmd_process,
     "run a SageMaker Processing job: split, fit, transform: help process"},
    {"plan", cmd_plan,
     "propose a preprocessing plan from the data: FILE.csv [--label COLUMN]"},
    {"check", cmd_check,
     "check a job folder's configuration and first lines: [--root DIR]"},
    {"lint-job", cmd_lint_job,
     "are requests and policies for AWS as secure as they must be: FILE... [--json]"},
    {"help", cmd_help, "this page, or a verb's: help train"},
};

static int usage(FILE *out)
{
    fputs("usage: boostlens VERB [OPTION...]\n\n", out);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].help);
    fputs("  --version\n\nDIR stands for /opt/ml; SAGEMAKER_BASE_DIR does too.\n", out);
    return out == stdout ? 0 : EXIT_USAGE;
}

int cmd_wrong(const char *verb, const char *what, const char *word)
{
    fprintf(stderr, "boostlens %s: %s%s%s%s; see 'boostlens help %s'\n", verb, what,
            word ? " '" : "", word ? word : "", word ? "'" : "", verb);
    return EXIT_USAGE;
}

int cmd_usage(void)
{
    return usage(stdout);
}

/*
 * With OMP_PROC_BIND set, libgomp has bound this thread to one processor before main, and
 * whatever counts processors by our mask would see one. Its list of places still has them all.
 */
static void widen_affinity(void)
{
    cpu_set_t all;
    CPU_ZERO(&all);
    for (int place = 0; place < omp_get_num_places(); place++) {
        int ids[CPU_SETSIZE], n = omp_get_place_num_procs(place);
        if (n > CPU_SETSIZE)
            return;
        omp_get_place_proc_ids(place, ids);
        for (int i = 0; i < n; i++)
            CPU_SET((size_t)ids[i], &all);
    }
    if (CPU_COUNT(&all) > 0)
        sched_setaffinity(0, sizeof all, &all);
}

/*
 * libgomp lets idle threads spin long enough to make a job 100 times slower beside one busy
 * neighbour (benchmarks/neighbour.py; README.md there has the choice of 1000). It reads its environment before main, so a bounded spin takes one new start of this
 * program; an image that sets GOMP_SPINCOUNT or OMP_WAIT_POLICY saves that.
 */
static void bound_spin(char **argv)
{
    if (getenv("GOMP_SPINCOUNT") || getenv("OMP_WAIT_POLICY") ||
        getenv("BOOSTLENS_STARTED"))
        return;
    setenv("GOMP_SPINCOUNT", "1000", 1);
    setenv("BOOSTLENS_STARTED", "1", 1);
    execv("/proc/self/exe", argv);
    /* No /proc: slower beside a busy neighbour, but right. */
}

/* A closed descriptor 0, 1 or 2 would be taken by the first file we open. */
static void open_standard_streams(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) == -1 && open("/dev/null", O_RDWR) != fd)
            _exit(EXIT_PLATFORM);
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int run_verb(const char *name, int argc, char **argv)
{
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(name, verbs[i].name) == 0)
            return verbs[i].run(argc, argv);
    fprintf(stderr, "boostlens: unknown verb '%s'\n", name);
    return usage(stderr);
}

/* SageMaker starts a Processing job without an argument, or with the user's own options
 * alone; its config file tells. */
static bool is_processing_job(int argc, char **argv)
{
    const char *root = getenv("SAGEMAKER_BASE_DIR");
    char path[4096];
    if (argc > 1 && (strncmp(argv[1], "--", 2) != 0 ||
                     strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "--help") == 0))
        return false;
    snprintf(path, sizeof path, "%s/config/processingjobconfig.json",
             root && *root ? root : "/opt/ml");
    return access(path, F_OK) == 0;
}

static int run_processing(int argc, char **argv)
{
    static char process[] = "process";
    char **with_verb = calloc((size_t)argc + 2, sizeof *with_verb);
    if (!with_verb)
        return EXIT_PLATFORM;
    with_verb[0] = process;
    for (int i = 1; i < argc; i++)
        with_verb[i] = argv[i];
    int code = run_verb(process, argc < 1 ? 1 : argc, with_verb);
    free(with_verb);
    return code;
}

int main(int argc, char **argv)
{
    open_standard_streams();
    stop_hold();
    signal(SIGPIPE, SIG_IGN); /* a reader that leaves must not end the job */
    if (getpid() == 1)
        signal(SIGCHLD, SIG_IGN); /* orphans that become ours leave no zombies */
    widen_affinity();
    bound_spin(argv);
    umask(077);
    const char *name = argc > 0 ? base_name(argv[0]) : "boostlens";
    if (strcmp(name, "train") == 0)
        /* Called by a link of that name: SageMaker's word `train` may follow, or not. */
        return argc > 1 && strcmp(argv[1], "train") == 0
                   ? run_verb("train", argc - 1, argv + 1)
                   : run_verb("train", argc, argv);
    if (is_processing_job(argc, argv))
        return run_processing(argc, argv);
    if (argc < 2)
        return usage(stderr);
    if (strcmp(argv[1], "--version") == 0)
        return cmd_version();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)
        return usage(stdout);
    return run_verb(argv[1], argc - 1, argv + 1);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OS threads and OpenMP runtimes of a training. libgomp reads its environment before main, so
 * each case runs in a child: this program again, with "count N" for arguments.
 */
#include "help.h"

#include <dirent.h>
#include <omp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int n_threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = 0;
    for (struct dirent *e; dir && (e = readdir(dir));)
        n += e->d_name[0] != '.';
    if (dir)
        closedir(dir);
    return n;
}

/* clang's own runtime lies beside libgomp then, and bound threads see one processor; what is
 * shipped is built by gcc. */
#ifdef __clang__
#define TWO_RUNTIMES 1
#else
#define TWO_RUNTIMES 0
#endif

/* Different files called libgomp that are mapped. */
static int n_runtimes(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096], seen[8][512];
    int n = 0;
    while (maps && fgets(line, sizeof line, maps)) {
        const char *path = strchr(line, '/');
        int i = 0;
        if (!path || !strstr(path, "libgomp"))
            continue;
        while (i < n && strncmp(seen[i], path, sizeof seen[i] - 1))
            i++;
        if (i == n && n < 8)
            snprintf(seen[n++], sizeof seen[0], "%s", path);
    }
    if (maps)
        fclose(maps);
    return n;
}

/* A loop of our own, so that both users of the runtime have been there. */
static double own_loop(int n)
{
    double sum = 0;
#pragma omp parallel for num_threads(n) reduction(+ : sum)
    for (int i = 0; i < 100000; i++)
        sum += (double)i;
    return sum;
}

static int child(int nthread)
{
    bl_job *job = job_new("binary:logistic", 3);
    bl_matrix *rows = matrix_new(20000, 8, 3, 0, 1);
    bl_training *t;
    bl_err err = {0};
    int before = n_threads();
    bl_train_input input = {.job = job, .train = rows, .nthread = nthread};
    if (own_loop(nthread) < 1 || bli_train(&input, &t, &err) != BL_OK)
        return 1;
    printf("before %d after %d runtimes %d procs %d\n", before, n_threads(), n_runtimes(),
           omp_get_num_procs());
    bli_training_free(t);
    matrix_free(rows);
    job_free(job);
    return 0;
}

typedef struct counts {
    int before, after, runtimes, procs;
    int n_spin_lines;
    bool spin_is_bounded;
} counts;

static void run_child(int nthread, const char *bind, counts *ret)
{
    char command[4400], self[4096];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    snprintf(command, sizeof command,
             "env -u OMP_NUM_THREADS -u OMP_PROC_BIND GOMP_SPINCOUNT=20000 "
             "OMP_DISPLAY_ENV=VERBOSE %s%s '%s' count %d 2>&1",
             bind ? "OMP_PROC_BIND=" : "", bind ? bind : "", self, nthread);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    *ret = (counts){0};
    char line[1024];
    bool found = false;
    while (fgets(line, sizeof line, out)) {
        if (strstr(line, "GOMP_SPINCOUNT")) {
            ret->n_spin_lines++;
            ret->spin_is_bounded = strstr(line, "'20000'") != NULL;
        }
        if (sscanf(line, "before %d after %d runtimes %d procs %d", &ret->before,
                   &ret->after, &ret->runtimes, &ret->procs) == 4)
            found = true;
    }
    int rc = pclose(out);
    CHECK(WIFEXITED(rc) && WEXITSTATUS(rc) == 0 && found, "'%s' ended with %d", command,
          rc);
}

static int cpus(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) ? 1 : CPU_COUNT(&set);
}

static void test_one_runtime_is_in_the_process(void **state)
{
    (void)state;
    counts c;
    if (TWO_RUNTIMES)
        SKIP("built by clang, whose libomp is in the process beside libgomp");
    run_child(1, NULL, &c);
    CHECK(c.runtimes == 1, "%d files called libgomp are mapped", c.runtimes);
    /* Each libgomp that starts shows its settings: one did, with the bounded spin. */
    assert_int_equal(c.n_spin_lines, 1);
    assert_true(c.spin_is_bounded);
}

static void test_one_thread_stays_one(void **state)
{
    (void)state;
    static const char *const binds[] = {NULL, "true", "close", "false"};
    for (size_t i = 0; i < 4; i++) {
        counts c;
        run_child(1, binds[i], &c);
        CHECK(c.before == 1 && c.after == 1, "bind %s: %d, %d threads",
              binds[i] ? binds[i] : "unset", c.before, c.after);
    }
}

static void test_two_threads_are_two_whatever_the_binding(void **state)
{
    (void)state;
    static const char *const binds[] = {NULL, "true", "close", "false"};
    size_t n_binds = TWO_RUNTIMES ? 1 : 4;
    if (cpus() < 2)
        SKIP("one processor: XGBoost takes no more threads than those");
    counts c;
    for (size_t i = 0; i < n_binds; i++) {
        run_child(2, binds[i], &c);
        CHECK(c.before == 1 && c.after == 2 && c.procs >= 2,
              "bind %s: %d threads at the start, %d after, %d processors",
              binds[i] ? binds[i] : "unset", c.before, c.after, c.procs);
    }
}

int main(int argc, char **argv)
{
    if (argc == 3 && !strcmp(argv[1], "count"))
        return child(atoi(argv[2]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_runtime_is_in_the_process),
        cmocka_unit_test(test_one_thread_stays_one),
        cmocka_unit_test(test_two_threads_are_two_whatever_the_binding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

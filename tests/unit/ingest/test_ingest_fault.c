/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allocation 1, 2, 3, ... fails until a reading passes: each time BL_E_NOMEM with a sentence,
 * no table, and (under the sanitizer) nothing leaked. The linker's --wrap puts the functions
 * below before those of libc, in our own objects only.
 */
#include "ingest_test.h"

#include <sys/stat.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *pointer, size_t n);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *pointer, size_t n);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);

static long left = -1; /* allocations until one fails; -1: none does */

static bool fails(void)
{
    return left >= 0 && left-- == 0;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *pointer, size_t n)
{
    return fails() ? NULL : __real_realloc(pointer, n);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
    return fails() ? NULL : __real_strndup(text, n);
}

/* Every room of the house in a few lines: header, quotes, categories, ids, groups, weights. */
static const char text[] = "y,w,g,who,colour,a,b,junk\n"
                           "1,1,q1,\"Lee, Ann\",red,1,2,x\n"
                           "0,1,q1,Bo,blue,3,,y\n"
                           "1,2,q2,\"Two\nlines\",red,True,NA,z\n";

typedef bl_status scenario(bench *b, const bl_table_like *like);

static bl_status read_roles(bench *b, const bl_table_like *like)
{
    static char w[] = "w", g[] = "g", who[] = "who", junk[] = "junk";
    static bl_column_ref id = {who, 0}, drop = {junk, 0};
    b->ingest.like = like;
    b->settings.has_weight = b->settings.has_group = true;
    b->settings.weight.name = w;
    b->settings.group.name = g;
    b->settings.ids = (bl_column_refs){1, &id};
    b->settings.drop = (bl_column_refs){1, &drop};
    b->settings.enable_categorical = true;
    return bli_ingest_text(&b->ingest, "t.csv", text, sizeof text - 1, &b->table,
                           &b->err);
}

static bl_status read_numbers(bench *b, const bl_table_like *like)
{
    static char numbers[30000];
    b->ingest.like = like;
    size_t n = 0;
    while (n < sizeof numbers - 16)
        n += (size_t)sprintf(numbers + n, "1,2.5,3\n");
    return bli_ingest_text(&b->ingest, "t.csv", numbers, n, &b->table, &b->err);
}

static char folder[64];

static bl_status read_folder(bench *b, const bl_table_like *like)
{
    b->ingest.like = like;
    return bli_ingest_folder(&b->ingest, folder, folder, &b->table, &b->err);
}

static void sweep(scenario *run, const char *what)
{
    /* a table that went well, for the later one to be like */
    bench *first = __real_calloc(1, sizeof *first), *b = __real_calloc(1, sizeof *b);
    bl_table_like *like = NULL;
    setup(first);
    CHECK(run(first, NULL) == BL_OK, "%s: %s", what, first->err.msg);
    CHECK_OK(bli_table_like_new(first->table, &like, &first->err), first->err);
    for (int second = 0; second < 2; second++) {
        long n = 0;
        for (;; n++) {
            setup(b);
            left = n;
            bl_status st = run(b, second ? like : NULL);
            bool was_hit = left < 0;
            left = -1;
            if (!was_hit) {
                CHECK(st == BL_OK, "%s: %s", what, b->err.msg);
                break;
            }
            /* what is only looked up to advise a user may do without memory */
            CHECK(st == BL_E_NOMEM || st == BL_OK, "%s, allocation %ld: %d %s", what, n,
                  (int)st, b->err.msg);
            CHECK((st == BL_OK) == (b->table != NULL), "%s, allocation %ld", what, n);
            CHECK(st == BL_OK || strstr(b->err.msg, "no memory"), "%s", b->err.msg);
            teardown(b);
        }
        print_message("%s: %ld allocations\n", what, n);
        CHECK(n > 20, "%s: only %ld allocations were met", what, n);
        teardown(b);
    }
    bli_table_like_free(like);
    teardown(first);
    free(first);
    free(b);
}

static void test_a_failed_allocation_is_reported_and_leaves_nothing(void **state)
{
    (void)state;
    sweep(read_roles, "roles");
    sweep(read_numbers, "numbers");
    strcpy(folder, "/tmp/boostlens-fault-XXXXXX");
    if (!mkdtemp(folder))
        fail_msg("no folder in /tmp");
    char command[300];
    snprintf(command, sizeof command,
             "cd '%s' && mkdir -p a/b && printf 'y,x\\n1,2\\n' > a/b/1.csv && "
             "printf 'x,y\\n3,0\\n' | gzip > a/2.csv.gz",
             folder);
    CHECK(system(command) == 0, "%s", command);
    sweep(read_folder, "folder");
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    CHECK(system(command) == 0, "%s", command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_allocation_is_reported_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

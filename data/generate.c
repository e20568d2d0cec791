/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the small credit-default data set of data/credit: clients of an invented bank,
 * six months of bills and payments, and whether the next payment defaulted.
 * data/README.md says what each column means and which real set the columns and their
 * distributions follow.
 *
 *     cc -std=c11 -O2 -ffp-contract=off -o generate data/generate.c
 *     ./generate data/credit
 *
 * The same bytes on every machine: integers, and doubles by + - * / alone, because libm's
 * last bit differs between machines.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { N_MONTHS = 6, N_TRAIN = 6000, N_VALIDATION = 1500, SEED = 20090605 };

/* A cell that is left empty. */
#define MISSING INT64_MIN

typedef struct client {
    int64_t label;
    int64_t limit, sex, education, marriage, age;
    int64_t status[N_MONTHS]; /* index 0 is the latest month */
    int64_t bill[N_MONTHS];
    int64_t paid[N_MONTHS];
} client;

/* --- Random numbers: splitmix64 (Steele, Lea, Flood 2014)
 * ----------------------------------- */

static uint64_t next_bits(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Uniform in [0, 1), a multiple of 2^-53. */
static double uniform(uint64_t *state)
{
    return (double)(next_bits(state) >> 11) / 9007199254740992.0;
}

/* Near enough to a standard normal: twelve uniforms have variance 1. */
static double normal(uint64_t *state)
{
    double sum = 0;
    for (int i = 0; i < 12; i++)
        sum += uniform(state);
    return sum - 6;
}

/* e^x for |x| < 700 to about 1e-12: Taylor on x / 1024, squared ten times. */
static double exponential(double x)
{
    double y = x / 1024, term = 1, sum = 1;
    for (int i = 1; i <= 8; i++) {
        term = term * y / i;
        sum += term;
    }
    for (int i = 0; i < 10; i++)
        sum *= sum;
    return sum;
}

static double logistic(double x)
{
    return 1 / (1 + exponential(-x));
}

static double clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}

static int chance(uint64_t *state, double p)
{
    return uniform(state) < p;
}

/* An index drawn by `n` weights that sum to 1. */
static int64_t choose(uint64_t *state, const double *weights, int n)
{
    double u = uniform(state);
    for (int i = 0; i < n - 1; i++) {
        if (u < weights[i])
            return i;
        u -= weights[i];
    }
    return n - 1;
}

/* --- A client
 * -------------------------------------------------------------------------------- */

/* What drives a client and is not in the file. */
typedef struct nature {
    double strain; /* money trouble, standard normal */
    double wealth; /* standard normal */
    double usage;  /* share of the limit in use, 0 to 1.1 */
    int64_t habit; /* -2 hardly uses the card, -1 pays in full, 0 revolves */
} nature;

static void make_person(uint64_t *rng, client *c, nature *n)
{
    static const double education[] = {.0005, .353, .4675, .164, .0041, .0093, .0016};
    n->strain = normal(rng);
    n->wealth = normal(rng) - .35 * n->strain;
    c->sex = chance(rng, .6) ? 2 : 1;
    c->education = choose(rng, education, 7);
    if (c->education == 1)
        n->wealth += .35;
    else if (c->education == 3)
        n->wealth -= .35;
    double spread = 0;
    for (int i = 0; i < 5; i++) {
        double z = normal(rng);
        spread += z * z;
    }
    c->age = (int64_t)clamp(21 + 2.9 * spread, 21, 79);
    double married = clamp(.03 * (double)(c->age - 21) + .1, .05, .75);
    c->marriage = chance(rng, .012)      ? 3
                  : chance(rng, .002)    ? 0
                  : chance(rng, married) ? 1
                                         : 2;
    double limit = exponential(11.68 + .82 * n->wealth + .008 * (double)(c->age - 35));
    c->limit = 10000 * (int64_t)(clamp(limit, 10000, 800000) / 10000);
}

static void make_habit(uint64_t *rng, nature *n)
{
    double revolves = logistic(.75 + .6 * n->strain - .5 * n->wealth);
    n->habit = chance(rng, revolves) ? 0 : chance(rng, .6) ? -1 : -2;
    double z = normal(rng);
    if (n->habit == 0)
        n->usage = clamp(.62 + .33 * z + .06 * n->strain, .02, 1.1);
    else if (n->habit == -1)
        n->usage = clamp(.05 * z * z + .005, 0, .8);
    else
        n->usage = clamp(.02 * z * z - .005, 0, .4);
}

/* Repayment status, oldest month first: on time by habit, or months of delay. */
static void make_status(uint64_t *rng, client *c, const nature *n)
{
    double starts = logistic(-3.45 + .9 * n->strain + (n->habit == 0 ? .3 : 0));
    double persists = clamp(.62 + .06 * n->strain, .3, .85);
    int64_t delay = chance(rng, 2.2 * starts) ? 2 : 0;
    for (int m = N_MONTHS - 1; m >= 0; m--) {
        if (delay > 0)
            delay = !chance(rng, persists) ? 0 : chance(rng, .08) ? delay + 1 : delay;
        else if (chance(rng, m == 0 ? 2.4 * starts : starts))
            delay = m == 0 && chance(rng, .75) ? 1 : 2;
        if (delay > 8)
            delay = 8;
        int64_t on_time = n->habit;
        if (chance(rng, .06))
            on_time = on_time == 0 ? -1 : on_time == -1 && chance(rng, .5) ? 0 : -2;
        c->status[m] = delay > 0 ? delay : on_time;
    }
}

/* People and banks like round sums. */
static int64_t rounded(uint64_t *rng, double amount)
{
    int64_t whole = (int64_t)amount;
    if (whole >= 1000 && chance(rng, .3))
        whole = whole / 1000 * 1000;
    else if (whole >= 200 && chance(rng, .3))
        whole = whole / 100 * 100;
    return whole;
}

static void make_money(uint64_t *rng, client *c, const nature *n)
{
    double balance = n->usage * (double)c->limit * clamp(.9 + .12 * normal(rng), .3, 1.3);
    for (int m = N_MONTHS - 1; m >= 0; m--) {
        double pays;
        if (c->status[m] > 0)
            pays = chance(rng, .55) ? 0 : .03 * balance;
        else if (c->status[m] == 0)
            pays = balance * clamp(.045 + .02 * normal(rng) - .006 * n->strain, 0, .3);
        else
            pays = balance;
        if (chance(rng, .03))
            pays += balance * uniform(rng);
        c->paid[m] = rounded(rng, clamp(pays, 0, balance > 0 ? 1.02 * balance : 0));
        double z = normal(rng);
        double spends = n->usage * (double)c->limit;
        spends *= n->habit == 0 ? clamp(.06 + .04 * z, 0, .4) : clamp(1 + .5 * z, 0, 3);
        balance += spends - (double)c->paid[m];
        if (n->habit == 0 && balance > 1.1 * (double)c->limit)
            balance = 1.02 * (double)c->limit;
        c->bill[m] = (int64_t)balance;
    }
}

/* The odds of default next month: the latest status weighs most, as in the real set. */
static void make_label(uint64_t *rng, client *c, const nature *n)
{
    double late = 0, use = (double)c->bill[0] / (double)c->limit;
    for (int m = 1; m < N_MONTHS; m++)
        late += c->status[m] > 0 ? 1 : 0;
    double score = -2.03 + .2 * late - .36 * n->wealth + .2 * n->strain;
    if (c->status[0] >= 2)
        score += 2.15;
    else if (c->status[0] == 1)
        score += .85;
    else if (c->status[0] == 0)
        score -= .25;
    score += .3 * clamp(use, -1, 1.5) + (c->paid[0] == 0 ? .35 : 0) +
             (c->paid[1] == 0 ? .2 : 0);
    score -= .4 * clamp((double)c->paid[1] / 15000, 0, 2);
    score += (c->sex == 1 ? .12 : 0) + (c->marriage == 1 ? .1 : 0);
    score += c->age > 55 ? .2 : 0;
    c->label = chance(rng, logistic(score));
}

/* Cells a bank does not have: answers not given, and months before the account was
 * opened. */
static void drop_cells(uint64_t *rng, client *c)
{
    if (chance(rng, .010))
        c->education = MISSING;
    if (chance(rng, .008))
        c->marriage = MISSING;
    if (chance(rng, .004))
        c->age = MISSING;
    if (!chance(rng, .04))
        return;
    int first = 2 + (int)(4 * uniform(rng));
    for (int m = first; m < N_MONTHS; m++)
        c->status[m] = c->bill[m] = c->paid[m] = MISSING;
}

static void make_client(uint64_t *rng, client *c)
{
    nature n;
    make_person(rng, c, &n);
    make_habit(rng, &n);
    make_status(rng, c, &n);
    make_money(rng, c, &n);
    make_label(rng, c, &n);
    drop_cells(rng, c);
}

/* --- Files
 * ----------------------------------------------------------------------------------- */

static void write_cell(FILE *file, int64_t value)
{
    if (value == MISSING)
        fputc(',', file);
    else
        fprintf(file, ",%lld", (long long)value);
}

static void write_header(FILE *file)
{
    fputs("default_payment,LIMIT_BAL,SEX,EDUCATION,MARRIAGE,AGE,PAY_0", file);
    for (int m = 2; m <= N_MONTHS; m++)
        fprintf(file, ",PAY_%d", m);
    for (int m = 1; m <= N_MONTHS; m++)
        fprintf(file, ",BILL_AMT%d", m);
    for (int m = 1; m <= N_MONTHS; m++)
        fprintf(file, ",PAY_AMT%d", m);
    fputc('\n', file);
}

static void write_client(FILE *file, const client *c)
{
    fprintf(file, "%lld", (long long)c->label);
    write_cell(file, c->limit);
    write_cell(file, c->sex);
    write_cell(file, c->education);
    write_cell(file, c->marriage);
    write_cell(file, c->age);
    for (int m = 0; m < N_MONTHS; m++)
        write_cell(file, c->status[m]);
    for (int m = 0; m < N_MONTHS; m++)
        write_cell(file, c->bill[m]);
    for (int m = 0; m < N_MONTHS; m++)
        write_cell(file, c->paid[m]);
    fputc('\n', file);
}

static void write_file(uint64_t *rng, const char *folder, const char *name, int n_rows)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path) {
        fprintf(stderr, "generate: the folder's name is too long\n");
        exit(1);
    }
    FILE *file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    write_header(file);
    for (int i = 0; i < n_rows; i++) {
        client c;
        make_client(rng, &c);
        write_client(file, &c);
    }
    if (ferror(file) | fclose(file)) {
        fprintf(stderr, "generate: %s: write failed\n", path);
        exit(1);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: generate FOLDER\n");
        return 64;
    }
    uint64_t rng = SEED;
    write_file(&rng, argv[1], "train.csv", N_TRAIN);
    write_file(&rng, argv[1], "validation.csv", N_VALIDATION);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the verbs share: exit codes, the log on stderr, the signals. */
#ifndef BL_CONTAINER_CMD_H
#define BL_CONTAINER_CMD_H

#include "base/log.h"

#include <signal.h>
#include <stdbool.h>

enum { EXIT_USAGE = 64, EXIT_OURS = 70, EXIT_PLATFORM = 74 };

int cmd_train(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_predict(int argc, char **argv);
int cmd_apply_help(void);
int cmd_process(int argc, char **argv);
int cmd_process_help(void);
int cmd_plan(int argc, char **argv);
int cmd_plan_help(void);
int cmd_check(int argc, char **argv);
int cmd_lint_job(int argc, char **argv);
int cmd_lint_job_help(void);
int cmd_help(int argc, char **argv);
int cmd_version(void);
int cmd_usage(void);

/* Says what is wrong with a command line (word: the argument it is about, or NULL) and where help
 * is; EXIT_USAGE. */
int cmd_wrong(const char *verb, const char *what, const char *word);
/* --root DIR, else SAGEMAKER_BASE_DIR, else /opt/ml. false: usage error, already said. */
bool cmd_root(int argc, char **argv, const char **ret_root);

/* --- console.c: one line an event on stderr, progress in place on a terminal -------- */

/* A log that writes to stderr; lent, one a process. */
const bl_log *console_log(void);
/* Takes a live progress line off the terminal, before something else is printed. */
void console_clear(void);

/* --- trap.c: SIGSYS, by which the sandbox stops a call ------------------------------- */

/* The process then ends with 70, the sentence on stderr and in the failure file (NULL:
 * none). */
void trap_install(const char *failure_path);

/* --- stop.c: SIGTERM and SIGINT ----------------------------------------------------- */

/* Installs the handlers, lets through what was held, and lends the flag they set. */
const volatile sig_atomic_t *stop_install(void);
/* Keeps the signals waiting until then: as process 1 one without a handler would be lost, and
 * the program starts itself anew before it has one. release: a verb that installs none. */
void stop_hold(void);
void stop_release(void);

/* --- crash.c ------------------------------------------------------------------------ */

/* From now on a crash leaves one sentence in this file and on stderr, and exit 70. */
void crash_install(const char *failure_path);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Scripts that check our files with what other people wrote. */
#ifndef BL_TESTS_PYTHON_H
#define BL_TESTS_PYTHON_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

/* The first of $BOOSTLENS_PYTHON, python3 and /usr/bin/python3 that can import `modules`
 * ("h5py, numpy"); NULL where none can. */
static inline const char *python_with(const char *modules)
{
    const char *candidates[] = {getenv("BOOSTLENS_PYTHON"), "python3",
                                "/usr/bin/python3"};
    for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
        char command[1024];
        if (!candidates[i])
            continue;
        snprintf(command, sizeof(command), "'%s' -c 'import %s' 2>/dev/null",
                 candidates[i], modules);
        if (system(command) == 0)
            return candidates[i];
    }
    return NULL;
}

/* Exit code of the script with one argument; what it prints is shown. */
static inline int run_python(const char *python, const char *script, const char *argument)
{
    char command[4096];
    fflush(NULL);
    snprintf(command, sizeof(command), "'%s' '%s' '%s'", python, script, argument);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#endif

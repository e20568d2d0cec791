/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox of a Processing job: it reads its inputs and writes the folders of its outputs. */
#include "job/places_priv.h"
#include "job/process_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* The folder a file will be in, or the nearest above it that is there. On the platform it is there; elsewhere
 * the rule is wider than it need be, and may hold the inputs. */
static bl_status add_folder_of(bl_places *p, const char *file, bl_err *err)
{
    char *folder = NULL;
    bl_status st = bli_strdup(file, &folder, err);
    if (st != BL_OK)
        return st;
    do {
        char *slash = strrchr(folder, '/');
        if (slash)
            slash[slash == folder] = '\0';
    } while (!bli_is_folder(folder) && strchr(folder, '/'));
    st = bli_places_add(p, bli_is_folder(folder) ? folder : ".", true, err);
    free(folder);
    return st;
}

static bool is_written(const bl_process *process, size_t file)
{
    bool is_profile = file == BL_FILE_PROFILE || file == BL_FILE_PROFILE_PAGE;
    return is_profile ? process->profile : !process->only_profile;
}

bl_status bli_process_isolate(const bl_process *process, const bl_process_places *places,
                              bl_err *err)
{
    bl_places p = {0};
    char *output = NULL;
    bl_status st = bli_places_add(&p, process->root, false, err);
    if (st == BL_OK && process->plan)
        st = bli_places_add(&p, process->plan, false, err);
    for (size_t i = 0; st == BL_OK && i < places->n; i++)
        st = bli_places_add(&p, places->data[i], false, err);
    for (size_t i = 0; st == BL_OK && i < BL_N_PROCESS_FILES; i++)
        if (is_written(process, i))
            st = add_folder_of(&p, places->path[i], err);
    /* This one is made: failures leave their message there too. */
    if (st == BL_OK)
        st = bli_path_join(process->root, "output", &output, err);
    if (st == BL_OK)
        st = bli_make_folder(output, 0700, err);
    if (st == BL_OK)
        st = bli_places_add(&p, output, true, err);
    if (st == BL_OK)
        st = bli_places_enter(&p, process->isolation, process->log, err);
    free(output);
    bli_places_done(&p);
    return st;
}

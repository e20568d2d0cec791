/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox of explain and predict: they read the model and the data, and write one place. */
#include "job/apply_priv.h"
#include "job/places_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Cuts the last part off; "." or "/" where there is no other. In place. */
static void cut_to_parent(char *path)
{
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        path[--n] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = '\0';
    else
        strcpy(path, ".");
}

/* A folder of models may hold links to files elsewhere. */
static bl_status add_links(bl_places *p, const char *folder, bl_err *err)
{
    DIR *dir = opendir(folder);
    bl_status st = BL_OK;
    for (const struct dirent *entry; st == BL_OK && dir && (entry = readdir(dir));) {
        char *path = NULL;
        struct stat info;
        st = bli_path_join(folder, entry->d_name, &path, err);
        if (st == BL_OK && lstat(path, &info) == 0 && S_ISLNK(info.st_mode))
            st = bli_places_add(p, path, false, err);
        free(path);
    }
    if (dir)
        closedir(dir);
    return st;
}

/* The model, and boostlens/ in its folder or beside it. */
static bl_status add_model(bl_places *p, const char *model, bl_err *err)
{
    char *folder = NULL, *card = NULL;
    bl_status st = bli_places_add(p, model, false, err);
    if (st == BL_OK && bli_is_folder(model))
        return add_links(p, model, err);
    if (st == BL_OK)
        st = bli_strdup(model, &folder, err);
    if (st == BL_OK) {
        cut_to_parent(folder);
        st = bli_path_join(folder, "boostlens", &card, err);
    }
    if (st == BL_OK)
        st = bli_places_add(p, card, false, err);
    free(folder);
    free(card);
    return st;
}

/* The folder that the output is made in: the nearest that is there. Standard output is open. */
static bl_status add_output(bl_places *p, const char *output, bl_err *err)
{
    if (bli_is_standard_output(output))
        return BL_OK;
    char *folder = NULL, *real = realpath(output, NULL);
    /* Room for the "." of a name without a slash. */
    bl_status st = bli_path_join(real ? real : output, "", &folder, err);
    free(real);
    if (st != BL_OK)
        return st;
    if (!bli_is_folder(folder))
        cut_to_parent(folder);
    while (!bli_is_folder(folder) && strcmp(folder, ".") != 0 && strcmp(folder, "/") != 0)
        cut_to_parent(folder);
    st = bli_places_add(p, folder, true, err);
    free(folder);
    return st;
}

bl_status bli_apply_isolate(const bl_apply *apply, bl_err *err)
{
    bl_places p = {0};
    bl_status st = add_model(&p, apply->model, err);
    for (size_t i = 0; st == BL_OK && i < apply->n_data; i++)
        st = bli_places_add(&p, apply->data[i], false, err);
    if (st == BL_OK && apply->background)
        st = bli_places_add(&p, apply->background, false, err);
    if (st == BL_OK)
        st = add_output(&p, apply->output, err);
    if (st == BL_OK)
        st = bli_places_enter(&p, apply->isolation, apply->log, err);
    bli_places_done(&p);
    return st;
}

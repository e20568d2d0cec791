/* SPDX-License-Identifier: Apache-2.0 */
/* The sandbox of explain and predict: they read the model and the data, and write one place. */
#include "job/apply_priv.h"

#include "base/fs.h"
#include "base/mem.h"
#include "isolate/isolate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct open_places {
    bl_place *place; /* paths owned */
    size_t n, cap;
} open_places;

static bl_status add_place(open_places *p, const char *path, bool write, bl_err *err)
{
    void *block = p->place;
    char *copy = NULL;
    bl_status st = bli_grow(&block, &p->cap, p->n + 1, sizeof(bl_place), "places", err);
    p->place = block;
    if (st == BL_OK)
        st = bli_strdup(path, &copy, err);
    if (st == BL_OK)
        p->place[p->n++] = (bl_place){copy, copy, write};
    return st;
}

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
static bl_status add_links(open_places *p, const char *folder, bl_err *err)
{
    DIR *dir = opendir(folder);
    bl_status st = BL_OK;
    for (const struct dirent *entry; st == BL_OK && dir && (entry = readdir(dir));) {
        char *path = NULL;
        struct stat info;
        st = bli_path_join(folder, entry->d_name, &path, err);
        if (st == BL_OK && lstat(path, &info) == 0 && S_ISLNK(info.st_mode))
            st = add_place(p, path, false, err);
        free(path);
    }
    if (dir)
        closedir(dir);
    return st;
}

/* The model, and boostlens/ in its folder or beside it. */
static bl_status add_model(open_places *p, const char *model, bl_err *err)
{
    char *folder = NULL, *card = NULL;
    bl_status st = add_place(p, model, false, err);
    if (st == BL_OK && bli_is_folder(model))
        return add_links(p, model, err);
    if (st == BL_OK)
        st = bli_strdup(model, &folder, err);
    if (st == BL_OK) {
        cut_to_parent(folder);
        st = bli_path_join(folder, "boostlens", &card, err);
    }
    if (st == BL_OK)
        st = add_place(p, card, false, err);
    free(folder);
    free(card);
    return st;
}

/* The folder that the output is made in: the nearest that is there. */
static bl_status add_output(open_places *p, const char *output, bl_err *err)
{
    char *folder = NULL;
    /* Room for the "." of a name without a slash. */
    bl_status st = bli_path_join(output, "", &folder, err);
    if (st != BL_OK)
        return st;
    if (!bli_is_folder(folder))
        cut_to_parent(folder);
    while (!bli_is_folder(folder) && strcmp(folder, ".") != 0 && strcmp(folder, "/") != 0)
        cut_to_parent(folder);
    st = add_place(p, folder, true, err);
    free(folder);
    return st;
}

static bl_status read_word(const char *word, bl_isolation *ret_wanted, bl_err *err)
{
    static const char *const words[] = {[BL_ISOLATION_AUTO] = "auto",
                                        [BL_ISOLATION_REQUIRED] = "required",
                                        [BL_ISOLATION_OFF] = "off"};
    for (size_t i = 0; word && i < BL_LEN(words); i++)
        if (strcmp(word, words[i]) == 0) {
            *ret_wanted = (bl_isolation)i;
            return BL_OK;
        }
    if (word)
        return bli_fail(err, BL_E_ARG,
                        "--isolation '%s': auto, required or off is expected", word);
    *ret_wanted = BL_ISOLATION_AUTO;
    return BL_OK;
}

bl_status bli_apply_isolate(const bl_apply *apply, bl_err *err)
{
    open_places p = {0};
    bl_sandbox sandbox = {0};
    bl_isolation wanted = BL_ISOLATION_AUTO;
    bl_status st = read_word(apply->isolation, &wanted, err);
    if (st == BL_OK)
        st = add_model(&p, apply->model, err);
    for (size_t i = 0; st == BL_OK && i < apply->n_data; i++)
        st = add_place(&p, apply->data[i], false, err);
    if (st == BL_OK && apply->background)
        st = add_place(&p, apply->background, false, err);
    if (st == BL_OK)
        st = add_output(&p, apply->output, err);
    if (st == BL_OK) {
        char text[512];
        st = bli_sandbox_enter(wanted, p.place, p.n, &sandbox, err);
        bli_sandbox_say(&sandbox, text, sizeof text);
        bli_log(apply->log, BL_INFO, "isolation", "%s", text);
    }
    for (size_t i = 0; i < p.n; i++)
        free((char *)(uintptr_t)p.place[i].path);
    free(p.place);
    return st;
}

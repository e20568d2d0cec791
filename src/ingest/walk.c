/* SPDX-License-Identifier: Apache-2.0 */
/* The data files of a channel: any depth, sorted by the bytes of their path. */
#include "ingest/ingest_priv.h"

#include "base/fs.h"
#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct parent {
    dev_t dev;
    ino_t ino;
    const struct parent *above;
} parent;

typedef struct walk {
    const bl_limits *limits;
    const char *real_root;
    size_t n_root; /* bytes of root and its slash, left out of names */
    bl_list *list;
} walk;

void bli_list_done(bl_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        free(list->file[i].path);
        free(list->file[i].name);
    }
    free(list->file);
    *list = (bl_list){0};
}

bl_status bli_list_add(bl_list *list, const char *path, const char *name,
                       uint64_t n_bytes, const bl_limits *limits, bl_err *err)
{
    if (list->n >= limits->files)
        return bli_fail(err, BL_E_LIMIT, "more than %llu files; join some of them",
                        (unsigned long long)limits->files);
    void *file = list->file;
    bl_status st = bli_grow(&file, &list->cap, list->n + 1, sizeof(bl_found),
                            "the list of files", err);
    if (st != BL_OK)
        return st;
    list->file = file;
    bl_found found = {.n_bytes = n_bytes};
    st = bli_strdup(path, &found.path, err);
    if (st == BL_OK)
        st = bli_strdup(name, &found.name, err);
    if (st != BL_OK) {
        free(found.path);
        return st;
    }
    list->file[list->n++] = found;
    return BL_OK;
}

/* A link may lead to any place below the root, and nowhere else. */
static bl_status check_link(const walk *w, const char *path, bl_err *err)
{
    const char *name = path + w->n_root;
    char *real = realpath(path, NULL);
    if (!real)
        return bli_fail_errno(err, BL_E_DATA, errno, "'%s' is a link that leads nowhere",
                              name);
    size_t n = strlen(w->real_root);
    bool inside = strncmp(real, w->real_root, n) == 0 &&
                  (real[n] == '/' || real[n] == '\0' || w->real_root[n - 1] == '/');
    free(real);
    if (inside)
        return BL_OK;
    return bli_fail(err, BL_E_DATA,
                    "'%s' is a link that leads out of the job's folder; put the file "
                    "itself into the channel",
                    name);
}

static bl_status walk_folder(const walk *w, const char *path, const parent *above,
                             uint64_t depth, bl_err *err);

static bl_status visit_folder(const walk *w, const char *path, const struct stat *info,
                              const parent *above, uint64_t depth, bl_err *err)
{
    const char *name = path + w->n_root;
    if (depth >= w->limits->folder_depth)
        return bli_fail(err, BL_E_LIMIT, "'%s': folders lie deeper than %llu", name,
                        (unsigned long long)w->limits->folder_depth);
    for (const parent *p = above; p; p = p->above)
        if (p->dev == info->st_dev && p->ino == info->st_ino)
            return bli_fail(err, BL_E_DATA,
                            "'%s' is a link back to a folder that holds it; remove it",
                            name);
    parent here = {info->st_dev, info->st_ino, above};
    return walk_folder(w, path, &here, depth + 1, err);
}

static bl_status visit(const walk *w, const char *path, const parent *above,
                       uint64_t depth, bl_err *err)
{
    const char *name = path + w->n_root;
    struct stat info;
    if (lstat(path, &info) != 0)
        return bli_fail_errno(err, BL_E_IO, errno, "'%s'", name);
    if (S_ISLNK(info.st_mode)) {
        bl_status st = check_link(w, path, err);
        if (st != BL_OK)
            return st;
        if (stat(path, &info) != 0)
            return bli_fail_errno(err, BL_E_IO, errno, "'%s'", name);
    }
    if (S_ISDIR(info.st_mode))
        return visit_folder(w, path, &info, above, depth, err);
    if (!S_ISREG(info.st_mode) && !S_ISFIFO(info.st_mode))
        return bli_fail(err, BL_E_DATA, "'%s' is a device or a socket, not a data file",
                        name);
    if (S_ISREG(info.st_mode) && info.st_size == 0) {
        w->list->n_empty++;
        return BL_OK;
    }
    return bli_list_add(w->list, path, name,
                        S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0, w->limits,
                        err);
}

static bl_status walk_folder(const walk *w, const char *path, const parent *above,
                             uint64_t depth, bl_err *err)
{
    DIR *folder = opendir(path);
    if (!folder)
        return bli_fail_errno(err, BL_E_IO, errno, "folder '%s'", path + w->n_root);
    bl_status st = BL_OK;
    while (st == BL_OK) {
        errno = 0;
        const struct dirent *entry = readdir(folder);
        if (!entry) {
            if (errno)
                st = bli_fail_errno(err, BL_E_IO, errno, "folder '%s'", path + w->n_root);
            break;
        }
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (name[0] == '.' || name[0] == '_') {
            w->list->n_hidden++;
            continue;
        }
        char *below;
        st = bli_path_join(path, name, &below, err);
        if (st == BL_OK) {
            st = visit(w, below, above, depth, err);
            free(below);
        }
    }
    closedir(folder);
    return st;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const bl_found *)a)->path, ((const bl_found *)b)->path);
}

bl_status bli_walk(const bl_limits *limits, const char *root, const char *folder,
                   bl_list *ret_list, bl_err *err)
{
    bl_list list = {0};
    size_t n_root = strlen(root);
    bool below_root = strncmp(folder, root, n_root) == 0 && folder[n_root] == '/';
    walk w = {limits, NULL, below_root ? n_root + 1 : 0, &list};
    char *real_root = realpath(root, NULL);
    if (!real_root)
        return bli_fail_errno(err, BL_E_IO, errno, "folder '%s'", root);
    w.real_root = real_root;
    struct stat info;
    bl_status st = check_link(&w, folder, err);
    if (st == BL_OK && stat(folder, &info) != 0)
        st = bli_fail_errno(err, BL_E_IO, errno, "folder '%s'", folder);
    if (st == BL_OK && !S_ISDIR(info.st_mode))
        st = bli_fail(err, BL_E_DATA, "'%s' is no folder", folder + w.n_root);
    if (st == BL_OK) {
        parent top = {info.st_dev, info.st_ino, NULL};
        st = walk_folder(&w, folder, &top, 0, err);
    }
    free(real_root);
    if (st != BL_OK) {
        bli_list_done(&list);
        return st;
    }
    if (list.n)
        qsort(list.file, list.n, sizeof *list.file, by_path);
    *ret_list = list;
    return BL_OK;
}

bl_status bli_list_files(const bl_limits *limits, const char *const *paths,
                         size_t n_paths, bl_list *ret_list, bl_err *err)
{
    bl_list list = {0};
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < n_paths; i++) {
        struct stat info;
        if (stat(paths[i], &info) != 0)
            st = bli_fail_errno(err, BL_E_IO, errno, "'%s'", paths[i]);
        else if (S_ISDIR(info.st_mode))
            st = bli_fail(err, BL_E_DATA, "'%s' is a folder; name its files", paths[i]);
        else
            st = bli_list_add(&list, paths[i], paths[i],
                              S_ISREG(info.st_mode) ? (uint64_t)info.st_size : 0, limits,
                              err);
    }
    if (st != BL_OK) {
        bli_list_done(&list);
        return st;
    }
    *ret_list = list;
    return BL_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* From a folder to the level of the volume below it. */
#include "isolate/isolate_priv.h"

#include "base/mem.h"

#include <fcntl.h>
#include <linux/fscrypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

const char *bli_encryption_name(bl_encryption level)
{
    static const char *const names[] = {[BL_NOT_ENCRYPTED] = "not-encrypted",
                                        [BL_UNKNOWN] = "unknown",
                                        [BL_ASSERTED] = "platform-asserted",
                                        [BL_PROVEN] = "proven"};
    return names[level];
}

void bli_volumes_done(bl_volumes *volumes)
{
    for (size_t i = 0; i < volumes->n; i++) {
        free(volumes->volume[i].name);
        free(volumes->volume[i].file_system);
        free(volumes->volume[i].device);
        free(volumes->volume[i].evidence);
    }
    free(volumes->volume);
    *volumes = (bl_volumes){0};
}

/* Everything in a folder that has a policy is encrypted by it: the kernel refuses other files
 * there. 0: no policy, else its version. */
static int fscrypt_version(const char *folder)
{
    struct fscrypt_get_policy_ex_arg policy = {.policy_size = sizeof policy.policy};
    int fd = open(folder, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return 0;
    bool has = ioctl(fd, FS_IOC_GET_ENCRYPTION_POLICY_EX, &policy) == 0;
    close(fd);
    return has ? policy.policy.version == FSCRYPT_POLICY_V1 ? 1 : 2 : 0;
}

/* evidence of one mount; folder NULL: none to ask for fscrypt. */
static void look_mount(const char *system_root, const bl_mount *mount, const char *folder,
                       bl_device_evidence *evidence)
{
    int version = folder ? fscrypt_version(folder) : 0;
    if (version) {
        evidence->level = BL_PROVEN;
        snprintf(evidence->text, sizeof evidence->text, "fscrypt, policy version %d",
                 version);
        return;
    }
    if (mount->major != 0) {
        bli_device_look(system_root, mount->major, mount->minor, evidence);
    } else if (strcmp(mount->type, "btrfs") == 0) {
        bli_device_look_btrfs(system_root, mount->source, evidence);
    } else {
        evidence->level = BL_UNKNOWN;
        snprintf(evidence->text, sizeof evidence->text,
                 "%s has no block device that could be asked", mount->type);
    }
}

static bl_status add_volume(bl_volumes *volumes, const char *name, const bl_mount *mount,
                            const bl_device_evidence *evidence, bl_err *err)
{
    char device[32] = "";
    void *block = volumes->volume;
    bl_status st = bli_grow(&block, &volumes->cap, volumes->n + 1, sizeof(bl_volume),
                            "volumes", err);
    volumes->volume = block;
    if (st != BL_OK)
        return st;
    bl_volume *volume = &volumes->volume[volumes->n++];
    *volume = (bl_volume){.level = evidence->level};
    if (mount)
        snprintf(device, sizeof device, "%u:%u", mount->major, mount->minor);
    st = bli_strdup(name, &volume->name, err);
    if (st == BL_OK)
        st = bli_strdup(mount ? mount->type : "", &volume->file_system, err);
    if (st == BL_OK)
        st = bli_strdup(device, &volume->device, err);
    return st == BL_OK ? bli_strdup(evidence->text, &volume->evidence, err) : st;
}

/* Is this mount seen at its point, or does a later one lie over it? */
static bool is_visible(const bl_mounts *mounts, const bl_mount *mount)
{
    return bli_mount_of(mounts, mount->point) == mount;
}

static bl_status add_below(bl_volumes *volumes, const bl_mounts *mounts,
                           const char *system_root, const char *path, const char *name,
                           bl_err *err)
{
    bl_status st = BL_OK;
    for (size_t i = 0; st == BL_OK && i < mounts->n; i++) {
        const bl_mount *mount = &mounts->mount[i];
        size_t n = strlen(path);
        char below[4096];
        bl_device_evidence evidence;
        if (!bli_path_is_below(mount->point, path) || strlen(mount->point) <= n ||
            !is_visible(mounts, mount))
            continue;
        look_mount(system_root, mount, *system_root ? NULL : mount->point, &evidence);
        snprintf(below, sizeof below, "%s/%s", name,
                 mount->point + n + (mount->point[n] == '/'));
        st = add_volume(volumes, below, mount, &evidence, err);
    }
    return st;
}

bl_status bli_volumes_add(bl_volumes *volumes, const char *system_root, const char *path,
                          const char *name, bl_err *err)
{
    bl_mounts mounts;
    bl_device_evidence evidence = {BL_UNKNOWN,
                                   "its mount is not in /proc/self/mountinfo"};
    char *resolved = *system_root ? strdup(path) : realpath(path, NULL);
    bl_status st = bli_mounts_read(system_root, &mounts, err);
    if (st != BL_OK || !resolved) {
        free(resolved);
        if (st == BL_OK)
            bli_mounts_done(&mounts);
        return st; /* no such folder: nothing lies there */
    }
    const bl_mount *mount = bli_mount_of(&mounts, resolved);
    if (mount)
        look_mount(system_root, mount, *system_root ? NULL : resolved, &evidence);
    st = add_volume(volumes, name, mount, &evidence, err);
    if (st == BL_OK)
        st = add_below(volumes, &mounts, system_root, resolved, name, err);
    bli_mounts_done(&mounts);
    free(resolved);
    return st;
}

bl_status bli_volumes_require(const bl_volumes *volumes, bl_encryption level, bl_err *err)
{
    for (size_t i = 0; i < volumes->n; i++) {
        const bl_volume *v = &volumes->volume[i];
        if (v->level < level)
            return bli_fail(
                err, BL_E_CONFIG,
                "bl_require_encryption is %s, and the volume of '%s' is %s: %s%s%s. "
                "Nothing was read. Put it on %s, or leave the setting out",
                level == BL_PROVEN ? "proven" : "asserted", v->name,
                bli_encryption_name(v->level), v->file_system,
                v->file_system[0] ? ", " : "", v->evidence,
                level == BL_PROVEN ? "a dm-crypt volume or an fscrypt folder"
                                   : "an encrypted volume or AWS's own storage");
    }
    return BL_OK;
}

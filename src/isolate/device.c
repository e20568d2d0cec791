/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a block device down to what it lies on, through sysfs. The weakest of several legs counts: a
 * mirror with one plain disk is no encrypted mirror.
 *
 * What cannot be seen from here: a null cipher in a dm-crypt table (it takes the key-less table,
 * which only root may ask for), a self-encrypting drive, a hypervisor's own encryption.
 */
#include "isolate/isolate_priv.h"

#include "base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DEPTH = 16 };

static void look(const char *system_root, const char *folder, int depth,
                 bl_device_evidence *evidence);

static void say(bl_device_evidence *evidence, bl_encryption level, const char *fmt, ...)
    BL_PRINTF(3, 4);

static void say(bl_device_evidence *evidence, bl_encryption level, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(evidence->text, sizeof evidence->text, fmt, args);
    va_end(args);
    evidence->level = level;
}

/* The first line of <folder>/<name>, blanks around it cut; false where there is none. */
static bool read_attribute(const char *folder, const char *name, char *text, size_t n)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, n - 1);
    if (fd >= 0)
        close(fd);
    if (got <= 0)
        return false;
    text[got] = '\0';
    text[strcspn(text, "\n")] = '\0';
    size_t blanks = strspn(text, " \t");
    memmove(text, text + blanks, strlen(text + blanks) + 1);
    for (size_t end = strlen(text); end > 0 && (text[end - 1] == ' '); end--)
        text[end - 1] = '\0';
    return text[0] != '\0';
}

static bool is_there(const char *folder, const char *name)
{
    char path[PATH_MAX];
    return snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

/* A uuid that device mapper gives a target which encrypts. CRYPT-VERITY, -INTEGRITY and -SUBDEV
 * carry the same first word and do not. */
static const char *crypt_kind(const char *uuid)
{
    static const struct {
        const char *begin, *name;
    } kinds[] = {
        {"CRYPT-LUKS1-", "LUKS1"},     {"CRYPT-LUKS2-", "LUKS2"},
        {"CRYPT-PLAIN-", "plain"},     {"CRYPT-TCRYPT-", "TrueCrypt or VeraCrypt"},
        {"CRYPT-BITLK-", "BitLocker"}, {"CRYPT-FVAULT2-", "FileVault 2"},
        {"CRYPT-LOOPAES-", "loop-AES"}};
    for (size_t i = 0; i < BL_LEN(kinds); i++)
        if (strncmp(uuid, kinds[i].begin, strlen(kinds[i].begin)) == 0)
            return kinds[i].name;
    return NULL;
}

/* All entries of <folder>/slaves, the weakest counts. false: there is none. */
static bool look_slaves(const char *system_root, const char *folder, int depth,
                        bl_device_evidence *evidence)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof path, "%s/slaves", folder) >= (int)sizeof path)
        return false;
    DIR *dir = opendir(path);
    bool any = false;
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        char slave[PATH_MAX];
        bl_device_evidence one;
        if (entry->d_name[0] == '.' || snprintf(slave, sizeof slave, "%s/%s", path,
                                                entry->d_name) >= (int)sizeof slave)
            continue;
        look(system_root, slave, depth + 1, &one);
        if (!any || one.level < evidence->level)
            *evidence = one;
        any = true;
    }
    if (dir)
        closedir(dir);
    return any;
}

static void look_disk(const char *folder, bl_device_evidence *evidence)
{
    char model[128];
    if (!read_attribute(folder, "device/model", model, sizeof model)) {
        say(evidence, BL_UNKNOWN, "a block device that names no model");
    } else if (strcmp(model, "Amazon Elastic Block Store") == 0) {
        say(evidence, BL_ASSERTED,
            "an EBS volume by its model; AWS states that SageMaker encrypts the volumes "
            "of a job, which cannot be seen from inside: the key is in "
            "DescribeTrainingJob, ResourceConfig.VolumeKmsKeyId");
    } else if (strcmp(model, "Amazon EC2 NVMe Instance Storage") == 0) {
        say(evidence, BL_ASSERTED,
            "an instance store by its model; AWS states that it is encrypted in "
            "hardware, which cannot be seen from inside");
    } else {
        for (char *c = model; *c; c++)
            if ((unsigned char)*c < 0x20 || (unsigned char)*c > 0x7e)
                *c = '?';
        say(evidence, BL_NOT_ENCRYPTED, "a plain disk, model '%s'", model);
    }
}

/* folder: of the device in sysfs, <system_root>/sys/... */
static void look(const char *system_root, const char *folder, int depth,
                 bl_device_evidence *evidence)
{
    char uuid[256], resolved[PATH_MAX];
    if (depth > MAX_DEPTH || !realpath(folder, resolved)) {
        say(evidence, BL_UNKNOWN, "sysfs does not lead to the disk");
        return;
    }
    bool mapped = is_there(resolved, "dm");
    if (mapped && read_attribute(resolved, "dm/uuid", uuid, sizeof uuid) &&
        crypt_kind(uuid)) {
        say(evidence, BL_PROVEN, "dm-crypt (%s)", crypt_kind(uuid));
        return;
    }
    if (look_slaves(system_root, resolved, depth, evidence))
        return;
    const char *name = strrchr(resolved, '/') + 1;
    if (mapped)
        say(evidence, BL_UNKNOWN, "a mapped device that lies on none");
    else if (is_there(resolved, "loop"))
        say(evidence, BL_UNKNOWN,
            "a loop device: where its file lies cannot be told from inside");
    else if (strncmp(name, "zram", 4) == 0 || strncmp(name, "ram", 3) == 0)
        say(evidence, BL_UNKNOWN, "a disk in memory");
    else if (is_there(resolved, "partition")) {
        char whole[PATH_MAX];
        strcpy(whole, resolved);
        *strrchr(whole, '/') = '\0';
        look(system_root, whole, depth + 1, evidence);
    } else {
        look_disk(resolved, evidence);
    }
}

/* The folder under /sys/block, itself or one below, whose file `dev` has these numbers: for
 * containers whose engine hides /sys/dev. */
static bool scan_block(const char *block, const char *numbers, bool below, char *found,
                       size_t n)
{
    DIR *dir = opendir(block);
    bool is_found = false;
    for (const struct dirent *entry; dir && !is_found && (entry = readdir(dir));) {
        char folder[PATH_MAX], dev[64];
        if (entry->d_name[0] == '.' || snprintf(folder, sizeof folder, "%s/%s", block,
                                                entry->d_name) >= (int)sizeof folder)
            continue;
        if (read_attribute(folder, "dev", dev, sizeof dev) && strcmp(dev, numbers) == 0)
            is_found = snprintf(found, n, "%s", folder) < (int)n;
        else if (below)
            is_found = scan_block(folder, numbers, false, found, n);
    }
    if (dir)
        closedir(dir);
    return is_found;
}

void bli_device_look(const char *system_root, unsigned major, unsigned minor,
                     bl_device_evidence *ret_evidence)
{
    char numbers[32], folder[PATH_MAX];
    snprintf(numbers, sizeof numbers, "%u:%u", major, minor);
    if (snprintf(folder, sizeof folder, "%s/sys/dev/block/%s", system_root, numbers) >=
        (int)sizeof folder)
        folder[0] = '\0';
    if (access(folder, F_OK) != 0) {
        char block[PATH_MAX];
        if (snprintf(block, sizeof block, "%s/sys/block", system_root) >=
                (int)sizeof block ||
            !scan_block(block, numbers, true, folder, sizeof folder)) {
            say(ret_evidence, BL_UNKNOWN, "block device %s is not in sysfs", numbers);
            return;
        }
    }
    look(system_root, folder, 0, ret_evidence);
}

/* --- btrfs ------------------------------------------------------------------------------- */

/* The sysfs name of /dev/NAME or /dev/mapper/NAME: "dm-0". */
static bool block_name(const char *system_root, const char *source, char *name, size_t n)
{
    static const char mapper[] = "/dev/mapper/";
    if (strncmp(source, mapper, sizeof mapper - 1) != 0) {
        const char *slash = strrchr(source, '/');
        return slash && snprintf(name, n, "%s", slash + 1) < (int)n;
    }
    char block[PATH_MAX];
    snprintf(block, sizeof block, "%s/sys/block", system_root);
    DIR *dir = opendir(block);
    bool found = false;
    for (const struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        char folder[PATH_MAX], given[256];
        if (entry->d_name[0] != '.' &&
            snprintf(folder, sizeof folder, "%s/%s", block, entry->d_name) <
                (int)sizeof folder &&
            read_attribute(folder, "dm/name", given, sizeof given) &&
            strcmp(given, source + sizeof mapper - 1) == 0)
            found = snprintf(name, n, "%s", entry->d_name) < (int)n;
    }
    if (dir)
        closedir(dir);
    return found;
}

/* All devices of a file system that has several; the weakest counts. */
static bool look_members(const char *system_root, const char *members, const char *name,
                         bl_device_evidence *evidence)
{
    char path[PATH_MAX];
    if (!is_there(members, name))
        return false;
    DIR *dir = opendir(members);
    bool any = false;
    for (const struct dirent *entry; dir && (entry = readdir(dir));) {
        bl_device_evidence one;
        if (entry->d_name[0] == '.' || snprintf(path, sizeof path, "%s/%s", members,
                                                entry->d_name) >= (int)sizeof path)
            continue;
        look(system_root, path, 0, &one);
        if (!any || one.level < evidence->level)
            *evidence = one;
        any = true;
    }
    if (dir)
        closedir(dir);
    return any;
}

void bli_device_look_btrfs(const char *system_root, const char *source,
                           bl_device_evidence *ret_evidence)
{
    char name[256], all[PATH_MAX];
    say(ret_evidence, BL_UNKNOWN, "btrfs whose devices are not in sysfs");
    if (!block_name(system_root, source, name, sizeof name) ||
        snprintf(all, sizeof all, "%s/sys/fs/btrfs", system_root) >= (int)sizeof all)
        return;
    DIR *dir = opendir(all);
    bool found = false;
    for (const struct dirent *entry; dir && !found && (entry = readdir(dir));) {
        char members[PATH_MAX];
        if (entry->d_name[0] != '.' && snprintf(members, sizeof members, "%s/%s/devices",
                                                all, entry->d_name) < (int)sizeof members)
            found = look_members(system_root, members, name, ret_evidence);
    }
    if (dir)
        closedir(dir);
}

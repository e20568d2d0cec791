/* SPDX-License-Identifier: Apache-2.0 */
/* isolation.json, as isolate.h describes it. */
#include "isolate/isolate_priv.h"

static void member_bool(bl_jw *jw, const char *key, bool value)
{
    bli_jw_key(jw, key);
    bli_jw_bool(jw, value);
}

static void member_int(bl_jw *jw, const char *key, int64_t value)
{
    bli_jw_key(jw, key);
    bli_jw_int(jw, value);
}

static void member_text(bl_jw *jw, const char *key, const char *value)
{
    bli_jw_key(jw, key);
    bli_jw_text(jw, value);
}

static void write_places(bl_jw *jw, const bl_place *places, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bli_jw_object(jw);
        member_text(jw, "path", places[i].name);
        member_text(jw, "access", places[i].write ? "write" : "read");
        bli_jw_object_end(jw);
    }
}

static void write_landlock(bl_jw *jw, const bl_sandbox *sandbox, const bl_place *places,
                           size_t n_places)
{
    bli_jw_key(jw, "landlock");
    bli_jw_object(jw);
    member_bool(jw, "in_force", sandbox->landlock);
    member_int(jw, "kernel_abi", sandbox->landlock_abi);
    bli_jw_key(jw, "places");
    bli_jw_list(jw, false);
    if (sandbox->landlock) {
        size_t n_system;
        const bl_place *system = bli_system_places(&n_system);
        write_places(jw, places, n_places);
        write_places(jw, system, n_system);
    }
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
}

static void write_calls(bl_jw *jw, const char *key, const bl_sandbox *sandbox,
                        bl_call_answer answer)
{
    size_t n;
    const bl_call_rule *rules = bli_call_rules(&n);
    bli_jw_key(jw, key);
    bli_jw_list(jw, true);
    for (size_t i = 0; sandbox->seccomp && i < n; i++)
        if (rules[i].answer == answer && !(rules[i].process && sandbox->processes))
            bli_jw_text(jw, rules[i].name);
    bli_jw_list_end(jw);
}

static void write_sandbox(bl_jw *jw, const bl_sandbox *sandbox, const bl_place *places,
                          size_t n_places)
{
    static const char *const wanted[] = {[BL_ISOLATION_AUTO] = "auto",
                                         [BL_ISOLATION_REQUIRED] = "required",
                                         [BL_ISOLATION_OFF] = "off"};
    bli_jw_key(jw, "isolation");
    bli_jw_object(jw);
    member_text(jw, "requested", wanted[sandbox->wanted]);
    member_text(jw, "core_dumps", sandbox->no_core_dumps ? "off" : "possible");
    member_bool(jw, "no_new_privileges", sandbox->no_new_privileges);
    write_landlock(jw, sandbox, places, n_places);
    bli_jw_key(jw, "seccomp");
    bli_jw_object(jw);
    member_bool(jw, "in_force", sandbox->seccomp);
    write_calls(jw, "stopped", sandbox, BL_CALL_TRAP);
    write_calls(jw, "answered_ENOSYS", sandbox, BL_CALL_ENOSYS);
    write_calls(jw, "answered_EPERM", sandbox, BL_CALL_EPERM);
    bli_jw_object_end(jw);
    member_int(jw, "threads_when_it_began", sandbox->threads);
    bli_jw_object_end(jw);
}

static void write_volumes(bl_jw *jw, const bl_volumes *volumes, const char *required)
{
    bl_encryption weakest = BL_PROVEN;
    for (size_t i = 0; i < volumes->n; i++)
        if (volumes->volume[i].level < weakest)
            weakest = volumes->volume[i].level;
    bli_jw_key(jw, "encryption");
    bli_jw_object(jw);
    member_text(jw, "required", required);
    member_text(jw, "weakest", bli_encryption_name(volumes->n ? weakest : BL_UNKNOWN));
    bli_jw_key(jw, "volumes");
    bli_jw_list(jw, false);
    for (size_t i = 0; i < volumes->n; i++) {
        const bl_volume *v = &volumes->volume[i];
        bli_jw_object(jw);
        member_text(jw, "path", v->name);
        member_text(jw, "file_system", v->file_system);
        member_text(jw, "device", v->device);
        member_text(jw, "level", bli_encryption_name(v->level));
        member_text(jw, "evidence", v->evidence);
        bli_jw_object_end(jw);
    }
    bli_jw_list_end(jw);
    bli_jw_object_end(jw);
}

bl_status bli_isolation_write(const bl_sandbox *sandbox, const bl_place *places,
                              size_t n_places, const bl_volumes *volumes,
                              const char *required, bl_buf *out, bl_err *err)
{
    bl_jw jw = {.buf = out};
    bli_jw_object(&jw);
    write_sandbox(&jw, sandbox, places, n_places);
    write_volumes(&jw, volumes, required);
    bli_jw_object_end(&jw);
    bli_jw_end(&jw);
    return bli_buf_check(out, "isolation.json", err);
}

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the tree to its rules; run from anywhere, needs no package.

    BUILD=build-tests/gcc tests/lint/lint.py [NAME...]

One line a rule: ok - rule, not ok - rule (findings above it), skip - rule: reason. BUILD is a
build folder, for the rules that look at compiled code. Exit 1 where a rule is broken.
"""
import glob
import os
import re
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.chdir(ROOT)
BUILD = os.environ.get("BUILD", "")
RULES = []


class Skip(Exception):
    pass


def rule(function):
    RULES.append(function)
    return function


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, errors="replace", **options)


def tracked():
    """Every file of the tree: what Git knows or would add, else what lies there."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard")
    if listed.returncode == 0:
        names = listed.stdout.split("\n")
    else:
        names = [os.path.join(folder, name)[2:] for folder, _, files in os.walk(".") for name in files
                 if not re.match(r"\./(\.git|\.deps|build)", folder)]
    return sorted(name for name in set(names) if name and os.path.isfile(name))


FILES = tracked()
C_FILES = [f for f in FILES if f.endswith((".c", ".h"))]
CORPUS = "data/corpus/"
TEMPLATE = "_body.h"  # source text that a file includes between its own definitions; no header


def text(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def rooms():
    """({room: allowed rooms}, {foreign or topic header: rooms})"""
    allowed, foreign = {}, {}
    for line in text("tests/lint/rooms.txt").splitlines():
        line = line.split("#")[0].strip()
        if line:
            name, _, rest = line.partition(":")
            (foreign if name.startswith("<") or "/" in name else allowed)[name] = rest.split()
    return allowed, foreign


def room_of(path):
    parts = path.split("/")
    if parts[0] in ("kernels", "container"):
        return parts[0]
    return parts[1] if parts[0] == "src" and len(parts) > 2 else None


def includes(path):
    for number, line in enumerate(text(path).splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)', line)
        if found:
            yield number, found[1], found[2]


@rule
def rooms_include_only_what_the_table_allows():
    allowed, foreign = rooms()
    for path in C_FILES:
        room = room_of(path)
        if not room:
            continue
        if room not in allowed:
            yield f"{path}: room '{room}' is not in tests/lint/rooms.txt"
            continue
        for number, kind, name in includes(path):
            where = f"{path}:{number}"
            if kind == "<":
                for header, users in foreign.items():
                    if ("<" + name + ">").startswith(header.rstrip(">")) and room not in users:
                        yield f"{where}: <{name}> is for {', '.join(users)} only"
                continue
            other = name.split("/")[0]
            if name in ("boostlens.h", "config.h") or other == room:
                continue
            if "/" not in name and room in ("kernels", "container"):
                continue
            if other not in allowed[room]:
                yield f"{where}: {room} may not use \"{name}\""
            elif other not in ("base", "kernels") and name != f"{other}/{other}.h" and room not in foreign.get(name, ()):
                yield f"{where}: \"{name}\" is private to {other}; its face is {other}/{other}.h"


@rule
def rooms_link_only_what_the_table_allows():
    allowed, _ = rooms()
    for path in FILES:
        room = room_of(path)
        if not path.endswith("meson.build") or not path.startswith("src/") or not room:
            continue
        for call in re.findall(r"static_library\((.*?)\n\)|static_library\((.*?)\)\n", text(path), re.S):
            links = re.search(r"link_with:\s*\[(.*?)\]", "".join(call), re.S)
            for library in re.findall(r"(\w+)_lib\b", links[1] if links else ""):
                if library not in allowed.get(room, []) and library != room:
                    yield f"{path}: {room} may not link {library}"


@rule
def includes_are_rooted_and_a_source_begins_with_its_own_room():
    for path in C_FILES:
        listed = list(includes(path))
        for number, kind, name in listed:
            if name.startswith(".") or "/../" in name:
                yield f"{path}:{number}: write \"{name}\" from the root, as room/header.h"
        room = room_of(path)
        if room and path.startswith("src/") and path.endswith(".c") and listed:
            number, kind, name = listed[0]
            if kind == "<" or (name.split("/")[0] != room and (room, name) != ("api", "boostlens.h")):
                yield f"{path}:{number}: the first include must be the file's own header, \"{room}/...\""


@rule
def headers_have_guards_named_after_their_path():
    for path in C_FILES:
        if not path.endswith(".h") or path.startswith("include/") or path.endswith(TEMPLATE):
            continue
        stem = re.sub(r"^src/", "", path)
        name = "BL_" + re.sub(r"[^A-Z0-9]", "_", stem.upper())
        # A room's name need not be said twice (train/train_priv.h), nor tests/unit.
        names = {name, name.replace("BL_TESTS_UNIT_", "BL_TESTS_")}
        names |= {re.sub(r"^BL_(TESTS_)?([A-Z0-9]+)_\2_", r"BL_\1\2_", one) for one in names}
        found = re.search(r"#ifndef (\w+)\n#define (\w+)\n", text(path))
        if not found or found[1] != found[2]:
            yield f"{path}: no guard (#ifndef {name})"
        elif found[1] not in names:
            yield f"{path}: guard {found[1]}, expected {name}"


def flags():
    """Compiler flags for a header on its own, from the dependencies that meson found."""
    found = ["-D_GNU_SOURCE", "-Iinclude", "-Isrc", "-I."]
    asked = run("pkg-config", "--cflags", "jansson", "hdf5", "libcrypto", "cmocka")
    if asked.returncode == 0:
        found += asked.stdout.split()
    for folder in sorted(glob.glob(".deps/xgboost-*/include")):
        found += ["-isystem", folder]
    if BUILD:
        found += ["-I" + BUILD, "-I" + BUILD + "/kernels", "-I" + BUILD + "/src"]
    return found + ["-Itests"]


@rule
def every_header_compiles_alone():
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        raise Skip("no C compiler")
    for path in C_FILES:
        if path.endswith(".h") and not path.endswith(TEMPLATE):
            one = run(compiler, "-std=c11", "-Wall", "-Wextra", "-fsyntax-only", "-fopenmp", *flags(), "-x", "c",
                      "-", input=f'#include "{path}"\n')
            if one.returncode:
                yield f"{path}: {one.stderr.splitlines()[0] if one.stderr else 'does not compile'}"


@rule
def the_public_header_is_C99():
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        raise Skip("no C compiler")
    one = run(compiler, "-std=c99", "-pedantic-errors", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
              "-Iinclude", "-x", "c", "-", input='#include "boostlens.h"\nint main(void) { return 0; }\n')
    if one.returncode:
        yield one.stderr


@rule
def the_public_header_is_cplusplus():
    compiler = shutil.which("g++") or shutil.which("clang++")
    if compiler and run(compiler, "-x", "c++", "-fsyntax-only", "-", input="#include <cstddef>\n").returncode:
        compiler = None
    if not compiler:
        raise Skip("no C++ compiler")
    one = run(compiler, "-std=c++98", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iinclude", "-x", "c++",
              "-", input='#include "boostlens.h"\nint main() { return bl_version() == 0; }\n')
    if one.returncode:
        yield one.stderr


@rule
def the_public_header_has_block_comments_only():
    for number, line in enumerate(text("include/boostlens.h").splitlines(), 1):
        if re.search(r"(^|[^:])//", line):
            yield f"include/boostlens.h:{number}: {line.strip()}"


def libraries():
    if not BUILD or not os.path.isdir(BUILD):
        raise Skip("no build folder given (BUILD)")
    found = [f for f in glob.glob(BUILD + "/**/*.a", recursive=True)
             if re.match(r"lib(bli_|blk)", os.path.basename(f))]
    if not found:
        raise Skip("no static library of a room in " + BUILD)
    return found


def symbols(path):
    """(kind, name) of what nm lists; thin archives included."""
    for line in run("nm", "-P", path).stdout.splitlines():
        parts = line.split()
        if len(parts) >= 2 and not line.endswith(":"):
            yield parts[1], parts[0]


@rule
def global_names_begin_with_the_prefixes():
    for library in libraries():
        for kind, name in symbols(library):
            if kind in "TDBRCVW" and not re.match(r"(bl_|bli_|blk_)", name):
                yield f"{os.path.basename(library)}: {name}"


# {name: why it may be}
GLOBALS = {
    "c_locale": "the C locale, made once a process and constant afterwards: numbers are read without the user's",
    "c_locale_once": "the pthread_once_t beside it",
}


@rule
def no_room_has_mutable_globals():
    for library in libraries():
        for line in run("objdump", "-t", library).stdout.splitlines():
            found = re.match(r"[0-9a-f]+ (.{7}) (\S+)\s+[0-9a-f]+ (.*)$", line)
            if found and found[1][6] == "O" and re.match(r"\.(t?bss|t?data|COM)", found[2]) \
                    and not found[2].startswith(".data.rel.ro") and found[3].split(".")[0] not in GLOBALS:
                yield f"{os.path.basename(library)}: {found[3]} in {found[2]}"


@rule
def kernels_call_nothing_but_arithmetic():
    plain = {"memcpy", "memset", "memmove", "memcmp", "__stack_chk_fail", "_GLOBAL_OFFSET_TABLE_",
             "__cpu_indicator_init", "__cpu_model", "__popcountdi2"}  # the compiler's own look at the processor
    maths = re.compile(r"(fma|sqrt|fabs|exp|log|ldexp|frexp|floor|ceil|rint|nearbyint|pow|scalbn|cos|sin)[fl]?$")
    for library in libraries():
        if "blk" not in os.path.basename(library):
            continue
        for kind, name in symbols(library):
            if kind == "U" and name not in plain and not maths.match(name) and not name.startswith("blk_"):
                yield f"{os.path.basename(library)}: calls {name}"


@rule
def the_library_exports_what_its_header_declares():
    if not BUILD:
        raise Skip("no build folder given (BUILD)")
    shared = [f for f in glob.glob(BUILD + "/**/libboostlens.so*", recursive=True) if os.path.isfile(f)
              and not f.endswith(".symbols")]
    if not shared:
        yield "no libboostlens.so in " + BUILD
        return
    header = re.sub(r"/\*.*?\*/", "", text("include/boostlens.h"), flags=re.S)
    declared = set(re.findall(r"BL_API\b[^;{]*?\b(bl_\w+)\s*\(", header))
    listed = run("nm", "-D", "--defined-only", "-P", shared[0]).stdout
    exported = {line.split()[0].split("@")[0] for line in listed.splitlines()}
    for name in sorted(declared - exported):
        yield f"declared in boostlens.h, not exported: {name}"
    for name in sorted(exported - declared):
        yield f"exported, not declared in boostlens.h: {name}"


@rule
def the_binary_shares_one_openmp_runtime():
    binary = os.path.join(BUILD, "container/boostlens") if BUILD else ""
    if not os.path.isfile(binary):
        raise Skip("no boostlens in the build folder")
    mapped = {os.path.realpath(word) for line in run("ldd", binary).stdout.splitlines()
              for word in line.split() if re.match(r"/.*lib(gomp|omp|iomp5)\b", word)}
    compiler = run("readelf", "-p", ".comment", binary).stdout
    if "clang" in compiler:
        raise Skip("built by clang, which brings its own runtime; the shipped build is gcc's")
    if len(mapped) != 1:
        yield f"{len(mapped)} OpenMP runtimes: {', '.join(sorted(mapped))}"


@rule
def sources_are_formatted():
    if not shutil.which("clang-format"):
        raise Skip("no clang-format")
    one = run("clang-format", "--dry-run", "--Werror", *C_FILES)
    places = re.findall(r"^([^:\n]+):(\d+):\d+: error", one.stderr, re.M)
    for path in sorted({path for path, _ in places}):
        lines = sorted({int(line) for other, line in places if other == path})
        yield f"{path}: clang-format -i would change it, from line {lines[0]}"
    if one.returncode and not places:
        yield one.stderr.strip()[:300]


@rule
def files_are_short_or_say_why_not():
    for path in C_FILES:
        body = text(path)
        lines = body.count("\n")
        head = " ".join(re.findall(r"/\*.*?\*/", body, re.S)[:2])
        if lines > 800:
            yield f"{path}: {lines} lines, more than 800"
        elif lines > 500 and not re.search(r"(?i)\b(lines|long|one file|one place|length)\b", head):
            yield f"{path}: {lines} lines; over 500 its first comment says why it is one file"


@rule
def functions_fit_a_screen():
    for path in C_FILES:
        if path.startswith("tests/"):
            continue
        start = None
        for number, line in enumerate(text(path).splitlines(), 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start > 90:
                    yield f"{path}:{start}: a function of {number - start} lines"
                start = None


SOURCE = re.compile(r"\.(c|h|sh|py)$|^\.ci/run$|^meson\.build$")


@rule
def every_source_names_its_licence():
    for path in FILES:
        if SOURCE.search(path):
            head = text(path).split("\n", 2)[:2]
            if "SPDX-License-Identifier: Apache-2.0" not in " ".join(head):
                yield path


def prose():
    for path in FILES:
        if not path.startswith(CORPUS) and not path.endswith((".csv", ".ubj", ".h5", ".gz", ".png")):
            try:
                yield path, text(path)
            except UnicodeDecodeError:
                yield path, None


@rule
def lines_end_clean():
    for path, body in prose():
        if body is None:
            yield f"{path}: not UTF-8"
            continue
        if body and not body.endswith("\n"):
            yield f"{path}: no newline at the end"
        for number, line in enumerate(body.split("\n"), 1):
            if line != line.rstrip() or "\r" in line:
                yield f"{path}:{number}: blank at the end"
            elif "\t" in line and re.search(r"\.(c|h|sh|py|build|md)$", path):
                yield f"{path}:{number}: a tab"


@rule
def nothing_names_one_machine_or_a_registry():
    words = re.compile(r"(^|[^a-zA-Z0-9_.])/(work|farm|home|root|Users)/[a-zA-Z]|/tmp/w/"
                       r"|(pypi|pythonhosted|npmjs|crates)\.(org|io|com)|deb\.debian\.(org|net)|proxy\.golang\.org")
    for path, body in prose():
        for number, line in enumerate((body or "").split("\n"), 1):
            if words.search(line) and path != "tests/lint/lint.py":
                yield f"{path}:{number}: {line.strip()[:100]}"


@rule
def nothing_is_left_unfinished():
    words = re.compile(r"\b(TO" r"DO(?!\(#\d+\))|FIX" r"ME|XX" r"X)\b|unimpl" r"emented|place" r"holder")
    for path, body in prose():
        for number, line in enumerate((body or "").split("\n"), 1):
            if words.search(line) and path.split("/")[0] in ("src", "kernels", "container", "include", "tests"):
                yield f"{path}:{number}: {line.strip()[:100]}"


@rule
def no_test_is_hollow():
    words = re.compile(r"assert_true\((1|true)\)|\bCHECK\((1|true),|^\s*skip\(\);")
    for path in C_FILES:
        if path.startswith("tests/") and path != "tests/check.h":
            for number, line in enumerate(text(path).splitlines(), 1):
                if words.search(line):
                    yield f"{path}:{number}: {line.strip()}"


@rule
def nothing_large_or_binary_is_kept():
    for path in FILES:
        size = os.path.getsize(path)
        if size > 1_000_000:
            yield f"{path}: {size} bytes"
        elif re.search(r"\.(so(\.\d+)*|a|o|whl|exe|dylib|jar)$", path):
            yield f"{path}: a binary"


@rule
def shell_scripts_parse():
    shell = shutil.which("dash") or "sh"
    for path in FILES:
        if path.endswith(".sh") or path == ".ci/run":
            first = text(path).split("\n", 1)[0]
            one = run("bash" if "bash" in first else shell, "-n", path)
            if one.returncode:
                yield f"{path}: {one.stderr.strip()}"
            if re.search(r"\b(local|declare) |\[\[ |<\(|(^|\s)\$'", text(path)) and "bash" not in first:
                found = re.search(r".*(\b(local|declare) |\[\[ |<\(|(^|\s)\$').*", text(path))
                yield f"{path}: not POSIX sh: {found[0].strip()}"


@rule
def python_scripts_parse():
    for path in FILES:
        if path.endswith(".py"):
            try:
                compile(text(path), path, "exec")
            except SyntaxError as error:
                yield f"{path}:{error.lineno}: {error.msg}"


@rule
def commits_follow_the_form():
    # The newest 500; a tree without history has nothing to look at.
    listed = run("git", "log", "-500", "--no-merges", "--format=%h%x09%s")
    if listed.returncode:
        raise Skip("not a Git repository, or no commit yet")
    for entry in listed.stdout.splitlines():
        commit, _, subject = entry.partition("\t")
        if not re.match(r"[a-z][a-z0-9_./, -]*: \S", subject):
            yield f"{commit}: '{subject}': not `area: do the thing`"
        if len(subject) > 72:
            yield f"{commit}: '{subject}': {len(subject)} characters, at most 72"
        if subject.endswith("."):
            yield f"{commit}: '{subject}': full stop at the end"


@rule
def the_readme_table_is_the_programs_own():
    binary = os.path.join(BUILD, "container/boostlens") if BUILD else ""
    if not os.path.isfile(binary):
        raise Skip("no boostlens in the build folder")
    asked = run(binary, "help", "train", "--markdown")
    if asked.returncode or "|" not in asked.stdout:
        yield f"boostlens help train --markdown: exit {asked.returncode}: {asked.stderr.strip()[:200]}"
        return
    if asked.stdout.strip() not in text("README.md"):
        have = set(text("README.md").splitlines())
        for line in asked.stdout.splitlines():
            if line.strip() and line not in have:
                yield f"README.md lacks: {line[:120]}"
        yield "put the output of `boostlens help train --markdown` into README.md"


@rule
def the_documents_are_there():
    for path in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE", "meson.build",
                 "container/demo.sh", "container/deps.sh", "tests/run.sh", ".ci/run", "data/README.md",
                 "benchmarks/README.md", "kernels/README.md", "container/README.md"):
        if not os.path.exists(path):
            yield path


@rule
def data_files_are_described():
    described = text("data/README.md")
    for path in FILES:
        if path.startswith("data/") and not path.startswith(CORPUS) and path.endswith((".csv", ".json", ".ubj")):
            if f"`{path[len('data/'):]}`" not in described:
                yield f"{path}: not in data/README.md"


def main():
    names = sys.argv[1:]
    broken = 0
    for function in RULES:
        name = function.__name__.replace("_", " ").replace("cplusplus", "C++")
        if names and not any(word in function.__name__ for word in names):
            continue
        try:
            found = list(function())
        except Skip as reason:
            print(f"skip - {name}: {reason}")
            continue
        for line in found[:25]:
            print(f"# {line}")
        if len(found) > 25:
            print(f"# and {len(found) - 25} more")
        print(f"{'not ok' if found else 'ok'} - {name}", flush=True)
        broken += bool(found)
    return 1 if broken else 0


sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an image carries, as CycloneDX 1.5 JSON on stdout.

    sbom.py VERSION XGBOOST_VERSION STATUS ROOT

STATUS is a package database in dpkg's format; ROOT the folder that holds what boostlens adds. No time and no
serial number: the same image has the same list.
"""
import hashlib
import json
import os
import sys


def packages(path):
    """[{field: value}] of the installed packages, by name."""
    with open(path, encoding="utf-8") as file:
        stanzas = file.read().split("\n\n")
    found = []
    for stanza in stanzas:
        fields = dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] not in " \t")
        if "Package" in fields and fields.get("Status", "install ok installed").endswith(" installed"):
            found.append(fields)
    return sorted(found, key=lambda fields: fields["Package"])


def sha256(path):
    with open(path, "rb") as file:
        return {"alg": "SHA-256", "content": hashlib.sha256(file.read()).hexdigest()}


def debian(fields):
    name, version = fields["Package"], fields["Version"]
    return {"type": "library", "bom-ref": f"deb:{name}", "name": name, "version": version,
            "purl": f"pkg:deb/debian/{name}@{version.replace(':', '%3A').replace('+', '%2B')}"
                    f"?arch={fields['Architecture']}&distro=debian-12",
            "properties": [{"name": "licence file", "value": f"/usr/share/doc/{name}/copyright"}]}


def of_ours(root, suffix):
    for folder, _, names in os.walk(root):
        for name in names:
            path = os.path.join(folder, name)
            if path.endswith(suffix) and not os.path.islink(path):
                return path
    sys.exit(f"sbom: no file {suffix} under {root}")


def main():
    version, xgboost, status, root = sys.argv[1:]
    licence = [{"license": {"id": "Apache-2.0"}}]
    program = {"type": "application", "bom-ref": "boostlens", "name": "boostlens", "version": version,
               "licenses": licence, "hashes": [sha256(of_ours(root, "/bin/boostlens"))]}
    trainer = {"type": "library", "bom-ref": "xgboost", "name": "xgboost-cpu", "version": xgboost,
               "purl": f"pkg:pypi/xgboost-cpu@{xgboost}", "licenses": licence,
               "hashes": [sha256(of_ours(root, "/xgboost/lib/libxgboost.so"))]}
    json.dump({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
               "metadata": {"component": program},
               "components": [trainer] + [debian(fields) for fields in packages(status)]}, sys.stdout, indent=1)
    print()


main()

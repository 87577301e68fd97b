"""The crates that the binary is built from, and the texts of their licences."""

import json
import os
import re
import subprocess
import tomllib

# The text for a crate without a licence file.
STANDARD = {"Apache-2.0": "LICENSE", "MIT": "deploy/image/MIT.txt"}
LICENCE = re.compile(r"(licen[sc]e|copying|copyright|notice|unlicense)([-._].*)?$", re.IGNORECASE)
NO_LICENCE = re.compile(r"(copyright|notice|licen[sc]e-third-party)|.*\.rs$", re.IGNORECASE)


def metadata(root, target):
    """The output of `cargo metadata`, which downloads missing sources."""
    command = ["cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={target}"]
    return json.loads(subprocess.run(command, cwd=root, check=True, stdout=subprocess.PIPE).stdout)


def linked(described, root):
    """The crates that the program is built from, with macros but without test and build dependencies: the same as in
    NOTICE. The program itself comes first."""
    nodes = {node["id"]: node for node in described["resolve"]["nodes"]}
    packages = {package["id"]: package for package in described["packages"]}
    with open(os.path.join(root, "Cargo.lock"), "rb") as file:
        locked = {(entry["name"], entry["version"]): entry for entry in tomllib.load(file)["package"]}
    crates, waiting = {}, [described["resolve"]["root"]]
    while waiting:
        identity = waiting.pop()
        if identity in crates:
            continue
        package = packages[identity]
        needs = [
            need["pkg"] for need in nodes[identity]["deps"] if any(kind["kind"] is None for kind in need["dep_kinds"])
        ]
        waiting += needs
        crates[identity] = {
            "name": package["name"],
            "version": package["version"],
            "license": expression(package["license"]),
            "authors": package["authors"],
            "repository": package["repository"],
            "folder": os.path.dirname(package["manifest_path"]),
            "checksum": locked[package["name"], package["version"]].get("checksum"),
            "needs": needs,
        }
    for crate in crates.values():
        crate["needs"] = sorted(label(crates[need]) for need in crate["needs"])
    program, *others = crates.values()
    return [program, *sorted(others, key=label)]


def label(crate):
    return f"{crate['name']} {crate['version']}"


def expression(license_field):
    """The SPDX expression. Older crates write MIT/Apache-2.0 instead of MIT OR Apache-2.0."""
    return re.sub(r"\s*/\s*", " OR ", license_field) if license_field else None


def files(crate):
    """The paths of a crate's licence files, including those of vendored code."""
    for folder, folders, names in os.walk(crate["folder"]):
        folders.sort()
        for name in sorted(names):
            if LICENCE.match(name) and not name.endswith(".rs"):
                yield os.path.join(folder, name)


def standard(crate, root):
    """The standard text for a crate without a licence file."""
    for choice in (crate["license"] or "").split(" OR "):
        if choice in STANDARD:
            with open(os.path.join(root, STANDARD[choice]), encoding="utf-8") as file:
                holders = ", ".join(crate["authors"]) or f"The authors of {crate['name']}"
                return file.read().replace("{holders}", holders)
    raise SystemExit(
        f"image: {label(crate)} ({crate['license']}) has no licence text: "
        f"put the standard text into deploy/image/ and add it to STANDARD in crates.py"
    )


def texts(crates, root):
    """Each text once, with the crates that it applies to: [(text, [label])]."""
    found = {}
    for crate in crates:
        own = {}
        for path in files(crate):
            with open(path, encoding="utf-8", errors="replace") as file:
                own[path] = "\n".join(line.rstrip() for line in file.read().strip("\n").splitlines())
        top = [path for path in own if os.path.dirname(path) == crate["folder"]]
        if all(NO_LICENCE.match(os.path.basename(path)) for path in top):
            own[None] = standard(crate, root).strip("\n")
        for text in own.values():
            names = found.setdefault(text, [])
            if label(crate) not in names:
                names.append(label(crate))
    return sorted(((text, names) for text, names in found.items()), key=lambda each: (each[1], each[0]))


def third_party(found):
    """All texts as one readable file."""
    parts = ["Licences of the crates that posturebeat is built from. Each text appears once, below its crates.\n"]
    for text, names in found:
        parts.append(f"{'=' * 80}\n{', '.join(names)}\n{'-' * 80}\n\n{text}\n")
    return "\n".join(parts)

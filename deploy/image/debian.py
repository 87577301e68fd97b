"""What the image takes from Debian: the loader and the shared libraries that the binary names, the certificates of the
public authorities, and each package's copyright file."""

import os
import re
import subprocess

# What the packages' copyright files say of the files that go into the image.
LICENCES = {
    "libc6": "LGPL-2.1-or-later",
    "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "ca-certificates": "MPL-2.0",
}
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
MACHINES = {"x86_64": ("amd64", "Advanced Micro Devices X86-64"), "aarch64": ("arm64", "AArch64")}


def _run(*command):
    """What a tool says, in English; nothing if it fails."""
    how = {"env": {**os.environ, "LC_ALL": "C"}, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run(command, check=False, **how).stdout
    except FileNotFoundError:
        raise SystemExit(f"image: {command[0]} is missing: it takes Debian (or a child of it) with its package binutils") from None


def architecture(target, binary=None):
    """The target's name in the world of containers; a binary that is another machine's ends the build."""
    name = target.split("-")[0]
    if name not in MACHINES:
        raise SystemExit(f"image: no image is known for target {target}, only for {', '.join(MACHINES)}")
    known, machine = MACHINES[name]
    if binary and machine not in _run("readelf", "-h", binary):
        raise SystemExit(f"image: {binary} is not a program for {target}")
    return known


def trace(path):
    """The links on the way to a file, then the file itself: all that it takes to be found under this path too."""
    at, rest = "/", path.strip("/").split("/")
    while rest:
        at = os.path.join(at, rest.pop(0))
        if os.path.islink(at):
            to = os.readlink(at)
            yield at, to
            rest = os.path.normpath(os.path.join(os.path.dirname(at), to)).strip("/").split("/") + rest
            at = "/"
    yield at, None


def _wanted(file):
    """What an ELF file asks for: its loader and its libraries."""
    told = _run("readelf", "-W", "-l", "-d", file)
    loader = re.findall(r"program interpreter: ([^\]]+)\]", told)
    return loader, re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", told)


def libraries(binary, target):
    """The paths of the loader and of every library, as the loader looks for them. None for a static binary."""
    folder = f"/lib/{target.split('-')[0]}-linux-gnu"
    found, (loader, names) = [], _wanted(binary)
    waiting = loader + [f"{folder}/{name}" for name in names]
    while waiting:
        path = waiting.pop(0)
        if path in found:
            continue
        if not os.path.exists(path):
            raise SystemExit(
                f"image: {binary} needs {path}, which is not here. On Debian, as root: apt-get install "
                f"libc6:{architecture(target)} libgcc-s1:{architecture(target)} (for another architecture than this "
                f"machine's, dpkg --add-architecture {architecture(target)} and apt-get update first)"
            )
        found.append(path)
        waiting += [f"{folder}/{name}" for name in _wanted(path)[1]]
    return found


def _package(owner):
    fields = ["Package", "Version", "Architecture", "source:Package", "source:Version"]
    told = _run("dpkg-query", "-W", "-f=" + "\\n".join(f"${{{field}}}" for field in fields), owner).split("\n")
    if len(told) != len(fields) or told[0] not in LICENCES:
        raise SystemExit(f"image: package '{owner}' is not known: state its licence in LICENCES of debian.py")
    name, version, machine, source, source_version = told
    return {
        "name": name, "version": version, "architecture": machine, "license": LICENCES[name],
        "source": f"{source} {source_version}", "files": set(),
    }


def _owner(path):
    """The package that a file came with; packages older than the merge of /lib and /usr/lib name it without /usr."""
    for name in (path, path.removeprefix("/usr")):
        told = _run("dpkg-query", "-S", name)
        if told:
            return told.split(": ")[0]
    raise SystemExit(f"image: no Debian package owns {path}: the image is built from Debian's files, whose licences are known")


def _read(path):
    with open(path, "rb") as file:
        return file.read()


def _copy(layer, path, mode):
    for at, link in trace(path):
        if link:
            layer.link(at, link)
        else:
            layer.file(at, _read(at), mode)
    return at


def _authorities():
    """The package's own certificates. Not the machine's bundle: that has whom its administrator trusts besides."""
    listed = _run("dpkg-query", "-L", "ca-certificates").split("\n")
    paths = sorted(path for path in listed if path.startswith("/usr/share/ca-certificates/") and path.endswith(".crt"))
    if not paths:
        raise SystemExit("image: Debian's package ca-certificates is missing: apt-get install ca-certificates")
    return b"".join(_read(path).rstrip(b"\n") + b"\n" for path in paths)


def install(layer, binary, target):
    """Puts all of it into the layer; tells of each package what it is and which files are its."""
    packages = {}
    for path in libraries(binary, target):
        file = _copy(layer, path, 0o755)
        owner = _owner(file)
        # A set: the loader is among the libraries too, under another path to the same file.
        packages.setdefault(owner, _package(owner))["files"].add(file)
    packages["ca-certificates"] = _package("ca-certificates")
    packages["ca-certificates"]["files"].add(CERTIFICATES)
    layer.file(CERTIFICATES, _authorities())
    for package in packages.values():
        text = _read(_copy(layer, f"/usr/share/doc/{package['name']}/copyright", 0o644)).decode(errors="replace")
        for name in sorted(set(re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", text))):
            _copy(layer, f"/usr/share/common-licenses/{name}", 0o644)
    return sorted(packages.values(), key=lambda package: package["name"])

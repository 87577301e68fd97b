"""The image's files from Debian: the loader and the shared libraries that the binary needs, the certificates of public
authorities, and each package's copyright file."""

import os
import re
import subprocess

# Licences of the files that go into the image, from the packages' copyright files.
LICENCES = {
    "libc6": "LGPL-2.1-or-later",
    "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
    "ca-certificates": "MPL-2.0",
}
CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"
MACHINES = {"x86_64": ("amd64", "Advanced Micro Devices X86-64"), "aarch64": ("arm64", "AArch64")}


def _run(*command):
    """A tool's output, in English; empty if it finds nothing."""
    how = {"env": {**os.environ, "LC_ALL": "C"}, "text": True, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    try:
        return subprocess.run(command, check=False, **how).stdout
    except FileNotFoundError:
        raise SystemExit(f"image: {command[0]} is missing: the build needs Debian or a derivative, with binutils") from None


def architecture(target, binary=None):
    """The target's architecture as images name it. Exits if `binary` is for another architecture."""
    name = target.split("-")[0]
    if name not in MACHINES:
        raise SystemExit(f"image: unsupported target {target}; expected one of the architectures {', '.join(MACHINES)}")
    known, machine = MACHINES[name]
    if binary and machine not in _run("readelf", "-h", binary):
        raise SystemExit(f"image: {binary} is not a program for {target}")
    return known


def trace(path):
    """The links on the way to a file, each with its target, then the file itself: all that makes this path work."""
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
    """The loader (as a list, empty if there is none) and the libraries that an ELF file needs."""
    told = _run("readelf", "-W", "-l", "-d", file)
    loader = re.findall(r"program interpreter: ([^\]]+)\]", told)
    return loader, re.findall(r"\(NEEDED\)\s+Shared library: \[([^\]]+)\]", told)


def libraries(binary, target):
    """The paths of the loader and of every library, as the loader looks for them. Empty for a static binary."""
    folder = f"/lib/{target.split('-')[0]}-linux-gnu"
    found, (loader, names) = [], _wanted(binary)
    waiting = loader + [f"{folder}/{name}" for name in names]
    while waiting:
        path = waiting.pop(0)
        if path in found:
            continue
        if not os.path.exists(path):
            raise SystemExit(
                f"image: {binary} needs {path}, which is missing. On Debian, as root: apt-get install "
                f"libc6:{architecture(target)} libgcc-s1:{architecture(target)} (for another architecture than this "
                f"machine's, first run dpkg --add-architecture {architecture(target)} and apt-get update)"
            )
        found.append(path)
        waiting += [f"{folder}/{name}" for name in _wanted(path)[1]]
    return found


def _package(owner):
    fields = ["Package", "Version", "Architecture", "source:Package", "source:Version"]
    told = _run("dpkg-query", "-W", "-f=" + "\\n".join(f"${{{field}}}" for field in fields), owner).split("\n")
    if len(told) != len(fields) or told[0] not in LICENCES:
        raise SystemExit(f"image: unknown package '{owner}': add its licence to LICENCES in debian.py")
    name, version, machine, source, source_version = told
    return {
        "name": name, "version": version, "architecture": machine, "license": LICENCES[name],
        "source": f"{source} {source_version}", "files": set(),
    }


def _owner(path):
    """The package that owns a file. Packages from before the merge of /lib into /usr/lib list it without /usr."""
    for name in (path, path.removeprefix("/usr")):
        told = _run("dpkg-query", "-S", name)
        if told:
            return told.split(": ")[0]
    raise SystemExit(f"image: no Debian package owns {path}, so its licence is unknown")


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
    """The package's own certificates. The machine's bundle may have more, which its administrator added."""
    listed = _run("dpkg-query", "-L", "ca-certificates").split("\n")
    paths = sorted(path for path in listed if path.startswith("/usr/share/ca-certificates/") and path.endswith(".crt"))
    if not paths:
        raise SystemExit("image: Debian's package ca-certificates is missing: apt-get install ca-certificates")
    return b"".join(_read(path).rstrip(b"\n") + b"\n" for path in paths)


def install(layer, binary, target):
    """Adds all files to the layer; returns the packages, each with its licence, source and files."""
    packages = {}
    for path in libraries(binary, target):
        file = _copy(layer, path, 0o755)
        owner = _owner(file)
        # `files` is a set, because the loader is also one of the libraries, under another path to the same file.
        packages.setdefault(owner, _package(owner))["files"].add(file)
    packages["ca-certificates"] = _package("ca-certificates")
    packages["ca-certificates"]["files"].add(CERTIFICATES)
    layer.file(CERTIFICATES, _authorities())
    for package in packages.values():
        text = _read(_copy(layer, f"/usr/share/doc/{package['name']}/copyright", 0o644)).decode(errors="replace")
        for name in sorted(set(re.findall(r"/usr/share/common-licenses/([A-Za-z0-9.-]*[A-Za-z0-9])", text))):
            _copy(layer, f"/usr/share/common-licenses/{name}", 0o644)
    return sorted(packages.values(), key=lambda package: package["name"])

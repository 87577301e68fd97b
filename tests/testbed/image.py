#!/usr/bin/env python3
"""Writes a docker-archive with one image for each static binary: image.py OUT BINARY NAME[,NAME...] [BINARY NAME...]"""

import hashlib
import io
import json
import os
import sys
import tarfile


def add(archive, name, content, mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    archive.addfile(entry, io.BytesIO(content))


def layer(binary):
    """A file system of one program and an unprivileged user."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder, mode in [("etc", 0o755), ("tmp", 0o1777), ("usr", 0o755), ("usr/local", 0o755), ("usr/local/bin", 0o755)]:
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
        add(tar, "etc/passwd", b"root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n")
        with open(binary, "rb") as file:
            add(tar, "usr/local/bin/" + os.path.basename(binary), file.read(), 0o755)
    return buffer.getvalue()


def main(out, *pairs):
    manifest = []
    with tarfile.open(out, mode="w") as archive:
        for binary, names in zip(pairs[::2], pairs[1::2]):
            content = layer(binary)
            digest = hashlib.sha256(content).hexdigest()
            config = json.dumps({
                "architecture": {"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine],
                "os": "linux",
                "config": {
                    "Env": ["PATH=/usr/local/bin"],
                    "Entrypoint": ["/usr/local/bin/" + os.path.basename(binary)],
                },
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest]},
            }).encode()
            config_name = hashlib.sha256(config).hexdigest() + ".json"
            add(archive, config_name, config)
            add(archive, digest + "/layer.tar", content)
            manifest.append({"Config": config_name, "RepoTags": names.split(","), "Layers": [digest + "/layer.tar"]})
        add(archive, "manifest.json", json.dumps(manifest).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])

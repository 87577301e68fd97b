"""Layers and the archive of an OCI image (image-spec 1.1). Equal content gives equal bytes, whatever the build machine's
clock, users, umask and order of files."""

import hashlib
import io
import json
import os
import tarfile
import zlib

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Layer:
    """Files by absolute path. All times are 0, so a layer changes only when a file does."""

    def __init__(self, comment):
        self.comment = comment
        self.entries = {}

    def _put(self, path, kind, mode, content=b"", target="", owner=0):
        entry = tarfile.TarInfo(path.strip("/"))
        entry.type, entry.mode, entry.linkname, entry.size = kind, mode, target, len(content)
        entry.uid = entry.gid = owner
        earlier = self.entries.setdefault(path, (entry, content))
        if earlier[0].get_info() != entry.get_info() or earlier[1] != content:
            raise SystemExit(f"image: conflicting entries for {path}: {earlier[0].get_info()}, {entry.get_info()}")

    def folder(self, path, mode=0o755, owner=0):
        self._put(path, tarfile.DIRTYPE, mode, owner=owner)

    def file(self, path, content, mode=0o644):
        self._put(path, tarfile.REGTYPE, mode, content)

    def link(self, path, target):
        self._put(path, tarfile.SYMTYPE, 0o777, target=target)

    def tar(self):
        for path in list(self.entries):
            while (path := os.path.dirname(path)) != "/":
                if path not in self.entries:
                    self.folder(path)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for path in sorted(self.entries):
                entry, content = self.entries[path]
                archive.addfile(entry, io.BytesIO(content))
        return buffer.getvalue()


def _gzip(content):
    # Not the gzip module, because its header depends on the version of Python.
    packer = zlib.compressobj(9, zlib.DEFLATED, wbits=31)
    return packer.compress(content) + packer.flush()


def _digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _json(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def full_name(tag):
    """The tag as containerd and Docker complete it: posturebeat:1 is docker.io/library/posturebeat:1."""
    name, colon, version = tag.rpartition(":")
    if not colon or not name or not version or "/" in version or "@" in name:
        raise SystemExit(f"image: --tag must be NAME:TAG, such as registry.example/team/posturebeat:1.0, not '{tag}'")
    first, slash, _ = name.partition("/")
    if not slash:
        return f"docker.io/library/{tag}"
    if "." in first or ":" in first or first == "localhost":
        return tag
    return f"docker.io/{tag}"


class Image:
    """An image. `layers` starts with the lowest; `config` is the object of that name in the image's configuration."""

    def __init__(self, layers, architecture, config, annotations, created):
        self.blobs = {}
        self.unpacked = 0
        diffs, described = [], []
        for layer in layers:
            plain = layer.tar()
            self.unpacked += len(plain)
            diffs.append(_digest(plain))
            described.append(self._blob("application/vnd.oci.image.layer.v1.tar+gzip", _gzip(plain)))
        self.platform = {"architecture": architecture, "os": "linux"}
        configuration = self._blob("application/vnd.oci.image.config.v1+json", _json({
            **self.platform,
            "created": created,
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": diffs},
            "history": [{"created": created, "created_by": "deploy/image/build", "comment": layer.comment} for layer in layers],
        }))
        self.manifest = self._blob(MANIFEST, _json({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": configuration,
            "layers": described,
            "annotations": annotations,
        }))
        self.digest = self.manifest["digest"]
        self.compressed = sum(len(blob) for blob in self.blobs.values())

    def _blob(self, kind, content):
        digest = _digest(content)
        self.blobs[digest] = content
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def write(self, path, tag):
        """Writes the archive atomically."""
        names = {"io.containerd.image.name": full_name(tag), "org.opencontainers.image.ref.name": tag.rpartition(":")[2]}
        files = {
            "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
            "index.json": _json({
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": [{**self.manifest, "platform": self.platform, "annotations": names}],
            }),
        }
        for digest, content in self.blobs.items():
            files["blobs/" + digest.replace(":", "/")] = content
        unfinished = f"{path}.unfinished"
        with tarfile.open(unfinished, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for name, content in files.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
        os.replace(unfinished, path)

"""Fills a new API server and keeps etcd's data, with a stamp of what it was made from."""

import hashlib
import multiprocessing
import pathlib
import shutil
import subprocess
import time

import objects
from plane import Client, Plane

WORKERS = 6


def stamp(binaries):
    """The API server's version and a hash of the objects' source; if either changes, the data is made again."""
    version = subprocess.run([f"{binaries}/kube-apiserver", "--version"], check=True, capture_output=True, text=True).stdout
    made_by = hashlib.sha256(pathlib.Path(objects.__file__).read_bytes()).hexdigest()
    return f"{version.strip()}\n{made_by}\n"


def create(share):
    plural, first, count = share
    client = Client()
    for number in range(first, count, WORKERS):
        path, made = objects.make(plural, number)
        status, answer = client.request("POST", path, made)
        if status != 201:
            raise RuntimeError(f"create {path}: HTTP {status}: {answer[:500]}")


def filled(binaries, cache):
    """The directory of etcd's data. Fills it first, unless its stamp is current."""
    data, mark = cache / "etcd", cache / "stamp"
    wanted = stamp(binaries)
    if mark.exists() and mark.read_text() == wanted:
        print(f"using the data of an earlier run: {data}", flush=True)
        return data
    mark.unlink(missing_ok=True)
    shutil.rmtree(data, ignore_errors=True)
    plane = Plane(binaries, data, cache / "filling")
    try:
        with multiprocessing.Pool(WORKERS) as pool:
            for plural, count in objects.COUNTS.items():
                started = time.monotonic()
                pool.map(create, [(plural, first, count) for first in range(WORKERS)], chunksize=1)
                print(f"created {count:6} {plural} in {time.monotonic() - started:.0f} s", flush=True)
    finally:
        plane.stop()
    mark.write_text(wanted)
    return data

"""Fills a new API server, and keeps etcd's data, with a stamp that says of what it was made."""

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
    """Objects and program; another of either is another cluster."""
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
    """The folder of etcd's data; fills it where it is not there."""
    data, mark = cache / "etcd", cache / "stamp"
    wanted = stamp(binaries)
    if mark.exists() and mark.read_text() == wanted:
        print(f"filled before: {data}", flush=True)
        return data
    mark.unlink(missing_ok=True)
    shutil.rmtree(data, ignore_errors=True)
    plane = Plane(binaries, data, cache / "filling")
    try:
        with multiprocessing.Pool(WORKERS) as pool:
            for plural, count in objects.COUNTS.items():
                started = time.monotonic()
                pool.map(create, [(plural, first, count) for first in range(WORKERS)], chunksize=1)
                print(f"filled: {count:6} {plural} in {time.monotonic() - started:.0f} s", flush=True)
    finally:
        plane.stop()
    mark.write_text(wanted)
    return data

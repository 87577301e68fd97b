"""Runs posturebeat against a filled API server, and prints the time, CPU, memory and requests it took.

measure.py BINARIES POSTUREBEAT CACHE, in the separate network namespace that tests/scale/run creates.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import objects
from fill import filled
from plane import ADMIN, WATCHER, Client, Plane, copy, usage

IDLE = 120
# Pod changes per second.
CHURN = 20
# Long enough for a sweep and twice IDLE.
PERIOD = 600
CONFIG = f"""
posturebeat: {{collect.node: false, period: {PERIOD}s, leader_election: {{enabled: true, lease_namespace: posturebeat}}}}
output.console.enabled: true
logging.json: true
"""
RIGHTS = "deploy/kustomize/overlays/split"
KINDS = "pods,serviceaccounts,namespaces,networkpolicies,roles,rolebindings,clusterroles,clusterrolebindings"


def dispatched():
    """Requests of service accounts that the API server admitted. posturebeat's is the only account."""
    _, text = Client().request("GET", "/metrics")
    name = rb'^apiserver_flowcontrol_dispatched_requests_total\{flow_schema="service-accounts".*\} (\S+)$'
    return round(sum(float(value) for value in re.findall(name, text, re.MULTILINE)))


class Watcher:
    """A running posturebeat, and what it and the API server use."""

    def __init__(self, plane, binary, work):
        self.plane, self.log = plane, work / "posturebeat.log"
        config, data = work / "posturebeat.yml", work / "data"
        shutil.rmtree(data, ignore_errors=True)
        config.write_text(CONFIG)
        environment = {"PATH": os.environ["PATH"], "KUBECONFIG": plane.kubeconfig("watcher", WATCHER)}
        command = [binary, "run", "-c", config, "--path.data", data]
        requests, server = dispatched(), usage(plane.pid("kube-apiserver"))[0]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environment)
        self.started = time.monotonic()
        self.last = (self.started, 0.0, server, requests)

    def swept(self, times):
        """Waits until that many cycles are complete; returns the log line of the last."""
        while True:
            lines = [line for line in self.log.read_text().splitlines() if "cycle complete" in line]
            if len(lines) >= times:
                return json.loads(lines[times - 1])
            if self.process.poll() is not None or time.monotonic() - self.started > (times + 1) * PERIOD:
                raise SystemExit(f"no complete cycle: see {self.log}")
            time.sleep(0.5)

    def since(self):
        """Use since the last call: seconds, CPU, the API server's CPU, requests, peak memory."""
        now, requests, server = time.monotonic(), dispatched(), usage(self.plane.pid("kube-apiserver"))[0]
        cpu, peak = usage(self.process.pid)
        last, self.last = self.last, (now, cpu, server, requests)
        # Resets the peak.
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return (*(new - old for new, old in zip(self.last, last)), peak)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def churn(seconds):
    """Changes pods: of four changes one creates a pod, one deletes it, two label other pods. Returns how many."""
    client, started, done = Client(), time.monotonic(), 0
    count = objects.COUNTS["pods"]
    while (passed := time.monotonic() - started) < seconds:
        made, turn = divmod(done, 4)
        if turn in (0, 3):
            path, body = objects.make("pods", count + made)
            name = f"{path}/{body['metadata']['name']}?gracePeriodSeconds=0"
            status, answer = client.request("POST", path, body) if turn == 0 else client.request("DELETE", name)
        else:
            path, body = objects.make("pods", (made * 7 + turn) % count)
            patch = {"metadata": {"labels": {"changed": f"at-{done}"}}}
            status, answer = client.request("PATCH", f"{path}/{body['metadata']['name']}", patch, "application/merge-patch+json")
        if status not in (200, 201):
            raise RuntimeError(f"{path}: HTTP {status}: {answer[:300]}")
        done += 1
        time.sleep(max(0.0, done / CHURN - passed))
    return done


def floor(plane, binaries):
    """kubectl's list of the same objects as JSON: seconds, CPU, peak memory and size in MB."""
    config = plane.kubeconfig("admin", ADMIN)
    started, size = time.monotonic(), 0
    process = subprocess.Popen([f"{binaries}/kubectl", "--kubeconfig", config, "get", KINDS, "-A", "-o", "json"], stdout=subprocess.PIPE)
    while read := process.stdout.read(1 << 20):
        size += len(read)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit("kubectl failed")
    return time.monotonic() - started, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, size / 1e6


def install(plane, binaries):
    """Installs the permissions in the manifests. Their pods never start, because there is no controller."""
    command = [f"{binaries}/kubectl", "--kubeconfig", plane.kubeconfig("admin", ADMIN), "apply", "-k", RIGHTS]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"kubectl apply -k {RIGHTS}: {done.stderr}")


def row(what, seconds="", cpu="", peak="", requests="", server=""):
    cells = [f"{cell:.1f}" if isinstance(cell, float) else str(cell) for cell in (seconds, cpu, peak, requests, server)]
    print("| " + " | ".join([f"{what:52}", *(f"{cell:>12}" for cell in cells)]) + " |", flush=True)


def tell(what, watcher):
    seconds, cpu, server, requests, peak = watcher.since()
    row(what, seconds, cpu, peak, requests, server)
    return seconds


def measure(plane, binary, binaries, work):
    install(plane, binaries)
    print(", ".join(f"{count} {plural}" for plural, count in objects.COUNTS.items()), flush=True)
    row("", "seconds", "CPU s", "peak MB", "requests", "API server s")
    print("|---|--:|--:|--:|--:|--:|")
    watcher = Watcher(plane, binary, work)
    try:
        line = watcher.swept(1)
        seconds = tell("first sweep, from the start of the process", watcher)
        if seconds + 2 * IDLE > PERIOD:
            raise SystemExit(f"a sweep of {seconds:.0f} s leaves no time to measure between sweeps: this machine is too busy")
        time.sleep(IDLE)
        tell("between sweeps, without changes", watcher)
        changes = churn(IDLE)
        tell(f"between sweeps, {changes / IDLE:.0f} pod changes per second", watcher)
        watcher.swept(2)
        tell("the rest of the period, and the next sweep", watcher)
    finally:
        watcher.stop()
    seconds, cpu, peak, size = floor(plane, binaries)
    row(f"kubectl get of the same objects as JSON ({size:.0f} MB)", seconds, cpu, peak)
    print(", ".join(f"{name} {line['posturebeat'][name]}" for name in ("resources", "passed", "failed", "needs_review", "errors")))


def main():
    # As PID 1 of its namespace, this process ignores signals that it does not handle.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    binaries, binary, cache = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
    source = filled(binaries, cache)
    data, work = cache / "measured", cache / "work"
    copy(source, data)
    plane = Plane(binaries, data, work)
    try:
        measure(plane, binary, binaries, work)
    finally:
        plane.stop()
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()

"""A control plane of two plain processes, etcd and kube-apiserver, without scheduler, controllers and kubelets."""

import http.client
import json
import os
import pathlib
import shutil
import ssl
import subprocess
import time

PORT = 6443
ETCD = "http://127.0.0.1:2379"
# Tokens of an administrator, who fills and counts, and of the service account that the manifests install.
ADMIN = "administrator-of-a-benchmark"
WATCHER = "watcher-of-a-benchmark"
TOKENS = f'''{ADMIN},admin,1,"system:masters"
{WATCHER},system:serviceaccount:posturebeat:posturebeat-cluster,2,"system:serviceaccounts,system:authenticated"
'''
PATIENCE = 120


class Plane:
    """Runs until `stop`. `data` is etcd's directory; `work` is for everything else."""

    def __init__(self, binaries, data, work):
        self.binaries, self.work, self.processes = pathlib.Path(binaries), pathlib.Path(work), []
        self.work.mkdir(parents=True, exist_ok=True)
        # No fsync: durability does not matter here, and disks differ in speed.
        self.start("etcd", f"--data-dir={data}", "--unsafe-no-fsync", "--quota-backend-bytes=8589934592", "--log-level=error",
                   f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}")
        key, tokens = self.work / "sa.key", self.work / "tokens"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        tokens.write_text(TOKENS)
        self.start("kube-apiserver", f"--etcd-servers={ETCD}", "--bind-address=127.0.0.1", f"--secure-port={PORT}",
                   "--advertise-address=192.0.2.1", "--endpoint-reconciler-type=none", f"--cert-dir={self.work}/certificates",
                   f"--token-auth-file={tokens}", "--authorization-mode=RBAC", "--service-account-issuer=https://scale.example",
                   f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
                   "--service-cluster-ip-range=10.96.0.0/16", "--allow-privileged=true",
                   "--disable-admission-plugins=ServiceAccount")
        self.wait()

    def start(self, name, *arguments):
        log = open(self.work / f"{name}.log", "wb")
        command = [self.binaries / name, *arguments]
        self.processes.append((name, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)))

    def wait(self):
        deadline = time.monotonic() + PATIENCE
        while True:
            for name, process in self.processes:
                if process.poll() is not None:
                    raise SystemExit(f"{name} exited during startup: see {self.work}/{name}.log")
            try:
                if Client().request("GET", "/readyz")[0] == 200:
                    return
            except OSError:
                pass
            if time.monotonic() > deadline:
                raise SystemExit(f"the API server is not ready after {PATIENCE} s: see {self.work}/kube-apiserver.log")
            time.sleep(0.2)

    def pid(self, name):
        return next(process.pid for known, process in self.processes if known == name)

    def kubeconfig(self, name, token):
        path = self.work / f"{name}.conf"
        authority = f"{self.work}/certificates/apiserver.crt"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "scale",
            "clusters": [{"name": "scale", "cluster": {"server": f"https://127.0.0.1:{PORT}", "certificate-authority": authority}}],
            "users": [{"name": name, "user": {"token": token}}],
            "contexts": [{"name": "scale", "context": {"cluster": "scale", "user": name}}]}))
        return str(path)

    def stop(self):
        """Stops the API server first, because it needs etcd."""
        for _, process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Client:
    """A connection to the API server as the administrator."""

    def __init__(self):
        # It is our own server, in our own network namespace.
        context = ssl._create_unverified_context()
        self.connection = http.client.HTTPSConnection("127.0.0.1", PORT, context=context, timeout=60)

    def request(self, method, path, body=None, kind="application/json"):
        headers = {"Authorization": f"Bearer {ADMIN}", "Content-Type": kind}
        self.connection.request(method, path, body and json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, answer.read()


def copy(source, target):
    """Copies a filled cluster, so that a run does not change it."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", source, target], check=True)


def usage(pid):
    """A process's CPU time in seconds, and its peak memory in MB."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    status = dict(line.split(":", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    return seconds, int(status["VmHWM"].split()[0]) / 1024

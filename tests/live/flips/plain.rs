//! The control plane once more, as plain processes beside the static pods.
//!
//! In: what their arguments have that the manifests' do not. Out: four running processes on ports of their own, which
//! end when they are dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bed::{Bed, env};

/// The API server's port; etcd's are in its arguments.
pub const API_SERVER_PORT: u16 = 16443;
pub const ETCD: &str = "https://127.0.0.1:22379";
const ETCD_PEER: &str = "https://127.0.0.1:22380";

/// What a component's arguments are, beside the manifest's.
#[derive(Default)]
pub struct Changes {
    /// `flag=value`, in place of the manifest's.
    set: Vec<String>,
    without: Vec<&'static str>,
}

impl Changes {
    pub fn set(set: &[&str]) -> Self {
        Self { set: set.iter().map(|flag| (*flag).to_owned()).collect(), ..Self::default() }
    }

    pub fn without(mut self, flags: &[&'static str]) -> Self {
        self.without.extend(flags);
        self
    }

    /// The arguments of `program`.
    fn arguments(&self, program: &str) -> Vec<String> {
        let manifest = std::fs::read_to_string(format!("/etc/kubernetes/manifests/{program}.yaml")).unwrap();
        let written = manifest.lines().filter_map(|line| line.trim().strip_prefix("- --"));
        let is_changed = |argument: &&str| {
            self.without.contains(&flag(argument)) || self.set.iter().any(|set| flag(set) == flag(argument))
        };
        let kept = written.filter(|argument| !is_changed(argument)).map(str::to_owned);
        kept.chain(self.set.iter().cloned()).map(|argument| format!("--{argument}")).collect()
    }
}

fn flag(argument: &str) -> &str {
    argument.split('=').next().unwrap_or(argument)
}

/// One process, and whether it works yet.
struct Process {
    name: &'static str,
    command: Command,
    child: Child,
    log: PathBuf,
    works: Box<dyn Fn() -> bool>,
}

/// A running control plane.
pub struct Plain(Vec<Process>);

impl Plain {
    pub const ETCD: &str = "plain etcd";
    pub const API_SERVER: &str = "plain API server";
    pub const CONTROLLER_MANAGER: &str = "plain controller manager";
    pub const SCHEDULER: &str = "plain scheduler";

    /// Starts etcd, API server, controller manager and scheduler, and waits until they work. The store is new each time.
    /// Controller manager and scheduler wait for the leases that the real ones hold, and so do nothing.
    pub fn start(bed: &Bed, [etcd, api_server, controller_manager, scheduler]: [Changes; 4]) -> Self {
        let store = bed.path("etcd");
        let _ = std::fs::remove_dir_all(&store);
        let own = [
            format!("data-dir={}", store.display()),
            format!("listen-client-urls={ETCD}"),
            format!("advertise-client-urls={ETCD}"),
            format!("listen-peer-urls={ETCD_PEER}"),
            format!("initial-advertise-peer-urls={ETCD_PEER}"),
            format!("initial-cluster=cp-1={ETCD_PEER}"),
            "listen-metrics-urls=http://127.0.0.1:22381".to_owned(),
        ];
        let mut plain = Self(Vec::new());
        plain.add(bed, Self::ETCD, "etcd", &own, &etcd, || listens(22379));
        let own = [
            format!("secure-port={API_SERVER_PORT}"),
            format!("etcd-servers={ETCD}"),
            // For the pair that it makes itself where it is given none.
            format!("cert-dir={}", bed.path("certificates").display()),
        ];
        plain.add(bed, Self::API_SERVER, "kube-apiserver", &own, &api_server, is_ready);
        let serves = !controller_manager.set.contains(&"secure-port=0".to_owned());
        let works = move || !serves || listens(20257);
        let own = ["secure-port=20257".to_owned()];
        plain.add(bed, Self::CONTROLLER_MANAGER, "kube-controller-manager", &own, &controller_manager, works);
        let own = ["secure-port=20259".to_owned()];
        plain.add(bed, Self::SCHEDULER, "kube-scheduler", &own, &scheduler, || listens(20259));
        plain.wait(bed);
        plain
    }

    fn wait(&mut self, bed: &Bed) {
        for index in 0..self.0.len() {
            bed.until(self.0[index].name, || {
                self.assert_alive();
                (self.0[index].works)().then_some(())
            });
        }
    }

    /// Kills one of them.
    pub fn kill(&mut self, name: &str) {
        let process = self.named(name);
        process.child.kill().unwrap();
        process.child.wait().unwrap();
    }

    /// Starts one again that was killed, with what it had stored, and waits until it works.
    pub fn start_again(&mut self, bed: &Bed, name: &str) {
        let process = self.named(name);
        process.child = process.command.spawn().unwrap();
        self.wait(bed);
    }

    fn named(&mut self, name: &str) -> &mut Process {
        self.0.iter_mut().find(|process| process.name == name).unwrap()
    }

    /// Starts one; what the test changes comes after what every batch has, and counts.
    fn add(
        &mut self,
        bed: &Bed,
        name: &'static str,
        program: &str,
        own: &[String],
        changes: &Changes,
        works: impl Fn() -> bool + 'static,
    ) {
        let is_changed = |argument: &&String| changes.set.iter().any(|other| flag(other) == flag(argument));
        let own = own.iter().filter(|argument| !is_changed(argument)).cloned();
        let all = Changes {
            set: own.chain(changes.set.iter().cloned()).collect(),
            without: changes.without.clone(),
        };
        let log = bed.path(&format!("{program}.log"));
        let file = std::fs::File::create(&log).unwrap();
        let mut command = Command::new(Path::new(&env("TESTBED_BIN")).join(program));
        command
            .args(all.arguments(program))
            .current_dir("/")
            .stdout(file.try_clone().unwrap())
            .stderr(Stdio::from(file));
        let child = command.spawn().unwrap();
        self.0.push(Process { name, command, child, log, works: Box::new(works) });
    }

    /// Their ids and names, for a scan.
    pub fn names(&self) -> Vec<(u32, &'static str)> {
        self.0.iter().map(|process| (process.child.id(), process.name)).collect()
    }

    /// A kubeconfig for its API server, for who may do all.
    pub fn kubeconfig(bed: &Bed) -> PathBuf {
        let text = std::fs::read_to_string(env("TESTBED_KUBECONFIG")).unwrap();
        let lines = text.lines().map(|line| {
            let line_starts = |key: &str| line.trim_start().starts_with(key);
            if line_starts("server:") {
                format!("    server: https://{}:{API_SERVER_PORT}", env("TESTBED_NODE_IP"))
            } else if line_starts("certificate-authority-data:") {
                // It may have a certificate of its own making.
                "    insecure-skip-tls-verify: true".to_owned()
            } else {
                line.to_owned()
            }
        });
        let path = bed.path("plain.conf");
        std::fs::write(&path, lines.collect::<Vec<_>>().join("\n")).unwrap();
        path
    }

    /// None of them has refused its arguments, or ended since.
    pub fn assert_alive(&mut self) {
        for Process { name, child, log, .. } in &mut self.0 {
            let ended = child.try_wait().unwrap();
            let said = || std::fs::read_to_string(&*log).unwrap_or_default();
            assert!(ended.is_none(), "the {name} ended: {}", said());
        }
    }
}

impl Drop for Plain {
    fn drop(&mut self) {
        for process in &mut self.0 {
            let _ = process.child.kill();
            let _ = process.child.wait();
        }
    }
}

fn listens(port: u16) -> bool {
    std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
}

/// Asked with a certificate. An API server without a CA for clients refuses it, once it answers at all.
fn is_ready() -> bool {
    let pair = "/etc/kubernetes/pki/apiserver-kubelet-client";
    let output = Command::new("curl")
        .args(["--silent", "--insecure", "--max-time", "2", "--output", "/dev/null"])
        .args([
            "--cert",
            &format!("{pair}.crt"),
            "--key",
            &format!("{pair}.key"),
            "--write-out",
            "%{http_code}",
        ])
        .arg(format!("https://{}:{API_SERVER_PORT}/readyz", env("TESTBED_NODE_IP")))
        .output()
        .unwrap();
    ["200", "401"].contains(&String::from_utf8_lossy(&output.stdout).as_ref())
}

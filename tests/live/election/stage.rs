//! Processes of the program that stand for one election, and what can be done to them.

use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process};
use std::cell::RefCell;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use super::documents::{Document, Output};
use super::gate::Gate;
use super::leases::{Leases, Seen};
use crate::bed::{Bed, env};

/// How their settings differ from the defaults: only how often they look, and where they write.
const PERIOD: &str = "20s";

pub struct Process {
    pub name: String,
    pub gate: Gate,
    command: Command,
    child: Child,
    log: PathBuf,
    clock: PathBuf,
    output: RefCell<Output>,
}

impl Process {
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends SIGTERM and waits for the end.
    pub fn end(&mut self) {
        self.signal(Signal::TERM);
        let status = self.child.wait().unwrap();
        assert!(status.success(), "{}", self.log());
    }

    /// Ends it as [`Self::end`] does, and starts it anew with the same files, among them its log.
    pub fn replace(&mut self) {
        self.end();
        self.child = self.command.spawn().unwrap();
    }

    /// Waits until it leads or follows, since it was started.
    pub fn until_it_knows_who_leads(&self, bed: &Bed) {
        bed.until("it to know who leads", || {
            let log = self.log();
            let own = log.rsplit_once(" posturebeat started ")?.1;
            [" became the leader ", " another process is the leader "]
                .iter()
                .any(|told| own.contains(told))
                .then_some(())
        });
    }

    /// Moves its clock: `+1h`. Only where the stage was set with clocks that can be moved.
    pub fn move_clock(&self, by: &str) {
        std::fs::write(&self.clock, by).unwrap();
    }

    pub fn documents(&self) -> Vec<Document> {
        self.output.borrow_mut().read().to_vec()
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A failed assertion must leave nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whose time is told to processes.
#[derive(Clone, Copy, PartialEq)]
pub enum Clocks {
    TheMachines,
    /// Each its own, which can be moved.
    Own,
}

/// One election.
pub struct Stage<'b> {
    pub bed: &'b Bed,
    pub leases: &'b Leases<'b>,
    pub lease: String,
    pub processes: Vec<Process>,
    pub clocks: Clocks,
    /// Whether they look at the node too.
    pub node: bool,
}

impl<'b> Stage<'b> {
    /// Nobody is on it yet.
    pub fn empty(bed: &'b Bed, leases: &'b Leases<'b>, lease: &str) -> Self {
        let (lease, processes) = (lease.to_owned(), Vec::new());
        Self { bed, leases, lease, processes, clocks: Clocks::TheMachines, node: false }
    }

    /// Starts five processes together.
    pub fn start_five(&mut self) {
        (0..5).for_each(|_| self.start());
    }

    /// Starts one more.
    pub fn start(&mut self) {
        let name = format!("{}-{}", self.lease, self.processes.len() + 1);
        let folder = self.bed.path(&name);
        let output = Output::new(&name, &folder.join("findings.ndjson"));
        let gate = Gate::to(&self.leases.server);
        let (settings, log, clock) = (folder.join("settings.yml"), folder.join("log"), folder.join("clock"));
        std::fs::write(&clock, "+0").unwrap();
        std::fs::write(folder.join("kubeconfig"), self.kubeconfig(gate.port)).unwrap();
        std::fs::write(&settings, self.settings(&folder)).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_posturebeat"));
        command
            .env("KUBECONFIG", folder.join("kubeconfig"))
            .env("POD_NAME", &name)
            .env_remove("POSTUREBEAT_LOG")
            .current_dir(&folder)
            .args(["run", "-c", settings.to_str().unwrap()])
            .args(["--path.data", folder.join("data").to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(std::fs::File::create(&log).unwrap());
        if self.clocks == Clocks::Own {
            command
                .env("LD_PRELOAD", faketime())
                .env("FAKETIME_TIMESTAMP_FILE", &clock)
                .env("FAKETIME_CACHE_DURATION", "1")
                // What measures how long something takes goes on, as when an administrator sets the clock.
                .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
                .env("NO_FAKE_STAT", "1");
        }
        let child = command.spawn().unwrap();
        self.processes.push(Process { name, gate, command, child, log, clock, output: RefCell::new(output) });
    }

    fn settings(&self, folder: &Path) -> String {
        format!(
            "posturebeat:\n  period: {PERIOD}\n  collect.node: {}\n  leader_election:\n    enabled: true\n    lease_name: {}\n    lease_namespace: {}\noutput.file.path: {}\noutput.file.filename: findings.ndjson\nqueue.mem.flush.timeout: 200ms\nlogging.metrics.enabled: false\n",
            self.node,
            self.lease,
            self.leases.namespace,
            folder.display()
        )
    }

    /// The administrator's, by the gate.
    fn kubeconfig(&self, port: u16) -> String {
        let text = std::fs::read_to_string(env("TESTBED_KUBECONFIG")).unwrap();
        let server = |line: &str| line.trim_start().starts_with("server:");
        let authority = |line: &str| line.trim_start().starts_with("certificate-authority-data:");
        let lines = text.lines().map(|line| match self.clocks {
            _ if server(line) => {
                format!("    server: https://127.0.0.1:{port}\n    tls-server-name: kubernetes")
            }
            // The cluster may be younger than an hour: with a clock set back its certificates are not valid yet.
            Clocks::Own if authority(line) => "    insecure-skip-tls-verify: true".to_owned(),
            _ => line.to_owned(),
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Waits until one of the processes holds the Lease that did not when it was in the state `before`; says which,
    /// and since when.
    pub fn leader_after(&self, what: &str, before: Option<&Seen>) -> (usize, Seen) {
        self.bed.until(what, || {
            let seen = self.leases.seen(&self.lease);
            let new = seen.into_iter().filter(|seen| before.is_none_or(|before| seen.at > before.at));
            let mut taken =
                new.filter(|seen| before.is_none_or(|before| seen.transitions > before.transitions));
            taken.find_map(|seen| Some((self.processes.iter().position(|one| seen.is_of(&one.name))?, seen)))
        })
    }

    /// Waits until one of some processes knows that another leads; says when.
    pub fn followed(&self, processes: &[Process]) -> Timestamp {
        let follows = |process: &Process| process.log().contains("another process is the leader");
        self.bed.until("one that follows", || processes.iter().any(follows).then(Timestamp::now))
    }

    /// Waits for the account of a whole cycle that began later than the one numbered `sequence`.
    pub fn cycle_after(&self, what: &str, sequence: i64) -> Document {
        self.bed.until(what, || {
            let documents = self.documents();
            documents.into_iter().find(|one| one.is_coverage() && one.sequence > sequence)
        })
    }

    /// Waits until process `index` is in the middle of a cycle; says which.
    pub fn in_mid_cycle(&self, index: usize) -> i64 {
        let last = self.last_sequence();
        self.bed.until("a cycle to begin", || {
            let documents = self.processes[index].documents();
            let last = documents.last().filter(|one| one.sequence > last && !one.is_coverage());
            last.map(|one| one.sequence)
        })
    }

    /// The highest number of a cycle that anything came of.
    pub fn last_sequence(&self) -> i64 {
        self.documents().iter().map(|one| one.sequence).max().unwrap_or_default()
    }

    /// What all of them wrote.
    pub fn documents(&self) -> Vec<Document> {
        self.processes.iter().flat_map(Process::documents).collect()
    }

    /// The state of the Lease, which must be there.
    pub fn last(&self) -> Seen {
        self.leases.last(&self.lease).unwrap()
    }

    /// Ends the processes that run. What came of it all.
    pub fn close(mut self) -> Played {
        for process in &mut self.processes {
            if process.child.try_wait().unwrap().is_none() {
                process.end();
            }
        }
        let log = |process: &Process| format!("== {}\n{}\n", process.name, process.log());
        Played {
            documents: self.documents(),
            leases: self.leases.seen(&self.lease),
            logs: self.processes.iter().map(log).collect(),
        }
    }
}

/// What came of an election.
pub struct Played {
    pub documents: Vec<Document>,
    pub leases: Vec<Seen>,
    pub logs: String,
}

/// Prints how long something took, also where the test passes, whose output is kept back then.
pub fn took(what: &str, from: Timestamp, to: Timestamp) {
    let seconds = to.duration_since(from).as_secs_f64();
    std::io::stderr().write_all(format!("{what}: {seconds:.1} s\n").as_bytes()).unwrap();
}

/// Debian's library that tells a process another time.
fn faketime() -> PathBuf {
    let folders = std::fs::read_dir("/usr/lib").unwrap();
    let library = |folder: std::fs::DirEntry| folder.path().join("faketime/libfaketimeMT.so.1");
    let found = folders.flatten().map(library).find(|library| library.exists());
    found.expect("libfaketimeMT.so.1 is not there: Debian's package faketime brings it")
}

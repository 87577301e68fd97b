//! A running posturebeat, and what it has found so far.

use serde_json::Value;
use std::collections::HashSet;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::objects::Verdict;
use crate::bed::{Bed, Running};

/// How long anything may take to be found.
const PATIENCE: Duration = Duration::from_mins(1);

pub struct Findings {
    running: Running,
    file: PathBuf,
    /// What was read of the file, and the documents in it.
    offset: u64,
    all: Vec<Value>,
}

impl Findings {
    /// Starts it with that kubeconfig, and waits for the end of its sweep.
    pub fn start(bed: &Bed, kubeconfig: &Path) -> Self {
        let folder = bed.path("found");
        let settings = [
            "posturebeat.collect.node=false".to_owned(),
            "posturebeat.leader_election.enabled=false".to_owned(),
            "posturebeat.period=1h".to_owned(),
            format!("posturebeat.kube_config={}", kubeconfig.display()),
            format!("output.file.path={}", folder.display()),
        ];
        let mut args = vec!["run"];
        args.extend(settings.iter().flat_map(|setting| ["-E", setting.as_str()]));
        let running = bed.start(&args);
        let file = folder.join("posturebeat.ndjson");
        let mut findings = Self { running, file, offset: 0, all: Vec::new() };
        findings.until("the end of the sweep", |all| all.iter().find(|found| is_account(found)).map(|_| ()));
        findings
    }

    pub fn log(&self) -> String {
        self.running.log()
    }

    /// How many there are; those that are waited for may have to come after that many.
    pub fn count(&mut self) -> usize {
        self.read();
        self.all.len()
    }

    /// Those after the first `mark`.
    pub fn since(&self, mark: usize) -> &[Value] {
        &self.all[mark..]
    }

    /// Waits for a verdict after the first `mark` findings; says how long it took.
    pub fn wait(&mut self, mark: usize, verdict: Verdict) -> Duration {
        let began = Instant::now();
        self.until(&format!("{verdict:?}"), |all| {
            all[mark..].iter().find(|found| is(found, verdict)).map(|_| ())
        });
        began.elapsed()
    }

    /// Waits until each of them is the last word on its number and resource.
    pub fn settle(&mut self, verdicts: &[Verdict]) {
        for verdict in verdicts {
            self.until(&format!("{verdict:?}"), |all| {
                let (number, kind, name, outcome) = *verdict;
                let last = all.iter().rev().find(|found| is_about(found, number, kind, name));
                last.filter(|found| found["result"]["evaluation"] == outcome).map(|_| ())
            });
        }
    }

    /// All are of one sweep, and no two have one id.
    pub fn assert_of_one_sweep(&mut self) {
        self.read();
        let account = self.all.iter().find(|found| is_account(found)).unwrap();
        let sequence = &account["event"]["sequence"];
        assert!(sequence.is_i64(), "{account:#}");
        let mut ids = HashSet::new();
        for found in &self.all {
            assert_eq!(&found["event"]["sequence"], sequence, "{found:#}");
            assert!(ids.insert(found["event"]["id"].as_str().unwrap()), "two have one id: {found:#}");
        }
    }

    fn until(&mut self, what: &str, mut condition: impl FnMut(&[Value]) -> Option<()>) {
        let began = Instant::now();
        loop {
            self.read();
            if condition(&self.all).is_some() {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "waited in vain for {what}: {}", self.log());
            assert!(self.running.child.try_wait().unwrap().is_none(), "it ended: {}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Reads what was added, up to the last whole line.
    fn read(&mut self) {
        let Ok(mut file) = std::fs::File::open(&self.file) else { return };
        file.seek(SeekFrom::Start(self.offset)).unwrap();
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.offset += whole as u64;
        let lines = text[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        self.all.extend(lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()));
    }
}

/// The totals of a cycle, which come last.
fn is_account(found: &Value) -> bool {
    found["posturebeat"]["coverage"].is_object()
}

fn is_about(found: &Value, number: &str, kind: &str, name: &str) -> bool {
    found["rule"]["benchmark"]["rule_number"] == number
        && found["resource"]["sub_type"] == kind
        && found["resource"]["name"] == name
}

fn is(found: &Value, (number, kind, name, outcome): Verdict) -> bool {
    is_about(found, number, kind, name) && found["result"]["evaluation"] == outcome
}

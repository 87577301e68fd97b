//! The processes of a node that have the name of a component.

use super::process::path_of;
use super::program::Program;
use crate::collect::bounds::{MAX_FILE, MAX_PROCESSES, MAX_WORDS};
use crate::collect::component::Component;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::resource::{Gap, Reason};

/// As much of an argument list as tells which program it starts, in bytes: a path has at most 4 KiB.
const HEAD: usize = 8 * 1024;

/// A process that calls itself a component, or a program that runs several. Anybody can: of its arguments no more is kept
/// until it is known who holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ClaimingProcess {
    pub pid: u32,
    pub component: Component,
}

/// A process with the name of a component, or of a program that runs several, and its arguments.
pub(super) struct ProcessCandidate {
    pub pid: u32,
    pub program: Program,
    pub directory: HostRoot,
    pub words: Vec<String>,
    pub cut: bool,
}

/// The processes with a component's name, and why there may be more.
pub(super) fn claims(host: &HostRoot) -> (Vec<ClaimingProcess>, Option<Gap>) {
    let listing = match host.list("/proc", MAX_PROCESSES) {
        Ok(listing) => listing,
        Err(error) => return (Vec::new(), Some(Gap::new(error.reason, "list /proc".to_owned()))),
    };
    let mut lost = listing.cut.then(|| Gap::new(Reason::TooLarge, "list /proc".to_owned()));
    let mut pids: Vec<u32> =
        listing.entries.iter().filter_map(|entry| entry.name.to_str()?.parse().ok()).collect();
    pids.sort_unstable();
    if pids.is_empty() {
        // `/proc` of the host is not mounted: its mount point is an empty directory.
        return (
            Vec::new(),
            Some(Gap::new(
                Reason::Missing,
                "list /proc: it has no processes; check that the host's /proc is mounted".to_owned(),
            )),
        );
    }
    if pids[0] != 1 {
        // `/proc` is mounted with `hidepid`, which hides processes of other users.
        let what = "list /proc: it does not show process 1, so it hides others (hidepid)".to_owned();
        lost.get_or_insert(Gap::new(Reason::Denied, what));
    }
    let mut claims = Vec::new();
    for pid in pids {
        match host.read_up_to(path_of(pid, "cmdline"), HEAD) {
            Ok((bytes, _)) => {
                let program = Program::of_command(&split(&bytes));
                let component = program.map(|program| program.main_component());
                claims.extend(component.map(|component| ClaimingProcess { pid, component }));
            }
            // A process that ended meanwhile is no loss.
            Err(error) if error.reason == Reason::Missing => {}
            Err(error) => {
                lost.get_or_insert_with(|| {
                    Gap::new(error.reason, format!("read {}", path_of(pid, "cmdline")))
                });
            }
        }
    }
    (claims, lost)
}

impl ProcessCandidate {
    /// Reads the arguments of a process, whose `/proc/<pid>` this is. `None`: it is another program now.
    pub(super) fn read(pid: u32, directory: HostRoot) -> Result<Option<Self>, Gap> {
        let (bytes, mut cut) = directory.read_up_to("cmdline", MAX_FILE)?;
        let mut words = split(&bytes);
        if words.len() > MAX_WORDS {
            words.truncate(MAX_WORDS);
            cut = true;
        }
        let program = Program::of_command(&words);
        Ok(program.map(|program| Self { pid, program, directory, words, cut }))
    }
}

fn split(bytes: &[u8]) -> Vec<String> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

//! The processes of a node that have the name of a component.

use super::process::path_of;
use super::program::Program;
use crate::collect::bounds::{MAX_CANDIDATES, MAX_FILE, MAX_PROCESSES};
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::resource::{Gap, Reason};

/// A process with the name of a component, or of a program that runs several.
pub(super) struct ProcessCandidate {
    pub pid: u32,
    pub program: Program,
    pub directory: HostRoot,
    pub words: Vec<String>,
    pub cut: bool,
}

/// The processes with a component's name, and why there may be more.
pub(super) fn candidates(host: &HostRoot) -> (Vec<ProcessCandidate>, Option<Gap>) {
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
    let mut candidates = Vec::new();
    for pid in pids {
        let opened = host.within(format!("/proc/{pid}")).and_then(|directory| {
            let (bytes, cut) = directory.read_up_to("cmdline", MAX_FILE)?;
            Ok((directory, bytes, cut))
        });
        let (directory, bytes, cut) = match opened {
            Ok(opened) => opened,
            Err(error) => {
                // A process that ended meanwhile is no loss.
                if error.reason != Reason::Missing {
                    lost.get_or_insert_with(|| {
                        Gap::new(error.reason, format!("read {}", path_of(pid, "cmdline")))
                    });
                }
                continue;
            }
        };
        let words = split(&bytes);
        let Some(program) = Program::of_command(&words) else { continue };
        if candidates.len() == MAX_CANDIDATES {
            let what = format!("read more than {MAX_CANDIDATES} processes with the name of a component");
            lost = Some(Gap::new(Reason::TooLarge, what));
            break;
        }
        candidates.push(ProcessCandidate { pid, program, directory, words, cut });
    }
    (candidates, lost)
}

fn split(bytes: &[u8]) -> Vec<String> {
    if bytes.is_empty() {
        return Vec::new();
    }
    let bytes = bytes.strip_suffix(&[0]).unwrap_or(bytes);
    bytes.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

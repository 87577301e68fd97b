//! The node side: files and processes that are refused, broken, too large, or gone while one looks.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::super::Tree;
use super::host::{BITS, LINKED, PIDS, Shape, plant};
use super::verdicts::{Verdicts, idle};
use crate::collect::bounds::MAX_FILE;
use crate::collect::hostfs::refusals::{Refusals, Refused};
use crate::collect::node::observe;
use crate::resource::{Kind, Owner, Resource};

/// What happens to a file, a directory or a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Refused(Refused, Errno),
    /// Another content.
    Text(&'static str),
    Oversize,
    /// Something else under its name.
    Directory,
    Pipe,
    /// A link to what only we see.
    LinkOut,
    Gone,
    /// The process ends when so many of its files have been read.
    Ends(usize),
}

/// Few lines that stand for a billion.
const BOMB: &str = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\n\
    c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\n\
    e: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]\n\
    g: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]\nh: &h [*g, *g, *g, *g, *g, *g, *g, *g, *g]\n";

const FAULTS: [Fault; 18] = [
    Fault::Refused(Refused::Content, Errno::ACCESS),
    Fault::Refused(Refused::All, Errno::ACCESS),
    Fault::Refused(Refused::Content, Errno::IO),
    Fault::Refused(Refused::All, Errno::IO),
    Fault::Text(""),
    Fault::Text("\0\u{1}\u{7f}binary\0"),
    Fault::Text(BOMB),
    Fault::Text("kind: Secret\napiVersion: v1\n"),
    Fault::Oversize,
    Fault::Directory,
    Fault::Pipe,
    Fault::LinkOut,
    Fault::Gone,
    Fault::Ends(1),
    Fault::Ends(2),
    Fault::Ends(3),
    Fault::Ends(4),
    Fault::Ends(6),
];

/// What is read of a process, in this order.
const READ: [&str; 8] = ["cmdline", "stat", "status", "mountinfo", "ns/mnt", "cgroup", "cwd", "environ"];

fn look(tree: &Tree, refusals: Refusals) -> Verdicts {
    let node = Owner { id: "node/u".into(), name: "cp-1".into() };
    let mut resources = Vec::new();
    observe(&tree.host().refusing(refusals), &node, &mut |resource| resources.push(resource));
    Verdicts::of(resources)
}

/// Every path of a tree but its root.
fn paths(tree: &Tree) -> Vec<String> {
    fn below(root: &Path, folder: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            out.push(format!("/{}", path.strip_prefix(root).unwrap().display()));
            if !path.is_symlink() && path.is_dir() {
                below(root, &path, out);
            }
        }
    }
    let mut out = Vec::new();
    below(&tree.path("/"), &tree.path("/"), &mut out);
    out.sort();
    out
}

/// What was done to a node.
#[derive(Default)]
struct Damage {
    refused: Vec<(String, Refused, Errno)>,
    /// Paths at which there is something else now.
    changed: Vec<String>,
}

impl Damage {
    fn refusals(&self) -> Refusals {
        Refusals::new(&self.refused)
    }

    /// Does it, where it makes a node of which the truth is known.
    fn inflict(&mut self, tree: &Tree, shape: Shape, path: &str, fault: Fault) {
        let at = tree.path(path);
        let (is_link, is_directory) = (at.is_symlink(), at.is_dir());
        let own = |path: &str| PIDS.iter().find(|pid| path.starts_with(&format!("/proc/{pid}/"))).copied();
        match fault {
            Fault::Refused(how, errno) => return self.refused.push((path.to_owned(), how, errno)),
            Fault::Ends(after) => {
                let Some(pid) = own(path) else { return };
                let gone = READ[after..].iter().map(|file| (format!("/proc/{pid}/{file}"), Refused::All, Errno::SRCH));
                return self.refused.extend(gone);
            }
            Fault::Oversize if path.ends_with("/cmdline") && own(path).is_some() => {
                let words = format!("{}--v=1\0", fs::read_to_string(&at).unwrap());
                return fs::write(at, words + &"--v=1\0".repeat(MAX_FILE / 5)).unwrap();
            }
            _ => {}
        }
        // The kernel writes these; and whose names are gone has none.
        if path.starts_with("/proc") || path == "/etc/passwd" || path == "/etc/group" || !at.exists() {
            return;
        }
        // A drop-in less is another configuration, and a pod without a manifest is nobody's.
        let is_less = matches!(fault, Fault::Gone | Fault::Directory);
        let in_no_pod = shape.no_groups && path.starts_with(shape.manifests()) && !matches!(fault, Fault::Text(_) | Fault::Oversize);
        if is_link && !matches!(fault, Fault::Gone) || is_directory && !is_link || is_less && path.starts_with("/etc/kubelet.d") || in_no_pod {
            return;
        }
        self.changed.push(path.to_owned());
        match fault {
            Fault::Text(text) => return fs::write(at, text).unwrap(),
            Fault::Oversize => return fs::write(at, "# comment\n".repeat(MAX_FILE / 10 + 1)).unwrap(),
            _ => fs::remove_file(&at).unwrap(),
        }
        match fault {
            Fault::Directory => fs::create_dir(at).unwrap(),
            Fault::Pipe => {
                let pipe = rustix::fs::FileType::Fifo;
                rustix::fs::mknodat(rustix::fs::CWD, at, pipe, rustix::fs::Mode::RWXU, 0).unwrap();
            }
            Fault::LinkOut => std::os::unix::fs::symlink(env!("CARGO_MANIFEST_DIR"), at).unwrap(),
            _ => {}
        }
    }

    /// Whether a resource is one whose own truth is another now.
    fn changes(&self, resource: &Resource) -> bool {
        let is_at = |path: &str, changed: &str| path.strip_prefix(changed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let linked = resource.id.replacen(LINKED.1, LINKED.0, 1);
        resource.kind == Kind::File && self.changed.iter().any(|changed| is_at(&resource.id, changed) || is_at(&linked, changed))
    }
}

#[test]
fn every_rule_about_the_node_has_something_to_judge() {
    let worlds: Vec<Verdicts> = (0..BITS)
        .map(|bit| 1 << bit)
        .chain([0, !0])
        .map(|bits| look(&plant(Shape::of(bits)), Refusals::default()))
        .collect();
    let lost: BTreeSet<&String> = worlds.iter().flat_map(|world| world.lost.keys()).collect();
    assert_eq!(lost, BTreeSet::new());
    let idle: BTreeSet<String> = [Kind::File, Kind::Process].into_iter().flat_map(|kind| idle(kind, &worlds)).collect();
    assert_eq!(idle, BTreeSet::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_refusal_of_the_node_becomes_a_verdict_and_none_vanishes(
        bits in 0..1_u16 << BITS,
        faults in prop::collection::vec((any::<Index>(), select(&FAULTS[..])), 1..5),
    ) {
        let shape = Shape::of(bits);
        let tree = plant(shape);
        let truth = look(&tree, Refusals::default());
        let paths = paths(&tree);
        let mut damage = Damage::default();
        let faults: Vec<(&String, Fault)> = faults.iter().map(|(index, fault)| (index.get(&paths), *fault)).collect();
        faults.iter().for_each(|(path, fault)| damage.inflict(&tree, shape, path, *fault));
        let told = look(&tree, damage.refusals());
        let lies = told.lies(&truth, &|resource| damage.changes(resource));
        prop_assert!(lies.is_empty(), "{faults:?}\n{lies}");
    }
}

//! The node side: files and processes that are refused, broken, too large, or gone while one looks.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::host::{BITS, LINKED, PIDS, Shape, plant};
use super::verdicts::{Verdicts, idle};
use crate::collect::bounds::MAX_FILE;
use crate::collect::node::filesystem::hostfs::refusals::{Refusals, Refused};
use crate::collect::node::observe;
use crate::collect::node::tests::Tree;
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

/// A document, but not the expected one.
const SECRET: &str = "kind: Secret\napiVersion: v1\n";

const FAULTS: [Fault; 18] = [
    Fault::Refused(Refused::Content, Errno::ACCESS),
    Fault::Refused(Refused::All, Errno::ACCESS),
    Fault::Refused(Refused::Content, Errno::IO),
    Fault::Refused(Refused::All, Errno::IO),
    Fault::Text(""),
    Fault::Text("\0\u{1}\u{7f}binary\0"),
    Fault::Text(BOMB),
    Fault::Text(SECRET),
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
pub(super) const READ: [&str; 8] =
    ["cmdline", "stat", "status", "mountinfo", "ns/mnt", "cgroup", "cwd", "environ"];

/// A process that ends when so many of its files have been read.
pub(super) fn ended(pid: u32, after: usize) -> impl Iterator<Item = (String, Refused, Errno)> {
    READ[after..].iter().map(move |file| (format!("/proc/{pid}/{file}"), Refused::All, Errno::SRCH))
}

/// Observes a node and judges it.
pub(super) fn look(tree: &Tree, refusals: Refusals) -> Verdicts {
    let node = Owner { id: "node/u".into(), name: "cp-1".into() };
    let mut resources = Vec::new();
    observe(&tree.host().refusing(refusals), &node, &mut |resource| resources.push(resource));
    Verdicts::of(resources)
}

/// Every path of a tree but its root; those of files twice, for there are more of processes.
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
    let files: Vec<String> = out.iter().filter(|path| !path.starts_with("/proc")).cloned().collect();
    [files, out].concat()
}

/// Whether a node with this is one whose truth is another, and not one of which less is seen.
fn makes_another_node(shape: Shape, path: &str, at: &Path, fault: Fault) -> bool {
    // The kernel writes these; and who has no name in those has none.
    let fixed = path.starts_with("/proc") || ["/etc/passwd", "/etc/group"].contains(&path);
    // A directory with other things in it.
    let less = at.is_dir() && !(at.is_symlink() && fault == Fault::Gone);
    fixed
        || less
        || !at.exists()
        || match fault {
            // A drop-in less.
            Fault::Gone | Fault::Directory if path.starts_with("/etc/kubelet.d") => true,
            // These do not say what they are.
            Fault::Text(SECRET) if ["/srv/own/etcd.yaml", "/srv/own/images.yaml"].contains(&path) => true,
            Fault::Text(text) if text != SECRET => false,
            Fault::Oversize => false,
            // A process that only its manifest made one of ours.
            _ => shape.no_groups && path.starts_with(shape.manifests()),
        }
}

/// Puts something else in a file's place.
fn replace(at: &Path, fault: Fault) {
    if !fs::metadata(at).unwrap().is_file() {
        // An earlier fault put a pipe here: who writes into one waits for a reader.
        fs::remove_file(at).unwrap();
        fs::write(at, "").unwrap();
    }
    match fault {
        Fault::Text(text) => return fs::write(at, text).unwrap(),
        Fault::Oversize => return fs::write(at, "# comment\n".repeat(MAX_FILE / 10 + 1)).unwrap(),
        _ => fs::remove_file(at).unwrap(),
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

/// What was done to a node.
#[derive(Default)]
struct Damage {
    refused: Vec<(String, Refused, Errno)>,
    /// Paths at which there is something else now.
    changed: Vec<String>,
}

impl Damage {
    fn refusals(&self) -> Refusals {
        Refusals::new(self.refused.clone())
    }

    /// Does it, where it does not make another node.
    fn inflict(&mut self, tree: &Tree, shape: Shape, path: &str, fault: Fault) {
        let at = tree.path(path);
        let pid = PIDS.into_iter().find(|pid| path.starts_with(&format!("/proc/{pid}/")));
        match (fault, pid) {
            (Fault::Refused(how, errno), _) => self.refused.push((path.to_owned(), how, errno)),
            (Fault::Ends(after), _) => self.refused.extend(pid.into_iter().flat_map(|pid| ended(pid, after))),
            (Fault::Oversize, Some(_)) if path.ends_with("/cmdline") => {
                let words = format!("{}--v=1\0", fs::read_to_string(&at).unwrap());
                fs::write(at, words + &"--v=1\0".repeat(MAX_FILE / 5)).unwrap();
            }
            _ if makes_another_node(shape, path, &at, fault) => {}
            _ => {
                replace(&at, fault);
                self.changed.push(path.to_owned());
            }
        }
    }

    /// Whether a resource is one whose own truth is another now.
    fn changes(&self, resource: &Resource) -> bool {
        let is_at = |path: &str, changed: &str| {
            path.strip_prefix(changed).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let linked = resource.id.replacen(LINKED.1, LINKED.0, 1);
        resource.kind == Kind::File
            && self.changed.iter().any(|changed| is_at(&resource.id, changed) || is_at(&linked, changed))
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
    let idle: BTreeSet<String> =
        [Kind::File, Kind::Process].into_iter().flat_map(|kind| idle(kind, &worlds)).collect();
    assert_eq!(idle, BTreeSet::new());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_refusal_of_the_node_becomes_a_verdict_and_none_vanishes(
        bits in 0..1_u16 << BITS,
        faults in prop::collection::vec((any::<Index>(), select(&FAULTS[..])), 1..9),
    ) {
        let shape = Shape::of(bits);
        let tree = plant(shape);
        let truth = look(&tree, Refusals::default());
        let paths = paths(&tree);
        let mut damage = Damage::default();
        let faults: Vec<(&String, Fault)> = faults.iter().map(|(index, fault)| (index.get(&paths), *fault)).collect();
        for (path, fault) in &faults {
            damage.inflict(&tree, shape, path, *fault);
        }
        let told = look(&tree, damage.refusals());
        let lies = told.lies(&truth, &|resource| damage.changes(resource));
        prop_assert!(lies.is_empty(), "{faults:?}\n{lies}");
    }
}

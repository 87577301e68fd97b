//! One walk over the processes that have a component's name.
//!
//! In: a candidate after the other. Out: the inventory of the components that run. Whom nobody vouches for is kept to the
//! end: only then it is known whether a trusted process of its kind runs.

use tracing::warn;

use super::candidates::{ClaimingProcess, ProcessCandidate};
use super::embedded::{self, EmbeddedComponent, EmbeddingProcess};
use super::host_table::{HostProcessTable, mount_table, namespace};
use super::inventory::ProcessInventory;
use super::placement::placement;
use super::proc_stat::ProcStat;
use super::process::{self, Process, ProcessDescription, path_of};
use super::program::Program;
use super::provenance::{self, HostRecords, ProcessFacts, Provenance};
use super::unvouched::UnvouchedProcess;
use crate::collect::arguments::KnownArguments;
use crate::collect::bounds::{MAX_CANDIDATES, MAX_REASONS};
use crate::collect::component::Component;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::filesystem::mounts::Mount;
use crate::collect::node::filesystem::process_view::{MountContext, ProcessView, tidy};
use crate::collect::node::named_files;
use crate::collect::node::static_pods::{DEFAULT_DIRECTORY, StaticPods};
use crate::resource::{Gap, Reason};

/// A component that was seen; with a gap, if its process ended before it could be read.
type SeenComponent = (Component, Option<Gap>);

/// The walk, and what it has found.
pub(super) struct ProcessWalk<'a> {
    table: &'a HostProcessTable,
    records: HostRecords<'a>,
    inventory: ProcessInventory,
    found: Vec<SeenComponent>,
    unvouched: Vec<UnvouchedProcess>,
    /// The kubelets' directories of manifests.
    directories: Vec<String>,
    /// How many processes are vouched for.
    vouched: usize,
    /// How many processes a pod or a user made up.
    impostors: usize,
    /// How many that nobody vouches for were left out, because as many of their kind are kept.
    left_out: usize,
}

/// What is known of a candidate before anybody vouches for it.
struct CandidateFacts {
    stat: ProcStat,
    mounts: Result<Vec<Mount>, Reason>,
    cgroup: Result<String, Gap>,
}

impl<'a> ProcessWalk<'a> {
    pub(super) fn new(table: &'a HostProcessTable, records: HostRecords<'a>) -> Self {
        Self {
            table,
            records,
            inventory: ProcessInventory::default(),
            found: Vec::new(),
            unvouched: Vec::new(),
            directories: vec![DEFAULT_DIRECTORY.to_owned()],
            vouched: 0,
            impostors: 0,
            left_out: 0,
        }
    }

    /// Where the kubelets seen so far look for manifests.
    pub(super) fn manifest_directories(&self) -> &[String] {
        &self.directories
    }

    /// Why there may be manifests elsewhere. `lost`: why there may be other processes.
    pub(super) fn why_more_manifests(&self, lost: Option<&Gap>) -> Option<Gap> {
        let elsewhere = self.inventory.unlisted_manifests.first().cloned();
        elsewhere.or_else(|| self.loss(Component::Kubelet, lost))
    }

    /// Whether a trusted process runs a component.
    fn runs(&self, component: Component) -> bool {
        self.found.iter().any(|(found, ended)| *found == component && ended.is_none())
    }

    /// Keeps the components of one process, if it is vouched for. Its arguments are read only where they may matter.
    pub(super) fn visit(&mut self, pods: &StaticPods, claim: ClaimingProcess) {
        let ClaimingProcess { pid, component } = claim;
        let directory = match self.records.host.within(format!("/proc/{pid}")) {
            Ok(directory) => directory,
            Err(gap) => return self.unopened(claim, &gap),
        };
        let Some(seen) = self.read(claim, &directory) else { return };
        let unread_users = || Gap::new(Reason::Denied, format!("read {}", path_of(pid, "status")));
        let users = seen.stat.users.ok_or_else(unread_users);
        let namespace = namespace(pid, &directory, self.table, seen.mounts.as_deref());
        let placement = seen.cgroup.as_deref().map(placement).map_err(Gap::clone);
        let by_holder =
            provenance::by_holder(placement.as_ref(), users.as_ref().copied(), &namespace, &pods.containers);
        if let Some(Provenance::Impostor(reason)) = by_holder {
            return self.impostor(pid, component, &reason);
        }
        let candidate = match ProcessCandidate::read(pid, directory) {
            Ok(Some(candidate)) => candidate,
            // It has started something else meanwhile.
            Ok(None) => return,
            Err(gap) => return self.unopened(claim, &gap),
        };
        let ProcessCandidate { program, directory, words, cut, .. } = &candidate;
        let name = program.name();
        let hidden = match &seen.cgroup {
            Err(gap) => Some(gap.clone()),
            // A cut argument list matches no manifest.
            Ok(_) => cut.then(|| Gap::new(Reason::TooLarge, format!("read {}", path_of(pid, "cmdline")))),
        };
        let facts = ProcessFacts {
            program,
            users,
            namespace,
            placement,
            supervisor: provenance::supervisor(self.records.host, self.table, seen.stat.parent),
            words,
            in_doubt: hidden.or_else(|| pods.in_doubt.clone()),
        };
        let own_mounts = || seen.mounts.clone().unwrap_or_default();
        let (sight, container, version) = match provenance::judge(&facts, &pods.containers, &self.records) {
            Provenance::Host => (MountContext::Host, None, None),
            Provenance::OwnMounts(version) => {
                let sight =
                    MountContext::Own { volumes: &[], table: own_mounts(), host_table: &self.table.mounts };
                (sight, None, version)
            }
            Provenance::StaticPod(_) if name.is_some() => {
                return self.doubt(
                    candidate,
                    seen.stat,
                    "it runs in a static pod, where its options are out of sight",
                );
            }
            Provenance::StaticPod(position) => {
                let container = position.and_then(|position| pods.containers.get(position));
                let volumes = container.map(|container| container.volumes.as_slice()).unwrap_or_default();
                let sight =
                    MountContext::Own { volumes, table: own_mounts(), host_table: &self.table.mounts };
                (sight, container, container.and_then(|container| container.version.clone()))
            }
            Provenance::Impostor(reason) => return self.impostor(pid, component, &reason),
            Provenance::Unvouched(why) => return self.doubt(candidate, seen.stat, &why),
            Provenance::Hidden(why) => {
                return self.hide(pid, program, &seen.stat, why);
            }
        };
        let is_static = matches!(sight, MountContext::Own { .. }) && container.is_none();
        // The version comes from the image, which only the manifest names.
        let undeclared = (is_static && version.is_none() && facts.is_of_pod()).then(|| {
            let missing = || Gap::new(Reason::Missing, "find the manifest of the process".to_owned());
            facts.in_doubt.clone().unwrap_or_else(missing).at("$.version")
        });
        let supervisor = provenance::supervisor_name(&facts, &self.records);
        let view = ProcessView::new(self.records.host, sight, directory.read_link("cwd").ok());
        let shown = program.words_to_show(words);
        self.vouched += 1;
        if self.vouched > MAX_CANDIDATES {
            // One error stands for all of them, also beside others of its kind.
            if self.vouched == MAX_CANDIDATES + 1 {
                let what = format!("read more than {MAX_CANDIDATES} processes with the name of a component");
                self.hide(pid, program, &seen.stat, Gap::new(Reason::TooLarge, what));
            }
            return;
        }
        let mut manifests = None;
        for EmbeddedComponent { component, given } in &self.parts(&candidate, &view, seen.cgroup.as_deref()) {
            self.found.push((*component, None));
            let process = Process {
                pid,
                component: *component,
                program: name,
                words: shown,
                given,
                stat: &seen.stat,
                boot: self.table.boot,
                directory,
                container,
                version: version.as_deref(),
                supervisor,
                view: &view,
            };
            let ProcessDescription { mut resource, named, unnamed, manifests: directory } =
                process::describe(&process);
            resource.unread.extend(undeclared.clone());
            self.inventory.resources.push(resource);
            self.inventory.named.extend(named);
            self.inventory.unnamed.extend(unnamed);
            manifests = manifests
                .or_else(|| directory.map(|directory| directory.and_then(|path| view.host_path(&path))));
        }
        self.note_manifests(manifests);
    }

    /// A process whose entry in `/proc` cannot be read: it may have ended.
    fn unopened(&mut self, claim: ClaimingProcess, gap: &Gap) {
        let what = match gap.reason {
            Reason::Missing => format!("read {}: the process has ended", path_of(claim.pid, "stat")),
            _ => format!("read {}", path_of(claim.pid, "cmdline")),
        };
        self.found.push((claim.component, Some(Gap::new(gap.reason, what))));
    }

    /// Leaves out what a pod or a user made up. Anybody can make many of them.
    fn impostor(&mut self, pid: u32, component: Component, reason: &str) {
        self.impostors += 1;
        if self.impostors <= MAX_REASONS {
            let component = component.as_str();
            warn!(pid, component, reason, "process not judged: it cannot be trusted");
        }
    }

    /// Reads what decides about a process; `None` if it has ended.
    fn read(&mut self, claim: ClaimingProcess, directory: &HostRoot) -> Option<CandidateFacts> {
        let pid = &claim.pid;
        let text =
            |file: &str| directory.read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let (stat, status) = (text("stat"), text("status"));
        let gone = [&stat, &status].into_iter().find_map(|read| read.as_ref().err());
        if let Some(gap) = gone.filter(|gap| gap.reason == Reason::Missing).cloned() {
            self.unopened(claim, &gap);
            return None;
        }
        let stat =
            ProcStat::parse(&stat.unwrap_or_default(), &status.unwrap_or_default()).unwrap_or_default();
        let mounts = mount_table(directory);
        let cgroup = text("cgroup")
            .map_err(|error| Gap::new(error.reason, format!("read {}", path_of(*pid, "cgroup"))));
        Some(CandidateFacts { stat, mounts, cgroup })
    }

    /// The components of a vouched-for process, with their arguments.
    fn parts(
        &self,
        candidate: &ProcessCandidate,
        view: &ProcessView<'_>,
        cgroup: Result<&str, &Gap>,
    ) -> Vec<EmbeddedComponent> {
        let ProcessCandidate { pid, program, words, cut, .. } = candidate;
        match program {
            Program::One(component) => {
                let given: KnownArguments = process::given(*pid, *component, words, *cut, view);
                vec![EmbeddedComponent { component: *component, given }]
            }
            program if *cut => {
                let why = Gap::new(Reason::TooLarge, format!("read {}", path_of(*pid, "cmdline")));
                let components = program.components().into_iter();
                components.map(|component| EmbeddedComponent::unknown(component, why.clone())).collect()
            }
            program => {
                let cgroup = cgroup.unwrap_or_default();
                embedded::parts(program, &EmbeddingProcess { host: self.records.host, words, cgroup })
            }
        }
    }

    /// Keeps a process that cannot be read.
    fn hide(&mut self, pid: u32, program: &Program, stat: &ProcStat, why: Gap) {
        for component in program.components() {
            self.found.push((component, None));
            self.inventory.unnamed.extend(named_files::roles(component).map(|roles| (roles, why.clone())));
            self.inventory.resources.push(process::hidden(pid, component, program.name(), stat, why.clone()));
        }
        if program.main_component() == Component::Kubelet {
            self.note_manifests(Some(Err(why)));
        }
    }

    /// Keeps a process that nobody vouches for.
    fn doubt(&mut self, candidate: ProcessCandidate, stat: ProcStat, why: &str) {
        let ProcessCandidate { pid, program, .. } = candidate;
        if self.unvouched_of(program.main_component()).count() == MAX_REASONS {
            self.left_out += 1;
            return;
        }
        let component = program.name().unwrap_or(program.main_component().as_str());
        warn!(pid, component, reason = why, "process not judged: nobody vouches for it");
        self.unvouched.push(UnvouchedProcess {
            pid,
            program: program.name(),
            components: program.components(),
            stat,
            why: why.to_owned(),
        });
    }

    fn note_manifests(&mut self, directory: Option<Result<String, Gap>>) {
        match directory {
            Some(Ok(path)) => {
                let directory = tidy(&path);
                if !self.directories.contains(&directory) {
                    self.directories.push(directory);
                }
            }
            Some(Err(why)) => self.inventory.unlisted_manifests.push(why),
            None => {}
        }
    }

    fn unvouched_of(&self, component: Component) -> impl Iterator<Item = &UnvouchedProcess> {
        self.unvouched.iter().filter(move |process| process.components.contains(&component))
    }

    /// Why it is unknown whether a component runs. If its process ended, another may have replaced it.
    fn loss(&self, component: Component, lost: Option<&Gap>) -> Option<Gap> {
        let of_it: Vec<_> =
            self.found.iter().filter(|(found, _)| *found == component).map(|(_, ended)| ended).collect();
        if of_it.is_empty() {
            return lost.cloned();
        }
        of_it.into_iter().cloned().collect::<Option<Vec<_>>>()?.into_iter().next()
    }

    /// What was found, and what may have been missed.
    pub(super) fn end(mut self, lost: Option<&Gap>) -> ProcessInventory {
        let more = self.impostors.saturating_sub(MAX_REASONS) + self.left_out;
        if more > 0 {
            warn!(more, "more processes with a component's name not judged");
        }
        for component in Component::ALL {
            let mut is_absent = true;
            if let Some(gap) = self.loss(component, lost) {
                self.inventory.lose(component, &gap);
                self.inventory.unseen.push((component, gap));
                is_absent = false;
            }
            // One that is vouched for decides alone.
            let runs = self.runs(component);
            let doubtful: Vec<_> = self
                .unvouched_of(component)
                .filter(|_| !runs)
                .take(MAX_REASONS)
                .map(|process| (process.gap(), process.resource(component)))
                .collect();
            is_absent &= !runs && doubtful.is_empty();
            for (gap, resource) in doubtful {
                self.inventory.lose(component, &gap);
                self.inventory.resources.push(resource);
            }
            if is_absent {
                self.inventory.absent.insert(component);
            }
        }
        self.inventory
    }
}

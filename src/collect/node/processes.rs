//! The running components of a node.
//!
//! In: `/proc` under the host's root. Out: one resource for each trusted component, and the files that they name;
//! processes that are not trusted are logged. Kubelets come first: they name the directory of static pods, which tell
//! a component in a container from an impostor.

mod authorities;
mod candidates;
mod embedded;
mod host_table;
mod kubelet;
pub(super) mod proc_stat;
mod process;
pub(crate) mod program;
mod provenance;

use tracing::warn;

use super::filesystem::hostfs::HostRoot;
use super::filesystem::process_view::{MountContext, ProcessView, tidy};
use super::named_files::{self, NamedFile};
use super::static_pods::{self, DEFAULT_DIRECTORY, StaticPods};
use crate::collect::component::Component;
use crate::collect::join::Index;
use crate::resource::{Gap, Kind, Owner, Reason, Resource, Selector};
use candidates::{ProcessCandidate, candidates};
use embedded::{EmbeddedComponent, EmbeddingProcess};
use host_table::{HostProcessTable, mount_table, namespace};
use proc_stat::ProcStat;
use process::{Process, ProcessDescription, path_of};
use program::Program;
use provenance::{ProcessFacts, Provenance};

/// What the processes of a node lead to.
#[derive(Debug, Default)]
pub struct ProcessInventory {
    /// Files that running components name, and the manifests that start them.
    pub named: Vec<NamedFile>,
    /// Roles of files that a component may name in a place that could not be read.
    pub unnamed: Vec<(&'static [&'static str], Gap)>,
    /// Why there may be other manifests.
    pub unlisted_manifests: Vec<Gap>,
}

impl ProcessInventory {
    /// Notes that the files which a component names are unknown.
    fn lose(&mut self, component: Component, why: &Gap) {
        self.unnamed.extend(named_files::roles(component).map(|roles| (roles, why.clone())));
        if component == Component::Kubelet {
            self.unlisted_manifests.push(why.clone());
        }
    }
}

/// A component that was seen; with a gap, if its process ended before it could be read.
type SeenComponent = (Component, Option<Gap>);

/// Emits a resource for each component, and one on `node` for each that could not be looked for.
pub fn observe(host: &HostRoot, node: &Owner, emit: &mut dyn FnMut(Resource)) -> ProcessInventory {
    let mut observed = ProcessInventory::default();
    let (candidates, lost) = candidates(host);
    let table = HostProcessTable::read(host);

    let is_kubelet = |candidate: &ProcessCandidate| candidate.program.main_component() == Component::Kubelet;
    let (kubelets, others): (Vec<_>, Vec<_>) = candidates.into_iter().partition(is_kubelet);
    let mut found: Vec<SeenComponent> = Vec::new();
    // There are only a few, and some are joined with others.
    let mut resources = Vec::new();
    let mut keep = |resource: Resource| resources.push(resource);
    let mut directories = vec![DEFAULT_DIRECTORY.to_owned()];
    for kubelet in kubelets {
        let none = StaticPods::default();
        match observe_one(host, &table, &none, kubelet, &mut observed, &mut found, &mut keep) {
            Some(Ok(path)) => {
                let directory = tidy(&path);
                if !directories.contains(&directory) {
                    directories.push(directory);
                }
            }
            Some(Err(why)) => observed.unlisted_manifests.push(why),
            None => {}
        }
    }
    let mut pods = static_pods::read(host, &directories);
    let elsewhere = observed.unlisted_manifests.first().cloned();
    let elsewhere = elsewhere.or_else(|| loss(Component::Kubelet, &found, lost.as_ref()));
    pods.in_doubt = pods.in_doubt.or(elsewhere);
    for candidate in others {
        observe_one(host, &table, &pods, candidate, &mut observed, &mut found, &mut keep);
    }
    observed.named.extend(pods.manifests.into_iter().filter_map(manifest));
    observed.unlisted_manifests.extend(pods.unlisted);

    for component in Component::ALL {
        let Some(gap) = loss(component, &found, lost.as_ref()) else { continue };
        observed.lose(component, &gap);
        keep(Resource::unlisted(&Selector::new(Kind::Process, component.as_str()), node, gap));
    }
    // Nothing about a process expires, so the time does not matter.
    let mut index = Index::new(jiff::Timestamp::UNIX_EPOCH);
    for resource in &resources {
        index.note(resource);
    }
    for mut resource in resources {
        index.relate(&mut resource);
        emit(resource);
    }
    observed
}

/// Why it is unknown whether a component runs. If its process ended, another may have replaced it.
fn loss(component: Component, found: &[SeenComponent], lost: Option<&Gap>) -> Option<Gap> {
    let of_it: Vec<_> =
        found.iter().filter(|(found, _)| *found == component).map(|(_, ended)| ended).collect();
    if of_it.is_empty() {
        return lost.cloned();
    }
    of_it.into_iter().cloned().collect::<Option<Vec<_>>>()?.into_iter().next()
}

/// Emits the components of one process, if it is trusted. Returns a kubelet's directory of manifests, or why that is
/// unknown.
fn observe_one(
    host: &HostRoot,
    table: &HostProcessTable,
    pods: &StaticPods,
    candidate: ProcessCandidate,
    observed: &mut ProcessInventory,
    found: &mut Vec<SeenComponent>,
    emit: &mut dyn FnMut(Resource),
) -> Option<Result<String, Gap>> {
    let ProcessCandidate { pid, program, directory, words, cut } = candidate;
    let (component, program_name) = (program.main_component(), program.name());
    let text = |file: &str| directory.read(file).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let (stat, status) = (text("stat"), text("status"));
    let is_gone = |read: &Result<_, Gap>| read.as_ref().is_err_and(|e| e.reason == Reason::Missing);
    if is_gone(&stat) || is_gone(&status) {
        let what = format!("read {}: the process has ended", path_of(pid, "stat"));
        found.push((component, Some(Gap::new(Reason::Missing, what))));
        return None;
    }
    let stat = ProcStat::parse(&stat.unwrap_or_default(), &status.unwrap_or_default()).unwrap_or_default();
    let own_table = mount_table(&directory);
    let cgroup = text("cgroup");
    let hidden = match &cgroup {
        Err(error) => Some(Gap::new(error.reason, format!("read {}", path_of(pid, "cgroup")))),
        // A cut argument list matches no manifest.
        Ok(_) => cut.then(|| Gap::new(Reason::TooLarge, format!("read {}", path_of(pid, "cmdline")))),
    };
    let facts = ProcessFacts {
        component,
        users: stat.users.ok_or_else(|| Gap::new(Reason::Denied, format!("read {}", path_of(pid, "status")))),
        namespace: namespace(pid, &directory, table, own_table.as_deref()),
        pod: cgroup.as_deref().ok().and_then(provenance::pod_of_cgroup),
        words: &words,
        in_doubt: hidden.or_else(|| pods.in_doubt.clone()),
    };
    let (sight, container) = match provenance::judge(&facts, &pods.containers) {
        Provenance::Host => (MountContext::Host, None),
        Provenance::StaticPod(_) if program_name.is_some() => {
            let reason = "it runs in a pod";
            warn!(pid, component = program_name, reason, "process not judged: it cannot be trusted");
            return None;
        }
        Provenance::StaticPod(position) => {
            let container = position.and_then(|position| pods.containers.get(position));
            let volumes = container.map(|container| container.volumes.as_slice()).unwrap_or_default();
            let own_table = own_table.unwrap_or_default();
            (MountContext::Pod { volumes, table: own_table, host_table: &table.mounts }, container)
        }
        Provenance::Impostor(why) => {
            let name = program_name.unwrap_or(component.as_str());
            warn!(pid, component = name, reason = why, "process not judged: it cannot be trusted");
            return None;
        }
        Provenance::Hidden(why) => {
            for component in program.components() {
                found.push((component, None));
                observed.unnamed.extend(named_files::roles(component).map(|roles| (roles, why.clone())));
                emit(process::hidden(pid, component, program_name, &stat, why.clone()));
            }
            return (component == Component::Kubelet).then_some(Err(why));
        }
    };
    // The version comes from the image, which only the manifest names.
    let undeclared = (matches!(sight, MountContext::Pod { .. }) && container.is_none()).then(|| {
        let why = facts
            .in_doubt
            .unwrap_or_else(|| Gap::new(Reason::Missing, "find the manifest of the process".to_owned()));
        why.at("$.version")
    });
    let view = ProcessView::new(host, sight, directory.read_link("cwd").ok());
    let shown = program.words_to_show(&words);
    let parts = match program {
        Program::One(component) => {
            vec![EmbeddedComponent { component, given: process::given(pid, component, &words, cut) }]
        }
        program if cut => {
            let why = Gap::new(Reason::TooLarge, format!("read {}", path_of(pid, "cmdline")));
            let components = program.components().into_iter();
            components.map(|component| EmbeddedComponent::unknown(component, why.clone())).collect()
        }
        program => {
            let cgroup = cgroup.unwrap_or_default();
            embedded::parts(&program, &EmbeddingProcess { host, words: &words, cgroup: &cgroup })
        }
    };
    let mut directory_of_manifests = None;
    for EmbeddedComponent { component, given } in &parts {
        found.push((*component, None));
        let process = Process {
            pid,
            component: *component,
            program: program_name,
            words: shown,
            given,
            stat: &stat,
            boot: table.boot,
            directory: &directory,
            container,
            view: &view,
        };
        let ProcessDescription { mut resource, named, unnamed, manifests } = process::describe(&process);
        resource.unread.extend(undeclared.clone());
        emit(resource);
        observed.named.extend(named);
        observed.unnamed.extend(unnamed);
        directory_of_manifests = directory_of_manifests
            .or_else(|| manifests.map(|manifests| manifests.and_then(|path| view.host_path(&path))));
    }
    directory_of_manifests
}

/// A manifest that starts a component is judged, whatever its name.
fn manifest((component, path): (Component, String)) -> Option<NamedFile> {
    let roles = component.manifest_role()?;
    Some(NamedFile { roles, component, shown: path.clone(), path: Ok(path) })
}

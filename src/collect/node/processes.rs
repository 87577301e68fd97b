//! The running components of a node.
//!
//! In: `/proc` under the host's root. Out: one resource for each trusted component, and the files that they name. Of a
//! component that only untrusted processes run, each is a resource of which nothing is read, unless a pod or a user made
//! it up: those are logged. Kubelets come first: they name the directory of static pods, which tell a component in a
//! container from an impostor.

mod authorities;
mod candidates;
mod embedded;
mod host_table;
mod inventory;
mod kubelet;
mod placement;
pub(super) mod proc_stat;
mod process;
pub(crate) mod program;
mod provenance;
mod unvouched;
mod walk;

use super::filesystem::hostfs::HostRoot;
use super::filesystem::owners::Owners;
use super::named_files::NamedFile;
use super::static_pods::{self, StaticPods};
use crate::collect::component::Component;
use crate::collect::join::Index;
use crate::resource::{Kind, Owner, Resource, Selector};
use candidates::{ClaimingProcess, claims};
use host_table::HostProcessTable;
pub use inventory::ProcessInventory;
use provenance::HostRecords;
use walk::ProcessWalk;

/// Emits a resource for each component, and one on `node` for each that could not be looked for.
pub fn observe(host: &HostRoot, node: &Owner, emit: &mut dyn FnMut(Resource)) -> ProcessInventory {
    let (claims, lost) = claims(host);
    let (table, owners) = (HostProcessTable::read(host), Owners::read(host));
    let records = HostRecords { host, owners: &owners, is_talos: provenance::is_talos(host) };
    let mut walk = ProcessWalk::new(&table, records);

    let is_kubelet = |claim: &ClaimingProcess| claim.component == Component::Kubelet;
    let (kubelets, others): (Vec<_>, Vec<_>) = claims.into_iter().partition(is_kubelet);
    let none = StaticPods::default();
    for kubelet in kubelets {
        walk.visit(&none, kubelet);
    }
    let mut pods = static_pods::read(host, walk.manifest_directories());
    pods.in_doubt = pods.in_doubt.or_else(|| walk.why_more_manifests(lost.as_ref()));
    for claim in others {
        walk.visit(&pods, claim);
    }
    let mut inventory = walk.end(lost.as_ref());

    let started: Vec<Component> = pods.manifests.iter().map(|(component, _)| *component).collect();
    let all_seen = pods.in_doubt.is_none() && inventory.unlisted_manifests.is_empty();
    inventory.absent.retain(|component| all_seen && !started.contains(component));
    inventory.named.extend(pods.manifests.into_iter().filter_map(manifest));
    inventory.unlisted_manifests.extend(pods.unlisted);
    for (component, gap) in &inventory.unseen {
        let selector = Selector::new(Kind::Process, component.as_str());
        inventory.resources.push(Resource::unlisted(&selector, node, gap.clone()));
    }
    // Nothing about a process expires, so the time does not matter.
    let mut index = Index::new(jiff::Timestamp::UNIX_EPOCH);
    for resource in &inventory.resources {
        index.note(resource);
    }
    for mut resource in std::mem::take(&mut inventory.resources) {
        index.relate(&mut resource);
        emit(resource);
    }
    inventory
}

/// A manifest that starts a component is judged, whatever its name.
fn manifest((component, path): (Component, String)) -> Option<NamedFile> {
    let roles = component.manifest_role()?;
    Some(NamedFile { roles, component, shown: path.clone(), path: Ok(path) })
}

//! Whether a process with a component's name can be trusted to be that component.
//!
//! In: its user, mount namespace, pod and arguments. Out: its provenance. Any pod can call its process
//! `kube-apiserver` and pass it a flag that names a file of the host; such a process must neither be judged nor make
//! us read anything.

use std::sync::LazyLock;

use regex::Regex;

use crate::collect::component::Component;
use crate::collect::node::static_pods::StaticContainer;
use crate::resource::Gap;

/// The facts that decide about a process.
#[derive(Debug)]
pub(super) struct ProcessFacts<'a> {
    /// The component that its name claims.
    pub component: Component,
    /// Real and effective user.
    pub users: Result<(u32, u32), Gap>,
    /// Its mount namespace.
    pub namespace: MountNamespace,
    /// The UID of the pod that its control group names.
    pub pod: Option<String>,
    /// Its argument list.
    pub words: &'a [String],
    /// Why it may still belong to a static pod: its control groups, or a manifest, cannot be read.
    pub in_doubt: Option<Gap>,
}

/// A process's mount namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MountNamespace {
    /// That of the host's first process.
    Host,
    /// Another.
    Other,
    /// It cannot be read.
    Hidden(Gap),
}

/// Where a process comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provenance {
    /// Started by root in the host's mount namespace.
    Host,
    /// Part of a static pod; the index of its container, if a manifest shows it.
    StaticPod(Option<usize>),
    /// Not trusted; the reason.
    Impostor(String),
    /// Unknown.
    Hidden(Gap),
}

/// Decides about a process, given the containers of the node's static pods.
pub(super) fn judge(facts: &ProcessFacts<'_>, containers: &[StaticContainer]) -> Provenance {
    let started_by = containers.iter().position(|container| container.starts(facts.words));
    match &facts.users {
        Err(unreadable) => return Provenance::Hidden(unreadable.clone()),
        Ok((0, 0)) => {}
        // A hardened manifest runs its container as a dedicated user; root wrote both the user and the arguments.
        Ok((real, effective))
            if real == effective
                && facts.namespace != MountNamespace::Host
                && started_by.is_some_and(|at| containers[at].user == Some(*real)) => {}
        Ok((real, effective)) => {
            let user = if *real == 0 { effective } else { real };
            return Provenance::Impostor(format!("it runs as user {user}, not as root"));
        }
    }
    if facts.namespace == MountNamespace::Host {
        return Provenance::Host;
    }
    match (&facts.pod, &facts.namespace) {
        (Some(uid), _) if is_static(uid, containers) => Provenance::StaticPod(started_by.or_else(|| {
            containers.iter().position(|container| container.component == Some(facts.component))
        })),
        (Some(uid), _) => Provenance::Impostor(format!("it runs in pod {uid}, which is not a static pod")),
        // Some control groups do not name pods. A process with exactly a manifest's arguments can only make us read
        // that manifest's files, or its own.
        (None, _) if started_by.is_some() => Provenance::StaticPod(started_by),
        (None, MountNamespace::Hidden(unreadable)) => Provenance::Hidden(unreadable.clone()),
        (None, _) => match &facts.in_doubt {
            Some(unreadable) => Provenance::Hidden(unreadable.clone()),
            None => {
                Provenance::Impostor("it runs in another mount namespace, but not in a static pod".to_owned())
            }
        },
    }
}

/// The API server gives each pod a UUID; the kubelet gives a static pod a hash, unless the manifest sets a UID.
fn is_static(uid: &str, containers: &[StaticContainer]) -> bool {
    let is_hash = uid.len() == 32 && uid.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash || containers.iter().any(|container| container.uid.as_deref() == Some(uid))
}

/// The pod's UID in the text of `/proc/<pid>/cgroup`. The first one in a path counts: groups that a container creates
/// are further down.
pub(super) fn pod_of_cgroup(text: &str) -> Option<String> {
    static POD: LazyLock<Regex> = LazyLock::new(|| {
        let uid = "[0-9a-f]{32}|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}";
        Regex::new(&format!(r"/(?:kubepods[a-z-]*-)?pod({uid})(?:\.slice)?(?:/|$)")).expect("a valid pattern")
    });
    text.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        Some(POD.captures(path)?[1].replace('_', "-"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Gap, Reason};

    const HASH: &str = "f8a8d3b24ce0d2945cf528b1e30c375c";
    const UUID: &str = "6be53e68-0d64-4010-a6db-79d67ae4390b";

    fn facts(words: &[String]) -> ProcessFacts<'_> {
        ProcessFacts {
            component: Component::Etcd,
            users: Ok((0, 0)),
            namespace: MountNamespace::Other,
            pod: None,
            words,
            in_doubt: None,
        }
    }

    fn hidden() -> Gap {
        Gap::new(Reason::Denied, "read /proc/7/ns/mnt".to_owned())
    }

    #[test]
    fn root_in_the_host_s_namespace_is_vouched_for() {
        let words = ["etcd".to_owned()];
        let host = ProcessFacts { namespace: MountNamespace::Host, ..facts(&words) };
        assert_eq!(judge(&host, &[]), Provenance::Host);
        for users in [(1000, 1000), (0, 1000), (1000, 0)] {
            let other = ProcessFacts { users: Ok(users), namespace: MountNamespace::Host, ..facts(&words) };
            assert_eq!(judge(&other, &[]), Provenance::Impostor("it runs as user 1000, not as root".into()));
        }
    }

    #[test]
    fn a_pod_of_the_api_is_an_impostor_whatever_its_arguments() {
        let words = ["etcd".to_owned()];
        let etcd = StaticContainer { component: Some(Component::Etcd), ..StaticContainer::default() };
        let pod = ProcessFacts { pod: Some(UUID.into()), ..facts(&words) };
        assert!(matches!(judge(&pod, &[etcd]), Provenance::Impostor(_)));
        let with_uid = StaticContainer {
            uid: Some(UUID.into()),
            component: Some(Component::Etcd),
            ..StaticContainer::default()
        };
        assert_eq!(judge(&pod, &[with_uid]), Provenance::StaticPod(Some(0)));
    }

    #[test]
    fn a_static_pod_is_known_by_its_hash() {
        let words = ["etcd".to_owned()];
        let pod = ProcessFacts { pod: Some(HASH.into()), ..facts(&words) };
        assert_eq!(judge(&pod, &[]), Provenance::StaticPod(None));
    }

    #[test]
    fn a_user_that_a_manifest_names_is_vouched_for_with_that_manifest_s_arguments_only() {
        let words = ["etcd".to_owned(), "--name=a".to_owned()];
        let containers =
            [StaticContainer { user: Some(52034), command: words.to_vec(), ..StaticContainer::default() }];
        let pod =
            |words, user| ProcessFacts { users: Ok((user, user)), pod: Some(HASH.into()), ..facts(words) };
        assert_eq!(judge(&pod(&words, 52034), &containers), Provenance::StaticPod(Some(0)));
        assert!(matches!(judge(&pod(&words, 1000), &containers), Provenance::Impostor(_)));
        let other = ["etcd".to_owned(), "--config-file=/etc/shadow".to_owned()];
        assert!(matches!(judge(&pod(&other, 52034), &containers), Provenance::Impostor(_)));
        // A pod of the API may run as that user too, and copy the arguments.
        let api = ProcessFacts { pod: Some(UUID.into()), ..pod(&words, 52034) };
        assert!(matches!(judge(&api, &containers), Provenance::Impostor(_)));
        let on_host = ProcessFacts { namespace: MountNamespace::Host, pod: None, ..pod(&words, 52034) };
        assert!(matches!(judge(&on_host, &containers), Provenance::Impostor(_)));
    }

    #[test]
    fn out_of_sight_is_not_trusted() {
        let words = ["etcd".to_owned()];
        let unseen = ProcessFacts { namespace: MountNamespace::Hidden(hidden()), ..facts(&words) };
        assert_eq!(judge(&unseen, &[]), Provenance::Hidden(hidden()));
        let unknown = ProcessFacts { users: Err(hidden()), namespace: MountNamespace::Host, ..facts(&words) };
        assert_eq!(judge(&unknown, &[]), Provenance::Hidden(hidden()));
        assert!(matches!(judge(&facts(&words), &[]), Provenance::Impostor(_)));
        let in_doubt = ProcessFacts { in_doubt: Some(hidden()), ..facts(&words) };
        assert_eq!(judge(&in_doubt, &[]), Provenance::Hidden(hidden()));
    }

    #[test]
    fn pods_are_found_in_every_form_of_control_group() {
        let uuid_with_underscores = UUID.replace('-', "_");
        for (text, uid) in [
            (format!("9:name=systemd:/\n8:pids:/kubepods/burstable/pod{HASH}/0b9a"), HASH),
            (
                format!(
                    "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{HASH}.slice/cri-x.scope"
                ),
                HASH,
            ),
            (format!("0::/kubepods.slice/kubepods-pod{uuid_with_underscores}.slice/cri-x.scope"), UUID),
            (format!("0::/../../pod{UUID}/0b9a/pod{HASH}/x"), UUID),
        ] {
            assert_eq!(pod_of_cgroup(&text).as_deref(), Some(uid), "{text}");
        }
        assert_eq!(pod_of_cgroup("0::/system.slice/kubelet.service\n"), None);
        assert_eq!(pod_of_cgroup(&format!("0::/user.slice/mypod{HASH}")), None);
    }
}

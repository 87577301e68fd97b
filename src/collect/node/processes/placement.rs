//! Who holds a process, by its control group.
//!
//! In: the text of `/proc/<pid>/cgroup`. Out: a pod, a user's session, a unit of systemd or a container. Only root moves a
//! process out of the group that it was born in, so what pods and users hold they cannot leave; but what a path does
//! claim further down is their own word.

use std::sync::LazyLock;

use regex::Regex;

/// How systemd names a slice.
const SLICE: &str = ".slice";

/// Who holds a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Placement {
    /// The pod of this UID.
    Pod(String),
    /// A pod whose UID cannot be told.
    SomePod,
    /// The slice of this user.
    UserSlice(String),
    /// The unit of systemd.
    Unit(String),
    /// The container of Docker with this id.
    Docker(String),
    /// The service of Talos' machined.
    Machined(String),
    /// None of them.
    Elsewhere,
}

/// Who holds a process, by all lines of the text: with the first version of control groups there are several.
pub(super) fn placement(text: &str) -> Placement {
    let places = text.lines().filter_map(|line| line.splitn(3, ':').nth(2)).map(of_path);
    places.min_by_key(rank).unwrap_or(Placement::Elsewhere)
}

/// What pods and users hold decides, whatever other lines say.
fn rank(place: &Placement) -> u8 {
    match place {
        Placement::UserSlice(_) => 0,
        Placement::Pod(_) => 1,
        Placement::SomePod => 2,
        Placement::Unit(_) | Placement::Docker(_) | Placement::Machined(_) => 3,
        Placement::Elsewhere => 4,
    }
}

fn of_path(path: &str) -> Placement {
    static POD: LazyLock<Regex> = LazyLock::new(|| {
        let uid = "[0-9a-f]{32}|[0-9a-f]{8}(?:[-_][0-9a-f]{4}){3}[-_][0-9a-f]{12}";
        Regex::new(&format!(r"/(?:kubepods[a-z-]*-)?pod({uid})(?:\.slice)?(?:[/:]|$)"))
            .expect("a valid pattern")
    });
    // Seen from within a namespace of control groups, what lies outside of it begins with `..`.
    let parts: Vec<&str> =
        path.split('/').filter(|part| !part.is_empty()).skip_while(|part| *part == "..").collect();
    let first = parts.first().copied().unwrap_or_default();
    let second = parts.get(1).copied().unwrap_or_default();
    if first == "user.slice"
        || first == "user"
        || (first.starts_with("user-") && first.strip_suffix(SLICE).is_some())
    {
        let slice = if second.starts_with("user-") { second } else { first };
        return Placement::UserSlice(slice.to_owned());
    }
    // The first pod in a path counts: groups that a container creates are further down.
    if let Some(uid) = POD.captures(path) {
        return Placement::Pod(uid[1].replace('_', "-"));
    }
    if parts.iter().any(|part| part.starts_with("kubepods")) {
        return Placement::SomePod;
    }
    // Units lie in slices only; what lies below a unit is its own.
    let holder = parts.iter().find(|part| part.strip_suffix(SLICE).is_none()).copied().unwrap_or_default();
    if holder.len() > ".service".len() && holder.ends_with(".service") {
        return Placement::Unit(holder.to_owned());
    }
    let scope = holder.strip_prefix("docker-").and_then(|id| id.strip_suffix(".scope"));
    let id = if first == "docker" { Some(second) } else { scope.filter(|_| first != holder) };
    if let Some(id) = id.filter(|id| id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        return Placement::Docker(id.to_owned());
    }
    match first {
        "podruntime" if !second.is_empty() => Placement::Machined(second.to_owned()),
        _ => Placement::Elsewhere,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HASH: &str = "f8a8d3b24ce0d2945cf528b1e30c375c";
    const UUID: &str = "6be53e68-0d64-4010-a6db-79d67ae4390b";

    #[test]
    fn pods_are_found_in_every_form_of_control_group() {
        let scores = UUID.replace('-', "_");
        for (text, uid) in [
            (format!("9:name=systemd:/\n8:pids:/kubepods/burstable/pod{HASH}/0b9a"), HASH),
            (
                format!(
                    "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod{HASH}.slice/cri-x.scope"
                ),
                HASH,
            ),
            (format!("0::/kubepods.slice/kubepods-pod{scores}.slice/cri-x.scope"), UUID),
            (format!("0::/../../pod{UUID}/0b9a/pod{HASH}/x"), UUID),
            // A container that calls its groups as a unit's are called.
            (format!("0::/kubepods/pod{UUID}/0b9a/system.slice/kubelet.service"), UUID),
            // The two sides of a node do not agree on the driver of control groups.
            (
                format!(
                    "0::/system.slice/containerd.service/kubepods-burstable-pod{scores}.slice:cri-containerd:1"
                ),
                UUID,
            ),
        ] {
            assert_eq!(placement(&text), Placement::Pod(uid.to_owned()), "{text}");
        }
        assert_eq!(placement("0::/kubepods/burstable/podx/y/system.slice/a.service"), Placement::SomePod);
        assert_eq!(placement("0::/system.slice/a.service/kubepods-besteffort.slice"), Placement::SomePod);
    }

    #[test]
    fn what_a_user_holds_is_a_user_s_whatever_it_is_called() {
        for (path, slice) in [
            ("/user.slice/user-1000.slice/user@1000.service/app.slice/kubelet.service", "user-1000.slice"),
            ("/user.slice/user-1000.slice/session-3.scope", "user-1000.slice"),
            ("/../../../../user.slice/user-0.slice/session-1.scope", "user-0.slice"),
            ("/user/1000.user/c2.session", "user"),
        ] {
            assert_eq!(placement(&format!("0::{path}\n")), Placement::UserSlice(slice.to_owned()), "{path}");
        }
        let below = format!("0::/user.slice/user-1000.slice/user@1000.service/kubepods/pod{HASH}/x");
        assert!(matches!(placement(&below), Placement::UserSlice(_)), "Kubernetes of a user");
    }

    #[test]
    fn units_lie_in_slices() {
        for path in [
            "/system.slice/kubelet.service",
            "/runtime.slice/kubelet.service",
            "/../../../system.slice/kubelet.service/child",
            "/system.slice/system-kubelet.slice/kubelet.service",
        ] {
            assert_eq!(
                placement(&format!("0::{path}\n")),
                Placement::Unit("kubelet.service".into()),
                "{path}"
            );
        }
        let first = Placement::Unit("app.service".into());
        assert_eq!(placement("0::/system.slice/app.service/system.slice/kubelet.service"), first);
        for path in [
            "/lxc.payload.a/system.slice/kubelet.service",
            "/machine.slice/m.scope/kubelet.service",
            "/",
            "/.service",
        ] {
            assert_eq!(placement(&format!("0::{path}\n")), Placement::Elsewhere, "{path}");
        }
        let old = "11:cpu:/system.slice/etcd.service\n1:name=systemd:/system.slice/etcd.service\n0::/";
        assert_eq!(placement(old), Placement::Unit("etcd.service".into()));
    }

    #[test]
    fn containers_of_docker_and_services_of_talos_have_a_place_of_their_own() {
        let id = "a".repeat(64);
        for path in [format!("/docker/{id}"), format!("/system.slice/docker-{id}.scope/x")] {
            assert_eq!(placement(&format!("0::{path}\n")), Placement::Docker(id.clone()), "{path}");
        }
        for path in [
            format!("/docker-{id}.scope"),
            "/docker/abc".into(),
            format!("/system.slice/app.service/docker-{id}.scope"),
        ] {
            assert!(!matches!(placement(&format!("0::{path}\n")), Placement::Docker(_)), "{path}");
        }
        assert_eq!(placement("0::/podruntime/kubelet\n"), Placement::Machined("kubelet".into()));
        assert_eq!(
            placement("0::/podruntime.slice/kubelet.service\n"),
            Placement::Unit("kubelet.service".into())
        );
    }
}

//! Mount tables: whether two processes share a mount namespace, and the host path of a process's path.
//!
//! In: the text of `/proc/<pid>/mountinfo`. Out: host paths. Unlike `/proc/<pid>/root` and `ns/mnt`, a mount table
//! can be read without the right to trace the process.

/// One line of a mount table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mount {
    /// Unique among all current mounts of the machine.
    pub id: u64,
    /// `major:minor`.
    pub device: String,
    /// The mounted directory of the device's file system.
    pub root: String,
    /// The mount point, as the process sees it.
    pub point: String,
}

/// Parses a mount table. A malformed line is skipped, so paths below that mount cannot be mapped.
pub(crate) fn parse(text: &str) -> Vec<Mount> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split(' ');
            let id = fields.next()?.parse().ok()?;
            let _parent = fields.next()?;
            let device = fields.next()?.to_owned();
            let root = unescape(fields.next()?);
            let point = unescape(fields.next()?);
            Some(Mount { id, device, root, point })
        })
        .collect()
}

/// Whether two tables are of one mount namespace: a mount belongs to exactly one.
pub(crate) fn same_namespace(one: &[Mount], other: &[Mount]) -> bool {
    one.iter().any(|mount| other.iter().any(|candidate| candidate.id == mount.id))
}

/// The path of a process's `path` for the host's first process, whose table is `host`. `None` if no mount of the host
/// shows it.
pub(crate) fn host_path(path: &str, process: &[Mount], host: &[Mount]) -> Option<String> {
    let path = normal(path)?;
    let mount = covering(&path, process)?;
    let on_device = join(&mount.root, below(&path, &mount.point)?);
    host.iter().filter(|candidate| candidate.device == mount.device).find_map(|candidate| {
        let seen = join(&candidate.point, below(&on_device, &candidate.root)?);
        // Another mount on top would hide it and show another file under the same path.
        (covering(&seen, host)?.id == candidate.id).then_some(seen)
    })
}

/// The host path of a container's `path`, by its volumes: (path in the container, path on the host, or `None` if the
/// volume is not a directory of the host).
pub(crate) fn through_volumes(path: &str, volumes: &[(String, Option<String>)]) -> Option<String> {
    let path = normal(path)?;
    let (inside, outside) = volumes
        .iter()
        .filter(|(inside, _)| below(&path, inside).is_some())
        .max_by_key(|(inside, _)| inside.trim_end_matches('/').len())?;
    Some(join(outside.as_ref()?, below(&path, inside)?))
}

/// The mount that shows `path`: the deepest, and of several on one mount point the last.
fn covering<'a>(path: &str, mounts: &'a [Mount]) -> Option<&'a Mount> {
    mounts.iter().filter(|mount| below(path, &mount.point).is_some()).max_by_key(|mount| mount.point.len())
}

/// The rest of `path` below `directory`: empty, or with a leading slash.
fn below<'a>(path: &'a str, directory: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(directory.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then_some(if rest == "/" { "" } else { rest })
}

fn join(directory: &str, rest: &str) -> String {
    let joined = format!("{}{rest}", directory.trim_end_matches('/'));
    if joined.is_empty() { "/".to_owned() } else { joined }
}

/// The absolute path without `.`, `..` and doubled slashes.
fn normal(path: &str) -> Option<String> {
    if !path.starts_with('/') {
        return None;
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Some(format!("/{}", parts.join("/")))
}

/// The kernel escapes space, tab, newline and backslash as three octal digits.
fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let code = after.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok());
        if let Some(code) = code.filter(u8::is_ascii) {
            out.push(char::from(code));
            rest = &after[3..];
        } else {
            out.push('\\');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOST: &str = "\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
22 27 0:21 / /proc rw,relatime - proc proc rw
92 27 254:0 /var/lib/kubelet /var/lib/kubelet rw shared:3 - ext4 /dev/vda rw
95 27 259:1 / /var/lib/etcd rw,relatime - ext4 /dev/vdb rw
96 27 0:40 / /run/containerd/rootfs rw - overlay overlay rw,lowerdir=/a
97 27 0:50 / /srv/my\\040data rw - tmpfs tmpfs rw
";
    const POD: &str = "\
304 187 0:40 / / rw,relatime - overlay overlay rw,lowerdir=/a
305 304 0:100 / /proc rw - proc proc rw
383 304 259:1 /member /var/lib/etcd/member rw - ext4 /dev/vdb rw
384 304 254:0 /etc/kubernetes/pki/etcd /etc/kubernetes/pki/etcd rw - ext4 /dev/vda rw
385 304 254:0 /var/lib/etcd/hidden /hidden rw - ext4 /dev/vda rw
386 304 0:77 / /secret rw - tmpfs tmpfs rw
387 304 0:50 /x /data rw - tmpfs tmpfs rw
";

    fn mapped(path: &str) -> Option<String> {
        host_path(path, &parse(POD), &parse(HOST))
    }

    #[test]
    fn a_bind_mount_leads_to_the_host_s_path() {
        assert_eq!(
            mapped("/etc/kubernetes/pki/etcd/ca.crt").as_deref(),
            Some("/etc/kubernetes/pki/etcd/ca.crt")
        );
        assert_eq!(mapped("/var/lib/etcd/member/wal").as_deref(), Some("/var/lib/etcd/member/wal"));
        assert_eq!(mapped("/data/y").as_deref(), Some("/srv/my data/x/y"));
    }

    #[test]
    fn the_container_s_own_files_lie_where_the_runtime_put_them() {
        assert_eq!(
            mapped("/etc/kubernetes/../kubernetes/admin.conf").as_deref(),
            Some("/run/containerd/rootfs/etc/kubernetes/admin.conf")
        );
    }

    #[test]
    fn what_the_host_does_not_show_has_no_path() {
        assert_eq!(mapped("/secret/token"), None, "a file system that only the pod has");
        assert_eq!(mapped("/hidden/file"), None, "under another mount on the host");
        assert_eq!(mapped("relative"), None);
    }

    #[test]
    fn one_shared_mount_is_one_namespace() {
        assert!(same_namespace(&parse(HOST), &parse(HOST)));
        assert!(!same_namespace(&parse(POD), &parse(HOST)));
        assert!(!same_namespace(&[], &parse(HOST)));
    }

    #[test]
    fn volumes_are_matched_by_whole_names_and_the_deepest_wins() {
        let volumes = [
            ("/etc/kubernetes".to_owned(), Some("/opt/kube".to_owned())),
            ("/etc/kubernetes/tmp".to_owned(), None),
        ];
        assert_eq!(through_volumes("/etc/kubernetes/pki/a", &volumes).as_deref(), Some("/opt/kube/pki/a"));
        assert_eq!(through_volumes("/etc/kubernetes", &volumes).as_deref(), Some("/opt/kube"));
        assert_eq!(through_volumes("/etc/kubernetes/tmp/a", &volumes), None);
        assert_eq!(through_volumes("/etc/kubernetes2/a", &volumes), None);
        assert_eq!(through_volumes("/etc/kubernetes/../shadow", &volumes), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(\\PC|[ \\\\/0-9:\n-]){0,200}", path in "[/.a-z\\\\]{0,30}") {
            let mounts = parse(&text);
            host_path(&path, &mounts, &mounts);
            host_path(&path, &mounts, &parse(HOST));
        }
    }
}

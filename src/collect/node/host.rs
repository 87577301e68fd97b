//! The host's ECS fields (`host.*`), as a Beat's `add_host_metadata` adds them.

use serde_json::{Map, Value, json};
use std::path::Path;

use super::filesystem::hostfs::HostRoot;

/// Facts about the host.
#[derive(Debug, Clone, Default)]
pub struct HostFacts {
    /// Its hostname.
    pub hostname: String,
    /// `/etc/machine-id`; empty if there is none.
    pub machine_id: String,
    /// `host.*`.
    pub ecs: Map<String, Value>,
}

/// Reads the facts below `root` and omits those that cannot be read. The kernel's hostname is the fallback.
pub fn facts(root: &Path) -> HostFacts {
    let host = HostRoot::open(root).ok();
    let text = |path: &str| String::from_utf8(host.as_ref()?.read(path).ok()?).ok();
    let read = |path: &str| text(path).unwrap_or_default();
    let kernel = rustix::system::uname();
    let own_name = kernel.nodename().to_string_lossy().into_owned();
    let hostname = match read("etc/hostname").trim() {
        "" => own_name,
        name => name.to_owned(),
    };
    let machine_id = match read("etc/machine-id").trim() {
        "" => read("var/lib/dbus/machine-id").trim().to_owned(),
        id => id.to_owned(),
    };
    let release = text("etc/os-release").unwrap_or_else(|| read("usr/lib/os-release"));
    let os = |key: &str| release_value(&release, key);
    let mut ecs = Map::new();
    ecs.insert("name".into(), json!(hostname));
    ecs.insert("hostname".into(), json!(hostname));
    if !machine_id.is_empty() {
        ecs.insert("id".into(), json!(machine_id));
    }
    ecs.insert("architecture".into(), json!(kernel.machine().to_string_lossy()));
    ecs.insert("containerized".into(), json!(std::env::var_os("KUBERNETES_SERVICE_HOST").is_some()));
    let mut system = Map::from_iter([
        ("type".to_owned(), json!("linux")),
        ("kernel".to_owned(), json!(kernel.release().to_string_lossy())),
    ]);
    for (field, key) in [
        ("platform", "ID"),
        ("family", "ID_LIKE"),
        ("name", "NAME"),
        ("version", "VERSION"),
        ("codename", "VERSION_CODENAME"),
    ] {
        if let Some(value) = os(key) {
            system.insert(field.to_owned(), json!(value));
        }
    }
    ecs.insert("os".into(), Value::Object(system));
    HostFacts { hostname, machine_id, ecs }
}

fn release_value(text: &str, key: &str) -> Option<String> {
    let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(line.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_root_is_what_counts() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("etc")).unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(root.path().join("etc").join(name), text).unwrap();
        write("hostname", "cp-1\n");
        write("machine-id", "abc\n");
        write("os-release", "NAME=\"Debian GNU/Linux\"\nID=debian\nVERSION_CODENAME=bookworm\n");
        let facts = facts(root.path());
        assert_eq!((facts.hostname.as_str(), facts.machine_id.as_str()), ("cp-1", "abc"));
        assert_eq!(facts.ecs["os"]["name"], "Debian GNU/Linux");
        assert_eq!(facts.ecs["os"]["codename"], "bookworm");
    }

    /// What the kernel says, of whatever root.
    fn own_name() -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    #[test]
    fn a_link_ends_inside_the_root() {
        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(outside.path(), "canary\n").unwrap();
        std::fs::create_dir_all(root.path().join("etc")).unwrap();
        std::fs::create_dir_all(root.path().join("var")).unwrap();
        std::fs::write(root.path().join("var/id"), "abc\n").unwrap();
        let link = |target: &Path, name: &str| {
            std::os::unix::fs::symlink(target, root.path().join("etc").join(name)).unwrap();
        };
        link(outside.path(), "hostname");
        link(Path::new("/var/id"), "machine-id");
        let facts = facts(root.path());
        assert_eq!((facts.hostname, facts.machine_id), (own_name(), "abc".to_owned()));
    }

    #[test]
    fn pipes_and_endless_files_are_left_out() {
        let root = tempfile::tempdir().unwrap();
        let etc = root.path().join("etc");
        std::fs::create_dir_all(&etc).unwrap();
        let pipe = rustix::fs::FileType::Fifo;
        rustix::fs::mknodat(rustix::fs::CWD, etc.join("hostname"), pipe, rustix::fs::Mode::RWXU, 0).unwrap();
        std::fs::write(etc.join("machine-id"), "a".repeat(crate::collect::bounds::MAX_FILE + 1)).unwrap();
        let facts = facts(root.path());
        assert_eq!((facts.hostname, facts.machine_id), (own_name(), String::new()));
    }

    #[test]
    fn the_release_stands_in_two_places() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("usr/lib")).unwrap();
        std::fs::write(root.path().join("usr/lib/os-release"), "ID=flatcar\n").unwrap();
        assert_eq!(facts(root.path()).ecs["os"]["platform"], "flatcar");
    }

    #[test]
    fn without_a_root_the_kernel_s_word_stands() {
        let facts = facts(Path::new("/nowhere"));
        assert_eq!(facts.hostname, own_name());
        assert!(facts.ecs["os"]["kernel"].is_string());
    }
}

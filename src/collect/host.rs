//! The host that is looked at, as `host.*` says it: what a Beat's `add_host_metadata` adds.

use serde_json::{Map, Value, json};
use std::path::Path;

/// What is known of the host.
#[derive(Debug, Clone, Default)]
pub struct HostFacts {
    /// Its own name.
    pub hostname: String,
    /// `/etc/machine-id`; empty where there is none.
    pub machine_id: String,
    /// `host.*`.
    pub ecs: Map<String, Value>,
}

/// Reads them below `root`; what is not there is left out.
pub fn facts(root: &Path) -> HostFacts {
    let read = |path: &str| std::fs::read_to_string(root.join(path)).unwrap_or_default();
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
    let release = read("etc/os-release");
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
}

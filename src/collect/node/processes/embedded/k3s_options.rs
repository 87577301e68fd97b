//! k3s' own options: its flags, on top of its configuration file and that file's drop-ins.
//!
//! In: the flags, or the systemd unit that has them if k3s hides its arguments. Out: option → every value that it was
//! given, first from files, then from flags. Of a scalar the last value is effective.

use std::collections::BTreeMap;

use rustix::fs::FileType;
use serde_json::Value;

use super::EmbeddingProcess;
use crate::collect::bounds::MAX_ENTRIES;
use crate::collect::component::base_name;
use crate::collect::config_files;
use crate::collect::node::filesystem::hostfs::HostRoot;
use crate::collect::node::filesystem::unit;
use crate::redact;
use crate::resource::{Gap, Reason};

/// The default data directory of k3s.
const DATA_DIR: &str = "/var/lib/rancher/k3s";
/// The default configuration file of k3s.
const CONFIG_FILE: &str = "/etc/rancher/k3s/config.yaml";

/// Variables that set options which matter here.
const VARIABLES: [(&str, &str); 3] = [
    ("K3S_CONFIG_FILE", "config"),
    ("K3S_DATA_DIR", "data-dir"),
    ("K3S_DATASTORE_ENDPOINT", "datastore-endpoint"),
];

/// The options of k3s.
#[derive(Debug, Default)]
pub(super) struct K3sOptions(BTreeMap<String, Vec<String>>);

impl K3sOptions {
    /// Reads the options. `flags` are those on the command line, if it is visible.
    pub(super) fn read(holder: &EmbeddingProcess<'_>, flags: Option<&[String]>) -> Result<Self, Gap> {
        let unit = match (flags, unit::of_cgroup(holder.cgroup)) {
            (_, Some(name)) => Some(unit::read(holder.host, name, &VARIABLES.map(|(variable, _)| variable))?),
            // k3s hides its variables together with its arguments, so without a unit both are unknown.
            (None, None) => {
                let what =
                    "read the arguments of k3s, which hides them: it was not started by a systemd unit";
                return Err(Gap::new(Reason::Missing, what.to_owned()));
            }
            (Some(_), None) => None,
        };
        let mut given = Self::default();
        if let Some(unit) = &unit {
            for (variable, option) in VARIABLES {
                given.0.extend(unit.variables.get(variable).map(|v| (option.to_owned(), vec![v.clone()])));
            }
        }
        let config_by_variable = given.last("config").map(str::to_owned);
        let own;
        let flags = match (flags, &unit) {
            (Some(flags), _) => flags,
            (None, Some(unit)) => {
                own = flags_of(&unit.words).ok_or_else(|| {
                    Gap::new(
                        Reason::Malformed,
                        "read the arguments of k3s, which hides them: its unit starts another program"
                            .to_owned(),
                    )
                })?;
                own
            }
            (None, None) => &[],
        };
        let flags = parse(flags);
        // For this option, unlike all others, the variable takes precedence over the flag.
        let named = config_by_variable.or_else(|| flags.last("config").map(str::to_owned));
        let mut options = from_files(holder.host, named.as_deref().unwrap_or(CONFIG_FILE))?;
        for (option, values) in given.0 {
            options.0.entry(option).or_insert(values);
        }
        for (option, mut values) in flags.0 {
            options.0.entry(option).or_default().append(&mut values);
        }
        Ok(options)
    }

    /// The effective value of a scalar option.
    pub(super) fn last(&self, option: &str) -> Option<&str> {
        self.0.get(option)?.last().map(String::as_str)
    }

    /// Whether a switch is on.
    pub(super) fn is_on(&self, option: &str) -> bool {
        matches!(self.last(option), Some("true" | "True" | "TRUE" | "t" | "T" | "1" | ""))
    }

    /// Every value of a list option.
    pub(super) fn all(&self, option: &str) -> &[String] {
        self.0.get(option).map(Vec::as_slice).unwrap_or_default()
    }

    /// The data directory.
    pub(super) fn data_dir(&self) -> &str {
        self.last("data-dir").filter(|path| path.starts_with('/')).unwrap_or(DATA_DIR)
    }
}

/// The words after `k3s server` or `k3s agent`.
fn flags_of(words: &[String]) -> Option<&[String]> {
    let (program, rest) = words.split_first()?;
    match (base_name(program), rest.split_first()) {
        ("k3s", Some((mode, flags))) if mode == "server" || mode == "agent" => Some(flags),
        ("k3s-server" | "k3s-agent", _) => Some(rest),
        _ => None,
    }
}

/// Parses flags as k3s does: one dash or two, the value after `=` or in the next word.
fn parse(words: &[String]) -> K3sOptions {
    let mut options = K3sOptions::default();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let Some(flag) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else { break };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (flag, None),
        };
        let name = match name {
            "c" => "config",
            "d" => "data-dir",
            name => name,
        };
        let value = value.or_else(|| {
            let next =
                if name.ends_with("-arg") { words.next() } else { words.next_if(|w| !w.starts_with('-')) };
            next.cloned()
        });
        options.0.entry(name.to_owned()).or_default().push(value.unwrap_or_else(|| "true".to_owned()));
    }
    options
}

/// Reads the configuration file and the drop-ins in its `.d` directory; all of them are optional.
fn from_files(host: &HostRoot, path: &str) -> Result<K3sOptions, Gap> {
    if path.contains("://") {
        return Err(Gap::new(
            Reason::Unavailable,
            format!("read the configuration of k3s at {}", redact::url_user_info(path)),
        ));
    }
    let mut options = K3sOptions::default();
    let folder = format!("{path}.d");
    let listing = match host.list(&folder, MAX_ENTRIES) {
        Ok(listing) if listing.cut => return Err(Gap::new(Reason::TooLarge, format!("list {folder}"))),
        Ok(listing) => listing.entries,
        Err(error) if error.reason == Reason::Missing => Vec::new(),
        Err(error) => return Err(Gap::new(error.reason, format!("list {folder}"))),
    };
    let drop_ins = listing.iter().filter(|entry| entry.kind != FileType::Directory).filter_map(|entry| {
        let name = entry.name.to_str()?;
        let (_, extension) = name.rsplit_once('.')?;
        let is_yaml = ["yaml", "yml"].iter().any(|known| extension.eq_ignore_ascii_case(known));
        is_yaml.then(|| format!("{folder}/{name}"))
    });
    for file in std::iter::once(path.to_owned()).chain(drop_ins) {
        match host.read(&file) {
            Ok(bytes) => options.add(&file, &bytes)?,
            Err(error) if error.reason == Reason::Missing && file == path => {}
            Err(error) => return Err(Gap::new(error.reason, format!("read {file}"))),
        }
    }
    Ok(options)
}

impl K3sOptions {
    /// A later file replaces an option, or adds to it if the name ends in `+`.
    fn add(&mut self, file: &str, bytes: &[u8]) -> Result<(), Gap> {
        let is_empty = bytes
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::trim_ascii)
            .all(|line| line.is_empty() || line.starts_with(b"#") || line == b"---");
        if is_empty {
            return Ok(());
        }
        let refused = |detail: &str| Gap::new(Reason::Malformed, format!("read {file}: {detail}"));
        let document =
            config_files::first_document(bytes).map_err(|gap| gap.during(format!("read {file}")))?;
        let Value::Object(map) = document else { return Err(refused("expected a map")) };
        for (key, value) in map {
            let mut values = texts(value).ok_or_else(|| refused("expected strings and lists of strings"))?;
            match key.strip_suffix('+') {
                Some(key) => self.0.entry(key.to_owned()).or_default().append(&mut values),
                None => drop(self.0.insert(key, values)),
            }
        }
        Ok(())
    }
}

/// One value, or a list of them.
fn texts(value: Value) -> Option<Vec<String>> {
    Some(match value {
        Value::Array(items) => items.into_iter().map(texts).collect::<Option<Vec<_>>>()?.concat(),
        Value::String(text) => vec![text],
        Value::Bool(_) | Value::Number(_) => vec![value.to_string()],
        Value::Null => vec![String::new()],
        Value::Object(_) => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> K3sOptions {
        parse(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn flags_take_their_value_in_either_form() {
        let options = options(&[
            "--kube-apiserver-arg=a=1",
            "--kube-apiserver-arg",
            "--b=2",
            "--disable-agent",
            "-d",
            "/data",
            "--secrets-encryption=false",
        ]);
        assert_eq!(options.all("kube-apiserver-arg"), ["a=1", "--b=2"]);
        assert!(options.is_on("disable-agent") && !options.is_on("secrets-encryption"));
        assert_eq!(options.data_dir(), "/data");
    }

    #[test]
    fn a_later_file_replaces_or_adds() {
        let mut options = K3sOptions::default();
        let mut add = |text: &str| options.add("f", text.as_bytes());
        add("kubelet-arg: [a=1, b=2]\nnode-name: x\nsecrets-encryption: true\n").unwrap();
        add("kubelet-arg+: c=3\nnode-name: other\n").unwrap();
        add("# nothing\n---\n").unwrap();
        assert_eq!(add("a: {b: c}\n").unwrap_err().reason, Reason::Malformed);
        assert_eq!(add("- a\n").unwrap_err().what, "read f: expected a map");
        assert_eq!(options.all("kubelet-arg"), ["a=1", "b=2", "c=3"]);
        assert_eq!(options.last("node-name"), Some("other"));
        assert!(options.is_on("secrets-encryption"));
    }
}

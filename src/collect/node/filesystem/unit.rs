//! Systemd units: the command (`ExecStart=`) and selected variables.
//!
//! In: a process's control group, which names its unit. Out: the command. This is for programs that hide their
//! arguments. Values that systemd would expand are not guessed.

use std::collections::BTreeMap;

use rustix::fs::FileType;

use super::hostfs::HostRoot;
use crate::collect::bounds::MAX_ENTRIES;
use crate::resource::{Gap, Reason};

/// A systemd unit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SystemdUnit {
    /// The words of its command.
    pub words: Vec<String>,
    /// The requested variables that it sets.
    pub variables: BTreeMap<String, String>,
}

/// The directories of units; the first that has a unit wins.
const FOLDERS: [&str; 5] = [
    "/etc/systemd/system",
    "/run/systemd/system",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
];

/// The name of the unit in the text of `/proc/<pid>/cgroup`.
pub(crate) fn of_cgroup(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        path.split('/').rev().find(|part| part.len() > ".service".len() && part.ends_with(".service"))
    })
}

/// Reads a unit with its drop-ins, and only the requested variables.
pub(crate) fn read(host: &HostRoot, name: &str, variables: &[&str]) -> Result<SystemdUnit, Gap> {
    let mut settings = UnitSettings::default();
    for path in files(host, name)? {
        settings.add(&text(host, &path)?);
    }
    let malformed =
        |detail: &str| Gap::new(Reason::Malformed, format!("read the command of {name}: {detail}"));
    let [command] = &settings.commands[..] else {
        return Err(malformed("expected one ExecStart"));
    };
    // `-`, `:`, `+` and `!` change how it is run; `@` sets another name.
    let command = command.trim_start_matches(['-', ':', '+', '!']);
    let words =
        words(command).ok_or_else(|| malformed("`ExecStart` has variables, specifiers or escapes in it"))?;
    let mut unit = SystemdUnit { words, variables: BTreeMap::new() };
    let unclear = |text: &str| malformed(&format!("`{text}` has variables, specifiers or escapes in it"));
    for line in settings.variables {
        match self::words(&line) {
            Some(pairs) => pairs.iter().for_each(|pair| unit.set(pair, variables)),
            None if variables.iter().any(|name| line.contains(name)) => return Err(unclear("Environment")),
            None => {}
        }
    }
    for file in settings.variable_files {
        let may_be_missing = file.starts_with('-');
        let path = file.trim_start_matches('-');
        if path.contains(['%', '*', '?', '[']) {
            return Err(unclear("EnvironmentFile"));
        }
        match text(host, path) {
            Ok(text) => text.lines().for_each(|line| unit.set(line.trim(), variables)),
            Err(Gap { reason: Reason::Missing, .. }) if may_be_missing => {}
            Err(unreadable) => return Err(unreadable),
        }
    }
    Ok(unit)
}

impl SystemdUnit {
    /// Sets `NAME=value` if the name is requested.
    fn set(&mut self, pair: &str, wanted: &[&str]) {
        if let Some((name, value)) = pair.split_once('=')
            && wanted.contains(&name)
        {
            self.variables.insert(name.to_owned(), value.trim_matches(['"', '\'']).to_owned());
        }
    }
}

/// The relevant settings of the section `[Service]`.
#[derive(Debug, Default)]
struct UnitSettings {
    commands: Vec<String>,
    variables: Vec<String>,
    variable_files: Vec<String>,
}

impl UnitSettings {
    fn add(&mut self, text: &str) {
        let mut in_service = false;
        for line in logical_lines(text) {
            if let Some(section) = line.strip_prefix('[') {
                in_service = section.trim_end_matches(']') == "Service";
                continue;
            }
            let Some((key, value)) = line.split_once('=').filter(|_| in_service) else { continue };
            let list = match key.trim() {
                "ExecStart" => &mut self.commands,
                "Environment" => &mut self.variables,
                "EnvironmentFile" => &mut self.variable_files,
                _ => continue,
            };
            match value.trim() {
                // An empty value clears earlier ones.
                "" => list.clear(),
                value => list.push(value.to_owned()),
            }
        }
    }
}

/// Lines without comments; a line that ends with a backslash is joined with the next.
fn logical_lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = String::new();
    for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
        if let Some(begun) = line.strip_suffix('\\') {
            open.push_str(begun);
            open.push(' ');
            continue;
        }
        open.push_str(line);
        lines.push(std::mem::take(&mut open));
    }
    lines.push(open);
    lines
}

/// The words of a command line; `None` if systemd would expand a part of it.
fn words(line: &str) -> Option<Vec<String>> {
    if line.contains(['$', '%', '\\']) || line.starts_with('@') {
        return None;
    }
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.get_or_insert_default().push(c),
            None if c == '"' || c == '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            None if c.is_whitespace() => words.extend(word.take()),
            None => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

/// The unit's file and its drop-ins, by name. Of drop-ins with the same name the first directory's counts.
fn files(host: &HostRoot, name: &str) -> Result<Vec<String>, Gap> {
    let unit = FOLDERS.iter().map(|folder| format!("{folder}/{name}")).find(|path| host.stat(path).is_ok());
    let unit = unit.ok_or_else(|| Gap::new(Reason::Missing, format!("read the unit {name}")))?;
    let mut drop_ins: BTreeMap<String, String> = BTreeMap::new();
    for folder in FOLDERS.iter().map(|folder| format!("{folder}/{name}.d")) {
        let listing = match host.list(&folder, MAX_ENTRIES) {
            Ok(listing) if !listing.cut => listing,
            Ok(_) => return Err(Gap::new(Reason::TooLarge, format!("list {folder}"))),
            Err(error) if error.reason == Reason::Missing => continue,
            Err(error) => return Err(Gap::new(error.reason, format!("list {folder}"))),
        };
        for entry in listing.entries.iter().filter(|entry| entry.kind != FileType::Directory) {
            let name = entry.name.to_str();
            if let Some(name) = name.filter(|name| name.rsplit_once('.').is_some_and(|(_, it)| it == "conf"))
            {
                drop_ins.entry(name.to_owned()).or_insert_with(|| format!("{folder}/{name}"));
            }
        }
    }
    Ok(std::iter::once(unit).chain(drop_ins.into_values()).collect())
}

fn text(host: &HostRoot, path: &str) -> Result<String, Gap> {
    let bytes = host.read(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        root
    }

    fn read_in(files: &[(&str, &str)]) -> Result<SystemdUnit, Gap> {
        let root = tree(files);
        read(&HostRoot::open(root.path()).unwrap(), "k3s.service", &["A", "B"])
    }

    const UNIT: &str = "etc/systemd/system/k3s.service";

    #[test]
    fn a_command_over_several_lines_is_read_with_its_quotes() {
        let text = "[SystemdUnit]\nExecStart=/no\n[Service]\nExecStartPre=/bin/true\nExecStart=/usr/local/bin/k3s \\\n    server \\\n# a comment\n\t'--a=b c' \\\n\t\"--d\" \\\n\n";
        assert_eq!(
            read_in(&[(UNIT, text)]).unwrap().words,
            ["/usr/local/bin/k3s", "server", "--a=b c", "--d"]
        );
    }

    #[test]
    fn a_drop_in_replaces_the_command_and_the_first_folder_s_counts() {
        let files = [
            ("usr/lib/systemd/system/k3s.service", "[Service]\nExecStart=/never\n"),
            (UNIT, "[Service]\nExecStart=-/old a\n"),
            ("etc/systemd/system/k3s.service.d/10.conf", "[Service]\nExecStart=\nExecStart=-/new b\n"),
            ("usr/lib/systemd/system/k3s.service.d/10.conf", "[Service]\nExecStart=/masked\n"),
            ("etc/systemd/system/k3s.service.d/20.txt", "[Service]\nExecStart=/other\n"),
        ];
        assert_eq!(read_in(&files).unwrap().words, ["/new", "b"]);
    }

    #[test]
    fn of_variables_only_those_asked_for_come_out() {
        let unit = "[Service]\nExecStart=/k3s\nEnvironment=\"A=1 2\" X=canary\nEnvironmentFile=-/etc/none\nEnvironmentFile=-/etc/env\n";
        let unit = read_in(&[(UNIT, unit), ("etc/env", "TOKEN=canary\nB='3'\n")]).unwrap();
        assert_eq!(unit.variables, BTreeMap::from([("A".into(), "1 2".into()), ("B".into(), "3".into())]));
    }

    #[test]
    fn what_systemd_expands_is_not_guessed() {
        for command in [
            "/k3s server $OPTIONS",
            "/k3s %i",
            "@/k3s other",
            "/k3s 'open",
            "/a\nExecStart=/b",
            "/k3s\nEnvironment=A=%i",
            "/k3s\nEnvironmentFile=-/etc/*",
        ] {
            let read = read_in(&[(UNIT, &format!("[Service]\nExecStart={command}\n"))]);
            assert_eq!(read.unwrap_err().reason, Reason::Malformed, "{command}");
        }
        assert_eq!(read_in(&[]).unwrap_err(), Gap::new(Reason::Missing, "read the unit k3s.service"));
        let unit = "[Service]\nExecStart=/k3s\nEnvironmentFile=/etc/none\n";
        assert_eq!(read_in(&[(UNIT, unit)]).unwrap_err(), Gap::new(Reason::Missing, "read /etc/none"));
    }

    #[test]
    fn the_control_group_names_the_unit() {
        assert_eq!(of_cgroup("0::/system.slice/k3s.service\n"), Some("k3s.service"));
        assert_eq!(of_cgroup("1:name=systemd:/system.slice/k3s.service/init\n0::/"), Some("k3s.service"));
        assert_eq!(of_cgroup("0::/user.slice/.service\n"), None);
    }
}

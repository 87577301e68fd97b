//! Systemd units: the command (`ExecStart=`), its user, and selected variables.
//!
//! In: a process's control group, which names its unit. Out: the command, for programs that hide their arguments and to
//! know who starts a process. Values that systemd would expand are not guessed.

mod files;

use std::collections::BTreeMap;

use super::hostfs::HostRoot;
use crate::resource::{Gap, Reason};
use files::files;

/// A systemd unit.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct SystemdUnit {
    /// The words of its command.
    pub words: Vec<String>,
    /// The requested variables that it sets.
    pub variables: BTreeMap<String, String>,
}

/// What a unit starts, and as whom.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct UnitCommand {
    /// The words of its command. Variables stand in them as they are written, a whole word of them as an option.
    pub words: Vec<String>,
    /// The user that it runs as; `None`: root.
    pub user: Option<UnitUser>,
}

/// The user of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UnitUser {
    /// A name or number.
    Named(String),
    /// One that systemd allocates when the unit starts.
    Dynamic,
}

/// The name of the unit in the text of `/proc/<pid>/cgroup`.
pub(crate) fn of_cgroup(text: &str) -> Option<&str> {
    text.lines().find_map(|line| {
        let path = line.splitn(3, ':').nth(2)?;
        path.split('/').rev().find(|part| part.len() > ".service".len() && part.ends_with(".service"))
    })
}

/// Reads what a unit starts.
pub(crate) fn command(host: &HostRoot, name: &str) -> Result<UnitCommand, Gap> {
    let malformed =
        |detail: &str| Gap::new(Reason::Malformed, format!("read the command of {name}: {detail}"));
    let mut settings = UnitSettings::default();
    let root = host.stat("/")?.st_uid;
    for path in files(host, name)? {
        // What another user may write is not root's word.
        if host.stat(&path)?.st_uid != root {
            return Err(malformed(&format!("{path} does not belong to root")));
        }
        settings.add(&text(host, &path)?);
    }
    let [command] = &settings.commands[..] else {
        return Err(malformed("expected one ExecStart"));
    };
    let (prefix, command) = command.split_at(command.len() - command.trim_start_matches(PREFIXES).len());
    let mut words = split(command).ok_or_else(|| malformed("a quote in `ExecStart` is not closed"))?;
    if prefix.contains('@') && words.len() > 1 {
        // The second word is the name that the program is given.
        words.remove(1);
    }
    for word in words.iter_mut().skip(1).filter(|word| word.starts_with('$')) {
        // A variable stands for options, and is no sub-command.
        word.insert(0, '-');
    }
    // These run the command as root, whatever `User` says.
    let as_root = prefix.contains(['+', '!']);
    let user = settings.user.filter(|user| !as_root && user != "root" && user != "0");
    let user = match user {
        Some(user) => Some(UnitUser::Named(user)),
        None if settings.dynamic_user && !as_root => Some(UnitUser::Dynamic),
        None => None,
    };
    Ok(UnitCommand { words, user })
}

/// Reads a unit with its drop-ins, and only the requested variables.
pub(crate) fn read(host: &HostRoot, name: &str, variables: &[&str]) -> Result<SystemdUnit, Gap> {
    let settings = UnitSettings::read(host, name)?;
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
    user: Option<String>,
    dynamic_user: bool,
}

/// What may stand before a command, to change how it is run.
const PREFIXES: [char; 5] = ['-', ':', '+', '!', '@'];

impl UnitSettings {
    fn read(host: &HostRoot, name: &str) -> Result<Self, Gap> {
        let mut settings = Self::default();
        for path in files(host, name)? {
            settings.add(&text(host, &path)?);
        }
        Ok(settings)
    }

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
                "User" => {
                    self.user = Some(value.trim().to_owned()).filter(|user| !user.is_empty());
                    continue;
                }
                "DynamicUser" => {
                    let value = value.trim().to_ascii_lowercase();
                    self.dynamic_user = ["1", "yes", "y", "true", "t", "on"].contains(&value.as_str());
                    continue;
                }
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
    split(line)
}

/// The words of a command line, without its quotes; `None` if a quote is not closed.
fn split(line: &str) -> Option<Vec<String>> {
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

    fn command_in(files: &[(&str, &str)], name: &str) -> Result<UnitCommand, Gap> {
        let root = tree(files);
        command(&HostRoot::open(root.path()).unwrap(), name)
    }

    #[test]
    fn a_unit_says_what_it_starts_and_as_whom() {
        let of = |text: &str| {
            let unit = command_in(&[(UNIT, &format!("[Service]\n{text}\n"))], "k3s.service").unwrap();
            (unit.words.join(" "), unit.user)
        };
        let named = |name: &str| Some(UnitUser::Named(name.to_owned()));
        assert_eq!(of("ExecStart=/usr/bin/etcd $ARGS"), ("/usr/bin/etcd -$ARGS".into(), None));
        assert_eq!(of("User=etcd\nExecStart=-/usr/bin/etcd").1, named("etcd"));
        assert_eq!(of("User=etcd\nUser=\nExecStart=/usr/bin/etcd").1, None);
        assert_eq!(of("User=0\nExecStart=/usr/bin/etcd").1, None);
        assert_eq!(of("User=etcd\nExecStart=+/usr/bin/etcd").1, None, "that runs as root");
        assert_eq!(of("DynamicUser=yes\nExecStart=/usr/bin/etcd").1, Some(UnitUser::Dynamic));
        assert_eq!(of("ExecStart=@/usr/bin/app etcd --a").0, "/usr/bin/app --a", "a name is no program");
    }

    #[test]
    fn drop_ins_of_templates_prefixes_and_all_services_count() {
        let files = [
            ("usr/lib/systemd/system/etcd-main@.service", "[Service]\nExecStart=/usr/bin/etcd\nUser=a\n"),
            ("etc/systemd/system/etcd-main@.service.d/10.conf", "[Service]\nUser=b\n"),
        ];
        let user = |files: &[(&str, &str)]| match command_in(files, "etcd-main@1.service").unwrap().user {
            Some(UnitUser::Named(user)) => user,
            other => panic!("{other:?}"),
        };
        assert_eq!(user(&files), "b");
        for folder in ["service.d", "etcd-.service.d", "etcd-main@1.service.d"] {
            let path = format!("etc/systemd/system/{folder}/20.conf");
            assert_eq!(
                user(&[&files[..], &[(path.as_str(), "[Service]\nUser=c\n")]].concat()),
                "c",
                "{folder}"
            );
        }
        let transient = [("run/systemd/transient/x.service", "[Service]\nExecStart=/usr/bin/etcd\n")];
        assert!(command_in(&transient, "x.service").is_ok());
        assert_eq!(command_in(&[], "x.service").unwrap_err().reason, Reason::Missing);
    }

    #[test]
    fn the_control_group_names_the_unit() {
        assert_eq!(of_cgroup("0::/system.slice/k3s.service\n"), Some("k3s.service"));
        assert_eq!(of_cgroup("1:name=systemd:/system.slice/k3s.service/init\n0::/"), Some("k3s.service"));
        assert_eq!(of_cgroup("0::/user.slice/.service\n"), None);
    }
}

//! The component that a command line starts, through shells and wrappers.
//!
//! In: the words of a container's or a unit's command. Out: the component with its arguments, where they can be read
//! without doubt. A line that may start a component in a way that is not understood says so, because the flags that are
//! not seen in it are not unset.

mod shell;

use super::{Component, HYPERKUBE, base_name};

/// What a command line starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum StartedComponent {
    /// A component with these words, its own name first.
    Known(Component, Vec<String>),
    /// A component whose arguments cannot be read, and why.
    Unclear(Component, String),
}

impl StartedComponent {
    /// The component.
    pub(crate) fn component(&self) -> Component {
        match self {
            Self::Known(component, _) | Self::Unclear(component, _) => *component,
        }
    }
}

/// Programs that run the command that stands among their own arguments.
const WRAPPERS: &[&str] = &[
    "catatonit",
    "chrt",
    "command",
    "dumb-init",
    "env",
    "exec",
    "go-runner",
    "gosu",
    "ionice",
    "kube-log-runner",
    "kubensenter",
    "kubenswrapper",
    "nice",
    "nohup",
    "nsenter",
    "numactl",
    "prlimit",
    "setpriv",
    "setsid",
    "stdbuf",
    "su-exec",
    "systemd-cat",
    "taskset",
    "time",
    "timeout",
    "tini",
    "tini-static",
    "unshare",
    "watch-termination",
];

/// Shells that take a script behind `-c`.
const SHELLS: &[&str] = &["ash", "bash", "busybox", "dash", "ksh", "sh", "zsh"];

/// Shells within shells within wrappers; nobody nests deeper.
const MAX_NESTING: usize = 8;

/// The component that the words start, if any.
pub(crate) fn started(words: &[String]) -> Option<StartedComponent> {
    within(words, MAX_NESTING)
}

/// The words of the component that a command line starts, its own name first.
pub(crate) fn known_words(words: &[String]) -> Option<Vec<String>> {
    match started(words)? {
        StartedComponent::Known(_, words) => Some(words),
        StartedComponent::Unclear(..) => None,
    }
}

fn within(words: &[String], levels: usize) -> Option<StartedComponent> {
    let name = base_name(words.first()?);
    if let Some(component) = Component::of_command(words) {
        return Some(StartedComponent::Known(component, words.to_vec()));
    }
    let Some(levels) = levels.checked_sub(1) else {
        return mentioned(words, "its command is nested too deeply");
    };
    if SHELLS.contains(&name) {
        return match script(words) {
            Some(script) => shell::started(script, levels),
            None => mentioned(words, "a shell script starts it"),
        };
    }
    if WRAPPERS.contains(&name) {
        return wrapped(words, levels);
    }
    // `etcd grpc-proxy` names a component and is none.
    if Component::named(name).is_some() {
        return None;
    }
    mentioned(words, &format!("`{name}` starts it"))
}

/// The script behind the option `-c`, which may stand in a group as in `-euxc`.
fn script(words: &[String]) -> Option<&str> {
    let mut words = words[1..].iter().skip_while(|word| SHELLS.contains(&word.as_str()));
    while let Some(word) = words.next() {
        let options = word.strip_prefix(['-', '+'])?;
        if word.starts_with('-') && !word.starts_with("--") && options.contains('c') {
            // `-c -e script`: more options may follow.
            return words.map(String::as_str).find(|word| !word.starts_with('-'));
        }
        if options.ends_with('o') {
            words.next();
        }
    }
    None
}

/// The command among a wrapper's arguments. An option's value may have a component's name too.
fn wrapped(words: &[String], levels: usize) -> Option<StartedComponent> {
    if let Some(end) = words.iter().position(|word| word == "--")
        && let Some(found) = within(&words[end + 1..], levels)
    {
        return Some(found);
    }
    let begins = |at: usize| {
        let name = base_name(&words[at]);
        let is_component = Component::named(name).is_some() || name == HYPERKUBE;
        (is_component && Component::of_command(&words[at..]).is_some())
            || SHELLS.contains(&name)
            || WRAPPERS.contains(&name)
    };
    // Behind an option, the word may be its value: then it counts only if no other word begins a command.
    let may_be_value = |at: usize| {
        let before = &words[at - 1];
        before.starts_with('-') && !before.contains('=') && !before.ends_with(|c: char| c.is_ascii_digit())
    };
    let mut doubtful = None;
    for at in (1..words.len()).filter(|at| begins(*at)) {
        if may_be_value(at) {
            doubtful.get_or_insert(at);
            continue;
        }
        let found = within(&words[at..], levels)?;
        if doubtful.is_none() {
            return Some(found);
        }
        let why = "two words of its command have a component's name".to_owned();
        return Some(StartedComponent::Unclear(found.component(), why));
    }
    within(&words[doubtful?..], levels)
}

/// A component that the words name, in a command that is not understood.
fn mentioned(words: &[String], why: &str) -> Option<StartedComponent> {
    let parts = words.iter().flat_map(|word| word.split_whitespace());
    let component = parts.into_iter().find_map(|part| Component::named(base_name(part)))?;
    Some(StartedComponent::Unclear(component, why.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(words: &[&str]) -> Option<StartedComponent> {
        started(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    fn known(words: &[&str]) -> Vec<String> {
        match of(words) {
            Some(StartedComponent::Known(_, words)) => words,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    fn unclear(words: &[&str]) -> Component {
        match of(words) {
            Some(StartedComponent::Unclear(component, _)) => component,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    const SERVER: [&str; 2] = ["kube-apiserver", "--profiling=false"];

    #[test]
    fn a_wrapper_runs_the_command_among_its_arguments() {
        for wrapper in [
            &[][..],
            &["/go-runner", "--also-stdout", "--log-file=/var/log/kube-apiserver.log"],
            &["tini", "-g", "--"],
            &["nice", "-n", "-19", "ionice", "-c2", "-n0"],
            &["env", "A=b", "-u", "X"],
            &["/usr/bin/watch-termination", "--termination-lock-file=/x", "--"],
            &["su-exec", "65534"],
        ] {
            let words: Vec<&str> = wrapper.iter().chain(&SERVER).copied().collect();
            assert_eq!(known(&words), SERVER, "{words:?}");
        }
        assert_eq!(known(&["nice", "/hyperkube", "apiserver", "--a"]), ["/hyperkube", "apiserver", "--a"]);
        assert_eq!(known(&["exec", "etcd", "--name", "etcd"]), ["etcd", "--name", "etcd"]);
    }

    #[test]
    fn an_option_s_value_with_a_component_s_name_makes_it_unclear() {
        let words = ["go-runner", "--log-file", "/log/kube-apiserver", "kube-apiserver", "--a"];
        assert_eq!(unclear(&words), Component::ApiServer);
    }

    #[test]
    fn a_program_that_is_not_known_may_start_what_it_names() {
        assert_eq!(unclear(&["/opt/entrypoint", "kube-scheduler", "--a"]), Component::Scheduler);
        assert_eq!(unclear(&["/bin/sh", "/start.sh", "kube-proxy"]), Component::Proxy);
        assert_eq!(of(&["haproxy", "-f", "/etc/haproxy.cfg"]), None);
        assert_eq!(of(&["/etcd-manager", "--cluster-name=etcd"]), None);
        assert_eq!(of(&["etcd", "grpc-proxy", "start", "--data-dir", "etcd"]), None);
        assert_eq!(of(&["nice", "etcd", "gateway", "start"]), None);
        assert_eq!(of(&[]), None);
    }

    #[test]
    fn a_shell_s_script_stands_behind_its_options() {
        for options in [&["-c"][..], &["-ec"], &["-euxo", "pipefail", "-c"], &["-e", "-c"], &["-c", "-x"]] {
            let mut words = vec!["/bin/bash"];
            words.extend(options);
            words.push("exec kube-apiserver --profiling=false");
            assert_eq!(known(&words), SERVER, "{words:?}");
        }
        assert_eq!(known(&["busybox", "sh", "-c", "kube-apiserver --profiling=false"]), SERVER);
        assert_eq!(known(&["tini", "--", "sh", "-c", "exec kube-apiserver --profiling=false"]), SERVER);
    }

    proptest! {
        #[test]
        fn any_words_are_read(words in proptest::collection::vec("sh|-c|nice|--|etcd|(kubelet|[$`'\"\\\\;&|<>(){}# a-z=\n]){0,12}", 0..8)) {
            started(&words);
        }
    }
}

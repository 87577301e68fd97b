//! A component's arguments, parsed as the component does.
//!
//! In: the words after the program's name. Out: flag → every value that it was given, in order. Which of several
//! values is effective depends on the flag's type, which the rule knows.

use std::collections::BTreeMap;

use super::component::{Component, FlagValue, base_name};
use crate::resource::Unread;

/// Flag without dashes → its values.
pub(super) type Arguments = BTreeMap<String, Vec<String>>;

/// The arguments of a component, as far as they are known.
#[derive(Debug, Clone, Default)]
pub(super) struct KnownArguments {
    /// Its arguments.
    pub arguments: Arguments,
    /// The arguments that could not be read: `$.args`, or `$.args.<flag>`.
    pub unread: Vec<Unread>,
}

/// The arguments of a command that starts kube-apiserver itself; `None`: it starts something else.
pub(super) fn of_api_server(command: &[String]) -> Option<Arguments> {
    if Component::of_command(command) != Some(Component::ApiServer) {
        return None;
    }
    let first_argument = if base_name(command.first()?) == "hyperkube" { 2 } else { 1 };
    Some(parse(Component::ApiServer, command.get(first_argument..).unwrap_or_default()))
}

/// Parses an argument list.
pub(crate) fn parse(component: Component, words: &[String]) -> Arguments {
    let mut arguments = Arguments::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let Some(flag) = flag(component, word) else {
            // Go's flag package stops at the first plain word, pflag goes on after it.
            if component == Component::Etcd {
                break;
            }
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (fold(component, name), Some(value.to_owned())),
            None => (fold(component, flag), None),
        };
        let value = value.unwrap_or_else(|| {
            let next = match component.takes(&name) {
                FlagValue::None => None,
                FlagValue::NextWord => words.next(),
                FlagValue::Unknown => words.next_if(|next| !next.starts_with('-')),
            };
            next.cloned().unwrap_or_else(|| "true".to_owned())
        });
        arguments.entry(name).or_default().push(value);
    }
    // An address that is empty sets nothing, and leaves what was set before.
    for (name, values) in &mut arguments {
        if component != Component::Etcd && (name == "address" || name.ends_with("bind-address")) {
            let last = values.iter().rposition(|value| !value.is_empty());
            values.truncate(last.map_or(1, |last| last + 1));
        }
    }
    arguments
}

/// The effective value of a scalar flag; an empty one counts as unset.
pub(super) fn last<'a>(arguments: &'a Arguments, flag: &str) -> Option<&'a str> {
    arguments.get(flag)?.last().map(String::as_str).filter(|value| !value.is_empty())
}

/// The word without its dashes, if it is a flag. Only etcd accepts one dash; other components read a shorthand then,
/// and no shorthand matters here.
fn flag(component: Component, word: &str) -> Option<&str> {
    let flag = match word.strip_prefix("--") {
        Some(flag) => flag,
        None if component == Component::Etcd => word.strip_prefix('-')?,
        None => return None,
    };
    (!flag.is_empty() && !flag.starts_with(['-', '='])).then_some(flag)
}

fn fold(component: Component, name: &str) -> String {
    if component == Component::Etcd { name.to_owned() } else { name.replace('_', "-") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(component: Component, line: &str) -> Arguments {
        parse(component, &line.split(' ').map(str::to_owned).collect::<Vec<_>>())
    }

    fn values(component: Component, line: &str, flag: &str) -> Vec<String> {
        read(component, line).remove(flag).unwrap_or_default()
    }

    #[test]
    fn the_forms_of_a_flag() {
        let api = Component::ApiServer;
        assert_eq!(values(api, "--authorization-mode=Node,RBAC", "authorization-mode"), ["Node,RBAC"]);
        assert_eq!(values(api, "--authorization-mode Node,RBAC", "authorization-mode"), ["Node,RBAC"]);
        assert_eq!(values(api, "--token-auth-file=", "token-auth-file"), [""]);
        assert_eq!(values(api, "--oidc-claim=a=b", "oidc-claim"), ["a=b"]);
    }

    #[test]
    fn an_empty_address_leaves_what_was_set_before() {
        let proxy = |line: &str| values(Component::Proxy, line, "metrics-bind-address");
        let open = "--metrics-bind-address=0.0.0.0:10249";
        assert_eq!(proxy(&format!("{open} --metrics-bind-address=")).last().unwrap(), "0.0.0.0:10249");
        assert_eq!(proxy(&format!("--metrics-bind-address= {open}")).last().unwrap(), "0.0.0.0:10249");
        assert_eq!(proxy("--metrics-bind-address="), [""]);
    }

    #[test]
    fn cloudbeat_631_and_633_a_value_stands_behind_an_equals_sign_or_a_blank() {
        for sign in ["=", " "] {
            let line = format!("kubelet --v=2 --read-only-port{sign}26492 --config=/etc/kubelet.json");
            assert_eq!(values(Component::Kubelet, &line, "read-only-port"), ["26492"], "{line}");
        }
        let chains = "--make-iptables-util-chains=false --v=2";
        assert_eq!(values(Component::Kubelet, chains, "make-iptables-util-chains"), ["false"]);
    }

    #[test]
    fn a_bool_never_takes_the_next_word() {
        assert_eq!(values(Component::ApiServer, "--profiling false", "profiling"), ["true"]);
        assert_eq!(values(Component::Etcd, "-auto-tls --name x", "auto-tls"), ["true"]);
    }

    #[test]
    fn a_number_may_be_negative() {
        assert_eq!(values(Component::Kubelet, "--pod-max-pids -1 --v=2", "pod-max-pids"), ["-1"]);
    }

    #[test]
    fn an_unknown_flag_takes_what_does_not_look_like_one() {
        let arguments = read(Component::Kubelet, "--new-thing --other value --last");
        assert_eq!(arguments["new-thing"], ["true"]);
        assert_eq!(arguments["other"], ["value"]);
        assert_eq!(arguments["last"], ["true"]);
    }

    #[test]
    fn a_repeated_flag_keeps_every_value_in_order() {
        let line = "--audit_log_maxage=10 --audit-log-maxage=30";
        assert_eq!(values(Component::ApiServer, line, "audit-log-maxage"), ["10", "30"]);
    }

    #[test]
    fn underscores_and_single_dashes_are_told_apart_by_component() {
        assert_eq!(values(Component::Kubelet, "--anonymous_auth=false", "anonymous-auth"), ["false"]);
        assert!(read(Component::Etcd, "--auto_tls=true").contains_key("auto_tls"));
        assert_eq!(values(Component::Etcd, "-cert-file=/x", "cert-file"), ["/x"]);
        assert!(read(Component::ApiServer, "-profiling=false").is_empty());
    }

    #[test]
    fn what_follows_two_dashes_is_no_flag() {
        assert!(read(Component::Kubelet, "-- --anonymous-auth=false").is_empty());
        assert!(read(Component::Etcd, "gateway --auto-tls").is_empty());
        assert!(read(Component::Kubelet, "word --anonymous-auth=false").contains_key("anonymous-auth"));
    }

    proptest! {
        #[test]
        fn any_words_are_read(words in proptest::collection::vec("[-=a-z_ ]{0,12}|\\PC{0,8}", 0..12)) {
            for component in Component::ALL {
                parse(component, &words);
            }
        }

        #[test]
        fn name_and_value_come_back(name in "[a-z][a-z-]{0,20}", value in "\\PC{0,30}") {
            for component in Component::ALL {
                let arguments = parse(component, &[format!("--{name}={value}")]);
                prop_assert_eq!(&arguments[&name], &vec![value.clone()]);
            }
        }
    }
}

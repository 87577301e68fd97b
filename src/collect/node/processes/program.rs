//! The program that an argument list starts: a single component, or a program that runs several.

use crate::collect::component::{Component, base_name};

/// A program that runs components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Program {
    /// A single component.
    One(Component),
    /// `k3s server` or `k3s agent`.
    K3s {
        /// Whether it runs a control plane.
        server: bool,
        /// Its flags. `None`: it has overwritten its argument list with a title, which hides passwords.
        flags: Option<Vec<String>>,
    },
    /// The process of microk8s that runs all components.
    Kubelite {
        /// Its flags.
        flags: Vec<String>,
    },
}

impl Program {
    /// Recognises a program by its argument list.
    pub(crate) fn of_command(words: &[String]) -> Option<Self> {
        // A title is a single word with spaces in it.
        let (name, title) = words
            .first()?
            .split_once(' ')
            .map_or((words[0].as_str(), None), |(name, title)| (name, Some(title)));
        match (base_name(name), title.map(str::trim_end), words.get(1).map(String::as_str)) {
            ("k3s", Some(mode), _) => Self::k3s(mode, None),
            ("k3s", None, Some(mode)) => Self::k3s(mode, Some(&words[2..])),
            ("k3s-server", None, _) => Self::k3s("server", Some(&words[1..])),
            ("k3s-agent", None, _) => Self::k3s("agent", Some(&words[1..])),
            ("kubelite", None, _) => Some(Self::Kubelite { flags: words[1..].to_vec() }),
            _ => Component::of_command(words).map(Self::One),
        }
    }

    fn k3s(mode: &str, flags: Option<&[String]>) -> Option<Self> {
        let server = match mode {
            "server" => true,
            "agent" => false,
            _ => return None,
        };
        Some(Self::K3s { server, flags: flags.map(<[String]>::to_vec) })
    }

    /// Its name, if it runs several components.
    pub(super) fn name(&self) -> Option<&'static str> {
        match self {
            Self::One(_) => None,
            Self::K3s { .. } => Some("k3s"),
            Self::Kubelite { .. } => Some("kubelite"),
        }
    }

    /// The components that it may run.
    pub(super) fn components(&self) -> Vec<Component> {
        match self {
            Self::One(component) => vec![*component],
            Self::K3s { server: true, .. } => Component::ALL.to_vec(),
            Self::K3s { server: false, .. } => vec![Component::Kubelet, Component::Proxy],
            Self::Kubelite { .. } => {
                Component::ALL.into_iter().filter(|component| *component != Component::Etcd).collect()
            }
        }
    }

    /// The part of the argument list that may be shown: options of k3s hold credentials under many names.
    pub(crate) fn words_to_show<'a>(&self, words: &'a [String]) -> &'a [String] {
        match self {
            Self::K3s { flags, .. } => {
                &words[..words.len().saturating_sub(flags.as_ref().map_or(0, Vec::len))]
            }
            Self::One(_) | Self::Kubelite { .. } => words,
        }
    }

    /// The kubelet if there is one, because it names the directory of static pods; else the component itself.
    pub(super) fn main_component(&self) -> Component {
        match self {
            Self::One(component) => *component,
            Self::K3s { .. } | Self::Kubelite { .. } => Component::Kubelet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[&str]) -> Option<Program> {
        Program::of_command(&words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn k3s_shows_a_title_or_its_arguments() {
        let hidden = |server| Some(Program::K3s { server, flags: None });
        // What was behind the title is blanked.
        assert_eq!(of(&["/usr/local/bin/k3s server", "", ""]), hidden(true));
        assert_eq!(of(&["k3s agent"]), hidden(false));
        let flags = Some(vec!["--disable-agent".to_owned()]);
        assert_eq!(
            of(&["/usr/bin/k3s", "server", "--disable-agent"]),
            Some(Program::K3s { server: true, flags: flags.clone() })
        );
        assert_eq!(of(&["k3s-server", "--disable-agent"]), Some(Program::K3s { server: true, flags }));
        assert_eq!(of(&["k3s", "kubectl", "get", "pods"]), None);
        assert_eq!(of(&["k3s etcd-snapshot"]), None);
        assert_eq!(of(&["k3s"]), None);
    }

    #[test]
    fn what_holds_one_component_is_that_component() {
        assert_eq!(of(&["/usr/bin/kubelet", "--a"]), Some(Program::One(Component::Kubelet)));
        assert_eq!(
            of(&["/snap/microk8s/1/kubelite", "--a"]),
            Some(Program::Kubelite { flags: vec!["--a".into()] })
        );
        assert_eq!(of(&["/usr/local/bin/rke2 server"]), None, "its components are processes of their own");
        assert_eq!(of(&[]), None);
    }
}

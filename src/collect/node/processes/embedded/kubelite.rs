//! microk8s: each component has a file with all of its arguments.
//!
//! In: the flags of kubelite, which name the files. Out: the components that it runs.

use super::{EmbeddedComponent, EmbeddingProcess};
use crate::collect::arguments::{self, Arguments};
use crate::collect::component::Component;
use crate::resource::{Gap, Reason};

/// Component, the flag that names its file, and the switches that enable it.
const FILES: [(Component, &str, &[&str]); 5] = [
    (Component::ApiServer, "apiserver-args-file", &["start-control-plane"]),
    (
        Component::ControllerManager,
        "controller-manager-args-file",
        &["start-control-plane", "start-controller-manager"],
    ),
    (Component::Scheduler, "scheduler-args-file", &["start-control-plane", "start-scheduler"]),
    (Component::Kubelet, "kubelet-args-file", &[]),
    (Component::Proxy, "proxy-args-file", &[]),
];

/// The components that kubelite runs when started with `flags`.
pub(super) fn parts(holder: &EmbeddingProcess<'_>, flags: &[String]) -> Vec<EmbeddedComponent> {
    // All flags of kubelite are written with `=`, so they parse the same for any component.
    let own = arguments::parse(Component::Kubelet, flags);
    let is_on = |switch: &&str| {
        !matches!(arguments::last(&own, switch), Some("false" | "0" | "f" | "F" | "False" | "FALSE"))
    };
    FILES
        .into_iter()
        .filter(|(_, _, switches)| switches.iter().all(is_on))
        .map(|(component, flag, _)| match words(holder, component, flag, &own) {
            Ok(words) => EmbeddedComponent::of_words(component, words),
            Err(unreadable) => EmbeddedComponent::unknown(component, unreadable),
        })
        .collect()
}

/// The arguments in a component's file.
fn words(
    holder: &EmbeddingProcess<'_>,
    component: Component,
    flag: &str,
    own: &Arguments,
) -> Result<Vec<String>, Gap> {
    let default = format!("/var/snap/microk8s/current/args/{}", component.as_str());
    let path = arguments::last(own, flag).unwrap_or(&default);
    let bytes = holder.host.read(path)?;
    let text = String::from_utf8_lossy(&bytes);
    let mut words = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        // kubelite drops quotes anywhere and splits at every space.
        for word in line.replace(['"', '\''], "").split(' ').filter(|word| !word.is_empty()) {
            let expanded = expand(word, path, &holder.words[0]).ok_or_else(|| {
                Gap::new(
                    Reason::Missing,
                    format!("read {path}: `{}` uses an unknown variable of kubelite", name(word)),
                )
            })?;
            words.push(expanded);
        }
    }
    Ok(words)
}

/// The name of a flag without its value, which may be a secret.
fn name(word: &str) -> &str {
    let name = word.split_once('=').map_or(word, |(name, _)| name);
    if name.starts_with('-') { name } else { "a value" }
}

/// Expands the variables of snapd. Their values follow from the paths of the file and the program:
/// `/var/snap/microk8s/<revision>/args/…` and `/snap/microk8s/<revision>/kubelite`.
fn expand(word: &str, file: &str, program: &str) -> Option<String> {
    let above = |path: &str, levels: usize| path.rsplitn(levels + 1, '/').nth(levels).map(str::to_owned);
    let mut out = String::new();
    let mut rest = word;
    while let Some((before, after)) = rest.split_once('$') {
        let end =
            |text: &str| text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len());
        let (variable, behind) = match after.strip_prefix('{') {
            Some(after) => after.split_once('}')?,
            None => after.split_at(end(after)),
        };
        out.push_str(before);
        out.push_str(&match variable {
            "SNAP" => above(program, 1)?,
            "SNAP_DATA" => above(file, 2)?,
            "SNAP_COMMON" => format!("{}/common", above(file, 3)?),
            _ => return None,
        });
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_snap_s_directories_are_put_in() {
        let file = "/var/snap/microk8s/8612/args/kube-apiserver";
        let expand = |word: &str| super::expand(word, file, "/snap/microk8s/8612/kubelite");
        let is = |word: &str, wanted: &str| assert_eq!(expand(word).as_deref(), Some(wanted));
        is("--a=${SNAP_DATA}/certs/ca.crt", "--a=/var/snap/microk8s/8612/certs/ca.crt");
        is("--a=$SNAP_COMMON/run,$SNAP/x", "--a=/var/snap/microk8s/common/run,/snap/microk8s/8612/x");
        is("--a=b", "--a=b");
        for word in ["--token=$TOKEN", "--a=$SNAP_REVISION", "--a=${SNAP", "--a=$"] {
            assert_eq!(expand(word), None, "{word}");
        }
    }
}

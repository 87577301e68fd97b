//! What the mirror pods of API servers show of their flags.
//!
//! Whoever may create pods can make one that looks like a mirror pod, until a kubelet or the garbage collector deletes
//! it. So a pod counts only where nothing contradicts it, and one that proves nothing is a gap, never a fact.

use serde_json::{Value, json};

use super::statements::{ObjectKey, Statements};
use crate::collect::arguments::{self, Arguments};
use crate::collect::component::Component;
use crate::collect::component::command_line::{self, StartedComponent};
use crate::collect::variables;
use crate::resource::{Gap, Reason, Unread, at};

/// The API servers that run as static pods. Others, such as those of managed clusters, are not visible.
#[derive(Debug, Default)]
pub(super) struct ApiServers {
    found: Statements<ApiServerPod>,
    /// Names of the Nodes that were seen; where Nodes are not read there is none.
    nodes: Statements<String>,
}

/// A mirror pod that says it is an API server's.
#[derive(Debug, Clone, PartialEq)]
struct ApiServerPod {
    name: String,
    /// The Node that owns it; `None`: it has no owner.
    node: Option<String>,
    arguments: Result<Arguments, Gap>,
}

/// What is shown of the API servers.
pub(super) struct ApiServerView {
    /// `{name, args}` of each.
    pub list: Vec<Value>,
    /// The arguments that could not be read, below the list.
    pub unread: Vec<Unread>,
    /// `disabled` where any of them has the PodSecurity plug-in off; `None` where none is seen.
    pub pod_security_plugin: Result<Option<&'static str>, Gap>,
    /// The level of namespaces without a label: `privileged`, unless a file of the control plane says otherwise.
    pub pod_security_default: Result<Option<&'static str>, Gap>,
}

impl ApiServers {
    /// Whether what is shown is another now.
    pub(super) fn note(&mut self, pod: &Value, key: ObjectKey) -> bool {
        self.found.put(key, claimed(pod))
    }

    pub(super) fn forget(&mut self, key: ObjectKey) -> bool {
        self.found.put(key, None)
    }

    /// Whether what is shown is another now.
    pub(super) fn note_node(&mut self, name: &str, key: ObjectKey) -> bool {
        self.nodes.put(key, Some(name.to_owned())) && self.found.values().next().is_some()
    }

    pub(super) fn forget_node(&mut self, key: ObjectKey) -> bool {
        self.nodes.put(key, None) && self.found.values().next().is_some()
    }

    /// What servers of this minor version show, if it is known; a gap if there are only pods that prove nothing.
    pub(super) fn view(&self, minor: Option<u32>) -> Result<ApiServerView, Gap> {
        let all = self.found.sorted(|pod| pod.name.clone());
        let (proven, unproven): (Vec<_>, Vec<_>) = all.into_iter().partition(|pod| self.is_proven(pod));
        // Beside a real one, a pod that proves nothing decides nothing.
        if proven.is_empty()
            && let Some(pod) = unproven.first()
        {
            let what = format!(
                "read the API server's flags: no Node that was seen owns the mirror pod {}, so anyone may have made it",
                pod.name
            );
            return Err(Gap::new(Reason::Missing, what));
        }
        Ok(view(&proven, minor))
    }

    fn is_proven(&self, pod: &ApiServerPod) -> bool {
        let Some(owner) = &pod.node else { return false };
        let mut nodes = self.nodes.values().peekable();
        nodes.peek().is_none() || nodes.any(|node| node == owner)
    }
}

fn view(pods: &[&ApiServerPod], minor: Option<u32>) -> ApiServerView {
    let mut unread = Vec::new();
    let mut list = Vec::new();
    for (position, pod) in pods.iter().enumerate() {
        list.push(match &pod.arguments {
            Ok(arguments) => json!({"name": pod.name, "args": arguments}),
            Err(gap) => {
                unread.push(gap.clone().at(format!("$.related.apiServers[{position}].args")));
                json!({"name": pod.name})
            }
        });
    }
    let known = || pods.iter().filter_map(|pod| pod.arguments.as_ref().ok());
    let gap = pods.iter().find_map(|pod| pod.arguments.as_ref().err());
    // One that has it off decides, whatever the others have.
    let pod_security_plugin = match gap {
        _ if pods.is_empty() => Ok(None),
        _ if known().any(|arguments| lacks_pod_security(arguments, minor)) => Ok(Some("disabled")),
        Some(gap) => Err(gap.clone()),
        None => Ok(Some("enabled")),
    };
    let by_file = |arguments: &Arguments| arguments.contains_key("admission-control-config-file");
    let pod_security_default = match gap {
        _ if pods.is_empty() || known().any(by_file) => Ok(None),
        Some(gap) => Err(gap.clone()),
        None => Ok(Some("privileged")),
    };
    ApiServerView { list, unread, pod_security_plugin, pod_security_default }
}

/// What a pod shows if it says it is an API server's mirror pod; `None` of any other, and of one that its kubelet cannot
/// have made.
fn claimed(pod: &Value) -> Option<ApiServerPod> {
    let text = |pointer: &str| at(pod, pointer).and_then(Value::as_str);
    let of_api_server = text("/metadata/namespace") == Some("kube-system")
        && text("/metadata/labels/component") == Some("kube-apiserver");
    let annotation = |key: &str| at(pod, "/metadata/annotations").and_then(|all| all.get(key)?.as_str());
    let mirror = of_api_server && annotation("kubernetes.io/config.mirror").is_some();
    // A finalizer keeps a pod that its kubelet has disowned.
    let is_deleted = pod.pointer("/metadata/deletionTimestamp").is_some_and(|time| !time.is_null());
    if !mirror || is_deleted {
        return None;
    }
    let name = text("/metadata/name").unwrap_or_default().to_owned();
    let owners = pod.pointer("/metadata/ownerReferences").and_then(Value::as_array);
    let node = match owners.map(Vec::as_slice) {
        None | Some([]) => None,
        // A kubelet gives its mirror pods one owner, its Node, and names them after it.
        Some([owner]) => {
            let owner = |key: &str| owner.get(key).and_then(Value::as_str);
            let node = owner("name").filter(|_| owner("kind") == Some("Node"))?;
            let is_of_it = text("/spec/nodeName") == Some(node) && name.ends_with(&format!("-{node}"));
            Some(is_of_it.then(|| node.to_owned())?)
        }
        Some(_) => return None,
    };
    let arguments = arguments_of(pod).map_err(|why| {
        Gap::new(Reason::Malformed, format!("read the flags of the API server in the pod {name}: {why}"))
    });
    Some(ApiServerPod { name, node, arguments })
}

/// The flags of the container that starts an API server.
fn arguments_of(pod: &Value) -> Result<Arguments, String> {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    let containers: Vec<Result<Vec<String>, String>> =
        containers.into_iter().flatten().map(words_of).collect();
    let mut why = "no container starts it".to_owned();
    for words in &containers {
        let words = match words {
            Ok(words) => words,
            // Another container may be the one, and known.
            Err(unknown) => {
                why.clone_from(unknown);
                continue;
            }
        };
        match command_line::started(words) {
            Some(StartedComponent::Known(Component::ApiServer, words)) => {
                let flags = words.get(Component::name_words(&words)..).unwrap_or_default();
                let arguments = arguments::parse(Component::ApiServer, flags);
                return match arguments::last(&arguments, "openshift-config") {
                    Some(path) => Err(format!("more are in the file {path}")),
                    None => Ok(arguments),
                };
            }
            Some(StartedComponent::Unclear(Component::ApiServer, unclear)) => why = unclear,
            _ => {}
        }
    }
    match &containers[..] {
        // The image names the program.
        [Ok(words)] if words.iter().all(|word| word.starts_with('-')) => {
            Ok(arguments::parse(Component::ApiServer, words))
        }
        _ => Err(why),
    }
}

/// Command and arguments, with the variables that the pod sets by itself. Others are known to the node alone.
fn words_of(container: &Value) -> Result<Vec<String>, String> {
    let list = |key: &str| container.get(key).and_then(Value::as_array).into_iter().flatten();
    let env = variables::literal(container);
    let words = list("command").chain(list("args")).filter_map(Value::as_str);
    let known = |word: &str| {
        variables::expand(word, &env, variables::has_others(container))
            .map_err(|name| format!("the value of $({name}) is not in the pod"))
    };
    words.map(known).collect()
}

/// The plug-in is on by default; the deprecated `--admission-control` replaces the whole set. Up to 1.24 its feature gate
/// may be off, and then it admits everything.
fn lacks_pod_security(arguments: &Arguments, minor: Option<u32>) -> bool {
    let names_it = |flag: &str| {
        let values = arguments.get(flag)?;
        Some(values.iter().flat_map(|value| value.split(',')).any(|name| name.trim() == "PodSecurity"))
    };
    let gates = arguments.get("feature-gates");
    let gate = |name: &str| {
        let all = gates?.iter().flat_map(|value| value.split(',')).filter_map(|gate| gate.split_once('='));
        let last = all.rev().find(|(key, _)| key.trim() == name);
        last.map(|(_, value)| value.trim().eq_ignore_ascii_case("true") || value.trim() == "1")
    };
    let is_on = gate("PodSecurity").unwrap_or_else(|| match minor {
        Some(22) => gate("AllAlpha") == Some(true),
        Some(23 | 24) => gate("AllBeta") != Some(false),
        _ => true,
    });
    !is_on
        || names_it("disable-admission-plugins") == Some(true)
        || names_it("admission-control") == Some(false)
}

//! API servers that are started in other ways than by one plain command: their flags are read, or nothing is known.

use super::admission::api_server;
use super::*;

/// The state of the PodSecurity plug-in as API servers with these containers show it; `None`: it is unread.
fn plugin(servers: &[Value]) -> Option<String> {
    let mut index = index();
    for containers in servers {
        // The containers stand in for the command, which makes the UID.
        let mut pod = api_server(containers.clone(), json!({"kubernetes.io/config.mirror": "hash"}));
        pod.raw["spec"]["containers"] = containers.clone();
        index.note(&pod);
    }
    let namespace = namespace(&index);
    let state = namespace.related.get("podSecurityPlugin").and_then(Value::as_str).map(str::to_owned);
    let is_unread = unread_at(&namespace).contains(&"$.related.podSecurityPlugin");
    assert_eq!(state.is_none(), is_unread, "{servers:?}");
    state
}

const OFF: &str = "--disable-admission-plugins=PodSecurity";

#[test]
fn an_option_counts_wherever_a_container_has_it() {
    let script = format!("exec kube-apiserver {OFF}");
    for containers in [
        json!([{"command": ["kube-apiserver"], "args": [OFF]}]),
        json!([{"command": ["/bin/sh", "-ec"], "args": [script]}]),
        json!([{"args": [OFF]}]),
        json!([{"command": ["tini", "--", "bash", "-euo", "pipefail", "-c", script]}]),
        json!([{"command": ["sh", "-c", "kube-apiserver --disable-admission-plugins 'PodSecurity' 2>&1 | tee /log"]}]),
        json!([{"command": ["haproxy", "-f", "/x"]}, {"command": ["/bin/sh", "-c", script]}]),
    ] {
        assert_eq!(plugin(std::slice::from_ref(&containers)).as_deref(), Some("disabled"), "{containers}");
    }
}

#[test]
fn an_option_that_may_be_in_what_starts_the_server_is_not_taken_for_its_default() {
    for containers in [
        json!([{"command": ["env", "-S", format!("kube-apiserver {OFF}")]}]),
        json!([{"command": ["python3", "/start.py"]}]),
        json!([{"command": ["sh", "-c", format!("echo {OFF} | xargs kube-apiserver")]}]),
        json!([{"command": ["sh", "-c", "exec kube-apiserver $(cat /etc/flags)"]}]),
        json!([{"command": ["sh", "-c"], "args": ["N=PodSecurity; exec kube-apiserver --disable-admission-plugins=$N"]}]),
        json!([{"command": ["haproxy", "-f", "/x"]}, {"command": ["/start"]}]),
    ] {
        assert_eq!(plugin(std::slice::from_ref(&containers)), None, "{containers}");
    }
}

#[test]
fn one_server_of_several_that_cannot_be_read_leaves_the_whole_unknown() {
    let plain = json!([{"command": ["kube-apiserver", "--v=1"]}]);
    let hidden = json!([{"command": ["/start"]}]);
    let off = json!([{"command": ["sh", "-c", format!("kube-apiserver {OFF}")]}]);
    assert_eq!(plugin(std::slice::from_ref(&plain)).as_deref(), Some("enabled"));
    assert_eq!(plugin(&[plain.clone(), hidden.clone()]), None);
    assert_eq!(plugin(&[plain, hidden, off]).as_deref(), Some("disabled"), "one that has it off decides");
}

#[test]
fn variables_that_the_pod_sets_count_and_others_are_unknown() {
    let flag = "--disable-admission-plugins=$(PLUGINS)";
    let with = |env: Value| json!([{"command": ["kube-apiserver", flag], "env": env}]);
    let set = with(json!([{"name": "PLUGINS", "value": "PodSecurity"}]));
    assert_eq!(plugin(&[set]).as_deref(), Some("disabled"));
    let other = with(json!([{"name": "PLUGINS", "value": "EventRateLimit"}]));
    assert_eq!(plugin(&[other]).as_deref(), Some("enabled"));
    let secret = with(json!([{"name": "PLUGINS", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}]));
    assert_eq!(plugin(&[secret]), None);
    let sidecar = json!([{"command": ["kube-apiserver"]},
        {"command": ["proxy", "$(KEY)"], "envFrom": [{"secretRef": {"name": "a"}}]}]);
    assert_eq!(plugin(&[sidecar]).as_deref(), Some("enabled"), "another container's variable is not its");
}

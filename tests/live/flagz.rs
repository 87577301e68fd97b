//! The API server as it describes itself: judged from afar as on its node.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

use crate::bed::{Bed, env};
use crate::flips::arguments::first_batch;
use crate::flips::plain::{Changes, Plain};
use crate::plane::{Plane, READER};
use crate::verdicts::Verdicts;

const SERVER: &str = "kube-apiserver";

/// A scan of the cluster alone, by the bed's kubeconfig or another.
fn afar(bed: &Bed, kubeconfig: Option<&Path>) -> Verdicts {
    let named = kubeconfig.map(|path| format!("posturebeat.kube_config={}", path.display()));
    let mut args = vec!["-E", "posturebeat.collect.node=false"];
    args.extend(named.iter().flat_map(|named| ["-E", named.as_str()]));
    bed.verdicts(&args, &[])
}

/// The outcomes about a resource by number, of section 1.2 or of all.
fn of<'v>(verdicts: &'v Verdicts, resource: &str, section: &str) -> BTreeMap<&'v str, &'v str> {
    let all = verdicts.of(resource).into_iter();
    all.filter(|(number, _)| number.starts_with(section)).collect()
}

fn source(verdicts: &Verdicts) -> Value {
    verdicts.get("1.2.15", SERVER).unwrap().evidence["source"].clone()
}

#[test]
fn without_an_agent_section_1_2_is_judged_as_on_the_node() {
    let bed = Bed::take();
    let (near, afar) = (bed.verdicts(&[], &[]), afar(&bed, None));
    let (on_node, shown) = (of(&near, SERVER, "1.2."), of(&afar, SERVER, "1.2."));
    assert_eq!(on_node, shown);
    let judged = shown.values().filter(|outcome| ["passed", "failed"].contains(outcome)).count();
    assert!(judged >= 25, "{judged} of 30: {shown:?}");
    println!("of the 30 recommendations of section 1.2, {judged} are judged by /flagz, each as on the node");
    // The API server's part of 3.2, 5.2.1 and 5.5.1 too.
    assert_eq!(of(&near, SERVER, ""), of(&afar, SERVER, ""));
    assert_eq!((source(&near), source(&afar)), (Value::Null, json!("/flagz")));
}

#[test]
fn it_is_off_where_the_settings_say_so() {
    let bed = Bed::take();
    let off = ["-E", "posturebeat.collect.node=false", "-E", "posturebeat.collect.flagz=false"];
    assert!(bed.verdicts(&off, &[]).of(SERVER).is_empty());
}

/// What is broken beside the first batch, without what would lock us out.
fn other_batch() -> [Changes; 4] {
    let api_server = Changes::set(&[
        "authorization-mode=RBAC,AlwaysAllow",
        "enable-admission-plugins=AlwaysAdmit",
        "disable-admission-plugins=ServiceAccount,NamespaceLifecycle,PodSecurity",
        "audit-log-maxage=1",
        "request-timeout=1000s",
        "service-account-lookup=false",
        "tls-min-version=VersionTLS13",
    ])
    .without(&[
        "kubelet-client-certificate",
        "kubelet-client-key",
        "tls-cert-file",
        "tls-private-key-file",
    ]);
    [Changes::default(), api_server, Changes::default(), Changes::default()]
}

#[test]
fn changed_flags_are_judged_as_on_the_node_and_files_are_errors() {
    let bed = Bed::take();
    let files = ["1.2.27", "1.2.28", "3.2.1", "3.2.2", "5.5.1"];
    // Which of its certificates somebody set, it does not tell.
    for (changes, unknown) in [
        (<[Changes; 4]>::default(), &[][..]),
        (first_batch(&bed), &files[..]),
        (other_batch(), &["1.2.24"]),
        (<[Changes; 4]>::default(), &[]),
    ] {
        let mut plain = Plain::start(&bed, changes);
        let near = bed.verdicts(&[], &plain.names());
        let shown = afar(&bed, Some(&Plain::kubeconfig(&bed)));
        plain.assert_alive();
        let (mut near, shown) = (of(&near, Plain::API_SERVER, ""), of(&shown, SERVER, ""));
        for number in unknown {
            near.insert(*number, "error");
        }
        assert_eq!(near, shown);
    }
}

/// An account that may read what a leader reads, and these paths.
fn account(paths: &[&str]) -> Value {
    let api = "rbac.authorization.k8s.io";
    let version = format!("{api}/v1");
    let all = json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]});
    let rules = match paths {
        [] => json!([all]),
        paths => json!([all, {"nonResourceURLs": paths, "verbs": ["get"]}]),
    };
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "afar"}, "items": [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "afar", "namespace": "demo"}},
        {"apiVersion": version, "kind": "ClusterRole", "metadata": {"name": "afar"}, "rules": rules},
        {"apiVersion": version, "kind": "ClusterRoleBinding", "metadata": {"name": "afar"},
            "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "afar"},
            "subjects": [{"kind": "ServiceAccount", "name": "afar", "namespace": "demo"}]},
    ]})
}

#[test]
fn one_right_opens_it_and_without_it_the_pod_counts() {
    let bed = Bed::take();
    let rights = bed.apply(&account(&[]));
    let (kubeconfig, _) = bed.kubeconfig("demo", "afar");
    let near = bed.verdicts(&[], &[]);
    for (paths, expected) in [
        (&[][..], format!("Pod kube-system/kube-apiserver-{}", env("TESTBED_NODE_NAME"))),
        (&["/flagz"], "/flagz".to_owned()),
    ] {
        rights.change(&account(paths));
        let may = if paths.is_empty() { "no" } else { "yes" };
        bed.until("the right to reach the authorizer", || {
            let who = "--as=system:serviceaccount:demo:afar";
            let answer = bed.kubectl_output(&["auth", "can-i", "get", "/flagz", who]);
            (String::from_utf8_lossy(&answer.stdout).trim() == may).then_some(())
        });
        let shown = afar(&bed, Some(&kubeconfig));
        assert_eq!(source(&shown), json!(expected));
        assert_eq!(of(&near, SERVER, ""), of(&shown, SERVER, ""), "{expected}");
    }
}

#[test]
fn a_server_that_neither_it_nor_a_pod_shows_is_an_error_that_names_the_right() {
    let bed = Bed::share();
    let plane = Plane::start(&bed, "closed", 1);
    let kubeconfig = plane.kubeconfig(READER, &plane.address(0));
    let config = format!("posturebeat.kube_config={}", kubeconfig.display());
    let node = "posturebeat.collect.node=false";
    let output = bed.output(&["scan", "--format", "ndjson", "-E", node, "-E", &config]);
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let number =
        |line: &Value| line["rule"]["benchmark"]["rule_number"].as_str().unwrap_or_default().to_owned();
    let section: Vec<&Value> = lines.iter().filter(|line| number(line).starts_with("1.2.")).collect();
    assert_eq!(section.len(), 30);
    for line in section {
        assert_eq!(line["result"]["evaluation"], "error", "{}", number(line));
        let message = line["error"]["message"].as_str().unwrap();
        assert!(message.contains("get /flagz: HTTP 403"), "{message}");
    }
}

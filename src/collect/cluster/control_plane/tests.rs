//! The API server from afar: as on its node where it shows itself, an error where it does not, and judged once.

mod api;
mod faults;
mod sources;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{API_SERVER, ApiServerView, ControlPlaneRequest, api_server};
use crate::collect::arguments;
use crate::collect::component::Component;
use crate::evaluate::{Judge, Judgement, Outcome};
use crate::resource::{Kind, Owner, Resource};
use crate::rule::{Catalogue, Rule, built_in};
use api::{Api, Shown, flagz, stock};

static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let catalogue = Catalogue::load(&built_in()).unwrap();
    catalogue.rules(&["cis_k8s@2.0.1".to_owned()], &BTreeMap::new()).unwrap()
});

/// How the API server of this cluster is seen, on a clock that does not wait.
fn view(api: &Api, namespace: Option<&str>, managed: bool) -> ApiServerView {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let owner = Owner { id: "cluster/u".into(), name: "kubernetes".into() };
    let now = "2026-11-30T12:00:00Z".parse().unwrap();
    let request = ControlPlaneRequest { owner: &owner, version: Some("1.37"), namespace, now, managed };
    runtime.block_on(async { api_server(&api.client(), &request).await })
}

fn seen(api: &Api) -> Resource {
    match view(api, None, false) {
        ApiServerView::Seen(resource) => *resource,
        other => panic!("{other:?}"),
    }
}

/// What comes of each number.
fn judged(resource: Resource) -> BTreeMap<String, Judgement> {
    let judge = Judge::new(&RULES);
    let judgements = judge.judge(resource);
    let of = |(rules, judgement): (&[usize], Judgement)| {
        rules.iter().map(|rule| (RULES[*rule].row.number.clone(), judgement.clone())).collect::<Vec<_>>()
    };
    judgements.into_iter().flat_map(of).collect()
}

fn outcomes(resource: Resource) -> BTreeMap<String, Outcome> {
    judged(resource).into_iter().map(|(number, judgement)| (number, judgement.outcome)).collect()
}

/// The process with this command line, as an agent on its node sees it.
fn on_its_node(words: &[String]) -> Resource {
    let args = arguments::parse(Component::ApiServer, words);
    let raw = json!({"component": API_SERVER, "version": "1.37", "pid": "7", "args": args, "files": {}});
    Resource::observed(Kind::Process, "process".into(), "712".into(), API_SERVER.into(), raw)
}

fn with_flags(words: &[String]) -> Api {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Shown { flagz: (200, flagz(&words, &[])), ..Shown::default() }.api()
}

fn of_section(outcomes: &BTreeMap<String, Outcome>) -> BTreeMap<&str, Outcome> {
    let of_it = outcomes.iter().filter(|(number, _)| number.starts_with("1.2."));
    of_it.map(|(number, outcome)| (number.as_str(), *outcome)).collect()
}

#[test]
fn a_stock_server_is_judged_as_on_its_node() {
    let afar = seen(&with_flags(&stock()));
    assert_eq!(
        (afar.id.as_str(), afar.name.as_str()),
        ("cluster/u/process/kube-apiserver", "kube-apiserver")
    );
    let afar = outcomes(afar);
    assert_eq!(afar, outcomes(on_its_node(&stock())));
    let section = of_section(&afar);
    let is_judged = |outcome: &&Outcome| matches!(outcome, Outcome::Passed | Outcome::Failed);
    assert_eq!((section.len(), section.values().filter(is_judged).count()), (30, 29), "{section:?}");
    assert_eq!(section["1.2.28"], Outcome::NotApplicable, "nothing is encrypted");
}

#[test]
fn every_changed_flag_is_judged_as_on_its_node() {
    for (change, numbers) in [
        ("--anonymous-auth=false", &["1.2.1"][..]),
        ("--token-auth-file=/tokens.csv", &["1.2.2"]),
        (
            "--enable-admission-plugins=DenyServiceExternalIPs,AlwaysPullImages",
            &["1.2.3", "1.2.11", "1.2.14"],
        ),
        ("--kubelet-client-key=", &["1.2.4"]),
        ("--kubelet-certificate-authority=/ca.crt", &["1.2.5"]),
        ("--authorization-mode=AlwaysAllow", &["1.2.1", "1.2.6", "1.2.7", "1.2.8"]),
        ("--enable-admission-plugins=EventRateLimit", &["1.2.9", "1.2.14"]),
        ("--enable-admission-plugins=AlwaysAdmit", &["1.2.10", "1.2.14"]),
        ("--disable-admission-plugins=ServiceAccount,NamespaceLifecycle", &["1.2.12", "1.2.13"]),
        ("--disable-admission-plugins=PodSecurity", &["5.2.1"]),
        ("--profiling=false", &["1.2.15"]),
        ("--audit-log-path=/var/log/audit.log", &["1.2.16", "1.2.17", "1.2.18", "1.2.19"]),
        ("--request-timeout=10m", &["1.2.20"]),
        ("--service-account-lookup=false", &["1.2.21"]),
        ("--etcd-certfile=", &["1.2.23"]),
        ("--client-ca-file=", &["1.2.25"]),
        ("--etcd-cafile=", &["1.2.26"]),
        ("--tls-min-version=VersionTLS13", &["1.2.29"]),
        ("--tls-cipher-suites=TLS_AES_128_GCM_SHA256", &["1.2.29"]),
        ("--service-account-extend-token-expiration=false", &["1.2.30"]),
    ] {
        let mut words: Vec<String> = stock();
        let (name, _) = change.split_once('=').unwrap();
        words.retain(|word| word.split_once('=').unwrap().0 != name);
        words.push(change.to_owned());
        let told = outcomes(seen(&with_flags(&words)));
        assert_eq!(told, outcomes(on_its_node(&words)), "{change}");
        let before = outcomes(on_its_node(&stock()));
        let flipped: Vec<&str> = told
            .iter()
            .filter(|(number, is)| before[*number] != **is)
            .map(|(number, _)| number.as_str())
            .collect();
        let flipped: BTreeSet<&str> = flipped.into_iter().collect();
        assert_eq!(flipped, numbers.iter().copied().collect(), "{change}");
    }
}

#[test]
fn what_files_hold_is_an_error_and_never_absent() {
    for (change, errors) in [
        ("--encryption-provider-config=/enc.yaml", &["1.2.27", "1.2.28"][..]),
        ("--audit-policy-file=/audit.yaml", &["3.2.1", "3.2.2"]),
        ("--authentication-config=/authn.yaml", &["1.2.1"]),
    ] {
        let log = "--audit-log-path=/var/log/audit.log".to_owned();
        let words: Vec<String> = stock().into_iter().chain([log, change.to_owned()]).collect();
        let told = judged(seen(&with_flags(&words)));
        let wrong = told.iter().filter(|(_, judgement)| judgement.outcome == Outcome::Error);
        let wrong: BTreeMap<&str, &str> =
            wrong.map(|(number, it)| (number.as_str(), it.gap.as_ref().unwrap().what.as_str())).collect();
        assert_eq!(wrong.keys().copied().collect::<Vec<_>>(), errors, "{change}: {wrong:?}");
        let path = change.split_once('=').unwrap().1;
        for what in wrong.values() {
            assert!(what.contains(&format!("read {path}: only seen on a control-plane node")), "{what}");
        }
    }
    // The modes of the flag do not count beside the file.
    let mut words: Vec<String> = stock();
    words.retain(|word| !word.starts_with("--authorization-mode"));
    words.push("--authorization-config=/authz.yaml".into());
    let told = outcomes(seen(&with_flags(&words)));
    for number in ["1.2.6", "1.2.7", "1.2.8"] {
        assert_eq!(told[number], Outcome::Error, "{number}");
    }
}

#[test]
fn the_evidence_names_its_source() {
    let told = judged(seen(&with_flags(&stock())));
    for (number, judgement) in &told {
        let source = judgement.evidence.get("source");
        let is_not = judgement.outcome == Outcome::NotApplicable;
        assert_eq!(source, Some(&json!("/flagz")).filter(|_| !is_not), "{number}");
    }
    assert_eq!(told["1.2.15"].evidence["--profiling"], json!(true));
    let on_node = judged(on_its_node(&stock()));
    assert!(on_node.values().all(|judgement| !judgement.evidence.contains_key("source")));
}

#[test]
fn nothing_of_a_process_that_flags_do_not_tell_is_absent() {
    let resource = seen(&with_flags(&stock()));
    let unread: BTreeSet<&str> = resource.unread.iter().map(|unread| unread.at.as_str()).collect();
    for key in ["authorities", "command", "pid", "program", "started", "stat"] {
        assert!(unread.contains(format!("$.{key}").as_str()), "{key}");
        assert_eq!(resource.raw.get(key), None::<&Value>);
    }
    assert_eq!(resource.raw["version"], "1.37");
}

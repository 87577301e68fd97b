//! What an exception is about, and what becomes of it; each test of a thread is one that users of other tools
//! suffered from.

use serde_json::json;
use std::sync::LazyLock;

use super::*;
use crate::evaluate::Judge;
use crate::resource::{Gap, Owner, PodTemplates, Reason, Selector};
use crate::rule::{Catalogue, built_in};

const NOW: &str = "2026-06-01T00:00:00Z";

/// An exception from the rule `rule`, with `change` applied.
fn exception(rule: &str, change: impl FnOnce(&mut Exception)) -> Exception {
    let mut exception = Exception {
        place: "x.yml:1:3".into(),
        rule: RuleName::new(rule),
        kind: None,
        namespace: None,
        name: None,
        labels: BTreeMap::new(),
        cluster: None,
        reason: "R".into(),
        owner: "O".into(),
        expires: None,
    };
    change(&mut exception);
    exception
}

fn named(rule: &str, name: &str) -> Exception {
    exception(rule, |exception| exception.name = Some(Pattern::new(name)))
}

/// Reading them all takes its time.
static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::load(&built_in()).unwrap());
static RULES: LazyLock<Vec<Rule>> =
    LazyLock::new(|| CATALOGUE.rules(&["cis_k8s@2.0.1".into()], &BTreeMap::new()).unwrap());

fn pod(name: &str, spec: Value) -> Resource {
    let metadata = json!({"name": name, "namespace": "shop", "labels": {"app": "web", "app.kubernetes.io/part-of": "shop"}});
    object("Pod", name, json!({"kind": "Pod", "metadata": metadata, "spec": spec}))
}

fn object(kind: &str, name: &str, raw: Value) -> Resource {
    let (kind, id, name) = (kind.to_owned(), name.to_owned(), name.to_owned());
    Resource::observed(Kind::K8sObject, kind, id, name, raw)
}

/// Fails 5.2.2, and 5.2.6 and others of its section.
fn privileged(name: &str) -> Resource {
    pod(name, json!({"containers": [{"name": "c", "securityContext": {"privileged": true}}]}))
}

fn cluster() -> Cluster {
    Cluster { id: "c-id".into(), name: Some("prod".into()), ..Cluster::default() }
}

/// Judges the resources in one cycle: of each the numbers of the rules whose findings are marked, with the
/// exception's number; and what became of each exception.
fn cycle(
    exceptions: Vec<Exception>,
    resources: Vec<Resource>,
) -> (Vec<Vec<(String, usize)>>, Vec<ExceptionUse>) {
    let rules = &*RULES;
    let judge = Judge::new(rules);
    let exceptions = Exceptions::new(exceptions, rules);
    let mut cycle = exceptions.cycle(NOW.parse().unwrap(), &cluster());
    let mut marked = Vec::new();
    for resource in resources {
        let about = cycle.about(&resource);
        let judgements = judge.judge(resource);
        let marks = cycle.marks(&about, &judgements);
        let number =
            |index: usize| marks.of(index).map(|mark| (rules[index].row.number.clone(), mark.number));
        marked.push((0..rules.len()).filter_map(number).collect());
    }
    (marked, cycle.close())
}

fn states(uses: &[ExceptionUse]) -> Vec<ExceptionState> {
    uses.iter().map(|used| used.state).collect()
}

/// Whether the exception marks the privileged pod `web` by 5.2.2.
fn fits(exception: Exception) -> bool {
    let (marked, _) = cycle(vec![exception], vec![privileged("web")]);
    marked[0].iter().any(|(number, _)| number == "5.2.2")
}

#[test]
fn a_rule_has_four_names() {
    let id = &RULES.iter().find(|rule| rule.row.number == "5.2.2").unwrap().id;
    for rule in ["pod-privileged", "5.2.2", "cis_k8s@2.0.1/5.2.2", id, &id.to_uppercase()] {
        assert!(fits(exception(rule, |_| {})), "{rule}");
    }
    for rule in ["pod-privilege-escalation", "5.2.3", "5.2", "cis_k8s@1.0.1/5.2.2", "POD-PRIVILEGED"] {
        assert!(!fits(exception(rule, |_| {})), "{rule}");
    }
}

#[test]
fn names_are_exact_unless_a_star_says_otherwise() {
    for (name, fit) in [
        ("web", true),
        ("we", false),
        ("web-1", false),
        ("Web", false),
        ("w*", true),
        ("*", true),
        ("x*", false),
    ] {
        assert_eq!(fits(named("5.2.2", name)), fit, "{name}");
    }
    let namespace =
        |name: &str| exception("5.2.2", |exception| exception.namespace = Some(Pattern::new(name)));
    assert!(fits(namespace("shop")) && fits(namespace("sh*")) && !fits(namespace("sho")));
    let kind = |name: &str| exception("5.2.2", |exception| exception.kind = Some(Pattern::new(name)));
    assert!(fits(kind("Pod")) && fits(kind("k8s_object")) && !fits(kind("pod")) && !fits(kind("file")));
}

#[test]
fn labels_must_all_be_there_with_their_values() {
    let labels = |labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        exception("5.2.2", |exception| exception.labels = labels)
    };
    assert!(fits(labels(&[("app", "web"), ("app.kubernetes.io/part-of", "shop")])));
    for wrong in [[("app", "web"), ("tier", "x")], [("app", "we"), ("app", "we")], [("app", ""), ("app", "")]]
    {
        assert!(!fits(labels(&wrong)), "{wrong:?}");
    }
}

#[test]
fn a_cluster_has_an_id_and_a_name() {
    let of = |name: &str| exception("5.2.2", |exception| exception.cluster = Some(Pattern::new(name)));
    for (name, fit) in [("c-id", true), ("prod", true), ("pr*", true), ("test", false), ("", false)] {
        assert_eq!(fits(of(name)), fit, "{name}");
    }
    let (_, uses) = cycle(vec![of("test")], vec![privileged("web")]);
    assert_eq!(states(&uses), [ExceptionState::OtherCluster]);
    // Manifests are of no cluster: a star does not make them one of everybody's.
    let exceptions = Exceptions::new(vec![of("*")], &RULES);
    let cycle = exceptions.cycle(NOW.parse().unwrap(), &Cluster::default());
    assert_eq!(cycle.about(&privileged("web")), []);
}

#[test]
fn an_exception_is_over_at_its_time() {
    for (expires, fit) in
        [("2026-06-01T00:00:00.001Z", true), (NOW, false), ("2026-05-31T23:59:59.999Z", false)]
    {
        let until = || exception("5.2.2", |exception| exception.expires = Some(expires.parse().unwrap()));
        assert_eq!(fits(until()), fit, "{expires}");
        let (_, uses) = cycle(vec![until()], vec![privileged("web")]);
        assert_eq!(
            states(&uses),
            [if fit { ExceptionState::InUse } else { ExceptionState::Expired }],
            "{expires}"
        );
    }
}

#[test]
fn of_several_the_first_wins_and_all_have_matched() {
    let exceptions = vec![named("5.2.2", "other"), named("pod-privileged", "web"), named("5.2.2", "w*")];
    let (marked, uses) = cycle(exceptions, vec![privileged("web")]);
    assert_eq!(marked[0], [("5.2.2".to_owned(), 1)]);
    assert_eq!(states(&uses), [ExceptionState::Unmatched, ExceptionState::InUse, ExceptionState::InUse]);
    assert_eq!(uses.iter().map(|used| used.findings).collect::<Vec<_>>(), [0, 1, 1]);
}

#[test]
fn what_passes_needs_no_exception() {
    let (marked, uses) = cycle(vec![named("5.2.2", "web")], vec![pod("web", json!({"containers": []}))]);
    assert_eq!((marked[0].len(), states(&uses)), (0, vec![ExceptionState::NotNeeded]));
}

#[test]
fn what_could_not_be_seen_is_not_excepted_and_nothing_is_said_against_the_exception() {
    let owner = Owner { id: "cluster/c-id".into(), name: "prod".into() };
    let gap = Resource::unlisted(
        &Selector::new(Kind::K8sObject, "Pod"),
        &owner,
        Gap::new(Reason::Denied, "list pods"),
    );
    let (marked, uses) = cycle(vec![named("5.2.2", "web")], vec![gap]);
    assert_eq!((marked[0].len(), states(&uses)), (0, vec![ExceptionState::Undecided]));
}

#[test]
fn what_a_person_must_decide_can_be_decided() {
    let mut namespace =
        object("Namespace", "shop", json!({"kind": "Namespace", "metadata": {"name": "shop"}}));
    namespace.related.insert("podPolicyEngines".into(), json!(["kyverno"]));
    let (marked, uses) = cycle(vec![named("5.2.1", "shop")], vec![namespace]);
    assert_eq!((marked[0].len(), states(&uses)), (1, vec![ExceptionState::InUse]));
}

#[test]
fn kube_bench_649_a_group_of_rules_is_excepted_by_its_section() {
    let (marked, _) = cycle(vec![exception("5.2.*", |_| {})], vec![privileged("web")]);
    let numbers: Vec<&str> = marked[0].iter().map(|(number, _)| number.as_str()).collect();
    assert!(numbers.contains(&"5.2.2") && numbers.contains(&"5.2.6"), "{numbers:?}");
    assert!(numbers.iter().all(|number| number.starts_with("5.2.")), "{numbers:?}");
}

#[test]
fn trivy_operator_1366_one_role_is_excepted_and_the_next_is_not() {
    let role = |name: &str| {
        object(
            "ClusterRole",
            name,
            json!({"kind": "ClusterRole", "metadata": {"name": name},
            "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]}),
        )
    };
    let (marked, _) = cycle(vec![named("5.1.3", "deployer")], vec![role("deployer"), role("other")]);
    assert_eq!((marked[0].as_slice(), marked[1].len()), ([("5.1.3".to_owned(), 0)].as_slice(), 0));
}

#[test]
fn trivy_operator_1517_files_and_processes_have_exceptions_by_path_and_component() {
    let resource = |kind, sub_type: &str, name: &str, raw| {
        Resource::observed(kind, sub_type.into(), name.into(), name.into(), raw)
    };
    let path = "/etc/kubernetes/manifests/kube-scheduler.yaml";
    let file = || {
        resource(
            Kind::File,
            "file",
            path,
            json!({"roles": ["scheduler-manifest"], "mode": "666", "uid": "0", "gid": "0"}),
        )
    };
    // The kernel cuts the name to 15 characters.
    let process = || {
        resource(
            Kind::Process,
            "process",
            "kube-controller",
            json!({"component": "kube-controller-manager", "args": {}}),
        )
    };
    let exceptions = vec![named("1.1.5", path), named("controller-manager-*", "kube-controller-manager")];
    let (marked, uses) = cycle(exceptions, vec![file(), process()]);
    assert_eq!(marked[0], [("1.1.5".to_owned(), 0)]);
    assert!(!marked[1].is_empty());
    assert_eq!(states(&uses), [ExceptionState::InUse, ExceptionState::InUse]);
    let (marked, _) = cycle(vec![named("1.1.5", "kube-scheduler.yaml")], vec![file()]);
    assert!(marked[0].is_empty(), "the whole path is its name");
}

#[test]
fn an_exception_for_pods_is_about_the_template_that_they_come_of() {
    let deployment = |name: &str| {
        let template = json!({"metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "c", "securityContext": {"privileged": true}}]}});
        let metadata = json!({"name": name, "namespace": "default", "labels": {"tier": "front"}});
        let raw = json!({"kind": "Deployment", "metadata": metadata, "spec": {"template": template}});
        let mut deployment = object("Deployment", name, raw);
        deployment.pod_template = PodTemplates::default().get("Deployment").cloned();
        deployment
    };
    let marks = |rule: &str, change: &dyn Fn(&mut Exception)| {
        let (marked, _) = cycle(vec![exception(rule, change)], vec![deployment("web")]);
        marked[0].iter().map(|(number, _)| number.clone()).collect::<Vec<_>>()
    };
    let kind =
        |kind: &'static str| move |exception: &mut Exception| exception.kind = Some(Pattern::new(kind));
    let name = |name: &'static str| {
        move |exception: &mut Exception| {
            exception.kind = Some(Pattern::new("Pod"));
            exception.name = Some(Pattern::new(name));
        }
    };
    let label = |key: &'static str, value: &'static str| {
        move |exception: &mut Exception| {
            exception.labels = BTreeMap::from([(key.to_owned(), value.to_owned())]);
        }
    };
    assert_eq!(marks("5.2.2", &kind("Pod")), ["5.2.2"]);
    assert_eq!(marks("5.2.2", &kind("Deployment")), ["5.2.2"]);
    assert!(marks("5.2.2", &kind("DaemonSet")).is_empty());
    for (pods, fit) in
        [("web", true), ("web-*", true), ("web*", true), ("web-1", false), ("w", false), ("api-*", false)]
    {
        assert_eq!(!marks("5.2.2", &name(pods)).is_empty(), fit, "{pods}");
    }
    assert_eq!(marks("5.2.2", &label("app", "web")), ["5.2.2"], "a label of the pods");
    assert_eq!(marks("5.2.2", &label("tier", "front")), ["5.2.2"], "a label of the workload");
    assert!(marks("5.2.2", &label("tier", "back")).is_empty());
    // That it is in the default namespace is the workload's own finding, not one of its pods.
    assert!(marks("5.6.4", &kind("Pod")).is_empty());
    assert_eq!(marks("5.6.4", &kind("Deployment")), ["5.6.4"]);
}

#[test]
fn unknown_rules_are_told_with_what_was_probably_meant() {
    let known = KnownRules::new(&CATALOGUE, PodTemplates::default());
    for (rule, message) in [
        ("pod-priviledged", "unknown rule `pod-priviledged`; did you mean `pod-privileged`?"),
        ("5.2.22", "unknown rule `5.2.22`; did you mean `5.2.2`?"),
        ("cis_k8s@2.0.0/5.2.2", "unknown rule `cis_k8s@2.0.0/5.2.2`; did you mean `cis_k8s@2.0.1/5.2.2`?"),
    ] {
        assert_eq!(known.unknown(&RuleName::new(rule)).as_deref(), Some(message));
    }
    for rule in ["Privileged container", "9*", "cis_k8s/5.2.2", "c8d9a1a3-0000-4000-8000-000000000000"] {
        let message = known.unknown(&RuleName::new(rule)).unwrap();
        assert!(message.contains("a number such as `5.2.2`"), "{message}");
    }
    // Of a benchmark that is not in force, it is no mistake.
    for rule in ["cis_k8s@1.0.1/5.2.2", "5.2.*", "pod-*", "1e180f0d-3419-5681-838b-9247927eb0f6"] {
        assert_eq!(known.unknown(&RuleName::new(rule)), None, "{rule}");
    }
}

#[test]
fn platform_3085_an_exception_that_can_never_match_is_a_mistake_at_once() {
    let known = KnownRules::new(&CATALOGUE, PodTemplates::default());
    let kind = |rule: &str, kind: &str| {
        known.impossible(&exception(rule, |exception| exception.kind = Some(Pattern::new(kind))))
    };
    assert_eq!(kind("5.2.2", "pod").as_deref(), Some("`5.2.2` judges no `pod`; did you mean `Pod`?"));
    let message = kind("1.1.1", "Pod").unwrap();
    assert_eq!(message, "`1.1.1` judges no `Pod`; expected one of `directory`, `file`");
    for (rule, fitting) in [
        ("5.2.2", "Pod"),
        ("5.2.2", "CronJob"),
        ("5.2.2", "Rollout.argoproj.io"),
        ("5.2.*", "Namespace"),
        ("1.1.1", "file"),
        ("1.2.1", "process"),
    ] {
        assert_eq!(kind(rule, fitting), None, "{rule} {fitting}");
    }
    let in_namespace =
        exception("1.1.1", |exception| exception.namespace = Some(Pattern::new("kube-system")));
    let message = known.impossible(&in_namespace).unwrap();
    assert_eq!(message, "`1.1.1` judges no Kubernetes objects, so `namespace` can never match: remove it");
}

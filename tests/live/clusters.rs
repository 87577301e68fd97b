//! Several clusters, told apart in one Elasticsearch: by one process with a context for each, and by one process each.

use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bed::{Bed, Running, Store};
use crate::plane::{Plane, free_ports};

const STORE: Store = Store::Elasticsearch;
const FINDINGS: &str = "logs-cloud_security_posture.findings";
const OUTCOMES: &str = "logs-posturebeat.outcomes";
const COVERAGE: &str = "logs-posturebeat.coverage";
/// The name of an object that is in each cluster. Others may use the bed at the same time.
fn role_name() -> String {
    format!("of-{}", Bed::namespace("many"))
}

/// A kubeconfig of contexts `(name, url)`, each of the cluster `the-NAME`; all trust and let in whom the bed does.
fn kubeconfig(bed: &Bed, contexts: &[(&str, &str)]) -> PathBuf {
    let read = bed.kubectl(&["config", "view", "--raw", "--output=json"]);
    let read: Value = serde_json::from_str(&read).unwrap();
    let authority = &read["clusters"][0]["cluster"]["certificate-authority-data"];
    let cluster = |(name, url): &(&str, &str)| json!({"name": format!("the-{name}"), "cluster": {"server": url, "certificate-authority-data": authority}});
    let context = |(name, _): &(&str, &str)| json!({"name": name, "context": {"cluster": format!("the-{name}"), "user": "admin"}});
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": contexts[0].0,
        "users": [{"name": "admin", "user": read["users"][0]["user"]}],
        "clusters": contexts.iter().map(cluster).collect::<Vec<_>>(),
        "contexts": contexts.iter().map(context).collect::<Vec<_>>()});
    let path = bed.path("clusters.conf");
    std::fs::write(&path, config.to_string()).unwrap();
    path
}

/// The configuration for these contexts, into data streams of their own.
fn config(bed: &Bed, namespace: &str, kubeconfig: &Path, contexts: &[&str]) -> PathBuf {
    let more = format!(
        "  period: 20s\n  benchmarks: [cis_k8s@1.0.1]\n  collect.node: false\n  kube_config: {}\n  kube_contexts: [{}]\n",
        kubeconfig.display(),
        contexts.join(", ")
    );
    bed.config(STORE, namespace, &more)
}

/// Accounts of cycles, by cluster, in the order of their sequences.
fn accounts(bed: &Bed, namespace: &str) -> BTreeMap<String, Vec<Value>> {
    let mut by_cluster: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for hit in bed.documents(STORE, &format!("{COVERAGE}-{namespace}")) {
        let account = hit["_source"].clone();
        let id = account["orchestrator"]["cluster"]["id"].as_str().unwrap().to_owned();
        by_cluster.entry(id).or_default().push(account);
    }
    for accounts in by_cluster.values_mut() {
        accounts.sort_by_key(|account| account["event"]["sequence"].as_i64());
    }
    by_cluster
}

/// Documents for which all these terms hold.
fn matching(bed: &Bed, stream: &str, namespace: &str, terms: &[(&str, &Value)]) -> Vec<Value> {
    let index = format!("{stream}-{namespace}");
    bed.count(STORE, &index);
    let terms: Vec<Value> = terms.iter().map(|(field, value)| json!({"term": {*field: *value}})).collect();
    let query = json!({"size": 10_000, "query": {"bool": {"filter": terms}}});
    let (status, answer) = bed.request(STORE, "POST", &format!("/{index}/_search"), Some(&query));
    assert_eq!(status, 200, "{answer}");
    answer["hits"]["hits"].as_array().unwrap().iter().map(|hit| hit["_source"].clone()).collect()
}

/// What makes a finding what it is, but for when: cluster, its name, rule, resource.
fn identities(findings: &[Value]) -> BTreeSet<[String; 4]> {
    let of = |finding: &Value| {
        ["/orchestrator/cluster/id", "/orchestrator/cluster/name", "/rule/id", "/resource/id"]
            .map(|at| finding.pointer(at).and_then(Value::as_str).unwrap().to_owned())
    };
    findings.iter().map(of).collect()
}

/// What arrived of each whole cycle is what its account says, all of it of the one cluster.
fn every_cycle_is_whole(bed: &Bed, namespace: &str, id: &str, accounts: &[Value]) {
    let id = json!(id);
    let mut last = i64::MIN;
    for account in accounts {
        let sequence = &account["event"]["sequence"];
        assert!(sequence.as_i64().unwrap() > last, "{id}: each cycle has a sequence of its own");
        last = sequence.as_i64().unwrap();
        // What the watch judged again between cycles has the cycle's sequence, and is no part of the account.
        let of_cycle = [("orchestrator.cluster.id", &id), ("event.sequence", sequence)];
        let found = matching(bed, FINDINGS, namespace, &of_cycle);
        let found = identities(&found).len() as u64;
        let totals = &account["posturebeat"]["coverage"];
        let told = totals["passed"].as_u64().unwrap() + totals["failed"].as_u64().unwrap();
        assert!(found >= told && told > 50, "{id}, cycle {sequence}: {found} of {told} findings");
    }
}

fn role(namespace: &str) -> Value {
    json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": role_name(), "namespace": namespace},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]})
}

/// Three clusters: the bed's, and two that live as long as this.
struct Three<'b> {
    bed: &'b Bed,
    kubeconfig: PathBuf,
    /// Id and context of each.
    known: BTreeMap<String, &'static str>,
    _eu: Plane<'b>,
    us: Plane<'b>,
    _role: crate::bed::Applied<'b>,
}

const CONTEXTS: [&str; 3] = ["home", "eu", "us"];

impl<'b> Three<'b> {
    fn start(bed: &'b Bed) -> Self {
        let (eu, us) = (Plane::start(bed, "eu", 1), Plane::start(bed, "us", 1));
        let urls = [Bed::url(), eu.url(0), us.url(0)];
        let pairs: Vec<(&str, &str)> = CONTEXTS.into_iter().zip(urls.iter().map(String::as_str)).collect();
        let kubeconfig = kubeconfig(bed, &pairs);
        let applied = bed.apply(&role("default"));
        let path = bed.path("role.json");
        std::fs::write(&path, role("default").to_string()).unwrap();
        let mut known = BTreeMap::new();
        for (context, url) in pairs {
            let server = format!("--server={url}");
            bed.kubectl(&[&server, "apply", "-f", path.to_str().unwrap()]);
            let uid =
                bed.kubectl(&[&server, "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
            known.insert(uid, context);
        }
        assert_eq!(known.len(), 3, "{known:?}");
        Self { bed, kubeconfig, known, _eu: eu, us, _role: applied }
    }

    fn id(&self, context: &str) -> &str {
        self.known.iter().find(|(_, known)| **known == context).unwrap().0
    }

    /// Waits until each of these clusters has so many whole cycles that `is` likes.
    fn until(
        &self,
        namespace: &str,
        running: &mut Running,
        contexts: &[&str],
        count: usize,
        is: impl Fn(&Value) -> bool,
    ) -> BTreeMap<String, Vec<Value>> {
        self.bed.until("cycles of each cluster", || {
            assert!(running.child.try_wait().unwrap().is_none(), "it ended: {}", running.log());
            let accounts = accounts(self.bed, namespace);
            let ids: BTreeSet<&String> = accounts.keys().collect();
            assert!(ids.iter().all(|id| self.known.contains_key(*id)), "no other cluster: {ids:?}");
            let of = |context: &&str| accounts.get(self.id(context)).map(Vec::as_slice).unwrap_or_default();
            let enough =
                contexts.iter().all(|context| of(context).iter().filter(|it| is(it)).count() >= count);
            enough.then_some(accounts)
        })
    }
}

fn sequence(account: &Value) -> i64 {
    account["event"]["sequence"].as_i64().unwrap()
}

fn has_errors(account: &Value) -> bool {
    account["posturebeat"]["coverage"]["error"].as_u64().unwrap() > 0
}

#[test]
fn three_clusters_into_one_elasticsearch_are_told_apart() {
    let bed = Bed::take();
    let mut three = Three::start(&bed);
    let namespace = Bed::namespace("clusters");
    let config_of_all = config(&bed, &namespace, &three.kubeconfig, &CONTEXTS);
    let arguments = ["run", "-c", config_of_all.to_str().unwrap()];
    let mut running = bed.start(&arguments);
    let accounts = three.until(&namespace, &mut running, &CONTEXTS, 2, |_| true);

    // Each has its own id, name, cycles and objects.
    for (id, context) in &three.known {
        every_cycle_is_whole(&bed, &namespace, id, &accounts[id]);
        let found = matching(&bed, FINDINGS, &namespace, &[("orchestrator.cluster.id", &json!(id))]);
        let names: BTreeSet<&str> = found
            .iter()
            .map(|finding| finding["orchestrator"]["cluster"]["name"].as_str().unwrap())
            .collect();
        assert_eq!(names, BTreeSet::from([format!("the-{context}").as_str()]));
    }
    let roles =
        [("orchestrator.resource.type", &json!("Role")), ("orchestrator.resource.name", &json!(role_name()))];
    let roles = matching(&bed, FINDINGS, &namespace, &roles);
    let ids: BTreeSet<(&str, &str)> = roles
        .iter()
        .map(|role| (role["cluster_id"].as_str().unwrap(), role["resource"]["id"].as_str().unwrap()))
        .collect();
    let resources: BTreeSet<&str> = ids.iter().map(|(_, resource)| *resource).collect();
    assert_eq!((ids.len(), resources.len()), (3, 3), "the same name is three resources: {ids:?}");

    // One is gone, between two of its cycles: the others go on, and of it is said that it cannot be judged.
    let so_far = accounts[three.id("us")].len();
    let accounts = three.until(&namespace, &mut running, &["us"], so_far + 1, |_| true);
    let before = accounts.values().flatten().map(sequence).max().unwrap();
    three.us.stop(0);
    let later = |account: &Value| sequence(account) > before;
    three.until(&namespace, &mut running, &["us"], 1, |account| later(account) && has_errors(account));
    let lost = jiff::Timestamp::now().as_second();
    let after = |account: &Value| sequence(account) >= lost;
    let accounts = three.until(&namespace, &mut running, &["home", "eu"], 1, after);
    for context in ["home", "eu"] {
        let good = |account: &&Value| sequence(account) >= lost;
        let cycles: Vec<Value> = accounts[three.id(context)].iter().filter(good).cloned().collect();
        every_cycle_is_whole(&bed, &namespace, three.id(context), &cycles);
    }
    assert_eq!(running.stop().0, Some(0), "{}", running.log());

    // It is still known who it was, also to a process that never saw it.
    let mut running = bed.start(&arguments);
    let restarted = jiff::Timestamp::now().as_second();
    let again = |account: &Value| sequence(account) >= restarted;
    let accounts = three.until(&namespace, &mut running, &CONTEXTS, 1, again);
    let id = json!(three.id("us"));
    let last = accounts[three.id("us")].last().unwrap();
    let totals = &last["posturebeat"]["coverage"];
    assert_eq!((totals["passed"].as_u64(), totals["failed"].as_u64()), (Some(0), Some(0)), "{totals}");
    let of_last = [("orchestrator.cluster.id", &id), ("event.sequence", &last["event"]["sequence"])];
    let outcomes = matching(&bed, OUTCOMES, &namespace, &of_last);
    let errors: Vec<&Value> = outcomes.iter().filter(|it| it["result"]["evaluation"] == "error").collect();
    assert_eq!(errors.len() as u64, totals["error"].as_u64().unwrap());
    for error in errors {
        assert_eq!(error["orchestrator"]["cluster"]["name"], "the-us");
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains(&three.us.address(0)), "where nobody answered: {message}");
    }
}

#[test]
fn a_process_for_each_cluster_tells_the_same_as_one_for_all() {
    let bed = Bed::take();
    let three = Three::start(&bed);
    let (all, each) = (Bed::namespace("forall"), Bed::namespace("foreach"));
    let config_of_all = config(&bed, &all, &three.kubeconfig, &CONTEXTS);
    let mut running = bed.start(&["run", "-c", config_of_all.to_str().unwrap()]);
    three.until(&all, &mut running, &CONTEXTS, 1, |_| true);
    running.stop();

    let processes: Vec<Process> = CONTEXTS
        .iter()
        .map(|context| {
            let config = config(&bed, &each, &three.kubeconfig, &[context]);
            let own = bed.path(&format!("{context}.yml"));
            std::fs::rename(config, &own).unwrap();
            Process::start(&bed, context, &own)
        })
        .collect();
    bed.until("cycles of each process", || {
        let accounts = accounts(&bed, &each);
        let ids: BTreeSet<&String> = accounts.keys().collect();
        assert!(ids.iter().all(|id| three.known.contains_key(*id)), "no other cluster: {ids:?}");
        (ids.len() == CONTEXTS.len()).then_some(())
    });
    drop(processes);

    // The bed's objects come and go with other tests; those of the others stay.
    for context in ["eu", "us"] {
        let id = json!(three.id(context));
        let of = |namespace: &str| {
            identities(&matching(&bed, FINDINGS, namespace, &[("orchestrator.cluster.id", &id)]))
        };
        let (one, other) = (of(&all), of(&each));
        assert!(one.len() > 50, "{}", one.len());
        assert_eq!(one, other, "{context}");
    }
    let of_role = [("orchestrator.resource.name", &json!(role_name()))];
    let of = |namespace: &str| identities(&matching(&bed, FINDINGS, namespace, &of_role));
    assert_eq!(of(&all), of(&each));
}

/// A process of one cluster, with state of its own.
struct Process(Child);

impl Process {
    fn start(bed: &Bed, name: &str, config: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_posturebeat"))
            .args(["run", "-c", config.to_str().unwrap(), "--path.data"])
            .arg(bed.path(&format!("data-{name}")))
            .env_remove("KUBECONFIG")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_cluster_that_was_never_there_is_no_other_and_a_wrong_context_names_the_known_ones() {
    let bed = Bed::take();
    let [nobody, none] = free_ports();
    let urls = [nobody, none].map(|port| format!("https://127.0.0.1:{port}"));
    let kubeconfig = kubeconfig(&bed, &[("home", &Bed::url()), ("eu", &urls[0]), ("us", &urls[1])]);
    let namespace = Bed::namespace("nobody");
    let config = config(&bed, &namespace, &kubeconfig, &["home", "eu", "us", "wrong"]);
    let mut running = bed.start(&["run", "-c", config.to_str().unwrap()]);
    let accounts = bed.until("an account of each", || {
        assert!(running.child.try_wait().unwrap().is_none(), "it ended: {}", running.log());
        Some(accounts(&bed, &namespace)).filter(|accounts| accounts.len() == 4)
    });
    running.stop();
    let uid = bed.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
    every_cycle_is_whole(&bed, &namespace, &uid, &accounts[&uid]);
    let errors = matching(&bed, OUTCOMES, &namespace, &[("result.evaluation", &json!("error"))]);
    let mut names: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for error in errors.iter().filter(|error| error["cluster_id"] != uid.as_str()) {
        let name = error["orchestrator"]["cluster"]["name"].as_str().unwrap();
        names.entry(name).or_default().insert(error["cluster_id"].as_str().unwrap());
        if name == "wrong" {
            let message = error["error"]["message"].as_str().unwrap();
            assert!(message.contains("no context `wrong` (it has: home, eu, us)"), "{message}");
        }
    }
    assert_eq!(names.keys().copied().collect::<Vec<_>>(), ["the-eu", "the-us", "wrong"]);
    assert!(names.values().all(|ids| ids.len() == 1), "one id each: {names:?}");
}

#[test]
fn a_scan_is_of_one_cluster() {
    let bed = Bed::take();
    let kubeconfig = kubeconfig(&bed, &[("home", &Bed::url()), ("eu", "https://127.0.0.1:1")]);
    let named = format!("posturebeat.kube_config={}", kubeconfig.display());
    let scan = |contexts: &[&str]| {
        let mut arguments =
            ["scan", "--format", "json", "-E", &named, "-E", "posturebeat.collect.node=false"]
                .map(str::to_owned)
                .to_vec();
        for (position, context) in contexts.iter().enumerate() {
            arguments.extend(["-E".into(), format!("posturebeat.kube_contexts.{position}={context}")]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = bed.output(&arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output, said)
    };
    let (output, said) = scan(&["home", "eu"]);
    assert!(!output.status.success() && said.contains("name only that one"), "{said}");
    let (output, said) = scan(&["nowhere"]);
    assert!(!output.status.success(), "{said}");
    assert!(said.contains("no context `nowhere` (it has: home, eu)"), "{said}");
    let (output, said) = scan(&["home"]);
    assert!(output.status.success(), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["totals"]["passed"].as_u64().unwrap() > 50, "{}", report["totals"]);
}

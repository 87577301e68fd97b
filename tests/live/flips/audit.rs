//! Audit policies on a real API server: what its log then holds of a request, and what 3.2.2 says of the policy.

use serde_json::{Value, json};

use super::plain::{Changes, Plain};
use crate::bed::Bed;

/// Requests of an administrator, each with the resource that a policy names.
const READ_SECRETS: (&str, &str) = ("/api/v1/namespaces/demo/secrets", "");
const MAKE_SECRET: (&str, &str) = (
    "/api/v1/namespaces/demo/secrets?dryRun=All",
    r#"{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "audited"}, "data": {"key": "dmFsdWU="}}"#,
);
const MAKE_POD: (&str, &str) = (
    "/api/v1/namespaces/demo/pods?dryRun=All",
    r#"{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "audited"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}"#,
);

/// What a log holds of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Logged {
    Nothing,
    Metadata,
    Body,
}

/// The rules of a policy, a request, what is logged of it, and the outcome of 3.2.2.
struct Case(&'static str, (&'static str, &'static str), Logged, &'static str);

const CASES: [Case; 10] = [
    Case("{level: Metadata}", READ_SECRETS, Logged::Metadata, "passed"),
    Case(
        "{level: None, userGroups: [system:masters]}, {level: Metadata}",
        READ_SECRETS,
        Logged::Nothing,
        "failed",
    ),
    Case(
        "{level: None, userGroups: ['system:serviceaccounts:none']}, {level: Metadata}",
        READ_SECRETS,
        Logged::Metadata,
        "failed",
    ),
    Case("{level: None, namespaces: [demo]}, {level: Metadata}", MAKE_POD, Logged::Nothing, "failed"),
    Case(
        "{level: None, resources: [{group: '*', resources: [pods]}]}, {level: Metadata}",
        MAKE_POD,
        Logged::Nothing,
        "failed",
    ),
    Case(
        "{level: None, verbs: [get], resources: [{group: '', resources: [secrets]}]}, {level: Metadata}",
        READ_SECRETS,
        Logged::Metadata,
        "failed",
    ),
    Case("{level: Request}", MAKE_SECRET, Logged::Body, "failed"),
    Case(
        "{level: Metadata, resources: [{group: '', resources: [secrets, configmaps, serviceaccounts/token]}, \
            {group: authentication.k8s.io, resources: [tokenreviews]}]}, {level: Request}",
        MAKE_SECRET,
        Logged::Metadata,
        "passed",
    ),
    Case("{level: Metadata, omitStages: [RequestReceived]}", MAKE_POD, Logged::Metadata, "passed"),
    Case(
        "{level: Metadata, omitStages: [ResponseComplete, RequestReceived]}",
        MAKE_POD,
        Logged::Nothing,
        "failed",
    ),
];

/// What the log holds of the request, once it holds the one that came after it.
fn logged(log: &str, path: &str) -> Logged {
    let events = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_it: Vec<Value> = events.filter(|event| event["requestURI"] == path).collect();
    let has_body =
        |event: &Value| ["requestObject", "responseObject"].iter().any(|key| !event[*key].is_null());
    match of_it.as_slice() {
        [] => Logged::Nothing,
        some if some.iter().any(has_body) => Logged::Body,
        _ => Logged::Metadata,
    }
}

#[test]
fn a_policy_is_judged_by_what_the_api_server_then_logs() {
    let bed = Bed::take();
    let (policy, log) = (bed.path("policy.yaml"), bed.path("audit.log"));
    let write = |rules: &str| {
        let text = format!("apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{rules}]\n");
        std::fs::write(&policy, text).unwrap();
        let _ = std::fs::remove_file(&log);
    };
    write(CASES[0].0);
    let flags = [
        format!("audit-policy-file={}", policy.display()),
        format!("audit-log-path={}", log.display()),
        "audit-log-mode=blocking-strict".to_owned(),
    ];
    let changes = Changes::set(&flags.each_ref().map(String::as_str));
    let mut plain = Plain::start(&bed, [Changes::default(), changes, Changes::default(), Changes::default()]);
    let kubeconfig = Plain::kubeconfig(&bed);
    let ask = |(path, body): (&str, &str)| {
        let file = bed.path("body.json");
        std::fs::write(&file, body).unwrap();
        let (kubeconfig, file) =
            (format!("--kubeconfig={}", kubeconfig.display()), file.display().to_string());
        match body {
            "" => bed.kubectl(&[&kubeconfig, "get", "--raw", path]),
            _ => bed.kubectl(&[&kubeconfig, "create", "--raw", path, "-f", &file]),
        }
    };
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "demo"}}).to_string();
    ask(("/api/v1/namespaces", &namespace));
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}).to_string();
    ask(("/api/v1/namespaces/demo/serviceaccounts", &account));
    for Case(rules, request, expected, outcome) in CASES.iter().chain([&CASES[0]]) {
        plain.kill(Plain::API_SERVER);
        write(rules);
        plain.start_again(&bed, Plain::API_SERVER);
        ask(*request);
        // The log is written before the answer is.
        let text = std::fs::read_to_string(&log).unwrap_or_default();
        assert_eq!(logged(&text, request.0), *expected, "{rules}");
        let verdicts = bed.verdicts(&["--benchmark", "cis_k8s@2.0.1"], &plain.names());
        let of = verdicts.of(Plain::API_SERVER);
        // Without either stage no ordinary request is recorded at all.
        let is_kept = if rules.contains("ResponseComplete") { "failed" } else { "passed" };
        assert_eq!((of["3.2.1"], of["3.2.2"]), (is_kept, *outcome), "{rules}");
    }
}

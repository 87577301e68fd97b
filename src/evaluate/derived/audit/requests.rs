//! The requests that an audit policy is asked about, and what a rule records of one.

use super::policy::{AuditLevel, AuditRule, AuditStage, RequestTarget};

/// Requests for some resources of an API group.
struct AuditedRequests {
    /// For rules and evidence.
    id: &'static str,
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
    namespaced: bool,
    secret: SecretText,
}

/// Where such requests carry text that must not end up in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SecretText {
    Nowhere,
    /// In the object, whichever way it goes.
    Object,
    Request,
    Response,
}

/// One verb on one resource or path.
#[derive(Debug)]
pub(super) struct AuditQuestion<'r> {
    pub(super) id: &'static str,
    pub(super) target: RequestTarget<'r>,
    pub(super) verb: &'r str,
    pub(super) namespaced: bool,
    secret: SecretText,
}

const ALL: &[&str] = &["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"];
/// Of requests that are for no resource: their method.
const OF_PATHS: &[&str] = &["get", "post", "put", "patch", "delete", "head", "options"];
/// Controllers watch ConfigMaps all the time, and nobody asks for a record of it.
const ALL_BUT_WATCH: &[&str] = &["get", "list", "create", "update", "patch", "delete", "deletecollection"];
const WRITES: &[&str] = &["create", "update", "patch", "delete", "deletecollection"];
const CHANGES: &[&str] = &["update", "patch"];
/// A command or a stream opens with a POST, or over a WebSocket with a GET.
const OPENS: &[&str] = &["create", "get"];
/// A proxy takes every method.
const METHODS: &[&str] = &["create", "get", "update", "patch", "delete"];

const fn requests(
    id: &'static str,
    group: &'static str,
    resources: &'static [&'static str],
    verbs: &'static [&'static str],
) -> AuditedRequests {
    AuditedRequests { id, group, resources, verbs, namespaced: true, secret: SecretText::Nowhere }
}

static REQUESTS: [AuditedRequests; 13] = [
    AuditedRequests { secret: SecretText::Object, ..requests("secrets", "", &["secrets"], ALL) },
    AuditedRequests {
        secret: SecretText::Object,
        ..requests("configmaps", "", &["configmaps"], ALL_BUT_WATCH)
    },
    AuditedRequests {
        namespaced: false,
        secret: SecretText::Request,
        ..requests("tokenreviews", "authentication.k8s.io", &["tokenreviews"], &["create"])
    },
    AuditedRequests {
        secret: SecretText::Response,
        ..requests("serviceaccount-token", "", &["serviceaccounts/token"], &["create"])
    },
    requests("pods", "", &["pods"], WRITES),
    requests("pods", "", &["pods/ephemeralcontainers"], CHANGES),
    requests("deployments", "apps", &["deployments"], WRITES),
    requests("pod-subresources", "", &["pods/exec", "pods/attach", "pods/portforward"], OPENS),
    requests("pod-subresources", "", &["pods/proxy"], METHODS),
    requests("service-proxy", "", &["services/proxy"], METHODS),
    AuditedRequests { namespaced: false, ..requests("node-proxy", "", &["nodes/proxy"], METHODS) },
    AuditedRequests {
        namespaced: false,
        ..requests("csr", "certificates.k8s.io", &["certificatesigningrequests"], &["create"])
    },
    AuditedRequests {
        namespaced: false,
        ..requests("csr", "certificates.k8s.io", &["certificatesigningrequests/approval"], CHANGES)
    },
];

/// Paths outside the API's resources that show or change more than health and discovery, with their verb.
static PATHS: [(&str, &str); 3] =
    [("/logs/kube-apiserver.log", "get"), ("/debug/pprof/heap", "get"), ("/debug/flags/v", "put")];

/// Every request of which a record, or its absence, matters.
pub(super) fn that_matter() -> impl Iterator<Item = AuditQuestion<'static>> {
    let resources = REQUESTS.iter().flat_map(|it| it.resources.iter().map(move |resource| (it, *resource)));
    let verbs = resources.flat_map(|(it, resource)| it.verbs.iter().map(move |verb| (it, resource, *verb)));
    verbs.map(|(it, resource, verb)| AuditQuestion {
        id: it.id,
        target: RequestTarget::Resource { group: it.group, resource },
        verb,
        namespaced: it.namespaced,
        secret: it.secret,
    })
}

/// Paths outside the API's resources.
pub(super) fn paths() -> impl Iterator<Item = AuditQuestion<'static>> {
    PATHS.iter().map(|(path, verb)| harmless("paths", RequestTarget::Path(path), verb, false))
}

/// Something of all that a rule mentions.
pub(super) fn mentioned_by(rule: &AuditRule) -> Vec<AuditQuestion<'_>> {
    /// Stands for a resource, group or subresource that a rule leaves open.
    const OPEN: &str = "others";
    let mut targets: Vec<RequestTarget<'_>> =
        rule.urls.iter().map(|url| RequestTarget::Path(url.trim_end_matches('*'))).collect();
    if rule.resources.is_empty() && rule.urls.is_empty() {
        targets.push(RequestTarget::Resource { group: OPEN, resource: OPEN });
    }
    for selected in &rule.resources {
        let group = if selected.group == "*" { OPEN } else { &selected.group };
        if selected.resources.is_empty() {
            targets.push(RequestTarget::Resource { group, resource: OPEN });
        }
        for pattern in &selected.resources {
            // A subresource stands for itself: the rule fits it as it is written.
            let resource = if pattern == "*" { OPEN } else { pattern };
            targets.push(RequestTarget::Resource { group, resource });
        }
    }
    // A verb that no such request has records nothing.
    let of = |target| {
        let all = if matches!(target, RequestTarget::Path(_)) { OF_PATHS } else { ALL };
        let verbs =
            all.iter().filter(|verb| rule.verbs.is_empty() || rule.verbs.iter().any(|own| own == *verb));
        verbs.flat_map(move |verb| [true, false].map(|it| harmless("other", target, verb, it)))
    };
    targets.into_iter().flat_map(of).collect()
}

fn harmless<'r>(
    id: &'static str,
    target: RequestTarget<'r>,
    verb: &'r str,
    namespaced: bool,
) -> AuditQuestion<'r> {
    AuditQuestion { id, target, verb, namespaced, secret: SecretText::Nowhere }
}

impl AuditQuestion<'_> {
    /// Whether bodies that the rule records contain secrets.
    pub(super) fn shows_secrets(&self, rule: &AuditRule) -> bool {
        let is_sent = matches!(self.verb, "create" | "update" | "patch") && rule.level >= AuditLevel::Request;
        // What a watch answers is never recorded.
        let is_answered = self.verb != "watch" && rule.level == AuditLevel::RequestResponse;
        let is_shown = match self.secret {
            SecretText::Nowhere => false,
            SecretText::Object => is_sent || is_answered,
            SecretText::Request => is_sent,
            SecretText::Response => is_answered,
        };
        // Only the record of the last stage has bodies.
        is_shown && !rule.omits(AuditStage::ResponseComplete)
    }

    /// The stages at which the rule writes a record of it.
    pub(super) fn stages(&self, rule: &AuditRule) -> Vec<AuditStage> {
        let own: &[AuditStage] = if self.is_long_running() {
            &[AuditStage::RequestReceived, AuditStage::ResponseStarted, AuditStage::ResponseComplete]
        } else {
            &[AuditStage::RequestReceived, AuditStage::ResponseComplete]
        };
        let is_kept = |stage: &AuditStage| rule.level != AuditLevel::None && !rule.omits(*stage);
        own.iter().copied().filter(is_kept).collect()
    }

    /// Such requests have a stage of their own between their start and their end.
    fn is_long_running(&self) -> bool {
        let sub = match self.target {
            RequestTarget::Resource { resource, .. } => resource.split_once('/').map(|(_, sub)| sub),
            RequestTarget::Path(_) => None,
        };
        self.verb == "watch" || matches!(sub, Some("attach" | "exec" | "log" | "portforward" | "proxy"))
    }
}

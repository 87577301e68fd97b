//! Whether an object has the types that the API defines. Objects from an API server always do; a manifest may not, and
//! a filter on a string where a list belongs selects nothing, which would pass.
//!
//! In: an object with its joins. Out: each place of a wrong type, as unread.

use serde_json::Value;

use crate::resource::{DocumentPlace, PlaceStep, Reason, Unread};
use JsonShape::{Bool, List, Number, Object, Text};

/// A JSON type, and the types inside it that rules look at.
enum JsonShape {
    Object(&'static [(&'static str, JsonShape)]),
    List(&'static JsonShape),
    Bool,
    Number,
    Text,
}

/// The most wrong places to name. An object with more is unread as a whole.
const MOST: usize = 20;

const TEXTS: JsonShape = List(&Text);

const POD: JsonShape = Object(&[(
    "spec",
    Object(&[
        ("containers", CONTAINERS),
        ("initContainers", CONTAINERS),
        ("ephemeralContainers", CONTAINERS),
        ("securityContext", CONTEXT),
        ("volumes", List(&VOLUME)),
        ("hostNetwork", Bool),
        ("hostPID", Bool),
        ("hostIPC", Bool),
    ]),
)]);
const CONTAINERS: JsonShape = List(&Object(&[
    ("securityContext", CONTEXT),
    ("ports", List(&Object(&[("hostPort", Number)]))),
    ("env", List(&Object(&[("name", Text), ("valueFrom", Object(&[]))]))),
    ("envFrom", List(&Object(&[]))),
]));
/// A pod's, or a container's.
const CONTEXT: JsonShape = Object(&[
    ("privileged", Bool),
    ("allowPrivilegeEscalation", Bool),
    ("runAsNonRoot", Bool),
    ("runAsUser", Number),
    ("capabilities", Object(&[("add", TEXTS), ("drop", TEXTS)])),
    ("windowsOptions", Object(&[("hostProcess", Bool)])),
]);
const VOLUME: JsonShape =
    Object(&[("projected", Object(&[("sources", List(&Object(&[("serviceAccountToken", Object(&[]))])))]))]);

const ROLE: JsonShape = Object(&[("rules", RULES)]);
const RULES: JsonShape = List(&Object(&[("apiGroups", TEXTS), ("resources", TEXTS), ("verbs", TEXTS)]));
const BINDING: JsonShape = Object(&[
    ("subjects", List(&Object(&[("kind", Text), ("name", Text), ("namespace", Text)]))),
    ("roleRef", Object(&[("kind", Text), ("name", Text)])),
    ("related", Object(&[("role", ROLE)])),
]);

const SERVICE_ACCOUNT: JsonShape =
    Object(&[("automountServiceAccountToken", Bool), ("metadata", Object(&[("annotations", Object(&[]))]))]);
const NODE: JsonShape = Object(&[
    ("metadata", Object(&[("labels", Object(&[]))])),
    ("status", Object(&[("addresses", List(&Object(&[("type", Text), ("address", Text)])))])),
]);
const NAMESPACE: JsonShape = Object(&[("metadata", Object(&[("labels", Object(&[]))]))]);

/// Adds every place of a wrong type to `unread`.
pub(super) fn check(kind: &str, object: &Value, unread: &mut Vec<Unread>) {
    let is = match kind {
        "Pod" => POD,
        "ClusterRole" | "Role" => ROLE,
        "ClusterRoleBinding" | "RoleBinding" => BINDING,
        "ServiceAccount" => SERVICE_ACCOUNT,
        "Namespace" => NAMESPACE,
        "Node" => NODE,
        _ => return,
    };
    let before = unread.len();
    ShapeCheck { unread, most: before + MOST }.check(object, &is, &DocumentPlace::Root);
    if unread.len() > before + MOST {
        unread.truncate(before);
        let what = format!("parse it: more than {MOST} values have the wrong type");
        unread.push(Unread::new("$", Reason::Malformed, what));
    }
    // The role that a binding names is then unknown too.
    if let Some(wrong) = unread.iter().find(|unread| unread.at.starts_with("$.roleRef")).cloned() {
        unread.push(wrong.gap.at("$.related.role"));
    }
}

struct ShapeCheck<'u> {
    unread: &'u mut Vec<Unread>,
    /// The walk stops at this many.
    most: usize,
}

/// Places are chains on the stack: almost every object is well-formed and needs no text for them.
impl ShapeCheck<'_> {
    fn check(&mut self, value: &Value, is: &JsonShape, place: &DocumentPlace<'_, '_>) {
        if self.unread.len() > self.most {
            return;
        }
        match (is, value) {
            (Object(fields), Value::Object(object)) => {
                for (name, is) in *fields {
                    // Kubernetes treats a key with null as absent.
                    if let Some(value) = object.get(*name).filter(|value| !value.is_null()) {
                        self.check(value, is, &DocumentPlace::Under(place, PlaceStep::Name(name)));
                    }
                }
            }
            (List(is), Value::Array(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    self.check(element, is, &DocumentPlace::Under(place, PlaceStep::Index(index)));
                }
            }
            (Bool, Value::Bool(_)) | (Number, Value::Number(_)) | (Text, Value::String(_)) => {}
            _ => {
                let what = format!("parse {place}: expected {}", is.name());
                self.unread.push(Unread::new(place.to_string(), Reason::Malformed, what));
            }
        }
    }
}

impl JsonShape {
    fn name(&self) -> &'static str {
        match self {
            Object(_) => "an object",
            List(_) => "a list",
            Bool => "true or false",
            Number => "a number",
            Text => "text",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wrong(kind: &str, object: &Value) -> Vec<String> {
        let mut unread = Vec::new();
        check(kind, object, &mut unread);
        unread.into_iter().map(|unread| unread.at).collect()
    }

    #[test]
    fn a_text_where_a_list_should_be_is_named() {
        let role = |rules: Value| wrong("Role", &json!({"rules": rules}));
        assert_eq!(role(json!("all")), ["$.rules"]);
        assert_eq!(role(json!(["all"])), ["$.rules[0]"]);
        let rule = json!({"apiGroups": "*", "resources": ["*"], "verbs": ["get", 1]});
        assert_eq!(role(json!([rule])), ["$.rules[0].apiGroups", "$.rules[0].verbs[1]"]);
        let binding = json!({"subjects": "everybody", "related": {"role": {"rules": [{"verbs": "*"}]}}});
        assert_eq!(wrong("ClusterRoleBinding", &binding), ["$.subjects", "$.related.role.rules[0].verbs"]);
        let subject = json!({"subjects": [{"kind": ["Group"], "name": "system:masters"}]});
        assert_eq!(wrong("RoleBinding", &subject), ["$.subjects[0].kind"]);
    }

    #[test]
    fn a_binding_without_a_readable_name_of_its_role_has_no_readable_role() {
        let binding = json!({"roleRef": {"kind": "ClusterRole", "name": ["edit"]}});
        assert_eq!(wrong("RoleBinding", &binding), ["$.roleRef.name", "$.related.role"]);
    }

    #[test]
    fn what_rules_ask_of_pods_accounts_and_namespaces() {
        let in_container = |key: &str, value: Value| {
            let at = wrong("Pod", &json!({"spec": {"containers": [{key: value}]}})).pop().unwrap_or_default();
            at.replace("$.spec.containers[0].", "")
        };
        for (key, value, at) in [
            (
                "securityContext",
                json!({"capabilities": {"add": "SYS_ADMIN"}}),
                "securityContext.capabilities.add",
            ),
            (
                "securityContext",
                json!({"windowsOptions": {"hostProcess": "true"}}),
                "securityContext.windowsOptions.hostProcess",
            ),
            ("ports", json!([{"hostPort": "80"}]), "ports[0].hostPort"),
            ("env", json!({"name": "A"}), "env"),
            ("env", json!([{"valueFrom": "secret"}]), "env[0].valueFrom"),
            ("env", json!([{"name": ["AWS_ACCESS_KEY_ID"]}]), "env[0].name"),
            ("envFrom", json!(["secret"]), "envFrom[0]"),
        ] {
            assert_eq!(in_container(key, value), at);
        }
        let sources =
            json!({"spec": {"volumes": [{"projected": {"sources": [{"serviceAccountToken": "t"}]}}]}});
        assert_eq!(wrong("Pod", &sources), ["$.spec.volumes[0].projected.sources[0].serviceAccountToken"]);
        assert_eq!(wrong("Pod", &json!({"spec": {"securityContext": "none"}})), ["$.spec.securityContext"]);
        let account = json!({"automountServiceAccountToken": "false"});
        assert_eq!(wrong("ServiceAccount", &account), ["$.automountServiceAccountToken"]);
        assert_eq!(wrong("Namespace", &json!({"metadata": {"labels": "x"}})), ["$.metadata.labels"]);
        let annotated = json!({"metadata": {"annotations": ["eks.amazonaws.com/role-arn"]}});
        assert_eq!(wrong("ServiceAccount", &annotated), ["$.metadata.annotations"]);
        let node = json!({"status": {"addresses": [{"type": "ExternalIP", "address": 7}]}});
        assert_eq!(wrong("Node", &node), ["$.status.addresses[0].address"]);
    }

    #[test]
    fn what_is_left_out_is_not_wrong() {
        assert!(wrong("Role", &json!({"rules": null})).is_empty());
        assert!(wrong("ClusterRole", &json!({"rules": [{"verbs": ["get"], "resources": null}]})).is_empty());
        assert!(wrong("ClusterRoleBinding", &json!({"subjects": null, "related": {}})).is_empty());
        assert!(wrong("Pod", &json!({"spec": {"containers": [{"securityContext": null}]}})).is_empty());
    }

    #[test]
    fn an_object_that_is_wrong_all_over_is_unread_as_a_whole() {
        let binding = json!({"subjects": vec![1; 1000]});
        assert_eq!(wrong("ClusterRoleBinding", &binding), ["$"]);
    }
}

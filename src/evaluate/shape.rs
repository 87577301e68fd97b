//! Whether a Pod has the types that the API gives it. What an API server stored always has; a manifest may not,
//! and a filter over a text where a list should be selects nothing, which would pass.

use serde_json::Value;

use crate::resource::{Reason, Unread};

/// A type of JSON.
#[derive(Clone, Copy)]
enum Is {
    Object,
    List,
    Bool,
    Number,
}

/// Fields of a pod's spec that rules look at.
const SPEC: [(&str, Is); 7] = [
    ("containers", Is::List),
    ("initContainers", Is::List),
    ("ephemeralContainers", Is::List),
    ("volumes", Is::List),
    ("hostNetwork", Is::Bool),
    ("hostPID", Is::Bool),
    ("hostIPC", Is::Bool),
];
/// Fields of a container.
const CONTAINER: [(&str, Is); 2] = [("securityContext", Is::Object), ("ports", Is::List)];
/// Fields of a security context, a pod's or a container's.
const CONTEXT: [(&str, Is); 5] = [
    ("privileged", Is::Bool),
    ("allowPrivilegeEscalation", Is::Bool),
    ("runAsNonRoot", Is::Bool),
    ("runAsUser", Is::Number),
    ("capabilities", Is::Object),
];

/// Adds to `unread` every place of a pod that holds another type than it must.
pub(super) fn of_pod(pod: &Value, unread: &mut Vec<Unread>) {
    let Some(spec) = pod.get("spec") else { return };
    let mut check = Shape { unread };
    if !check.is(spec, Is::Object, || "$.spec".into()) {
        return;
    }
    check.fields(spec, &SPEC, || "$.spec".into());
    check.context(spec, || "$.spec".into());
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        for (index, container) in spec.get(list).and_then(Value::as_array).into_iter().flatten().enumerate() {
            let at = || format!("$.spec.{list}[{index}]");
            if check.is(container, Is::Object, at) {
                check.fields(container, &CONTAINER, at);
                check.context(container, at);
            }
        }
    }
    for (index, volume) in spec.get("volumes").and_then(Value::as_array).into_iter().flatten().enumerate() {
        check.is(volume, Is::Object, || format!("$.spec.volumes[{index}]"));
    }
}

struct Shape<'u> {
    unread: &'u mut Vec<Unread>,
}

/// Places are functions: almost every pod is as it must be, and needs no text for them.
impl Shape<'_> {
    fn context(&mut self, owner: &Value, at: impl Fn() -> String) {
        if let Some(context) = owner.get("securityContext").filter(|context| context.is_object()) {
            self.fields(context, &CONTEXT, || format!("{}.securityContext", at()));
        }
    }

    fn fields(&mut self, owner: &Value, fields: &[(&str, Is)], at: impl Fn() -> String) {
        for (name, is) in fields {
            // To Kubernetes, a key with null is a key left out.
            if let Some(value) = owner.get(*name).filter(|value| !value.is_null()) {
                self.is(value, *is, || format!("{}.{name}", at()));
            }
        }
    }

    fn is(&mut self, value: &Value, is: Is, at: impl Fn() -> String) -> bool {
        let (fits, expected) = match is {
            Is::Object => (value.is_object(), "an object"),
            Is::List => (value.is_array(), "a list"),
            Is::Bool => (value.is_boolean(), "true or false"),
            Is::Number => (value.is_number(), "a number"),
        };
        if !fits {
            let at = at();
            let what = format!("understand {at}: expected {expected}");
            self.unread.push(Unread::new(at, Reason::Malformed, what));
        }
        fits
    }
}

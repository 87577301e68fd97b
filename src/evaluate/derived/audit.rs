//! What an audit policy records of the requests that matter, whoever sends them and wherever they go.
//!
//! In: a policy. Out: for each kind of request and each rule that decides some of them, what the rule records, with an
//! example.

mod answers;
mod askers;
mod inquiry;
mod policy;
mod requests;
#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::resource::minor_version;

/// Whether the answer depends on the API server's version.
pub(super) fn depends_on_version(root: &Value) -> bool {
    let rules = root.pointer("/files/auditPolicy/rules").and_then(Value::as_array);
    let mut resources =
        rules.into_iter().flatten().filter_map(|rule| rule.get("resources")?.as_array()).flatten();
    resources.any(|selected| selected.get("group").and_then(Value::as_str) == Some("*"))
}

/// One element for each kind of request, rule and result. `None` without a policy; an error says what was expected.
pub(super) fn records(root: &Value) -> Result<Option<Value>, String> {
    let Some(policy) = root.pointer("/files/auditPolicy") else { return Ok(None) };
    let version = root.get("version").and_then(Value::as_str).and_then(minor_version);
    let rules = policy::rules(policy, version)
        .map_err(|why| format!("an audit policy that the API server accepts: {why}"))?;
    inquiry::records(&rules).map(Some)
}

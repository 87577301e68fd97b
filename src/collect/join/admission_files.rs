//! Admission webhooks and policies that an API server loads from files: no API shows them.
//!
//! Since Kubernetes 1.37, `--admission-control-config-file` may name folders of them (`staticManifestsDir`), behind the
//! feature gate ManifestBasedAdmissionControlConfig. What the file says is only seen on its node.

use serde_json::{Value, json};

use crate::resource::minor_version;

const FLAG: &str = "admission-control-config-file";
const GATE: &str = "ManifestBasedAdmissionControlConfig";

/// `{name, file}` of each of these API servers that may load some. `version` is the cluster's; unknown: the newest.
pub(super) fn list(api_servers: &[Value], version: Option<&str>) -> Vec<Value> {
    let minor = version.and_then(minor_version).map_or(u32::MAX, |(_, minor)| minor);
    let named = |server: &Value| {
        let file = flag(server, FLAG).next_back().filter(|file| !file.is_empty())?;
        is_possible(server, minor).then(|| json!({"name": server["name"], "file": file}))
    };
    api_servers.iter().filter_map(named).collect()
}

/// Whether the feature is on: alpha in 1.36, on by default since 1.37.
fn is_possible(server: &Value, minor: u32) -> bool {
    let written = |name: &str| {
        let pairs = flag(server, "feature-gates").flat_map(|text| text.split(','));
        let pairs = pairs.filter_map(|pair| pair.trim().rsplit(':').next()?.split_once('='));
        let last = pairs.rev().find(|(gate, _)| *gate == name);
        last.map(|(_, value)| matches!(value, "1" | "t" | "T" | "true" | "TRUE" | "True"))
    };
    match minor {
        0..=35 => false,
        36 => written(GATE).or_else(|| written("AllAlpha")).unwrap_or(false),
        _ => written(GATE).or_else(|| written("AllBeta")).unwrap_or(true),
    }
}

fn flag<'v>(server: &'v Value, name: &str) -> impl DoubleEndedIterator<Item = &'v str> {
    let values = server.get("args").and_then(|args| args.get(name)).and_then(Value::as_array);
    values.into_iter().flatten().filter_map(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(version: Option<&str>, args: Value) -> Vec<Value> {
        list(&[json!({"name": "kube-apiserver-a", "args": args})], version)
    }

    #[test]
    fn a_file_may_name_more_of_them_where_the_feature_is_on() {
        let possible = |version: Option<&str>, gates: &str| {
            !listed(version, json!({FLAG: ["/etc/admission.yaml"], "feature-gates": [gates]})).is_empty()
        };
        assert!(possible(Some("v1.37.2"), "") && possible(None, ""), "an unknown version is the newest");
        assert!(!possible(Some("v1.36.3"), "") && !possible(Some("v1.35.5"), ""));
        for gates in [format!("{GATE}=true"), format!("A=true,kube:{GATE}=T"), "AllAlpha=true".into()] {
            assert!(possible(Some("v1.36.3"), &gates), "{gates}");
            assert!(!possible(Some("v1.35.5"), &gates), "{gates}");
        }
        for gates in [format!("{GATE}=false"), format!(":{GATE}=0"), "AllBeta=false".into()] {
            assert!(!possible(Some("v1.37.2"), &gates), "{gates}");
        }
        assert!(possible(Some("v1.37.2"), &format!("AllBeta=false,{GATE}=true")), "by its own name");
        assert!(possible(Some("v1.37.2"), &format!("{GATE}=false,{GATE}=true")), "the last one wins");
    }

    #[test]
    fn without_a_file_there_are_none() {
        assert_eq!(listed(None, json!({})), [json!(null); 0]);
        assert_eq!(listed(None, json!({FLAG: [""]})), [json!(null); 0]);
        let named = json!({"name": "kube-apiserver-a", "file": "/b.yaml"});
        assert_eq!(listed(None, json!({FLAG: ["/a.yaml", "/b.yaml"]})), [named]);
    }
}

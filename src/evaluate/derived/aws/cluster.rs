//! Derived values of an EKS cluster.

use serde_json::{Map, Value, json};

use crate::evaluate::parse::boolean;
use crate::redact::BLANK;
use crate::resource::{Gap, Reason};
use crate::yaml;

/// `{cidr, family, prefix}` of each block that can reach the public endpoint. A prefix that is not a number is kept as
/// text, so that comparing it is an error.
pub(super) fn public_cidrs(cluster: &Value) -> Option<Value> {
    let cidrs = cluster.pointer("/resourcesVpcConfig/publicAccessCidrs")?.as_array()?;
    let one = |cidr: &Value| {
        let text = cidr.as_str().unwrap_or_default();
        let family = if text.contains(':') { "ipv6" } else { "ipv4" };
        let number = text.rsplit_once('/').and_then(|(_, length)| length.parse::<u8>().ok());
        let prefix = number.map_or_else(|| cidr.clone(), Value::from);
        json!({"cidr": cidr, "family": family, "prefix": prefix})
    };
    Some(cidrs.iter().map(one).collect())
}

/// The access policy that grants all permissions.
const ADMIN: &str = ":cluster-access-policy/AmazonEKSClusterAdminPolicy";

/// Principals whose access entry has that policy, even if only for one namespace.
pub(super) fn admins(cluster: &Value) -> Result<Option<Value>, String> {
    let Some(entries) = cluster.get("accessEntries").and_then(Value::as_array) else { return Ok(None) };
    let mut admins = Vec::new();
    for entry in entries {
        let policies = entry.get("associatedAccessPolicies").and_then(Value::as_array);
        let policies = policies.ok_or("associatedAccessPolicies in each access entry")?;
        let arns = policies.iter().map(|policy| policy.get("policyArn").and_then(Value::as_str));
        let arns: Option<Vec<&str>> = arns.collect();
        if arns.ok_or("a policyArn in each access policy")?.iter().any(|arn| arn.ends_with(ADMIN)) {
            admins.extend(entry.get("principalArn").cloned());
        }
    }
    Ok(Some(admins.into()))
}

/// The VPC CNI among the add-ons, with its index.
fn vpc_cni_addon(cluster: &Value) -> Option<(usize, &Value)> {
    let mut addons = cluster.get("addons")?.as_array()?.iter().enumerate();
    addons.find(|(_, addon)| addon.get("addonName").and_then(Value::as_str) == Some("vpc-cni"))
}

/// The index of the VPC CNI among the add-ons, and whether its values enable network policies.
pub(super) fn vpc_cni_network_policy(cluster: &Value) -> Option<(usize, Result<bool, Gap>)> {
    let (at, addon) = vpc_cni_addon(cluster)?;
    let values = addon.get("configurationValues").and_then(Value::as_str).unwrap_or_default();
    Some((at, enables_network_policy(values)))
}

fn enables_network_policy(values: &str) -> Result<bool, Gap> {
    const WHERE: &str = "the configurationValues of the add-on vpc-cni";
    if values == BLANK {
        return Err(Gap::new(
            Reason::Redacted,
            format!("read {WHERE}: blanked, because they could not be parsed"),
        ));
    }
    if values.trim().is_empty() {
        return Ok(false);
    }
    let malformed =
        |expected: &str| Gap::new(Reason::Malformed, format!("parse {WHERE}: expected {expected}"));
    let parsed: Value = yaml::from_str(values).map_err(|_| malformed("JSON or YAML"))?;
    let values = parsed.as_object().ok_or_else(|| malformed("a map"))?;
    match values.get("enableNetworkPolicy") {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(enabled)) => Ok(*enabled),
        Some(Value::String(text)) => {
            boolean(text).ok_or_else(|| malformed("true or false in enableNetworkPolicy"))
        }
        Some(_) => Err(malformed("true or false in enableNetworkPolicy")),
    }
}

/// The index of the VPC CNI among the add-ons, and its `{addonVersion, defaultVersion, current}`: `current` says whether
/// its version is at least the default for the cluster's version, and is absent if either is unknown.
pub(super) fn vpc_cni(cluster: &Value) -> Option<(usize, Value)> {
    let (at, addon) = vpc_cni_addon(cluster)?;
    let version = |key: &str| addon.get(key).and_then(Value::as_str);
    let mut out = Map::new();
    for key in ["addonVersion", "defaultVersion"] {
        out.extend(version(key).map(|version| (key.to_owned(), Value::from(version))));
    }
    let numbers = |key: &str| version(key).and_then(numbers);
    if let (Some(have), Some(want)) = (numbers("addonVersion"), numbers("defaultVersion")) {
        out.insert("current".into(), Value::from(have >= want));
    }
    Some((at, Value::Object(out)))
}

/// The four numbers of `v1.19.0-eksbuild.2`.
fn numbers(version: &str) -> Option<[u32; 4]> {
    let (release, build) = version.strip_prefix('v')?.split_once("-eksbuild.")?;
    let mut parts = release.split('.').chain([build]);
    let mut out = [0; 4];
    for number in &mut out {
        *number = parts.next()?.parse().ok()?;
    }
    parts.next().is_none().then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_as_wide_as_its_prefix_says() {
        let cidrs = |cidrs: Value| public_cidrs(&json!({"resourcesVpcConfig": {"publicAccessCidrs": cidrs}}));
        assert_eq!(
            cidrs(json!(["0.0.0.0/0", "2001:db8::/32", "192.0.2.1", 7, "10.0.0.0/99999"])),
            Some(json!([
                {"cidr": "0.0.0.0/0", "family": "ipv4", "prefix": 0},
                {"cidr": "2001:db8::/32", "family": "ipv6", "prefix": 32},
                {"cidr": "192.0.2.1", "family": "ipv4", "prefix": "192.0.2.1"},
                {"cidr": 7, "family": "ipv4", "prefix": 7},
                {"cidr": "10.0.0.0/99999", "family": "ipv4", "prefix": "10.0.0.0/99999"},
            ]))
        );
        assert_eq!(public_cidrs(&json!({})), None);
    }

    #[test]
    fn an_admin_is_one_in_every_partition() {
        let entry = |principal: &str, policy: &str| json!({"principalArn": principal, "associatedAccessPolicies": [{"policyArn": policy}]});
        let entries = json!({"accessEntries": [
            entry("a", "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"),
            entry("b", "arn:aws-cn:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"),
            entry("c", "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"),
            {"principalArn": "d", "associatedAccessPolicies": []},
        ]});
        assert_eq!(admins(&entries), Ok(Some(json!(["a", "b"]))));
        assert_eq!(admins(&json!({})), Ok(None));
        for unknown in
            [json!({"principalArn": "a"}), json!({"principalArn": "a", "associatedAccessPolicies": [{}]})]
        {
            assert!(admins(&json!({"accessEntries": [unknown]})).is_err(), "{unknown}");
        }
    }

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let current = |have: &str, want: &str| {
            let addon = json!({"addonName": "vpc-cni", "addonVersion": have, "defaultVersion": want});
            vpc_cni(&json!({"addons": [{"addonName": "coredns"}, addon]})).unwrap().1.get("current").cloned()
        };
        assert_eq!(current("v1.19.0-eksbuild.1", "v1.19.0-eksbuild.1"), Some(json!(true)));
        assert_eq!(current("v1.9.3-eksbuild.1", "v1.19.0-eksbuild.1"), Some(json!(false)));
        assert_eq!(current("v1.19.0-eksbuild.1", "v1.19.0-eksbuild.10"), Some(json!(false)));
        for strange in ["1.19.0-eksbuild.1", "v1.19-eksbuild.1", "v1.19.0.1-eksbuild.1", "v1.19.0", ""] {
            assert_eq!(current(strange, "v1.19.0-eksbuild.1"), None, "{strange}");
        }
        assert_eq!(vpc_cni(&json!({"addons": [{"addonName": "coredns"}]})), None);
    }
}

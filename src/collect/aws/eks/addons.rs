//! The add-ons of a cluster, and the version of each that EKS would install.

use serde_json::{Value, json};

use super::partial_list::PartialList;
use super::{EksCluster, is_gone, texts};
use crate::collect::aws::calls::eks::{DESCRIBE_ADDON, DESCRIBE_ADDON_VERSIONS, LIST_ADDONS};
use crate::collect::aws::client::{CallRefusal, ask, ask_pages, each};
use crate::redact;
use crate::resource::Gap;

/// The add-ons of a cluster of this version.
pub(super) async fn all(eks: &EksCluster, version: &str) -> Result<PartialList, Gap> {
    let request = || eks.client.list_addons().cluster_name(&*eks.cluster);
    let names = ask_pages!(eks.aws, LIST_ADDONS, eks.region, "addons", request)?;
    let answers = each(texts(names), |name| {
        let (eks, version) = (eks.clone(), version.to_owned());
        async move {
            let (addon, default) =
                tokio::join!(described(&eks, &name), default_version(&eks, &name, &version));
            (name, addon, default)
        }
    });
    let mut part = PartialList::default();
    for (name, addon, default) in answers.await {
        match (addon, default) {
            (Err(refusal), _) if is_gone(&refusal) => {}
            (Err(refusal), _) => {
                part.push(json!({"addonName": name}));
                part.misses("", refusal);
            }
            (Ok(addon), Ok(None)) => part.push(addon),
            (Ok(mut addon), Ok(Some(default))) => {
                addon["defaultVersion"] = default.into();
                part.push(addon);
            }
            (Ok(addon), Err(gap)) => {
                part.push(addon);
                part.misses(".defaultVersion", gap);
            }
        }
    }
    Ok(part)
}

async fn described(eks: &EksCluster, name: &str) -> Result<Value, CallRefusal> {
    let request = eks.client.describe_addon().cluster_name(&*eks.cluster).addon_name(name);
    let answer = ask!(eks.aws, DESCRIBE_ADDON, eks.region, request)?;
    let mut addon = eks.object(&DESCRIBE_ADDON, answer, "addon")?;
    if let Some(Value::String(values)) = addon.get_mut("configurationValues") {
        redact::values_text(values);
    }
    Ok(addon)
}

/// The default version of an add-on for a cluster of this version; some have none.
async fn default_version(eks: &EksCluster, name: &str, version: &str) -> Result<Option<String>, Gap> {
    let request = || eks.client.describe_addon_versions().addon_name(name).kubernetes_version(version);
    let addons = ask_pages!(eks.aws, DESCRIBE_ADDON_VERSIONS, eks.region, "addons", request)?;
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let is_default = |known: &Value| {
        let fits = |with: &Value| with["clusterVersion"] == version && with["defaultVersion"] == true;
        list(known, "compatibilities").iter().any(fits)
    };
    let versions = addons
        .iter()
        .filter(|addon| addon["addonName"] == name)
        .flat_map(|addon| list(addon, "addonVersions"));
    let found = versions.into_iter().find(is_default);
    Ok(found.and_then(|known| known["addonVersion"].as_str().map(str::to_owned)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_an_add_on_are_redacted_and_stay_text() {
        for (text, expected) in [
            ("{\"enableNetworkPolicy\":  \"true\"}", "{\"enableNetworkPolicy\":  \"true\"}"),
            ("enableNetworkPolicy: true\n", "enableNetworkPolicy: true\n"),
            ("{\"apiKey\": \"s\", \"a\": 1}", "{\"a\":1,\"apiKey\":\"<redacted>\"}"),
            ("env:\n  password: s\n", "{\"env\":{\"password\":\"<redacted>\"}}"),
            ("{\"password\": \"s", "<redacted>"),
        ] {
            let mut redacted = text.to_owned();
            redact::values_text(&mut redacted);
            assert_eq!(redacted, expected, "{text}");
        }
    }
}

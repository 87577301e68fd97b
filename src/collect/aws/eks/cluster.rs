//! The cluster: its description, and its lists.

use serde_json::{Map, Value, json};

use super::partial_list::{self, PartialList};
use super::{CLUSTER, EksCluster, access_entries, addons, is_gone, texts};
use crate::collect::aws::calls::eks::{
    DESCRIBE_CLUSTER, DESCRIBE_FARGATE_PROFILE, LIST_FARGATE_PROFILES, LIST_IDENTITY_PROVIDER_CONFIGS,
    LIST_POD_IDENTITY_ASSOCIATIONS,
};
use crate::collect::aws::calls::logs::DESCRIBE_LOG_GROUPS;
use crate::collect::aws::client::{CallRefusal, ask, ask_pages, call_gap, each};
use crate::collect::aws::scope::AwsScope;
use crate::resource::{Gap, Kind, Reason, Resource};

/// The fields of a log group that are kept; the others are ids.
const LOG_GROUP_KEYS: [&str; 4] = ["logGroupName", "retentionInDays", "kmsKeyId", "storedBytes"];

/// The cluster as a resource; where it cannot be described, what stands for it.
pub(super) async fn observe(
    eks: &EksCluster,
    scope: &AwsScope,
    groups: &Result<Vec<String>, Gap>,
) -> Resource {
    let (mut raw, arn) = match described(eks).await {
        Ok(found) => found,
        Err(gap) => return scope.unlisted(Kind::Caas, CLUSTER, &gap),
    };
    // No rule judges it, and it is long.
    raw.remove("certificateAuthority");
    let version = raw.get("version").and_then(Value::as_str).unwrap_or_default();
    let mode = raw.get("accessConfig").and_then(|config| config["authenticationMode"].as_str());
    let (addons, entries, associations, providers, profiles, logs) = tokio::join!(
        addons::all(eks, version),
        access_entries::entries(eks, mode),
        associations(eks),
        identity_providers(eks),
        fargate_profiles(eks),
        log_groups(eks),
    );
    let names = |names: &Vec<String>| PartialList::whole(names.iter().map(|name| json!(name)).collect());
    let mut unread = Vec::new();
    for (key, part) in [
        ("addons", addons),
        ("accessEntries", entries),
        ("podIdentityAssociations", associations),
        ("identityProviderConfigs", providers),
        ("fargateProfiles", profiles),
        ("nodegroups", groups.as_ref().map(names).map_err(Clone::clone)),
        ("logGroups", logs),
    ] {
        partial_list::put(&mut raw, &mut unread, key, part);
    }
    Resource {
        unread,
        ..Resource::observed(Kind::Caas, CLUSTER.into(), arn, eks.cluster.to_string(), Value::Object(raw))
    }
}

async fn described(eks: &EksCluster) -> Result<(Map<String, Value>, String), Gap> {
    let request = eks.client.describe_cluster().name(&*eks.cluster);
    let answer = ask!(eks.aws, DESCRIBE_CLUSTER, eks.region, request)?;
    let cluster = eks.object(&DESCRIBE_CLUSTER, answer, "cluster")?;
    let arn = cluster["arn"].as_str().map(str::to_owned);
    let (Value::Object(fields), Some(arn)) = (cluster, arn) else {
        let why = "the cluster has no ARN";
        return Err(call_gap(&DESCRIBE_CLUSTER, &eks.region, Reason::Malformed, why));
    };
    Ok((fields, arn))
}

async fn associations(eks: &EksCluster) -> Result<PartialList, Gap> {
    let request = || eks.client.list_pod_identity_associations().cluster_name(&*eks.cluster);
    let list = ask_pages!(eks.aws, LIST_POD_IDENTITY_ASSOCIATIONS, eks.region, "associations", request)?;
    Ok(PartialList::whole(list))
}

async fn identity_providers(eks: &EksCluster) -> Result<PartialList, Gap> {
    let request = || eks.client.list_identity_provider_configs().cluster_name(&*eks.cluster);
    let key = "identityProviderConfigs";
    Ok(PartialList::whole(ask_pages!(eks.aws, LIST_IDENTITY_PROVIDER_CONFIGS, eks.region, key, request)?))
}

async fn fargate_profiles(eks: &EksCluster) -> Result<PartialList, Gap> {
    let request = || eks.client.list_fargate_profiles().cluster_name(&*eks.cluster);
    let key = "fargateProfileNames";
    let names = ask_pages!(eks.aws, LIST_FARGATE_PROFILES, eks.region, key, request)?;
    let profiles = each(texts(names), |name| {
        let eks = eks.clone();
        async move {
            let request =
                eks.client.describe_fargate_profile().cluster_name(&*eks.cluster).fargate_profile_name(&name);
            let profile = match ask!(eks.aws, DESCRIBE_FARGATE_PROFILE, eks.region, request) {
                Ok(answer) => {
                    eks.object(&DESCRIBE_FARGATE_PROFILE, answer, "fargateProfile").map_err(CallRefusal::from)
                }
                Err(refusal) => Err(refusal),
            };
            (name, profile)
        }
    });
    let mut part = PartialList::default();
    for (name, profile) in profiles.await {
        match profile {
            Ok(profile) => part.push(profile),
            Err(refusal) if is_gone(&refusal) => {}
            Err(refusal) => {
                part.push(json!({"fargateProfileName": name}));
                part.misses("", refusal);
            }
        }
    }
    Ok(part)
}

/// The log group of the control plane; EKS creates it with the first log.
async fn log_groups(eks: &EksCluster) -> Result<PartialList, Gap> {
    let client = aws_sdk_cloudwatchlogs::Client::new(&eks.aws.at(&eks.region));
    let name = format!("/aws/eks/{}/cluster", eks.cluster);
    let request = || client.describe_log_groups().log_group_name_prefix(&name);
    let list = ask_pages!(eks.aws, DESCRIBE_LOG_GROUPS, eks.region, "logGroups", request)?;
    let mut part = PartialList::default();
    for mut group in list {
        // The prefix also matches longer names.
        if group["logGroupName"] == name.as_str() {
            let kept = LOG_GROUP_KEYS.iter().filter_map(|key| Some((*key, group.get_mut(key)?.take())));
            part.push(kept.map(|(key, value)| (key.to_owned(), value)).collect());
        }
    }
    Ok(part)
}

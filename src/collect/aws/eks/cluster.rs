//! The cluster: what it says of itself, and its lists.

use serde_json::{Map, Value, json};

use super::part::{self, Part};
use super::{CLUSTER, Eks, access, addons, is_gone, texts};
use crate::collect::aws::access::Problem;
use crate::collect::aws::ask::{ask, ask_pages, each};
use crate::collect::aws::call::{
    DESCRIBE_CLUSTER, DESCRIBE_FARGATE_PROFILE, DESCRIBE_LOG_GROUPS, LIST_FARGATE_PROFILES,
    LIST_IDENTITY_PROVIDER_CONFIGS, LIST_POD_IDENTITY_ASSOCIATIONS,
};
use crate::collect::aws::request::Request;
use crate::resource::{Kind, Reason, Resource};

/// What is told of a group of logs; the rest of the answer is ids.
const LOG_GROUP_KEYS: [&str; 4] = ["logGroupName", "retentionInDays", "kmsKeyId", "storedBytes"];

/// The cluster as a resource; where it cannot be described, what stands for it.
pub(super) async fn observe(eks: &Eks, request: &Request, groups: &Result<Vec<String>, Problem>) -> Resource {
    let (mut raw, arn) = match described(eks).await {
        Ok(found) => found,
        Err(problem) => return request.unlisted(Kind::Caas, CLUSTER, &problem),
    };
    // Nobody judges it, and it is long.
    raw.remove("certificateAuthority");
    let version = raw.get("version").and_then(Value::as_str).unwrap_or_default();
    let mode = raw.get("accessConfig").and_then(|config| config["authenticationMode"].as_str());
    let (addons, entries, associations, providers, profiles, logs) = tokio::join!(
        addons::all(eks, version),
        access::entries(eks, mode),
        associations(eks),
        identity_providers(eks),
        fargate_profiles(eks),
        log_groups(eks),
    );
    let names = |names: &Vec<String>| Part::whole(names.iter().map(|name| json!(name)).collect());
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
        part::put(&mut raw, &mut unread, key, part);
    }
    Resource {
        unread,
        ..Resource::observed(Kind::Caas, CLUSTER.into(), arn, eks.cluster.to_string(), Value::Object(raw))
    }
}

async fn described(eks: &Eks) -> Result<(Map<String, Value>, String), Problem> {
    let request = eks.client.describe_cluster().name(&*eks.cluster);
    let answer = ask!(eks.access, DESCRIBE_CLUSTER, eks.region, request)?;
    let cluster = eks.object(&DESCRIBE_CLUSTER, answer, "cluster")?;
    let arn = cluster["arn"].as_str().map(str::to_owned);
    let (Value::Object(fields), Some(arn)) = (cluster, arn) else {
        let said = "the cluster has no ARN";
        return Err(Problem::new(&DESCRIBE_CLUSTER, &eks.region, Reason::Malformed, said));
    };
    Ok((fields, arn))
}

async fn associations(eks: &Eks) -> Result<Part, Problem> {
    let request = || eks.client.list_pod_identity_associations().cluster_name(&*eks.cluster);
    let list = ask_pages!(eks.access, LIST_POD_IDENTITY_ASSOCIATIONS, eks.region, "associations", request)?;
    Ok(Part::whole(list))
}

async fn identity_providers(eks: &Eks) -> Result<Part, Problem> {
    let request = || eks.client.list_identity_provider_configs().cluster_name(&*eks.cluster);
    let key = "identityProviderConfigs";
    Ok(Part::whole(ask_pages!(eks.access, LIST_IDENTITY_PROVIDER_CONFIGS, eks.region, key, request)?))
}

async fn fargate_profiles(eks: &Eks) -> Result<Part, Problem> {
    let request = || eks.client.list_fargate_profiles().cluster_name(&*eks.cluster);
    let key = "fargateProfileNames";
    let names = ask_pages!(eks.access, LIST_FARGATE_PROFILES, eks.region, key, request)?;
    let profiles = each(texts(names), |name| {
        let eks = eks.clone();
        async move {
            let request =
                eks.client.describe_fargate_profile().cluster_name(&*eks.cluster).fargate_profile_name(&name);
            let answer = ask!(eks.access, DESCRIBE_FARGATE_PROFILE, eks.region, request);
            let profile =
                answer.and_then(|answer| eks.object(&DESCRIBE_FARGATE_PROFILE, answer, "fargateProfile"));
            (name, profile)
        }
    });
    let mut part = Part::default();
    for (name, profile) in profiles.await {
        match profile {
            Ok(profile) => part.push(profile),
            Err(problem) if is_gone(&problem) => {}
            Err(problem) => {
                part.push(json!({"fargateProfileName": name}));
                part.misses("", problem);
            }
        }
    }
    Ok(part)
}

/// Where the control plane's logs go, if there have ever been any: EKS makes the group with the first.
async fn log_groups(eks: &Eks) -> Result<Part, Problem> {
    let client = aws_sdk_cloudwatchlogs::Client::new(&eks.access.at(&eks.region));
    let name = format!("/aws/eks/{}/cluster", eks.cluster);
    let request = || client.describe_log_groups().log_group_name_prefix(&name);
    let list = ask_pages!(eks.access, DESCRIBE_LOG_GROUPS, eks.region, "logGroups", request)?;
    let mut part = Part::default();
    for mut group in list {
        // Others may begin with the same words.
        if group["logGroupName"] == name.as_str() {
            let told = LOG_GROUP_KEYS.iter().filter_map(|key| Some((*key, group.get_mut(key)?.take())));
            part.push(told.map(|(key, value)| (key.to_owned(), value)).collect());
        }
    }
    Ok(part)
}

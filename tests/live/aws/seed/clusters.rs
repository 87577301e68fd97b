//! EKS clusters and what belongs to them.

use aws_sdk_cloudwatchlogs::Client as Logs;
use aws_sdk_eks::Client;
use aws_sdk_eks::types::{
    AmiTypes, EncryptionConfig, FargateProfileSelector, LogSetup, LogType, Logging, Provider,
    VpcConfigRequest,
};
use serde_json::{Value, json};

use super::roles::arn;
use super::{ACCOUNT, AWAY, HOME, issuer};
use crate::aws::front::Extras;

/// Of every cluster.
const VERSION: &str = "1.33";

struct Cluster {
    region: &'static str,
    name: &'static str,
    /// Whether the endpoint is open to the outside, and to which networks.
    open_to: Option<&'static str>,
    logs: &'static [LogType],
    encrypted: bool,
    /// How principals enter.
    mode: &'static str,
}

const CLUSTERS: [Cluster; 3] = [
    Cluster {
        region: HOME,
        name: "good",
        open_to: None,
        logs: &[
            LogType::Api,
            LogType::Audit,
            LogType::Authenticator,
            LogType::ControllerManager,
            LogType::Scheduler,
        ],
        encrypted: true,
        mode: "API",
    },
    Cluster {
        region: HOME,
        name: "bad",
        open_to: Some("0.0.0.0/0"),
        logs: &[LogType::Api],
        encrypted: false,
        mode: "CONFIG_MAP",
    },
    Cluster {
        region: AWAY,
        name: "away",
        open_to: Some("203.0.113.0/24"),
        logs: &[LogType::Audit],
        encrypted: false,
        mode: "API_AND_CONFIG_MAP",
    },
];

pub async fn plant(emulator: &str, extras: &mut Extras) {
    for cluster in &CLUSTERS {
        let eks = Client::new(&crate::aws::config(emulator, cluster.region));
        create(&eks, cluster).await;
        extras.cluster(cluster.region, cluster.name)["cluster"] = json!({
            "accessConfig": {"authenticationMode": cluster.mode},
            // The emulator gives every cluster the same.
            "identity": {"oidc": {"issuer": issuer(cluster.region, cluster.name)}},
        });
    }
    let home = crate::aws::config(emulator, HOME);
    let eks = Client::new(&home);
    for (cluster, group) in [("good", "good-nodes"), ("bad", "bad-nodes")] {
        let request =
            eks.create_nodegroup().cluster_name(cluster).nodegroup_name(group).node_role(arn(group));
        request
            .version(VERSION)
            .ami_type(AmiTypes::Al2023X8664Standard)
            .subnets("subnet-0a")
            .send()
            .await
            .unwrap();
    }
    let selector = FargateProfileSelector::builder().namespace("batch").build();
    let profile = eks.create_fargate_profile().cluster_name("good").fargate_profile_name("batch");
    profile
        .pod_execution_role_arn(arn("pods"))
        .subnets("subnet-0a")
        .selectors(selector)
        .send()
        .await
        .unwrap();

    let logs = Logs::new(&home);
    // The second has a name that the first one's begins.
    for group in ["/aws/eks/good/cluster", "/aws/eks/good/cluster-of-old"] {
        logs.create_log_group().log_group_name(group).send().await.unwrap();
    }
    let kept = logs.put_retention_policy().log_group_name("/aws/eks/good/cluster").retention_in_days(365);
    kept.send().await.unwrap();

    extras.addon_versions = ADDONS.iter().map(|(name, _, default)| versions(name, default)).collect();
    let good = extras.cluster(HOME, "good");
    good["addons"] = ADDONS.iter().map(|(name, version, _)| addon(name, version)).collect();
    good["accessEntries"] = access_entries();
    good["podIdentityAssociations"] = json!([{"clusterName": "good", "namespace": "demo",
            "serviceAccount": "uploader", "associationId": "a-0123456789abcdef0",
            "associationArn": format!("arn:aws:eks:{HOME}:{ACCOUNT}:podidentityassociation/good/a-0123456789abcdef0")}]);
    good["identityProviderConfigs"] = json!([{"type": "oidc", "name": "staff"}]);
}

#[expect(deprecated, reason = "what is encrypted is asked about, though all is by now")]
async fn create(eks: &Client, cluster: &Cluster) {
    // Explicit throughout: the emulator leaves out what is not said.
    let network = VpcConfigRequest::builder()
        .subnet_ids("subnet-0a")
        .endpoint_private_access(cluster.open_to.is_none())
        .endpoint_public_access(cluster.open_to.is_some())
        .set_public_access_cidrs(Some(cluster.open_to.map(str::to_owned).into_iter().collect()))
        .build();
    let setup = |types: Vec<LogType>, enabled: bool| {
        LogSetup::builder().set_types(Some(types)).enabled(enabled).build()
    };
    let all: Vec<LogType> = LogType::values().iter().map(|name| LogType::from(*name)).collect();
    let off: Vec<LogType> = all.into_iter().filter(|kind| !cluster.logs.contains(kind)).collect();
    let mut logging = Logging::builder().cluster_logging(setup(cluster.logs.to_vec(), true));
    if !off.is_empty() {
        logging = logging.cluster_logging(setup(off, false));
    }
    let mut request = eks
        .create_cluster()
        .name(cluster.name)
        .version(VERSION)
        .role_arn(arn("cluster"))
        .resources_vpc_config(network)
        .logging(logging.build())
        .tags("made-for", "tests");
    if cluster.encrypted {
        let key = Provider::builder().key_arn(format!("arn:aws:kms:{}:{ACCOUNT}:key/k", cluster.region));
        request = request.encryption_config(
            EncryptionConfig::builder().resources("secrets").provider(key.build()).build(),
        );
    }
    request.send().await.unwrap();
}

/// Name, version, and the version that is the default.
const ADDONS: [(&str, &str, &str); 2] = [
    ("vpc-cni", "v1.19.5-eksbuild.1", "v1.20.1-eksbuild.3"),
    ("kube-proxy", "v1.33.3-eksbuild.4", "v1.33.3-eksbuild.4"),
];

fn addon(name: &str, version: &str) -> Value {
    json!({"addonName": name, "clusterName": "good", "status": "ACTIVE", "addonVersion": version,
        "health": {"issues": []}, "createdAt": 1_764_201_600.5, "modifiedAt": 1_764_201_600.5, "tags": {},
        "addonArn": format!("arn:aws:eks:{HOME}:{ACCOUNT}:addon/good/{name}/00000000")})
}

fn versions(name: &str, default: &str) -> Value {
    let version = |version: &str, is_default: bool| {
        let fits = |cluster: &str, is_default: bool| json!({"clusterVersion": cluster, "platformVersions": ["*"], "defaultVersion": is_default});
        json!({"addonVersion": version, "architecture": ["amd64", "arm64"],
            "compatibilities": [fits(VERSION, is_default), fits("1.32", false)]})
    };
    json!({"addonName": name, "type": "networking", "owner": "aws", "publisher": "eks",
        "addonVersions": [version("v9.9.9-eksbuild.1", false), version(default, true)]})
}

fn access_entries() -> Value {
    let policy = |name: &str, scope: Value| {
        json!({"policyArn": format!("arn:aws:eks::aws:cluster-access-policy/{name}"), "accessScope": scope,
            "associatedAt": 1_764_201_600.5, "modifiedAt": 1_764_201_600.5})
    };
    let whole = json!({"type": "cluster", "namespaces": []});
    let demo = json!({"type": "namespace", "namespaces": ["demo"]});
    json!([
        {"principalArn": arn("admins"), "associatedAccessPolicies": [policy("AmazonEKSClusterAdminPolicy", whole)]},
        {"principalArn": arn("team/developers"), "associatedAccessPolicies": [policy("AmazonEKSEditPolicy", demo)]},
        {"principalArn": arn("good-nodes"), "associatedAccessPolicies": []},
    ])
}

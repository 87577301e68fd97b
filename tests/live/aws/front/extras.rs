//! What the emulator lacks, or says otherwise than AWS: EKS's newer lists, public repositories, balancers' host names.

use bytes::Bytes;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::Answer;
use super::operation::Operation;
use super::refusal::error;

/// The only region that knows public repositories.
const PUBLIC: &str = "us-east-1";

#[derive(Clone, Default)]
pub struct Extras {
    /// By region and name.
    clusters: BTreeMap<(String, String), Value>,
    /// What is laid over each image of a repository, by region and the repository's name.
    images: BTreeMap<(String, String), Value>,
    /// The `addons` of DescribeAddonVersions, in every region.
    pub addon_versions: Vec<Value>,
    /// The `repositories` of ECR public's DescribeRepositories, each with its `policyText` if it has one.
    pub public: Vec<Value>,
    /// Whether ECR leaves out how often a repository is scanned, as it may: then the registry's rules tell.
    pub no_frequencies: bool,
    /// Host names of the emulator's, with what stands in their place.
    hosts: Vec<(String, String)>,
}

impl Extras {
    /// Of a cluster, as the API names its things: `cluster` is laid over what the emulator describes, with `null` to
    /// take away; `addons` are whole; `accessEntries` have a `principalArn` and `associatedAccessPolicies`;
    /// `podIdentityAssociations` and `identityProviderConfigs` are as they are listed.
    pub fn cluster(&mut self, region: &str, name: &str) -> &mut Value {
        let nothing = || {
            json!({"cluster": {}, "addons": [], "accessEntries": [], "podIdentityAssociations": [],
                "identityProviderConfigs": []})
        };
        self.clusters.entry((region.to_owned(), name.to_owned())).or_insert_with(nothing)
    }

    /// What is laid over what the emulator tells of each image of a repository.
    pub fn images(&mut self, region: &str, repository: &str, patch: Value) {
        self.images.insert((region.to_owned(), repository.to_owned()), patch);
    }

    /// Has balancers call this host name by another.
    pub fn host(&mut self, emulated: &str, real: &str) {
        self.hosts.push((emulated.to_owned(), real.to_owned()));
    }

    /// The answer, where the emulator has none.
    pub fn answer(&self, operation: &Operation) -> Option<Answer> {
        let answer = match operation.service.as_str() {
            "eks" => self.eks(operation)?,
            "ecr-public" if operation.region != PUBLIC => {
                Err(("UnsupportedCommandException", "not in this region".to_owned()))
            }
            "ecr-public" => self.public(operation)?,
            _ => return None,
        };
        Some(match answer {
            Ok(body) => Answer::new(Bytes::from(body.to_string())),
            Err((code, message)) => {
                let status = if operation.service == "eks" { 404 } else { 400 };
                error(operation, status, code, &message)
            }
        })
    }

    fn eks(&self, operation: &Operation) -> Option<Result<Value, (&'static str, String)>> {
        let missing = |what: &str| Err(("ResourceNotFoundException", format!("No {what} found")));
        if operation.name == "DescribeAddonVersions" {
            return Some(Ok(self.versions(operation)));
        }
        let listed = match operation.name.as_str() {
            "ListAddons" | "DescribeAddon" => "addons",
            "ListAccessEntries" | "ListAssociatedAccessPolicies" => "accessEntries",
            "ListPodIdentityAssociations" => "podIdentityAssociations",
            "ListIdentityProviderConfigs" => "identityProviderConfigs",
            _ => return None,
        };
        let name = &operation.path[0];
        let Some(cluster) = self.clusters.get(&(operation.region.clone(), name.clone())) else {
            return Some(missing(&format!("cluster {name}")));
        };
        let list = cluster[listed].as_array().unwrap();
        let one = |key: &str| list.iter().find(|item| item[key] == operation.path[1].as_str());
        let all = |key: &str| list.iter().map(|item| item[key].clone()).collect::<Vec<_>>();
        Some(match operation.name.as_str() {
            "ListAddons" => Ok(json!({"addons": all("addonName")})),
            "DescribeAddon" => match one("addonName") {
                Some(addon) => Ok(json!({"addon": addon})),
                None => missing("such add-on"),
            },
            "ListAccessEntries" => Ok(json!({"accessEntries": all("principalArn")})),
            "ListAssociatedAccessPolicies" => match one("principalArn") {
                Some(entry) => Ok(json!({"clusterName": name, "principalArn": entry["principalArn"],
                    "associatedAccessPolicies": entry["associatedAccessPolicies"]})),
                None => missing("such access entry"),
            },
            "ListPodIdentityAssociations" => Ok(json!({"associations": list})),
            _ => Ok(json!({"identityProviderConfigs": list})),
        })
    }

    /// The versions of the add-on that is asked for, and of those what goes with the cluster's version.
    fn versions(&self, operation: &Operation) -> Value {
        let mut addons = self.addon_versions.clone();
        if let Some(name) = operation.field("addonName") {
            addons.retain(|addon| addon["addonName"] == name);
        }
        if let Some(version) = operation.field("kubernetesVersion") {
            for addon in &mut addons {
                let versions = addon["addonVersions"].as_array_mut().unwrap();
                for version_of_addon in versions.iter_mut() {
                    let fits = version_of_addon["compatibilities"].as_array_mut().unwrap();
                    fits.retain(|fit| fit["clusterVersion"] == version);
                }
                versions.retain(|version| version["compatibilities"] != json!([]));
            }
        }
        json!({"addons": addons})
    }

    fn public(&self, operation: &Operation) -> Option<Result<Value, (&'static str, String)>> {
        let account = super::super::seed::ACCOUNT;
        match operation.name.as_str() {
            "DescribeRegistries" => {
                Some(Ok(json!({"registries": [{"registryId": account, "verified": false,
                "registryArn": format!("arn:aws:ecr-public::{account}:registry/{account}"),
                "registryUri": "public.ecr.aws/testbed",
                "aliases": [{"name": "testbed", "status": "ACTIVE", "primaryRegistryAlias": true,
                    "defaultRegistryAlias": true}]}]})))
            }
            "DescribeRepositories" => {
                let mut repositories = self.public.clone();
                for repository in repositories.iter_mut().filter_map(Value::as_object_mut) {
                    repository.remove("policyText");
                }
                Some(Ok(json!({"repositories": repositories})))
            }
            "GetRepositoryPolicy" => {
                let name = operation.field("repositoryName").unwrap();
                let Some(found) = self.public.iter().find(|repository| repository["repositoryName"] == name)
                else {
                    return Some(Err(("RepositoryNotFoundException", format!("No repository {name}"))));
                };
                Some(match &found["policyText"] {
                    Value::Null => Err(("RepositoryPolicyNotFoundException", format!("No policy of {name}"))),
                    text => Ok(json!({"registryId": account, "repositoryName": name, "policyText": text})),
                })
            }
            _ => None,
        }
    }

    /// The emulator's answer, closer to AWS's.
    pub fn complete(&self, operation: &Operation, answer: Answer) -> Answer {
        // The emulator falls over what is not there.
        if answer.status() == 500 {
            match (operation.name.as_str(), operation.path.first()) {
                ("DescribeLoadBalancerAttributes", _) => {
                    return error(operation, 400, "LoadBalancerNotFound", "There is no such load balancer");
                }
                ("ListNodegroups" | "ListFargateProfiles", Some(cluster)) => {
                    let message = format!("No cluster found for name: {cluster}");
                    return error(operation, 404, "ResourceNotFoundException", &message);
                }
                _ => {}
            }
        }
        if !answer.status().is_success() {
            return answer;
        }
        match operation.action().as_str() {
            "eks:DescribeCluster" => changed(answer, |document| {
                let cluster = &mut document["cluster"];
                // AWS leaves it out where nothing is encrypted.
                if cluster["encryptionConfig"] == json!([]) {
                    lay_over(cluster, &json!({"encryptionConfig": null}));
                }
                let key = (operation.region.clone(), operation.path[0].clone());
                if let Some(extras) = self.clusters.get(&key) {
                    lay_over(cluster, &extras["cluster"]);
                }
            }),
            "ecr:DescribeImages" => changed(answer, |document| {
                let name = operation.field("repositoryName").unwrap_or_default();
                if let Some(patch) = self.images.get(&(operation.region.clone(), name.to_owned())) {
                    let images = document["imageDetails"].as_array_mut().unwrap();
                    for image in images {
                        lay_over(image, patch);
                    }
                }
            }),
            "ecr:BatchGetRepositoryScanningConfiguration" if self.no_frequencies => {
                changed(answer, |document| {
                    for found in document["scanningConfigurations"].as_array_mut().unwrap() {
                        lay_over(found, &json!({"scanFrequency": null}));
                    }
                })
            }
            "elasticloadbalancing:DescribeLoadBalancers" => answer.map(|body| {
                let text = String::from_utf8(body.into()).unwrap();
                let renamed = |text: String, (from, to): &(String, String)| {
                    text.replace(&format!(">{from}<"), &format!(">{to}<"))
                };
                Bytes::from(self.hosts.iter().fold(text, renamed))
            }),
            _ => answer,
        }
    }
}

/// An answer with another document.
pub fn changed(answer: Answer, change: impl FnOnce(&mut Value)) -> Answer {
    answer.map(|body| {
        let mut document = serde_json::from_slice(&body).unwrap();
        change(&mut document);
        Bytes::from(document.to_string())
    })
}

/// A JSON merge patch (RFC 7396).
fn lay_over(target: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let target = target.as_object_mut().unwrap();
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            lay_over(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

//! `cloud.*` and `related.entity` of a document: where in a cloud the cluster and the resource are.

use serde_json::{Map, Value, json};

use crate::resource::{Cloud, Kind, Resource};

/// `cloud.*`: the resource's own location, else the cluster's; `None` outside a cloud.
pub(super) fn of(resource: &Resource, cluster: Option<&Cloud>) -> Option<Value> {
    let name = service(resource.kind);
    if name.is_none() && cluster.is_none() {
        return None;
    }
    let own = arn(&resource.id);
    let (region, account) = match (own, cluster) {
        (Some((_, region, account)), _) => (region, account),
        (None, Some(cluster)) => (cluster.region.as_str(), cluster.account.as_str()),
        (None, None) => ("", ""),
    };
    let mut out = Map::new();
    out.insert("provider".into(), cluster.map_or("aws", |cluster| cluster.provider.as_str()).into());
    if !region.is_empty() {
        out.insert("region".into(), region.into());
    }
    if !account.is_empty() {
        out.insert("account".into(), json!({"id": account}));
    }
    if let Some(name) = name {
        out.insert("service".into(), json!({"name": name}));
    }
    Some(Value::Object(out))
}

/// `related.*`: the identifiers of a cloud resource; empty for everything else.
pub(super) fn related(resource: &Resource) -> Value {
    if !resource.kind.is_of_cloud() || resource.is_unlisted() {
        return json!({});
    }
    let mut entities = vec![resource.id.as_str()];
    if let Some((_, _, account)) = arn(&resource.id).filter(|_| resource.kind == Kind::ContainerRegistry) {
        entities.push(account);
    }
    json!({"entity": entities})
}

/// `cloud.service.name`.
fn service(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Caas => Some("EKS"),
        Kind::LoadBalancer => Some("ELB"),
        Kind::ContainerRegistry => Some("ECR"),
        Kind::File | Kind::Process | Kind::K8sObject => None,
    }
}

/// Service, region and account of an ARN: `arn:aws:ecr:eu-west-1:123456789012:repository/web`.
fn arn(id: &str) -> Option<(&str, &str, &str)> {
    let mut parts = id.strip_prefix("arn:")?.split(':').skip(1);
    Some((parts.next()?, parts.next()?, parts.next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(kind: Kind, id: &str) -> Resource {
        Resource::observed(kind, "x".into(), id.into(), "web".into(), json!({}))
    }

    #[test]
    fn a_resource_s_own_region_and_account_count() {
        let home = Cloud { provider: "aws".into(), region: "eu-west-1".into(), account: "1".into() };
        let repository = resource(Kind::ContainerRegistry, "arn:aws:ecr:us-east-2:2:repository/a/b");
        assert_eq!(
            of(&repository, Some(&home)),
            Some(
                json!({"provider": "aws", "region": "us-east-2", "account": {"id": "2"}, "service": {"name": "ECR"}})
            )
        );
        assert_eq!(related(&repository), json!({"entity": ["arn:aws:ecr:us-east-2:2:repository/a/b", "2"]}));
        let balancer = resource(Kind::LoadBalancer, "1-web");
        assert_eq!(
            of(&balancer, Some(&home)),
            Some(
                json!({"provider": "aws", "region": "eu-west-1", "account": {"id": "1"}, "service": {"name": "ELB"}})
            )
        );
        assert_eq!(related(&balancer), json!({"entity": ["1-web"]}));
    }

    #[test]
    fn objects_of_a_cluster_are_where_it_is() {
        let pod = resource(Kind::K8sObject, "uid");
        assert_eq!(of(&pod, None), None);
        assert_eq!(related(&pod), json!({}));
        let home = Cloud { provider: "aws".into(), region: "eu-west-1".into(), account: String::new() };
        assert_eq!(of(&pod, Some(&home)), Some(json!({"provider": "aws", "region": "eu-west-1"})));
    }
}

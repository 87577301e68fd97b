//! Classic Load Balancers.

use aws_sdk_elasticloadbalancing::Client;
use aws_sdk_elasticloadbalancing::primitives::DateTimeFormat;
use aws_sdk_elasticloadbalancing::types::{
    ListenerDescription, LoadBalancerAttributes, LoadBalancerDescription, PolicyDescription, Tag,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::{
    CLASSIC, ElbClient, KIND, PAGE, RegionSearch, SoughtBalancers, TAGGED, TOGETHER, could_be_classic,
    is_gone, used_by,
};
use crate::collect::aws::calls::elb::{
    DESCRIBE_LOAD_BALANCER_ATTRIBUTES, DESCRIBE_LOAD_BALANCER_POLICIES, DESCRIBE_LOAD_BALANCERS,
    DESCRIBE_TAGS,
};
use crate::collect::aws::client::{PageCursor, TaskWindow, in_batches};
use crate::collect::aws::document::{draft, fill, list, object};
use crate::collect::aws::scope::AwsScope;
use crate::resource::{Gap, Resource};

/// Sends those of `sought` that exist to the region's receiver, and removes them from it.
pub(super) async fn search(region: &RegionSearch<'_>, sought: &mut SoughtBalancers<'_>) -> Result<(), Gap> {
    let elb = region.client(Client::new);
    let mut pages = PageCursor::default();
    loop {
        let sent =
            Box::pin(elb.client.describe_load_balancers().page_size(PAGE).set_marker(pages.token()).send());
        let page = region.aws.ask(&DESCRIBE_LOAD_BALANCERS, region.name, sent).await?;
        let next = page.next_marker;
        let mut found = Vec::new();
        for balancer in page.load_balancer_descriptions.unwrap_or_default() {
            let name = balancer.dns_name.as_deref().unwrap_or_default().to_ascii_lowercase();
            let Some(sought) = sought.remove(name.as_str()) else { continue };
            let mut resource = described(balancer, region);
            used_by(&mut resource, &sought);
            found.push(resource);
        }
        if region.scope.wants(KIND, CLASSIC) {
            elb.complete(found).await;
        }
        let over = !could_be_classic(sought) || region.found.is_closed();
        if over || !pages.turn(next, &DESCRIBE_LOAD_BALANCERS, region.name)? {
            return Ok(());
        }
    }
}

impl ElbClient<Client> {
    /// Adds what the list does not contain, and sends them.
    async fn complete(&self, resources: Vec<Resource>) {
        let mut window = TaskWindow::new(TOGETHER);
        let names: Vec<String> = resources.iter().map(|resource| resource.name.clone()).collect();
        let mut tags = self.tags(&names).await;
        for mut resource in resources {
            let tags = tags.remove(&resource.name).unwrap_or_else(|| Ok(Value::Array(Vec::new())));
            fill(&mut resource, "Tags", tags);
            let elb = self.clone();
            window
                .start(async move {
                    let (attributes, policies) =
                        tokio::join!(elb.attributes(&resource.name), elb.policies(&resource.name));
                    fill(&mut resource, "Attributes", attributes);
                    fill(&mut resource, "Policies", policies);
                    // Fails when the receiver was dropped: the cycle is over.
                    let _ = elb.found.send(resource).await;
                })
                .await;
        }
        window.end().await;
    }

    async fn tags(&self, names: &[String]) -> BTreeMap<String, Result<Value, Gap>> {
        let answers = in_batches(names, TAGGED, is_gone, |names| {
            let sent = Box::pin(self.client.describe_tags().set_load_balancer_names(Some(names)).send());
            self.aws.ask(&DESCRIBE_TAGS, &self.region, sent)
        })
        .await;
        let given = answers.given.into_iter().flat_map(|answer| answer.tag_descriptions.unwrap_or_default());
        let given = given.filter_map(|tagged| {
            let tags = list(tagged.tags, tag).unwrap_or_else(|| Value::Array(Vec::new()));
            Some((tagged.load_balancer_name?, Ok(tags)))
        });
        let refused = answers
            .refused
            .into_iter()
            .flat_map(|(names, refusal)| names.into_iter().map(move |name| (name, Err(refusal.gap.clone()))));
        given.chain(refused).collect()
    }

    async fn attributes(&self, name: &str) -> Result<Value, Gap> {
        let sent = Box::pin(self.client.describe_load_balancer_attributes().load_balancer_name(name).send());
        let answer = self.aws.ask(&DESCRIBE_LOAD_BALANCER_ATTRIBUTES, &self.region, sent).await?;
        Ok(Value::Object(answer.load_balancer_attributes.map(attributes).unwrap_or_default()))
    }

    async fn policies(&self, name: &str) -> Result<Value, Gap> {
        let sent = Box::pin(self.client.describe_load_balancer_policies().load_balancer_name(name).send());
        let answer = self.aws.ask(&DESCRIBE_LOAD_BALANCER_POLICIES, &self.region, sent).await?;
        Ok(list(Some(answer.policy_descriptions.unwrap_or_default()), policy).unwrap_or_default())
    }
}

fn described(balancer: LoadBalancerDescription, region: &RegionSearch) -> Resource {
    let name = balancer.load_balancer_name.clone().unwrap_or_default();
    let created = balancer.created_time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok());
    let raw = object([
        ("LoadBalancerName", balancer.load_balancer_name.map(Value::from)),
        ("DNSName", balancer.dns_name.map(Value::from)),
        ("Scheme", balancer.scheme.map(Value::from)),
        ("VPCId", balancer.vpc_id.map(Value::from)),
        ("CreatedTime", created.map(Value::from)),
        ("SecurityGroups", balancer.security_groups.map(Value::from)),
        ("Subnets", balancer.subnets.map(Value::from)),
        ("ListenerDescriptions", list(Some(balancer.listener_descriptions.unwrap_or_default()), listener)),
    ]);
    draft(KIND, CLASSIC, id(region, &name), name, raw)
}

/// A classic load balancer has no ARN, and its name is unique in its region only; the cluster's own region is left out.
fn id(region: &RegionSearch, name: &str) -> String {
    let AwsScope { account, region: own, .. } = region.scope;
    if region.name == own { format!("{account}-{name}") } else { format!("{account}-{}-{name}", region.name) }
}

fn listener(described: ListenerDescription) -> Map<String, Value> {
    let listener = described.listener.map(|listener| {
        object([
            ("Protocol", Some(listener.protocol.into())),
            ("LoadBalancerPort", Some(listener.load_balancer_port.into())),
            ("InstanceProtocol", listener.instance_protocol.map(Value::from)),
            ("InstancePort", Some(listener.instance_port.into())),
            ("SSLCertificateId", listener.ssl_certificate_id.map(Value::from)),
        ])
    });
    object([
        ("Listener", listener.map(Value::Object)),
        ("PolicyNames", Some(described.policy_names.unwrap_or_default().into())),
    ])
}

fn policy(policy: PolicyDescription) -> Map<String, Value> {
    let attributes = list(policy.policy_attribute_descriptions, |attribute| {
        object([
            ("AttributeName", attribute.attribute_name.map(Value::from)),
            ("AttributeValue", attribute.attribute_value.map(Value::from)),
        ])
    });
    object([
        ("PolicyName", policy.policy_name.map(Value::from)),
        ("PolicyTypeName", policy.policy_type_name.map(Value::from)),
        ("PolicyAttributeDescriptions", attributes),
    ])
}

fn attributes(given: LoadBalancerAttributes) -> Map<String, Value> {
    let log = given.access_log.map(|log| {
        object([
            ("Enabled", Some(log.enabled.into())),
            ("S3BucketName", log.s3_bucket_name.map(Value::from)),
            ("EmitInterval", log.emit_interval.map(Value::from)),
            ("S3BucketPrefix", log.s3_bucket_prefix.map(Value::from)),
        ])
    });
    let draining = given.connection_draining.map(|draining| {
        object([("Enabled", Some(draining.enabled.into())), ("Timeout", draining.timeout.map(Value::from))])
    });
    let zones =
        given.cross_zone_load_balancing.map(|zones| object([("Enabled", Some(zones.enabled.into()))]));
    let idle =
        given.connection_settings.map(|idle| object([("IdleTimeout", Some(idle.idle_timeout.into()))]));
    let more = list(given.additional_attributes, |attribute| {
        object([("Key", attribute.key.map(Value::from)), ("Value", attribute.value.map(Value::from))])
    });
    object([
        ("AccessLog", log.map(Value::Object)),
        ("CrossZoneLoadBalancing", zones.map(Value::Object)),
        ("ConnectionDraining", draining.map(Value::Object)),
        ("ConnectionSettings", idle.map(Value::Object)),
        ("AdditionalAttributes", more),
    ])
}

fn tag(tag: Tag) -> Map<String, Value> {
    object([("Key", Some(tag.key.into())), ("Value", Some(tag.value.unwrap_or_default().into()))])
}

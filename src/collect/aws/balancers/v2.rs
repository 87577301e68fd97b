//! Application and Network Load Balancers.

use aws_sdk_elasticloadbalancingv2::Client;
use aws_sdk_elasticloadbalancingv2::primitives::DateTimeFormat;
use aws_sdk_elasticloadbalancingv2::types::{
    Action, AvailabilityZone, Listener, LoadBalancer, LoadBalancerTypeEnum,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use super::{
    APPLICATION, ElbClient, KIND, NETWORK, PAGE, RegionSearch, SoughtBalancers, TAGGED, TOGETHER, is_gone,
    used_by,
};
use crate::collect::aws::calls::elb::{
    DESCRIBE_LOAD_BALANCER_ATTRIBUTES, DESCRIBE_LOAD_BALANCERS, DESCRIBE_TAGS,
};
use crate::collect::aws::calls::elbv2::DESCRIBE_LISTENERS;
use crate::collect::aws::client::{Page, PageCursor, TaskWindow, follow, in_batches};
use crate::collect::aws::document::{draft, fill, list, object};
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
        for balancer in page.load_balancers.unwrap_or_default() {
            let name = balancer.dns_name.as_deref().unwrap_or_default().to_ascii_lowercase();
            let Some(sought) = sought.remove(name.as_str()) else { continue };
            let mut resource = described(balancer);
            if region.scope.wants(KIND, &resource.sub_type) {
                used_by(&mut resource, &sought);
                found.push(resource);
            }
        }
        elb.complete(found).await;
        let over = sought.is_empty() || region.found.is_closed();
        if over || !pages.turn(next, &DESCRIBE_LOAD_BALANCERS, region.name)? {
            return Ok(());
        }
    }
}

impl ElbClient<Client> {
    /// Adds what the list does not contain, and sends them.
    async fn complete(&self, resources: Vec<Resource>) {
        let mut window = TaskWindow::new(TOGETHER);
        let arns: Vec<String> = resources.iter().map(|resource| resource.id.clone()).collect();
        let mut tags = self.tags(&arns).await;
        for mut resource in resources {
            let tags = tags.remove(&resource.id).unwrap_or_else(|| Ok(Value::Array(Vec::new())));
            fill(&mut resource, "Tags", tags);
            let elb = self.clone();
            window
                .start(async move {
                    let (attributes, listeners) =
                        tokio::join!(elb.attributes(&resource.id), elb.listeners(&resource.id));
                    fill(&mut resource, "Attributes", attributes);
                    fill(&mut resource, "Listeners", listeners);
                    // Fails when the receiver was dropped: the cycle is over.
                    let _ = elb.found.send(resource).await;
                })
                .await;
        }
        window.end().await;
    }

    async fn tags(&self, arns: &[String]) -> BTreeMap<String, Result<Value, Gap>> {
        let answers = in_batches(arns, TAGGED, is_gone, |arns| {
            let sent = Box::pin(self.client.describe_tags().set_resource_arns(Some(arns)).send());
            self.aws.ask(&DESCRIBE_TAGS, &self.region, sent)
        })
        .await;
        let given = answers.given.into_iter().flat_map(|answer| answer.tag_descriptions.unwrap_or_default());
        let given = given.filter_map(|tagged| {
            let tags = list(Some(tagged.tags.unwrap_or_default()), |tag| {
                object([("Key", tag.key.map(Value::from)), ("Value", tag.value.map(Value::from))])
            });
            Some((tagged.resource_arn?, Ok(tags?)))
        });
        let refused = answers
            .refused
            .into_iter()
            .flat_map(|(arns, refusal)| arns.into_iter().map(move |arn| (arn, Err(refusal.gap.clone()))));
        given.chain(refused).collect()
    }

    async fn attributes(&self, arn: &str) -> Result<Value, Gap> {
        let sent = Box::pin(self.client.describe_load_balancer_attributes().load_balancer_arn(arn).send());
        let answer = self.aws.ask(&DESCRIBE_LOAD_BALANCER_ATTRIBUTES, &self.region, sent).await?;
        let attributes = list(Some(answer.attributes.unwrap_or_default()), |attribute| {
            object([("Key", attribute.key.map(Value::from)), ("Value", attribute.value.map(Value::from))])
        });
        Ok(attributes.unwrap_or_default())
    }

    async fn listeners(&self, arn: &str) -> Result<Value, Gap> {
        let all = follow(&DESCRIBE_LISTENERS, &self.region, |marker| async {
            let asked = self.client.describe_listeners().load_balancer_arn(arn).page_size(PAGE);
            let sent = Box::pin(asked.set_marker(marker).send());
            let page = self.aws.ask(&DESCRIBE_LISTENERS, &self.region, sent).await?;
            let items = page.listeners.unwrap_or_default();
            Ok(Page {
                items: items.into_iter().map(listener).map(Value::Object).collect(),
                next: page.next_marker,
            })
        });
        Ok(Value::Array(all.await?))
    }
}

fn described(balancer: LoadBalancer) -> Resource {
    // A Gateway Load Balancer has no host name, so it is never sought.
    let sub_type = match balancer.r#type {
        Some(LoadBalancerTypeEnum::Application) => APPLICATION,
        _ => NETWORK,
    };
    let arn = balancer.load_balancer_arn.clone().unwrap_or_default();
    let name = balancer.load_balancer_name.clone().unwrap_or_default();
    let created = balancer.created_time.and_then(|time| time.fmt(DateTimeFormat::DateTime).ok());
    let state = balancer.state.map(|state| {
        object([
            ("Code", state.code.map(|code| Value::from(code.as_str()))),
            ("Reason", state.reason.map(Value::from)),
        ])
    });
    let raw = object([
        ("LoadBalancerArn", balancer.load_balancer_arn.map(Value::from)),
        ("LoadBalancerName", balancer.load_balancer_name.map(Value::from)),
        ("DNSName", balancer.dns_name.map(Value::from)),
        ("Scheme", balancer.scheme.map(|scheme| Value::from(scheme.as_str()))),
        ("Type", balancer.r#type.map(|kind| Value::from(kind.as_str()))),
        ("VpcId", balancer.vpc_id.map(Value::from)),
        ("IpAddressType", balancer.ip_address_type.map(|kind| Value::from(kind.as_str()))),
        ("CreatedTime", created.map(Value::from)),
        ("SecurityGroups", balancer.security_groups.map(Value::from)),
        ("AvailabilityZones", list(balancer.availability_zones, zone)),
        ("State", state.map(Value::Object)),
    ]);
    draft(KIND, sub_type, arn, name, raw)
}

fn zone(zone: AvailabilityZone) -> Map<String, Value> {
    object([
        ("ZoneName", zone.zone_name.map(Value::from)),
        ("SubnetId", zone.subnet_id.map(Value::from)),
        ("OutpostId", zone.outpost_id.map(Value::from)),
    ])
}

fn listener(listener: Listener) -> Map<String, Value> {
    let certificates = list(listener.certificates, |certificate| {
        object([("CertificateArn", certificate.certificate_arn.map(Value::from))])
    });
    object([
        ("ListenerArn", listener.listener_arn.map(Value::from)),
        ("Port", listener.port.map(Value::from)),
        ("Protocol", listener.protocol.map(|protocol| Value::from(protocol.as_str()))),
        ("SslPolicy", listener.ssl_policy.map(Value::from)),
        ("Certificates", Some(certificates.unwrap_or_else(|| Value::Array(Vec::new())))),
        ("AlpnPolicy", listener.alpn_policy.map(Value::from)),
        ("DefaultActions", list(Some(listener.default_actions.unwrap_or_default()), action)),
    ])
}

fn action(action: Action) -> Map<String, Value> {
    let redirect = action.redirect_config.map(|redirect| {
        object([
            ("Protocol", redirect.protocol.map(Value::from)),
            ("Port", redirect.port.map(Value::from)),
            ("Host", redirect.host.map(Value::from)),
            ("Path", redirect.path.map(Value::from)),
            ("Query", redirect.query.map(Value::from)),
            ("StatusCode", redirect.status_code.map(|code| Value::from(code.as_str()))),
        ])
    });
    object([
        ("Type", action.r#type.map(|kind| Value::from(kind.as_str()))),
        ("TargetGroupArn", action.target_group_arn.map(Value::from)),
        ("RedirectConfig", redirect.map(Value::Object)),
    ])
}

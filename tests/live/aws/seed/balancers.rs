//! Load balancers of both generations.

use aws_sdk_elasticloadbalancing as classic;
use aws_sdk_elasticloadbalancingv2 as v2;
use classic::types::{Listener, PolicyAttribute};
use serde_json::json;
use std::collections::BTreeMap;
use v2::types::{
    Action, ActionTypeEnum, Certificate, LoadBalancerSchemeEnum, LoadBalancerTypeEnum, ProtocolEnum,
    RedirectActionConfig, RedirectActionStatusCodeEnum,
};

use super::{AWAY, HOME, Seed};
use crate::aws::front::Extras;
use crate::aws::plain::{Plain, texts};

pub async fn plant(emulator: &str, extras: &mut Extras, plain: &Plain) -> Seed {
    let mut seed = Seed { hosts: BTreeMap::new(), balancers: BTreeMap::new() };
    let request = json!({"DomainName": "shop.example"});
    let answer = plain.json("acm", HOME, "CertificateManager.RequestCertificate", &request).await;
    let certificate = answer["CertificateArn"].as_str().unwrap();
    for region in [HOME, AWAY] {
        let elb = classic::Client::new(&crate::aws::config(emulator, region));
        let names: &[&str] =
            if region == HOME { &["classic-https", "classic-tcp"] } else { &["classic-away"] };
        for name in names {
            let emulated =
                plant_classic(&elb, region, name, name.ends_with("https").then_some(certificate)).await;
            // The emulator names the same region for all, and has no number.
            let host = format!("{name}-1234567890.{region}.elb.amazonaws.com");
            extras.host(&emulated, &host);
            seed.hosts.insert(name, host);
        }
    }
    let client = v2::Client::new(&crate::aws::config(emulator, HOME));
    Newer { client, certificate, plain, seed: &mut seed, extras }.plant().await;
    seed
}

/// One classic balancer, with HTTPS if there is a certificate; returns its host name.
async fn plant_classic(elb: &classic::Client, region: &str, name: &str, certificate: Option<&str>) -> String {
    let listener = match certificate {
        Some(certificate) => {
            Listener::builder().protocol("HTTPS").load_balancer_port(443).ssl_certificate_id(certificate)
        }
        None => Listener::builder().protocol("TCP").load_balancer_port(80),
    };
    let tag = classic::types::Tag::builder().key("kubernetes.io/service-name").value(format!("demo/{name}"));
    let request = elb
        .create_load_balancer()
        .load_balancer_name(name)
        .availability_zones(format!("{region}a"))
        .listeners(listener.instance_port(30_080).build().unwrap())
        .tags(tag.build().unwrap());
    let made = request.send().await.unwrap();
    if certificate.is_some() {
        let modern = PolicyAttribute::builder()
            .attribute_name("Reference-Security-Policy")
            .attribute_value("ELBSecurityPolicy-TLS-1-2-2017-01");
        let policy = elb.create_load_balancer_policy().load_balancer_name(name).policy_name("modern");
        let policy = policy.policy_type_name("SSLNegotiationPolicyType").policy_attributes(modern.build());
        policy.send().await.unwrap();
        let used = elb.set_load_balancer_policies_of_listener().load_balancer_name(name);
        used.load_balancer_port(443).policy_names("modern").send().await.unwrap();
    }
    made.dns_name().unwrap().to_owned()
}

/// ALBs and NLBs.
struct Newer<'a> {
    client: v2::Client,
    certificate: &'a str,
    plain: &'a Plain,
    seed: &'a mut Seed,
    extras: &'a mut Extras,
}

impl Newer<'_> {
    async fn plant(&mut self) {
        let subnets = self.plain.form("ec2", HOME, "Action=DescribeSubnets&Version=2016-11-15").await;
        let network = texts(&subnets, "vpcId")[0];
        let subnets = &texts(&subnets, "subnetId")[..2];
        let mut forwards = Vec::new();
        for (name, protocol) in [("http", ProtocolEnum::Http), ("tcp", ProtocolEnum::Tcp)] {
            let group = self.client.create_target_group().name(name).protocol(protocol).port(30_080);
            let made = group.vpc_id(network).send().await.unwrap();
            let target = made.target_groups()[0].target_group_arn().unwrap();
            forwards.push(Action::builder().r#type(ActionTypeEnum::Forward).target_group_arn(target).build());
        }
        let [to_http, to_tcp] = forwards.try_into().unwrap();
        let to_https = RedirectActionConfig::builder()
            .protocol("HTTPS")
            .port("443")
            .status_code(RedirectActionStatusCodeEnum::Http301)
            .build();
        let redirect = Action::builder().r#type(ActionTypeEnum::Redirect).redirect_config(to_https).build();

        let alb = LoadBalancerTypeEnum::Application;
        let arn = self.create("alb-https", alb.clone(), subnets).await;
        self.listen(&arn, ProtocolEnum::Http, 80, redirect).await;
        self.listen(&arn, ProtocolEnum::Https, 443, to_http.clone()).await;
        let arn = self.create("alb-http", alb, subnets).await;
        self.listen(&arn, ProtocolEnum::Http, 80, to_http).await;

        let nlb = LoadBalancerTypeEnum::Network;
        let arn = self.create("nlb-tls", nlb.clone(), subnets).await;
        self.listen(&arn, ProtocolEnum::Tls, 443, to_tcp.clone()).await;
        let arn = self.create("nlb-tcp", nlb, subnets).await;
        self.listen(&arn, ProtocolEnum::Tcp, 80, to_tcp).await;
    }

    async fn create(&mut self, name: &'static str, kind: LoadBalancerTypeEnum, subnets: &[&str]) -> String {
        let tag = v2::types::Tag::builder().key("kubernetes.io/service-name").value(format!("demo/{name}"));
        let request = self
            .client
            .create_load_balancer()
            .name(name)
            .r#type(kind.clone())
            .scheme(LoadBalancerSchemeEnum::InternetFacing)
            .set_subnets(Some(subnets.iter().map(|&subnet| subnet.to_owned()).collect()))
            .tags(tag.build());
        let made = request.send().await.unwrap();
        let made = &made.load_balancers()[0];
        let emulated = made.dns_name().unwrap();
        let mut host = emulated.to_owned();
        if kind == LoadBalancerTypeEnum::Network {
            // The emulator names them as it does the others.
            host = format!("{name}-0123456789abcdef.elb.{HOME}.amazonaws.com");
            self.extras.host(emulated, &host);
        }
        let arn = made.load_balancer_arn().unwrap().to_owned();
        self.seed.hosts.insert(name, host);
        self.seed.balancers.insert(name, arn.clone());
        arn
    }

    async fn listen(&self, balancer: &str, protocol: ProtocolEnum, port: i32, action: Action) {
        let mut request =
            self.client.create_listener().load_balancer_arn(balancer).port(port).default_actions(action);
        if matches!(protocol, ProtocolEnum::Https | ProtocolEnum::Tls) {
            let certificate = Certificate::builder().certificate_arn(self.certificate).build();
            request = request.ssl_policy("ELBSecurityPolicy-TLS13-1-2-2021-06").certificates(certificate);
        }
        request.protocol(protocol).send().await.unwrap();
    }
}

//! Load balancers, as a double of both APIs tells of them.

mod double;

use serde_json::{Value, json};
use wiremock::MockServer;

use super::super::tests::{client, collected, scope};
use super::observe;
use crate::collect::sightings::Sightings;
use crate::resource::{Gap, Reason, Resource, Unread};
use double::{CLASSIC, V2, asked, double, of_classic, of_v2, refused};

const ALL: [&str; 3] = ["load-balancer/aws-elb", "load-balancer/aws-alb", "load-balancer/aws-nlb"];

fn seen(hosts: &[(&str, &str)]) -> Sightings {
    let mut sightings = Sightings::default();
    for (host, user) in hosts {
        sightings.balancers.entry((*host).to_owned()).or_default().insert((*user).to_owned());
    }
    sightings
}

async fn look(server: &MockServer, wanted: &[&str], sightings: &Sightings) -> Vec<Resource> {
    collected(async |found| observe(&client(server), &scope(wanted), sightings, found).await).await
}

#[tokio::test]
async fn both_generations_are_joined_by_their_host_names() {
    let server = double(|asked| {
        let result = match (asked.version.as_str(), asked.action.as_str(), asked.field("Marker")) {
            (V2, "DescribeLoadBalancers", "") => format!(
                "<LoadBalancers>{}{}</LoadBalancers><NextMarker>two</NextMarker>",
                of_v2("other", "application", "other-1.eu-west-1.elb.amazonaws.com"),
                of_v2("web", "application", "Internal-Web-1.eu-west-1.elb.amazonaws.com"),
            ),
            (V2, "DescribeLoadBalancers", "two") => format!(
                "<LoadBalancers>{}</LoadBalancers>",
                of_v2("net", "network", "net-0a.elb.eu-west-1.amazonaws.com"),
            ),
            (CLASSIC, "DescribeLoadBalancers", _) => format!(
                "<LoadBalancerDescriptions>{}{}</LoadBalancerDescriptions><NextMarker>never</NextMarker>",
                of_classic("others", "others-1.eu-west-1.elb.amazonaws.com"),
                of_classic("old", "old-1.eu-west-1.elb.amazonaws.com"),
            ),
            (V2, "DescribeListeners", "") if asked.field("LoadBalancerArn") == "arn:web" => "<Listeners><member><ListenerArn>arn:l1</ListenerArn><Port>80</Port><Protocol>HTTP</Protocol><DefaultActions><member><Type>redirect</Type><RedirectConfig><Protocol>HTTPS</Protocol><Port>443</Port><Host>#{host}</Host><Path>/#{path}</Path><Query>#{query}</Query><StatusCode>HTTP_301</StatusCode></RedirectConfig></member></DefaultActions></member></Listeners><NextMarker>more</NextMarker>".into(),
            (V2, "DescribeListeners", "more") => "<Listeners><member><ListenerArn>arn:l2</ListenerArn><Port>443</Port><Protocol>HTTPS</Protocol><SslPolicy>ELBSecurityPolicy-TLS13-1-2-2021-06</SslPolicy><Certificates><member><CertificateArn>arn:cert</CertificateArn></member></Certificates><DefaultActions><member><Type>forward</Type><TargetGroupArn>arn:tg</TargetGroupArn></member></DefaultActions></member></Listeners>".into(),
            _ => return None,
        };
        Some(asked.answer(&result))
    })
    .await;
    let sightings = seen(&[
        ("internal-web-1.eu-west-1.elb.amazonaws.com", "Ingress/shop/web"),
        ("net-0a.elb.eu-west-1.amazonaws.com", "Service/shop/net"),
        ("old-1.eu-west-1.elb.amazonaws.com", "Service/shop/old"),
        ("old-1.eu-west-1.elb.amazonaws.com", "Service/shop/older"),
        ("www.example.com", "Ingress/shop/elsewhere"),
    ]);
    let found = look(&server, &ALL, &sightings).await;
    assert!(found.iter().all(|resource| resource.unread.is_empty()), "{found:#?}");
    let names: Vec<_> = found.iter().map(|r| (r.sub_type.as_str(), r.id.as_str(), r.name.as_str())).collect();
    assert_eq!(
        names,
        [
            ("aws-elb", "123456789012-old", "old"),
            ("aws-nlb", "arn:net", "net"),
            ("aws-alb", "arn:web", "web")
        ]
    );
    assert_eq!(
        found[0].raw,
        json!({
            "LoadBalancerName": "old", "DNSName": "old-1.eu-west-1.elb.amazonaws.com", "Scheme": "internet-facing",
            "VPCId": "vpc-1", "CreatedTime": "2026-01-02T03:04:05Z", "SecurityGroups": ["sg-1"], "Subnets": ["subnet-1"],
            "ListenerDescriptions": [
                {"PolicyNames": ["tls"], "Listener": {"Protocol": "HTTPS", "LoadBalancerPort": 443,
                    "InstanceProtocol": "HTTP", "InstancePort": 30000, "SSLCertificateId": "arn:cert"}},
                {"PolicyNames": [], "Listener": {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30001}},
            ],
            "Policies": [{"PolicyName": "tls", "PolicyTypeName": "SSLNegotiationPolicyType",
                "PolicyAttributeDescriptions": [{"AttributeName": "Protocol-TLSv1", "AttributeValue": "true"}]}],
            "Attributes": {
                "AccessLog": {"Enabled": true, "S3BucketName": "logs", "EmitInterval": 60},
                "CrossZoneLoadBalancing": {"Enabled": false}, "ConnectionDraining": {"Enabled": false},
                "ConnectionSettings": {"IdleTimeout": 60},
            },
            "Tags": [{"Key": "of", "Value": "old"}],
            "usedBy": ["Service/shop/old", "Service/shop/older"],
        })
    );
    assert_eq!(
        found[2].raw,
        json!({
            "LoadBalancerArn": "arn:web", "LoadBalancerName": "web",
            "DNSName": "Internal-Web-1.eu-west-1.elb.amazonaws.com", "Scheme": "internal", "Type": "application",
            "VpcId": "vpc-1", "IpAddressType": "ipv4", "CreatedTime": "2026-01-02T03:04:05.678Z",
            "State": {"Code": "active"}, "SecurityGroups": ["sg-1"],
            "AvailabilityZones": [{"ZoneName": "eu-west-1a", "SubnetId": "subnet-1"}],
            "Listeners": [
                {"ListenerArn": "arn:l1", "Port": 80, "Protocol": "HTTP", "Certificates": [], "DefaultActions": [
                    {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "Host": "#{host}",
                        "Path": "/#{path}", "Query": "#{query}", "StatusCode": "HTTP_301"}}]},
                {"ListenerArn": "arn:l2", "Port": 443, "Protocol": "HTTPS",
                    "SslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "Certificates": [{"CertificateArn": "arn:cert"}],
                    "DefaultActions": [{"Type": "forward", "TargetGroupArn": "arn:tg"}]},
            ],
            "Attributes": [{"Key": "access_logs.s3.enabled", "Value": "false"}],
            "Tags": [{"Key": "of", "Value": "arn:web"}],
            "usedBy": ["Ingress/shop/web"],
        })
    );
    // The second page of the classic ones has nobody left to look for; the others' details are not asked for.
    let asked = asked(&server).await;
    assert_eq!(asked.iter().filter(|asked| asked.is(CLASSIC, "DescribeLoadBalancers")).count(), 1);
    assert_eq!(asked.iter().filter(|asked| asked.action == "DescribeLoadBalancerAttributes").count(), 3);
}

#[tokio::test]
async fn a_name_that_nothing_has_is_missing() {
    let server = double(|_| None).await;
    let hosts = ["gone-1.eu-west-1.elb.amazonaws.com", "gone-1.elb.eu-west-1.amazonaws.com"];
    let sightings = seen(&[(hosts[0], "Service/a/b"), (hosts[1], "Service/a/c")]);
    let found = look(&server, &ALL, &sightings).await;
    let found_as: Vec<_> =
        found.iter().map(|r| (r.sub_type.as_str(), r.id.as_str(), r.name.as_str())).collect();
    // `elb` comes before `eu`.
    assert_eq!(found_as, [("aws-nlb", hosts[1], hosts[1]), ("aws-elb", hosts[0], hosts[0])]);
    for resource in &found {
        assert_eq!((resource.unread[0].at.as_str(), resource.unread[0].gap.reason), ("$", Reason::Missing));
        assert!(
            resource.unread[0].gap.what.contains("account 123456789012 in eu-west-1"),
            "{:?}",
            resource.unread
        );
        assert!(!resource.is_unlisted());
    }
    assert_eq!(found[1].raw["usedBy"], json!(["Service/a/b"]));
}

#[tokio::test]
async fn classic_ones_of_one_name_in_two_regions_are_two() {
    let server = double(|asked| {
        asked.is(CLASSIC, "DescribeLoadBalancers").then(|| {
            let host = format!("web-1.{}.elb.amazonaws.com", asked.region);
            let web = of_classic("web", &host);
            asked.answer(&format!("<LoadBalancerDescriptions>{web}</LoadBalancerDescriptions>"))
        })
    })
    .await;
    let sightings = seen(&[
        ("web-1.eu-west-1.elb.amazonaws.com", "Service/a/here"),
        ("web-1.us-east-1.elb.amazonaws.com", "Service/a/there"),
    ]);
    let found = look(&server, &ALL, &sightings).await;
    let found_as: Vec<_> =
        found.iter().map(|r| (r.id.as_str(), r.name.as_str(), &r.raw["usedBy"][0])).collect();
    assert_eq!(
        found_as,
        [
            ("123456789012-us-east-1-web", "web", &json!("Service/a/there")),
            ("123456789012-web", "web", &json!("Service/a/here")),
        ]
    );
}

#[tokio::test]
async fn a_denied_region_does_not_hide_another() {
    let server = double(|asked| match (asked.version.as_str(), asked.region.as_str()) {
        (V2, "us-east-1") => Some(refused(403, "AccessDenied")),
        (CLASSIC, "us-east-1") if asked.action == "DescribeLoadBalancers" => Some(asked.answer(&format!(
            "<LoadBalancerDescriptions>{}</LoadBalancerDescriptions>",
            of_classic("old", "old-1.us-east-1.elb.amazonaws.com")
        ))),
        (V2, "eu-west-1") if asked.action == "DescribeLoadBalancers" => Some(asked.answer(&format!(
            "<LoadBalancers>{}</LoadBalancers>",
            of_v2("net", "network", "net-1.elb.eu-west-1.amazonaws.com")
        ))),
        _ => None,
    })
    .await;
    let sightings = seen(&[
        ("net-1.elb.eu-west-1.amazonaws.com", "Service/a/net"),
        ("net-1.elb.us-east-1.amazonaws.com", "Service/a/far"),
        ("old-1.us-east-1.elb.amazonaws.com", "Service/a/old"),
        ("web-1.us-east-1.elb.amazonaws.com", "Ingress/a/web"),
    ]);
    let found = look(&server, &ALL, &sightings).await;
    let whole: Vec<_> = found.iter().filter(|r| r.unread.is_empty()).map(|r| r.name.as_str()).collect();
    assert_eq!(whole, ["old", "net"]);
    for resource in found.iter().filter(|resource| !resource.unread.is_empty()) {
        let Unread { at, gap: Gap { reason, what } } = &resource.unread[0];
        assert_eq!((at.as_str(), *reason), ("$", Reason::Denied), "{what}");
        assert!(what.contains("elasticloadbalancing:DescribeLoadBalancers in us-east-1"), "{what}");
    }
    assert_eq!(found.len(), 4);
    // Only the region with a name that can be a classic one's was asked for those.
    let asked = asked(&server).await;
    assert!(asked.iter().filter(|asked| asked.version == CLASSIC).all(|asked| asked.region == "us-east-1"));
}

#[tokio::test]
async fn a_refused_detail_is_a_gap_at_its_place() {
    let server = double(|asked| match (asked.version.as_str(), asked.action.as_str()) {
        (V2, "DescribeLoadBalancers") => Some(asked.answer(&format!(
            "<LoadBalancers>{}</LoadBalancers>",
            of_v2("net", "network", "net-1.elb.eu-west-1.amazonaws.com")
        ))),
        (CLASSIC, "DescribeLoadBalancers") => Some(asked.answer(&format!(
            "<LoadBalancerDescriptions>{}</LoadBalancerDescriptions>",
            of_classic("old", "old-1.eu-west-1.elb.amazonaws.com")
        ))),
        _ if asked.fields.values().any(|value| value == "old") => Some(refused(403, "AccessDenied")),
        (V2, "DescribeListeners") => Some(asked.answer("<Listeners/><NextMarker>again</NextMarker>")),
        _ => None,
    })
    .await;
    let sightings = seen(&[
        ("net-1.elb.eu-west-1.amazonaws.com", "Service/a/net"),
        ("old-1.eu-west-1.elb.amazonaws.com", "Service/a/old"),
    ]);
    let found = look(&server, &ALL, &sightings).await;
    let places = |resource: &Resource| -> Vec<(String, Reason)> {
        let mut places: Vec<_> =
            resource.unread.iter().map(|unread| (unread.at.clone(), unread.gap.reason)).collect();
        places.sort();
        places
    };
    assert_eq!(
        places(&found[0]),
        ["$.Attributes", "$.Policies", "$.Tags"].map(|at| (at.to_owned(), Reason::Denied))
    );
    let why = |action: &str| found[0].unread.iter().any(|unread| unread.gap.what.contains(action));
    assert!(why("allow the IAM action elasticloadbalancing:DescribeLoadBalancerPolicies"));
    assert_eq!(places(&found[1]), [("$.Listeners".to_owned(), Reason::Malformed)]);
    assert_eq!(found[1].raw["Tags"], json!([{"Key": "of", "Value": "arn:net"}]));
    assert_eq!(found[1].raw.get("Listeners"), None);
}

#[tokio::test]
async fn tags_of_many_are_asked_for_in_batches() {
    let server = double(|asked| match asked.action.as_str() {
        "DescribeLoadBalancers" => {
            let all = (0..45)
                .map(|at| of_v2(&format!("n{at}"), "network", &format!("n{at}.elb.eu-west-1.amazonaws.com")));
            Some(asked.answer(&format!("<LoadBalancers>{}</LoadBalancers>", all.collect::<String>())))
        }
        "DescribeTags" if asked.members("ResourceArns").contains(&"arn:n7") => {
            Some(refused(400, "LoadBalancerNotFound"))
        }
        _ => None,
    })
    .await;
    let hosts: Vec<String> = (0..45).map(|at| format!("n{at}.elb.eu-west-1.amazonaws.com")).collect();
    let sightings = seen(&hosts.iter().map(|host| (host.as_str(), "Service/a/b")).collect::<Vec<_>>());
    let found = look(&server, &ALL, &sightings).await;
    assert_eq!(found.len(), 45);
    for resource in &found {
        if resource.name == "n7" {
            assert_eq!(
                (resource.unread[0].at.as_str(), resource.unread[0].gap.reason),
                ("$.Tags", Reason::Missing)
            );
        } else {
            assert_eq!(resource.raw["Tags"], json!([{"Key": "of", "Value": resource.id}]));
        }
    }
    let asked = asked(&server).await;
    assert!(asked.iter().all(|asked| asked.members("ResourceArns").len() <= 20));
    assert!(asked.iter().all(|asked| asked.version == V2), "no name can be a classic one's");
}

#[tokio::test]
async fn without_sightings_no_call_is_made() {
    let server = double(|_| None).await;
    let elsewhere = seen(&[
        ("www.example.com", "Ingress/a/b"),
        ("lb.eu-west-1.elb.amazonaws.com.evil.org", "Service/a/b"),
    ]);
    assert!(look(&server, &ALL, &elsewhere).await.is_empty());
    assert!(look(&server, &ALL, &Sightings::default()).await.is_empty());
    let here = seen(&[("a-1.elb.eu-west-1.amazonaws.com", "Service/a/b")]);
    assert!(look(&server, &["caas/aws-eks", "k8s_object/Service"], &here).await.is_empty());
    let china = seen(&[("a-1.elb.cn-north-1.amazonaws.com.cn", "Service/a/b")]);
    let found = look(&server, &ALL, &china).await;
    assert_eq!((found[0].unread[0].at.as_str(), found[0].unread[0].gap.reason), ("$", Reason::Denied));
    assert!(asked(&server).await.is_empty());
}

#[tokio::test]
async fn only_wanted_sub_types_are_sent() {
    let server = double(|asked| {
        asked.is(V2, "DescribeLoadBalancers").then(|| {
            asked.answer(&format!(
                "<LoadBalancers>{}{}</LoadBalancers>",
                of_v2("web", "application", "web-1.eu-west-1.elb.amazonaws.com"),
                of_v2("net", "network", "net-1.elb.eu-west-1.amazonaws.com"),
            ))
        })
    })
    .await;
    let sightings = seen(&[
        ("web-1.eu-west-1.elb.amazonaws.com", "Ingress/a/web"),
        ("net-1.elb.eu-west-1.amazonaws.com", "Service/a/net"),
        ("gone-1.eu-west-1.elb.amazonaws.com", "Service/a/gone"),
    ]);
    let found = look(&server, &["load-balancer/aws-alb"], &sightings).await;
    assert_eq!(found.iter().map(|resource| resource.name.as_str()).collect::<Vec<_>>(), ["web"]);
}

#[tokio::test]
async fn services_that_could_not_be_listed_stand_beside_what_is_known() {
    let server = double(|asked| {
        asked.is(V2, "DescribeLoadBalancers").then(|| {
            let net = of_v2("net", "network", "net-1.elb.eu-west-1.amazonaws.com");
            asked.answer(&format!("<LoadBalancers>{net}</LoadBalancers>"))
        })
    })
    .await;
    let mut sightings = seen(&[("net-1.elb.eu-west-1.amazonaws.com", "Ingress/a/net")]);
    for (kind, what) in [("Service", "list services"), ("Ingress", "list ingresses"), ("Pod", "list pods")] {
        sightings.gaps.insert(kind.to_owned(), Unread::new("$", Reason::Denied, what));
    }
    let found = look(&server, &["load-balancer/aws-nlb", "load-balancer/aws-elb"], &sightings).await;
    let unlisted: Vec<_> = found.iter().filter(|resource| resource.is_unlisted()).collect();
    assert_eq!(unlisted.iter().map(|r| r.sub_type.as_str()).collect::<Vec<_>>(), ["aws-elb", "aws-nlb"]);
    for resource in unlisted {
        assert_eq!(resource.unread, [Unread::new("$", Reason::Denied, "list services; list ingresses")]);
    }
    assert_eq!(found.len(), 3);
    assert_eq!(
        found.iter().find(|resource| resource.name == "net").map(|r| &r.raw["Type"]),
        Some(&Value::from("network"))
    );
}

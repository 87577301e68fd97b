//! A double of both APIs of load balancing.

use std::collections::BTreeMap;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request as Sent, ResponseTemplate};

pub(super) const CLASSIC: &str = "2012-06-01";
pub(super) const V2: &str = "2015-12-01";

/// What was asked.
pub(super) struct Asked {
    pub(super) action: String,
    pub(super) version: String,
    pub(super) region: String,
    pub(super) fields: BTreeMap<String, String>,
}

impl Asked {
    pub(super) fn read(sent: &Sent) -> Self {
        let fields: BTreeMap<String, String> =
            url_fields(std::str::from_utf8(&sent.body).unwrap()).into_iter().collect();
        // AWS4-HMAC-SHA256 Credential=<key>/<day>/<region>/<service>/aws4_request, …
        let signed = sent.headers["authorization"].to_str().unwrap();
        let region = signed.split('/').nth(2).unwrap().to_owned();
        Self { action: fields["Action"].clone(), version: fields["Version"].clone(), region, fields }
    }

    pub(super) fn is(&self, version: &str, action: &str) -> bool {
        self.version == version && self.action == action
    }

    pub(super) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map(String::as_str).unwrap_or_default()
    }

    /// A list's members.
    pub(super) fn members(&self, list: &str) -> Vec<&str> {
        let start = format!("{list}.member.");
        self.fields
            .iter()
            .filter(|(key, _)| key.starts_with(&start))
            .map(|(_, value)| value.as_str())
            .collect()
    }

    pub(super) fn answer(&self, result: &str) -> ResponseTemplate {
        let Self { action, version, .. } = self;
        let text = format!(
            "<{action}Response xmlns=\"http://elasticloadbalancing.amazonaws.com/doc/{version}/\"><{action}Result>{result}</{action}Result></{action}Response>"
        );
        ResponseTemplate::new(200).set_body_raw(text, "text/xml")
    }
}

pub(super) fn url_fields(text: &str) -> Vec<(String, String)> {
    reqwest::Url::parse(&format!("http://double/?{text}")).unwrap().query_pairs().into_owned().collect()
}

pub(super) fn refused(status: u16, code: &str) -> ResponseTemplate {
    let text = format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
    );
    ResponseTemplate::new(status).set_body_raw(text, "text/xml")
}

pub(super) fn of_v2(name: &str, kind: &str, host: &str) -> String {
    format!(
        "<member><LoadBalancerArn>arn:{name}</LoadBalancerArn><LoadBalancerName>{name}</LoadBalancerName><DNSName>{host}</DNSName><Scheme>internal</Scheme><Type>{kind}</Type><VpcId>vpc-1</VpcId><IpAddressType>ipv4</IpAddressType><CreatedTime>2026-01-02T03:04:05.678Z</CreatedTime><State><Code>active</Code></State><AvailabilityZones><member><ZoneName>eu-west-1a</ZoneName><SubnetId>subnet-1</SubnetId></member></AvailabilityZones><SecurityGroups><member>sg-1</member></SecurityGroups></member>"
    )
}

pub(super) fn of_classic(name: &str, host: &str) -> String {
    format!(
        "<member><LoadBalancerName>{name}</LoadBalancerName><DNSName>{host}</DNSName><Scheme>internet-facing</Scheme><VPCId>vpc-1</VPCId><CreatedTime>2026-01-02T03:04:05Z</CreatedTime><SecurityGroups><member>sg-1</member></SecurityGroups><Subnets><member>subnet-1</member></Subnets><ListenerDescriptions><member><PolicyNames><member>tls</member></PolicyNames><Listener><Protocol>HTTPS</Protocol><LoadBalancerPort>443</LoadBalancerPort><InstanceProtocol>HTTP</InstanceProtocol><InstancePort>30000</InstancePort><SSLCertificateId>arn:cert</SSLCertificateId></Listener></member><member><PolicyNames/><Listener><Protocol>TCP</Protocol><LoadBalancerPort>80</LoadBalancerPort><InstancePort>30001</InstancePort></Listener></member></ListenerDescriptions></member>"
    )
}

/// What a load balancer's details are where a test does not say otherwise.
pub(super) fn details(asked: &Asked) -> ResponseTemplate {
    let result = match (asked.version.as_str(), asked.action.as_str()) {
        (V2, "DescribeTags") => {
            let tagged = |arn: &&str| {
                format!("<member><ResourceArn>{arn}</ResourceArn><Tags><member><Key>of</Key><Value>{arn}</Value></member></Tags></member>")
            };
            let tagged: String = asked.members("ResourceArns").iter().map(tagged).collect();
            format!("<TagDescriptions>{tagged}</TagDescriptions>")
        }
        (CLASSIC, "DescribeTags") => {
            let tagged = |name: &&str| {
                format!("<member><LoadBalancerName>{name}</LoadBalancerName><Tags><member><Key>of</Key><Value>{name}</Value></member></Tags></member>")
            };
            let tagged: String = asked.members("LoadBalancerNames").iter().map(tagged).collect();
            format!("<TagDescriptions>{tagged}</TagDescriptions>")
        }
        (V2, "DescribeLoadBalancerAttributes") => {
            "<Attributes><member><Key>access_logs.s3.enabled</Key><Value>false</Value></member></Attributes>".into()
        }
        (CLASSIC, "DescribeLoadBalancerAttributes") => {
            "<LoadBalancerAttributes><AccessLog><Enabled>true</Enabled><S3BucketName>logs</S3BucketName><EmitInterval>60</EmitInterval></AccessLog><CrossZoneLoadBalancing><Enabled>false</Enabled></CrossZoneLoadBalancing><ConnectionDraining><Enabled>false</Enabled></ConnectionDraining><ConnectionSettings><IdleTimeout>60</IdleTimeout></ConnectionSettings></LoadBalancerAttributes>".into()
        }
        (V2, "DescribeListeners") => "<Listeners/>".into(),
        (CLASSIC, "DescribeLoadBalancerPolicies") => {
            "<PolicyDescriptions><member><PolicyName>tls</PolicyName><PolicyTypeName>SSLNegotiationPolicyType</PolicyTypeName><PolicyAttributeDescriptions><member><AttributeName>Protocol-TLSv1</AttributeName><AttributeValue>true</AttributeValue></member></PolicyAttributeDescriptions></member></PolicyDescriptions>".into()
        }
        (V2, "DescribeLoadBalancers") => "<LoadBalancers/>".into(),
        _ => "<LoadBalancerDescriptions/>".into(),
    };
    asked.answer(&result)
}

/// A double that answers by `special`, and where that gives nothing by [`details`].
pub(super) async fn double(
    special: impl Fn(&Asked) -> Option<ResponseTemplate> + Send + Sync + 'static,
) -> MockServer {
    let server = MockServer::start().await;
    let answer = move |sent: &Sent| {
        let asked = Asked::read(sent);
        special(&asked).unwrap_or_else(|| details(&asked))
    };
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

pub(super) async fn asked(server: &MockServer) -> Vec<Asked> {
    server.received_requests().await.unwrap().iter().map(Asked::read).collect()
}

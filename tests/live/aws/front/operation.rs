//! Which operation of which service a request asks for.

use bytes::Bytes;
use http::{Method, Request};
use reqwest::Url;
use serde_json::{Map, Value};

/// How a service's requests and answers look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// Method and path name the operation, the answer is JSON: EKS.
    Rest,
    /// The header `x-amz-target` names it, both sides are JSON: ECR, CloudWatch Logs.
    Json,
    /// The form field `Action` names it, the answer is XML: balancers, IAM, STS.
    Form,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// As IAM names it.
    pub service: String,
    pub region: String,
    pub name: String,
    pub protocol: Protocol,
    /// The parts of the path that a [`Protocol::Rest`] operation leaves open.
    pub path: Vec<String>,
    /// The fields of its query, body or form.
    pub fields: Map<String, Value>,
}

/// EKS's operations that only read.
const EKS: [(&str, &str); 13] = [
    ("/clusters", "ListClusters"),
    ("/clusters/*", "DescribeCluster"),
    ("/clusters/*/addons", "ListAddons"),
    ("/clusters/*/addons/*", "DescribeAddon"),
    ("/addons/supported-versions", "DescribeAddonVersions"),
    ("/clusters/*/fargate-profiles", "ListFargateProfiles"),
    ("/clusters/*/fargate-profiles/*", "DescribeFargateProfile"),
    ("/clusters/*/access-entries", "ListAccessEntries"),
    ("/clusters/*/access-entries/*/access-policies", "ListAssociatedAccessPolicies"),
    ("/clusters/*/pod-identity-associations", "ListPodIdentityAssociations"),
    ("/clusters/*/identity-provider-configs", "ListIdentityProviderConfigs"),
    ("/clusters/*/node-groups", "ListNodegroups"),
    ("/clusters/*/node-groups/*", "DescribeNodegroup"),
];

impl Operation {
    pub fn of(request: &Request<Bytes>) -> Option<Self> {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        let body = request.body();
        if let Some(target) = header("x-amz-target") {
            let (service, region) = scope(header("authorization")?)?;
            let name = target.split_once('.')?.1.to_owned();
            let fields = serde_json::from_slice(body).ok()?;
            return Some(Self { service, region, name, protocol: Protocol::Json, path: Vec::new(), fields });
        }
        if request.method() == Method::POST {
            let fields = pairs(&format!("/?{}", std::str::from_utf8(body).ok()?));
            let name = fields.get("Action")?.as_str()?.to_owned();
            // Only what gives credentials in the first place is asked without any.
            let nobody = || name.starts_with("AssumeRole").then(|| ("sts".to_owned(), String::new()));
            let (service, region) = header("authorization").map_or_else(nobody, scope)?;
            return Some(Self { service, region, name, protocol: Protocol::Form, path: Vec::new(), fields });
        }
        let (service, region) = scope(header("authorization")?)?;
        if (service.as_str(), request.method()) != ("eks", &Method::GET) {
            return None;
        }
        let (name, path) =
            EKS.iter().find_map(|(pattern, name)| Some((*name, open(pattern, request.uri().path())?)))?;
        let fields = pairs(&request.uri().to_string());
        Some(Self { service, region, name: name.to_owned(), protocol: Protocol::Rest, path, fields })
    }

    /// The IAM action that it takes.
    pub fn action(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }

    /// A field that is text.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }
}

/// The id of the access key that signed a request.
pub fn key(request: &Request<Bytes>) -> Option<String> {
    let signature = request.headers().get("authorization")?.to_str().ok()?;
    Some(signature.split_once("Credential=")?.1.split('/').next()?.to_owned())
}

/// Service and region of a signature: `… Credential=KEY/DAY/REGION/SERVICE/aws4_request, …`.
fn scope(authorization: &str) -> Option<(String, String)> {
    let credential = authorization.split_once("Credential=")?.1.split(',').next()?;
    let [_, _, region, service, "aws4_request"] = credential.split('/').collect::<Vec<_>>()[..] else {
        return None;
    };
    Some((service.to_owned(), region.to_owned()))
}

fn pairs(path_and_query: &str) -> Map<String, Value> {
    let url = Url::parse("http://aws").unwrap().join(path_and_query).unwrap();
    url.query_pairs().map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
}

/// What stands in the path where the pattern has `*`.
fn open(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (pattern, path): (Vec<_>, Vec<_>) = (pattern.split('/').collect(), path.split('/').collect());
    let fits = pattern.len() == path.len()
        && pattern.iter().zip(&path).all(|(wanted, part)| *wanted == "*" || wanted == part);
    let parts = pattern.iter().zip(&path).filter(|(wanted, _)| **wanted == "*");
    fits.then(|| parts.map(|(_, part)| decoded(part)).collect())
}

/// An ARN's slashes come as `%2F`.
fn decoded(part: &str) -> String {
    let fields = pairs(&format!("/?part={}", part.replace('+', "%2B")));
    fields["part"].as_str().unwrap().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &'static str) -> Option<Operation> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Operation::of(&request.body(Bytes::from_static(body.as_bytes())).unwrap())
    }

    fn signed(service: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-west-1/{service}/aws4_request, SignedHeaders=host"
        )
    }

    #[test]
    fn a_path_names_the_operation() {
        let signed = signed("eks");
        let headers = [("authorization", signed.as_str())];
        let path =
            "/clusters/one/access-entries/arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa+b/access-policies?nextToken=x%3D";
        let operation = request("GET", path, &headers, "").unwrap();
        assert_eq!(
            (operation.action().as_str(), operation.region.as_str()),
            ("eks:ListAssociatedAccessPolicies", "eu-west-1")
        );
        assert_eq!(operation.path, ["one", "arn:aws:iam::1:role/a+b"]);
        assert_eq!(operation.field("nextToken"), Some("x="));
        assert_eq!(request("GET", "/clusters/one/updates", &headers, ""), None);
        assert_eq!(request("DELETE", "/clusters/one", &headers, ""), None);
    }

    #[test]
    fn a_header_names_the_operation() {
        let signed = signed("ecr-public");
        let headers = [
            ("authorization", signed.as_str()),
            ("x-amz-target", "SpencerFrontendService.DescribeRepositories"),
        ];
        let operation = request("POST", "/", &headers, r#"{"repositoryNames":["a"]}"#).unwrap();
        assert_eq!(operation.action(), "ecr-public:DescribeRepositories");
        assert_eq!(Value::Object(operation.fields), json!({"repositoryNames": ["a"]}));
    }

    #[test]
    fn a_form_names_the_operation() {
        let signed = signed("elasticloadbalancing");
        let headers = [("authorization", signed.as_str())];
        let body = "Action=DescribeTags&LoadBalancerNames.member.1=a%20b";
        let operation = request("POST", "/", &headers, body).unwrap();
        assert_eq!(operation.action(), "elasticloadbalancing:DescribeTags");
        assert_eq!(operation.field("LoadBalancerNames.member.1"), Some("a b"));
        let operation = request("POST", "/", &[], "Action=AssumeRoleWithWebIdentity").unwrap();
        assert_eq!(operation.action(), "sts:AssumeRoleWithWebIdentity");
        assert_eq!(request("POST", "/", &[], "Action=DescribeTags"), None);
    }
}

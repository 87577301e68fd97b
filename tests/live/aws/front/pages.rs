//! Lists in pages as small as a test wants them. The emulator pages balancers and attached policies when asked to; of
//! the JSON services it is asked for all, and the front cuts.

use bytes::Bytes;
use http::Request;
use reqwest::Url;
use serde_json::Value;

use super::Answer;
use super::extras::changed;
use super::operation::{Operation, Protocol};

/// The lists that are cut, with the field of the answer. Their token is `nextToken` on both sides.
const CUT: [(&str, &str); 14] = [
    ("eks:ListClusters", "clusters"),
    ("eks:ListAddons", "addons"),
    ("eks:DescribeAddonVersions", "addons"),
    ("eks:ListFargateProfiles", "fargateProfileNames"),
    ("eks:ListAccessEntries", "accessEntries"),
    ("eks:ListAssociatedAccessPolicies", "associatedAccessPolicies"),
    ("eks:ListPodIdentityAssociations", "associations"),
    ("eks:ListIdentityProviderConfigs", "identityProviderConfigs"),
    ("eks:ListNodegroups", "nodegroups"),
    ("ecr:DescribeRepositories", "repositories"),
    ("ecr:DescribeImages", "imageDetails"),
    ("logs:DescribeLogGroups", "logGroups"),
    ("ecr-public:DescribeRegistries", "registries"),
    ("ecr-public:DescribeRepositories", "repositories"),
];
/// The lists that the emulator cuts, with the form field that says how long a page is.
const CUT_BELOW: [(&str, &str); 2] = [
    ("elasticloadbalancing:DescribeLoadBalancers", "PageSize"),
    ("iam:ListAttachedRolePolicies", "MaxItems"),
];
/// Who names what he wants gets no pages.
const NAMED: [&str; 4] =
    ["repositoryNames", "imageIds", "LoadBalancerNames.member.1", "LoadBalancerArns.member.1"];

fn of<'a>(table: &[(&str, &'a str)], operation: &Operation) -> Option<&'a str> {
    let action = operation.action();
    let named = NAMED.iter().any(|name| operation.fields.contains_key(*name));
    table.iter().find(|(name, _)| *name == action && !named).map(|(_, field)| *field)
}

/// The request as the emulator is to see it.
pub fn whole(operation: &Operation, page: Option<usize>, request: &Request<Bytes>) -> Request<Bytes> {
    let mut request = request.clone();
    let Some(page) = page else { return request };
    let mut fields = operation.fields.clone();
    if let Some(size) = of(&CUT_BELOW, operation) {
        fields.insert(size.to_owned(), Value::String(page.to_string()));
        *request.body_mut() = Bytes::from(query(&fields));
    } else if of(&CUT, operation).is_some() {
        for field in ["nextToken", "maxResults", "limit"] {
            fields.remove(field);
        }
        if operation.protocol == Protocol::Json {
            *request.body_mut() = Bytes::from(Value::Object(fields).to_string());
        } else {
            *request.uri_mut() = format!("{}?{}", request.uri().path(), query(&fields)).parse().unwrap();
        }
    }
    request
}

/// The page that was asked for.
pub fn cut(operation: &Operation, page: Option<usize>, answer: Answer) -> Answer {
    let (Some(page), Some(key)) = (page, of(&CUT, operation)) else { return answer };
    if !answer.status().is_success() {
        return answer;
    }
    let start = operation.field("nextToken").map_or(0, |token| token.parse().expect("a token of ours"));
    changed(answer, |document| {
        let Some(list) = document[key].as_array_mut() else { return };
        let end = list.len().min(start + page);
        let more = end < list.len();
        *list = list[start.min(end)..end].to_vec();
        if more {
            document["nextToken"] = Value::String(end.to_string());
        } else if let Some(document) = document.as_object_mut() {
            document.remove("nextToken");
        }
    })
}

fn query(fields: &serde_json::Map<String, Value>) -> String {
    let fields = fields.iter().map(|(name, value)| (name.as_str(), value.as_str().unwrap()));
    let url = Url::parse_with_params("http://aws", fields).unwrap();
    url.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Response;
    use serde_json::{Map, json};

    fn repositories(fields: Value) -> Operation {
        let Value::Object(fields) = fields else { panic!("{fields}") };
        Operation {
            service: "ecr".into(),
            region: "eu-west-1".into(),
            name: "DescribeRepositories".into(),
            protocol: Protocol::Json,
            path: Vec::new(),
            fields,
        }
    }

    fn answer(operation: &Operation, page: usize) -> Value {
        let whole = Response::new(Bytes::from(json!({"repositories": [1, 2, 3]}).to_string()));
        serde_json::from_slice(cut(operation, Some(page), whole).body()).unwrap()
    }

    #[test]
    fn pages_make_up_the_list() {
        let mut fields = json!({});
        let mut seen = Vec::new();
        loop {
            let page = answer(&repositories(fields.clone()), 2);
            seen.push(page["repositories"].clone());
            let Some(token) = page.get("nextToken") else { break };
            fields["nextToken"] = token.clone();
        }
        assert_eq!(seen, [json!([1, 2]), json!([3])]);
        assert_eq!(
            answer(&repositories(json!({"repositoryNames": ["a"]})), 2),
            json!({"repositories": [1, 2, 3]})
        );
    }

    #[test]
    fn the_emulator_is_asked_for_all() {
        let operation = repositories(json!({"registryId": "1", "nextToken": "2", "maxResults": 2}));
        let request = Request::new(Bytes::new());
        assert_eq!(whole(&operation, Some(2), &request).body(), r#"{"registryId":"1"}"#);

        let fields: Map<_, _> = [("Action".to_owned(), json!("DescribeLoadBalancers"))].into_iter().collect();
        let (service, name) = ("elasticloadbalancing".to_owned(), "DescribeLoadBalancers".to_owned());
        let operation = Operation { service, name, protocol: Protocol::Form, fields, ..operation };
        assert_eq!(whole(&operation, Some(2), &request).body(), "Action=DescribeLoadBalancers&PageSize=2");
        assert_eq!(whole(&operation, None, &request).body(), "");
    }
}

//! AWS policies: their statements, and which ECR actions other than reads they allow.

use serde_json::{Map, Value};

use crate::evaluate::wildcard;

/// Actions of ECR, private and public, that change something. All others only read; `BatchImportUpstreamImage` fills a
/// cache. Operations of the SDK's clients, and `ReplicateImage`.
const WRITES: [&str; 38] = [
    "BatchDeleteImage",
    "CompleteLayerUpload",
    "CreatePullThroughCacheRule",
    "CreateRepository",
    "CreateRepositoryCreationTemplate",
    "DeleteLifecyclePolicy",
    "DeletePullThroughCacheRule",
    "DeleteRegistryPolicy",
    "DeleteRepository",
    "DeleteRepositoryCreationTemplate",
    "DeleteRepositoryPolicy",
    "DeleteSigningConfiguration",
    "DeregisterPullTimeUpdateExclusion",
    "InitiateLayerUpload",
    "PutAccountSetting",
    "PutImage",
    "PutImageScanningConfiguration",
    "PutImageTagMutability",
    "PutLifecyclePolicy",
    "PutRegistryCatalogData",
    "PutRegistryPolicy",
    "PutRegistryScanningConfiguration",
    "PutReplicationConfiguration",
    "PutRepositoryCatalogData",
    "PutSigningConfiguration",
    "RegisterPullTimeUpdateExclusion",
    "ReplicateImage",
    "SetRepositoryPolicy",
    "StartImageScan",
    "StartLifecyclePolicyPreview",
    "StartReplicationBackfill",
    "StopReplicationBackfill",
    "TagResource",
    "UntagResource",
    "UpdateImageStorageClass",
    "UpdatePullThroughCacheRule",
    "UpdateRepositoryCreationTemplate",
    "UploadLayerPart",
];

/// Prefixes of read-only actions, in lower case.
const READS: [&str; 7] = [
    "batchcheck",
    "batchget",
    "batchimportupstreamimage",
    "describe",
    "get",
    "list",
    "validatepullthroughcacherule",
];

/// The parts of a statement that matter here.
pub(super) struct Statement<'v> {
    pub sid: Option<&'v str>,
    pub allows: bool,
    actions: Vec<&'v str>,
    /// Whether the listed actions are the excluded ones (`NotAction`).
    all_but: bool,
    resources: Vec<&'v str>,
    pub principal: Option<&'v Value>,
    pub not_principal: bool,
    pub condition: Option<&'v Map<String, Value>>,
}

/// The most characters in the actions and resources of a policy; AWS allows about 10,000 in a policy.
const MOST: usize = 32 * 1024;

/// Every statement of a policy, or what was expected in a malformed one.
pub(super) fn statements(policy: &Value) -> Result<Vec<Statement<'_>>, String> {
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.iter().collect(),
        Some(one @ Value::Object(_)) => vec![one],
        _ => return Err("a list of statements".into()),
    };
    let mut left = MOST;
    let mut out = Vec::new();
    for statement in statements {
        let statement = Statement::read(statement)?;
        let signs = statement.actions.iter().chain(&statement.resources).map(|text| text.len()).sum();
        left = left.checked_sub(signs).ok_or("a policy within AWS's size limit")?;
        out.push(statement);
    }
    Ok(out)
}

impl<'v> Statement<'v> {
    fn read(statement: &'v Value) -> Result<Self, String> {
        let texts = |key: &str| {
            texts(statement.get(key)).ok_or_else(|| format!("a string or a list of strings as {key}"))
        };
        let all_but = statement.get("NotAction").is_some();
        // `NotResource` is treated as all resources.
        let resources = texts("Resource")?;
        Ok(Self {
            sid: statement.get("Sid").and_then(Value::as_str),
            allows: match statement.get("Effect").and_then(Value::as_str) {
                Some("Allow") => true,
                Some("Deny") => false,
                _ => return Err("Allow or Deny as Effect".into()),
            },
            actions: texts(if all_but { "NotAction" } else { "Action" })?,
            all_but,
            resources,
            principal: statement.get("Principal"),
            not_principal: statement.get("NotPrincipal").is_some(),
            condition: statement.get("Condition").and_then(Value::as_object),
        })
    }

    /// Whether it covers something that matches this pattern; a statement without resources covers the policy's own.
    pub(super) fn is_about(&self, arn: &str) -> bool {
        self.resources.is_empty() || self.resources.iter().any(|pattern| wildcard::aws_overlap(pattern, arn))
    }

    /// The ECR write actions that it names: `ecr:PutImage`.
    pub(super) fn writes(&self, service: &str) -> Vec<String> {
        let is_meant = |name: &&&str| {
            let full = format!("{service}:{name}").to_ascii_lowercase();
            let named =
                self.actions.iter().any(|pattern| wildcard::aws(&pattern.to_ascii_lowercase(), &full));
            named != self.all_but
        };
        let mut out: Vec<String> =
            WRITES.iter().filter(is_meant).map(|name| format!("{service}:{name}")).collect();
        if self.all_but {
            // What is newer than the table is allowed too, unless the whole service is excluded.
            let whole = |pattern: &&str| {
                let (of, name) = pattern.split_once(':').unwrap_or((pattern, "*"));
                wildcard::aws(&of.to_ascii_lowercase(), service)
                    && !name.is_empty()
                    && name.chars().all(|sign| sign == '*')
            };
            if out.is_empty() && !self.actions.iter().any(whole) {
                out.push(format!("{service}:*"));
            }
        } else {
            let newer = |action: &&&str| {
                action.split_once(':').is_some_and(|(of, name)| {
                    wildcard::aws(&of.to_ascii_lowercase(), service) && is_newer_write(name)
                })
            };
            out.extend(self.actions.iter().filter(newer).map(|action| (*action).to_owned()));
        }
        out
    }
}

/// Whether an action, or a pattern of actions, is of none that the table has and does not only read.
fn is_newer_write(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let literal = name.split(['*', '?']).next().unwrap_or_default();
    let reads =
        READS.iter().any(|read| literal.starts_with(read) || (literal != name && read.starts_with(literal)));
    !reads && !WRITES.iter().any(|known| wildcard::aws(&name, &known.to_ascii_lowercase()))
}

/// A string or a list of strings; none is an empty list.
fn texts(value: Option<&Value>) -> Option<Vec<&str>> {
    match value {
        None => Some(Vec::new()),
        Some(Value::String(text)) => Some(vec![text]),
        Some(Value::Array(elements)) => elements.iter().map(Value::as_str).collect(),
        Some(_) => None,
    }
}

/// The ECR write actions that the policies of a node group's role allow, each once, ignoring conditions and Deny
/// statements.
pub(super) fn ecr_writes(group: &Value) -> Result<Value, String> {
    let policies = group.get("nodeRolePolicies").and_then(Value::as_array);
    let arn = group.get("nodegroupArn").and_then(Value::as_str).unwrap_or_default();
    let partition = arn.split(':').nth(1).unwrap_or("aws");
    let repositories = format!("arn:{partition}:ecr:*");
    let mut out = std::collections::BTreeSet::new();
    for policy in policies.ok_or("the policies of its role")? {
        let name = policy.get("policyName").and_then(Value::as_str).unwrap_or_default();
        let document = policy.get("document").unwrap_or(&Value::Null);
        let statements = statements(document).map_err(|expected| format!("policy {name}: {expected}"))?;
        for statement in statements.iter().filter(|statement| statement.allows) {
            if statement.is_about(&repositories) {
                out.extend(statement.writes("ecr"));
            }
        }
    }
    Ok(out.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn writes(statement: Value) -> Vec<String> {
        let group =
            json!({"nodeRolePolicies": [{"policyName": "p", "document": {"Statement": [statement]}}]});
        serde_json::from_value(ecr_writes(&group).unwrap()).unwrap()
    }

    #[test]
    fn reading_is_no_writing() {
        let read = json!([
            "ecr:GetAuthorizationToken",
            "ecr:BatchGetImage",
            "ecr:Describe*",
            "ecr:List*",
            "ecr:BatchImportUpstreamImage",
            "ecr:BatchCheckLayerAvailability",
            "ec2:*",
            "ecr-public:PutImage"
        ]);
        assert!(writes(json!({"Effect": "Allow", "Action": read, "Resource": "*"})).is_empty());
    }

    #[test]
    fn stars_and_letters_of_either_case_are_understood() {
        let allow = |action: &str| writes(json!({"Effect": "Allow", "Action": action, "Resource": "*"}));
        assert_eq!(allow("*").len(), WRITES.len());
        assert_eq!(allow("ECR:*").len(), WRITES.len());
        assert_eq!(allow("ecr:putimage"), ["ecr:PutImage"]);
        assert_eq!(allow("ecr:PutImage*").len(), 3);
        assert_eq!(allow("ECR:PutSigningConfiguration"), ["ecr:PutSigningConfiguration"]);
        assert_eq!(allow("ecr:UpdateImage*"), ["ecr:UpdateImageStorageClass"]);
        for newer in ["ecr:ExplodeImage", "ECR:ExplodeImage", "ecr:Explode*", "e?r:ExplodeImage"] {
            assert_eq!(allow(newer), [newer]);
        }
        for read in ["ecr:G*", "ecr:GetAuth*", "ecr:DescribeExplosions", "ecr-public:Explode", "ec2:Explode"]
        {
            assert!(allow(read).is_empty(), "{read}");
        }
        let but = json!({"Effect": "Allow", "NotAction": ["ecr:*", "iam:*"], "Resource": "*"});
        assert!(writes(but).is_empty());
        let known: Vec<String> = WRITES.iter().map(|name| format!("ecr:{name}")).collect();
        let but = json!({"Effect": "Allow", "NotAction": known, "Resource": "*"});
        assert_eq!(writes(but), ["ecr:*"], "what is newer");
        let but = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
        assert_eq!(writes(but).len(), WRITES.len());
    }

    #[test]
    fn what_is_about_something_else_or_denies_allows_nothing() {
        assert!(
            writes(
                json!({"Effect": "Allow", "Action": "*", "Resource": ["arn:aws:s3:::b/*", "arn:aws:s3*"]})
            )
            .is_empty()
        );
        assert!(writes(json!({"Effect": "Deny", "Action": "ecr:*", "Resource": "*"})).is_empty());
        let not = json!({"Effect": "Allow", "Action": "ecr:PutImage", "NotResource": "arn:aws:ecr:eu-west-1:1:repository/a"});
        assert_eq!(writes(not), ["ecr:PutImage"]);
    }

    #[test]
    fn what_is_no_policy_is_said() {
        let of = |group: Value| ecr_writes(&group).unwrap_err();
        assert_eq!(of(json!({})), "the policies of its role");
        let document =
            |document: Value| of(json!({"nodeRolePolicies": [{"policyName": "p", "document": document}]}));
        assert_eq!(document(json!({})), "policy p: a list of statements");
        let long = json!([{"Effect": "Allow", "Action": "*".repeat(MOST), "Resource": "*"}]);
        assert!(document(json!({"Statement": long})).ends_with("size limit"));
        assert_eq!(document(json!({"Statement": ["x"]})), "policy p: Allow or Deny as Effect");
        assert_eq!(
            document(json!({"Statement": [{"Effect": "Allow", "Action": [7]}]})),
            "policy p: a string or a list of strings as Action"
        );
    }
}

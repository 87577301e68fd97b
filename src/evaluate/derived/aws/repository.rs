//! Derived values of an ECR repository: how often its images are scanned, and whom its policies allow.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use super::policy::{Statement, statements};
use crate::evaluate::wildcard;

/// `SCAN_ON_PUSH`, `CONTINUOUS_SCAN` or `MANUAL`, and its sources: the effective configuration that the registry reports,
/// else the registry's rules (the only source under enhanced scanning), else the repository's legacy setting.
pub(super) fn scan_frequency(repository: &Value) -> (&'static [&'static str], Value) {
    let own = repository.pointer("/scanningConfiguration/scanFrequency").and_then(Value::as_str);
    if let Some(frequency) = own {
        return (&["$.scanningConfiguration.scanFrequency"], frequency.into());
    }
    let registry = repository.get("registryScanningConfiguration");
    let frequency = registry.and_then(|registry| by_rules(repository, registry)).unwrap_or_else(|| {
        let enhanced = registry.and_then(|registry| registry.get("scanType")) == Some(&json!("ENHANCED"));
        let on_push = repository.pointer("/imageScanningConfiguration/scanOnPush") == Some(&json!(true));
        if on_push && !enhanced { "SCAN_ON_PUSH" } else { "MANUAL" }
    });
    let sources =
        &["$.scanningConfiguration", "$.registryScanningConfiguration", "$.imageScanningConfiguration"];
    (sources, frequency.into())
}

/// Strongest first.
const FREQUENCIES: [&str; 3] = ["CONTINUOUS_SCAN", "SCAN_ON_PUSH", "MANUAL"];

/// The frequency of the strongest rule that matches the repository.
fn by_rules(repository: &Value, registry: &Value) -> Option<&'static str> {
    let name = repository.get("repositoryName").and_then(Value::as_str)?;
    let rules = registry.get("rules").and_then(Value::as_array).into_iter().flatten();
    let fits = |rule: &&Value| {
        let filters = rule.get("repositoryFilters").and_then(Value::as_array).into_iter().flatten();
        let mut patterns = filters.filter_map(|filter| filter.get("filter").and_then(Value::as_str));
        patterns.any(|pattern| is_filtered(pattern, name))
    };
    let frequencies: Vec<&str> =
        rules.filter(fits).filter_map(|rule| rule.get("scanFrequency").and_then(Value::as_str)).collect();
    FREQUENCIES.into_iter().find(|frequency| frequencies.contains(frequency))
}

/// Whether a scan filter selects a repository: without a star, every name that contains it.
fn is_filtered(filter: &str, name: &str) -> bool {
    if filter.contains('*') { wildcard::aws(filter, name) } else { name.contains(filter) }
}

/// Each Allow statement of the repository's policy, and of the registry's policy if it covers this repository: `{policy,
/// sid?, principals, accounts, public, unclear, writes}`. `accounts` excludes the owner's; `public` means everyone, with
/// no condition that restricts callers; `unclear` means a principal that cannot be resolved to an account.
pub(super) fn allowed(repository: &Value) -> Result<Value, String> {
    let arn = repository.get("repositoryArn").and_then(Value::as_str).unwrap_or_default();
    let mut parts = arn.split(':').skip(2);
    let (service, owner) = (parts.next().unwrap_or_default(), parts.nth(1).unwrap_or_default());
    if !is_account(owner) {
        return Err("an ARN with the owner's account".into());
    }
    let mut out = Vec::new();
    for key in ["policy", "registryPolicy"] {
        let Some(policy) = repository.get(key).filter(|policy| !policy.is_null()) else { continue };
        for statement in statements(policy).map_err(|expected| format!("{key}: {expected}"))? {
            // A repository's own policy covers the repository, whatever its resource says.
            if statement.allows && (key == "policy" || statement.is_about(arn)) {
                out.push(one(key, &statement, service, owner));
            }
        }
    }
    Ok(out.into())
}

fn one(policy: &str, statement: &Statement<'_>, service: &str, owner: &str) -> Value {
    let let_in = LetIn::of(statement.principal);
    let closed = statement.condition.is_some_and(keeps_strangers_out);
    let accounts: Vec<&String> = let_in.accounts.iter().filter(|account| *account != owner).collect();
    let mut out = Map::new();
    out.insert("policy".into(), policy.into());
    out.extend(statement.sid.map(|sid| ("sid".to_owned(), sid.into())));
    out.insert("principals".into(), let_in.principals.into());
    out.insert("accounts".into(), json!(accounts));
    out.insert("public".into(), (let_in.everybody && !closed).into());
    out.insert("unclear".into(), (let_in.unclear || statement.not_principal).into());
    out.insert("writes".into(), statement.writes(service).into());
    Value::Object(out)
}

/// The principals of a statement.
#[derive(Default)]
struct LetIn {
    principals: Vec<String>,
    accounts: BTreeSet<String>,
    everybody: bool,
    unclear: bool,
}

impl LetIn {
    fn of(principal: Option<&Value>) -> Self {
        let mut out = Self::default();
        match principal {
            Some(Value::String(text)) => out.add("AWS", text),
            Some(Value::Object(kinds)) => {
                for (kind, names) in kinds {
                    match names {
                        Value::String(name) => out.add(kind, name),
                        Value::Array(names) => {
                            for name in names {
                                match name.as_str() {
                                    Some(name) => out.add(kind, name),
                                    None => out.unclear = true,
                                }
                            }
                        }
                        _ => out.unclear = true,
                    }
                }
            }
            // No principal, or `NotPrincipal`.
            None => {}
            Some(_) => out.unclear = true,
        }
        out
    }

    fn add(&mut self, kind: &str, name: &str) {
        let shown = if kind == "AWS" { name.to_owned() } else { format!("{kind}:{name}") };
        self.principals.push(shown);
        let account = name.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3)).unwrap_or(name);
        match kind {
            "AWS" if name == "*" => self.everybody = true,
            "AWS" if is_account(account) => {
                self.accounts.insert(account.to_owned());
            }
            // An AWS service acts for its owner, which only a condition can restrict.
            "Service" => {}
            // The id of a deleted user, or a principal of another identity provider.
            _ => self.unclear = true,
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// Condition keys that identify the caller's account or organization.
const BELONGING: [&str; 8] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourceorgid",
    "aws:sourcevpc",
    "aws:sourcevpce",
];
/// Operators that hold only if the key is present and one of the values matches.
const POSITIVE: [&str; 8] = [
    "stringequals",
    "stringequalsignorecase",
    "stringlike",
    "arnequals",
    "arnlike",
    "foranyvalue:stringequals",
    "foranyvalue:stringlike",
    "foranyvalue:arnlike",
];

/// Whether a condition restricts the caller's account or organization.
fn keeps_strangers_out(condition: &Map<String, Value>) -> bool {
    let is_set =
        |value: &Value| value.as_str().is_some_and(|text| !text.trim_matches(['*', '?', ':']).is_empty());
    let closes = |key: &String, value: &Value| {
        let values = match value {
            Value::Array(values) => values.iter().all(is_set) && !values.is_empty(),
            value => is_set(value),
        };
        BELONGING.contains(&key.to_ascii_lowercase().as_str()) && values
    };
    condition
        .iter()
        .filter(|(operator, _)| POSITIVE.contains(&operator.to_ascii_lowercase().as_str()))
        .filter_map(|(_, keys)| keys.as_object())
        .any(|keys| keys.iter().any(|(key, value)| closes(key, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:ecr:eu-west-1:111111111111:repository/shop/web";

    fn frequency(repository: Value) -> Value {
        scan_frequency(&repository).1
    }

    #[test]
    fn the_registry_s_own_word_comes_first() {
        let own = json!({"scanningConfiguration": {"scanFrequency": "MANUAL"}, "imageScanningConfiguration": {"scanOnPush": true}});
        assert_eq!(frequency(own), "MANUAL");
        let rules = |kind: &str, filter: &str| {
            frequency(
                json!({"repositoryName": "shop/web", "imageScanningConfiguration": {"scanOnPush": true},
                "registryScanningConfiguration": {"scanType": kind, "rules": [
                    {"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": filter}]},
                    {"scanFrequency": "CONTINUOUS_SCAN", "repositoryFilters": [{"filter": "x"}, {"filter": filter}]}]}}),
            )
        };
        assert_eq!(rules("ENHANCED", "shop/*"), "CONTINUOUS_SCAN");
        assert_eq!(rules("ENHANCED", "shop"), "CONTINUOUS_SCAN", "without a star, any name with it");
        assert_eq!(rules("ENHANCED", "bank"), "MANUAL");
        assert_eq!(rules("ENHANCED", "bank/*"), "MANUAL");
        assert_eq!(rules("BASIC", "bank/*"), "SCAN_ON_PUSH");
        assert_eq!(frequency(json!({})), "MANUAL");
    }

    fn allows(statement: Value) -> Value {
        allowed(&json!({"repositoryArn": ARN, "policy": {"Statement": [statement]}})).unwrap()[0].take()
    }

    #[test]
    fn everybody_is_everybody_unless_a_condition_keeps_strangers_out() {
        let public = |principal: Value, condition: Value| {
            allows(
                json!({"Effect": "Allow", "Principal": principal, "Action": "ecr:BatchGetImage", "Condition": condition}),
            )["public"]
                == true
        };
        for everybody in [json!("*"), json!({"AWS": "*"}), json!({"AWS": ["111111111111", "*"]})] {
            assert!(public(everybody, json!({})));
        }
        assert!(!public(json!({"AWS": "111111111111"}), json!({})));
        for (condition, open) in [
            (json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}), false),
            (json!({"StringLike": {"AWS:principalorgid": ["o-1", "o-2"]}}), false),
            (json!({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": ["o-1/*"]}}), false),
            (json!({"StringLike": {"aws:PrincipalOrgID": "*"}}), true),
            (json!({"StringLike": {"aws:PrincipalOrgID": ["o-1", "*"]}}), true),
            (json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}), true),
            (json!({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}), true),
            (json!({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": ["o-1/*"]}}), true),
            (json!({"Bool": {"aws:SecureTransport": "true"}}), true),
        ] {
            assert_eq!(public(json!("*"), condition.clone()), open, "{condition}");
        }
    }

    #[test]
    fn other_accounts_and_what_they_may_change_are_told() {
        let principal = json!({"AWS": ["arn:aws:iam::222222222222:role/ci", "111111111111"], "Service": "lambda.amazonaws.com"});
        let found = allows(
            json!({"Sid": "ci", "Effect": "Allow", "Principal": principal, "Action": ["ecr:Get*", "ecr:PutImage"]}),
        );
        assert_eq!(
            found,
            json!({"policy": "policy", "sid": "ci", "accounts": ["222222222222"], "public": false, "unclear": false,
                "principals": ["arn:aws:iam::222222222222:role/ci", "111111111111", "Service:lambda.amazonaws.com"],
                "writes": ["ecr:PutImage"]})
        );
        for unclear in [json!({"AWS": "AIDAJQABLZS4A3QDU576Q"}), json!({"Federated": "x"}), json!(7)] {
            assert_eq!(
                allows(json!({"Effect": "Allow", "Principal": unclear, "Action": "*"}))["unclear"],
                true
            );
        }
        assert_eq!(
            allows(json!({"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "*"}))["unclear"],
            true
        );
    }

    #[test]
    fn the_registry_s_policy_counts_where_it_is_about_the_repository() {
        let registry = |resource: &str| {
            let statement = json!({"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "ecr:ReplicateImage", "Resource": resource});
            let found = allowed(&json!({"repositoryArn": ARN, "registryPolicy": {"Statement": [statement]}}));
            found.unwrap().as_array().unwrap().len()
        };
        assert_eq!(registry("arn:aws:ecr:eu-west-1:111111111111:repository/*"), 1);
        assert_eq!(registry("arn:aws:ecr:eu-west-1:111111111111:repository/bank/*"), 0);
        assert_eq!(allowed(&json!({"repositoryArn": ARN})), Ok(json!([])));
        assert!(allowed(&json!({"repositoryArn": "shop"})).is_err());
    }
}

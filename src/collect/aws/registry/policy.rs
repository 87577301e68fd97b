//! Policies of repositories and registries: documents within answers, as text.

use serde_json::Value;

use super::super::access::Problem;
use super::super::call::Call;
use crate::resource::Reason;

/// Reads the text that a call gave; its statements are a list even where there is one only.
pub(super) fn parse(text: Option<&str>, call: &Call, region: &str) -> Result<Value, Problem> {
    let malformed = |why: String| Problem {
        reason: Reason::Malformed,
        code: String::new(),
        what: format!("call {} in {region}: {why}", call.action()),
    };
    let text = text.ok_or_else(|| malformed("the answer has no policy".to_owned()))?;
    let mut policy: Value =
        serde_json::from_str(text).map_err(|error| malformed(format!("the policy is no JSON: {error}")))?;
    match policy.get_mut("Statement") {
        Some(Value::Array(_)) => {}
        Some(statement @ Value::Object(_)) => *statement = Value::Array(vec![statement.take()]),
        _ => return Err(malformed("the policy has no statements".to_owned())),
    }
    Ok(policy)
}

/// What a call for a policy gave, where the lack of one is an answer too.
pub(super) fn given(
    answer: Result<Option<String>, Problem>,
    lack: &str,
    call: &Call,
    region: &str,
) -> Result<Option<Value>, Problem> {
    match answer {
        Ok(text) => parse(text.as_deref(), call, region).map(Some),
        Err(problem) if problem.code == lack => Ok(None),
        Err(problem) => Err(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::call::GET_REPOSITORY_POLICY;
    use super::*;
    use serde_json::json;

    #[test]
    fn statements_are_a_list_or_the_policy_is_malformed() {
        let read = |text: Option<&str>| parse(text, &GET_REPOSITORY_POLICY, "eu-west-1");
        let one = read(Some(r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow"}}"#)).unwrap();
        assert_eq!(one, json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]}));
        let two = read(Some(r#"{"Statement":[{"Effect":"Allow"},{"Effect":"Deny"}]}"#)).unwrap();
        assert_eq!(two["Statement"].as_array().map(Vec::len), Some(2));
        for text in
            [None, Some(""), Some("{"), Some("[]"), Some("null"), Some("{}"), Some(r#"{"Statement":"x"}"#)]
        {
            let problem = read(text).unwrap_err();
            assert_eq!(problem.reason, Reason::Malformed, "{text:?}");
            assert!(problem.what.contains("ecr:GetRepositoryPolicy"), "{problem}");
        }
    }
}

//! IAM policies in the answers of services: text, sometimes URL-encoded.

use serde_json::Value;

/// The document in a policy's text, with its `Statement` as a list also where it is a single object.
pub(crate) fn policy_document(text: &str) -> Result<Value, String> {
    // IAM encodes its documents, ECR does not; plain JSON may contain a `%`.
    let decoded = if text.trim_start().starts_with('{') { text.to_owned() } else { decoded(text)? };
    let mut document: Value =
        serde_json::from_str(&decoded).map_err(|error| format!("the policy is not JSON: {error}"))?;
    let Value::Object(fields) = &mut document else { return Err("the policy is not a JSON object".into()) };
    match fields.get_mut("Statement").map(Value::take) {
        Some(Value::Array(statements)) => fields.insert("Statement".into(), Value::Array(statements)),
        Some(statement @ Value::Object(_)) => {
            fields.insert("Statement".into(), Value::Array(vec![statement]))
        }
        _ => return Err("the policy has no statement".into()),
    };
    Ok(document)
}

/// Decodes percent-encoding by RFC 3986, which leaves a plus sign alone.
fn decoded(text: &str) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || rest.next().and_then(|byte| char::from(byte).to_digit(16));
        match (digit(), digit()) {
            (Some(high), Some(low)) => bytes.push((high * 16 + low) as u8),
            _ => return Err("the policy is not URL-encoded".into()),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the policy is not UTF-8".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_statement_is_a_list_too() {
        let one = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
        let expected = json!({"Version": "2012-10-17", "Statement": [one]});
        let plain = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
        assert_eq!(policy_document(plain).unwrap(), expected);
        assert_eq!(policy_document(&expected.to_string()).unwrap(), expected);
    }

    #[test]
    fn an_encoded_policy_is_read() {
        let text = "%7B%22Statement%22%3A%5B%7B%22Sid%22%3A%22a+b%20%C3%A9%22%7D%5D%7D";
        assert_eq!(policy_document(text).unwrap(), json!({"Statement": [{"Sid": "a+b é"}]}));
        let plain = r#"{"Statement": [{"Sid": "100%25"}]}"#;
        assert_eq!(policy_document(plain).unwrap(), json!({"Statement": [{"Sid": "100%25"}]}));
    }

    #[test]
    fn malformed_policies_are_errors() {
        for text in ["", "%7", "%zz", "%FF", "[]", "{}", r#"{"Statement": "x"}"#, "%7B%7D"] {
            assert!(policy_document(text).is_err(), "{text}");
        }
    }
}

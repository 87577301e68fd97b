//! The IAM policy that grants calls.

use serde_json::{Value, json};

use crate::collect::cloud::CloudCall;

/// The least-privilege policy for these calls.
pub(crate) fn policy(calls: impl IntoIterator<Item = CloudCall>) -> Value {
    // STS tells any caller who it is.
    let granted = calls.into_iter().filter(|call| call.service != "sts");
    let mut actions: Vec<&str> = granted.map(|call| call.permission).collect();
    actions.sort_unstable();
    json!({
        "Version": "2012-10-17",
        "Statement": [{"Sid": "PosturebeatReads", "Effect": "Allow", "Action": actions, "Resource": "*"}],
    })
}

#[cfg(test)]
mod tests {
    use crate::collect::aws::calls::calls;

    #[test]
    fn the_policy_only_reads() {
        for call in calls() {
            let reads =
                ["List", "Describe", "Get", "BatchGet"].iter().any(|verb| call.operation.starts_with(verb));
            assert!(reads, "{}", call.permission);
        }
    }
}

//! Calls to CloudWatch Logs.

use aws_sdk_cloudwatchlogs::Client;

use super::service_calls;

service_calls! {
    service "logs", client Client, region |target| Some(target.region);

    /// The log group of the control plane.
    DESCRIBE_LOG_GROUPS = "DescribeLogGroups" feeds { "caas/aws-eks": "$.logGroups" },
    probe |logs, target| {
        logs.describe_log_groups().log_group_name_prefix(format!("/aws/eks/{}/", target.cluster())).limit(1)
    };
}

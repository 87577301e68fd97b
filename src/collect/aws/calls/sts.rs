//! Calls to STS.

use aws_sdk_sts::Client;

use super::service_calls;

service_calls! {
    // Without this call's answer there is no session to probe for.
    service "sts", client Client, region |_| None;

    /// Who we are; it takes no permission.
    GET_CALLER_IDENTITY = "GetCallerIdentity" feeds {},
    probe |sts, _| sts.get_caller_identity();
}

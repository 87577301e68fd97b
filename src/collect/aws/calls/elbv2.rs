//! Calls to Elastic Load Balancing that only Application and Network Load Balancers have.

use aws_sdk_elasticloadbalancingv2::Client;

use super::{NO_NAME, service_calls};

service_calls! {
    service "elasticloadbalancing", client Client, region |target| Some(target.region);

    /// The listeners of a load balancer.
    DESCRIBE_LISTENERS = "DescribeListeners" feeds {
        "load-balancer/aws-alb": "$.Listeners", "load-balancer/aws-nlb": "$.Listeners"
    },
    probe |elb, target| {
        elb.describe_listeners().load_balancer_arn(format!(
            "arn:{}:elasticloadbalancing:{}:000000000000:loadbalancer/app/{NO_NAME}/0123456789abcdef",
            target.partition, target.region,
        ))
    };
}

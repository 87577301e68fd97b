//! Calls to Elastic Load Balancing that both its APIs have, and those of Classic Load Balancers.

use aws_sdk_elasticloadbalancing::Client;

use super::{NO_NAME, service_calls};

service_calls! {
    service "elasticloadbalancing", client Client, region |target| Some(target.region);

    /// Load balancers, of both generations.
    DESCRIBE_LOAD_BALANCERS = "DescribeLoadBalancers" feeds {
        "load-balancer/aws-elb": "$", "load-balancer/aws-alb": "$", "load-balancer/aws-nlb": "$"
    },
    probe |elb, _| elb.describe_load_balancers().page_size(1);

    /// Their tags.
    DESCRIBE_TAGS = "DescribeTags" feeds {
        "load-balancer/aws-elb": "$.Tags", "load-balancer/aws-alb": "$.Tags", "load-balancer/aws-nlb": "$.Tags"
    },
    probe |elb, _| elb.describe_tags().load_balancer_names(NO_NAME);

    /// Their attributes.
    DESCRIBE_LOAD_BALANCER_ATTRIBUTES = "DescribeLoadBalancerAttributes" feeds {
        "load-balancer/aws-elb": "$.Attributes",
        "load-balancer/aws-alb": "$.Attributes",
        "load-balancer/aws-nlb": "$.Attributes"
    },
    probe |elb, _| elb.describe_load_balancer_attributes().load_balancer_name(NO_NAME);

    /// The policies of a Classic Load Balancer.
    DESCRIBE_LOAD_BALANCER_POLICIES =
        "DescribeLoadBalancerPolicies" feeds { "load-balancer/aws-elb": "$.Policies" },
    probe |elb, _| elb.describe_load_balancer_policies().load_balancer_name(NO_NAME);
}

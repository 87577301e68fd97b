//! Host names that AWS gives to load balancers.

use crate::collect::aws::client::partition;

/// The longest host name.
const MAX: usize = 253;

/// A load balancer's host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BalancerHost<'h> {
    /// As the API has it: without the prefix for an IP version or both.
    pub dns_name: &'h str,
    /// Its region.
    pub region: &'h str,
    /// Which load balancers have such a name.
    pub family: BalancerFamily,
}

/// The load balancers that share a form of host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BalancerFamily {
    /// `<name>-<digits>.<region>.elb.<domain>`: a classic or an application load balancer.
    ClassicOrApplication,
    /// `<name>-<hash>.elb.<region>.<domain>`: a network load balancer.
    Network,
}

impl<'h> BalancerHost<'h> {
    /// Reads a host name in lower case; `None` for other hosts.
    pub(super) fn parse(host: &'h str) -> Option<Self> {
        let host = host.strip_suffix('.').unwrap_or(host);
        let dns_name =
            ["dualstack.", "ipv6."].iter().find_map(|front| host.strip_prefix(front)).unwrap_or(host);
        let mut labels = dns_name.splitn(4, '.');
        let name = labels.next()?;
        let (second, third, domain) = (labels.next()?, labels.next()?, labels.next()?);
        let (region, family) = match (second, third) {
            ("elb", region) => (region, BalancerFamily::Network),
            (region, "elb") => (region, BalancerFamily::ClassicOrApplication),
            _ => return None,
        };
        let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let valid = named && dns_name.len() <= MAX && domain == partition(region)?.domain;
        valid.then_some(Self { dns_name, region, family })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn both_families_in_all_partitions() {
        for (text, region, family) in [
            ("a1b2-123.eu-west-1.elb.amazonaws.com", "eu-west-1", BalancerFamily::ClassicOrApplication),
            (
                "internal-a1b2-123.eu-west-1.elb.amazonaws.com",
                "eu-west-1",
                BalancerFamily::ClassicOrApplication,
            ),
            ("k8s-web-0123abcd.elb.us-east-2.amazonaws.com", "us-east-2", BalancerFamily::Network),
            ("a-1.cn-north-1.elb.amazonaws.com.cn", "cn-north-1", BalancerFamily::ClassicOrApplication),
            ("a-1.elb.cn-northwest-1.amazonaws.com.cn", "cn-northwest-1", BalancerFamily::Network),
            ("a-1.us-gov-west-1.elb.amazonaws.com", "us-gov-west-1", BalancerFamily::ClassicOrApplication),
            ("a-1.elb.us-gov-east-1.amazonaws.com", "us-gov-east-1", BalancerFamily::Network),
        ] {
            assert_eq!(
                BalancerHost::parse(text),
                Some(BalancerHost { dns_name: text, region, family }),
                "{text}"
            );
        }
        let dual = BalancerHost::parse("dualstack.a-1.eu-west-1.elb.amazonaws.com.").unwrap();
        assert_eq!(dual.dns_name, "a-1.eu-west-1.elb.amazonaws.com");
    }

    #[test]
    fn other_hosts_are_none_of_ours() {
        for text in [
            "www.example.com",
            "",
            "elb.amazonaws.com",
            "a.eu-west-1.elb.amazonaws.com.evil.org",
            "a.eu-west-1.elb.evilamazonaws.com",
            "a.evil.elb.amazonaws.com",
            "a.b.eu-west-1.elb.amazonaws.com",
            "a-1.cn-north-1.elb.amazonaws.com",
            "a-1.eu-west-1.elb.amazonaws.com.cn",
            ".eu-west-1.elb.amazonaws.com",
            "a_b.eu-west-1.elb.amazonaws.com",
            "d111111abcdef8.cloudfront.net",
        ] {
            assert_eq!(BalancerHost::parse(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "\\PC{0,300}|([a-z0-9.-]{0,20}\\.)?(elb|eu-west-1)\\.(elb|eu-west-1)\\.amazonaws\\.com(\\.cn)?") {
            if let Some(host) = BalancerHost::parse(&text) {
                prop_assert!(text.contains(host.dns_name));
                prop_assert!(partition(host.region).is_some());
            }
        }
    }
}

//! What clients see of the seed is what its table says, in whole lists and in pages.

use aws_sdk_ecr::types::{ImageScanningConfiguration, ScanFrequency};
use std::collections::BTreeSet;

use super::seed::{AWAY, HOME, image, issuer};
use super::{Aws, Front};

#[test]
fn lists_come_in_pages_when_wanted() {
    let aws = Aws::take();
    let home = aws.config(HOME);
    aws.front.page(1);
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
    aws.block_on(async {
        let ecr = aws_sdk_ecr::Client::new(&home);
        let mut pages = ecr.describe_repositories().into_paginator().send();
        let mut seen = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            assert_eq!(page.repositories().len(), 1);
            seen.extend(page.repositories()[0].repository_name().map(str::to_owned));
        }
        assert_eq!(seen, names(&["good", "open", "shared", "unscanned"]));

        let eks = aws_sdk_eks::Client::new(&home);
        let mut entries = eks.list_access_entries().cluster_name("good").into_paginator().items().send();
        let mut count = 0;
        while let Some(entry) = entries.next().await {
            entry.unwrap();
            count += 1;
        }
        assert_eq!(count, 3);

        let elb = aws_sdk_elasticloadbalancingv2::Client::new(&home);
        let mut pages = elb.describe_load_balancers().into_paginator().send();
        let mut seen = BTreeSet::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            assert_eq!(page.load_balancers().len(), 1);
            seen.extend(page.load_balancers()[0].dns_name().map(str::to_owned));
        }
        let newer = aws.seed.hosts.iter().filter(|(name, _)| !name.starts_with("classic"));
        assert_eq!(seen, newer.map(|(_, host)| host.clone()).collect());
    });
    assert_eq!(pages_of(&aws.front), [4, 3, 4]);
}

fn pages_of(front: &Front) -> [usize; 3] {
    let calls = front.calls();
    ["ecr:DescribeRepositories", "eks:ListAccessEntries", "elasticloadbalancing:DescribeLoadBalancers"]
        .map(|action| calls[action])
}

#[test]
fn clusters_are_as_different_as_they_should_be() {
    let aws = Aws::take();
    aws.block_on(async {
        for (region, name, private, encrypted, mode) in [
            (HOME, "good", true, true, "API"),
            (HOME, "bad", false, false, "CONFIG_MAP"),
            (AWAY, "away", false, false, "API_AND_CONFIG_MAP"),
        ] {
            let eks = aws_sdk_eks::Client::new(&aws.config(region));
            let answer = eks.describe_cluster().name(name).send().await.unwrap();
            let cluster = answer.cluster().unwrap();
            let network = cluster.resources_vpc_config().unwrap();
            assert_eq!(network.endpoint_private_access(), private, "{name}");
            assert_eq!(network.endpoint_public_access(), !private, "{name}");
            assert_eq!(!cluster.encryption_config().is_empty(), encrypted, "{name}");
            let access = cluster.access_config().unwrap();
            assert_eq!(access.authentication_mode().unwrap().as_str(), mode, "{name}");
            let oidc = cluster.identity().unwrap().oidc().unwrap();
            assert_eq!(oidc.issuer(), Some(issuer(region, name).as_str()));
        }
    });
}

#[test]
fn balancers_and_images_are_in_their_regions() {
    let aws = Aws::take();
    assert_eq!(aws.seed.hosts["classic-away"], format!("classic-away-1234567890.{AWAY}.elb.amazonaws.com"));
    assert_eq!(image(AWAY, "away"), format!("123456789012.dkr.ecr.{AWAY}.amazonaws.com/away:1"));
    aws.block_on(async {
        let away = aws.config(AWAY);
        let elb = aws_sdk_elasticloadbalancing::Client::new(&away);
        let answer = elb.describe_load_balancers().send().await.unwrap();
        let hosts: Vec<_> =
            answer.load_balancer_descriptions().iter().map(|found| found.dns_name()).collect();
        assert_eq!(hosts, [Some(aws.seed.hosts["classic-away"].as_str())]);

        let ecr = aws_sdk_ecr::Client::new(&away);
        let answer = ecr.describe_repositories().send().await.unwrap();
        let uri = answer.repositories()[0].repository_uri().unwrap();
        assert_eq!(image(AWAY, "away"), format!("{uri}:1"));
        // Public repositories have one region for all the world.
        let public = aws_sdk_ecrpublic::Client::new(&away);
        assert!(public.describe_repositories().send().await.is_err());
    });
}

#[test]
fn repositories_scan_as_they_or_the_registry_say() {
    let aws = Aws::take();
    aws.block_on(async {
        for (region, name, frequency) in [
            (HOME, "good", ScanFrequency::ScanOnPush),
            (HOME, "unscanned", ScanFrequency::Manual),
            (AWAY, "away", ScanFrequency::ContinuousScan),
        ] {
            let ecr = aws_sdk_ecr::Client::new(&aws.config(region));
            let asked = ecr.batch_get_repository_scanning_configuration().repository_names(name);
            let answer = asked.send().await.unwrap();
            let found = &answer.scanning_configurations()[0];
            assert_eq!(found.scan_on_push(), frequency != ScanFrequency::Manual, "{name}");
            assert_eq!(found.scan_frequency(), Some(&frequency), "{name}");
            let images = ecr.describe_images().repository_name(name).send().await.unwrap();
            let status = images.image_details()[0].image_scan_status();
            assert_eq!(status.is_some(), name == "good", "{name}");
        }
    });
}

#[test]
fn what_a_test_changes_is_gone_for_the_next() {
    let scans = |aws: &Aws| {
        let ecr = aws_sdk_ecr::Client::new(&aws.config(HOME));
        aws.block_on(async {
            let answer = ecr.describe_repositories().repository_names("unscanned").send().await.unwrap();
            answer.repositories()[0].image_scanning_configuration().unwrap().scan_on_push()
        })
    };
    let version = |aws: &Aws| {
        let eks = aws_sdk_eks::Client::new(&aws.config(HOME));
        let answer = aws.block_on(eks.describe_cluster().name("good").send()).unwrap();
        answer.cluster().unwrap().version().unwrap().to_owned()
    };
    let mut aws = Aws::take();
    assert_eq!((scans(&aws), version(&aws).as_str()), (false, "1.33"));
    let ecr = aws_sdk_ecr::Client::new(&aws.change(HOME));
    let scanning = ImageScanningConfiguration::builder().scan_on_push(true).build();
    let change = ecr.put_image_scanning_configuration().repository_name("unscanned");
    aws.block_on(change.image_scanning_configuration(scanning).send()).unwrap();
    aws.front.extras(|extras| extras.cluster(HOME, "good")["cluster"]["version"] = "1.29".into());
    assert_eq!((scans(&aws), version(&aws).as_str()), (true, "1.29"));
    drop(aws);
    let aws = Aws::take();
    assert_eq!((scans(&aws), version(&aws).as_str()), (false, "1.33"));
}

//! Private and public repositories.

use aws_sdk_ecr::Client;
use aws_sdk_ecr::types::{
    EncryptionConfiguration, EncryptionType, ImageScanningConfiguration, ImageTagMutability,
    RegistryScanningRule, ScanFrequency, ScanType, ScanningRepositoryFilter, ScanningRepositoryFilterType,
};
use serde_json::{Value, json};

use super::{ACCOUNT, AWAY, HOME};
use crate::aws::front::Extras;

const OTHER_ACCOUNT: &str = "210987654321";
/// Region, name, whether it scans what is pushed, and who else may pull.
const REPOSITORIES: [(&str, &str, bool, Option<&str>); 5] = [
    (HOME, "good", true, None),
    (HOME, "shared", true, Some(OTHER_ACCOUNT)),
    (HOME, "unscanned", false, None),
    (HOME, "open", true, Some("*")),
    (AWAY, "away", false, None),
];

pub async fn plant(emulator: &str, extras: &mut Extras) {
    let [home, away] = [HOME, AWAY].map(|region| Client::new(&crate::aws::config(emulator, region)));
    for (region, name, scanned, pulls) in REPOSITORIES {
        let ecr = if region == HOME { &home } else { &away };
        create(ecr, name, scanned).await;
        if let Some(account) = pulls {
            let text = policy(&json!({"AWS": account}), &["ecr:BatchGetImage"]).to_string();
            ecr.set_repository_policy().repository_name(name).policy_text(text).send().await.unwrap();
        }
        let manifest = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": format!("sha256:{name}"), "size": 2},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": format!("sha256:{name}"), "size": 1}]});
        let image = ecr.put_image().repository_name(name).image_tag("1").image_manifest(manifest.to_string());
        image.send().await.unwrap();
        if scanned {
            extras.images(region, name, scan_of_images());
        }
    }
    let resource = format!("arn:aws:ecr:{HOME}:{ACCOUNT}:repository/*");
    let mut replicated =
        policy(&json!({"AWS": format!("arn:aws:iam::{OTHER_ACCOUNT}:root")}), &["ecr:ReplicateImage"]);
    replicated["Statement"][0]["Resource"] = resource.into();
    home.put_registry_policy().policy_text(replicated.to_string()).send().await.unwrap();

    let all =
        ScanningRepositoryFilter::builder().filter("*").filter_type(ScanningRepositoryFilterType::Wildcard);
    let rule = RegistryScanningRule::builder()
        .scan_frequency(ScanFrequency::ContinuousScan)
        .repository_filters(all.build().unwrap())
        .build()
        .unwrap();
    let enhanced = away.put_registry_scanning_configuration().scan_type(ScanType::Enhanced).rules(rule);
    enhanced.send().await.unwrap();

    extras.public = ["own-public", "own-bare"].map(public).to_vec();
    let anyone = policy(&json!("*"), &["ecr-public:BatchGetImage"]);
    extras.public[0]["policyText"] = anyone.to_string().into();
}

async fn create(ecr: &Client, name: &str, scanned: bool) {
    let scanning = ImageScanningConfiguration::builder().scan_on_push(scanned).build();
    let encryption =
        EncryptionConfiguration::builder().encryption_type(EncryptionType::Aes256).build().unwrap();
    let request = ecr
        .create_repository()
        .repository_name(name)
        .image_scanning_configuration(scanning)
        .image_tag_mutability(if scanned {
            ImageTagMutability::Immutable
        } else {
            ImageTagMutability::Mutable
        })
        .encryption_configuration(encryption);
    request.send().await.unwrap();
}

fn policy(principal: &Value, actions: &[&str]) -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Sid": "others", "Effect": "Allow", "Principal": principal,
        "Action": actions}]})
}

/// What the emulator does not tell beside an image.
fn scan_of_images() -> Value {
    json!({"imageScanStatus": {"status": "COMPLETE", "description": "The scan was completed successfully."},
        "imageScanFindingsSummary": {"imageScanCompletedAt": 1_764_201_600.5, "vulnerabilitySourceUpdatedAt": 1_764_201_600.5,
            "findingSeverityCounts": {"HIGH": 1, "MEDIUM": 2}}})
}

fn public(name: &str) -> Value {
    json!({"repositoryArn": format!("arn:aws:ecr-public::{ACCOUNT}:repository/{name}"), "registryId": ACCOUNT,
        "repositoryName": name, "repositoryUri": format!("public.ecr.aws/testbed/{name}"),
        "createdAt": 1_764_201_600.5})
}

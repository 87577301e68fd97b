//! The chart by itself: lint, and what its schema refuses.

use crate::bed::Bed;
use crate::deploy::render::{self, folder, helm};

#[test]
fn lint_has_nothing_to_say_with_any_values() {
    let bed = Bed::share();
    let chart = folder("helm/posturebeat");
    for values in
        ["", "mode=split", "eks.enabled=true", "openshift.enabled=true,mode=split", "collectSecrets=true"]
    {
        let output = helm(&bed, &["lint", "--strict", chart.to_str().unwrap(), "--set", values]);
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && !told.contains("[WARNING]"), "{values}: {told}");
    }
}

#[test]
fn a_value_that_nobody_reads_is_refused_and_named() {
    let bed = Bed::share();
    let chart = folder("helm/posturebeat");
    let wrong = [
        ("mod=split", "mod"),
        ("mode=sidecar", "mode"),
        ("probe.resource.limits.memory=1Gi", "resource"),
        ("output.elasticsearch.host=x", "host"),
        ("output.elasticsearch.apiKey=keyalone", "apiKey"),
        ("output.file.path=/etc/cron.d", "path"),
        ("image.digest=sha256:short", "digest"),
        ("leaderElection.lease=x", "lease"),
        ("watcher.replicas=two", "replicas"),
    ];
    for (values, named) in wrong {
        let output = helm(&bed, &["template", "posturebeat", chart.to_str().unwrap(), "--set", values]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(named), "{values}: {told}");
    }
}

#[test]
fn the_image_is_of_this_version() {
    let bed = Bed::share();
    let image = concat!("posturebeat:", env!("CARGO_PKG_VERSION"));
    for name in ["kustomize split", "helm mode=split"] {
        let rendering = render::named(render::all(&bed), name);
        for kind in ["DaemonSet", "Deployment"] {
            let container = &rendering.workload(kind).unwrap()["spec"]["template"]["spec"]["containers"][0];
            assert_eq!(container["image"], image, "{name}, {kind}");
        }
    }
}

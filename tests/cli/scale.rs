//! A cluster with much in AWS: all of it is judged, once, within bounds of calls and memory.

mod account;
mod cluster;
mod serve;

use serde::Deserialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::Arc;

use self::account::{Account, ONE_IN, PAGE};
use self::cluster::{BALANCERS, Cluster, REGIONS, REPOSITORIES, Sort, region, sort};
use crate::program::{Daemon, Program};

/// The most memory that a scan by a release may take, in kB.
const MEMORY: u64 = 60 * 1024;
/// The most without the pages of its program, of which a debug build has many times more.
const OWN_MEMORY: u64 = 40 * 1024;
/// Findings between two looks at the memory.
const LOOK: usize = 250;

/// Of a finding, what tells it from others.
#[derive(Deserialize)]
struct Finding {
    resource: Option<Named>,
    rule: Option<Named>,
    error: Option<Said>,
}

#[derive(Deserialize)]
struct Named {
    id: String,
    #[serde(default)]
    sub_type: String,
}

#[derive(Deserialize)]
struct Said {
    message: String,
}

/// What a scan gave.
struct Scanned {
    status: ExitStatus,
    /// By sub type, each resource's rules.
    resources: BTreeMap<String, BTreeMap<String, BTreeSet<String>>>,
    /// Findings that came a second time.
    doubled: Vec<(String, String)>,
    /// Messages of what could not be read, by sub type.
    errors: BTreeMap<String, String>,
    /// The most memory, in kB, and the most without the pages of its program.
    peak: (u64, u64),
}

/// Reads findings as they come, none of which is kept.
fn read(child: &mut Child) -> Scanned {
    let mut resources = BTreeMap::<_, BTreeMap<_, BTreeSet<_>>>::new();
    let mut errors = BTreeMap::new();
    let (mut doubled, mut peak) = (Vec::new(), (0, 0));
    for (at, line) in BufReader::new(child.stdout.take().unwrap()).lines().enumerate() {
        if at.is_multiple_of(LOOK) {
            let (all, own) = memory(child.id()).unwrap_or_default();
            peak = (all.max(peak.0), own.max(peak.1));
        }
        let finding: Finding = serde_json::from_str(&line.unwrap()).unwrap();
        // A coverage document is of no resource.
        let (Some(Named { id, sub_type }), Some(rule)) = (finding.resource, finding.rule) else { continue };
        if let Some(error) = finding.error {
            errors.insert(sub_type.clone(), error.message);
        }
        let rules = resources.entry(sub_type).or_default().entry(id.clone()).or_default();
        if !rules.insert(rule.id.clone()) {
            doubled.push((id, rule.id));
        }
    }
    Scanned { status: child.wait().unwrap(), resources, doubled, errors, peak }
}

/// The most memory that a process has had, while it is there, and that without the pages of its program.
fn memory(process: u32) -> Option<(u64, u64)> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let field = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    };
    let all = field("VmHWM:")?;
    Some((all, all.checked_sub(field("RssFile:")?)?))
}

async fn scan(aws: &str, api: &str) -> (Scanned, String) {
    let program = Program::new();
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "big", "cluster": {"server": api}}],
        "users": [{"name": "x", "user": {}}], "contexts": [{"name": "x", "context": {"cluster": "big", "user": "x"}}]});
    program.write("config", &config.to_string());
    std::fs::create_dir(program.path("host")).unwrap();
    let mut command = program.command(&["scan", "--benchmark", "cis_eks", "--format", "ndjson"]);
    for setting in ["kube_config=config", "host_root=host", "aws.cluster_name=big"] {
        command.args(["-E", &format!("posturebeat.{setting}")]);
    }
    command
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret")
        .env("AWS_ENDPOINT_URL", aws)
        .env("AWS_REGION", REGIONS[0])
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(program.path("log")).unwrap());
    let mut child = Daemon::start(command);
    let scanned = tokio::task::spawn_blocking(move || read(&mut child.0)).await.unwrap();
    (scanned, std::fs::read_to_string(program.path("log")).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_5000_repositories_over_3_regions_and_500_load_balancers() {
    let account = Arc::new(Account::default());
    let (aws, api) = (serve::serve(Arc::clone(&account)).await, serve::serve(Arc::new(Cluster)).await);
    let (scanned, log) = scan(&aws, &api).await;
    assert!(scanned.status.success(), "{log}");

    assert_eq!(scanned.doubled, []);
    let of = |wanted: Sort| (0..BALANCERS).filter(|number| sort(*number) == wanted).count();
    for (kind, count) in [
        ("aws-ecr", REPOSITORIES),
        ("aws-elb", of(Sort::Classic)),
        ("aws-alb", of(Sort::Application)),
        ("aws-nlb", of(Sort::Network)),
    ] {
        let resources = &scanned.resources[kind];
        assert_eq!(resources.len(), count, "{kind}: {log}");
        // None lacks a rule that another was judged by.
        assert_eq!(resources.values().collect::<BTreeSet<_>>().len(), 1, "{kind}");
        assert_eq!(scanned.errors.get(kind), None);
    }

    let asked = account.asked();
    let calls = |operation: &str| asked.calls.get(operation).copied().unwrap_or_default();
    let pages = |newer: bool| -> usize {
        let of_region = |name: &str| {
            let ours = |at: &usize| region(*at) == name && (sort(*at) != Sort::Classic) == newer;
            (0..BALANCERS).filter(ours).count()
        };
        REGIONS.iter().map(|name| (of_region(name) * ONE_IN).div_ceil(PAGE)).sum()
    };
    assert_eq!(calls("v2:DescribeLoadBalancers"), pages(true));
    assert_eq!(calls("DescribeLoadBalancers"), pages(false));
    assert_eq!(calls("v2:DescribeListeners"), 2 * (of(Sort::Application) + of(Sort::Network)));
    for operation in ["GetRepositoryPolicy", "DescribeImages"] {
        assert_eq!(calls(operation), REPOSITORIES, "{operation}");
    }
    assert!(calls("DescribeRepositories") <= REPOSITORIES / 100 + REGIONS.len());
    assert!((2..=8).contains(&asked.most_at_once), "{} at once", asked.most_at_once);
    let (all, own) = scanned.peak;
    assert!((1..OWN_MEMORY).contains(&own), "{own} kB");
    assert!(cfg!(debug_assertions) || all < MEMORY, "{all} kB");
}

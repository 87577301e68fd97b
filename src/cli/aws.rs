//! `test aws`: the AWS identity in use, the calls that it may make, and the policy to attach for the others.

use anyhow::bail;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::collect::cloud::ProbeVerdict;
use crate::config::Settings;
use crate::report::safe;
use crate::resource::Platform;
use crate::runtime::{self, CloudTest, Engine};

/// Prints the result; an error where something is missing.
pub(super) async fn test(mut settings: Settings) -> anyhow::Result<ExitCode> {
    // Only the benchmarks for EKS ask AWS for anything.
    let for_eks = runtime::benchmarks_for(Platform::Eks);
    if !settings.posture.benchmarks.iter().any(|name| runtime::is_among(name, &for_eks)) {
        settings.posture.benchmarks = for_eks;
    }
    let engine = Engine::new(&settings.posture)?;
    let test = runtime::test_cloud(&settings, &engine).await?;
    print!("{}", text(&test));
    let denied = test.denied.len();
    let unknown =
        test.probes.iter().filter(|probe| matches!(probe.verdict, ProbeVerdict::Unknown(_))).count();
    if let Err(gap) = &test.discovery.cluster {
        bail!("{gap}");
    }
    if denied + unknown > 0 {
        bail!("{denied} of {} AWS calls are denied, and {unknown} got no answer", test.probes.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn text(test: &CloudTest) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    let _ = write_text(&mut out, test);
    out
}

fn write_text(out: &mut String, test: &CloudTest) -> std::fmt::Result {
    let CloudTest { discovery, probes, denied, policy } = test;
    writeln!(out, "{}: {}", discovery.cloud.provider, discovery.cloud.region)?;
    writeln!(out, "  caller... OK {}", safe(&discovery.caller))?;
    match &discovery.cluster {
        Ok(cluster) => writeln!(out, "  cluster... OK {}", safe(&cluster.name))?,
        Err(gap) => writeln!(out, "  cluster... ERROR {}", safe(&gap.what))?,
    }
    writeln!(out, "  calls:")?;
    for probe in probes {
        let permission = probe.call.permission;
        match &probe.verdict {
            ProbeVerdict::Allowed => writeln!(out, "    {permission}... OK")?,
            ProbeVerdict::Denied(_) => writeln!(out, "    {permission}... DENIED")?,
            ProbeVerdict::Unknown(what) => writeln!(out, "    {permission}... ERROR {}", safe(what))?,
        }
    }
    if denied.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nMissing IAM actions, and the recommendations that need them:")?;
    for (call, rules) in denied {
        let rules = if rules.is_empty() { "only shown as evidence".to_owned() } else { rules.join(", ") };
        writeln!(out, "  {}: {rules}", call.permission)?;
    }
    writeln!(
        out,
        "\nThe least-privilege policy to attach, in addition to what is granted already:\n{policy}"
    )?;
    writeln!(out, "\nThe policy for all calls is in deploy/aws/.")
}

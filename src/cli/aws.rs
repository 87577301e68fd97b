//! `test aws`: who we are to AWS, what we may call there, and what to attach where something is missing.

use anyhow::bail;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::collect::aws::{Answer, grant};
use crate::config::Settings;
use crate::report::safe;
use crate::resource::Platform;
use crate::runtime::{self, AwsTest, Engine};

/// Prints it; an error where something is missing.
pub(super) async fn test(mut settings: Settings) -> anyhow::Result<ExitCode> {
    // Only the benchmarks for EKS ask AWS for anything.
    let for_eks = runtime::benchmarks_for(Platform::Eks);
    if !settings.posture.benchmarks.iter().any(|name| runtime::is_among(name, &for_eks)) {
        settings.posture.benchmarks = for_eks;
    }
    let engine = Engine::new(&settings.posture)?;
    let test = runtime::test_aws(&settings, &engine).await?;
    print!("{}", text(&test));
    let refused = test.lacking().count();
    let unanswered = test.probes.iter().filter(|probe| matches!(probe.answer, Answer::Unknown(_))).count();
    if let Err(why) = &test.cluster {
        bail!("{why}");
    }
    if refused + unanswered > 0 {
        bail!("of {} calls to AWS {refused} are refused and {unanswered} not answered", test.probes.len());
    }
    Ok(ExitCode::SUCCESS)
}

fn text(test: &AwsTest) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    let _ = tell(&mut out, test);
    out
}

fn tell(out: &mut String, test: &AwsTest) -> std::fmt::Result {
    writeln!(out, "aws: {}", test.region)?;
    writeln!(out, "  caller... OK {}", safe(&test.caller.arn))?;
    match &test.cluster {
        Ok(name) => writeln!(out, "  cluster... OK {}", safe(name))?,
        Err(why) => writeln!(out, "  cluster... ERROR {}", safe(why))?,
    }
    writeln!(out, "  calls:")?;
    for probe in &test.probes {
        let action = probe.call.action();
        match &probe.answer {
            Answer::Allowed => writeln!(out, "    {action}... OK")?,
            Answer::Denied(_) => writeln!(out, "    {action}... DENIED")?,
            Answer::Unknown(what) => writeln!(out, "    {action}... ERROR {}", safe(what))?,
        }
    }
    let lacking: Vec<_> = test.lacking().collect();
    if lacking.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nMissing IAM actions, and the recommendations that need them:")?;
    for (call, rules) in &lacking {
        let rules = if rules.is_empty() { "only shown as evidence".to_owned() } else { rules.join(", ") };
        writeln!(out, "  {}: {rules}", call.action())?;
    }
    let policy = grant::policy(lacking.iter().map(|(call, _)| *call));
    writeln!(out, "\nThe least-privilege policy to attach, beside what is granted already:\n{policy:#}")?;
    writeln!(out, "\nThe whole of it is in deploy/aws/.")
}

//! A scan's outcomes, as tests compare them: by recommendation and resource.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::process::{Command, Output};

use super::Aws;
use crate::bed::Bed;

/// What is judged: both versions at once.
const BENCHMARKS: [&str; 4] = ["--benchmark", "cis_eks@1.8.0", "--benchmark", "cis_eks@1.0.1"];
/// The same, for commands that have no such argument.
pub const BOTH: [&str; 2] = ["-E", "posturebeat.benchmarks=[\"cis_eks@1.8.0\", \"cis_eks@1.0.1\"]"];
/// How the program is told of the cluster.
pub const GOOD: [&str; 2] = ["-E", "posturebeat.aws.cluster_name=good"];
/// The kinds that AWS tells of.
const KINDS: [&str; 3] = ["caas", "load-balancer", "container-registry"];

/// One outcome, of one resource.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Verdict {
    pub outcome: String,
    /// `type/sub_type` of the resource.
    pub of: String,
    /// Code and message of an error.
    pub error: Option<(String, String)>,
}

/// All of a scan, by `benchmark/number`, and by sub type and name of the resource. Several resources are called alike
/// where what could not be listed is said of the cluster.
#[derive(Debug, PartialEq)]
pub struct Outcomes(BTreeMap<(String, String), Vec<Verdict>>);

/// The program, with the front for AWS and nothing else of AWS in its environment.
pub fn program(bed: &Bed, aws: &Aws, args: &[&str]) -> Command {
    let mut command = without_aws(bed, args);
    command.envs(aws.environment());
    command
}

/// The program where nobody has credentials.
pub fn without_aws(bed: &Bed, args: &[&str]) -> Command {
    let mut command = bed.posturebeat(args);
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("AWS_")) {
        command.env_remove(name);
    }
    command.env("HOME", bed.folder.path());
    command
}

/// The arguments of a scan of both versions of the benchmark.
pub fn scanning<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [&["scan", "--format", "json"], BENCHMARKS.as_slice(), more].concat()
}

/// Scans with the cluster's name configured.
pub fn scan(bed: &Bed, aws: &Aws) -> Outcomes {
    Outcomes::of(&program(bed, aws, &scanning(&GOOD)).output().unwrap())
}

/// The report of a program that ended well.
pub fn report(output: &Output) -> Value {
    assert!(output.status.success(), "{}", said(output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What a program wrote to stderr.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The documents about what AWS tells of, by sub type and name.
pub fn documents(bed: &Bed, aws: &Aws, more: &[&str]) -> BTreeMap<(String, String), Value> {
    let args = [&["scan", "--format", "ndjson", "--benchmark", "cis_eks"], GOOD.as_slice(), more].concat();
    let output = program(bed, aws, &args).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_aws = lines.filter(|line| KINDS.iter().any(|kind| line["resource"]["type"] == *kind));
    let key =
        |line: &Value| ["sub_type", "name"].map(|key| line["resource"][key].as_str().unwrap().to_owned());
    of_aws.map(|line| (key(&line).into(), line)).collect()
}

impl Outcomes {
    pub fn of(output: &Output) -> Self {
        Self::read(&report(output))
    }

    pub fn read(report: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut all: BTreeMap<_, Vec<Verdict>> = BTreeMap::new();
        for resource in report["resources"].as_array().unwrap() {
            let [kind, sub_type, name] = ["type", "sub_type", "name"].map(|key| text(&resource[key]));
            let place = resource["namespace"].as_str().map(|name| format!("{name}/")).unwrap_or_default();
            let details = resource["details"].as_array().map(Vec::as_slice).unwrap_or_default();
            for (rule, outcome) in resource["results"].as_object().unwrap() {
                let detail = details.iter().find(|detail| detail["rule"] == rule.as_str());
                let error = detail.and_then(|detail| detail.get("error"));
                let outcome = Verdict {
                    outcome: text(outcome),
                    of: format!("{kind}/{sub_type}"),
                    error: error.map(|error| (text(&error["code"]), text(&error["message"]))),
                };
                all.entry((rule.clone(), format!("{sub_type} {place}{name}"))).or_default().push(outcome);
            }
        }
        for outcomes in all.values_mut() {
            outcomes.sort();
        }
        Self(all)
    }

    /// Those about what AWS tells of, as `RULE RESOURCE: OUTCOME`, the rule without its benchmark's name.
    pub fn at_aws(&self) -> BTreeSet<String> {
        let of_aws =
            |outcome: &&Verdict| KINDS.iter().any(|kind| outcome.of.starts_with(&format!("{kind}/")));
        let told = self.0.iter().flat_map(|((rule, resource), outcomes)| {
            let rule = rule.trim_start_matches("cis_eks@");
            outcomes.iter().filter(of_aws).map(move |of| format!("{rule} {resource}: {}", of.outcome))
        });
        told.collect()
    }

    /// The errors of all rules.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.0.iter().flat_map(|((rule, _), outcomes)| {
            let errors = outcomes.iter().filter_map(|outcome| outcome.error.as_ref());
            errors.map(move |(code, message)| (rule.as_str(), code.as_str(), message.as_str()))
        })
    }

    /// The rules that have errors.
    pub fn broken(&self) -> BTreeSet<&str> {
        let broken = self.0.iter().filter(|(_, all)| all.iter().any(|one| one.outcome == "error"));
        broken.map(|((rule, _), _)| rule.as_str()).collect()
    }

    /// Every rule that judged anything.
    pub fn rules(&self) -> BTreeSet<&str> {
        self.0.keys().map(|(rule, _)| rule.as_str()).collect()
    }

    /// What is otherwise in `other`: rule, resource, before and after.
    pub fn changes<'a>(&'a self, other: &'a Self) -> Vec<Change<'a>> {
        let keys: BTreeSet<_> = self.0.keys().chain(other.0.keys()).collect();
        let of = |all: &'a Self, key| all.0.get(key).map(Vec::as_slice).unwrap_or_default();
        let changes = keys.into_iter().map(|key| Change {
            rule: &key.0,
            resource: &key.1,
            before: of(self, key),
            after: of(other, key),
        });
        changes.filter(|change| change.before != change.after).collect()
    }
}

/// What became of the outcomes of a rule for resources of one name.
#[derive(Debug)]
pub struct Change<'a> {
    pub rule: &'a str,
    pub resource: &'a str,
    pub before: &'a [Verdict],
    pub after: &'a [Verdict],
}

impl fmt::Display for Change<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcomes = |all: &[Verdict]| all.iter().map(|one| one.outcome.clone()).collect::<Vec<_>>();
        let (before, after) = (outcomes(self.before), outcomes(self.after));
        write!(f, "{} {}: {before:?} → {after:?}", self.rule, self.resource)
    }
}

//! Command-line arguments, as the user wrote them.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use crate::config::Sources;
use crate::report::{FORMATS, ReportFormat};

/// Read where no `-c` is given.
const DEFAULT_FILE: &str = "posturebeat.yml";

/// Watch the security posture of Kubernetes clusters and ship one finding per rule and resource to Elasticsearch
#[derive(Debug, Parser)]
#[command(name = "posturebeat", version, disable_help_subcommand = false)]
pub(super) struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(super) struct Global {
    /// Configuration file; may repeat, later files override earlier ones [default: posturebeat.yml]
    #[arg(short = 'c', value_name = "FILE", global = true)]
    config: Vec<PathBuf>,
    /// Override a setting, such as -E output.console.pretty=true; may repeat
    #[arg(short = 'E', value_name = "KEY=VALUE", global = true, value_parser = key_value)]
    overrides: Vec<(String, String)>,
    /// Log to stderr (always on; accepted for compatibility with Beats)
    #[arg(short = 'e', global = true)]
    to_stderr: bool,
    /// Log at info level
    #[arg(short = 'v', global = true)]
    verbose: bool,
    /// Log at debug level (every Beat selector is accepted and selects everything)
    #[arg(short = 'd', value_name = "SELECTORS", global = true)]
    debug: Option<String>,
    /// Directory for persistent state
    #[arg(long = "path.data", value_name = "DIR", global = true)]
    path_data: Option<String>,
    /// Require configuration files that only their owner can write
    #[arg(long = "strict.perms", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, global = true)]
    strict_perms: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run as a daemon, with one cycle per period, until SIGTERM (the default command)
    Run,
    /// Run one cycle and print a report
    Scan(ScanOptions),
    /// Record everything the collectors see to a snapshot file
    Collect {
        /// Snapshot file: .ndjson, .ndjson.gz or .ndjson.zst
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Show what changed between two snapshots, reports or files of findings (always exits 0)
    Diff {
        /// Older file
        old: PathBuf,
        /// Newer file
        new: PathBuf,
        /// Benchmark to judge snapshots with, such as cis_k8s@2.0.1; may repeat
        #[arg(long = "benchmark", value_name = "NAME[@VERSION]")]
        benchmarks: Vec<String>,
    },
    /// List, show and check rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Install the index templates in Elasticsearch
    Setup {
        /// Install index templates (the default, and the only step so far)
        #[arg(long = "index-management")]
        index_management: bool,
    },
    /// Manage the keystore: secrets that the configuration refers to as `${NAME}`
    #[command(subcommand)]
    Keystore(KeystoreCommand),
    /// Test the configuration, the output, and access to Kubernetes and AWS
    #[command(subcommand)]
    Test(TestCommand),
    /// Print the version
    Version,
}

/// What to judge, and how to report it.
#[derive(Debug, clap::Args)]
pub(super) struct ScanOptions {
    /// Judge recorded snapshots instead of this machine and cluster; may repeat
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "manifests")]
    pub snapshot: Vec<PathBuf>,
    /// Judge Kubernetes manifests: YAML or JSON files, directories, and `-` for standard input; may repeat. In a
    /// directory, files without Kubernetes objects are skipped, and files that cannot be read are errors of the report.
    /// Workloads are judged by their pod template
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub manifests: Vec<PathBuf>,
    /// Judge an EKS cluster through the AWS API alone, with no agent in the cluster
    #[arg(long = "eks-cluster", value_name = "NAME", conflicts_with_all = ["manifests", "snapshot"])]
    pub eks_cluster: Option<String>,
    /// Region of the EKS cluster [default: posturebeat.aws.region, or AWS_REGION]
    #[arg(long, value_name = "REGION", requires = "eks_cluster")]
    pub region: Option<String>,
    /// Benchmark to judge with, such as cis_k8s or cis_k8s@1.0.1; may repeat
    #[arg(long = "benchmark", value_name = "NAME[@VERSION]")]
    pub benchmarks: Vec<String>,
    /// Report format
    #[arg(long, value_parser = report_format(), default_value = FORMATS[0].name)]
    pub format: &'static ReportFormat,
    /// Write the report to a file instead of stdout (`-`)
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exit with status 2 if a rule fails without an exception (failed), if something could not be judged (error), or if the
    /// score is below N or something could not be judged (score:N); may repeat
    #[arg(long = "fail-on", value_name = "failed|error|score:N", value_parser = fail_on)]
    pub fail_on: Vec<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FailOn {
    Failed,
    Error,
    ScoreBelow(f64),
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// List all controls
    List,
    /// Show one control in full
    Show {
        /// Id of the control, such as kubelet-anonymous-auth
        id: String,
    },
    /// Run the cases of the built-in rules, or of your own
    Check {
        /// A control with its cases beside it, or a directory of controls, cases and benchmarks
        #[arg(value_name = "FILE|DIR")]
        path: Option<PathBuf>,
        /// Let FILE or DIR replace built-in rules of the same name, to check an edited one without a build
        #[arg(long = "override", requires = "path")]
        replace: bool,
        /// Also break each control in one place at a time and report the changes that no case notices
        #[arg(long)]
        mutate: bool,
    },
    /// Show which recommendations are covered, and by which controls
    Coverage,
    /// Show where cloudbeat, kube-bench or the benchmark's text decide differently
    Differences,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeystoreCommand {
    /// Create an empty keystore
    Create {
        /// Overwrite an existing keystore without asking
        #[arg(long)]
        force: bool,
    },
    /// Add a secret (prompts for it without echo)
    Add {
        /// Name of the secret
        key: String,
        /// Read the secret from standard input, without its last line break
        #[arg(long)]
        stdin: bool,
        /// Create the keystore or overwrite the secret without asking
        #[arg(long)]
        force: bool,
    },
    /// List the names of all secrets
    List,
    /// Remove secrets
    Remove {
        /// Names of the secrets
        #[arg(required = true)]
        keys: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TestCommand {
    /// Check the configuration, including rules and exceptions
    Config,
    /// Connect to the configured output and check the credentials
    Output,
    /// Show the identity on the Kubernetes API server, missing rights and their cost, and the RBAC rules to add
    Kubernetes,
    /// Show the AWS identity, which calls it may make, and the IAM policy for those it may not
    Aws,
}

impl Global {
    pub(super) fn sources<'a>(&self, env: &'a dyn Fn(&str) -> Option<String>) -> Sources<'a> {
        let mut overrides = self.overrides.clone();
        overrides.extend(self.path_data.iter().map(|path| ("path.data".to_owned(), path.clone())));
        Sources {
            files: self.config.clone(),
            default_file: Some(PathBuf::from(DEFAULT_FILE)),
            overrides,
            env,
            strict_perms: self.strict_perms,
            fleet_inputs: crate::runtime::fleet_inputs,
        }
    }

    /// An error about what is not configured; it says if there was no file to read.
    pub(super) fn with_files(&self, error: anyhow::Error) -> anyhow::Error {
        if self.config.is_empty() && !Path::new(DEFAULT_FILE).exists() {
            anyhow::anyhow!("{error}; no file was read: -c names none, and there is no {DEFAULT_FILE} here")
        } else {
            error
        }
    }

    pub(super) fn level(&self) -> Option<&'static str> {
        let _ = self.to_stderr;
        match (&self.debug, self.verbose) {
            (Some(_), _) => Some("debug"),
            (None, true) => Some("info"),
            (None, false) => None,
        }
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// The names of [`FORMATS`], each with its help.
fn report_format() -> impl TypedValueParser<Value = &'static ReportFormat> {
    let names = FORMATS.iter().map(|format| PossibleValue::new(format.name).help(format.help));
    PossibleValuesParser::new(names).try_map(|name| {
        FORMATS.iter().find(|format| format.name == name).ok_or_else(|| format!("no such format: {name}"))
    })
}

fn fail_on(text: &str) -> Result<FailOn, String> {
    match text.split_once(':') {
        None if text == "failed" => Ok(FailOn::Failed),
        None if text == "error" => Ok(FailOn::Error),
        Some(("score", number)) => {
            let score = number.parse().ok().filter(|score: &f64| (0.0..=100.0).contains(score));
            score
                .map(FailOn::ScoreBelow)
                .ok_or_else(|| format!("expected a score from 0 to 100, found `{number}`"))
        }
        _ => Err("expected failed, error or score:N".into()),
    }
}

/// Beats accept long flags with one dash (`-path.data`), clap expects two. `-Ekey=value` and `-cFILE` stay.
pub(super) fn long_dashes(args: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let long = |arg: OsString| match arg.to_str() {
        Some(text)
            if text.starts_with('-') && text.len() > 2 && !text[1..].starts_with(['-', 'E', 'c', 'd']) =>
        {
            OsString::from(format!("-{text}"))
        }
        _ => arg,
    };
    args.map(long).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_holds_together() {
        Args::command().debug_assert();
    }

    #[test]
    fn beat_spellings_are_taken() {
        let args = ["posturebeat", "-path.data", "/x", "-e", "-Ex.y=1", "-E", "a.b=c=d", "run"];
        let args = Args::try_parse_from(long_dashes(args.iter().map(OsString::from))).unwrap();
        assert_eq!(args.global.path_data.as_deref(), Some("/x"));
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(args.global.overrides, [pair("x.y", "1"), pair("a.b", "c=d")]);
    }

    #[test]
    fn every_report_format_can_be_asked_for() {
        let format = |args: &[&str]| match Args::try_parse_from(args).map(|args| args.command) {
            Ok(Some(Command::Scan(options))) => Ok(options.format.name),
            Ok(_) => Err("not a scan".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        assert_eq!(format(&["posturebeat", "scan"]), Ok("table"));
        let unknown = format(&["posturebeat", "scan", "--format", "tabel"]).unwrap_err();
        for known in FORMATS {
            assert_eq!(format(&["posturebeat", "scan", "--format", known.name]), Ok(known.name));
            assert!(unknown.contains(known.name), "{unknown}");
        }
    }

    #[test]
    fn conditions_to_fail_on() {
        assert_eq!(fail_on("score:80"), Ok(FailOn::ScoreBelow(80.0)));
        assert!(fail_on("score:180").is_err() && fail_on("passed").is_err());
    }
}

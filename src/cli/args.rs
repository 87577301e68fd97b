//! Arguments, as the user wrote them.

use clap::{Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

use crate::config::Sources;

/// Watches the security posture of Kubernetes clusters.
#[derive(Debug, Parser)]
#[command(name = "posturebeat", version, about, disable_help_subcommand = false)]
pub(super) struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Flags that every command takes.
#[derive(Debug, clap::Args)]
pub(super) struct Global {
    /// Configuration file; may repeat, later files override earlier ones [default: posturebeat.yml]
    #[arg(short = 'c', value_name = "FILE", global = true)]
    config: Vec<PathBuf>,
    /// Override a setting, such as -E output.console.pretty=true; may repeat
    #[arg(short = 'E', value_name = "KEY=VALUE", global = true, value_parser = key_value)]
    overrides: Vec<(String, String)>,
    /// Log to stderr: what is done anyway; taken because every Beat takes it
    #[arg(short = 'e', global = true)]
    to_stderr: bool,
    /// Log at info level
    #[arg(short = 'v', global = true)]
    verbose: bool,
    /// Log at debug level; the selectors of Beats are taken and all mean everything
    #[arg(short = 'd', value_name = "SELECTORS", global = true)]
    debug: Option<String>,
    /// Where what must outlive a restart is kept
    #[arg(long = "path.data", value_name = "DIR", global = true)]
    path_data: Option<String>,
    /// Check owner and mode of configuration files
    #[arg(long = "strict.perms", value_name = "BOOL", default_value_t = true, action = clap::ArgAction::Set, global = true)]
    strict_perms: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run as a daemon: a cycle every period, until SIGTERM (the default command)
    Run,
    /// Run one cycle and print a report
    Scan(ScanOptions),
    /// Record what the collectors see as a snapshot
    Collect {
        /// The file: .ndjson, .ndjson.gz or .ndjson.zst
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Tell what changed between two snapshots, reports or files of findings; exits 0 also when something did
    Diff {
        /// The older one
        old: PathBuf,
        /// The newer one
        new: PathBuf,
        /// Benchmark to judge snapshots by, such as cis_k8s@2.0.1; may repeat
        #[arg(long = "benchmark", value_name = "NAME[@VERSION]")]
        benchmarks: Vec<String>,
    },
    /// The catalogue of rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Prepare the store: install the index templates
    Setup {
        /// The default, and the only thing so far
        #[arg(long = "index-management")]
        index_management: bool,
    },
    /// Secrets under names, for `${NAME}` in the configuration
    #[command(subcommand)]
    Keystore(KeystoreCommand),
    /// Try what the configuration says
    #[command(subcommand)]
    Test(TestCommand),
    /// Print the version
    Version,
}

/// What to judge, and how to tell of it.
#[derive(Debug, clap::Args)]
pub(super) struct ScanOptions {
    /// Judge recorded resources instead of this machine; may repeat
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "manifests")]
    pub snapshot: Vec<PathBuf>,
    /// Judge plain Kubernetes YAML or JSON, files or folders, `kubectl get -o json` lists too; may repeat. Pods
    /// are judged, the pod templates of Deployments and the like are not
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub manifests: Vec<PathBuf>,
    /// Judge an EKS cluster from outside: what AWS tells of it, with no agent in it
    #[arg(long = "eks-cluster", value_name = "NAME", conflicts_with_all = ["manifests", "snapshot"])]
    pub eks_cluster: Option<String>,
    /// Its region [default: posturebeat.aws.region, or AWS_REGION]
    #[arg(long, value_name = "REGION", requires = "eks_cluster")]
    pub region: Option<String>,
    /// Benchmark, such as cis_k8s or cis_k8s@1.0.1; may repeat
    #[arg(long = "benchmark", value_name = "NAME[@VERSION]")]
    pub benchmarks: Vec<String>,
    /// table, json or ndjson
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,
    /// Write the report here instead of stdout
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Exit with 2 on: failed (and not excepted); error (something could not be judged); score:N (a score below N, or
    /// something that could not be judged); may repeat
    #[arg(long = "fail-on", value_name = "failed|error|score:N", value_parser = fail_on)]
    pub fail_on: Vec<FailOn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// For people.
    Table,
    /// One object.
    Json,
    /// Exactly the documents that `run` would ship, one a line.
    Ndjson,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum FailOn {
    Failed,
    Error,
    ScoreBelow(f64),
}

#[derive(Debug, Subcommand)]
pub(super) enum RulesCommand {
    /// One line for each control
    List,
    /// Everything about one control
    Show {
        /// The control's id, such as kubelet-anonymous-auth
        id: String,
    },
    /// Check rules with their cases: the built-in ones, or a rule author's
    Check {
        /// A folder of controls, cases and benchmarks
        dir: Option<PathBuf>,
        /// Also change each control in every one place, and tell which changes no case notices
        #[arg(long)]
        mutate: bool,
    },
    /// Which recommendation is answered, and how
    Coverage,
    /// Where other tools, or the recommendations' own words, decide otherwise
    Differences,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeystoreCommand {
    /// Create an empty one
    Create {
        /// Without asking, also over an old one
        #[arg(long)]
        force: bool,
    },
    /// Keep a secret; it is asked for, and does not show
    Add {
        /// Its name
        key: String,
        /// Read it from standard input; one line end at its end is taken away
        #[arg(long)]
        stdin: bool,
        /// Without asking, also over an old one
        #[arg(long)]
        force: bool,
    },
    /// Print the names, one a line
    List,
    /// Forget secrets
    Remove {
        /// Their names
        #[arg(required = true)]
        keys: Vec<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum TestCommand {
    /// The configuration, with rules and exceptions, as `run` would take it
    Config,
    /// Our identity on the Kubernetes API server, missing rights and what each costs, and the RBAC rules to add
    Kubernetes,
    /// Who we are to AWS, what we may call there, and the policy to attach where something is missing
    Aws,
}

impl Global {
    pub fn sources<'a>(&self, env: &'a dyn Fn(&str) -> Option<String>) -> Sources<'a> {
        let mut overrides = self.overrides.clone();
        overrides.extend(self.path_data.iter().map(|path| ("path.data".to_owned(), path.clone())));
        Sources {
            files: self.config.clone(),
            default_file: Some(PathBuf::from("posturebeat.yml")),
            overrides,
            env,
            strict_perms: self.strict_perms,
        }
    }

    pub fn level(&self) -> Option<&'static str> {
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

fn fail_on(text: &str) -> Result<FailOn, String> {
    match text.split_once(':') {
        None if text == "failed" => Ok(FailOn::Failed),
        None if text == "error" => Ok(FailOn::Error),
        Some(("score", number)) => {
            let score = number.parse().ok().filter(|score: &f64| (0.0..=100.0).contains(score));
            score.map(FailOn::ScoreBelow).ok_or_else(|| format!("`{number}` is no score from 0 to 100"))
        }
        _ => Err("expected failed, error or score:N".into()),
    }
}

/// Beats take long flags with one dash (`-path.data`); clap wants two. `-Ekey=value` and `-cFILE` stay.
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
    fn conditions_to_fail_on() {
        assert_eq!(fail_on("score:80"), Ok(FailOn::ScoreBelow(80.0)));
        assert!(fail_on("score:180").is_err() && fail_on("passed").is_err());
    }
}

//! Prepares a store for our documents: one composable index template a data stream.
//!
//! In: `output.elasticsearch`. Out: installed templates, and a [`Report`] that says what was done.
//! What the store can do is learnt from its own answers, never from its name or version: the full
//! template is offered, and what the store refuses is replaced by the nearest thing (see [`adapt`]).
//! A template that Fleet has installed is left alone, for it brings more than ours.

use crate::config::settings;
use crate::output::OutputError;
use crate::output::elasticsearch::{Answer, Client, Method, Payload, Unanswered, reason};
use serde_json::Value;
use std::collections::BTreeMap;

pub use template::{Template, templates};

mod adapt;
pub mod fields;
mod template;
#[cfg(test)]
mod tests;

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The templates that were installed.
    pub installed: Vec<String>,
    /// The templates that were not touched although asked for, and why.
    pub left_alone: Vec<LeftAlone>,
    /// What the store does not know and was given in its place, as one line; `None`: it knows everything.
    pub adaptations: Option<String>,
}

/// A template that was not touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftAlone {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

impl Report {
    /// The report for people: what was installed, what was left alone for which reason, what was adapted.
    pub fn lines(&self) -> Vec<String> {
        let mut left: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for LeftAlone { name, why } in &self.left_alone {
            left.entry(why).or_default().push(format!("`{name}`"));
        }
        let installed = self.installed.iter().map(|name| format!("installed the index template `{name}`"));
        let left = left.iter().map(|(why, names)| format!("left alone {}: {why}", names.join(", ")));
        installed.chain(left).chain(self.adaptations.clone()).collect()
    }
}

/// A set-up that did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The client cannot be built.
    #[error(transparent)]
    BuildClient(#[from] OutputError),
    /// Nobody answered.
    #[error(transparent)]
    Unreachable(#[from] Unanswered),
    /// The store does not permit it.
    #[error("`{host}` does not let us {action} the index template `{name}`: {why}")]
    Denied {
        /// Who answered.
        host: String,
        /// `read` or `install`.
        action: &'static str,
        /// The template.
        name: String,
        /// What it said.
        why: String,
    },
    /// The store does not take the template, or cannot now.
    #[error("`{host}` did not {action} the index template `{name}`: {why}")]
    Refused {
        /// Who answered.
        host: String,
        /// `read` or `install`.
        action: &'static str,
        /// The template.
        name: String,
        /// What it said.
        why: String,
    },
}

/// Installs every template, over older ones of ours.
pub async fn index_management(settings: &settings::Elasticsearch) -> Result<Report, SetupError> {
    let mut setup = Setup::new(settings)?;
    for template in templates() {
        match setup.present(&template.name).await? {
            Present::Fleets => setup.leave_alone(template.name, FLEETS),
            Present::Missing | Present::Other => setup.install(template).await?,
        }
    }
    Ok(setup.report())
}

/// Installs the templates that are missing. Not being permitted to is no error: the templates may be
/// somebody else's job. What was done or left is logged.
pub async fn ensure(settings: &settings::Elasticsearch) -> Result<Report, SetupError> {
    let mut setup = Setup::new(settings)?;
    for template in templates() {
        let name = template.name.clone();
        let result = match setup.present(&name).await {
            Ok(Present::Missing) => setup.install(template).await,
            Ok(Present::Fleets) => {
                setup.leave_alone(template.name, FLEETS);
                Ok(())
            }
            Ok(Present::Other) => Ok(()),
            Err(error) => Err(error),
        };
        match result {
            Err(SetupError::Denied { why, action, .. }) if why.starts_with("403") => {
                setup.leave_alone(name, &format!("not permitted to {action} it ({why})"));
            }
            other => other?,
        }
    }
    let report = setup.report();
    for line in report.lines() {
        tracing::info!("{line}");
    }
    Ok(report)
}

const FLEETS: &str = "Fleet has installed it, with its ingest pipeline and lifecycle";

/// What is there under a template's name.
enum Present {
    Missing,
    /// Installed by Fleet, with Elastic's integration.
    Fleets,
    /// Ours, or somebody's.
    Other,
}

struct Setup {
    client: Client,
    lacks: adapt::Lacks,
    report: Report,
}

impl Setup {
    fn new(settings: &settings::Elasticsearch) -> Result<Self, SetupError> {
        let client = Client::new(settings)?;
        Ok(Self { client, lacks: adapt::Lacks::default(), report: Report::default() })
    }

    async fn present(&self, name: &str) -> Result<Present, SetupError> {
        let answer = self.client.ask(Method::Get, &format!("_index_template/{name}"), &[], None).await?;
        match answer.status {
            200..300 => Ok(if is_fleets(&answer.body) { Present::Fleets } else { Present::Other }),
            404 => Ok(Present::Missing),
            _ => Err(refusal(&answer, "read", name)),
        }
    }

    /// Offers the template until the store takes it. Each round must teach us something that the store
    /// lacks, and there is only so much that it can lack.
    async fn install(&mut self, template: Template) -> Result<(), SetupError> {
        let path = format!("_index_template/{}", template.name);
        loop {
            let payload = Payload::json(&self.lacks.apply(&template.body));
            let answer = self.client.ask(Method::Put, &path, &[], Some(payload)).await?;
            if answer.is_success() {
                self.report.installed.push(template.name);
                return Ok(());
            }
            if answer.status != 400 || !self.lacks.learn(&String::from_utf8_lossy(&answer.body)) {
                return Err(refusal(&answer, "install", &template.name));
            }
        }
    }

    fn leave_alone(&mut self, name: String, why: &str) {
        self.report.left_alone.push(LeftAlone { name, why: why.to_owned() });
    }

    fn report(mut self) -> Report {
        self.report.adaptations = self.lacks.line();
        self.report
    }
}

fn is_fleets(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let meta = &body["index_templates"][0]["index_template"]["_meta"];
    meta["managed_by"] == "fleet" || meta["package"]["name"].is_string()
}

fn refusal(answer: &Answer, action: &'static str, name: &str) -> SetupError {
    let (host, name, why) = (answer.host.clone(), name.to_owned(), reason(answer));
    match answer.status {
        401 | 403 => SetupError::Denied { host, action, name, why },
        _ => SetupError::Refused { host, action, name, why },
    }
}

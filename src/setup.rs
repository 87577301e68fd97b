//! Prepares a store for our documents: one composable index template for each data stream.
//!
//! In: the store (`OutputSettings::template_target`). Out: installed templates, and a [`TemplateReport`]. What a store
//! supports is read from its answers, not from its name or version: the full template is sent first, and each feature
//! that the store refuses is replaced by the closest one (see [`adapt`]). A template that Fleet has installed is kept,
//! because it has more than ours.

use crate::output::OutputError;
use crate::output::elasticsearch::{
    Client, ElasticsearchSettings, Method, Payload, StoreAnswer, Unanswered, reason,
};
use serde_json::Value;
use std::collections::BTreeMap;

pub use template::{Template, templates};

mod adapt;
pub mod fields;
mod template;
#[cfg(test)]
mod tests;

/// What a setup did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TemplateReport {
    /// The templates that were installed.
    pub installed: Vec<String>,
    /// The templates that were kept, and why.
    pub kept: Vec<KeptTemplate>,
    /// The features that the store lacks and their replacements, as one line. `None`: it lacks none.
    pub adaptations: Option<String>,
}

/// A template that was not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTemplate {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

impl TemplateReport {
    /// Logs the report.
    fn log(&self) {
        for name in &self.installed {
            tracing::info!(name, "installed index template");
        }
        for (why, names) in self.kept() {
            tracing::info!(names = names.join(", "), why, "kept existing index templates");
        }
        if let Some(adaptations) = &self.adaptations {
            tracing::info!(adaptations, "adapted index templates to the store");
        }
    }

    /// The kept templates by reason.
    fn kept(&self) -> BTreeMap<&str, Vec<String>> {
        let mut kept: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for KeptTemplate { name, why } in &self.kept {
            kept.entry(why).or_default().push(format!("`{name}`"));
        }
        kept
    }

    /// The report as text: what was installed, what was kept and why, what was adapted.
    pub fn lines(&self) -> Vec<String> {
        let kept = self.kept();
        let installed = self.installed.iter().map(|name| format!("installed index template `{name}`"));
        let kept = kept.iter().map(|(why, names)| format!("kept existing {}: {why}", names.join(", ")));
        installed.chain(kept).chain(self.adaptations.clone()).collect()
    }
}

/// Why a setup failed.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The client cannot be built.
    #[error(transparent)]
    BuildClient(#[from] OutputError),
    /// The store cannot be reached.
    #[error(transparent)]
    Unreachable(#[from] Unanswered),
    /// The store denied access.
    #[error("`{host}` denied access to {action} index template `{name}`: {why}")]
    Denied {
        /// The host that answered.
        host: String,
        /// `read` or `install`.
        action: &'static str,
        /// The template.
        name: String,
        /// The status and the reason in the answer.
        why: String,
    },
    /// The store rejected the request, or cannot serve it now.
    #[error("`{host}` failed to {action} index template `{name}`: {why}")]
    Refused {
        /// The host that answered.
        host: String,
        /// `read` or `install`.
        action: &'static str,
        /// The template.
        name: String,
        /// The status and the reason in the answer.
        why: String,
    },
}

/// Installs every template. Replaces existing ones of the same name, except Fleet's.
pub async fn index_management(settings: &ElasticsearchSettings) -> Result<TemplateReport, SetupError> {
    let mut setup = TemplateInstaller::new(settings)?;
    for template in templates() {
        match setup.present(&template.name).await? {
            Present::Fleets => setup.keep(template.name, FLEETS),
            Present::Missing | Present::Other => setup.install(template).await?,
        }
    }
    Ok(setup.report())
}

/// Installs the missing templates, and logs the report. Missing permissions are not an error, because another team may
/// manage the templates.
pub async fn ensure(settings: &ElasticsearchSettings) -> Result<TemplateReport, SetupError> {
    let mut setup = TemplateInstaller::new(settings)?;
    for template in templates() {
        let name = template.name.clone();
        let result = match setup.present(&name).await {
            Ok(Present::Missing) => setup.install(template).await,
            Ok(Present::Fleets) => {
                setup.keep(template.name, FLEETS);
                Ok(())
            }
            Ok(Present::Other) => Ok(()),
            Err(error) => Err(error),
        };
        match result {
            Err(SetupError::Denied { why, action, .. }) if why.starts_with("403") => {
                setup.keep(name, &format!("no permission to {action} it ({why})"));
            }
            other => other?,
        }
    }
    let report = setup.report();
    report.log();
    Ok(report)
}

const FLEETS: &str = "installed by Fleet, with its ingest pipeline and lifecycle";

/// What exists under a template's name.
enum Present {
    Missing,
    /// Installed by Fleet, with Elastic's integration.
    Fleets,
    /// Ours, or a user's.
    Other,
}

struct TemplateInstaller {
    client: Client,
    lacks: adapt::Lacks,
    report: TemplateReport,
}

impl TemplateInstaller {
    fn new(settings: &ElasticsearchSettings) -> Result<Self, SetupError> {
        let client = Client::new(settings)?;
        Ok(Self { client, lacks: adapt::Lacks::default(), report: TemplateReport::default() })
    }

    async fn present(&self, name: &str) -> Result<Present, SetupError> {
        let answer = self.client.ask(Method::Get, &format!("_index_template/{name}"), &[], None).await?;
        match answer.status {
            200..300 => Ok(if is_fleets(&answer.body) { Present::Fleets } else { Present::Other }),
            404 => Ok(Present::Missing),
            _ => Err(refusal(&answer, "read", name)),
        }
    }

    /// Sends the template, adapted after each refusal, until the store accepts it. This ends, because each refusal must
    /// show another missing feature.
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

    fn keep(&mut self, name: String, why: &str) {
        self.report.kept.push(KeptTemplate { name, why: why.to_owned() });
    }

    fn report(mut self) -> TemplateReport {
        self.report.adaptations = self.lacks.line();
        self.report
    }
}

fn is_fleets(body: &[u8]) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let meta = &body["index_templates"][0]["index_template"]["_meta"];
    meta["managed_by"] == "fleet" || meta["package"]["name"].is_string()
}

fn refusal(answer: &StoreAnswer, action: &'static str, name: &str) -> SetupError {
    let (host, name, why) = (answer.host.clone(), name.to_owned(), reason(answer));
    match answer.status {
        401 | 403 => SetupError::Denied { host, action, name, why },
        _ => SetupError::Refused { host, action, name, why },
    }
}

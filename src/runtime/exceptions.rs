//! Exceptions: from the form of the configuration to the form that is matched.
//!
//! Only here the configuration and the rules meet, so this is where an exception for an unknown rule is found.

use anyhow::anyhow;

use super::catalogue::load_catalogue;
use crate::config::settings::Posture;
use crate::config::{ConfigError, ExceptionEntry as Written, Mistake};
use crate::exception::{Exception, KnownRules, Pattern, RuleName};
use crate::resource::PodTemplates;
use crate::rule::Catalogue;

/// The mistakes in exceptions that only show against the rules, in order.
pub(super) fn mistakes(posture: &Posture, catalogue: &Catalogue) -> Vec<Mistake> {
    let written = &posture.exceptions;
    if written.is_empty() {
        return Vec::new();
    }
    let known = KnownRules::new(catalogue, PodTemplates::with(&posture.pod_templates));
    let wrong = |written: &Written| {
        let exception = read(written);
        if let Some(message) = known.unknown(&exception.rule) {
            let message = format!("`{}.rule`: {message}", written.key);
            return Some(Mistake { at: written.rule_at.clone(), message });
        }
        let message = format!("`{}`: {}", written.key, known.impossible(&exception)?);
        Some(Mistake { at: written.at.clone(), message })
    };
    written.iter().filter_map(wrong).collect()
}

/// Converts an exception of the configuration.
pub(super) fn read(written: &Written) -> Exception {
    let pattern = |text: &Option<String>| text.as_deref().map(Pattern::new);
    Exception {
        place: written.at.clone(),
        rule: RuleName::new(&written.rule),
        kind: pattern(&written.kind),
        namespace: pattern(&written.namespace),
        name: pattern(&written.name),
        labels: written.labels.clone(),
        cluster: pattern(&written.cluster),
        reason: written.reason.clone(),
        owner: written.owner.clone(),
        expires: written.expires,
    }
}

/// Adds the mistakes that only show against the rules to a configuration error, so that all are reported at once.
pub fn with_unknown_rules(error: ConfigError) -> anyhow::Error {
    let ConfigError::Exceptions { mistakes: found, settings: Some(settings) } = &error else {
        return error.into();
    };
    match load_catalogue(&settings.posture.rule_paths) {
        Ok(catalogue) => {
            let more = mistakes(&settings.posture, &catalogue);
            anyhow!("{}", lines(found.iter().chain(&more)))
        }
        Err(of_rules) => anyhow!("{error}\n{of_rules:#}"),
    }
}

/// One mistake a line.
pub(super) fn lines<'m>(mistakes: impl Iterator<Item = &'m Mistake>) -> String {
    mistakes.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

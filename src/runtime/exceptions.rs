//! Exceptions as they are written to exceptions as they are asked, and what is said of them in each cycle.
//!
//! Only here the configuration and the rules meet, so here it is found out that a rule does not exist.

use anyhow::anyhow;

use super::engine::load_catalogue;
use crate::config::{ConfigError, ExceptionEntry as Written, Mistake};
use crate::exception::{Exception, Known, Pattern, RuleName, State, Use};
use crate::rule::Catalogue;

/// What is wrong with exceptions that only who knows the rules can tell, in order.
pub(super) fn mistakes(written: &[Written], catalogue: &Catalogue) -> Vec<Mistake> {
    if written.is_empty() {
        return Vec::new();
    }
    let known = Known::new(catalogue);
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

/// As this room's neighbours know it.
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

/// A configuration's error with what the rules say of its exceptions, so that all their mistakes are told at once.
pub fn with_unknown_rules(error: ConfigError) -> anyhow::Error {
    let ConfigError::Exceptions { mistakes: found, settings: Some(settings) } = &error else {
        return error.into();
    };
    match load_catalogue(&settings.posture.rule_paths) {
        Ok(catalogue) => {
            let more = mistakes(&settings.posture.exceptions, &catalogue);
            anyhow!("{}", lines(found.iter().chain(&more)))
        }
        Err(of_rules) => anyhow!("{error}\n{of_rules:#}"),
    }
}

/// One mistake a line.
pub(super) fn lines<'m>(mistakes: impl Iterator<Item = &'m Mistake>) -> String {
    mistakes.map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// At the end of a cycle: one line for each exception that did nothing in it.
pub(super) fn warn(uses: &[Use]) {
    for Use { exception, state, .. } in uses {
        let message = match state {
            State::InUse | State::Undecided => continue,
            State::Expired => "an exception has expired and marks nothing any more: renew or remove it",
            State::OtherCluster => "an exception matched nothing: it is for another cluster",
            State::NotNeeded => "an exception is not needed: what it is about passes",
            State::Unmatched => {
                "an exception matched nothing: its rule is not in force, or what it names was not found"
            }
        };
        tracing::warn!(
            place = exception.place,
            rule = %exception.rule,
            cluster = exception.cluster.as_ref().map(ToString::to_string),
            owner = exception.owner,
            expires = exception.expires.map(|at| at.to_string()),
            "{message}"
        );
    }
}

//! Why a rule is not applicable: it has no resources, or does not apply to those it has.

use super::Report;
use crate::evaluate::Outcome;
use crate::finding::applies_text;

/// The reason; `None` if the rule applies to every resource.
pub(super) fn reason(report: &Report, rule: usize) -> Option<String> {
    if report.tally.rule(rule).of(Outcome::NotApplicable) == 0 {
        return None;
    }
    if let Some(reason) = report.without_resource.get(&rule) {
        return Some(reason.clone());
    }
    applies_text(&report.rules[rule].control).map(|text| format!("applies when {text}"))
}

/// Rules that judged nothing, with the reason.
pub(super) fn idle(report: &Report) -> impl Iterator<Item = (usize, String)> + '_ {
    (0..report.rules.len()).filter_map(|rule| {
        let counts = report.tally.rule(rule);
        let judged = counts.judged() + counts.of(Outcome::NeedsReview) + counts.of(Outcome::Error);
        (judged == 0).then(|| reason(report, rule)).flatten().map(|reason| (rule, reason))
    })
}

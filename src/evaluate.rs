//! Judging: `(Control, Document) → Judgement`, pure and three-valued.
//!
//! In: a control with its parameters, and one resource with its joins and the list of what could not be read.
//! Out: the outcome, its evidence, and the reason for an error. What could not be read never counts as passed: a check
//! that could look at an unread place is *unknown* unless what it did see decides.

mod answer;
mod cases;
mod check;
mod compare;
mod demands;
mod derived;
mod document;
mod evidence;
mod judge;
mod needs;
mod parse;
mod places;
mod setting;
mod shape;
mod tally;
mod template;
#[cfg(test)]
mod tests;
mod wildcard;
mod workloads;

use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::resource::Gap;
use crate::rule::{Check, Control, Decision, Operand};
use answer::{CheckAnswer, Truth};

pub use cases::{CaseFailure, run_cases, survivors};
pub use demands::{demands_of, object_demands};
pub use derived::{DERIVED, DerivedValue};
pub use document::Document;
pub use judge::Judge;
pub use needs::needs;
pub use tally::{OutcomeCounts, Tally};
pub use workloads::{Ownership, WorkloadOutcomes};

/// The values of a control's parameters.
pub type Params = BTreeMap<String, Value>;

/// The result of judging one resource by one control.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The outcome.
    pub outcome: Outcome,
    /// `result.evidence`.
    pub evidence: Map<String, Value>,
    /// `result.expected`; `None` is written as JSON null.
    pub expected: Option<Map<String, Value>>,
    /// With [`Outcome::Error`]: what could not be read or understood.
    pub gap: Option<Gap>,
    /// Where it was decided, as names and indexes from the root. Only of what somebody wrote down and did not pass.
    pub places: Vec<Vec<String>>,
}

/// The five outcomes. Every judgement ends as one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// The control's check holds.
    Passed,
    /// The control's check does not hold.
    Failed,
    /// A person must decide.
    NeedsReview,
    /// The resource could not be read or understood.
    Error,
    /// The control does not apply to the resource.
    NotApplicable,
}

impl Outcome {
    /// All outcomes, in the order of reports.
    pub const ALL: [Self; 5] =
        [Self::Passed, Self::Failed, Self::NeedsReview, Self::Error, Self::NotApplicable];

    /// `result.evaluation`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::NeedsReview => "needs_review",
            Self::Error => "error",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// Judges one resource.
pub fn judge(control: &Control, params: &Params, document: &Document) -> Judgement {
    if let Some(applies) = &control.applies {
        let answer = check::ask(applies, params, document);
        match answer.truth {
            Truth::True => {}
            Truth::False => return finish(control, params, document, Outcome::NotApplicable, answer),
            Truth::Unknown => return finish(control, params, document, Outcome::Error, answer),
        }
    }
    let (outcome, answer) = match &control.decision {
        Decision::Check(check) => {
            let answer = check::ask(check, params, document);
            let outcome = match answer.truth {
                Truth::True => Outcome::Passed,
                Truth::False => Outcome::Failed,
                Truth::Unknown => Outcome::Error,
            };
            (outcome, answer)
        }
        Decision::Sides { pass, fail } => sides(pass.as_ref(), fail.as_ref(), params, document),
    };
    let gaps = document.gaps_of_whole();
    if outcome == Outcome::Passed && !gaps.is_empty() {
        // Its identity, or what others say about it, is no proof.
        return finish(control, params, document, Outcome::Error, CheckAnswer::unknown(gaps));
    }
    finish(control, params, document, outcome, answer)
}

/// `pass` true: passed; else `fail` true: failed; else either unknown: error; else a person must decide.
fn sides<'d>(
    pass: Option<&'d Check>,
    fail: Option<&'d Check>,
    params: &'d Params,
    document: &'d Document,
) -> (Outcome, CheckAnswer<'d>) {
    let pass = pass.map(|check| check::ask(check, params, document));
    if let Some(answer) = pass.as_ref().filter(|answer| answer.truth == Truth::True) {
        return (Outcome::Passed, answer.clone());
    }
    let fail = fail.map(|check| check::ask(check, params, document));
    if let Some(answer) = fail.as_ref().filter(|answer| answer.truth == Truth::True) {
        return (Outcome::Failed, answer.clone());
    }
    let answers: Vec<CheckAnswer<'d>> = pass.into_iter().chain(fail).collect();
    let unknown = answers.iter().any(|answer| answer.truth == Truth::Unknown);
    let outcome = if unknown { Outcome::Error } else { Outcome::NeedsReview };
    (outcome, CheckAnswer::gather(answers))
}

fn finish(
    control: &Control,
    params: &Params,
    document: &Document,
    outcome: Outcome,
    answer: CheckAnswer<'_>,
) -> Judgement {
    let gap = (outcome == Outcome::Error).then(|| answer.gap());
    let mut evidence = match outcome {
        Outcome::NotApplicable => Map::new(),
        _ if control.evidence.is_empty() => evidence::of_facts(&answer.facts),
        _ => evidence::of_paths(&control.evidence, document),
    };
    if let (Some(source), true) = (document.source(), outcome != Outcome::NotApplicable) {
        evidence.entry("source").or_insert_with(|| source.clone());
    }
    let expected = (!control.expected.is_empty()).then(|| {
        let value = |operand: &Operand| resolve(operand, params).cloned().unwrap_or(Value::Null);
        control.expected.iter().map(|(key, operand)| (key.clone(), value(operand))).collect()
    });
    let is_shown = document.written && !matches!(outcome, Outcome::Passed | Outcome::NotApplicable);
    let places = if is_shown { places::of(control, document, &answer) } else { Vec::new() };
    Judgement { outcome, evidence, expected, gap, places }
}

/// The value of a literal or parameter. Controls with unknown parameters are rejected when they are loaded.
fn resolve<'v>(operand: &'v Operand, params: &'v Params) -> Option<&'v Value> {
    match operand {
        Operand::Literal(value) => Some(value),
        Operand::Param(name) => params.get(name),
    }
}

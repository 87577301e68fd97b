//! Runs a control's cases: for `rules check`, the test suite and users' rules alike.

use super::{Document, Judgement, Outcome, judge};
use crate::rule::{Case, Cases, Control, Mutant, mutants};

/// A case whose outcome is not the expected one.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseFailure {
    /// The case's name; empty if the set of cases is incomplete.
    pub case: String,
    /// Expected and actual result.
    pub message: String,
}

/// Runs every case, and requires a passing and a failing one: a misspelled path selects nothing, and a control
/// without both would never show it.
pub fn run_cases(control: &Control, cases: &Cases) -> Vec<CaseFailure> {
    let mut failures: Vec<CaseFailure> = cases.cases.iter().filter_map(|case| run(control, case)).collect();
    for (verdict, possible) in [("passed", can_pass(control)), ("failed", can_fail(control))] {
        if possible && !cases.cases.iter().any(|case| case.verdict == verdict) {
            failures.push(CaseFailure {
                case: String::new(),
                message: format!("no case has `verdict: {verdict}`"),
            });
        }
    }
    failures
}

/// The changes to a control that none of its cases notices.
pub fn survivors(control: &Control, cases: &Cases) -> Vec<String> {
    let survives = |mutant: &Mutant| cases.cases.iter().all(|case| run(&mutant.control, case).is_none());
    mutants(control).into_iter().filter(survives).map(|mutant| mutant.what).collect()
}

fn can_pass(control: &Control) -> bool {
    !matches!(control.decision, crate::rule::Decision::Sides { pass: None, .. })
}

fn can_fail(control: &Control) -> bool {
    !matches!(control.decision, crate::rule::Decision::Sides { fail: None, .. })
}

fn run(control: &Control, case: &Case) -> Option<CaseFailure> {
    let failure = |message: String| Some(CaseFailure { case: case.name.clone(), message });
    let selectors = case.resource.selectors();
    let fits = control
        .resources
        .iter()
        .any(|selector| selector.kind == case.resource.kind && selectors.contains(&selector.name.as_str()));
    if !fits {
        return failure(format!("the control does not judge its resource ({})", selectors.join(", ")));
    }
    let mut params = control.params.clone();
    for (name, value) in &case.params {
        if params.insert(name.clone(), value.clone()).is_none() {
            return failure(format!("the control has no parameter `{name}`"));
        }
    }
    let judgement = judge(control, &params, &Document::new(case.resource.clone()));
    compare(case, &judgement).and_then(failure)
}

fn compare(case: &Case, judgement: &Judgement) -> Option<String> {
    let outcome = judgement.outcome.as_str();
    let gap = judgement.gap.as_ref();
    if outcome != case.verdict {
        let because = gap.map(|gap| format!(" ({})", gap.what)).unwrap_or_default();
        let evidence = serde_json::Value::Object(judgement.evidence.clone());
        return Some(format!("expected {}, got {outcome}{because}; evidence {evidence}", case.verdict));
    }
    if let (Some(wanted), Some(gap)) = (&case.error, gap)
        && wanted != gap.reason.as_str()
    {
        return Some(format!("expected error {wanted}, got {}: {}", gap.reason.as_str(), gap.what));
    }
    if case.error.is_some() && judgement.outcome != Outcome::Error {
        return Some("`error` is allowed only with `verdict: error`".into());
    }
    match &case.evidence {
        Some(wanted) if *wanted != serde_json::Value::Object(judgement.evidence.clone()) => Some(format!(
            "expected evidence {wanted}, got {}",
            serde_json::Value::Object(judgement.evidence.clone())
        )),
        _ => None,
    }
}

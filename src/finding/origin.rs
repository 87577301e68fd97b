//! Where what decided was written: `posturebeat.origin` of findings about manifests.

use serde_json::{Value, json};

use crate::evaluate::{Judgement, Outcome};
use crate::resource::{Origin, OriginPosition};
use crate::rule::place_steps;

/// The position of the evidence, or of the resource where its evidence stands nowhere in the text.
pub fn decided_at(origin: &Origin, judgement: &Judgement) -> Option<OriginPosition> {
    let places: Vec<Vec<String>> =
        judgement.evidence.keys().filter(|key| key.starts_with('$')).map(|key| place_steps(key)).collect();
    origin.position_of(places.iter().map(Vec::as_slice))
}

/// `posturebeat.origin`: file, document, line and column.
pub fn written_at(origin: &Origin, at: Option<OriginPosition>) -> Value {
    let mut out = json!({"file": &*origin.file});
    if origin.document > 0 {
        out["document"] = origin.document.into();
    }
    if let Some(OriginPosition { line, column }) = at {
        out["line"] = line.into();
        out["column"] = column.into();
    }
    out
}

/// Of a finding that somebody has to look at. A passed one has nothing to show.
pub(super) fn of(origin: Option<&Origin>, judgement: &Judgement) -> Option<Value> {
    let origin = origin.filter(|_| !matches!(judgement.outcome, Outcome::Passed | Outcome::NotApplicable))?;
    Some(written_at(origin, decided_at(origin, judgement)))
}

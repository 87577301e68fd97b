//! Where what decided was written: `posturebeat.origin` of findings about manifests.

use serde_json::{Value, json};

use crate::evaluate::{Judgement, Outcome};
use crate::resource::{Origin, OriginPosition};

/// The position of what decided, or of the resource where that stands nowhere in the text.
pub fn decided_at(origin: &Origin, judgement: &Judgement) -> Option<OriginPosition> {
    origin.position_of(judgement.places.iter().map(Vec::as_slice))
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

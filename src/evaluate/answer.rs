//! The result of a check: true, false or unknown, with the facts that decided and the gaps that kept it from deciding.

use serde_json::Value;
use std::borrow::Cow;

use crate::resource::{Gap, Reason};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Truth {
    True,
    False,
    Unknown,
}

/// A place and its value; `None` if there is none.
#[derive(Debug, Clone)]
pub(super) struct EvidenceFact<'d> {
    pub place: Cow<'d, str>,
    pub value: Option<Cow<'d, Value>>,
}

#[derive(Debug, Clone)]
pub(super) struct CheckAnswer<'d> {
    pub truth: Truth,
    pub facts: Vec<EvidenceFact<'d>>,
    pub gaps: Vec<Gap>,
}

impl<'d> CheckAnswer<'d> {
    pub(super) fn known(truth: bool, facts: Vec<EvidenceFact<'d>>) -> Self {
        let truth = if truth { Truth::True } else { Truth::False };
        Self { truth, facts, gaps: Vec::new() }
    }

    pub(super) fn unknown(gaps: Vec<Gap>) -> Self {
        Self { truth: Truth::Unknown, facts: Vec::new(), gaps }
    }

    pub(super) fn malformed(message: String) -> Self {
        Self::unknown(vec![Gap { reason: Reason::Malformed, what: message }])
    }

    pub(super) fn negate(mut self) -> Self {
        self.truth = match self.truth {
            Truth::True => Truth::False,
            Truth::False => Truth::True,
            Truth::Unknown => Truth::Unknown,
        };
        self
    }

    /// `all` (`decides` = False) and `any` (`decides` = True): one deciding part is enough, even if others are unknown;
    /// otherwise one unknown part makes the whole unknown.
    pub(super) fn combine(parts: Vec<Self>, decides: Truth) -> Self {
        let other = if decides == Truth::True { Truth::False } else { Truth::True };
        let truth = if parts.iter().any(|part| part.truth == decides) {
            decides
        } else if parts.iter().any(|part| part.truth == Truth::Unknown) {
            Truth::Unknown
        } else {
            other
        };
        let mut gathered = Self::gather(parts.into_iter().filter(|part| part.truth == truth).collect());
        gathered.truth = truth;
        gathered
    }

    /// The facts and gaps of several results.
    pub(super) fn gather(parts: Vec<Self>) -> Self {
        let mut out = Self { truth: Truth::Unknown, facts: Vec::new(), gaps: Vec::new() };
        for part in parts {
            out.facts.extend(part.facts);
            for gap in part.gaps {
                if !out.gaps.contains(&gap) {
                    out.gaps.push(gap);
                }
            }
        }
        out
    }

    /// All gaps as one, with the code of the first and every message.
    pub(super) fn gap(&self) -> Gap {
        let code = self.gaps.first().map_or(Reason::Malformed, |gap| gap.reason);
        let messages: Vec<&str> = self.gaps.iter().map(|gap| gap.what.as_str()).collect();
        Gap { reason: code, what: messages.join("; ") }
    }
}

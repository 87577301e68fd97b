//! The forms of a check, one function each.

use serde_json::Value;
use std::borrow::Cow;

use super::answer::{CheckAnswer, EvidenceFact, Truth};
use super::compare::{self, TextTyping};
use super::document::Document;
use super::setting::{self, EffectiveSetting};
use super::{Params, resolve};
use crate::redact::Comparand;
use crate::resource::Gap;
use crate::rule::{Absent, Check, Comparison, Operand, Path, PathMatch, Setting};

/// Answers a check for a document.
pub(super) fn ask<'d>(check: &'d Check, params: &'d Params, document: &'d Document) -> CheckAnswer<'d> {
    match check {
        Check::All(parts) => {
            CheckAnswer::combine(parts.iter().map(|part| ask(part, params, document)).collect(), Truth::False)
        }
        Check::Any(parts) => {
            CheckAnswer::combine(parts.iter().map(|part| ask(part, params, document)).collect(), Truth::True)
        }
        Check::Not(part) => ask(part, params, document).negate(),
        Check::None(path) => selects(path, document).negate(),
        Check::Some(path) => selects(path, document),
        Check::Each { path, compare, absent } => each(path, compare, *absent, params, document),
        Check::Values { path, compare } => values(path, compare, params, document),
        Check::Setting { setting, compare } => setting_is(setting, compare, params, document),
        Check::Owner(owner) => owner_is(owner, params, document),
        // The finding shows the parameters anyway.
        Check::Given(name) => CheckAnswer::known(params.get(name).is_some_and(is_given), Vec::new()),
    }
}

/// Whether a parameter has a non-empty value.
fn is_given(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(elements) => !elements.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// What a path selects, and the gaps because of which it may select more.
struct Look<'d> {
    found: Vec<PathMatch<'d>>,
    gaps: Vec<Gap>,
}

/// Kubernetes treats a key with null as absent, and so does this. If a filter looked at an unread place, even what it
/// selected is in doubt.
fn look<'d>(path: &'d Path, document: &'d Document) -> Result<Look<'d>, Vec<Gap>> {
    let doubts = document.doubts(path);
    if !doubts.is_empty() {
        return Err(doubts);
    }
    let (mut found, blanked) = path.select_among(&document.root, &document.blanks);
    found.retain(|found| !found.value.is_null());
    let mut gaps = document.gaps(path);
    gaps.extend(document.gaps_of_blanked(&blanked));
    Ok(Look { found, gaps })
}

/// A selected value decides; an empty selection decides only if no unread place could have been selected.
fn selects<'d>(path: &'d Path, document: &'d Document) -> CheckAnswer<'d> {
    let Look { found, gaps } = match look(path, document) {
        Ok(look) => look,
        Err(doubts) => return CheckAnswer::unknown(doubts),
    };
    if !found.is_empty() {
        return CheckAnswer::known(true, found.into_iter().map(fact).collect());
    }
    if !gaps.is_empty() {
        return CheckAnswer::unknown(gaps);
    }
    CheckAnswer::known(false, vec![EvidenceFact { place: path.text().into(), value: None }])
}

fn fact(found: PathMatch<'_>) -> EvidenceFact<'_> {
    EvidenceFact { place: found.place, value: Some(Cow::Borrowed(found.value)) }
}

/// A fact about a value that may be revealed: evidence shows only what came of the comparison.
fn verdict<'d>(found: PathMatch<'d>, compared: &Comparand<'_>, holds: bool) -> EvidenceFact<'d> {
    let is_text = found.value.is_string();
    let mut shown = fact(found);
    if compared.is_revealed && is_text {
        let verdict = if holds { "<revealed: matches>" } else { "<revealed: does not match>" };
        shown.value = Some(Cow::Owned(verdict.into()));
    }
    shown
}

fn each<'d>(
    path: &'d Path,
    compare: &'d [Comparison],
    absent: Absent,
    params: &'d Params,
    document: &'d Document,
) -> CheckAnswer<'d> {
    let Look { found, gaps } = match look(path, document) {
        Ok(look) => look,
        Err(doubts) => return CheckAnswer::unknown(doubts),
    };
    let mut parts: Vec<CheckAnswer<'d>> = found
        .into_iter()
        .map(|found| {
            let value = document.blanks.comparand(found.value, || found.place.to_string());
            match compare::each(compare, &value, params, TextTyping::Plain) {
                Ok(Some(holds)) => CheckAnswer::known(holds, vec![verdict(found, &value, holds)]),
                Ok(None) => CheckAnswer::unknown(document.gaps_of_blanked(&[found.place.into_owned()])),
                Err(message) => CheckAnswer::malformed(format!("{}: {message}", found.place)),
            }
        })
        .collect();
    if !gaps.is_empty() {
        parts.push(CheckAnswer::unknown(gaps));
    } else if parts.is_empty() {
        let nothing = vec![EvidenceFact { place: path.text().into(), value: None }];
        return match absent {
            Absent::Pass => CheckAnswer::known(true, nothing),
            Absent::Fail => CheckAnswer::known(false, nothing),
            Absent::Error => CheckAnswer::malformed(format!("{} is missing", path.text())),
        };
    }
    CheckAnswer::combine(parts, Truth::False)
}

fn values<'d>(
    path: &'d Path,
    compare: &'d [Comparison],
    params: &'d Params,
    document: &'d Document,
) -> CheckAnswer<'d> {
    let Look { found, gaps } = match look(path, document) {
        Ok(look) => look,
        Err(doubts) => return CheckAnswer::unknown(doubts),
    };
    let compared: Vec<Comparand<'d>> = found
        .iter()
        .map(|found| document.blanks.comparand(found.value, || found.place.to_string()))
        .collect();
    let blanked = found.iter().zip(&compared).filter(|(_, value)| value.has_holes);
    let blanked: Vec<String> = blanked.map(|(found, _)| found.place.to_string()).collect();
    let list = Comparand {
        has_holes: !blanked.is_empty(),
        is_revealed: compared.iter().any(|value| value.is_revealed),
        value: Cow::Owned(compared.iter().map(|value| value.value.as_ref().clone()).collect()),
    };
    let facts = |holds| {
        found.iter().cloned().zip(&compared).map(move |(it, value)| verdict(it, value, holds)).collect()
    };
    let parts = compare
        .iter()
        .map(|comparison| {
            match compare::each(std::slice::from_ref(comparison), &list, params, TextTyping::Plain) {
                Err(message) => CheckAnswer::malformed(format!("{}: {message}", path.text())),
                Ok(Some(holds)) if gaps.is_empty() || settled(comparison, holds) => {
                    CheckAnswer::known(holds, facts(holds))
                }
                Ok(Some(_)) => CheckAnswer::unknown(gaps.clone()),
                Ok(None) => {
                    let gaps = gaps.iter().cloned().chain(document.gaps_of_blanked(&blanked));
                    CheckAnswer::unknown(gaps.collect())
                }
            }
        })
        .collect();
    CheckAnswer::combine(parts, Truth::False)
}

/// Whether more values could not change the answer.
fn settled(comparison: &Comparison, holds: bool) -> bool {
    match comparison {
        Comparison::Contains(_) => holds,
        Comparison::Excludes(_) | Comparison::SubsetOf(_) => !holds,
        _ => false,
    }
}

fn setting_is<'d>(
    setting: &'d Setting,
    compare: &'d [Comparison],
    params: &'d Params,
    document: &'d Document,
) -> CheckAnswer<'d> {
    let exists_only = compare.iter().all(|comparison| matches!(comparison, Comparison::Exists(_)));
    match setting::effective(setting, document) {
        EffectiveSetting::Unknown(gaps) => CheckAnswer::unknown(gaps),
        EffectiveSetting::Unset { place } => {
            let holds = compare.iter().all(|comparison| matches!(comparison, Comparison::Exists(false)));
            CheckAnswer::known(holds, vec![EvidenceFact { place: place.into(), value: None }])
        }
        // A default applies, but the setting is not written anywhere.
        EffectiveSetting::Default { place, value } if exists_only => {
            let holds = compare.iter().all(|comparison| matches!(comparison, Comparison::Exists(false)));
            CheckAnswer::known(
                holds,
                vec![EvidenceFact { place: place.into(), value: Some(Cow::Owned(value)) }],
            )
        }
        EffectiveSetting::Default { place, value } | EffectiveSetting::Written { place, value } => {
            let typing = TextTyping::of(setting.kind);
            match compare::each(compare, &Comparand::of_setting(&value), params, typing) {
                Ok(Some(holds)) => CheckAnswer::known(
                    holds,
                    vec![EvidenceFact { place: place.into(), value: Some(Cow::Owned(value)) }],
                ),
                Ok(None) => CheckAnswer::unknown(document.gaps_of_blanked(&[place])),
                Err(message) => CheckAnswer::malformed(format!("{place}: {message}")),
            }
        }
    }
}

/// `root` means uid and gid 0, whatever their names on the host; a number is an id; other names are looked up by the
/// host's own.
fn owner_is<'d>(owner: &'d Operand, params: &'d Params, document: &'d Document) -> CheckAnswer<'d> {
    let wanted = resolve(owner, params).and_then(Value::as_str).and_then(|text| text.split_once(':'));
    let Some((user, group)) = wanted else {
        return CheckAnswer::malformed("`owner` expects user:group".into());
    };
    let of = |wanted: &str, number, name| match wanted {
        "root" => (number, "0".to_owned()),
        id if id.parse::<u32>().is_ok() => (number, id.to_owned()),
        wanted => (name, wanted.to_owned()),
    };
    let asked = [of(user, "uid", "owner"), of(group, "gid", "group")];
    let mut gaps: Vec<Gap> = asked.iter().flat_map(|(key, _)| document.gaps_at(key)).collect();
    gaps.dedup();
    if !gaps.is_empty() {
        return CheckAnswer::unknown(gaps);
    }
    let mut holds = true;
    for (key, wanted) in &asked {
        match document.root.get(*key).and_then(Value::as_str) {
            Some(found) => holds &= found == wanted,
            None => return CheckAnswer::malformed(format!("$.{key} is missing")),
        }
    }
    let facts = ["owner", "group", "uid", "gid"]
        .iter()
        .map(|key| EvidenceFact {
            place: Cow::Borrowed(*key),
            value: document.root.get(*key).map(Cow::Borrowed),
        })
        .collect();
    CheckAnswer::known(holds, facts)
}

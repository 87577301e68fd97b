//! What an answer to `_bulk` means for each event: a pure function of status and body.
//!
//! | answer | verdict |
//! |---|---|
//! | item 2xx | done |
//! | item 409 | a duplicate: an earlier try stored it |
//! | item 429, 5xx, or no item at all | again |
//! | any other item, or one that went to the failure store | refused |
//! | request 413 | too large |
//! | request 401, 403 | denied |
//! | any other request that is not 2xx | again: nothing of it was stored, and nothing may be lost |

use super::client::StoreAnswer;
use crate::output::{BatchError, Verdict};
use serde::Deserialize;
use serde_json::Value;

/// Enough for any error of a store; a proxy's error page is truncated.
const REASON_CHARS: usize = 500;

/// Reads the verdicts for `expected` events.
pub(crate) fn verdicts(answer: &StoreAnswer, expected: usize) -> Result<Vec<Verdict>, BatchError> {
    let described = || format!("`{}` answered {}", answer.host, reason(answer));
    match answer.status {
        200..300 => {}
        401 | 403 => return Err(BatchError::Denied { why: described() }),
        413 => return Err(BatchError::TooLarge),
        _ => return Err(BatchError::Again { why: described() }),
    }
    let Ok(bulk) = serde_json::from_slice::<BulkAnswer>(&answer.body) else {
        let why =
            format!("`{}` answered {} but not with an answer to a bulk request", answer.host, answer.status);
        return Err(BatchError::Again { why });
    };
    let mut verdicts: Vec<Verdict> =
        bulk.items.into_iter().take(expected).map(|item| verdict(&answer.host, item)).collect();
    verdicts.resize_with(expected, || unaccounted(&answer.host));
    Ok(verdicts)
}

#[derive(Deserialize)]
struct BulkAnswer {
    items: Vec<Value>,
}

#[derive(Deserialize)]
struct BulkItem {
    status: u16,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    failure_store: Option<String>,
}

/// An item is `{"create": {…}}`: the name of the action, and its result.
fn verdict(host: &str, mut item: Value) -> Verdict {
    let action = item.as_object_mut().and_then(|actions| actions.values_mut().next()).map(Value::take);
    let Some(Ok(item)) = action.map(serde_json::from_value::<BulkItem>) else { return unaccounted(host) };
    let described = || format!("`{host}` answered {} {}", item.status, describe(&item.error));
    match item.status {
        200..300 if item.failure_store.as_deref() == Some("used") => Verdict::Refused {
            why: format!("`{host}` could not index it and moved it to the failure store of its data stream"),
        },
        200..300 => Verdict::Done,
        409 => Verdict::Duplicate,
        429 | 500.. => Verdict::Again { why: described() },
        _ => Verdict::Refused { why: described() },
    }
}

fn unaccounted(host: &str) -> Verdict {
    Verdict::Again { why: format!("`{host}` did not report what became of it") }
}

/// An answer's status and the store's reason: `429 es_rejected_execution_exception: queue full`.
pub fn reason(answer: &StoreAnswer) -> String {
    let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
    let text = match &body["error"] {
        Value::Null => clean(&String::from_utf8_lossy(&answer.body)),
        error => describe(error),
    };
    format!("{} {text}", answer.status).trim_end().to_owned()
}

/// `type: reason: reason of the cause`, down to the innermost cause, which is the one that tells most.
fn describe(error: &Value) -> String {
    if let Some(text) = error.as_str() {
        return clean(text);
    }
    let mut parts: Vec<String> = error["type"].as_str().map(clean).into_iter().collect();
    let mut level = error;
    while level.is_object() {
        // A wrapping exception often repeats its cause's words behind its own.
        if let Some(reason) = level["reason"].as_str().map(clean)
            && !parts.iter().any(|part| part.ends_with(&reason))
        {
            parts.push(reason);
        }
        level = &level["caused_by"];
    }
    cut(parts.join(": "))
}

/// Where stores quote documents in their reasons, and how the quotation ends.
const QUOTED: [(&str, &str); 3] = [
    (" Preview of field's value: '", "'"),
    ("For input string: \"", "\""),
    // The JSON reader's `[Source: (byte[])"{…}"; line: 1, column: 58]`.
    ("(byte[])\"", "\"; line: "),
];

/// One line of bounded length, without quoted parts of documents: documents stay out of logs.
fn clean(text: &str) -> String {
    let mut text = text.to_owned();
    for (begin, end) in QUOTED {
        if let Some(start) = text.find(begin) {
            // To the last end mark, because a value may contain end marks.
            let quoted = start + begin.len();
            let stop = text[quoted..].rfind(end).map_or(text.len(), |at| quoted + at + end.len());
            text.replace_range(quoted..stop, "…");
        }
    }
    cut(text.replace(char::is_control, " ").trim().to_owned())
}

fn cut(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(REASON_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

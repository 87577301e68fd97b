//! Lists, over all their pages, and the JSON of an answer.
//!
//! Pages are followed here, not by the SDK's paginators, so that a page's JSON can be kept, a token that comes again is
//! an error, and a list has an end.

use serde_json::Value;
use std::collections::BTreeSet;
use std::future::Future;

use super::refusal::{CallRefusal, call_gap};
use crate::collect::cloud::CloudCall;
use crate::resource::{Gap, Reason};

/// The most pages of one list: of a hundred entries each, usually.
pub(super) const MAX_PAGES: usize = 1_000;

/// Sends a request of one of the SDK's clients, and gives the answer's JSON. A macro, because requests of different
/// operations have methods of the same names but no trait.
macro_rules! ask {
    ($aws:expr, $call:expr, $region:expr, $request:expr) => {{
        let body = $crate::collect::aws::client::ResponseBody::default();
        // The SDK's futures are of kilobytes.
        let sent = Box::pin($request.customize().interceptor(body.clone()).send());
        $aws.ask_json(&$call, &$region, &body, sent).await
    }};
}
pub(crate) use ask;

/// The same for a list under `$key`, over all its pages; `$request` makes the request of each.
macro_rules! ask_pages {
    ($aws:expr, $call:expr, $region:expr, $key:expr, $request:expr) => {{
        let (aws, region, key, request): (&$crate::collect::aws::client::AwsClient, &str, &str, _) =
            (&$aws, &$region, $key, &$request);
        $crate::collect::aws::client::follow(&$call, region, |token| async move {
            let request = request().set_next_token(token);
            let answer = $crate::collect::aws::client::ask!(aws, $call, region, request)?;
            Ok($crate::collect::aws::client::Page::of(&$call, region, answer, key)?)
        })
        .await
    }};
}
pub(crate) use ask_pages;

/// One page of a list.
pub(crate) struct Page<T> {
    /// Its entries.
    pub items: Vec<T>,
    /// The token of the next one.
    pub next: Option<String>,
}

impl Page<Value> {
    /// The list under `key` of a JSON answer, which has a `nextToken`.
    pub(crate) fn of(call: &CloudCall, region: &str, mut answer: Value, key: &str) -> Result<Self, Gap> {
        let next = answer["nextToken"].as_str().map(str::to_owned);
        match answer.get_mut(key).map(Value::take) {
            Some(Value::Array(items)) => Ok(Self { items, next }),
            // An empty list is written as one: this answer is another.
            _ => Err(call_gap(call, region, Reason::Malformed, &format!("the answer has no list `{key}`"))),
        }
    }
}

/// The entries of all pages.
pub(crate) async fn follow<T, F>(
    call: &CloudCall,
    region: &str,
    mut page: impl FnMut(Option<String>) -> F,
) -> Result<Vec<T>, CallRefusal>
where
    F: Future<Output = Result<Page<T>, CallRefusal>>,
{
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut token = None;
    for _ in 0..MAX_PAGES {
        let Page { items: more, next } = page(token).await?;
        items.extend(more);
        let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(items) };
        if !seen.insert(next.clone()) {
            return Err(repeated(call, region).into());
        }
        token = Some(next);
    }
    Err(endless(call, region).into())
}

/// The gap of a list that leads back to a page that was read.
pub(super) fn repeated(call: &CloudCall, region: &str) -> Gap {
    call_gap(call, region, Reason::Malformed, "the list repeats a page token")
}

/// The gap of a list that is too long.
pub(super) fn endless(call: &CloudCall, region: &str) -> Gap {
    call_gap(call, region, Reason::TooLarge, &format!("the list has more than {MAX_PAGES} pages"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::aws::calls::eks::LIST_ADDONS;

    async fn pages(next: impl Fn(usize) -> Option<String>) -> Result<Vec<usize>, Gap> {
        let mut count = 0;
        follow(&LIST_ADDONS, "eu-west-1", |_| {
            count += 1;
            let page = Page { items: vec![count], next: next(count) };
            async move { Ok(page) }
        })
        .await
        .map_err(Gap::from)
    }

    #[tokio::test]
    async fn a_list_ends_where_there_is_no_token() {
        assert_eq!(pages(|page| (page < 3).then(|| page.to_string())).await.unwrap(), [1, 2, 3]);
        assert_eq!(pages(|_| Some(String::new())).await.unwrap(), [1], "as some services say that");
    }

    #[tokio::test]
    async fn a_list_without_an_end_is_an_error() {
        let circle = pages(|page| Some((page % 3).to_string())).await.unwrap_err();
        assert_eq!(circle.reason, Reason::Malformed, "{circle}");
        let endless = pages(|page| Some(page.to_string())).await.unwrap_err();
        assert_eq!(endless.reason, Reason::TooLarge, "{endless}");
        assert!(endless.what.contains("eks:ListAddons in eu-west-1"), "{endless}");
    }

    #[tokio::test]
    async fn a_missing_list_is_not_an_empty_one() {
        let of = |answer| Page::of(&LIST_ADDONS, "eu-west-1", answer, "addons").map(|page| page.items.len());
        assert_eq!(of(serde_json::json!({"addons": []})), Ok(0));
        for answer in [Value::Null, serde_json::json!({}), serde_json::json!({"addons": null})] {
            assert_eq!(of(answer).unwrap_err().reason, Reason::Malformed);
        }
    }
}

//! Asking for much: answers in pages, and one call for each of many things.
//!
//! Pages are followed here, not by the clients' paginators, so that a page's JSON can be kept, a token that comes
//! again is an error, and a list has an end.

use serde_json::Value;
use std::collections::BTreeSet;
use std::future::Future;
use tokio_util::task::AbortOnDropHandle;

use super::access::Problem;
use super::call::Call;
use crate::resource::Reason;

/// The most pages of one list: of a hundred entries each, usually.
pub(super) const MAX_PAGES: usize = 1_000;

/// Sends a request of one of the clients, and gives the answer's JSON. A macro, because requests of different
/// operations have methods of the same names but no trait.
macro_rules! ask {
    ($access:expr, $call:expr, $region:expr, $request:expr) => {{
        let body = $crate::collect::aws::body::Body::default();
        // The clients' futures are of kilobytes.
        let sent = Box::pin($request.customize().interceptor(body.clone()).send());
        $access.ask_json(&$call, &$region, &body, sent).await.map(|(_, answer)| answer)
    }};
}
pub(super) use ask;

/// The same for a list under `$key`, over all its pages; `$request` makes the request of each.
macro_rules! ask_pages {
    ($access:expr, $call:expr, $region:expr, $key:expr, $request:expr) => {{
        let (access, region, key, request): (&$crate::collect::aws::Access, &str, &str, _) =
            (&$access, &$region, $key, &$request);
        $crate::collect::aws::ask::follow(&$call, region, |token| async move {
            let request = request().set_next_token(token);
            let answer = $crate::collect::aws::ask::ask!(access, $call, region, request)?;
            $crate::collect::aws::ask::Page::of(&$call, region, answer, key)
        })
        .await
    }};
}
pub(super) use ask_pages;

/// One page of a list.
pub(super) struct Page<T> {
    /// What stands on it.
    pub items: Vec<T>,
    /// What to ask the next one with.
    pub next: Option<String>,
}

impl Page<Value> {
    /// The list under `key` of a JSON answer, which has a `nextToken`.
    pub fn of(call: &Call, region: &str, mut answer: Value, key: &str) -> Result<Self, Problem> {
        let next = answer["nextToken"].as_str().map(str::to_owned);
        match answer.get_mut(key).map(Value::take) {
            Some(Value::Array(items)) => Ok(Self { items, next }),
            // A list of nothing is an empty one: this is something else.
            _ => {
                Err(Problem::new(call, region, Reason::Malformed, &format!("the answer has no list `{key}`")))
            }
        }
    }
}

/// Everything on all pages.
pub(super) async fn follow<T, F>(
    call: &Call,
    region: &str,
    mut page: impl FnMut(Option<String>) -> F,
) -> Result<Vec<T>, Problem>
where
    F: Future<Output = Result<Page<T>, Problem>>,
{
    let mut items = Vec::new();
    let mut seen = BTreeSet::new();
    let mut token = None;
    for _ in 0..MAX_PAGES {
        let Page { items: more, next } = page(token).await?;
        items.extend(more);
        let Some(next) = next.filter(|next| !next.is_empty()) else { return Ok(items) };
        if !seen.insert(next.clone()) {
            let said = "the list goes round in a circle: a page's token came again";
            return Err(Problem::new(call, region, Reason::Malformed, said));
        }
        token = Some(next);
    }
    let said = format!("the list is over {MAX_PAGES} pages long");
    Err(Problem::new(call, region, Reason::TooLarge, &said))
}

/// Asks for each of `items`, as many at once as there are places, and gives the answers in the items' order. Nothing
/// goes on when the caller is dropped.
pub(super) async fn each<I, T, F>(items: impl IntoIterator<Item = I>, ask: impl Fn(I) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let spawn = |item| AbortOnDropHandle::new(tokio::spawn(ask(item)));
    let tasks: Vec<_> = items.into_iter().map(spawn).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        match task.await {
            Ok(answer) => answers.push(answer),
            // It is ours alone, so nobody has aborted it.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::aws::call::LIST_ADDONS;

    async fn pages(next: impl Fn(usize) -> Option<String>) -> Result<Vec<usize>, Problem> {
        let mut count = 0;
        follow(&LIST_ADDONS, "eu-west-1", |_| {
            count += 1;
            let page = Page { items: vec![count], next: next(count) };
            async move { Ok(page) }
        })
        .await
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
    async fn what_is_no_list_does_not_look_like_an_empty_one() {
        let of = |answer| Page::of(&LIST_ADDONS, "eu-west-1", answer, "addons").map(|page| page.items.len());
        assert_eq!(of(serde_json::json!({"addons": []})), Ok(0));
        for answer in [Value::Null, serde_json::json!({}), serde_json::json!({"addons": null})] {
            assert_eq!(of(answer).unwrap_err().reason, Reason::Malformed);
        }
    }
}

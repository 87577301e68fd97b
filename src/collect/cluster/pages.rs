//! Paged lists, bounded.

mod item;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::kube_api::{self, JSON, RequestError, url_escaped};
use crate::resource::{Gap, Reason};
pub(crate) use item::ListItem;

/// Objects in one page: of pods about four megabytes. A list must be read before the server forgets the changes since
/// it began.
const LIMIT: u32 = 500;
/// The most bytes of one page that are held: 500 objects of the largest size etcd takes would be fifty
/// times that, and such a page is asked for again at half the limit.
const MAX_PAGE: usize = 16 * 1024 * 1024;

/// A list, page by page.
pub(super) struct ListPages<'c> {
    client: &'c kube::Client,
    /// Path, with any selector as its query.
    path: String,
    limit: u32,
    next: NextPage,
    version: Option<String>,
}

enum NextPage {
    First,
    Token(String),
    Nothing,
}

#[derive(Deserialize)]
struct ListBody {
    #[serde(default)]
    metadata: ListBodyMeta,
    /// As text: a parsed object takes many times its text, so they are parsed one at a time. An empty list may be
    /// null, but never left out: then the answer is something else, which must not look like one.
    #[serde(deserialize_with = "Option::deserialize")]
    items: Option<Vec<Box<RawValue>>>,
}

#[derive(Deserialize, Default)]
struct ListBodyMeta {
    #[serde(default, rename = "continue")]
    token: Option<String>,
    #[serde(default, rename = "resourceVersion")]
    version: Option<String>,
}

impl<'c> ListPages<'c> {
    pub(super) fn new(client: &'c kube::Client, path: &str) -> Self {
        Self { client, path: path.to_owned(), limit: LIMIT, next: NextPage::First, version: None }
    }

    /// The version of the first page, after it: where a watch continues. Later pages may be newer; events that repeat
    /// what they showed do no harm.
    pub(super) fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The next page; `None` after the last. An error ends the list.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Box<RawValue>>>, RequestError> {
        let mut resumed = false;
        loop {
            let token = match &self.next {
                NextPage::First => None,
                NextPage::Token(token) => Some(token.clone()),
                NextPage::Nothing => return Ok(None),
            };
            match self.ask(token.as_deref()).await {
                Ok(list) => {
                    self.version.get_or_insert(list.metadata.version.unwrap_or_default());
                    self.next = match list.metadata.token {
                        Some(token) if !token.is_empty() => NextPage::Token(token),
                        _ => NextPage::Nothing,
                    };
                    return Ok(Some(list.items.unwrap_or_default()));
                }
                Err(RequestError::TooLarge(_)) if self.limit > 1 => self.limit /= 2,
                Err(error) => match resume_token(&error) {
                    // The list is older than etcd remembers; the server offers to go on with what is there now.
                    Some(token) if !resumed => {
                        resumed = true;
                        self.next = NextPage::Token(token);
                    }
                    token => {
                        self.next = NextPage::Nothing;
                        return Err(explained(error, token.is_some()));
                    }
                },
            }
        }
    }

    async fn ask(&self, token: Option<&str>) -> Result<ListBody, RequestError> {
        let joiner = if self.path.contains('?') { '&' } else { '?' };
        let mut uri = format!("{}{joiner}limit={}", self.path, self.limit);
        if let Some(token) = token {
            uri.push_str("&continue=");
            uri.push_str(&url_escaped(token).to_string());
        }
        let answer = kube_api::fetch(self.client, &uri, JSON, MAX_PAGE).await?;
        serde_json::from_slice(&answer.body)
            .map_err(|error| RequestError::malformed(format!("the answer is not a list: {error}")))
    }
}

fn resume_token(error: &RequestError) -> Option<String> {
    match error {
        RequestError::Refused(refusal) => refusal.resume.clone(),
        _ => None,
    }
}

/// What an error means for a list.
fn explained(error: RequestError, expired: bool) -> RequestError {
    match error {
        RequestError::TooLarge(bound) => {
            RequestError::Unusable(Gap::new(Reason::TooLarge, format!("one object is over {bound} bytes")))
        }
        _ if expired => {
            RequestError::Unusable(Gap::new(Reason::Unavailable, "the list expired while it was read"))
        }
        other => other,
    }
}

/// The first object of a list, if there is one.
pub(super) async fn first(client: &kube::Client, path: &str) -> Result<Option<ListItem>, RequestError> {
    let mut pages = ListPages { limit: 1, ..ListPages::new(client, path) };
    while let Some(page) = pages.next().await? {
        if let Some(item) = page.first() {
            return ListItem::parse(item).map(Some).map_err(RequestError::Unusable);
        }
    }
    Ok(None)
}

/// One object, as plain JSON.
pub(super) async fn get(client: &kube::Client, path: &str) -> Result<Value, RequestError> {
    kube_api::get(client, path, MAX_PAGE).await
}

/// The same, without a second try.
pub(super) async fn get_once(client: &kube::Client, path: &str) -> Result<Value, RequestError> {
    kube_api::get_once(client, path, MAX_PAGE).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_does_not_look_like_an_empty_one() {
        let items = |text: &str| {
            serde_json::from_str::<ListBody>(text).map(|list| list.items.unwrap_or_default().len())
        };
        assert_eq!(items(r#"{"metadata": {}, "items": []}"#).unwrap(), 0);
        assert_eq!(items(r#"{"items": null}"#).unwrap(), 0, "as Go writes a list of nothing");
        for text in ["{}", "[]", "null", r#"{"kind": "Status", "metadata": {}, "status": "Failure"}"#] {
            assert!(items(text).is_err(), "{text}");
        }
    }
}

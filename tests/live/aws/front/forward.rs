//! The way to the emulator.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, Request, Response, StatusCode};

use super::Answer;

/// Headers that belong to a connection and not to what it carries.
const OWN: [HeaderName; 4] = [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING];

#[derive(Clone)]
pub struct Emulator {
    url: String,
    http: reqwest::Client,
}

impl Emulator {
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), http: reqwest::Client::builder().no_proxy().build().unwrap() }
    }

    /// Its answer; 502 where there is none.
    pub async fn ask(&self, request: &Request<Bytes>) -> Answer {
        match self.try_ask(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let mut answer = Response::new(Bytes::from(format!("{error:?}")));
                *answer.status_mut() = StatusCode::BAD_GATEWAY;
                answer
            }
        }
    }

    async fn try_ask(&self, request: &Request<Bytes>) -> reqwest::Result<Answer> {
        let mut headers = request.headers().clone();
        strip(&mut headers);
        let url = format!("{}{}", self.url, request.uri().path_and_query().map_or("/", |path| path.as_str()));
        let sent = self.http.request(request.method().clone(), url).headers(headers);
        let mut answer = sent.body(request.body().clone()).send().await?;
        let mut out = Response::builder().status(answer.status());
        if let Some(headers) = out.headers_mut() {
            *headers = std::mem::take(answer.headers_mut());
            strip(headers);
        }
        Ok(out.body(answer.bytes().await?).unwrap())
    }
}

fn strip(headers: &mut HeaderMap) {
    for name in OWN {
        headers.remove(name);
    }
}

//! `/flagz`: the flags of an API server with their effective values, since Kubernetes 1.36 by default.
//!
//! In: a client that may `get` the path. Out: arguments as a command line would have them. The answer names every flag,
//! so a flag that is not set shows its default. An empty text or list stands for "not set", and is left out here. What
//! files hold, and which admission plug-ins are on by default, is not in it.

use serde::Deserialize;
use std::collections::BTreeMap;

use crate::collect::arguments::{self, KnownArguments};
use crate::collect::redact;
use crate::kube_api::{self, RequestError};
use crate::resource::{Reason, Unread};

/// The path.
pub(in crate::collect::cluster) const PATH: &str = "/flagz";

/// What we understand, the newest first. The API server refuses an `Accept` without a version.
const ACCEPTED: [&str; 2] = [
    "application/json;v=v1beta1;g=config.k8s.io;as=Flagz",
    "application/json;v=v1alpha1;g=config.k8s.io;as=Flagz",
];

/// The most bytes of an answer: 177 flags take 8 KiB.
const MAX_ANSWER: usize = 1024 * 1024;

/// In the place of a value that the API server does not show.
const CLASSIFIED: &str = "CLASSIFIED";

/// Flags that a command line repeats, because a comma does not separate their values.
const REPEATED: [&str; 2] = ["service-account-issuer", "service-account-key-file"];

/// A flag that only an API server has, and always.
const OWN_FLAG: &str = "etcd-servers";

#[derive(Deserialize)]
struct FlagzAnswer {
    kind: String,
    #[serde(rename = "apiVersion")]
    api_version: String,
    flags: BTreeMap<String, String>,
}

/// Asks for the flags.
pub(super) async fn flags(client: &kube::Client) -> Result<KnownArguments, RequestError> {
    let mut answer = kube_api::fetch(client, PATH, ACCEPTED[0], MAX_ANSWER).await;
    if let Err(RequestError::Refused(refusal)) = &answer
        && refusal.status == http::StatusCode::NOT_ACCEPTABLE
    {
        answer = kube_api::fetch(client, PATH, ACCEPTED[1], MAX_ANSWER).await;
    }
    parse(&answer?.body)
}

/// Whether an API server keeps its flags to itself, from us or from everybody.
pub(super) fn is_closed(error: &RequestError) -> bool {
    matches!(error, RequestError::Refused(refusal) if matches!(refusal.status.as_u16(), 403 | 404 | 406))
}

/// Reads an answer. One that is not an API server's would look like a server whose flags are all unset.
fn parse(body: &[u8]) -> Result<KnownArguments, RequestError> {
    let malformed = |what: String| RequestError::malformed(format!("the answer is no list of flags: {what}"));
    // The text of the error could repeat a value.
    let answer: FlagzAnswer = serde_json::from_slice(body)
        .map_err(|error| malformed(format!("line {}, column {}", error.line(), error.column())))?;
    let is_known = answer.kind == "Flagz" && answer.api_version.starts_with("config.k8s.io/");
    if !is_known {
        return Err(malformed("expected kind Flagz of config.k8s.io".to_owned()));
    }
    if !answer.flags.contains_key(OWN_FLAG) {
        return Err(malformed(format!("expected kube-apiserver's, with --{OWN_FLAG}")));
    }
    Ok(known(&answer.flags))
}

fn known(flags: &BTreeMap<String, String>) -> KnownArguments {
    let mut known = KnownArguments::default();
    for (name, value) in flags {
        if value == CLASSIFIED {
            let what = format!("read --{name}: {PATH} does not show its value");
            known.unread.push(Unread::new(format!("$.args.{name}"), Reason::Denied, what));
            continue;
        }
        let values = values(name, value);
        if !values.is_empty() {
            known.arguments.insert(name.clone(), values);
        }
    }
    drop_own_certificate(&mut known);
    known
}

/// The values of a flag; none if it is not set.
fn values(name: &str, text: &str) -> Vec<String> {
    let list = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let text = match (name, list) {
        // `component:Gate=true`, where the component may be empty.
        ("feature-gates", _) => {
            let gates: Vec<&str> = text.split(',').map(|gate| gate.trim_start_matches(':')).collect();
            gates.join(",")
        }
        (_, Some(list)) => list.to_owned(),
        (_, None) => text.to_owned(),
    };
    if text.is_empty() {
        return Vec::new();
    }
    let mut word = [format!("--{name}={text}")];
    redact::arguments(&mut word);
    let [word] = word;
    let text = word.split_once('=').map_or("", |(_, text)| text);
    // A value with a comma in it is quoted.
    let is_repeated = REPEATED.contains(&name) && !text.contains('"');
    if is_repeated { text.split(',').map(str::to_owned).collect() } else { vec![text.to_owned()] }
}

/// A server without a certificate signs one itself, and shows it as if the flags named it.
fn drop_own_certificate(known: &mut KnownArguments) {
    let flag = |name: &str| arguments::last(&known.arguments, name).unwrap_or_default();
    let folder = flag("cert-dir").trim_end_matches('/');
    let pair = [("tls-cert-file", "crt"), ("tls-private-key-file", "key")];
    let is_own = pair.iter().all(|(name, ending)| flag(name) == format!("{folder}/apiserver.{ending}"));
    if !is_own {
        return;
    }
    for (name, _) in pair {
        known.arguments.remove(name);
        let what =
            format!("read --{name}: {PATH} shows the same for a certificate that the API server made itself");
        known.unread.push(Unread::new(format!("$.args.{name}"), Reason::Missing, what));
    }
}

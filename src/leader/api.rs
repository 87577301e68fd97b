//! The three requests about a Lease, as HTTP.

use http::{Method, StatusCode, header};
use kube::client::Body;

use super::ElectionSettings;
use super::lease::{Failure, LeaseReply, LeaseRequest, Verb};
use super::record::Record;
use crate::kube_api::{self, ApiAnswer, JSON, RequestError};
use crate::resource::{Gap, Reason};

/// No object in etcd is larger.
const MAX_BYTES: usize = 2 * 1024 * 1024;

/// A Lease on an API server.
pub(super) struct Api {
    client: kube::Client,
    name: String,
    namespace: String,
}

impl Api {
    pub(super) fn new(client: kube::Client, settings: &ElectionSettings) -> Self {
        Self { client, name: settings.lease_name.clone(), namespace: settings.namespace.clone() }
    }

    /// One request, once: whether a second try makes sense depends on the time.
    pub(super) async fn send(&self, request: &LeaseRequest) -> LeaseReply {
        let verb = request.verb();
        match self.exchange(request).await {
            Ok(answer) => {
                let object = serde_json::from_slice(&answer.body).map_err(|_| "the answer is not JSON");
                match object.and_then(Record::parse) {
                    Ok(record) => LeaseReply::Lease(record),
                    Err(why) => self.failed(verb, RequestError::malformed(why)),
                }
            }
            Err(RequestError::Refused(refusal)) if refusal.status == StatusCode::CONFLICT => {
                LeaseReply::Conflict
            }
            Err(RequestError::Refused(refusal))
                if refusal.status == StatusCode::NOT_FOUND && verb != Verb::Create =>
            {
                LeaseReply::Missing
            }
            Err(error) => self.failed(verb, error),
        }
    }

    /// No answer came within the time that the election allows.
    pub(super) fn timed_out(&self, verb: Verb) -> LeaseReply {
        self.failed(verb, RequestError::Unusable(Gap::new(Reason::Timeout, "no answer in time")))
    }

    async fn exchange(&self, request: &LeaseRequest) -> Result<ApiAnswer, RequestError> {
        let Self { name, namespace, .. } = self;
        let leases = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases");
        let (method, path, body) = match request {
            LeaseRequest::Get => (Method::GET, format!("{leases}/{name}"), None),
            LeaseRequest::Create(lease) => (Method::POST, leases, Some(lease)),
            LeaseRequest::Update(lease) => (Method::PUT, format!("{leases}/{name}"), Some(lease)),
        };
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header(header::ACCEPT, JSON)
            .header(header::CONTENT_TYPE, JSON)
            .body(body.map_or_else(Body::empty, |lease| Body::from(lease.to_string().into_bytes())));
        kube_api::send(&self.client, request, MAX_BYTES).await
    }

    fn failed(&self, verb: Verb, error: RequestError) -> LeaseReply {
        let Self { name, namespace, .. } = self;
        let (refused, is_final) = match &error {
            RequestError::Refused(refusal) => (Some(refusal.status), refusal.is_final()),
            _ => (None, false),
        };
        let advice = match refused.map(|status| status.as_u16()) {
            Some(401) => "; the API server does not know this service account's token",
            Some(403) => "; a Role must allow get, create and update of leases to this service account there",
            Some(404) => "; does the namespace exist?",
            _ => "",
        };
        let mut gap = Gap::from(error);
        gap.what.push_str(advice);
        let gap = gap.during(format_args!("{verb} leases.coordination.k8s.io {name} in {namespace}"));
        LeaseReply::Failed(Failure { gap, refused, is_final })
    }
}

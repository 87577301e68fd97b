//! The transport to a Kubernetes API server: credentials, one request and its answer, all within bounds.
//!
//! In: a kubeconfig or the pod's own service account; a path. Out: an [`ApiAnswer`] that was read to its end, or a
//! [`RequestError`] that turns into the [`Gap`](crate::resource::Gap) that rules and people see. What a credential
//! plug-in printed is never repeated: it may hold the credential.

mod connect;
mod error;
mod kubeconfig;
mod request;

pub use connect::{Connection, Target, connect};
pub use error::{Refusal, RequestError};
pub use request::{ApiAnswer, JSON, fetch, fetch_once, get, get_once, open, send, url_escaped};

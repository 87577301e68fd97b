//! Delivers batches of events and says, for each event, what became of it.
//!
//! In: a batch from the pipeline. Out: one [`Verdict`] an event, or a [`BatchError`] for all of them.
//! An output never retries by itself: the pipeline owns waiting, splitting and giving up.

use crate::config::settings;
use crate::event::Event;
use async_trait::async_trait;
use std::path::PathBuf;

pub mod console;
pub mod elasticsearch;
pub mod file;

/// A place that events are delivered to.
#[async_trait]
pub trait Output: Send {
    /// Delivers `batch` and answers with one verdict an event, in order.
    async fn publish(&mut self, batch: &[Event]) -> Result<Vec<Verdict>, BatchError>;

    /// Asked once at start: can the place be reached, and are we let in?
    async fn check(&mut self) -> Result<(), OutputError>;
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Stored.
    Done,
    /// Stored already, by an earlier try: delivered too.
    Duplicate,
    /// Not stored now; worth another try.
    Again {
        /// What the other side said.
        why: String,
    },
    /// Never will be stored.
    Refused {
        /// What the other side said.
        why: String,
    },
}

/// What became of a batch of which nothing is known to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchError {
    /// Worth another try.
    Again {
        /// What went wrong.
        why: String,
    },
    /// More than the other side takes in one request.
    TooLarge,
    /// We are not let in: only a person can change that, but waiting loses nothing.
    Denied {
        /// What the other side said.
        why: String,
    },
}

/// An output that cannot be made, or that cannot be used now.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// There is none.
    #[error("no output is configured: set `output.elasticsearch`, `output.file` or `output.console`")]
    NotConfigured,
    /// A host is no URL. Its text is not shown, for it may hold a password.
    #[error(
        "`output.elasticsearch.hosts[{position}]`: {why}, expected such as `https://es.example.com:9200`"
    )]
    ParseHost {
        /// Its place in the list, from 0.
        position: usize,
        /// What is wrong with it.
        why: String,
    },
    /// The API key is not in the form that Beats write.
    #[error("`output.elasticsearch.api_key` has not the form `id:key`")]
    ParseApiKey,
    /// A certificate authority's file cannot be read.
    #[error("cannot read the certificate authority `{path}`")]
    ReadAuthority {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate authority is not PEM.
    #[error("the certificate authority {name} holds no PEM certificate that can be used: {why}")]
    ParseAuthority {
        /// The file, or which inline text.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// The HTTP client cannot be built.
    #[error("cannot build the client for `output.elasticsearch`: {why}")]
    BuildClient {
        /// Why.
        why: String,
    },
    /// The other side answered and does not let us in.
    #[error("`{host}` does not let us in: {why}; see `api_key`, or `username` and `password`")]
    Denied {
        /// Who answered.
        host: String,
        /// What it said.
        why: String,
    },
    /// Nobody answered, or only that it cannot now.
    #[error("`{host}` cannot be reached: {why}")]
    Unreachable {
        /// Who was asked last.
        host: String,
        /// What went wrong.
        why: String,
    },
    /// The output file cannot be opened.
    #[error("cannot open `{path}` for writing")]
    OpenFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

impl OutputError {
    /// Whether time may heal it: then the program goes on and tries again.
    pub fn is_temporary(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}

/// Makes the configured output.
pub fn build(settings: &settings::Output) -> Result<Box<dyn Output>, OutputError> {
    Ok(match settings {
        settings::Output::Elasticsearch(settings) => Box::new(elasticsearch::Elasticsearch::new(settings)?),
        settings::Output::File(settings) => Box::new(file::File::new(settings)),
        settings::Output::Console { pretty } => Box::new(console::Console::new(tokio::io::stdout(), *pretty)),
        settings::Output::None => return Err(OutputError::NotConfigured),
    })
}

/// The documents of a batch, one a line, in memory of just that size: a text that grows takes up to three times as much.
fn lines(batch: &[Event]) -> Vec<u8> {
    let mut text = Vec::with_capacity(batch.iter().map(|event| event.document_len() + 1).sum());
    for event in batch {
        write_line(event, &mut text);
    }
    text
}

/// Appends an event's document to `out` as exactly one line.
///
/// Between the tokens of a JSON text a line break means nothing, and inside a string it cannot stand:
/// a blank in its place keeps a stray one from becoming a line, or a bulk action, of its own.
fn write_line(event: &Event, out: &mut Vec<u8>) {
    let start = out.len();
    event.pieces().for_each(|piece| out.extend_from_slice(piece));
    for byte in &mut out[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.push(b'\n');
}

//! Delivers batches of events and reports, for each event, what became of it.
//!
//! In: a batch from the pipeline. Out: one [`Verdict`] an event, or a [`BatchError`] for all of them. An output never
//! retries by itself: the pipeline owns waiting, splitting and giving up.
//!
//! An output is a folder, with its form in `config.rs`, and one line in [`OUTPUTS`]. The catalogue of settings, the
//! reference file, "unknown output", `test output` and the way of delivery all follow from that line.

use crate::config::OutputSection;
use crate::event::Event;
use async_trait::async_trait;
use std::sync::Arc;

mod console;
mod delivery;
pub mod elasticsearch;
mod error;
mod file;
mod line;
mod ssl;
#[cfg(test)]
mod tests;

pub use delivery::Delivery;
pub use error::OutputError;
pub use ssl::{Tls, Verification};

/// All kinds of output.
pub const OUTPUTS: &[OutputSection<ConfiguredOutput>] = &[
    OutputSection::of::<elasticsearch::ElasticsearchForm>(),
    OutputSection::of::<file::FileForm>(),
    OutputSection::of::<console::ConsoleForm>(),
];

/// The settings of the enabled output.
pub type ConfiguredOutput = Arc<dyn OutputSettings>;

/// The settings of an output, checked.
pub trait OutputSettings: std::fmt::Debug + Send + Sync {
    /// Its key below `output.`.
    fn name(&self) -> &'static str;

    /// How it takes batches.
    fn delivery(&self) -> Delivery;

    /// Makes the output. Nothing is opened or sent yet.
    fn build(&self) -> Result<Box<dyn Output>, OutputError>;

    /// Whether findings go to standard output, so that nothing else may.
    fn uses_standard_output(&self) -> bool {
        false
    }

    /// The store that index templates are installed in. `None`: it has none.
    fn template_target(&self) -> Option<&elasticsearch::ElasticsearchSettings> {
        None
    }
}

/// A place that events are delivered to.
#[async_trait]
pub trait Output: Send {
    /// Delivers `batch` and returns one verdict an event, in order.
    async fn publish(&mut self, batch: &[Event]) -> Result<Vec<Verdict>, BatchError>;

    /// Checks at start that the output can be reached and accepts our credentials.
    async fn check(&mut self) -> Result<(), OutputError>;
}

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Stored.
    Done,
    /// Stored by an earlier attempt, so delivered too.
    Duplicate,
    /// Not stored; worth another attempt.
    Again {
        /// What the receiver reported.
        why: String,
    },
    /// Rejected for good.
    Refused {
        /// What the receiver reported.
        why: String,
    },
}

/// What became of a batch of which no event is known to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchError {
    /// Worth another attempt.
    Again {
        /// What went wrong.
        why: String,
    },
    /// More than the receiver accepts in one request.
    TooLarge,
    /// Access denied. Only a person can change that, but waiting loses nothing.
    Denied {
        /// What the receiver reported.
        why: String,
    },
}

/// The names of all outputs, as in `elasticsearch, file, console`.
pub fn names() -> String {
    OUTPUTS.iter().map(OutputSection::name).collect::<Vec<_>>().join(", ")
}

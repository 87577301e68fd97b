//! Documents as lines of JSON, exactly those that `run` ships.

use std::io::Write;

use super::Sink;
use crate::event::Event;

/// Writes one document a line.
pub(in crate::runtime) struct LinesSink<'w>(&'w mut (dyn Write + Send));

impl<'w> LinesSink<'w> {
    pub(in crate::runtime) fn new(out: &'w mut (dyn Write + Send)) -> Self {
        Self(out)
    }
}

impl Sink for LinesSink<'_> {
    fn takes_documents(&self) -> bool {
        true
    }

    fn documents(&mut self, events: Vec<Event>) -> anyhow::Result<()> {
        for event in events {
            event.write_document(&mut self.0)?;
            self.0.write_all(b"\n")?;
        }
        Ok(())
    }
}

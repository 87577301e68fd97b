//! `output.console`: documents on standard output, for people and pipes.
//!
//! In: a batch. Out: each document as a line, or indented when `pretty` is set.

use super::line::{lines, write_line};
use super::{BatchError, Output, OutputError, Verdict};
use crate::event::Event;
use async_trait::async_trait;
use tokio::io::{AsyncWrite, AsyncWriteExt};

pub(super) use config::ConsoleForm;

mod config;

/// `output.console`, on any writer.
#[derive(Debug)]
pub(super) struct ConsoleOutput<W> {
    writer: W,
    pretty: bool,
}

impl<W: AsyncWrite + Unpin + Send> ConsoleOutput<W> {
    /// Writes documents to `writer`.
    pub(super) fn new(writer: W, pretty: bool) -> Self {
        Self { writer, pretty }
    }

    async fn write(&mut self, text: &[u8]) -> std::io::Result<()> {
        self.writer.write_all(text).await?;
        self.writer.flush().await
    }
}

#[async_trait]
impl<W: AsyncWrite + Unpin + Send> Output for ConsoleOutput<W> {
    async fn publish(&mut self, batch: &[Event]) -> Result<Vec<Verdict>, BatchError> {
        let text = if self.pretty { indented(batch) } else { lines(batch) };
        match self.write(&text).await {
            Ok(()) => Ok(vec![Verdict::Done; batch.len()]),
            // A closed pipe or a full disk does not recover: waiting would hang.
            Err(error) => {
                let why = format!("cannot write to standard output: {error}");
                Ok(vec![Verdict::Refused { why }; batch.len()])
            }
        }
    }

    async fn check(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

fn indented(batch: &[Event]) -> Vec<u8> {
    let mut text = Vec::new();
    for event in batch {
        write_indented(event, &mut text);
    }
    text
}

/// A document that is not JSON is shown unchanged.
fn write_indented(event: &Event, out: &mut Vec<u8>) {
    let start = out.len();
    write_line(event, out);
    let indented = serde_json::from_slice::<serde_json::Value>(&out[start..])
        .and_then(|document| serde_json::to_vec_pretty(&document));
    if let Ok(indented) = indented {
        out.truncate(start);
        out.extend_from_slice(&indented);
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(body: &str) -> Event {
        Event::single("logs-a-b", "1", body)
    }

    #[tokio::test]
    async fn each_document_is_a_line() {
        let mut console = ConsoleOutput::new(Vec::new(), false);
        let batch = [event(r#"{"a":1}"#), event("{\"b\":\n2}")];
        assert_eq!(console.publish(&batch).await, Ok(vec![Verdict::Done; 2]));
        assert_eq!(String::from_utf8(console.writer).unwrap(), "{\"a\":1}\n{\"b\": 2}\n");
    }

    #[tokio::test]
    async fn pretty_documents_are_indented() {
        let mut console = ConsoleOutput::new(Vec::new(), true);
        console.publish(&[event(r#"{"a":1}"#)]).await.unwrap();
        assert_eq!(String::from_utf8(console.writer).unwrap(), "{\n  \"a\": 1\n}\n");
    }
}

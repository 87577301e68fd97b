//! A batch as the body of a `_bulk` request.
//!
//! In: events. Out: an action line and a document line for each, compressed when a level is set.

use super::client::Payload;
use crate::event::Event;
use crate::output::line::write_line;
use flate2::{Compression, write::GzEncoder};
use std::io::{self, Write};

/// Room for the fixed part of an action line, `{"create":{"_index":"","_id":""}}` and two line ends.
const ACTION: usize = 40;

/// The payload; `level` 0 leaves it uncompressed.
pub(super) async fn payload(batch: &[Event], level: u32) -> io::Result<Payload> {
    let text = text(batch);
    let bytes = if level == 0 {
        text
    } else {
        // Megabytes take tens of milliseconds, which is too long for the runtime's own threads.
        let compressed = tokio::task::spawn_blocking(move || compress(&text, level));
        compressed.await.map_err(io::Error::other)??
    };
    Ok(Payload { bytes, content_type: "application/x-ndjson", gzip: level != 0 })
}

/// `create` works on data streams, and on a plain index of the same name.
fn text(batch: &[Event]) -> Vec<u8> {
    let size =
        batch.iter().map(|event| event.document_len() + event.id().len() + event.index().len() + ACTION);
    let mut text = Vec::with_capacity(size.sum());
    for event in batch {
        text.extend_from_slice(br#"{"create":{"_index":"#);
        write_string(event.index(), &mut text);
        text.extend_from_slice(br#","_id":"#);
        write_string(event.id(), &mut text);
        text.extend_from_slice(b"}}\n");
        write_line(event, &mut text);
    }
    text
}

fn write_string(value: &str, out: &mut Vec<u8>) {
    serde_json::to_writer(out, value).expect("a string is written to memory without error");
}

fn compress(text: &[u8], level: u32) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(text.len() / 8), Compression::new(level.min(9)));
    encoder.write_all(text)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_is_an_action_and_a_document() {
        let event = |id: &str| Event::single("logs-a-b", id, "{\"a\":\"\\n\",\n\"b\":2}");
        let text = String::from_utf8(text(&[event("1"), event("2\"")])).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], r#"{"create":{"_index":"logs-a-b","_id":"1"}}"#);
        assert_eq!(lines[1], r#"{"a":"\n", "b":2}"#, "a stray line break is no line of its own");
        assert_eq!(lines[2], r#"{"create":{"_index":"logs-a-b","_id":"2\""}}"#);
        assert_eq!(lines.len(), 4);
        assert!(text.ends_with('\n'), "the store insists on a last line end");
    }
}

//! Documents as lines of text.

use crate::event::Event;

/// The documents of a batch, one a line. The memory has exactly that size: a text that grows takes up to three times
/// as much.
pub(super) fn lines(batch: &[Event]) -> Vec<u8> {
    let mut text = Vec::with_capacity(batch.iter().map(|event| event.document_len() + 1).sum());
    for event in batch {
        write_line(event, &mut text);
    }
    text
}

/// Appends an event's document to `out` as exactly one line.
///
/// Between the tokens of a JSON text a line break has no meaning, and a string cannot contain one. A blank instead
/// keeps a stray line break from starting another line, or another bulk action.
pub(super) fn write_line(event: &Event, out: &mut Vec<u8>) {
    let start = out.len();
    event.pieces().for_each(|piece| out.extend_from_slice(piece));
    for byte in &mut out[start..] {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    out.push(b'\n');
}

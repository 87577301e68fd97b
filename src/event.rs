//! A document on its way to a store: what the pipeline and the outputs know, and no more.
//!
//! A cycle makes a dozen documents of each resource, and most of their text is the same: the resource's own, the
//! rules', who looked. So a document is pieces of two texts, one that the whole cycle shares and one that the
//! resource's findings share; nothing is copied before an output writes it.

use serde::Serialize;
use std::io::{self, Write};
use std::sync::Arc;

/// The most pieces of a document.
const PIECES: usize = 8;

/// One document, rendered once, with the name it is to be stored under.
#[derive(Debug, Clone)]
pub struct Event {
    common: Arc<Vec<u8>>,
    own: Arc<Vec<u8>>,
    index: Piece,
    id: Piece,
    pieces: [Piece; PIECES],
}

/// A part of one of an event's two texts. Small, because thousands of events wait in a queue.
#[derive(Debug, Clone, Copy, Default)]
pub struct Piece {
    is_common: bool,
    start: u32,
    end: u32,
}

/// A text being written whose pieces are noted; JSON can be written straight into it.
#[derive(Debug, Clone, Default)]
pub struct Text {
    bytes: Vec<u8>,
    is_common: bool,
}

impl Text {
    /// A text that the events of a whole cycle share.
    pub fn common() -> Self {
        Self { bytes: Vec::new(), is_common: true }
    }

    /// A text that the events of one resource share, with room for so many bytes.
    pub fn own(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes), is_common: false }
    }

    /// Makes room for so many bytes more.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// Adds a whole piece.
    pub fn add(&mut self, text: &str) -> Piece {
        let start = self.end();
        self.push(text);
        self.since(start)
    }

    /// Adds to the end.
    pub fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Adds a value as JSON. Several times faster than its `Display`, which goes through the formatting machinery.
    pub fn push_json(&mut self, value: &impl Serialize) {
        let start = self.end();
        // Cannot fail for a JSON value: keys are texts, and memory takes everything.
        if serde_json::to_writer(&mut self.bytes, value).is_err() {
            self.cut(start);
            self.push("null");
        }
    }

    /// Where the next addition will stand.
    pub fn end(&self) -> usize {
        self.bytes.len()
    }

    /// Takes back everything from `end` on.
    pub fn cut(&mut self, end: usize) {
        self.bytes.truncate(end);
    }

    /// The piece from `start` to the end.
    pub fn since(&self, start: usize) -> Piece {
        // Texts are bounded far below; past 4 GiB a piece would be empty.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Piece { is_common: self.is_common, start: place(start), end: place(self.end()) }
    }

    /// The text, to be shared.
    pub fn share(self) -> Arc<Vec<u8>> {
        Arc::new(self.bytes)
    }
}

impl Event {
    /// A document of these `pieces`, in order, eight at most.
    ///
    /// - `index`: the data stream, such as `logs-cloud_security_posture.findings-default`
    /// - `id`: the document's `_id`, fixed when it is built, so a batch sent twice cannot double it
    pub fn new(
        common: &Arc<Vec<u8>>,
        own: &Arc<Vec<u8>>,
        index: Piece,
        id: Piece,
        pieces: impl IntoIterator<Item = Piece>,
    ) -> Self {
        let mut all = [Piece::default(); PIECES];
        all.iter_mut().zip(pieces).for_each(|(place, piece)| *place = piece);
        Self { common: Arc::clone(common), own: Arc::clone(own), index, id, pieces: all }
    }

    /// A document that shares nothing.
    pub fn single(index: &str, id: &str, document: &str) -> Self {
        let mut text = Text::own(index.len() + id.len() + document.len());
        let (index, id, document) = (text.add(index), text.add(id), text.add(document));
        Self::new(&Arc::default(), &text.share(), index, id, [document])
    }

    /// The data stream.
    pub fn index(&self) -> &str {
        std::str::from_utf8(self.bytes(self.index)).unwrap_or_default()
    }

    /// The document's `_id`.
    pub fn id(&self) -> &str {
        std::str::from_utf8(self.bytes(self.id)).unwrap_or_default()
    }

    /// The document's length in bytes.
    pub fn document_len(&self) -> usize {
        self.pieces.iter().map(|piece| (piece.end - piece.start) as usize).sum()
    }

    /// The document's pieces, in order; together they are one line of JSON.
    pub fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        self.pieces.iter().map(|piece| self.bytes(*piece))
    }

    /// Writes the document.
    pub fn write_document(&self, out: &mut impl Write) -> io::Result<()> {
        self.pieces().try_for_each(|piece| out.write_all(piece))
    }

    /// The document as one text.
    #[cfg(test)]
    pub fn document(&self) -> String {
        self.pieces().map(String::from_utf8_lossy).collect()
    }

    fn bytes(&self, piece: Piece) -> &[u8] {
        let text = if piece.is_common { &self.common } else { &self.own };
        text.get(piece.start as usize..piece.end as usize).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_pieces_of_two_texts() {
        let mut common = Text::common();
        let (index, tail) = (common.add("logs-a-b"), common.add(",\"c\":3}"));
        let mut own = Text::own(0);
        let id = own.add("1");
        let start = own.end();
        own.push("{\"a\":");
        own.push("1");
        let head = own.since(start);
        let event = Event::new(&common.share(), &own.share(), index, id, [head, tail]);
        assert_eq!((event.index(), event.id()), ("logs-a-b", "1"));
        assert_eq!(event.document(), "{\"a\":1,\"c\":3}");
        assert_eq!(event.document_len(), event.document().len());
    }

    #[test]
    fn a_single_document_shares_nothing() {
        let event = Event::single("logs-a-b", "7", "{}");
        assert_eq!((event.index(), event.id(), event.document().as_str()), ("logs-a-b", "7", "{}"));
    }
}

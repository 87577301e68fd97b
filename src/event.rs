//! A document on its way to a store: what the pipeline and the outputs know, and no more.

use std::sync::Arc;

/// One document, rendered once, with the name it is to be stored under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The document's `_id`: fixed when it is built, so a batch sent twice cannot double it.
    pub id: String,
    /// The data stream, such as `logs-cloud_security_posture.findings-default`.
    pub index: Arc<str>,
    /// The document.
    pub body: Body,
}

/// A JSON object as text, in pieces: the findings of one resource share the piece that holds it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Own(String),
    Shared(Arc<str>),
    Fixed(&'static str),
}

impl Body {
    /// Made of this many pieces.
    pub fn with_capacity(pieces: usize) -> Self {
        Self { parts: Vec::with_capacity(pieces) }
    }

    /// Adds a piece of its own.
    pub fn push(&mut self, text: String) {
        self.parts.push(Part::Own(text));
    }

    /// Adds a piece that is part of the program.
    pub fn push_fixed(&mut self, text: &'static str) {
        self.parts.push(Part::Fixed(text));
    }

    /// Adds a piece that other documents hold too.
    pub fn push_shared(&mut self, text: &Arc<str>) {
        self.parts.push(Part::Shared(Arc::clone(text)));
    }

    /// Its length in bytes.
    pub fn len(&self) -> usize {
        self.pieces().map(str::len).sum()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces, in order; together they are one line of JSON.
    pub fn pieces(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| match part {
            Part::Own(text) => text.as_str(),
            Part::Fixed(text) => text,
            Part::Shared(text) => text.as_ref(),
        })
    }

    /// Appends the document to `out`.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.reserve(self.len());
        for piece in self.pieces() {
            out.extend_from_slice(piece.as_bytes());
        }
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self { parts: vec![Part::Own(text)] }
    }
}

impl std::fmt::Display for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.pieces().try_for_each(|piece| f.write_str(piece))
    }
}

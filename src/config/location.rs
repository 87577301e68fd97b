//! Where a value was written. The `origin` text of the config crate's values carries it.

use config::Value;

/// Line and column, from 1. Line 0 means no position (a value of `-E`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Position {
    pub line: u64,
    pub column: u64,
}

/// Where a key and its value were written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SourceLocation {
    /// The file as it was named, or `-E KEY`.
    pub source: String,
    pub key: Position,
    pub value: Position,
    /// Whether the value is text from outside YAML (a variable, `-E`): its type is that of the setting.
    pub outside: bool,
}

impl SourceLocation {
    /// The location of a value. `None`: the value was not read from a source.
    pub(super) fn find(value: &Value) -> Option<Self> {
        let mut parts = value.origin()?.rsplitn(4, '|');
        let outside = parts.next()? == "outside";
        let value = position(parts.next()?)?;
        let key = position(parts.next()?)?;
        Some(Self { source: parts.next()?.to_owned(), key, value, outside })
    }

    /// The `origin` text that [`SourceLocation::find`] reads.
    pub(super) fn origin(&self) -> String {
        let Self { source, key, value, outside } = self;
        let outside = if *outside { "outside" } else { "" };
        format!("{source}|{}:{}|{}:{}|{outside}", key.line, key.column, value.line, value.column)
    }

    /// `FILE:LINE:COLUMN` of the key.
    pub(super) fn of_key(&self) -> String {
        show(&self.source, self.key)
    }

    /// `FILE:LINE:COLUMN` of the value.
    pub(super) fn of_value(&self) -> String {
        show(&self.source, self.value)
    }
}

fn position(text: &str) -> Option<Position> {
    let (line, column) = text.split_once(':')?;
    Some(Position { line: line.parse().ok()?, column: column.parse().ok()? })
}

fn show(source: &str, at: Position) -> String {
    if at.line == 0 { source.to_owned() } else { format!("{source}:{}:{}", at.line, at.column) }
}

//! Where the values of a document stand in its text.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::Spanned;

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextPosition {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// A document's value as positions alone.
#[derive(Debug)]
pub struct PositionTree {
    /// Of the key for a field of a map, of the value for everything else.
    at: TextPosition,
    inside: Inside,
}

#[derive(Debug)]
enum Inside {
    Nothing,
    List(Vec<PositionTree>),
    Map(Vec<(String, PositionTree)>),
}

impl PositionTree {
    /// The position of the value at `steps`, names and indexes, or of the innermost value around it that is written;
    /// and how many of the steps lead there.
    pub fn locate(&self, steps: &[String]) -> (TextPosition, usize) {
        let (mut tree, mut taken) = (self, 0);
        for step in steps {
            let next = match &tree.inside {
                Inside::Nothing => None,
                Inside::List(items) => step.parse().ok().and_then(|index: usize| items.get(index)),
                Inside::Map(fields) => fields.iter().find(|(name, _)| name == step).map(|(_, field)| field),
            };
            let Some(next) = next else { break };
            (tree, taken) = (next, taken + 1);
        }
        (tree.at, taken)
    }
}

/// The positions of a parsed document.
pub(super) fn tree(document: Spanned<Written>) -> PositionTree {
    let at = position(document.referenced);
    let inside = match document.value {
        Written::Scalar => Inside::Nothing,
        Written::List(items) => Inside::List(items.into_iter().map(tree).collect()),
        Written::Map(fields) => {
            let field = |(key, value): (Spanned<String>, Spanned<Written>)| {
                let at = position(key.referenced);
                (key.value, PositionTree { at, ..tree(value) })
            };
            Inside::Map(fields.into_iter().map(field).collect())
        }
    };
    PositionTree { at, inside }
}

fn position(at: serde_saphyr::Location) -> TextPosition {
    TextPosition { line: at.line(), column: at.column() }
}

/// A document without its scalars.
pub(super) enum Written {
    Scalar,
    List(Vec<Spanned<Written>>),
    Map(Vec<(Spanned<String>, Spanned<Written>)>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

struct WrittenVisitor;

macro_rules! scalars {
    ($($visit:ident: $type:ty),*) => {
        $(fn $visit<E>(self, _: $type) -> Result<Written, E> {
            Ok(Written::Scalar)
        })*
    };
}

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a YAML value")
    }

    scalars! { visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64 }
    scalars! { visit_str: &str, visit_bytes: &[u8] }

    fn visit_unit<E>(self) -> Result<Written, E> {
        Ok(Written::Scalar)
    }

    fn visit_none<E>(self) -> Result<Written, E> {
        Ok(Written::Scalar)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Written, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Written, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Written::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Written, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Written::Map(map))
    }
}

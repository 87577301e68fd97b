//! Files and overrides as layers, and their merge.
//!
//! Sections merge deeply and the later value wins. Lists merge item by item, as in a Beat: a shorter list keeps the
//! tail of the longer one. Few people expect that, so there is a note about it.

use config::{Map, Source, Value, ValueKind};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::error::ConfigError;
use super::fleet::PolicyKeys;
use super::location::SourceLocation;
use super::mistake::Mistake;
use super::settings::merge::{ADD_UP, ALIAS, SECTION};
use super::{fleet, permissions, tree};

/// The content of one source.
#[derive(Clone)]
pub(super) struct Layer {
    table: Map<String, Value>,
}

/// Reads a configuration file or a Fleet policy.
pub(super) fn file(
    path: &Path,
    strict_perms: bool,
    policy: &PolicyKeys<'_>,
    notes: &mut Vec<String>,
) -> Result<Layer, ConfigError> {
    let unreadable = |source| ConfigError::ReadFile { path: path.to_owned(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    if strict_perms {
        let metadata = file.metadata().map_err(unreadable)?;
        permissions::check(path, &metadata, rustix::process::geteuid().as_raw())
            .map_err(|message| ConfigError::CheckPermissions { message })?;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).map_err(unreadable)?;
    Ok(text_of(&path.display().to_string(), &text, policy, notes)?)
}

/// Reads the text of a file called `name`.
pub(super) fn text_of(
    name: &str,
    text: &str,
    policy: &PolicyKeys<'_>,
    notes: &mut Vec<String>,
) -> Result<Layer, Mistake> {
    // Other sections of a policy are none of our business: there the last one wins.
    let expected = "sections and keys such as `posturebeat.period: 4h`";
    let table = tree::parse(name, text, expected, fleet::is_policy_key)?;
    let table = if table.keys().any(|key| fleet::is_policy_key(key)) {
        fleet::translate(name, table, policy, notes)?
    } else {
        unalias(table, name, notes)?
    };
    Ok(Layer { table })
}

/// Reads `-E key=value`.
pub(super) fn override_of(key: &str, value: &str, notes: &mut Vec<String>) -> Result<Layer, ConfigError> {
    let name = format!("-E {key}");
    let location = SourceLocation { source: name.clone(), ..SourceLocation::default() };
    let mut table = Map::new();
    tree::set(&mut table, &tree::segments(key), tree::parse_flat(&name, value)?, &location)?;
    Ok(Layer { table: unalias(table, &name, notes)? })
}

/// Lays each layer over those before it.
pub(super) fn merge(layers: Vec<Layer>, notes: &mut Vec<String>) -> Value {
    let mut lists = BTreeMap::new();
    for layer in &layers {
        for (key, value) in &layer.table {
            lengths(key, value, &mut lists);
        }
    }
    // The crate's builder is no use: it treats keys as paths (`a[4000000000]` allocates that list), and loses the
    // locations of sections.
    let mut merged = Value::new(None, ValueKind::Table(Map::new()));
    for mut layer in layers {
        add_up(&merged, &mut layer.table);
        layer.collect_to(&mut merged).expect("a layer is in memory and cannot fail to be collected");
    }
    for (key, (length, source)) in lists {
        if let Some(ValueKind::Array(items)) = tree::find(&merged, &key).map(|value| &value.kind)
            && items.len() > length
        {
            notes.push(format!(
                "`{key}` in {source} has {length} of the list's {} items: as in a Beat, lists merge item by item and the rest of the earlier list stays",
                items.len()
            ));
        }
    }
    merged
}

/// Puts the items of earlier layers in front of a layer's own, for lists that add up.
fn add_up(earlier: &Value, table: &mut Map<String, Value>) {
    let Some(ValueKind::Table(section)) = table.get_mut(SECTION).map(|section| &mut section.kind) else {
        return;
    };
    for key in ADD_UP {
        let before = tree::find(earlier, &tree::dotted(SECTION, key)).map(|list| &list.kind);
        let own = section.get_mut(key).map(|list| &mut list.kind);
        if let (Some(ValueKind::Array(before)), Some(ValueKind::Array(own))) = (before, own) {
            own.splice(0..0, before.iter().cloned());
        }
    }
}

/// The lengths of all lists in `value`, and their sources.
fn lengths(key: &str, value: &Value, lists: &mut BTreeMap<String, (usize, String)>) {
    if key
        .strip_prefix(SECTION)
        .and_then(|key| key.strip_prefix('.'))
        .is_some_and(|key| ADD_UP.contains(&key))
    {
        return;
    }
    match &value.kind {
        ValueKind::Array(items) => {
            let source = SourceLocation::find(value).map(|location| location.source).unwrap_or_default();
            lists.insert(key.to_owned(), (items.len(), source));
        }
        ValueKind::Table(table) => {
            for (name, value) in table {
                lengths(&format!("{key}.{name}"), value, lists);
            }
        }
        _ => {}
    }
}

/// Renames the section `cloudbeat` to `posturebeat`.
fn unalias(
    mut table: Map<String, Value>,
    source: &str,
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>, Mistake> {
    if let Some(section) = table.remove(ALIAS) {
        notes.push(format!("the section `{ALIAS}` in {source} is read as `{SECTION}`"));
        let location = SourceLocation::find(&section).unwrap_or_default();
        tree::set(&mut table, &[SECTION], section, &location)?;
    }
    Ok(table)
}

/// Lays `over` over `base`.
fn lay(base: &mut Value, over: Value) {
    let origin = over.origin().map(str::to_owned);
    match (&mut base.kind, over.kind) {
        // An empty section changes nothing; an empty key resets its value.
        (ValueKind::Table(_), ValueKind::Nil) => {}
        (ValueKind::Table(table), ValueKind::Table(more)) => lay_tables(table, more),
        (ValueKind::Array(items), ValueKind::Array(more)) => {
            let mut more = more.into_iter();
            for (item, over) in items.iter_mut().zip(more.by_ref()) {
                lay(item, over);
            }
            items.extend(more);
        }
        (ValueKind::Array(items), ValueKind::Table(more)) if tree::is_indexed(&more) => {
            let mut table = tree::indexed(std::mem::take(items));
            lay_tables(&mut table, more);
            base.kind = ValueKind::Table(table);
        }
        (_, kind) => *base = Value::new(origin.as_ref(), kind),
    }
}

fn lay_tables(base: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match base.get_mut(&key) {
            Some(old) => lay(old, value),
            None => drop(base.insert(key, value)),
        }
    }
}

// === impl Layer ===

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, config::ConfigError> {
        Ok(self.table.clone())
    }

    fn collect_to(&self, cache: &mut Value) -> Result<(), config::ConfigError> {
        lay(cache, Value::new(None, ValueKind::Table(self.collect()?)));
        Ok(())
    }
}

/// Without the values: there are passwords among them.
impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer").finish_non_exhaustive()
    }
}

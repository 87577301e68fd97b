//! The section `output`: which kinds there are is passed in, and exactly one may be enabled.
//!
//! In: the expanded tree and the kinds, each an [`OutputSection`]. Out: the settings of the enabled one. This room
//! names no output: a kind brings its form and its check, and is read like every other section.

use config::{Value, ValueKind};

use super::catalogue::{CatalogueOutput, KeyCatalogue, OUTPUT};
use super::form::{Checker, FormDescription, SectionForm, UnsupportedKeys};
use super::location::SourceLocation;
use super::mistake::Mistake;
use super::read;
use super::tree::{self, dotted};

/// The form of one kind of output.
pub trait OutputForm: SectionForm {
    /// Its key below `output.`.
    const NAME: &'static str;
    /// Whether a Fleet policy may choose it: its `type` is then [`OutputForm::NAME`].
    const IN_POLICIES: bool = false;
}

/// A kind of output, as far as the configuration is concerned; `O` is what its check returns.
pub struct OutputSection<O> {
    name: &'static str,
    in_policies: bool,
    unsupported: UnsupportedKeys,
    description: FormDescription,
    read: fn(&Value, &Checker<'_>, &KeyCatalogue) -> Result<O, Mistake>,
}

impl<O> OutputSection<O> {
    /// The kind with the form `F`.
    pub const fn of<F: OutputForm<Settings = O>>() -> Self {
        Self {
            name: F::NAME,
            in_policies: F::IN_POLICIES,
            unsupported: F::UNSUPPORTED,
            description: FormDescription::of::<F>(),
            read: |value, checker, catalogue| {
                read::read_at::<F>(value, &dotted(OUTPUT, F::NAME), catalogue)?.check(checker)
            },
        }
    }

    /// Its key below `output.`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn catalogued(&self) -> CatalogueOutput {
        CatalogueOutput { name: self.name, in_policies: self.in_policies, description: self.description }
    }

    pub(super) fn unsupported(&self) -> impl Iterator<Item = (String, &'static str)> {
        let section = dotted(OUTPUT, self.name);
        self.unsupported.iter().map(move |(key, instead)| (dotted(&section, key), *instead))
    }
}

/// Reads and checks the enabled output. Disabled ones are gone from `tree` already.
pub(super) fn resolve<O>(
    outputs: &[OutputSection<O>],
    tree: &Value,
    catalogue: &KeyCatalogue,
) -> Result<Option<O>, Mistake> {
    let Some(section) = tree::find(tree, OUTPUT) else { return Ok(None) };
    let table = match &section.kind {
        ValueKind::Table(table) => table,
        ValueKind::Nil => return Ok(None),
        _ => return Err(read::expected(section, OUTPUT, "a section with keys")),
    };
    let mut enabled = Vec::new();
    for (name, value) in tree::in_order(table) {
        let Some(output) = outputs.iter().find(|output| output.name == name) else {
            return Err(unknown(name, value, catalogue));
        };
        enabled.push((output, value));
    }
    match enabled.as_slice() {
        [] => Ok(None),
        [(output, value)] => {
            let checker = Checker::new(tree).section(OUTPUT).section(output.name);
            (output.read)(value, &checker, catalogue).map(Some)
        }
        [.., (_, last)] => {
            let named = enabled.iter().map(|(output, value)| {
                let at = SourceLocation::find(value).unwrap_or_default().of_key();
                format!("`{}` ({at})", dotted(OUTPUT, output.name))
            });
            let named = named.collect::<Vec<_>>().join(", ");
            let message = format!(
                "more than one output is enabled: {named}; remove all but one, or set `enabled: false`"
            );
            Err(Mistake::at_key(SourceLocation::find(last).as_ref(), message))
        }
    }
}

fn unknown(name: &str, value: &Value, catalogue: &KeyCatalogue) -> Mistake {
    let hint = match catalogue.nearest(&dotted(OUTPUT, name)) {
        Some(nearest) => format!("did you mean `{nearest}`? "),
        None => String::new(),
    };
    let message = format!("unknown output `{name}`; {hint}expected one of {}", catalogue.output_names());
    Mistake::at_key(SourceLocation::find(value).as_ref(), message)
}

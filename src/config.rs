//! Configuration: files, `-E` overrides and the environment become validated [`Settings`].
//!
//! In: [`Sources`], everything that a user can write, with the environment as a parameter, and the kinds of output,
//! each an [`OutputSection`]. Out: [`Loaded`], the settings and notes for the log.
//!
//! On the way: each file is read into a tree that knows its positions (`tree`), a Fleet policy is translated to our
//! own keys (`fleet`), the trees are merged (`layer`), `${…}` is resolved (`expand`), sections are read into their
//! forms (`read`) and checked (`form`). `settings` has one file a section; outputs bring their own forms (`outputs`).
//! Exceptions are read separately, with all their mistakes (`exceptions`).

mod catalogue;
mod error;
mod exceptions;
mod expand;
mod fleet;
mod form;
mod keystore;
mod layer;
mod location;
mod mistake;
mod outputs;
mod permissions;
mod read;
pub mod settings;
mod template;
mod tree;
mod values;
mod yaml_node;

#[cfg(test)]
mod tests;

use secrecy::ExposeSecret as _;
use std::path::PathBuf;

/// The keystore's name in `path.data`.
const KEYSTORE: &str = "posturebeat.keystore";

use catalogue::KeyCatalogue;
pub use error::ConfigError;
pub use exceptions::ExceptionEntry;
use exceptions::ExceptionList;
pub use fleet::FleetInput;
use fleet::PolicyKeys;
use form::FormDescription;
pub use form::{Checker, SectionForm, UnsupportedKeys};
pub use keystore::{Keystore, KeystoreError};
pub use mistake::Mistake;
pub use outputs::{OutputForm, OutputSection};
pub use settings::{AssumeRole, Aws, AwsKeys, Http, Logging, Posture, Queue, Settings, Setup};
use settings::{PathForm, SettingsForm};
pub use values::{Secret, Span};

/// Everything that a configuration is made of, the later over the earlier.
pub struct Sources<'a> {
    /// `-c`, in the order given.
    pub files: Vec<PathBuf>,
    /// Read if it exists and no `-c` is given.
    pub default_file: Option<PathBuf>,
    /// `-E key=value`, in the order given.
    pub overrides: Vec<(String, String)>,
    /// The environment, for `${NAME}`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Refuse files that other users can write (`--strict.perms`).
    pub strict_perms: bool,
    /// The Fleet inputs that a policy may hold, asked for when a file is a policy.
    pub fleet_inputs: fn() -> Vec<FleetInput>,
}

/// A configuration, read and checked.
#[derive(Debug, Clone)]
pub struct Loaded<O> {
    /// The settings.
    pub settings: Settings,
    /// The enabled output. `None`: none is configured.
    pub output: Option<O>,
    /// Lines to log once: what was read in another sense than written, or not at all.
    pub notes: Vec<String>,
}

/// Reads and checks a configuration that may choose one of `outputs`.
pub fn load<O>(sources: &Sources<'_>, outputs: &[OutputSection<O>]) -> Result<Loaded<O>, ConfigError> {
    let catalogue = catalogue(outputs);
    let mut notes = Vec::new();
    let mut merged = merge(sources, &catalogue, &mut notes)?;
    let keystore = keystore_of(&merged, sources)?;
    // A variable wins over a secret with the same name, as in a Beat.
    let env = |name: &str| {
        let secret = || keystore.get(name).map(|secret| secret.expose_secret().to_owned());
        (sources.env)(name).filter(|text| !text.is_empty()).or_else(secret)
    };
    let written = exceptions::take(&mut merged);
    let mut exceptions = ExceptionList::default();
    if let Some(written) = &written {
        exceptions.inline(written, &|value, key| expand::expand_one(&merged, value, key, &env));
    }
    let resolved = expand::expand(&merged, &env).and_then(|tree| {
        let settings = check(&tree, sources, &catalogue, &mut exceptions)?;
        Ok((settings, outputs::resolve(outputs, &tree, &catalogue)?))
    });
    let ExceptionList { found, mut mistakes } = exceptions;
    match resolved {
        Ok((mut settings, output)) => {
            settings.posture.exceptions = found;
            if mistakes.is_empty() {
                return Ok(Loaded { settings, output, notes });
            }
            Err(ConfigError::Exceptions { mistakes, settings: Some(Box::new(settings)) })
        }
        Err(mistake) if mistakes.is_empty() => Err(mistake.into()),
        Err(mistake) => {
            mistakes.insert(0, mistake);
            Err(ConfigError::Exceptions { mistakes, settings: None })
        }
    }
}

/// The keystore that a configuration names, whether or not the rest is valid.
pub fn keystore<O>(sources: &Sources<'_>, outputs: &[OutputSection<O>]) -> Result<Keystore, ConfigError> {
    keystore_of(&merge(sources, &catalogue(outputs), &mut Vec::new())?, sources)
}

fn keystore_of(merged: &config::Value, sources: &Sources<'_>) -> Result<Keystore, ConfigError> {
    let written = |key: &str| -> Result<Option<PathBuf>, Mistake> {
        let Some(value) = tree::find(merged, key) else { return Ok(None) };
        // The keystore cannot hold its own path.
        let value = expand::expand_one(merged, value, key, sources.env)?;
        Ok(value.into_string().ok().filter(|text| !text.is_empty()).map(PathBuf::from))
    };
    let path = match written("keystore.path")? {
        Some(path) => path,
        None => written("path.data")?.unwrap_or_else(|| PathForm::default().data).join(KEYSTORE),
    };
    Ok(Keystore::open(&path, sources.strict_perms)?)
}

/// All keys: those of our sections and those of the outputs.
fn catalogue<O>(outputs: &[OutputSection<O>]) -> KeyCatalogue {
    KeyCatalogue {
        file: FormDescription::of::<SettingsForm>(),
        outputs: outputs.iter().map(OutputSection::catalogued).collect(),
        unsupported: settings::unsupported()
            .chain(outputs.iter().flat_map(OutputSection::unsupported))
            .collect(),
    }
}

/// Files and overrides, merged.
fn merge(
    sources: &Sources<'_>,
    catalogue: &KeyCatalogue,
    notes: &mut Vec<String>,
) -> Result<config::Value, ConfigError> {
    let policy = PolicyKeys { catalogue, inputs: sources.fleet_inputs };
    let mut layers = Vec::new();
    let default_file = sources.default_file.iter().filter(|file| sources.files.is_empty() && file.exists());
    for file in sources.files.iter().chain(default_file) {
        layers.push(layer::file(file, sources.strict_perms, &policy, notes)?);
    }
    for (key, value) in &sources.overrides {
        layers.push(layer::override_of(key, value, notes)?);
    }
    Ok(layer::merge(layers, notes))
}

/// All settings except outputs and inline exceptions; files of exceptions are read on the way.
fn check(
    tree: &config::Value,
    sources: &Sources<'_>,
    catalogue: &KeyCatalogue,
    exceptions: &mut ExceptionList,
) -> Result<Settings, Mistake> {
    let form: SettingsForm = read::read(tree, catalogue)?;
    let files = form.posturebeat.exceptions_files.clone();
    let settings = form.check(&Checker::new(tree))?;
    exceptions.files(&files, tree, sources.strict_perms);
    Ok(settings)
}

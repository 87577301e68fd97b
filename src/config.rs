//! Configuration: files, `-E` overrides and the environment become validated [`Settings`].
//!
//! In: [`Sources`], everything that a person may have written, the environment as a parameter.
//! Out: [`Loaded`], the settings and what is worth one log line about them. On the way: each file is
//! read into a tree that knows its positions (`tree`), a Fleet policy is translated to our own keys
//! (`fleet`), the trees are laid over each other (`layer`), `${…}` is resolved (`expand`), the result
//! is read into structs that mirror the file (`read`, `raw`), and those are checked (`resolve`). Exceptions are
//! read on their own, with all their mistakes (`exceptions`).

mod aws;
mod elasticsearch;
mod error;
mod exceptions;
mod expand;
mod fleet;
mod hosts;
mod keys;
mod keystore;
mod layer;
mod leader_election;
mod monitoring;
mod node;
mod permissions;
mod place;
mod raw;
mod read;
mod resolve;
pub mod settings;
mod template;
mod tree;
mod unsupported;
mod values;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use secrecy::ExposeSecret as _;
use std::path::PathBuf;

/// The keystore's name in `path.data`.
const KEYSTORE: &str = "posturebeat.keystore";

pub use error::{ConfigError, Mistake};
pub use fleet::FleetInput;
pub use keystore::{Keystore, KeystoreError};
pub use settings::{
    AssumeRole, Auth, Aws, AwsKeys, Elasticsearch, Exception, FileOutput, Http, Logging, Output, Posture,
    Queue, Settings, Setup, Tls, Verification,
};

/// Everything that a configuration is made of, the later over the earlier.
pub struct Sources<'a> {
    /// `-c`, in the order given.
    pub files: Vec<PathBuf>,
    /// Read when no `-c` is given and it exists.
    pub default_file: Option<PathBuf>,
    /// `-E key=value`, in the order given.
    pub overrides: Vec<(String, String)>,
    /// The environment, for `${NAME}`.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Whether a file that others could have written is refused (`--strict.perms`).
    pub strict_perms: bool,
    /// The Fleet inputs that a policy may hold, asked for when a file is a policy.
    pub fleet_inputs: fn() -> Vec<FleetInput>,
}

/// What [`load`] made of its sources.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// To be logged once, each as a line: what was taken in another sense than written, or not at all.
    pub notes: Vec<String>,
}

/// Reads and checks a configuration.
pub fn load(sources: &Sources<'_>) -> Result<Loaded, ConfigError> {
    let mut notes = Vec::new();
    let mut merged = merge(sources, &mut notes)?;
    let keystore = keystore_of(&merged, sources)?;
    // A variable wins over a secret of that name, as in a Beat.
    let env = |name: &str| {
        let secret = || keystore.get(name).map(|secret| secret.expose_secret().to_owned());
        (sources.env)(name).filter(|text| !text.is_empty()).or_else(secret)
    };
    let written = exceptions::take(&mut merged);
    let mut exceptions = exceptions::Exceptions::default();
    if let Some(written) = &written {
        exceptions.inline(written, &|value, key| expand::expand_one(&merged, value, key, &env));
    }
    let settings = understand(&merged, sources, &env, &mut exceptions);
    let exceptions::Exceptions { found, mut mistakes } = exceptions;
    match settings {
        Ok(mut settings) => {
            settings.posture.exceptions = found;
            if mistakes.is_empty() {
                return Ok(Loaded { settings, notes });
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

/// The keystore that a configuration names, whatever else is written in it.
pub fn keystore(sources: &Sources<'_>) -> Result<Keystore, ConfigError> {
    keystore_of(&merge(sources, &mut Vec::new())?, sources)
}

fn keystore_of(merged: &config::Value, sources: &Sources<'_>) -> Result<Keystore, ConfigError> {
    let written = |key: &str| -> Result<Option<PathBuf>, Mistake> {
        let Some(value) = tree::find(merged, key) else { return Ok(None) };
        // Where the keystore is cannot stand in it.
        let value = expand::expand_one(merged, value, key, sources.env)?;
        Ok(value.into_string().ok().filter(|text| !text.is_empty()).map(PathBuf::from))
    };
    let path = match written("keystore.path")? {
        Some(path) => path,
        None => written("path.data")?.unwrap_or_else(|| raw::RawPath::default().data).join(KEYSTORE),
    };
    Ok(Keystore::open(&path, sources.strict_perms)?)
}

/// Files and overrides, laid over each other.
fn merge(sources: &Sources<'_>, notes: &mut Vec<String>) -> Result<config::Value, ConfigError> {
    let mut layers = Vec::new();
    let default_file = sources.default_file.iter().filter(|file| sources.files.is_empty() && file.exists());
    for file in sources.files.iter().chain(default_file) {
        layers.push(layer::file(file, sources.strict_perms, sources.fleet_inputs, notes)?);
    }
    for (key, value) in &sources.overrides {
        layers.push(layer::override_of(key, value, notes)?);
    }
    Ok(layer::merge(layers, notes))
}

/// Everything but what is written of exceptions; their files are read on the way.
fn understand(
    merged: &config::Value,
    sources: &Sources<'_>,
    env: &dyn Fn(&str) -> Option<String>,
    exceptions: &mut exceptions::Exceptions,
) -> Result<Settings, Mistake> {
    let tree = expand::expand(merged, env)?;
    let raw: raw::Raw = read::read(&tree)?;
    let files = raw.posturebeat.exceptions_files.clone();
    let settings = resolve::resolve(raw, &tree)?;
    exceptions.files(&files, &tree, sources.strict_perms);
    Ok(settings)
}

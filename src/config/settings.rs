//! The settings that the program runs with, and the sections of the file that they come from.
//!
//! One file a section: its form, its check, its settings. A section is its file and one line in `sections!` below;
//! reading, the catalogue of keys, the reference file and the checks follow from that line.

mod http;
mod keystore;
mod logging;
mod output;
mod path;
mod posturebeat;
mod queue;
mod setup;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

use super::form::{Checker, SectionForm, UnsupportedKeys};
use super::mistake::Mistake;
pub use http::Http;
pub use logging::Logging;
pub(super) use path::PathForm;
pub use posturebeat::{AssumeRole, Aws, AwsKeys, LeaderElection, Posture};
pub(super) use posturebeat::{is_credentials_type, merge};
pub use queue::Queue;
pub use setup::Setup;

/// `KEY: FORM => FIELD: SETTINGS` makes [`SettingsForm`], what the file may say, and [`Settings`], what the program gets. A
/// section without `=> FIELD: SETTINGS` is used before settings are made.
macro_rules! sections {
    ($($(#[doc = $text:literal])+ $key:ident: $form:ty $(=> $field:ident: $settings:ty)?,)+) => {
        /// The whole file, defaults filled in.
        #[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub(super) struct SettingsForm {
            $($(#[doc = $text])+ pub $key: $form,)+
            /// The name of this shipper, in `agent.name` and `host.name`. Default: the host name.
            #[schemars(example = &"node-1")]
            pub name: Option<String>,
        }

        /// All settings, checked, with every default.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $($(
                #[doc = concat!("The section `", stringify!($key), "`.")]
                pub $field: $settings,
            )?)+
            /// The name of this shipper. `None`: the host name.
            pub name: Option<String>,
        }

        impl SectionForm for SettingsForm {
            type Settings = Settings;

            fn check(self, checker: &Checker<'_>) -> Result<Settings, Mistake> {
                Ok(Settings {
                    $($($field: self.$key.check(&checker.section(stringify!($key)))?,)?)+
                    name: self.name.filter(|name| !name.is_empty()),
                })
            }
        }

        /// The names of the sections.
        pub(super) const SECTIONS: &[&str] = &[$(stringify!($key)),+];

        /// Each section's keys that only Beats have.
        const UNSUPPORTED: &[(&str, UnsupportedKeys)] =
            &[$((stringify!($key), <$form as SectionForm>::UNSUPPORTED)),+];
    };
}

sections! {
    /// What is checked, and how often. `cloudbeat:` is another name of this section.
    posturebeat: posturebeat::PosturebeatForm => posture: Posture,
    /// Where findings go. At most one output may be enabled; `scan`, and `run` with recorded input, need none.
    output: output::AnyOutputForm,
    /// How findings wait for the output.
    queue: queue::QueueForm => queue: Queue,
    /// What `run` sets up in the output's store before the first finding.
    setup: setup::SetupForm => setup: Setup,
    /// Logging. Logs go to stderr.
    logging: logging::LoggingForm => logging: Logging,
    /// The monitoring endpoint, also for Prometheus.
    http: http::HttpForm => http: Option<Http>,
    /// Directories.
    path: path::PathForm => data_path: PathBuf,
    /// The keystore, for secrets that this file refers to as `${NAME}`: see `posturebeat keystore`.
    keystore: keystore::KeystoreForm,
}

/// Sections that only Beats have.
const UNSUPPORTED_SECTIONS: UnsupportedKeys = &[
    ("cloud", "set the `hosts` of the output"),
    ("features", ""),
    ("fields", ""),
    ("fields_under_root", ""),
    ("gc_percent", ""),
    ("instrumentation", ""),
    ("management", ""),
    ("max_procs", ""),
    ("monitoring", ""),
    ("processors", ""),
    ("seccomp", ""),
    ("tags", ""),
    ("timeseries", ""),
    ("timestamp", ""),
];

/// Dotted keys that only Beats have, each with what to do instead (or nothing).
pub(super) fn unsupported() -> impl Iterator<Item = (String, &'static str)> {
    let of_sections = UNSUPPORTED.iter().flat_map(|(section, keys)| {
        keys.iter().map(move |(key, instead)| (format!("{section}.{key}"), *instead))
    });
    UNSUPPORTED_SECTIONS.iter().map(|(key, instead)| ((*key).to_owned(), *instead)).chain(of_sections)
}

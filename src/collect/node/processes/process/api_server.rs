//! The files that kube-apiserver's flags name and that rules look into.

use serde_json::{Map, Value};

use super::unread::{follow_flag, keep};
use crate::collect::arguments::{self, Arguments};
use crate::collect::config_files::kinds::{self, API_SERVER_FILES};
use crate::collect::node::filesystem::process_view::{ProcessView, beside};
use crate::resource::Unread;

/// Reads the files that the flags name.
pub(super) fn files(
    view: &ProcessView<'_>,
    arguments: &Arguments,
    unread: &mut Vec<Unread>,
) -> Map<String, Value> {
    let mut files = Map::new();
    for (flag, key, expected) in API_SERVER_FILES {
        let at = format!("$.files.{key}");
        // A flag that is out of sight may name a file, or another one.
        if follow_flag(flag, &at, unread) {
            continue;
        }
        let Some(path) = arguments::last(arguments, flag) else { continue };
        let Some(mut content) = keep(Some(view.parse(path, expected)), &at, unread) else { continue };
        if key == "admissionConfiguration" {
            read_plugins(view, path, &mut content, &at, unread);
        }
        files.insert(key.to_owned(), content);
    }
    files
}

/// Inlines the configuration of admission plug-ins that have it in a file of their own.
fn read_plugins(
    view: &ProcessView<'_>,
    admission: &str,
    content: &mut Value,
    at: &str,
    unread: &mut Vec<Unread>,
) {
    let Some(Value::Array(plugins)) = content.get_mut("plugins") else { return };
    for (position, plugin) in plugins.iter_mut().enumerate() {
        let Value::Object(plugin) = plugin else { continue };
        let name = plugin.get("name").and_then(Value::as_str).unwrap_or_default();
        let Some(expected) = kinds::of_plugin(name) else { continue };
        if plugin.contains_key("configuration") {
            continue;
        }
        let path = plugin.get("path").and_then(Value::as_str).filter(|path| !path.is_empty());
        let read = path.map(|path| view.parse(&beside(admission, path), expected));
        let at = format!("{at}.plugins[{position}].configuration");
        plugin.extend(keep(read, &at, unread).map(|content| ("configuration".to_owned(), content)));
    }
}

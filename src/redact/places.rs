//! The places of documents where redaction leaves [`BLANK`].

use super::{BLANK, is_secret_key};
use crate::resource::Kind;

/// What is blanked where, for rule authors: the resource, the place, and which entry of `collect.reveal` lets rules compare
/// it.
pub const BLANKED: &[(&str, &str, Option<&str>)] = &[
    (
        "`k8s_object/ConfigMap`",
        "the values in `data` and `binaryData`, except kube-proxy's `config.conf` and the mappings in `aws-auth`",
        Some("`configmap:NAMESPACE/NAME#KEY`"),
    ),
    (
        "`k8s_object/Secret`",
        "the values in `data` and `stringData`, except the limits of a bootstrap token",
        None,
    ),
    (
        "every `k8s_object`",
        "`value` of the variables in every `env`, such as a container's",
        Some("`env:NAME`"),
    ),
    ("", "`value` of the headers in every `httpHeaders`, such as a probe's", None),
    (
        "",
        "in every `command` and `args`: values of flags and variables whose names hold words such as `token` or `password`",
        None,
    ),
    ("", "the annotation `kubectl.kubernetes.io/last-applied-configuration`", None),
    (
        "every `process`",
        "in `args` and `command`: values of flags whose names hold words such as `token` or `password`",
        None,
    ),
    (
        "",
        "in `config`, `configz` and `files`: fields that are unknown to posturebeat, or hold credentials, and the configuration of admission plugins other than PodSecurity and ImagePolicyWebhook",
        None,
    ),
    (
        "`caas/aws-eks`",
        "in `configurationValues` of add-ons: values whose keys hold such words, or everything if it cannot be parsed",
        None,
    ),
    (
        "all of these",
        "values of keys called `token`, `password`, `secret` or `…-data`, also within text of several lines, and user and password in URLs",
        None,
    ),
];

/// Lists of `{name, value}` whose values are blanked.
const PAIRS: [&str; 2] = ["env", "httpHeaders"];
/// Lists of words, and a command line.
const WORDS: [&str; 2] = ["args", "command"];
/// Maps of a ConfigMap or Secret.
const DATA: [&str; 3] = ["data", "binaryData", "stringData"];

/// Parts of a process that hold parsed files, of which unknown fields are blanked.
pub(super) const FILES: [&str; 3] = ["config", "configz", "files"];
/// The same beside an object.
const RELATED_FILES: [&str; 1] = ["kubeProxy"];

/// Whether redaction left [`BLANK`] in the text at a place, rather than someone else.
pub(super) fn is_blanked(kind: Kind, place: &[String], text: &str) -> bool {
    let Some(at) = text.find(BLANK) else { return false };
    if matches!(kind, Kind::File) {
        return false;
    }
    // In a URL, or in a file within a text, wherever that stands.
    let is_user_info = text[..at].ends_with("://") && text[at + BLANK.len()..].starts_with('@');
    if is_user_info || text.contains('\n') {
        return true;
    }
    let is = |step: Option<&String>, names: &[&str]| step.is_some_and(|step| names.contains(&step.as_str()));
    let mut upward = place.iter().rev();
    let (own, owner, list) = (upward.next(), upward.next(), upward.next());
    own.is_some_and(|own| is_secret_key(own) || own == super::LAST_APPLIED)
        || (is(own, &["value"]) && is(list, &PAIRS))
        || (is(owner, &DATA) && text == BLANK)
        || is(own, &["configurationValues"])
        || (text == BLANK && is_field_of_file(kind, place))
        || place.iter().any(|step| WORDS.contains(&step.as_str()))
}

/// Whether a place is in a parsed file, where whole fields are blanked, whatever they hold.
pub(super) fn is_field_of_file(kind: Kind, place: &[String]) -> bool {
    match place {
        [file, ..] if kind == Kind::Process => FILES.contains(&file.as_str()),
        [related, file, ..] => related == "related" && RELATED_FILES.contains(&file.as_str()),
        _ => false,
    }
}

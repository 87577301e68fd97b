//! Configuration files of components, reduced to the known fields of their kind.
//!
//! In: bytes and the expected kind of file. Out: a JSON document with the known fields of that kind and without
//! secrets; other fields are blanked, so that no rule takes them for absent. A file of another kind is refused: its name comes from a process's arguments, so it may be any file.

pub(crate) mod kinds;

use serde_json::{Map, Value};

use crate::redact;
use crate::resource::{Gap, Reason};
use crate::yaml;
use kinds::FileKind;

/// A malformed file: says where, and never quotes its content.
fn malformed(detail: impl Into<String>) -> Gap {
    Gap::new(Reason::Malformed, detail)
}

/// The first document of a YAML or JSON text; components ignore the rest.
pub(crate) fn first_document(bytes: &[u8]) -> Result<Value, Gap> {
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("not UTF-8"))?;
    // JSON may be indented with tabs, which YAML rejects.
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text)
            .map_err(|error| malformed(format!("line {}, column {}", error.line(), error.column())));
    }
    let documents: Vec<Value> = yaml::all_from_str(text)
        .map_err(|error| malformed(format!("line {}, column {}", error.line, error.column)))?;
    documents
        .into_iter()
        .find(|document| !document.is_null())
        .ok_or_else(|| malformed("the document is empty"))
}

/// Parses a file of the expected kind.
pub(crate) fn parse(expected: &FileKind, bytes: &[u8]) -> Result<Value, Gap> {
    cut(expected, first_document(bytes)?)
}

/// Go's own JSON parser, which reads files without a kind, takes a key in any case; one that is written as it is known
/// counts before others.
pub(crate) fn in_known_case(map: Map<String, Value>, known: &[&str]) -> Map<String, Value> {
    let mut out = Map::new();
    let (exact, other): (Vec<_>, Vec<_>) =
        map.into_iter().partition(|(key, _)| known.contains(&key.as_str()));
    for (key, value) in other {
        let name = known.iter().find(|name| name.eq_ignore_ascii_case(&key));
        out.insert(name.map_or(key, |name| (*name).to_owned()), value);
    }
    out.extend(exact);
    out
}

/// Reduces a document to the known fields of its kind and blanks its secrets.
pub(crate) fn cut(expected: &FileKind, document: Value) -> Result<Value, Gap> {
    let Value::Object(mut map) = document else { return Err(malformed("expected a map")) };
    if !expected.admits(&map) {
        let names: Vec<&str> = expected.kinds.iter().map(|(kind, _)| *kind).collect();
        return Err(malformed(format!("expected kind {}", names.join(" or "))));
    }
    let declares_kind = !expected.kinds.is_empty();
    if !declares_kind {
        map = in_known_case(map, expected.fields);
    }
    map.retain(|key, value| {
        let is_kept = expected.fields.contains(&key.as_str())
            || (declares_kind && (key == "kind" || key == "apiVersion"));
        if !is_kept {
            *value = redact::BLANK.into();
        }
        // Of a file that declares no kind, not even the names of fields can be trusted to be no secrets.
        is_kept || declares_kind
    });
    (expected.shape)(&mut map);
    let mut document = Value::Object(map);
    redact::document(&mut document);
    Ok(document)
}

#[cfg(test)]
mod tests {
    use super::kinds::{ADMISSION, AUDIT_POLICY, ENCRYPTION, ETCD, KUBELET};
    use super::*;
    use crate::redact::BLANK;
    use serde_json::json;

    #[test]
    fn a_file_of_another_kind_gives_nothing() {
        let refusal = parse(&KUBELET, b"kind: Secret\napiVersion: v1\ndata: {a: canary}\n").unwrap_err();
        assert_eq!(refusal.reason, Reason::Malformed);
        assert_eq!(refusal.what, "expected kind KubeletConfiguration");
        assert!(parse(&KUBELET, b"kind: KubeletConfiguration\n").is_err(), "no apiVersion");
        assert!(parse(&KUBELET, b"root:x:0:0:canary\n").is_err());
        assert!(parse(&AUDIT_POLICY, b"kind: Policy\napiVersion: other.io/v1\n").is_err());
    }

    #[test]
    fn a_key_of_etcds_file_counts_in_any_case() {
        let text = b"Data-Dir: /d\nPEER-TRANSPORT-SECURITY: {Auto-TLS: true}\nClient-Transport-Security: {auto-tls: false, AUTO-TLS: true}\n";
        let expected = json!({"data-dir": "/d", "peer-transport-security": {"auto-tls": true},
            "client-transport-security": {"auto-tls": false}});
        assert_eq!(parse(&ETCD, text), Ok(expected));
    }

    #[test]
    fn an_error_names_the_place_and_no_content() {
        let refusal = parse(&KUBELET, b"a: 1\nb: [canary\n").unwrap_err();
        assert!(refusal.what.starts_with("line "), "{}", refusal.what);
        assert!(!refusal.what.contains("canary"));
    }

    #[test]
    fn unknown_fields_are_blanked() {
        let text = b"kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\n\
            readOnlyPort: 0\nextra: canary\nstaticPodURLHeader: {Authorization: [canary]}\n";
        let document = parse(&KUBELET, text).unwrap();
        assert_eq!(document["readOnlyPort"], 0);
        assert!(!document.to_string().contains("canary"));
        assert_eq!([&document["extra"], &document["staticPodURLHeader"]], [BLANK; 2], "and are not absent");

        let etcd =
            parse(&ETCD, b"name: a\nroot: canary\nclient-transport-security: {cert-file: /x, y: canary}\n");
        assert_eq!(etcd.unwrap(), json!({"name": "a", "client-transport-security": {"cert-file": "/x"}}));
    }

    #[test]
    fn json_may_be_indented_with_tabs_and_only_the_first_document_counts() {
        let json = b"{\n\t\"kind\": \"KubeletConfiguration\",\n\t\"apiVersion\": \"kubelet.config.k8s.io/v1beta1\",\n\t\"readOnlyPort\": 1\n}";
        assert_eq!(parse(&KUBELET, json).unwrap()["readOnlyPort"], 1);
        let two =
            b"kind: KubeletConfiguration\napiVersion: kubelet.config.k8s.io/v1beta1\nport: 1\n---\nport: 2\n";
        assert_eq!(parse(&KUBELET, two).unwrap()["port"], 1);
    }

    #[test]
    fn encryption_shows_providers_and_no_key() {
        let text = br"
kind: EncryptionConfiguration
apiVersion: apiserver.config.k8s.io/v1
resources:
- resources: [secrets]
  providers:
  - aescbc: {keys: [{name: key1, secret: canary}], more: canary}
  - kms: {apiVersion: v2, name: vault, endpoint: unix:///run/kms.sock, token: canary}
  - identity: {}
";
        let document = parse(&ENCRYPTION, text).unwrap();
        assert!(!document.to_string().contains("canary"), "{document}");
        let providers = &document["resources"][0]["providers"];
        assert_eq!(providers[0], json!({"aescbc": {"keys": [{"name": "key1", "secret": BLANK}]}}));
        assert_eq!(providers[1]["kms"]["endpoint"], "unix:///run/kms.sock");
        assert_eq!(providers[2], json!({"identity": {}}));
    }

    #[test]
    fn the_old_encryption_kind_is_read() {
        assert!(parse(&ENCRYPTION, b"kind: EncryptionConfig\napiVersion: v1\nresources: []\n").is_ok());
        assert!(parse(&ENCRYPTION, b"kind: EncryptionConfig\nresources: []\n").is_err());
    }

    #[test]
    fn of_plug_ins_only_those_that_rules_ask_about_show_their_configuration() {
        let text = br"
kind: AdmissionConfiguration
apiVersion: apiserver.config.k8s.io/v1
plugins:
- name: PodSecurity
  configuration:
    kind: PodSecurityConfiguration
    apiVersion: pod-security.admission.config.k8s.io/v1
    defaults: {enforce: baseline}
- name: ImagePolicyWebhook
  configuration: {imagePolicy: {kubeConfigFile: /x.conf, defaultAllow: false, other: canary}, more: canary}
- name: EventRateLimit
  configuration: {limits: canary}
";
        let document = parse(&ADMISSION, text).unwrap();
        assert_eq!(document["plugins"][0]["configuration"]["defaults"]["enforce"], "baseline");
        assert_eq!(
            document["plugins"][1]["configuration"],
            json!({"imagePolicy": {"kubeConfigFile": "/x.conf", "defaultAllow": false}})
        );
        assert_eq!(document["plugins"][2], json!({"name": "EventRateLimit", "configuration": BLANK}));
    }
}

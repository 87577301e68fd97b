//! How a configuration may be written, and what in it is never left out in silence or taken for something else.

use super::Files;

const POLICY: &str = "
id: p
outputs:
  default:
    type: elasticsearch
    hosts: ['https://es:9200']
inputs:
  - {id: c, type: cloudbeat/cis_k8s, use_output: default, streams: []}
";

/// The policy with one more line in its output.
fn with(line: &str) -> Files {
    Files::new(&POLICY.replace("    hosts:", &format!("    {line}\n    hosts:")))
}

#[test]
fn comments_may_be_long_in_a_configuration_and_in_a_policy() {
    let comments = "  # why it is so\n".repeat(400);
    let own = format!("output.elasticsearch:\n{comments}  hosts:\n{comments}  - es\n");
    assert_eq!(Files::new(&own).elasticsearch().hosts, ["http://es:9200"]);
    let policy = with(&format!("# why\n{comments}"));
    assert_eq!(policy.elasticsearch().hosts, ["https://es:9200"]);
}

#[test]
fn a_configuration_may_come_from_windows() {
    let files = Files::new("\u{feff}output.elasticsearch:\r\n  # why\r\n  hosts: [es]\r\n");
    assert_eq!(files.elasticsearch().hosts, ["http://es:9200"]);
}

#[test]
fn a_key_of_a_policy_that_decides_is_found_in_every_style() {
    for (line, named) in [
        ("ssl: {certificate: /c.pem, key: /c.key}", "ssl.certificate"),
        ("ssl.key_passphrase: x", "ssl.key_passphrase"),
        ("ssl: {supported_protocols: [TLSv1.2]}", "ssl.supported_protocols"),
        ("proxy_headers: {a: b}", "proxy_headers"),
        ("parameters: {pipeline: x}", "parameters"),
        ("kerberos: {enabled: true}", "kerberos"),
        ("index: mine", "index"),
    ] {
        let wanted = format!(
            "`outputs.default.{named}` is not supported (yet), and findings must not be sent without it: remove it if they may"
        );
        let error = with(line).error();
        assert!(error.starts_with("1.yml:6:") && error.ends_with(&wanted), "{error}");
    }
}

#[test]
fn a_key_that_decides_is_refused_in_a_file_of_ones_own_too() {
    let not_supported = "is a setting of Beats that is not supported (yet): remove it";
    for (lines, at, key) in [
        ("  proxy_url: http://proxy:3128\n", "1.yml:3:3", "proxy_url"),
        ("  headers: {X-Tenant: a}\n", "1.yml:3:3", "headers"),
        ("  ssl:\n    certificate: /c.pem\n    key: /c.key\n", "1.yml:4:5", "ssl.certificate"),
    ] {
        let error = Files::new(&format!("output.elasticsearch:\n  hosts: [es]\n{lines}")).error();
        assert_eq!(error, format!("{at}: `output.elasticsearch.{key}` {not_supported}"));
    }
    let key = "output.elasticsearch.proxy_url";
    let error = Files::new("output.elasticsearch.hosts: [es]").set(key, "http://proxy:3128").error();
    assert_eq!(error, format!("-E {key}: `{key}` {not_supported}"));
}

#[test]
fn a_pattern_is_no_name_wherever_it_comes_from() {
    let wanted = "`%{…}` is not supported (yet): write a fixed name";
    let by_hand = Files::new("output.file.path: out").set("output.file.filename", "pb-%{+yyyy.MM.dd}");
    assert_eq!(by_hand.error(), format!("-E output.file.filename: `output.file.filename`: {wanted}"));
    let of_default = Files::new("output.file.path: '${X:out-%{+yyyy}}'");
    assert_eq!(of_default.error(), format!("1.yml:1:19: `output.file.path`: {wanted}"));
    let of_variable = Files::new("output.file.path: '${X}'").env("X", "out-%{[agent.name]}");
    assert_eq!(of_variable.error(), format!("1.yml:1:19: `output.file.path`: {wanted}"));
    assert_eq!(
        Files::new("output.file: {path: out, codec.format.string: '%{[message]}'}").error(),
        "1.yml:1:26: `output.file.codec` is a setting of Beats that is not supported (yet): remove it"
    );
}

#[test]
fn a_mistyped_key_has_its_place_in_the_file_that_holds_it() {
    let files = Files::new("output.elasticsearch.hosts: [es]\n")
        .and("output:\n  elasticsearch:\n    ssl:\n      verification_mod: none\n");
    assert_eq!(
        files.error(),
        "2.yml:4:7: unknown key `output.elasticsearch.ssl.verification_mod`; did you mean `output.elasticsearch.ssl.verification_mode`?"
    );
}

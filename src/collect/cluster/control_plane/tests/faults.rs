//! Answers that are old, odd, broken or secret: an error, never a verdict.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::api::{Api, Shown, flagz, refused, stock};
use super::{outcomes, seen};
use crate::evaluate::Outcome;
use crate::resource::{Reason, Resource};

fn stock_with(more: &[(&str, &str)]) -> Shown {
    let words = stock();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    Shown { flagz: (200, flagz(&words, more)), ..Shown::default() }
}

fn reason(resource: &Resource) -> Reason {
    assert!(resource.is_unlisted(), "{resource:?}");
    resource.unread[0].gap.reason
}

#[test]
fn an_older_form_is_asked_for_where_the_newer_is_refused() {
    let versioned = |wanted: &'static str| {
        Api::new(move |path, accept| match path {
            "/flagz" if accept == format!("application/json;v={wanted};g=config.k8s.io;as=Flagz") => {
                stock_with(&[]).flagz
            }
            "/flagz" => refused(406),
            _ => refused(404),
        })
    };
    for wanted in ["v1beta1", "v1alpha1"] {
        assert_eq!(seen(&versioned(wanted)).raw["source"], "/flagz", "{wanted}");
    }
    assert_eq!(reason(&seen(&versioned("v1"))), Reason::Unavailable);
}

#[test]
fn what_is_no_list_of_an_api_server_s_flags_is_malformed() {
    let answer = |change: &dyn Fn(&mut Value)| {
        let mut answer: Value = serde_json::from_str(&stock_with(&[]).flagz.1).unwrap();
        change(&mut answer);
        answer.to_string()
    };
    for text in [
        String::new(),
        "null".into(),
        "{}".into(),
        "[]".into(),
        "<html>a proxy's login page</html>".into(),
        "\nkubernetes flagz\n\nprofiling=false\n".into(),
        json!({"kind": "Status", "code": 200}).to_string(),
        answer(&|it| it["kind"] = "Statusz".into()),
        answer(&|it| it["apiVersion"] = "v1".into()),
        answer(&|it| it["flags"] = json!({})),
        answer(&|it| it["flags"] = json!({"profiling": "false", "kubeconfig": "/s.conf"})),
        answer(&|it| it["flags"] = json!([])),
        answer(&|it| it["flags"]["profiling"] = json!(false)),
        answer(&|it| it["flags"]["profiling"] = json!(null)),
        answer(&|it| drop(it.as_object_mut().unwrap().remove("flags"))),
    ] {
        let resource = seen(&Shown { flagz: (200, text.clone()), ..Shown::default() }.api());
        assert_eq!(reason(&resource), Reason::Malformed, "{text}");
    }
    let huge = format!("{{\"kind\": \"{}\"}}", "x".repeat(1024 * 1024));
    let resource = seen(&Shown { flagz: (200, huge), ..Shown::default() }.api());
    assert_eq!(reason(&resource), Reason::TooLarge);
}

#[test]
fn a_value_that_is_not_shown_is_unread() {
    let more =
        [("audit-log-path", "/audit.log"), ("audit-policy-file", "CLASSIFIED"), ("profiling", "CLASSIFIED")];
    let told = outcomes(seen(&stock_with(&more).api()));
    let errors: Vec<&str> =
        told.iter().filter(|(_, is)| **is == Outcome::Error).map(|(number, _)| number.as_str()).collect();
    assert_eq!(errors, ["1.2.15", "3.2.1", "3.2.2"]);
}

#[test]
fn a_certificate_of_the_server_s_own_making_is_not_one_that_somebody_set() {
    let pair = |folder: &str, certificate: &str, key: &str| {
        let more = [("cert-dir", folder), ("tls-cert-file", certificate), ("tls-private-key-file", key)];
        outcomes(seen(&stock_with(&more).api()))["1.2.24"]
    };
    let own = "/var/run/kubernetes";
    assert_eq!(
        pair(own, "/var/run/kubernetes/apiserver.crt", "/var/run/kubernetes/apiserver.key"),
        Outcome::Error
    );
    assert_eq!(pair("/a/", "/a/apiserver.crt", "/a/apiserver.key"), Outcome::Error);
    assert_eq!(
        pair(own, "/etc/kubernetes/pki/apiserver.crt", "/etc/kubernetes/pki/apiserver.key"),
        Outcome::Passed
    );
    assert_eq!(
        pair(own, "/var/run/kubernetes/apiserver.crt", "/etc/kubernetes/pki/apiserver.key"),
        Outcome::Passed
    );
    assert_eq!(pair(own, "", ""), Outcome::Failed);
}

#[test]
fn flags_are_as_a_command_line_has_them() {
    let args = |name: &str, value: &str| seen(&stock_with(&[(name, value)]).api()).raw["args"][name].clone();
    assert_eq!(args("service-account-key-file", "[/a.pub,/b.pub]"), json!(["/a.pub", "/b.pub"]));
    assert_eq!(args("authorization-mode", "[Node,RBAC]"), json!(["Node,RBAC"]));
    assert_eq!(args("tls-cipher-suites", "[]"), json!(null));
    assert_eq!(args("audit-log-path", ""), json!(null));
    assert_eq!(args("audit-log-path", "-"), json!(["-"]));
    assert_eq!(args("feature-gates", ":AllBeta=false,kube:A=true"), json!(["AllBeta=false,kube:A=true"]));
    assert_eq!(
        args("tls-sni-cert-key", "[\"/a.crt,/a.key:x,y\",\"/b.crt,/b.key\"]"),
        json!(["\"/a.crt,/a.key:x,y\",\"/b.crt,/b.key\""])
    );
}

#[test]
fn no_secret_of_a_flag_stays() {
    let resource = seen(
        &stock_with(&[
            ("etcd-servers", "[https://root:s3cret@10.0.0.2:2379]"),
            ("some-password", "s3cret"),
            ("some-tokens", "[s3cret,s3cret]"),
        ])
        .api(),
    );
    let text = format!("{} {:?}", resource.raw, resource.unread);
    assert!(!text.contains("s3cret") && text.contains("https://<redacted>@10.0.0.2:2379"), "{text}");
}

/// Any text in the answer's place.
fn odd_answer() -> impl Strategy<Value = String> {
    let stock = stock_with(&[]).flagz.1;
    let length = stock.len();
    prop_oneof![
        "\\PC{0,60}",
        (0..length).prop_map(move |end| stock[..end].to_owned()),
        ("[a-z-]{1,20}", "\\PC{0,20}").prop_map(|(name, value)| {
            json!({"kind": "Flagz", "apiVersion": "config.k8s.io/v1beta1", "flags": {name: value}})
                .to_string()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_odd_answer_is_never_a_verdict(status in prop::sample::select(&[200_u16, 201, 204, 302, 400, 401, 403, 404, 406, 429, 500][..]), text in odd_answer()) {
        let resource = seen(&Shown { flagz: (status, text), ..Shown::default() }.api());
        prop_assert!(outcomes(resource).values().all(|outcome| *outcome == Outcome::Error));
    }

    #[test]
    fn any_value_is_read(name in "[a-z-]{1,30}", value in "\\PC{0,40}") {
        let resource = seen(&stock_with(&[(&name, &value)]).api());
        let _ = outcomes(resource);
    }
}

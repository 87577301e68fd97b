//! Canaries in every place where a secret may stand.

use super::*;
use serde_json::json;

fn redacted(line: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = line.iter().map(|&word| word.to_owned()).collect();
    arguments(&mut words);
    words
}

#[test]
fn flags_that_name_a_secret_lose_their_value() {
    assert_eq!(redacted(&["--token=abc"]), ["--token=<redacted>"]);
    assert_eq!(redacted(&["--db-password", "abc", "x"]), ["--db-password", "<redacted>", "x"]);
    assert_eq!(redacted(&["-client_secret=a b"]), ["-client_secret=<redacted>"]);
    assert_eq!(redacted(&["DB_PASSWORD=abc"]), ["DB_PASSWORD=<redacted>"]);
    assert_eq!(redacted(&["--use-token", "--port=1"]), ["--use-token", "--port=1"]);
}

#[test]
fn flags_that_name_a_file_or_a_behaviour_keep_it() {
    for word in [
        "--token-auth-file=/etc/tokens.csv",
        "--image-credential-provider-bin-dir=/opt/bin",
        "--image-credential-provider-config=/etc/eks/provider.json",
        "--use-service-account-credentials=true",
        "--service-account-extend-token-expiration=false",
        "--enable-bootstrap-token-auth=true",
    ] {
        assert_eq!(redacted(&[word]), [word]);
    }
    let gates = ["--feature-gates", "ServiceAccountTokenJTI=true,Other=false"];
    assert_eq!(redacted(&gates), gates);
    assert_eq!(redacted(&["--token-auth-file", "/x"]), ["--token-auth-file", "/x"]);
}

#[test]
fn user_info_leaves_urls() {
    let line = "--etcd-servers=https://a:2379,https://root:pa@ss@b:2379";
    assert_eq!(redacted(&[line]), ["--etcd-servers=https://a:2379,https://<redacted>@b:2379"]);
    assert_eq!(url_user_info("https://host/path?mail=a@b"), "https://host/path?mail=a@b");
    let once = url_user_info("postgres://u:p@db/x").into_owned();
    assert_eq!(url_user_info(&once), once);
}

#[test]
fn a_flag_with_an_address_in_it_loses_its_user_and_the_word_behind_it() {
    for first in ["-pg://u=p@db/my-token", "-pg://u:p@db/my-token"] {
        let once = redacted(&[first, "abc", "next"]);
        assert_eq!(once, ["-pg://<redacted>@db/my-token", "<redacted>", "next"], "{first}");
        assert_eq!(redacted(&once.iter().map(String::as_str).collect::<Vec<_>>()), once);
    }
    let twice = redacted(&["-pg://u=p@db/my-token=abc"]);
    assert_eq!(twice, ["-pg://<redacted>@db/my-token=<redacted>"]);
    assert_eq!(redacted(&["--a=Bearer https://s-token", "canary"])[1], "canary", "it has its value");
    assert_eq!(redacted(&["--a Bearer https://s-token", "canary"])[1], "<redacted>");
}

#[test]
fn a_script_in_one_word_is_read_too() {
    let script = "export API_TOKEN='a b'; curl --password abc -H \"Authorization: Bearer ey.J-x\" $URL";
    assert_eq!(
        redacted(&["-c", script]),
        [
            "-c",
            "export API_TOKEN=<redacted>; curl --password <redacted> -H \"Authorization: Bearer <redacted>\" $URL"
        ]
    );
}

#[test]
fn a_value_ends_where_the_shell_ends_the_word() {
    let script = |text: &str| redacted(&[text]).remove(0);
    assert_eq!(script("API_TOKEN='a b'cd\"e\"f g"), "API_TOKEN=<redacted> g");
    assert_eq!(script("x --password 'a'b c"), "x --password <redacted> c");
    assert_eq!(script(r"API_TOKEN=a\ b; x"), "API_TOKEN=<redacted>; x");
    assert_eq!(script("API_TOKEN=\"a b"), "API_TOKEN=<redacted>", "a quote that is never closed");
    assert_eq!(script("OPTS=\"--token=a --v=2\" x"), "OPTS=\"--token=<redacted> --v=2\" x");
    assert_eq!(script("sh -c \"A='1' TOKEN='a b' x\" y"), "sh -c \"A='1' TOKEN=<redacted> x\" y");
}

#[test]
fn a_workload_keeps_names_and_references_only() {
    let mut pod = json!({
        "kind": "Pod",
        "metadata": {
            "name": "web",
            "managedFields": [{"manager": "kubectl"}],
            "annotations": {LAST_APPLIED: "{\"canary\": 1}", "team": "https://u:p@wiki/"}
        },
        "spec": {
            "initContainers": [{"env": [{"name": "A", "value": "canary"}]}],
            "containers": [{
                "args": ["--token", "canary"],
                "env": [{"name": "B", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}],
                "livenessProbe": {"httpGet": {"httpHeaders": [{"name": "X-Key", "value": "canary"}]}}
            }],
            "volumes": [{"name": "v", "secret": {"secretName": "stays"}}]
        }
    });
    kubernetes_object(&mut pod);
    assert!(!pod.to_string().contains("canary"), "{pod}");
    assert_eq!(
        pod["metadata"],
        json!({"name": "web", "annotations": {LAST_APPLIED: BLANK, "team": "https://<redacted>@wiki/"}})
    );
    assert_eq!(pod["spec"]["initContainers"][0]["env"][0], json!({"name": "A", "value": BLANK}));
    assert_eq!(pod["spec"]["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"]["name"], "s");
    assert_eq!(pod["spec"]["volumes"][0]["secret"]["secretName"], "stays");
}

#[test]
fn what_is_no_text_hides_no_secret() {
    let mut container = json!({
        "command": ["app", true, "--token=canary", null, "--password", 7_654_321, 8080, "--secret"],
        "args": ["canary", ["--token", "canary"], {"a": 1}, "API_TOKEN=canary"],
        "env": [{"name": "A", "value": 7_654_321}, {"name": "B", "value": true}, {"name": "C", "value": null}],
        "password": 7_654_321
    });
    kubernetes_object(&mut container);
    assert_eq!(
        container,
        json!({
            "command": ["app", true, "--token=<redacted>", null, "--password", BLANK, 8080, "--secret"],
            "args": [BLANK, ["--token", BLANK], {"a": 1}, "API_TOKEN=<redacted>"],
            "env": [{"name": "A", "value": BLANK}, {"name": "B", "value": BLANK}, {"name": "C", "value": null}],
            "password": BLANK
        })
    );
}

#[test]
fn a_secret_shows_its_keys_and_of_a_bootstrap_token_its_limits() {
    let data = json!({"token-secret": "canary", "expiration": "2030", "usage-bootstrap-signing": "true"});
    let mut secret = json!({"kind": "Secret", "type": "Opaque", "data": data});
    kubernetes_object(&mut secret);
    assert_eq!(secret["data"]["expiration"], BLANK);
    let mut token = json!({"kind": "Secret", "type": "bootstrap.kubernetes.io/token", "data": data});
    kubernetes_object(&mut token);
    assert_eq!(
        token["data"],
        json!({"token-secret": BLANK, "expiration": "2030", "usage-bootstrap-signing": "true"})
    );
    let mut written = json!({"kind": "Secret", "type": "bootstrap.kubernetes.io/token", "stringData": data});
    kubernetes_object(&mut written);
    assert_eq!(written["stringData"], token["data"]);
    for odd in [json!("canary"), json!(["canary"]), json!({"a": {"b": "canary"}})] {
        let mut secret = json!({"kind": "Secret", "type": "Opaque", "data": odd, "stringData": odd});
        kubernetes_object(&mut secret);
        assert!(!secret.to_string().contains("canary"), "{odd}");
    }
}

#[test]
fn a_kubeconfig_shows_no_credential_parsed_or_as_text() {
    let mut parsed = json!({"users": [{"user": {"token": "canary", "client-key-data": "canary",
        "password": "canary", "client-certificate": "/stays.pem"}}]});
    document(&mut parsed);
    assert!(!parsed.to_string().contains("canary"));
    assert!(parsed.to_string().contains("/stays.pem"));

    let text = "users:\n- user:\n    token: canary\n    client-key-data: canary\n    name: stays\n";
    let mut object = json!({"kind": "Thing", "spec": {"kubeconfig": text}});
    kubernetes_object(&mut object);
    assert!(!object.to_string().contains("canary"));
    assert!(object.to_string().contains("name: stays"));
}

#[test]
fn a_config_map_shows_names_and_kube_proxy_s_configuration() {
    let data = json!({"config.conf": "mode: ipvs\n", "other": "canary"});
    let mut own = json!({"kind": "ConfigMap", "metadata": {"name": "kube-proxy", "namespace": "kube-system"}, "data": data});
    kubernetes_object(&mut own);
    assert_eq!(own["data"], json!({"config.conf": "mode: ipvs\n", "other": BLANK}));
    let mut other = json!({"kind": "ConfigMap", "metadata": {"name": "kube-proxy", "namespace": "shop"}, "data": data,
        "binaryData": {"x": "Y2FuYXJ5"}});
    kubernetes_object(&mut other);
    assert_eq!(other["data"], json!({"config.conf": BLANK, "other": BLANK}));
    assert_eq!(other["binaryData"], json!({"x": BLANK}));
}

//! What repositories hold beside objects, and the forms in which objects are written.

use std::io::Write as _;
use std::process::Stdio;

use super::Judged;
use crate::program::{Program, Ran};

const QUIET: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\nspec:\n  automountServiceAccountToken: false\n  containers: [{name: web, image: shop/web, securityContext: {privileged: true}}]\n";

#[test]
fn files_of_other_tools_neither_stop_a_scan_nor_close_a_gate() {
    let component = r"
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
metadata: {name: logs}
resources: [web.yaml]
";
    let patch = r#"[{"op": "remove", "path": "/kind"}]"#;
    let values = r"
# DaemonSet or Deployment
kind: DaemonSet
image: {repository: shop/web}
";
    let schema =
        r#"{"$schema": "http://json-schema.org/schema#", "properties": {"kind": {"type": "string"}}}"#;
    let compose = r"
services: {web: {image: shop/web, privileged: true}}
";
    let comments = r#"{
  // A comment, and a comma at the end.
  "compilerOptions": {"strict": true},
}"#;
    let kubeadm = r"
apiVersion: kubeadm.k8s.io/v1beta4
kind: ClusterConfiguration
---
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
";
    let files = [
        ("web.yaml", QUIET),
        ("kustomization.yml", component),
        ("patches/remove.json", patch),
        ("values.yaml", values),
        ("values.schema.json", schema),
        ("compose.yaml", compose),
        ("tsconfig.json", comments),
        ("kubeadm.yaml", kubeadm),
    ];
    let judged = Judged::of(&files, &["--fail-on", "error"]);
    judged.has(&[("web", "5.2.2", "failed")]);
    assert_eq!(judged.ran.code, Some(0), "{}", judged.ran.err);
    let skipped = judged.report["skipped"]["without_objects"].as_array().unwrap();
    assert_eq!(skipped.len(), 6, "each is named: {skipped:?}");
}

#[test]
fn each_of_several_broken_files_is_named_and_the_rest_is_judged() {
    let twice = r"
apiVersion: v1
kind: Pod
metadata: {name: twice, namespace: shop}
spec:
  hostPID: false
  hostPID: true
";
    let tab = "kind: Pod\nmetadata:\n\tname: tab\n";
    let cut = r#"{"kind": "Pod", "metadata": {"name": "cut"}"#;
    let nul = "kind: Pod\nmetadata: {name: \"nul\u{0}\"}\n";
    let foreign_anchor = r"
kind: ConfigMap
metadata: &own {name: first}
---
kind: Pod
metadata: *own
";
    let files = [
        ("a/twice.yaml", twice),
        ("b/tab.yaml", tab),
        ("c/cut.json", cut),
        ("d/nul.yml", nul),
        ("e/anchor.yaml", foreign_anchor),
        ("web.yaml", QUIET),
    ];
    let judged = Judged::of(&files, &["--fail-on", "error"]);
    judged.has(&[("web", "5.2.2", "failed"), ("twice", "5.2.3", "")]);
    assert_eq!(judged.ran.code, Some(2), "{}", judged.ran.err);
    for place in ["a/twice.yaml:7:", "b/tab.yaml:3:", "c/cut.json:1:", "d/nul.yml:2:", "e/anchor.yaml:6:"] {
        assert!(judged.ran.err.contains(&format!("Not read: m/{place}")), "{place} in {}", judged.ran.err);
    }
}

#[test]
fn every_form_that_kubectl_takes_is_read() {
    let streams = "{\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\", \"metadata\": {\"name\": \"tabs\", \"namespace\": \"shop\"}, \"spec\": {\"hostPID\": true}}\n---\n{\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\", \"metadata\": {\"name\": \"behind\", \"namespace\": \"shop\"}, \"spec\": {\"hostPID\": true}}\n";
    let mark = "\u{feff}---\r\napiVersion: v1\r\nkind: Pod\r\nmetadata: {name: windows, namespace: shop}\r\nspec: {hostPID: true}\r\n---\r\napiVersion: v1\r\nkind: Pod\r\nmetadata: {name: second, namespace: shop}\r\nspec: {hostPID: true}\r\n";
    let marked_json = "\u{feff}{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"metadata\": {\"name\": \"mark\"}, \"spec\": {\"hostPID\": true}}";
    let yaml = r#"%YAML 1.1
--- {apiVersion: v1, kind: Pod, metadata: {name: beside, namespace: shop}, spec: {hostPID: true}}
--- # a comment beside the marker
apiVersion: v1
kind: Pod
metadata: {name: words, namespace: shop}
spec: {hostPID: On, hostIPC: y, hostNetwork: TRUE}
...
---
"kind"   : Pod
? apiVersion
: v1
metadata: {name: keys, namespace: shop}
spec: {hostPID: true}
---
apiVersion: v1
kind: Pod
metadata: {name: text, namespace: shop}
spec: {hostPID: "yes"}
---
x-common: [&open {securityContext: {privileged: true}}, &image {image: shop/web}]
apiVersion: v1
kind: Pod
metadata: {name: merged, namespace: shop}
spec: {containers: [{<<: [*image, *open], name: web}]}
---
apiVersion: v1
kind: Pod
metadata: {name: alias, namespace: shop}
spec: {initContainers: &same [{name: web, image: shop/web, securityContext: {privileged: true}}], containers: *same}
"#;
    let files = [("a.json", streams), ("b.yaml", mark), ("c.json", marked_json), ("d.yaml", yaml)];
    let judged = Judged::of(&files, &[]);
    judged.has(&[
        ("tabs", "5.2.3", "failed"),
        ("behind", "5.2.3", "failed"),
        ("windows", "5.2.3", "failed"),
        ("second", "5.2.3", "failed"),
        ("mark", "5.2.3", "failed"),
        ("beside", "5.2.3", "failed"),
        ("words", "5.2.3", "failed"),
        ("words", "5.2.4", "failed"),
        ("words", "5.2.5", "failed"),
        ("keys", "5.2.3", "failed"),
        ("text", "5.2.3", "error"),
        ("merged", "5.2.2", "failed"),
        ("alias", "5.2.2", "failed"),
    ]);
}

/// The parser bounds how far it looks ahead; lines that say nothing must not count.
#[test]
fn comments_and_blank_lines_may_stand_anywhere_and_be_many() {
    let lines = [
        "# at the margin\n",
        "    # as deep as the list\n",
        "                  # far deeper\n",
        "\n",
        "      \n",
        "# ---\n",
        "\t# behind a tab\n",
        "  # as Windows writes it\r\n",
        "  # 説明\n",
    ];
    let pod = |name: &str, line: &str| {
        let many = line.repeat(500);
        format!(
            "{many}kind: Pod\napiVersion:\n{many}  v1\nmetadata:\n{many}  name: {name}\n  annotations:\n    text: |\n      # no comment\n\n{many}spec:\n{many}  containers:\n{many}  - name: web\n    securityContext:\n{many}      privileged: true\n{many}"
        )
    };
    let names: Vec<String> = (0..lines.len()).map(|number| format!("pod-{number}")).collect();
    let texts: Vec<String> = names.iter().zip(lines).map(|(name, line)| pod(name, line)).collect();
    let flow = format!(
        "kind: Pod\nmetadata: {{\n{}  name: flow}}\nspec: {{hostPID: true, containers: [\n{}]}}\n",
        "  # within\n".repeat(500),
        "# within\n".repeat(500)
    );
    let files: Vec<(String, &str)> =
        names.iter().zip(&texts).map(|(name, text)| (format!("{name}.yaml"), text.as_str())).collect();
    let mut inputs: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    inputs.push(("flow.yaml", flow.as_str()));
    let judged = Judged::of(&inputs, &[]);
    let mut wanted: Vec<(&str, &str, &str)> =
        names.iter().map(|name| (name.as_str(), "5.2.2", "failed")).collect();
    wanted.push(("flow", "5.2.3", "failed"));
    judged.has(&wanted);
}

#[test]
fn nothing_to_judge_is_no_success_whatever_holds_it() {
    let program = Program::new();
    program.write("lists/pods.yaml", "apiVersion: v1\nkind: PodList\nitems: []\n");
    program.write("lists/none.yaml", "apiVersion: v1\nkind: List\nitems:\n");
    program.write("lists/comments.yaml", "# nothing\n---\n---\n");
    program.write("hidden/.git/web.yaml", QUIET);
    program.write("text/web.txt", QUIET);
    for folder in ["lists", "hidden", "text"] {
        let ran = program.run(&["scan", "--manifests", folder, "--fail-on", "failed"]);
        assert_eq!(ran.code, Some(1), "{folder}: {}", ran.out);
        assert!(ran.last().contains("nothing was judged"), "{folder}: {}", ran.err);
    }
    let mut command = program.command(&["scan", "--manifests", "-"]);
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"# a pipe that broke\n").unwrap();
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert!(ran.code == Some(1) && ran.last().contains("nothing was judged"), "{}", ran.err);
}

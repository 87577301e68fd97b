//! A rule author's tools.

use crate::program::Program;

const GOOD: &str = "id: my-rule\ntitle: Pods have an owner\nresource: k8s_object/Pod\nseverity: low\n\
check: {some: $.metadata.labels.owner}\nwhy: Somebody must be asked.\nremediation: Label it.\n";
const CASES: &str = "cases:\n\
- {name: owned, resource: {type: k8s_object, sub_type: Pod, raw: {metadata: {labels: {owner: a}}}}, verdict: passed}\n\
- {name: not owned, resource: {type: k8s_object, sub_type: Pod, raw: {metadata: {}}}, verdict: failed}\n";

#[test]
fn the_built_in_rules_hold() {
    let ran = Program::new().run(&["rules", "check"]);
    assert_eq!(ran.code, Some(0), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("cases: OK"), "{}", ran.out);
}

#[test]
fn an_own_rule_with_its_cases() {
    let program = Program::new();
    program.write("my/my-rule.yml", GOOD);
    program.write("my/my-rule.cases.yml", CASES);
    let ran = program.run(&["rules", "check", "my"]);
    assert_eq!(
        (ran.code, ran.out.as_str()),
        (Some(0), "my-rule needs: list, watch pods; list, watch serviceaccounts\n1 controls, 2 cases: OK\n"),
        "{}",
        ran.err
    );
}

/// A contributor edits a built-in control: its file and its cases, with no build in between.
#[test]
fn an_edited_built_in_rule_is_checked_in_place_of_its_own() {
    let program = Program::new();
    let source = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/controls/kubelet");
    let read = |name: &str| std::fs::read_to_string(source.join(name)).unwrap();
    let (control, cases) = ("kubelet-anonymous-auth.yml", "kubelet-anonymous-auth.cases.yml");
    program.write("my/kubelet-anonymous-auth.yml", &read(control).replace("equals: false", "equals: true"));
    let check = |arguments: &[&str]| program.run(&[&["rules", "check"], arguments].concat());
    let ran = check(&["my/kubelet-anonymous-auth.yml"]);
    assert!(
        ran.last().contains("already exists (to check an edited one: rules check --override)"),
        "{}",
        ran.err
    );
    let ran = check(&["my/kubelet-anonymous-auth.yml", "--override"]);
    assert_eq!(ran.code, Some(1), "{}", ran.out);
    assert!(ran.out.contains("no cases; write kubelet-anonymous-auth.cases.yml beside it"), "{}", ran.out);
    program.write("my/kubelet-anonymous-auth.cases.yml", &read(cases));
    for path in ["my/kubelet-anonymous-auth.yml", "my/kubelet-anonymous-auth.cases.yml", "my"] {
        let started = std::time::Instant::now();
        let ran = check(&[path, "--override"]);
        let took = started.elapsed();
        assert_eq!(ran.code, Some(1), "{path}: {}", ran.out);
        assert!(ran.out.contains("expected passed, got failed"), "{path}: {}", ran.out);
        assert!(took.as_secs() < 5, "a debug build on a busy machine took {took:?}");
    }
    program.write("my/kubelet-anonymous-auth.yml", &read(control));
    let ran = check(&["my", "--override"]);
    assert!(ran.code == Some(0) && ran.out.starts_with("1 controls, "), "{}{}", ran.out, ran.err);
    let ran = check(&["--override"]);
    assert!(ran.code == Some(1) && ran.err.contains("FILE|DIR"), "{}", ran.err);
}

#[test]
fn a_bad_path_is_told_by_file_line_and_column() {
    let program = Program::new();
    program.write("my/my-rule.yml", &GOOD.replace("$.metadata.labels.owner", "$..owner"));
    let ran = program.run(&["rules", "check", "my"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("my/my-rule.yml:5:15: `$..owner`"), "{}", ran.err);
    program.write("my/my-rule.yml", &GOOD.replace("$.metadata.labels.owner", "'$.a[?('"));
    let ran = program.run(&["rules", "check", "my"]);
    assert!(ran.err.contains("my/my-rule.yml:5:") && ran.err.contains("not a valid JSONPath"), "{}", ran.err);
}

#[test]
fn a_misspelt_path_cannot_hide() {
    let program = Program::new();
    program.write("my/my-rule.yml", &GOOD.replace("labels.owner", "label.owner"));
    program.write("my/my-rule.cases.yml", CASES);
    let ran = program.run(&["rules", "check", "my"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.contains("owned: expected passed, got failed"), "{}", ran.out);
    program.write("my/my-rule.cases.yml", "cases: []\n");
    let ran = program.run(&["rules", "check", "my"]);
    assert!(
        ran.out.contains("no case has `verdict: passed`")
            && ran.out.contains("no case has `verdict: failed`"),
        "{}",
        ran.out
    );
}

#[test]
fn the_catalogue_can_be_read() {
    let program = Program::new();
    let ran = program.run(&["rules", "list"]);
    assert!(ran.out.contains("kubelet-anonymous-auth") && ran.out.lines().count() >= 60, "{}", ran.out);
    let ran = program.run(&["rules", "show", "kubelet-anonymous-auth"]);
    assert!(ran.out.contains("passes when the effective value of `--anonymous-auth`"), "{}", ran.out);
    assert!(ran.out.contains("cis_k8s@2.0.1 4.2.1"), "{}", ran.out);
    let ran = program.run(&["rules", "coverage"]);
    assert!(
        ran.out
            .contains("| 5.3.2 | 2 | manual | fully | `namespace-network-policy` | k8s_object/Namespace |"),
        "{}",
        ran.out
    );
    let ran = program.run(&["rules", "differences"]);
    assert!(
        ran.out.contains("| cis_k8s 5.2.4 | `pod-host-ipc` | warns about an explicit false |"),
        "{}",
        ran.out
    );
}

#[test]
fn a_rule_about_what_is_never_collected_is_no_silence() {
    let program = Program::new();
    program.write("my/controls/my-rule.yml", &GOOD.replace("k8s_object/Pod", "file/misspelt-role"));
    let table = "benchmark: my\nversion: 1.0.0\nname: Mine\nposture_type: kspm\nkubernetes: any\nrecommendations: 1\n\
        sections: {'1': One}\nrules: [{number: '1.1', control: my-rule, level: 1, assessment: automated}]\n";
    program.write("my/benchmarks/1.0.0.yml", table);
    let scan = |program: &Program| {
        program.run(&["scan", "--benchmark", "my", "-E", "posturebeat.rules.paths=[my]", "--format", "json"])
    };
    let ran = scan(&program);
    assert_eq!(ran.code, Some(1));
    assert!(ran.last().contains("file/misspelt-role") && ran.last().contains("pki-key"), "{}", ran.err);
    program.write("my/controls/my-rule.yml", &GOOD.replace("k8s_object/Pod", "k8s_object/Endpoints"));
    let ran = scan(&program);
    assert!(
        ran.out.contains("find the API server") && ran.out.contains("\"error\""),
        "{}{}",
        ran.out,
        ran.err
    );
    program.write("my/controls/my-rule.yml", &GOOD.replace("k8s_object/Pod", "k8s_object/Gateway"));
    let ran = scan(&program);
    assert!(ran.code == Some(1) && ran.err.contains("k8s_object/Gateway.<group>"), "{}", ran.err);
}

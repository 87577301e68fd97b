//! What of manifests is read, skipped and an outcome of its own.

use super::*;

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn read_folder(files: &[(&str, &str)]) -> ManifestSet {
    let folder = folder(files);
    let mut set = read(&[folder.path().to_path_buf()], &ObjectDemands::new(), &Reveal::default()).unwrap();
    let home = format!("{}/", folder.path().display());
    let skipped = &mut set.skipped;
    for text in skipped.without_objects.iter_mut().chain(&mut skipped.templates).chain(&mut skipped.render) {
        *text = text.replace(&home, "").replace(home.trim_end_matches('/'), ".");
    }
    set.unread.iter_mut().for_each(|unread| unread.gap.what = unread.gap.what.replace(&home, ""));
    set
}

/// A file that the user named.
fn read_text(name: &str, text: &str) -> Result<Vec<Resource>, String> {
    let folder = folder(&[(name, text)]);
    let home = format!("{}/", folder.path().display());
    match read(&[folder.path().join(name)], &ObjectDemands::new(), &Reveal::default()) {
        Ok(set) => {
            assert!(set.unread.is_empty() && set.skipped == SkippedInput::default());
            Ok(set.resources)
        }
        Err(error) => Err(error.to_string().replace(&home, "")),
    }
}

fn names(resources: &[Resource]) -> Vec<&str> {
    resources.iter().map(|resource| resource.name.as_str()).collect()
}

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n";

#[test]
fn documents_lists_and_equal_names() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n---\n---\napiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Pod, metadata: {name: a, namespace: shop}}\n";
    let resources = read_text("m.yaml", text).unwrap();
    assert_eq!(resources.len(), 2);
    assert_eq!(resources[0].id, "v1/Pod/shop/a");
    let id = &resources[1].id;
    assert!(id.starts_with("v1/Pod/shop/a#") && id.ends_with("m.yaml:2.1"), "{id}");
}

#[test]
fn what_kubectl_prints() {
    let text =
        r#"{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a", "uid": "u"}}]}"#;
    let resources = read_text("m.json", text).unwrap();
    assert_eq!((resources[0].id.as_str(), resources[0].sub_type.as_str()), ("u", "Pod"));
}

#[test]
fn a_named_file_is_read_whole_or_not_at_all() {
    for (name, text, expected) in [
        ("m.yaml", "kind: [\n", "m.yaml:"),
        ("m.yaml", "a: 1\n", "m.yaml: document 1: not a Kubernetes object: it has no `kind`"),
        (
            "m.yaml",
            "kind: PodList\nitems: {a: 1}\n",
            "m.yaml:1:1: document 1: expected `items` of a `PodList`",
        ),
        ("m.yaml", "apiVersion: v1\nmetadata: {name: a}\n", "m.yaml:1:1: document 1: no `kind`"),
        ("Chart.yaml", "apiVersion: v2\nname: a\n", "a chart: `helm template "),
        ("kustomization.yaml", "resources: [a.yaml]\n", "a kustomization: `kustomize build "),
    ] {
        let message = read_text(name, &format!("{POD}---\n{text}")).unwrap_err();
        let expected = expected.replace("document 1", "document 2").replace(":1:1:", ":5:1:");
        assert!(message.contains(&expected), "{message}");
    }
    assert!(read_text("m.yaml", "kind: PodList\nitems: null\n").unwrap().is_empty());
}

#[test]
fn objects_one_after_another_in_json_and_flow_style() {
    let pod = |name: &str| format!("{{\"kind\": \"Pod\", \"metadata\": {{\"name\": \"{name}\"}}}}");
    let stream = format!("{}\n{}{}", pod("a"), pod("b"), pod("c"));
    assert_eq!(names(&read_text("m.json", &stream).unwrap()), ["a", "b", "c"]);
    assert_eq!(names(&read_text("m.yaml", "{kind: Pod, metadata: {name: a}} # flow\n").unwrap()), ["a"]);
    assert_eq!(names(&read_text("m.yaml", &format!("\u{feff}{}", pod("a"))).unwrap()), ["a"]);
}

#[test]
fn lists_within_lists() {
    let pods = r#"{"kind": "PodList", "apiVersion": "v1", "items": [{"metadata": {"name": "a"}}]}"#;
    let text = format!(r#"{{"kind": "List", "items": [{{"kind": "List", "items": [{pods}]}}, {pods}]}}"#);
    let resources = read_text("m.json", &text).unwrap();
    let kinds: Vec<&str> = resources.iter().map(|resource| resource.sub_type.as_str()).collect();
    assert_eq!(kinds, ["Pod", "Pod"]);
    assert_eq!(resources[0].id, "v1/Pod//a");
}

#[test]
fn folders_are_read_with_the_folders_inside_in_order() {
    let pod = |name: &str| format!("kind: Pod\nmetadata: {{name: {name}}}\n");
    let folder = folder(&[
        ("c.yml", &pod("third")),
        ("a/z.json.yaml", &pod("second")),
        ("a/b/y.yaml", &pod("first")),
        ("a/b/notes.txt", "no manifest"),
        ("..2026/d.yaml", &pod("hidden")),
    ]);
    std::os::unix::fs::symlink("..2026", folder.path().join("..data")).unwrap();
    std::os::unix::fs::symlink("..data/d.yaml", folder.path().join("d.yaml")).unwrap();
    let set = read(&[folder.path().to_path_buf()], &ObjectDemands::new(), &Reveal::default()).unwrap();
    assert_eq!(names(&set.resources), ["first", "second", "third", "hidden"]);
    assert!(set.unread.is_empty());
}

#[test]
fn what_is_no_object_is_skipped_and_named() {
    let set = read_folder(&[
        ("web.yaml", POD),
        ("values.yaml", "replicas: 2\n"),
        (".gitlab-ci.yml", "stages: [test]\n"),
        ("mkdocs.yml", "theme: !!python/name:a.b [\n"),
        ("mixed.yaml", "a: 1\n---\nkind: Pod\nmetadata: {name: b}\n"),
        ("empty.yaml", "# nothing\n"),
    ]);
    assert_eq!(names(&set.resources), ["b", "web"]);
    assert!(set.unread.is_empty(), "{:?}", set.unread);
    let [ci, mixed, docs, values] = &set.skipped.without_objects[..] else { panic!("{:?}", set.skipped) };
    assert_eq!([ci, mixed, values], [".gitlab-ci.yml", "mixed.yaml (document 1)", "values.yaml"]);
    assert!(docs.starts_with("mkdocs.yml (not YAML: "), "{docs}");
    assert!(!set.skipped.may_hold_objects());
}

#[test]
fn a_broken_document_is_an_outcome_and_the_rest_is_read() {
    let set = read_folder(&[
        (
            "broken.yaml",
            &format!(
                "{POD}---\nkind: Pod\nmetadata: {{name: [}}\n---\nkind: Pod\nmetadata: {{name: last}}\n"
            ),
        ),
        ("list.json", r#"{"kind": "List", "items": 5}"#),
        ("text.yaml", "kind: \u{fffd}"),
        ("web.yaml", "kind: Pod\nmetadata: {name: other}\n"),
    ]);
    assert_eq!(names(&set.resources), ["web", "last", "other"]);
    let whats: Vec<&str> = set.unread.iter().map(|unread| unread.gap.what.as_str()).collect();
    assert!(whats[0].starts_with("broken.yaml:6:") && whats[0].contains("document 2"), "{whats:?}");
    assert!(whats[1].starts_with("list.json:1:1: document 1: expected `items`"), "{whats:?}");
    let stand_in = set.unread[0].stand_in("Pod");
    assert!(stand_in.is_unlisted() && stand_in.selectors() == ["Pod"]);
    assert_eq!(stand_in.shown_type(), ("file", "manifest"));
    let origin = stand_in.origin.unwrap();
    assert_eq!((origin.document, origin.position().unwrap().line), (2, 6));
}

#[test]
fn what_the_system_does_not_let_us_read_is_an_outcome() {
    let folder = folder(&[("web.yaml", POD)]);
    std::os::unix::fs::symlink("gone.yaml", folder.path().join("link.yaml")).unwrap();
    std::fs::write(folder.path().join("utf16.yaml"), b"\xff\xfek\0i\0n\0d\0").unwrap();
    let set = read(&[folder.path().to_path_buf()], &ObjectDemands::new(), &Reveal::default()).unwrap();
    let reasons: Vec<Reason> = set.unread.iter().map(|unread| unread.gap.reason).collect();
    assert_eq!((names(&set.resources), reasons), (vec!["web"], vec![Reason::Missing, Reason::Malformed]));
    assert!(set.unread[1].gap.what.ends_with("not UTF-8 text"));
}

#[test]
fn a_folder_with_too_much_in_it_is_an_outcome() {
    let deep = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(deep.path().join(vec!["a"; 65].join("/"))).unwrap();
    std::fs::write(deep.path().join("web.yaml"), POD).unwrap();
    let set = read(&[deep.path().to_path_buf()], &ObjectDemands::new(), &Reveal::default()).unwrap();
    assert_eq!(names(&set.resources), ["web"]);
    assert_eq!(set.unread.len(), 1);
    assert!(set.unread[0].gap.what.contains("64 folders deep"), "{}", set.unread[0].gap.what);
}

#[test]
fn charts_and_kustomizations_say_what_renders_them() {
    let template = "kind: Pod\nmetadata:\n  {{- include \"a\" . }}\n";
    let set = read_folder(&[
        ("app/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 0.1.0\n"),
        ("app/values.yaml", "replicas: 2\n"),
        ("app/templates/web.yaml", template),
        ("app/templates/sub/db.yaml", template),
        ("app/templates/fixed.yaml", POD),
        ("app/charts/own/Chart.yaml", "apiVersion: v2\nname: own\n"),
        ("app/charts/own/templates/a.yaml", template),
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        (
            "prod stage/kustomization.yml",
            "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n",
        ),
        ("plain/web.yaml", template),
    ]);
    assert_eq!(names(&set.resources), ["web"]);
    assert_eq!(set.unread.len(), 1, "no template of a chart: {:?}", set.unread);
    let what = &set.unread[0].gap.what;
    assert!(
        what.starts_with("plain/web.yaml:") && what.ends_with("marks a template: render it first)"),
        "{what}"
    );
    let templates =
        ["app/charts/own/templates/a.yaml", "app/templates/sub/db.yaml", "app/templates/web.yaml"];
    assert_eq!(set.skipped.templates, templates);
    assert!(set.skipped.may_hold_objects());
    assert_eq!(
        set.skipped.render,
        [
            "helm template app | posturebeat scan --manifests -",
            "kustomize build base | posturebeat scan --manifests -",
            "kustomize build 'prod stage' | posturebeat scan --manifests -",
        ]
    );
}

/// What it renders to decides, not the mark that stands for it.
#[test]
fn marks_of_a_template_that_parses_are_unread() {
    let chart = ("Chart.yaml", "apiVersion: v2\nname: a\n");
    let pod = "kind: Pod\nmetadata: {name: \"{{ .Release.Name }}\"}\nspec: {hostPID: \"{{ .Values.pid }}\", hostIPC: true}\n";
    let set = read_folder(&[chart, ("templates/web.yaml", pod)]);
    let at: Vec<&str> = set.resources[0].unread.iter().map(|unread| unread.at.as_str()).collect();
    assert_eq!(at, ["$['metadata']['name']", "$['spec']['hostPID']"]);
    let many = (0..30).fold(String::new(), |text, number| text + &format!("  l{number}: '{{{{ .x }}}}'\n"));
    let pod = format!("kind: Pod\nmetadata:\n  name: a\n  labels:\n{}", many.replace("  l", "    l"));
    let set = read_folder(&[chart, ("templates/web.yaml", &pod)]);
    assert_eq!(set.resources[0].unread[0].at, "$");
    let set = read_folder(&[("web.yaml", &pod)]);
    assert!(set.resources[0].unread.is_empty(), "what is in no chart is written as it is meant");
}

#[test]
fn objects_have_their_origin() {
    let text = "# web\nkind: Pod\nmetadata:\n  name: web\nspec:\n  hostPID: true\n  containers:\n  - name: a\n    image: a\n---\nkind: List\nitems:\n- kind: Pod\n  metadata: {name: b}\n";
    let resources = read_text("m.yaml", text).unwrap();
    let line = |number: usize, steps: &[&str]| {
        let steps: Vec<String> = steps.iter().map(|step| (*step).to_owned()).collect();
        let origin = resources[number].origin.as_ref().unwrap();
        (origin.document, origin.position_of(std::iter::once(&steps[..])).unwrap().line)
    };
    assert_eq!(line(0, &["spec", "hostPID"]), (1, 6));
    assert_eq!(line(0, &["derived", "containers", "0", "securityContext"]), (1, 8));
    assert_eq!(line(0, &["status"]), (1, 2));
    assert_eq!(line(1, &["metadata", "name"]), (2, 14));
    assert_eq!(line(1, &["spec"]), (2, 13));
}

#[test]
fn what_the_system_said_is_said_once() {
    let error = anyhow::Error::from(
        read(&["/nowhere/m.yaml".into()], &ObjectDemands::new(), &Reveal::default()).unwrap_err(),
    );
    let text = format!("{error:#}");
    assert_eq!(text, "cannot read `/nowhere/m.yaml`: No such file or directory (os error 2)");
}

#[test]
fn a_bundle_of_definitions_may_be_large() {
    let mut text = "kind: CustomResourceDefinition\nmetadata: {name: a}\nspec:\n".to_owned();
    (0..20_000).for_each(|number| text.push_str(&format!("  p{number}: {{type: string}}\n")));
    assert_eq!(read_text("m.yaml", &text).unwrap().len(), 1);
}

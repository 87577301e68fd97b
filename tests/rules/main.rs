//! The built-in rules: every control's cases, and what must hold for all of them together.

#![allow(unreachable_pub, reason = "a test binary exports nothing, and its modules share by `pub`")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod cases;
mod field;
mod guide;
mod names;
mod numbers;
mod parts;
mod threads;
mod titles;

use posturebeat::rule::{Catalogue, built_in};

fn catalogue() -> Catalogue {
    Catalogue::load(&built_in()).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

/// Compares a generated file with what is committed; `UPDATE=1` writes it.
fn generated(path: &str, wanted: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, wanted).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == wanted, "{} is stale: run `make update`", path.display());
}

#[test]
fn the_coverage_page_is_current() {
    let head = "# Coverage\n\nGenerated from the benchmarks by `make update`; `posturebeat rules coverage` prints the same. A\nrecommendation that is judged in part ends as `needs_review` where a person must decide the rest.\n\n";
    generated("docs/coverage.md", &format!("{head}{}", catalogue().coverage()));
}

#[test]
fn the_page_of_differences_is_current() {
    let head = "# Where others decide differently\n\nGenerated from the controls' `differs` by `make update`; \
        `posturebeat rules differences` prints the same. The numbers are those of the newest version of each \
        benchmark; where an older one is in parentheses, newer ones do without that control.\n\n";
    generated("docs/differences.md", &format!("{head}{}", catalogue().differences()));
}

#[test]
fn the_schemas_for_rule_authors_are_current() {
    let text = |schema: serde_json::Value| format!("{schema:#}\n");
    generated("docs/schema/control.json", &text(posturebeat::rule::control_schema()));
    generated("docs/schema/benchmark.json", &text(posturebeat::rule::benchmark_schema()));
    generated("docs/schema/cases.json", &text(posturebeat::rule::cases_schema()));
}

#[test]
fn each_control_is_well_kept() {
    let catalogue = catalogue();
    let mut wrong = Vec::new();
    let mut titles = std::collections::HashMap::new();
    for control in catalogue.controls() {
        let mut say = |what: String| wrong.push(format!("{}: {what}", control.id));
        if let Some(other) = titles.insert(control.title.clone(), control.id.clone()) {
            say(format!("has the title of {other}"));
        }
        if control.references.is_empty() {
            say("has no reference".into());
        }
        let tables = catalogue.benchmarks().into_iter();
        let tables: Vec<_> = tables
            .filter(|table| table.rules.iter().any(|row| row.controls().any(|id| id == control.id)))
            .collect();
        let of_platforms = tables.iter().filter_map(|table| table.links.platform.as_deref());
        let known: Vec<&str> =
            ["https://kubernetes.io/", "https://etcd.io/"].into_iter().chain(of_platforms).collect();
        for url in control.references.iter().filter(|url| !known.iter().any(|known| url.starts_with(known))) {
            say(format!("refers to {url}: its benchmarks' `links.platform` knows no such address"));
        }
        if let Some(key) = control
            .differs
            .keys()
            .find(|key| !["cloudbeat", "kube-bench", "pod-security", "effect"].contains(&key.as_str()))
        {
            say(format!("differs from `{key}`"));
        }
        if tables.is_empty() {
            say("is in no benchmark".into());
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A second opinion on every path: a parser that takes nothing beyond the RFC.
#[test]
fn every_path_is_rfc_9535() {
    for file in built_in().iter().filter(|file| file.name.starts_with("controls/")) {
        for path in paths(&file.text) {
            serde_json_path::JsonPath::parse(&path)
                .unwrap_or_else(|error| panic!("{}: `{path}`: {error}", file.name));
        }
    }
}

/// The quoted and plain `$…` texts of a control, folded ones included.
fn paths(text: &str) -> Vec<String> {
    fn walk(value: &serde_json::Value, out: &mut Vec<String>) {
        match value {
            serde_json::Value::String(text) if text.starts_with('$') => out.push(text.trim().to_owned()),
            serde_json::Value::Array(elements) => elements.iter().for_each(|element| walk(element, out)),
            serde_json::Value::Object(fields) => fields.values().for_each(|field| walk(field, out)),
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(&posturebeat::yaml::from_str(text).unwrap(), &mut out);
    out
}

#[test]
fn the_page_says_how_each_control_was_verified() {
    let (page, catalogue) = (include_str!("../../docs/verified.md"), catalogue());
    let missing: Vec<_> = catalogue
        .controls()
        .map(|control| &control.id)
        .filter(|id| !page.contains(&format!("| `{id}` |")))
        .collect();
    assert!(missing.is_empty(), "docs/verified.md has no row for {missing:?}");
}

//! The cases of the built-in controls: that they come out as they say, that each control has every kind of
//! case, and that no change to a control would go unnoticed.

use posturebeat::evaluate::{run_cases, survivors};
use posturebeat::rule::{Case, Check, Control, Setting};

use crate::catalogue;

#[test]
fn every_case_comes_out_as_it_says() {
    let catalogue = catalogue();
    let mut failures = Vec::new();
    let mut ran = 0;
    for control in catalogue.controls() {
        let Some(cases) = catalogue.cases(&control.id) else {
            failures.push(format!("{}: no cases", control.id));
            continue;
        };
        ran += cases.cases.len();
        for failure in run_cases(control, cases) {
            failures.push(format!("{}: {}: {}", control.id, failure.case, failure.message));
        }
    }
    assert!(failures.is_empty(), "{} of {ran} cases:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn no_change_to_a_control_goes_unnoticed() {
    let catalogue = catalogue();
    let unnoticed: Vec<String> = catalogue
        .controls()
        .flat_map(|control| {
            let cases = catalogue.cases(&control.id).unwrap();
            survivors(control, cases).into_iter().map(|what| format!("{}: {what}", control.id))
        })
        .collect();
    assert!(
        unnoticed.is_empty(),
        "each wants a case, or the control says too much:\n{}",
        unnoticed.join("\n")
    );
}

#[test]
fn each_control_has_every_kind_of_case() {
    let catalogue = catalogue();
    let mut missing = Vec::new();
    for control in catalogue.controls() {
        let cases = &catalogue.cases(&control.id).unwrap().cases;
        let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
        names.sort_unstable();
        missing.extend(
            names
                .windows(2)
                .filter(|pair| pair[0] == pair[1])
                .map(|pair| format!("{}: `{}` names two", control.id, pair[0])),
        );
        // That one passes and one fails is asked by `run_cases` of users' controls too.
        if !cases.iter().any(unread_or_malformed) {
            missing.push(format!("{}: no case of something unread or malformed", control.id));
        }
        for setting in settings(control) {
            if !cases.iter().any(|case| is_unset(setting, case)) {
                missing.push(format!("{}: no case in which nobody writes {}", control.id, name(setting)));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

fn unread_or_malformed(case: &Case) -> bool {
    case.verdict == "error"
}

fn settings(control: &Control) -> Vec<&Setting> {
    fn walk<'c>(check: &'c Check, out: &mut Vec<&'c Setting>) {
        match check {
            Check::All(parts) | Check::Any(parts) => parts.iter().for_each(|part| walk(part, out)),
            Check::Not(part) => walk(part, out),
            Check::Setting { setting, .. } => out.push(setting),
            _ => {}
        }
    }
    let mut out = Vec::new();
    control.checks().for_each(|check| walk(check, &mut out));
    out
}

fn name(setting: &Setting) -> String {
    setting
        .flag
        .iter()
        .map(|flag| format!("--{flag}"))
        .chain(setting.key.clone())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Whether everything was read, and the setting stands in no flag, variable or file.
fn is_unset(setting: &Setting, case: &Case) -> bool {
    let raw = &case.resource.raw;
    let written = |key: &str, name: &Option<String>| {
        name.as_ref().is_some_and(|name| raw.get(key).and_then(|under| under.get(name)).is_some())
    };
    let in_file = setting
        .config
        .as_ref()
        .zip(raw.get("config"))
        .is_some_and(|(path, config)| !path.select(config).is_empty());
    case.resource.unread.is_empty()
        && !written("args", &setting.flag)
        && !written("env", &setting.env)
        && !in_file
}

//! The built-in rules: every control's cases, and what must hold for all of them together.

use posturebeat::evaluate::run_cases;
use posturebeat::rule::{Catalogue, built_in};

fn catalogue() -> Catalogue {
    Catalogue::load(&built_in()).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
    })
}

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

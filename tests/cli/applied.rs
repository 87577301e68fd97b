//! What people are going to apply: kinds of faults that were met with manifests, each by further examples.

mod forms;
mod rights;
mod workloads;

use serde_json::Value;

use crate::program::{Program, Ran};

/// What a scan of a folder `m` says.
struct Judged {
    report: Value,
    ran: Ran,
}

impl Judged {
    fn of(files: &[(&str, &str)], more: &[&str]) -> Self {
        let program = Program::new();
        for (name, text) in files {
            program.write(&format!("m/{name}"), text);
        }
        let ran = program.run(&[&["scan", "--manifests", "m", "--format", "json"][..], more].concat());
        let report = serde_json::from_str(&ran.out).unwrap_or_else(|_| panic!("{}", ran.err));
        Self { report, ran }
    }

    /// The outcomes of a recommendation for the resources of that name, with `+` between them; empty: it says nothing.
    fn outcome(&self, name: &str, number: &str) -> String {
        let rule = format!("cis_k8s@2.0.1/{number}");
        let mut found: Vec<&str> = Vec::new();
        for resource in self.report["resources"].as_array().unwrap() {
            if resource["name"] == name {
                found.extend(resource["results"][&rule].as_str());
            }
        }
        found.join("+")
    }

    /// Each wanted line is a name, a recommendation and its outcome.
    #[track_caller]
    fn has(&self, wanted: &[(&str, &str, &str)]) {
        let mut wrong = Vec::new();
        for (name, number, outcome) in wanted {
            let found = self.outcome(name, number);
            if found != *outcome {
                wrong.push(format!("{name} {number}: `{found}` instead of `{outcome}`"));
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}\n{}", self.ran.err);
    }
}

//! All controls and benchmarks, and the rules that follow from them.

use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use uuid::Uuid;

use super::benchmark::{Benchmark, BenchmarkName, Recommendation};
use super::control::Control;
use super::{Cases, RuleError};

/// One file of rules: a name for messages, and its text.
#[derive(Debug, Clone)]
pub struct RuleFile {
    /// `controls/kubelet/anonymous-auth.yml`.
    pub name: String,
    /// Its content.
    pub text: String,
}

/// All controls, their cases, and all benchmarks.
#[derive(Debug, Default)]
pub struct Catalogue {
    controls: BTreeMap<String, Arc<Control>>,
    cases: BTreeMap<String, Cases>,
    benchmarks: BTreeMap<BenchmarkName, Arc<Benchmark>>,
}

/// One recommendation of a benchmark with one of its controls and the effective parameters.
#[derive(Debug, Clone)]
pub struct Rule {
    /// `rule.id`.
    pub id: String,
    /// Its benchmark.
    pub benchmark: Arc<Benchmark>,
    /// Its recommendation.
    pub row: Recommendation,
    /// Its control.
    pub control: Arc<Control>,
    /// The control's parameters, overlaid by the row's `with` and the user's.
    pub params: Arc<BTreeMap<String, Value>>,
}

/// Control id → parameter → the user's value.
type Overrides = BTreeMap<String, BTreeMap<String, Value>>;

impl Catalogue {
    /// Reads benchmarks, cases and controls, recognized by folder and name: `benchmarks/…`, `….cases.yml`, the rest.
    pub fn load(files: &[RuleFile]) -> Result<Self, Vec<RuleError>> {
        let mut catalogue = Self::default();
        catalogue.add(files)?;
        Ok(catalogue)
    }

    /// Adds a rule author's files in place of what has the same name: to check an edited built-in rule. The cases of a
    /// control that is replaced go with it.
    pub fn replace(&mut self, files: &[RuleFile]) -> Result<(), Vec<RuleError>> {
        for file in files {
            match kind_of(&file.name) {
                RuleFileKind::Benchmark => {
                    // A table that cannot be read is reported when it is added.
                    if let Ok(table) = Benchmark::parse(&file.name, &file.text) {
                        self.benchmarks.remove(&table.full_name());
                    }
                }
                RuleFileKind::Cases(id) => {
                    self.cases.remove(id);
                }
                RuleFileKind::Control(id) => {
                    self.controls.remove(id);
                    self.cases.remove(id);
                }
            }
        }
        self.add(files)
    }

    /// Adds a rule author's files. Reports every mistake, not only the first.
    pub fn add(&mut self, files: &[RuleFile]) -> Result<(), Vec<RuleError>> {
        let mut errors = Vec::new();
        for file in files {
            if let Err(error) = self.add_file(file) {
                errors.push(error);
            }
        }
        for table in self.benchmarks.values() {
            for row in &table.rules {
                let file = table.full_name().to_string();
                for id in row.controls() {
                    if !self.controls.contains_key(id) {
                        let message = format!("{}: unknown control `{id}`", row.number);
                        errors.push(RuleError::whole(&file, message));
                    }
                }
                errors.extend(self.check_row(&file, row));
            }
        }
        for id in self.cases.keys().filter(|id| !self.controls.contains_key(*id)) {
            errors.push(RuleError::whole(&format!("{id}.cases.yml"), format!("unknown control `{id}`")));
        }
        errors.extend(self.check_fleet_inputs());
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn add_file(&mut self, file: &RuleFile) -> Result<(), RuleError> {
        let duplicate = |what: String| {
            let message = format!("{what} already exists (to check an edited one: rules check --override)");
            Err(RuleError::whole(&file.name, message))
        };
        match kind_of(&file.name) {
            RuleFileKind::Cases(id) => {
                if self.cases.insert(id.to_owned(), Cases::parse(&file.name, &file.text)?).is_some() {
                    return duplicate(format!("a file of cases for `{id}`"));
                }
            }
            RuleFileKind::Benchmark => {
                let table = Benchmark::parse(&file.name, &file.text)?;
                let name = table.full_name();
                if self.benchmarks.insert(name.clone(), Arc::new(table)).is_some() {
                    return duplicate(format!("the benchmark `{name}`"));
                }
            }
            RuleFileKind::Control(_) => {
                let control = Control::parse(&file.name, &file.text)?;
                if self.controls.contains_key(&control.id) {
                    return duplicate(format!("the control `{}`", control.id));
                }
                self.controls.insert(control.id.clone(), Arc::new(control));
            }
        }
        Ok(())
    }

    /// A Fleet input means one version of one benchmark.
    fn check_fleet_inputs(&self) -> Vec<RuleError> {
        let mut seen = HashMap::new();
        let tables = self.benchmarks.iter();
        let inputs = tables.filter_map(|(name, table)| Some((name, table.fleet_input.as_deref()?)));
        inputs
            .filter_map(|(name, input)| {
                let other = seen.insert(input, name)?;
                let message = format!("`fleet_input: {input}` belongs to {other} already");
                Some(RuleError::whole(&name.to_string(), message))
            })
            .collect()
    }

    /// The controls of one number must judge different resources, or a rule and resource would have two findings.
    fn check_row(&self, file: &str, row: &Recommendation) -> Option<RuleError> {
        let mut seen = HashMap::new();
        for control in row.controls().filter_map(|id| self.controls.get(id)) {
            for selector in &control.resources {
                if let Some(other) = seen.insert(selector, &control.id) {
                    let message =
                        format!("{}: `{other}` and `{}` both judge {selector}", row.number, control.id);
                    return Some(RuleError::whole(file, message));
                }
            }
        }
        let known = |name: &String| {
            row.controls()
                .filter_map(|id| self.controls.get(id))
                .any(|control| control.params.contains_key(name))
        };
        row.with.keys().find(|name| !known(name)).map(|name| {
            RuleError::whole(
                file,
                format!("{}: `with` sets `{name}`, but its control has no such parameter", row.number),
            )
        })
    }

    /// Every control, by id.
    pub fn controls(&self) -> impl Iterator<Item = &Arc<Control>> {
        self.controls.values()
    }

    /// One control.
    pub fn control(&self, id: &str) -> Option<&Arc<Control>> {
        self.controls.get(id)
    }

    /// The cases of a control.
    pub fn cases(&self, control: &str) -> Option<&Cases> {
        self.cases.get(control)
    }

    /// Every benchmark, oldest version first.
    pub fn benchmarks(&self) -> Vec<&Arc<Benchmark>> {
        let mut all: Vec<_> = self.benchmarks.values().collect();
        all.sort_by_key(|table| (table.benchmark.clone(), version_key(&table.version)));
        all
    }

    /// The benchmark called `name`, with or without a version (`cis_k8s`, `cis_k8s@2.0.1`); without, the newest.
    pub fn benchmark(&self, name: &str) -> Result<&Arc<Benchmark>, String> {
        let (id, version) = name.split_once('@').map_or((name, None), |(id, version)| (id, Some(version)));
        let mut found: Vec<_> = self.benchmarks.values().filter(|table| table.benchmark == id).collect();
        found.sort_by_key(|table| version_key(&table.version));
        let hit = match version {
            Some(version) => found.into_iter().find(|table| table.version == version.trim_start_matches('v')),
            None => found.pop(),
        };
        hit.ok_or_else(|| {
            let known: Vec<String> =
                self.benchmarks().iter().map(|table| table.full_name().to_string()).collect();
            format!("unknown benchmark `{name}` (known: {})", known.join(", "))
        })
    }

    /// Which recommendation is answered, and how, as Markdown.
    pub fn coverage(&self) -> String {
        super::coverage::table(self)
    }

    /// Where other tools or the recommendations' own text decide differently, as Markdown.
    pub fn differences(&self) -> String {
        super::differences::page(self)
    }

    /// The rules of some benchmarks, with the user's parameters by control id.
    pub fn rules(&self, benchmarks: &[String], overrides: &Overrides) -> Result<Vec<Rule>, String> {
        for (id, params) in overrides {
            let control = self.control(id).ok_or_else(|| {
                let known: Vec<&str> = self.controls.keys().map(String::as_str).collect();
                format!("rules.params: unknown control `{id}` (known: {})", known.join(", "))
            })?;
            if let Some(name) = params.keys().find(|name| !control.params.contains_key(*name)) {
                let known: Vec<&str> = control.params.keys().map(String::as_str).collect();
                return Err(format!(
                    "rules.params.{id}: unknown parameter `{name}` (known: {})",
                    known.join(", ")
                ));
            }
        }
        let mut rules = Vec::new();
        let mut seen = std::collections::BTreeSet::new();
        for name in benchmarks {
            let table = self.benchmark(name)?;
            // A benchmark may be listed twice, with and without its version.
            if !seen.insert(table.full_name()) {
                continue;
            }
            for row in &table.rules {
                for control in row.controls().filter_map(|id| self.controls.get(id)) {
                    let mut params = control.params.clone();
                    let with = row.with.iter().chain(overrides.get(&control.id).into_iter().flatten());
                    params.extend(
                        with.filter(|(name, _)| control.params.contains_key(*name))
                            .map(|(name, value)| (name.clone(), value.clone())),
                    );
                    rules.push(Rule {
                        id: row.id.clone().unwrap_or_else(|| rule_id(&table.full_name(), &row.number)),
                        benchmark: Arc::clone(table),
                        row: row.clone(),
                        control: Arc::clone(control),
                        params: Arc::new(params),
                    });
                }
            }
        }
        Ok(rules)
    }
}

/// The UUID namespace of rule ids that Elastic has not assigned.
const RULE_NAMESPACE: Uuid = Uuid::from_u128(0xf2c8_925d_14da_5430_a289_3943_a8e0_3369);

/// `rule.id` of a recommendation without an id from Elastic: UUID v5 of `<benchmark>@<version>/<number>`.
pub fn rule_id(benchmark: &BenchmarkName, number: &str) -> String {
    Uuid::new_v5(&RULE_NAMESPACE, format!("{benchmark}/{number}").as_bytes()).to_string()
}

/// What a file holds, by its folder and name.
enum RuleFileKind<'n> {
    /// In a folder `benchmarks`, or in one below it: `benchmarks/cis_k8s/2.0.1.yml`.
    Benchmark,
    /// `<id>.cases.yml`.
    Cases(&'n str),
    /// `<id>.yml`.
    Control(&'n str),
}

fn kind_of(file: &str) -> RuleFileKind<'_> {
    let base = file.rsplit('/').next().unwrap_or(file);
    if let Some(id) = base.strip_suffix(".cases.yml") {
        RuleFileKind::Cases(id)
    } else if file.rsplit('/').skip(1).take(2).any(|folder| folder == "benchmarks") {
        RuleFileKind::Benchmark
    } else {
        RuleFileKind::Control(base.strip_suffix(".yml").unwrap_or(base))
    }
}

/// The benchmarks among some files, without their controls. One that cannot be read is left out: loading the
/// catalogue reports it.
pub fn benchmarks(files: &[RuleFile]) -> Vec<Benchmark> {
    let tables = files.iter().filter(|file| matches!(kind_of(&file.name), RuleFileKind::Benchmark));
    tables.filter_map(|file| Benchmark::parse(&file.name, &file.text).ok()).collect()
}

/// `1.12.0` sorts after `1.2.0`.
fn version_key(version: &str) -> Vec<u32> {
    version.split('.').map(|part| part.parse().unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_ids_are_what_others_computed() {
        let name = BenchmarkName { id: "cis_k8s".into(), version: "2.0.1".into() };
        assert_eq!(rule_id(&name, "1.1.1"), "8f47331c-b78a-55e1-8bef-1d6e43b4397d");
    }

    #[test]
    fn versions_sort_by_number() {
        assert!(version_key("1.12.0") > version_key("1.2.0"));
    }
}

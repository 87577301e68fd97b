//! The loaded rules and their exceptions, ready to judge.

use anyhow::bail;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::catalogue::{benchmarks_for, default_benchmarks, load_catalogue};
use super::exceptions;
use crate::collect::component::Component;
use crate::collect::node::places::roles;
use crate::config::settings::Posture;
use crate::evaluate::{Judge, object_demands};
use crate::exception::{Exception, Exceptions};
use crate::observe::{Scope, Wanted};
use crate::resource::{CLOUD, Kind, Platform, PodTemplates};
use crate::rule::Rule;

/// The rules of a run, and what evaluates them.
pub struct Engine {
    /// Every loaded rule.
    pub rules: Arc<[Rule]>,
    /// Evaluates them.
    pub judge: Judge,
    /// The exceptions from them.
    pub exceptions: Exceptions,
    /// The workloads whose templates are judged, where that is configured and a rule is about pods.
    templates: Option<PodTemplates>,
}

impl Engine {
    /// Loads the rules and exceptions that the settings name. Reports every mistake in them.
    pub fn new(posture: &Posture) -> anyhow::Result<Self> {
        Ok(Self::of(posture, |_| true)?.0)
    }

    /// Only the rules that need nothing but the cloud's API; also the number of recommendations that these rules cover,
    /// and the number of all recommendations.
    pub fn from_outside(posture: &Posture) -> anyhow::Result<(Self, usize, usize)> {
        let of_cluster = |rule: &Rule| rule.control.resources.iter().any(|judged| judged.kind == Kind::Caas);
        let (engine, others) = Self::of(posture, of_cluster)?;
        if engine.rules.is_empty() {
            bail!(
                "{} has no rules about the cloud's view of a cluster: use --benchmark {}",
                posture.benchmarks.join(", "),
                benchmarks_for(Platform::Eks).join(" or ")
            );
        }
        let recommendations = |rules: &mut dyn Iterator<Item = &Rule>| {
            rules.map(|rule| (rule.benchmark.full_name().to_string(), rule.row.number.clone())).collect()
        };
        let some: BTreeSet<_> = recommendations(&mut engine.rules.iter());
        let all: BTreeSet<_> = recommendations(&mut engine.rules.iter().chain(&others));
        Ok((engine, some.len(), all.len()))
    }

    /// What the rules judge, as collectors are asked for it.
    pub(super) fn wanted(&self) -> Wanted {
        let mut objects = object_demands(self.rules.iter());
        if let Some(templates) = &self.templates {
            templates.demand(&mut objects);
        }
        Wanted {
            kinds: self.judge.selectors().map(|(kind, name)| (kind, name.to_owned())).collect(),
            objects,
        }
    }

    /// The rules about something in `scope`, and the exceptions from those. An exception whose rule is not loaded is kept
    /// in every scope, so that a warning names it.
    pub(super) fn within(&self, scope: &Scope) -> Self {
        let about = |rule: &&Rule| {
            rule.control.resources.iter().any(|judged| scope.covers(judged.kind, &judged.name))
        };
        let rules: Vec<Rule> = self.rules.iter().filter(about).cloned().collect();
        let names =
            |exception: &&Exception, rules: &[Rule]| rules.iter().any(|rule| exception.rule.names(rule));
        let concerned = |exception: &&Exception| names(exception, &rules) || !names(exception, &self.rules);
        let exceptions = Exceptions::new(self.exceptions.iter().filter(concerned).cloned().collect(), &rules);
        Self { judge: Judge::new(&rules), rules: rules.into(), exceptions, templates: self.templates.clone() }
    }

    fn of(posture: &Posture, picked: impl Fn(&Rule) -> bool) -> anyhow::Result<(Self, Vec<Rule>)> {
        let catalogue = load_catalogue(&posture.rule_paths)?;
        let mistakes = exceptions::mistakes(posture, &catalogue);
        let benchmarks = match posture.benchmarks.as_slice() {
            [] => default_benchmarks(&catalogue),
            named => named.to_vec(),
        };
        let rules = catalogue.rules(&benchmarks, &posture.rule_params);
        let rules = match (rules, mistakes.is_empty()) {
            (Ok(rules), true) => rules,
            (Ok(_), false) => bail!("{}", exceptions::lines(mistakes.iter())),
            (Err(message), true) => bail!(message),
            (Err(message), false) => bail!("{message}\n{}", exceptions::lines(mistakes.iter())),
        };
        let (rules, others): (Vec<Rule>, Vec<Rule>) = rules.into_iter().partition(picked);
        let exceptions = Exceptions::new(posture.exceptions.iter().map(exceptions::read).collect(), &rules);
        let judge = Judge::new(&rules);
        for (kind, name) in judge.selectors() {
            let known = match kind {
                Kind::File => roles().contains(&name),
                Kind::Process => Component::ALL.iter().any(|component| component.as_str() == name),
                Kind::K8sObject => true,
                Kind::Caas | Kind::LoadBalancer | Kind::ContainerRegistry => {
                    CLOUD.iter().any(|(known, names)| *known == kind && names.contains(&name))
                }
            };
            if !known {
                let components = Component::ALL.map(Component::as_str).join(", ");
                bail!(
                    "a control judges {}/{name}, which is never collected (files: {}; processes: {components}; clouds: {})",
                    kind.as_str(),
                    roles().join(", "),
                    CLOUD.iter().flat_map(|(_, names)| *names).copied().collect::<Vec<_>>().join(", ")
                );
            }
        }
        let about_pods = judge.selectors().any(|selector| selector == (Kind::K8sObject, "Pod"));
        let templates = (posture.workloads && about_pods).then(|| PodTemplates::with(&posture.pod_templates));
        Ok((Self { rules: rules.into(), judge, exceptions, templates }, others))
    }
}

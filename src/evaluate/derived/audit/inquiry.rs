//! Asks the rules of a policy about every request that matters.
//!
//! The first rule that fits a request decides, as in the API server. So a rule that is limited to a namespace, a group, a
//! user, a name or a verb hides only what fits it. Each request is therefore asked for as everyone, in every namespace and
//! for every name that the rules mention, and once for a namespace and a name that none of them mentions.

use std::collections::{BTreeSet, HashSet};

use serde_json::Value;

use super::answers::{AskedRequest, AuditAnswers};
use super::askers::{self, AuditAsker};
use super::policy::{AuditRule, RequestTarget};
use super::requests::{self, AuditQuestion};

/// How often a rule, or one of its resources, may be held against a request. Policies in use take a hundredth of it; more
/// would take seconds.
const MAX_TRIES: usize = 2_000_000;
/// How many users and groups the rules may name.
const MAX_ASKERS: usize = 20_000;

/// What the rules record.
pub(super) fn records(rules: &[AuditRule]) -> Result<Value, String> {
    let mut inquiry = AuditInquiry::new(rules)?;
    for question in requests::that_matter() {
        inquiry.ask(&question)?;
    }
    for question in requests::paths() {
        // A rule that names paths decides on purpose; that no rule does is no fault, because nobody asks for paths.
        if inquiry.places.fitting(&question).iter().any(|index| !rules[*index].urls.is_empty()) {
            inquiry.ask(&question)?;
        }
    }
    if !inquiry.answers.has_records() {
        for question in rules.iter().flat_map(requests::mentioned_by) {
            inquiry.ask(&question)?;
        }
    }
    Ok(inquiry.answers.json(rules))
}

struct AuditInquiry<'p> {
    places: AskedPlaces<'p>,
    always: Vec<AuditAsker>,
    /// Those whom each rule names.
    named: Vec<Vec<AuditAsker>>,
    tries: usize,
    answers: AuditAnswers,
}

impl<'p> AuditInquiry<'p> {
    fn new(rules: &'p [AuditRule]) -> Result<Self, String> {
        let askers = rules.iter().map(|rule| askers::count(&rule.users, &rule.user_groups));
        if askers.fold(0, usize::saturating_add) > MAX_ASKERS {
            return Err(too_many());
        }
        let users: BTreeSet<&str> = rules.iter().flat_map(|rule| texts(&rule.users)).collect();
        let stranger = fresh("someone", &users);
        Ok(Self {
            places: AskedPlaces::new(rules),
            always: askers::always(&stranger),
            named: rules
                .iter()
                .map(|rule| askers::named(&rule.users, &rule.user_groups, &stranger))
                .collect(),
            tries: 0,
            answers: AuditAnswers::default(),
        })
    }

    fn ask(&mut self, question: &AuditQuestion<'_>) -> Result<(), String> {
        let Self { places, always, named, tries, answers } = self;
        let mut count = |more: usize| {
            *tries = tries.saturating_add(more);
            if *tries > MAX_TRIES { Err(too_many()) } else { Ok(()) }
        };
        count(places.rules.iter().map(AuditRule::weight).sum())?;
        let fitting = places.fitting(question);
        let weight: usize = fitting.iter().map(|index| places.rules[*index].weight()).sum();
        // The same rule and asker again would add nothing.
        let mut noted: HashSet<(Option<usize>, *const AuditAsker)> = HashSet::new();
        let names = places.names(question, &fitting);
        for namespace in places.namespaces(question, &fitting) {
            for name in &names {
                count(weight.max(1))?;
                let admits = |index: &usize| {
                    let rule = &places.rules[*index];
                    rule.admits_namespace(namespace) && rule.admits_name(question.target, name)
                };
                let fitting: Vec<usize> = fitting.iter().copied().filter(admits).collect();
                for asker in always.iter().chain(fitting.iter().flat_map(|index| &named[*index])) {
                    count(fitting.len())?;
                    let decides =
                        |index: &usize| places.rules[*index].admits_user(&asker.user, &asker.groups);
                    let index = fitting.iter().copied().find(decides);
                    if noted.insert((index, std::ptr::from_ref(asker))) {
                        answers.note(AskedRequest { question, namespace, name, asker }, index, places.rules);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The rules, and the namespaces and names that are asked about.
struct AskedPlaces<'p> {
    rules: &'p [AuditRule],
    /// A namespace and a name that no rule mentions.
    elsewhere: String,
}

impl<'p> AskedPlaces<'p> {
    fn new(rules: &'p [AuditRule]) -> Self {
        let names = |rule: &'p AuditRule| rule.resources.iter().flat_map(|it| texts(&it.resource_names));
        let mentioned = rules.iter().flat_map(|rule| texts(&rule.namespaces).chain(names(rule)));
        Self { rules, elsewhere: fresh("some", &mentioned.collect()) }
    }

    /// The rules that decide such requests, of some asker, namespace and name.
    fn fitting(&self, question: &AuditQuestion<'_>) -> Vec<usize> {
        let rules = self.rules.iter().enumerate();
        rules
            .filter(|(_, rule)| rule.covers(question.target, question.verb))
            .map(|(index, _)| index)
            .collect()
    }

    /// kube-system, a namespace that no rule mentions, and those that the rules mention. A list can be of all namespaces.
    fn namespaces(&self, question: &AuditQuestion<'_>, fitting: &[usize]) -> BTreeSet<&str> {
        if !question.namespaced {
            return BTreeSet::from([""]);
        }
        let mentioned = fitting.iter().flat_map(|index| texts(&self.rules[*index].namespaces));
        let mut out: BTreeSet<&str> = mentioned.filter(|namespace| !namespace.is_empty()).collect();
        out.extend([self.elsewhere.as_str(), "kube-system"]);
        if matches!(question.verb, "list" | "watch") {
            out.insert("");
        }
        out
    }

    /// A name that no rule mentions, and those that the rules mention. A request that creates or deletes a collection has
    /// no name, and a list or a watch need not have one.
    fn names(&self, question: &AuditQuestion<'_>, fitting: &[usize]) -> BTreeSet<&str> {
        let RequestTarget::Resource { resource, .. } = question.target else { return BTreeSet::from([""]) };
        let is_nameless = match question.verb {
            "create" => !resource.contains('/'),
            verb => verb == "deletecollection",
        };
        if is_nameless {
            return BTreeSet::from([""]);
        }
        let selected = fitting.iter().flat_map(|index| &self.rules[*index].resources);
        let mentioned = selected
            .filter(|selected| selected.selects(question.target))
            .flat_map(|selected| texts(&selected.resource_names));
        let mut out: BTreeSet<&str> = mentioned.filter(|name| !name.is_empty()).collect();
        out.insert(if matches!(question.verb, "list" | "watch") { "" } else { &self.elsewhere });
        out
    }
}

fn texts(list: &BTreeSet<String>) -> impl Iterator<Item = &str> {
    list.iter().map(String::as_str)
}

/// The name, with a number behind it if it is taken.
fn fresh(name: &str, taken: &BTreeSet<&str>) -> String {
    let mut candidate = name.to_owned();
    let mut number = 1_u64;
    while taken.contains(candidate.as_str()) {
        number = number.saturating_add(1);
        candidate = format!("{name}-{number}");
    }
    candidate
}

fn too_many() -> String {
    format!("an audit policy whose users, groups, namespaces and names give at most {MAX_TRIES} questions")
}

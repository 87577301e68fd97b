//! What is said of a world, and whether it holds against the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::LazyLock;

use crate::evaluate::{Judge, Outcome, needs, object_demands};
use crate::resource::{Kind, ObjectDemands, Resource, Selector};
use crate::rule::{Catalogue, Rule, built_in};

/// Every rule of every version of the benchmark.
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let catalogue = Catalogue::load(&built_in()).unwrap();
    let versions = ["cis_k8s@1.0.1", "cis_k8s@1.12.0", "cis_k8s@2.0.1"].map(str::to_owned);
    catalogue.rules(&versions, &BTreeMap::new()).unwrap()
});
static JUDGE: LazyLock<Judge> = LazyLock::new(|| Judge::new(&RULES));

/// What came of each rule, by its position.
type Outcomes = BTreeMap<usize, Outcome>;

/// Everything that was said of a world.
pub(super) struct Verdicts {
    /// Resources that were seen, by a name that does not hang on what of them could be read.
    pub seen: BTreeMap<String, Seen>,
    /// What could not be listed, or only in part: `file/pki-key`, `k8s_object/Pod`.
    pub lost: BTreeMap<String, Outcomes>,
}

/// A resource and what was said of it.
pub(super) struct Seen {
    pub resource: Resource,
    outcomes: Outcomes,
}

/// What the rules ask of objects.
pub(super) fn demands() -> ObjectDemands {
    object_demands(RULES.iter())
}

/// Rules about this type of resource that come to no verdict in any of these worlds.
pub(super) fn idle(kind: Kind, worlds: &[Verdicts]) -> BTreeSet<String> {
    let judged = |rule: &usize| {
        let outcomes =
            worlds.iter().flat_map(|world| world.seen.values()).filter_map(|seen| seen.outcomes.get(rule));
        outcomes.into_iter().any(|outcome| !matches!(outcome, Outcome::Error | Outcome::NotApplicable))
    };
    let about = |rule: &usize| RULES[*rule].control.resources.iter().any(|selector| selector.kind == kind);
    (0..RULES.len()).filter(about).filter(|rule| !judged(rule)).map(name).collect()
}

/// `cis_k8s@2.0.1/5.2.2 (pod-privileged)`.
fn name(rule: usize) -> String {
    let rule = &RULES[rule];
    format!("{}/{} ({})", rule.benchmark.full_name(), rule.row.number, rule.control.id)
}

/// The rules of these that read none of these places.
pub(super) fn blind(rules: BTreeSet<usize>, places: &[(Selector, String)]) -> Vec<String> {
    let reads = |rule: &usize| places.iter().any(|(of, at)| needs(&RULES[*rule].control, of, at));
    rules.into_iter().filter(|rule| !reads(rule)).map(name).collect()
}

/// The name of a process in [`Verdicts::seen`].
pub(super) fn process(pid: impl std::fmt::Display) -> String {
    format!("process {pid}")
}

fn id(resource: &Resource) -> String {
    match resource.kind {
        // A process whose start is hidden has another id.
        Kind::Process => process(resource.raw["pid"].as_str().unwrap()),
        Kind::File => format!("file {}", resource.id),
        _ => format!("{} {}", resource.sub_type, resource.id),
    }
}

fn selectors(resource: &Resource) -> Vec<String> {
    let of = |name: &str| format!("{}/{name}", resource.kind.as_str());
    resource.selectors().into_iter().map(of).collect()
}

impl Verdicts {
    /// Judges all that was observed.
    pub(super) fn of(resources: Vec<Resource>) -> Self {
        let mut verdicts = Self { seen: BTreeMap::new(), lost: BTreeMap::new() };
        for resource in resources {
            let mut outcomes = Outcomes::new();
            for (rules, judgement) in JUDGE.judge(resource.clone()) {
                outcomes.extend(rules.iter().map(|rule| (*rule, judgement.outcome)));
            }
            if resource.is_unlisted() {
                for selector in selectors(&resource) {
                    verdicts.lost.entry(selector).or_default().extend(outcomes.clone());
                }
                continue;
            }
            let id = id(&resource);
            let before = verdicts.seen.insert(id.clone(), Seen { resource, outcomes });
            assert!(before.is_none(), "{id} was emitted twice");
        }
        verdicts
    }

    /// What was said of a resource, or of the same file by another of its names.
    fn of_same(&self, id: &str, resource: &Resource) -> Option<&Outcomes> {
        let inode = resource.raw.get("inode").filter(|_| resource.kind == Kind::File);
        let is_same =
            |seen: &&Seen| seen.resource.kind == Kind::File && seen.resource.raw.get("inode") == inode;
        let by_inode = || self.seen.values().filter(|_| inode.is_some()).find(is_same);
        self.seen.get(id).or_else(by_inode).map(|seen| &seen.outcomes)
    }

    /// What is said here that is neither the truth nor an error, and what of the truth is not said at all.
    /// Resources that `changed` are those whose own truth is another now.
    pub(super) fn lies(&self, truth: &Self, changed: &dyn Fn(&Resource) -> bool) -> String {
        let mut lies = String::new();
        for (selector, outcomes) in &self.lost {
            for (rule, outcome) in outcomes.iter().filter(|(_, outcome)| **outcome != Outcome::Error) {
                writeln!(lies, "{selector} could not be listed, and is {outcome:?} by {}", name(*rule))
                    .unwrap();
            }
        }
        for (id, seen) in &self.seen {
            if changed(&seen.resource) {
                continue;
            }
            let true_outcomes = truth.of_same(id, &seen.resource);
            for (rule, outcome) in seen.outcomes.iter().filter(|(_, outcome)| **outcome != Outcome::Error) {
                let is = match true_outcomes.and_then(|outcomes| outcomes.get(rule)) {
                    Some(is) if is == outcome => continue,
                    // What may be this or that is judged as one, beside an error for the other.
                    None if self.says_lost(&seen.resource, *rule) => continue,
                    Some(is) => format!("{is:?}"),
                    None => "not judged".to_owned(),
                };
                let unread = &seen.resource.unread;
                writeln!(
                    lies,
                    "{id} is {outcome:?} and in truth {is} by {}; unread: {unread:?}",
                    name(*rule)
                )
                .unwrap();
            }
        }
        for (id, seen) in truth.seen.iter().filter(|(_, seen)| !changed(&seen.resource)) {
            let told = self.of_same(id, &seen.resource);
            for (rule, is) in &seen.outcomes {
                let is_told = told.is_some_and(|outcomes| outcomes.contains_key(rule));
                if !is_told
                    && !self.says_lost(&seen.resource, *rule)
                    && !self.stands_in(truth, &seen.resource, *rule)
                {
                    writeln!(lies, "{id} is in truth {is:?} by {}, and nothing is said", name(*rule))
                        .unwrap();
                }
            }
        }
        lies
    }

    /// The controls that judge a resource in truth, and come to nothing here.
    pub(super) fn unknown(&self, truth: &Self, id: &str) -> BTreeSet<&'static str> {
        let told = self.seen.get(id).map(|seen| &seen.outcomes);
        let is_told = |rule: &usize, is: &Outcome| told.and_then(|outcomes| outcomes.get(rule)) == Some(is);
        let of_truth = truth.seen[id].outcomes.iter();
        of_truth
            .filter(|(rule, is)| !is_told(rule, is))
            .map(|(rule, _)| RULES[*rule].control.id.as_str())
            .collect()
    }

    /// The rules that come to an error somewhere.
    pub(super) fn errors(&self) -> BTreeSet<usize> {
        let all = self.seen.values().map(|seen| &seen.outcomes).chain(self.lost.values());
        let errors = all.flatten().filter(|(_, outcome)| **outcome == Outcome::Error);
        errors.map(|(rule, _)| *rule).collect()
    }

    /// Whether there is an error for this rule on something of the same role that is not where it truly is: the path
    /// that a process names, where nobody can tell where it lies on the host.
    fn stands_in(&self, truth: &Self, resource: &Resource, rule: usize) -> bool {
        let roles = selectors(resource);
        let elsewhere =
            self.seen.iter().filter(|(id, _)| !truth.seen.contains_key(*id)).map(|(_, seen)| seen);
        let mut of_role =
            elsewhere.filter(|seen| selectors(&seen.resource).iter().any(|role| roles.contains(role)));
        of_role.any(|seen| seen.outcomes.get(&rule) == Some(&Outcome::Error))
    }

    /// Whether the cluster or node has an error for this rule, for one of the resource's kinds or roles.
    fn says_lost(&self, resource: &Resource, rule: usize) -> bool {
        let lost = |selector: &String| self.lost.get(selector).and_then(|outcomes| outcomes.get(&rule));
        selectors(resource).iter().filter_map(lost).any(|outcome| *outcome == Outcome::Error)
    }
}

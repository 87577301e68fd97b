//! Exceptions during one cycle: what they mark, and the state of each at the end.

use jiff::Timestamp;
use std::sync::Arc;

use super::{Candidate, Exception, Exceptions, KnownBy, POD};
use crate::evaluate::{Judgement, Outcome};
use crate::resource::{Cluster, Kind, Resource};

/// The exceptions during one cycle.
#[derive(Debug)]
pub struct ExceptionCycle<'e> {
    exceptions: &'e Exceptions,
    standings: Vec<ExceptionStanding>,
}

#[derive(Debug, Clone, Copy)]
enum ExceptionStanding {
    Expired,
    OtherCluster,
    Valid(SeenJudgements),
}

/// The judgements that a valid exception matched.
#[derive(Debug, Clone, Copy, Default)]
struct SeenJudgements {
    marked: u64,
    errors: u64,
    passed: u64,
}

/// The findings of one resource that have an exception; usually none.
#[derive(Debug, Default)]
pub struct Marks(Vec<Mark>);

/// An exception for one finding.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The index of the rule.
    pub rule: usize,
    /// Its index among the exceptions.
    pub number: usize,
    /// The exception.
    pub exception: Arc<Exception>,
}

/// An exception at the end of a cycle.
#[derive(Debug, Clone)]
pub struct ExceptionUse {
    /// The exception.
    pub exception: Arc<Exception>,
    /// Its state.
    pub state: ExceptionState,
    /// How many findings it marks.
    pub findings: u64,
}

/// The state of an exception at the end of a cycle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExceptionState {
    /// It marks at least one finding.
    InUse,
    /// It has expired and marks nothing.
    Expired,
    /// It is for another cluster.
    OtherCluster,
    /// Everything that it matches passes.
    NotNeeded,
    /// What it matches could not be judged.
    Undecided,
    /// It matches nothing.
    Unmatched,
}

impl<'e> ExceptionCycle<'e> {
    pub(super) fn new(exceptions: &'e Exceptions, now: Timestamp, cluster: &Cluster) -> Self {
        let standing = |exception: &Exception| {
            if exception.expires.is_some_and(|expires| now >= expires) {
                ExceptionStanding::Expired
            } else if !exception.is_for(cluster) {
                ExceptionStanding::OtherCluster
            } else {
                ExceptionStanding::Valid(SeenJudgements::default())
            }
        };
        Self { exceptions, standings: exceptions.iter().map(standing).collect() }
    }

    /// The valid exceptions that match this resource, in order. Call it before judging, which consumes the resource.
    ///
    /// A workload is judged itself, and as the pods of its template: an exception for those pods is about the template.
    pub fn about(&self, resource: &Resource) -> Vec<Candidate> {
        if self.exceptions.is_empty() {
            return Vec::new();
        }
        let selectors = resource.selectors();
        let own = || selectors.iter().flat_map(|name| self.exceptions.of(resource.kind, name));
        let known = KnownBy::of(resource);
        let mut about: Vec<Candidate> =
            own().filter(|candidate| self.fits(candidate, resource, &known)).cloned().collect();
        if let Some(path) = &resource.pod_template {
            let prefix = format!("{}-", resource.name);
            let pods = KnownBy::pods_of(resource, path, &prefix);
            let is_own = |rule: &usize| own().any(|candidate| candidate.rules.binary_search(rule).is_ok());
            let of_template = self.exceptions.of(Kind::K8sObject, POD).iter().filter(|candidate| {
                self.fits(candidate, resource, &known) || self.fits(candidate, resource, &pods)
            });
            about.extend(of_template.map(|candidate| Candidate {
                rules: candidate.rules.iter().copied().filter(|rule| !is_own(rule)).collect(),
                ..*candidate
            }));
        }
        about.sort_unstable();
        // A file may have two roles, and a rule be about both.
        about.dedup_by(|next, first| {
            let same = next.number == first.number;
            if same {
                first.rules.append(&mut next.rules);
                first.rules.sort_unstable();
                first.rules.dedup();
            }
            same
        });
        about
    }

    /// Whether a valid exception matches what is known of a resource.
    fn fits(&self, candidate: &Candidate, resource: &Resource, known: &KnownBy<'_>) -> bool {
        matches!(self.standings[candidate.number], ExceptionStanding::Valid(_))
            // A kind that could not be listed may contain what they match.
            && (resource.is_unlisted() || self.exceptions.all[candidate.number].is_about(known))
    }

    /// Marks the findings of a resource that the exceptions `about` match: failed ones, and those that need review. The
    /// first exception wins, but every one that matches counts as in use.
    pub fn marks(&mut self, about: &[Candidate], judgements: &[(&[usize], Judgement)]) -> Marks {
        let mut marks = Marks::default();
        for Candidate { number, rules: in_question } in about {
            let ExceptionStanding::Valid(seen) = &mut self.standings[*number] else { continue };
            for (rules, judgement) in judgements {
                for rule in rules.iter().filter(|rule| in_question.binary_search(rule).is_ok()) {
                    match judgement.outcome {
                        Outcome::Failed | Outcome::NeedsReview => {
                            seen.marked += 1;
                            if marks.of(*rule).is_none() {
                                let exception = Arc::clone(&self.exceptions.all[*number]);
                                marks.0.push(Mark { rule: *rule, number: *number, exception });
                            }
                        }
                        Outcome::Error => seen.errors += 1,
                        Outcome::Passed => seen.passed += 1,
                        Outcome::NotApplicable => {}
                    }
                }
            }
        }
        marks
    }

    /// Ends the cycle: the state of each exception, in order.
    pub fn close(self) -> Vec<ExceptionUse> {
        let became = |(exception, standing): (&Arc<Exception>, &ExceptionStanding)| {
            let (state, findings) = match standing {
                ExceptionStanding::Expired => (ExceptionState::Expired, 0),
                ExceptionStanding::OtherCluster => (ExceptionState::OtherCluster, 0),
                ExceptionStanding::Valid(SeenJudgements { marked: 0, errors: 0, passed: 0 }) => {
                    (ExceptionState::Unmatched, 0)
                }
                ExceptionStanding::Valid(SeenJudgements { marked: 0, errors: 0, .. }) => {
                    (ExceptionState::NotNeeded, 0)
                }
                ExceptionStanding::Valid(SeenJudgements { marked: 0, .. }) => (ExceptionState::Undecided, 0),
                ExceptionStanding::Valid(seen) => (ExceptionState::InUse, seen.marked),
            };
            ExceptionUse { exception: Arc::clone(exception), state, findings }
        };
        self.exceptions.all.iter().zip(&self.standings).map(became).collect()
    }
}

impl Marks {
    /// The mark on this resource's finding for a rule.
    pub fn of(&self, rule: usize) -> Option<&Mark> {
        self.0.iter().find(|mark| mark.rule == rule)
    }
}

impl ExceptionState {
    /// The word in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InUse => "in_use",
            Self::Expired => "expired",
            Self::OtherCluster => "other_cluster",
            Self::NotNeeded => "not_needed",
            Self::Undecided => "undecided",
            Self::Unmatched => "unmatched",
        }
    }
}

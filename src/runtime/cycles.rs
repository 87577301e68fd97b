//! Log lines and metrics about cycles. Each function here both logs and counts, so the two cannot disagree.

use jiff::Timestamp;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::account::CycleAccount;
use crate::evaluate::Outcome;
use crate::resource::Reason;
use crate::telemetry::metrics::{Registry, Samples};

/// The cycles of a run, about one node or cluster.
pub(super) struct Cycles {
    of: String,
    counted: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    complete: u64,
    interrupted: u64,
    failed: u64,
    late: u64,
    /// Resources judged again between cycles, and those whose verdicts changed.
    rejudged: (u64, u64),
    last: Option<Complete>,
}

/// The last complete cycle.
struct Complete {
    sequence: i64,
    ended: Timestamp,
    account: CycleAccount,
}

impl Cycles {
    /// Counts the cycles of the node or cluster `of`, and registers its metrics.
    pub(super) fn new(of: &str, registry: &Registry) -> Arc<Self> {
        let cycles = Arc::new(Self { of: of.to_owned(), counted: Mutex::default() });
        let counted = Arc::clone(&cycles);
        registry.register(move |samples| counted.counted().sample(&counted.of, samples));
        cycles
    }

    /// A cycle is complete, or was interrupted.
    pub(super) fn ended(&self, sequence: i64, account: CycleAccount, now: Timestamp) {
        let total = account.total();
        let mut counted = self.counted();
        // One macro for both: the message of a log line is a constant.
        macro_rules! log {
            ($message:literal) => {
                tracing::info!(
                    of = self.of,
                    sequence,
                    resources = account.resources,
                    passed = total.of(Outcome::Passed),
                    failed = total.of(Outcome::Failed),
                    excepted = total.excepted(),
                    needs_review = total.of(Outcome::NeedsReview),
                    errors = total.of(Outcome::Error),
                    not_applicable = total.of(Outcome::NotApplicable),
                    milliseconds = account.took.as_millis() as u64,
                    $message
                )
            };
        }
        if account.complete {
            log!("cycle complete");
            counted.complete += 1;
            counted.last = Some(Complete { sequence, ended: now, account });
        } else {
            log!("cycle interrupted");
            counted.interrupted += 1;
        }
    }

    /// A cycle failed.
    pub(super) fn failed(&self, sequence: i64, error: &anyhow::Error) {
        tracing::error!(of = self.of, sequence, error = format!("{error:#}"), "cycle failed");
        self.counted().failed += 1;
    }

    /// A cycle ended after the next one was due.
    pub(super) fn late(&self, sequence: i64, took: Duration, period: Duration) {
        tracing::warn!(
            of = self.of,
            sequence,
            ?took,
            ?period,
            "cycle took longer than the period; the next one is late"
        );
        self.counted().late += 1;
    }

    /// A resource was judged again between cycles; `is_changed`: with other verdicts.
    pub(super) fn rejudged(&self, is_changed: bool) {
        let rejudged = &mut self.counted().rejudged;
        rejudged.0 += 1;
        rejudged.1 += u64::from(is_changed);
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn sample(&self, of: &str, samples: &mut Samples) {
        let labels = [("of", of)];
        for (path, help, number) in [
            ("posturebeat.cycles.complete", "Completed cycles", self.complete),
            (
                "posturebeat.cycles.interrupted",
                "Cycles interrupted by a shutdown or by loss of the Lease",
                self.interrupted,
            ),
            ("posturebeat.cycles.failed", "Cycles that failed", self.failed),
            ("posturebeat.cycles.late", "Cycles that took longer than the period", self.late),
            ("posturebeat.watch.judged", "Resources judged again between cycles", self.rejudged.0),
            (
                "posturebeat.watch.changed",
                "Resources judged again between cycles whose verdicts changed",
                self.rejudged.1,
            ),
        ] {
            samples.counter_of(path, help, &labels, number);
        }
        if let Some(last) = &self.last {
            last.sample(of, samples);
        }
    }
}

impl Complete {
    fn sample(&self, of: &str, samples: &mut Samples) {
        let labels = [("of", of)];
        let Self { sequence, ended, account } = self;
        let sequence = u64::try_from(*sequence).unwrap_or_default();
        let ended = ended.as_millisecond() as f64 / 1000.0;
        samples.gauge_of(
            "posturebeat.last_cycle.sequence",
            "event.sequence of the last complete cycle",
            &labels,
            sequence,
        );
        let help = "End of the last complete cycle, in Unix seconds";
        samples.fraction_of("posturebeat.last_cycle.ended_seconds", help, &labels, ended);
        let help = "Duration of the last complete cycle, in seconds";
        let took = account.took.as_secs_f64();
        samples.fraction_of("posturebeat.last_cycle.duration_seconds", help, &labels, took);
        let help = "Resources judged in the last complete cycle";
        samples.gauge_of("posturebeat.last_cycle.resources", help, &labels, account.resources);
        for (benchmark, totals) in &account.totals {
            let benchmark = benchmark.to_string();
            let labels = [("of", of), ("benchmark", benchmark.as_str())];
            let rules = totals.rules as u64;
            samples.gauge_of("posturebeat.last_cycle.rules", "Rules loaded", &labels, rules);
            if let Some(score) = totals.counts.score() {
                let help = "Posture score: passed / (passed + failed), in percent";
                samples.fraction_of("posturebeat.last_cycle.score", help, &labels, score);
            }
            let help = "Failed findings with an exception";
            let excepted = totals.counts.excepted();
            samples.gauge_of("posturebeat.last_cycle.excepted", help, &labels, excepted);
            for outcome in Outcome::ALL {
                let labels = [labels[0], labels[1], ("outcome", outcome.as_str())];
                let help = "(Rule, resource) pairs by outcome";
                samples.gauge_of("posturebeat.last_cycle.outcomes", help, &labels, totals.counts.of(outcome));
            }
            for code in Reason::ALL {
                let labels = [labels[0], labels[1], ("code", code.as_str())];
                let help = "(Rule, resource) pairs that are errors, by error code";
                samples.gauge_of("posturebeat.last_cycle.errors", help, &labels, totals.counts.errors(code));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::OutcomeCounts;
    use crate::finding::Totals;
    use crate::rule::BenchmarkName;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;

    fn account(complete: bool, resources: u64) -> CycleAccount {
        let name = BenchmarkName { id: "a".into(), version: "1.0".into() };
        let totals = Totals { counts: OutcomeCounts::default(), rules: 3, resources, duration_ms: 1500 };
        let took = Duration::from_millis(1500);
        CycleAccount {
            complete,
            resources,
            took,
            totals: vec![(name, totals)],
            unjudged: BTreeSet::default(),
        }
    }

    fn read(registry: &Registry) -> Value {
        registry.read().tree()["posturebeat"].clone()
    }

    #[test]
    fn half_a_cycle_is_counted_and_shows_no_posture() {
        let registry = Registry::default();
        let cycles = Cycles::new("node", &registry);
        let now = "2026-08-21T07:10:03.5Z".parse().unwrap();
        let counted = |complete, interrupted, failed, late| json!({"complete": {"node": complete}, "interrupted": {"node": interrupted}, "failed": {"node": failed}, "late": {"node": late}});
        assert_eq!(read(&registry)["cycles"], counted(0, 0, 0, 0));
        assert_eq!(read(&registry).get("last_cycle"), None);
        cycles.ended(7, account(true, 5), now);
        cycles.ended(8, account(false, 2), now);
        cycles.failed(9, &anyhow::anyhow!("no disk"));
        cycles.late(9, Duration::from_secs(2), Duration::from_secs(1));
        let metrics = read(&registry);
        assert_eq!(metrics["cycles"], counted(1, 1, 1, 1));
        let last = &metrics["last_cycle"];
        assert_eq!((&last["sequence"]["node"], &last["resources"]["node"]), (&json!(7), &json!(5)));
        assert_eq!(last["ended_seconds"]["node"], 1_787_296_203.5);
        assert_eq!(last["duration_seconds"]["node"], 1.5);
        assert_eq!(last["rules"], json!({"node": {"a@1.0": 3}}));
        assert_eq!(last.get("score"), None, "nothing was judged");
        assert_eq!(last["outcomes"]["node"]["a@1.0"].as_object().unwrap().len(), 5);
    }
}

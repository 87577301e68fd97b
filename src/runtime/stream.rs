//! The stream of resources: each is judged as it arrives, and its results go to the sinks.

use jiff::Timestamp;
use std::future::Future;
use tokio::sync::mpsc;

use super::engine::Engine;
use super::sinks::Sinks;
use super::stop::Stop;
use crate::evaluate::{Judgement, WorkloadOutcomes};
use crate::event::Event;
use crate::exception::{ExceptionCycle, ExceptionUse, Marks};
use crate::finding::{FindingWriter, Subject};
use crate::resource::{Cluster, Resource};

/// What judges resources and hands the results on.
pub(super) struct ResourceStream<'e, 's> {
    engine: &'e Engine,
    writer: &'e mut FindingWriter,
    granted: ExceptionCycle<'e>,
    workloads: &'e mut WorkloadOutcomes,
    sinks: Sinks<'s>,
}

/// A judged resource.
pub(super) struct Judged<'e> {
    /// Each with the rules that share it.
    pub judgements: Vec<(&'e [usize], Judgement)>,
    /// The findings that an exception marks.
    pub marks: Marks,
    /// Whether the verdicts differ from those of the last time.
    pub is_changed: bool,
}

impl<'e, 's> ResourceStream<'e, 's> {
    pub(super) fn new(
        engine: &'e Engine,
        writer: &'e mut FindingWriter,
        sinks: Sinks<'s>,
        cluster: &Cluster,
        workloads: &'e mut WorkloadOutcomes,
    ) -> Self {
        let granted = engine.exceptions.cycle(Timestamp::now(), cluster);
        Self { engine, writer, granted, workloads, sinks }
    }

    /// Gives each resource to `take` until there are no more (`true`), or until `end`, or until a sink gives up.
    pub(super) async fn run(
        &mut self,
        found: &mut mpsc::Receiver<Resource>,
        end: impl Future<Output = ()>,
        stop: &Stop<'_>,
        mut take: impl FnMut(&mut Self, Resource) -> anyhow::Result<()>,
    ) -> anyhow::Result<bool> {
        let mut end = std::pin::pin!(end);
        let exhausted = loop {
            let resource = tokio::select! {
                biased;
                () = &mut end => break false,
                resource = found.recv() => match resource {
                    Some(resource) => resource,
                    None => break true,
                },
            };
            if stop.is_reached() {
                break false;
            }
            take(self, resource)?;
            if !self.sinks.deliver_due(found.is_empty(), stop).await? {
                return Ok(false);
            }
        };
        Ok(self.sinks.deliver(stop).await? && exhausted)
    }

    /// Asks every rule that judges this kind of resource.
    pub(super) fn judge(&mut self, resource: Resource) -> Judged<'e> {
        self.sinks.begin(&resource);
        let about = self.granted.about(&resource);
        let ownership = self.workloads.ownership(&resource);
        let mut judgements = self.engine.judge.judge(resource);
        self.workloads.settle(ownership, &mut judgements);
        let marks = self.granted.marks(&about, &judgements);
        let is_changed = self.sinks.compare(&judgements);
        Judged { judgements, marks, is_changed }
    }

    /// Renders a resource for its findings.
    pub(super) fn subject(&self, resource: &Resource) -> Subject {
        self.writer.subject(resource, Timestamp::now())
    }

    /// Numbers the findings from here on as those of a later judgement within the cycle.
    pub(super) fn rejudged(&mut self, judgement: u32) {
        self.writer.rejudged(judgement);
    }

    /// Hands a judged resource to the sinks.
    pub(super) fn hand_on(&mut self, subject: Subject, judged: &Judged<'_>) -> anyhow::Result<()> {
        let Judged { judgements, marks, .. } = judged;
        self.sinks.resource(&subject.id, judgements, marks);
        if !self.sinks.take_documents() {
            return Ok(());
        }
        let judgements = judgements.iter().map(|(rules, judgement)| (*rules, judgement));
        let events: Vec<Event> = self.writer.findings(subject, judgements, marks);
        self.sinks.documents(events)
    }

    /// What became of the exceptions, the sinks, and the writer for the cycle's own documents.
    pub(super) fn end(self) -> (Vec<ExceptionUse>, Sinks<'s>, &'e mut FindingWriter) {
        (self.granted.close(), self.sinks, self.writer)
    }
}

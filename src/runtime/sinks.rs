//! Sinks: where the results of a cycle go.
//!
//! A sink is one file here and one line where a cycle lists its sinks. Each hook of [`Sink`] does nothing by default,
//! so a sink has only those that it needs. None of them is called more often than once for a resource, and none may
//! wait but [`Sink::deliver`], which is called when a sink says that it is due.

mod lines;
mod outcomes;
mod pipeline;
mod progress;
mod report;

use async_trait::async_trait;

use super::stop::Stop;
use crate::evaluate::{Judgement, Tally};
use crate::event::Event;
use crate::exception::{ExceptionUse, Marks};
use crate::resource::Resource;

pub(super) use lines::LinesSink;
pub(super) use outcomes::Outcomes;
pub(super) use pipeline::PipelineSink;
pub(super) use progress::ProgressSink;
pub(super) use report::ReportSink;

/// A resource's judgements, each with the rules that share it.
pub(super) type Judgements<'e> = [(&'e [usize], Judgement)];

/// Takes the results of a cycle.
#[async_trait]
pub(super) trait Sink: Send {
    /// Called before a resource is judged; judging consumes it.
    fn begin(&mut self, _resource: &Resource) {}

    /// Whether the verdicts differ from those of the last time. Only asked for between sweeps to ship changes alone.
    fn compare(&mut self, _judgements: &Judgements<'_>) -> bool {
        true
    }

    /// Called for each judged resource; `id` is its `resource.id`.
    fn resource(&mut self, _id: &str, _judgements: &Judgements<'_>, _marks: &Marks) {}

    /// Whether it takes documents. They are rendered only where a sink does.
    fn takes_documents(&self) -> bool {
        false
    }

    /// Takes the documents of one resource, or those that account for the cycle.
    fn documents(&mut self, _events: Vec<Event>) -> anyhow::Result<()> {
        Ok(())
    }

    /// Whether it must deliver before the next resource. `idle`: no resource is waiting to be judged.
    fn is_due(&self, _idle: bool) -> bool {
        false
    }

    /// Delivers what it has gathered. `false`: it had to give up because of the stop, and the cycle ends.
    async fn deliver(&mut self, _stop: &Stop<'_>) -> anyhow::Result<bool> {
        Ok(true)
    }

    /// Called once after the last resource, also where the cycle was interrupted.
    fn close(&mut self, _end: &CycleEnd<'_>) {}
}

/// The end of a cycle. If it was interrupted, only the tally holds anything.
pub(super) struct CycleEnd<'a> {
    /// Every (rule, resource), by rule and outcome.
    pub tally: &'a Tally,
    /// The rules that saw no resource, and are not applicable.
    pub without_resource: &'a [usize],
    /// What became of the exceptions.
    pub exceptions: &'a [ExceptionUse],
}

/// The sinks of one cycle, in the order in which they are called.
#[derive(Default)]
pub(super) struct Sinks<'a>(Vec<&'a mut (dyn Sink + 'a)>);

impl<'a> Sinks<'a> {
    /// Adds a sink, if there is one.
    pub(super) fn with<S: Sink + 'a>(mut self, sink: Option<&'a mut S>) -> Self {
        self.0.extend(sink.map(|sink| sink as &mut dyn Sink));
        self
    }

    pub(super) fn begin(&mut self, resource: &Resource) {
        self.0.iter_mut().for_each(|sink| sink.begin(resource));
    }

    /// Every sink is asked, for each remembers the answer.
    pub(super) fn compare(&mut self, judgements: &Judgements<'_>) -> bool {
        self.0.iter_mut().fold(true, |changed, sink| sink.compare(judgements) && changed)
    }

    pub(super) fn resource(&mut self, id: &str, judgements: &Judgements<'_>, marks: &Marks) {
        self.0.iter_mut().for_each(|sink| sink.resource(id, judgements, marks));
    }

    pub(super) fn take_documents(&self) -> bool {
        self.0.iter().any(|sink| sink.takes_documents())
    }

    /// The last sink that takes documents gets them, those before it copies: nearly always there is one.
    pub(super) fn documents(&mut self, mut events: Vec<Event>) -> anyhow::Result<()> {
        let mut left = self.0.iter().filter(|sink| sink.takes_documents()).count();
        for sink in self.0.iter_mut().filter(|sink| sink.takes_documents()) {
            left -= 1;
            sink.documents(if left == 0 { std::mem::take(&mut events) } else { events.clone() })?;
        }
        Ok(())
    }

    /// Delivers what is due, so that a slow store slows the collectors. `false`: a sink gave up.
    pub(super) async fn deliver_due(&mut self, idle: bool, stop: &Stop<'_>) -> anyhow::Result<bool> {
        for sink in &mut self.0 {
            if sink.is_due(idle) && !sink.deliver(stop).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Delivers everything.
    pub(super) async fn deliver(&mut self, stop: &Stop<'_>) -> anyhow::Result<bool> {
        let mut delivered = true;
        for sink in &mut self.0 {
            delivered &= sink.deliver(stop).await?;
        }
        Ok(delivered)
    }

    pub(super) fn close(&mut self, end: &CycleEnd<'_>) {
        self.0.iter_mut().for_each(|sink| sink.close(end));
    }
}

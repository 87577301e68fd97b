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
use crate::report::WithoutResource;
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
    /// The rules that saw no resource and are therefore not applicable.
    pub without_resource: &'a WithoutResource,
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
        let mut changed = true;
        for sink in &mut self.0 {
            changed &= sink.compare(judgements);
        }
        changed
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

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_util::sync::CancellationToken;

    /// Counts what it is given; is due at two documents, and gives up if `broken`.
    #[derive(Default)]
    struct Counter {
        takes: bool,
        broken: bool,
        documents: usize,
        delivered: usize,
    }

    #[async_trait]
    impl Sink for Counter {
        fn takes_documents(&self) -> bool {
            self.takes
        }

        fn documents(&mut self, events: Vec<Event>) -> anyhow::Result<()> {
            self.documents += events.len();
            Ok(())
        }

        fn is_due(&self, idle: bool) -> bool {
            idle || self.documents >= 2
        }

        async fn deliver(&mut self, _stop: &Stop<'_>) -> anyhow::Result<bool> {
            self.delivered += 1;
            Ok(!self.broken)
        }
    }

    fn event() -> Event {
        Event::single("i", "1", "{}")
    }

    #[tokio::test]
    async fn every_sink_that_takes_documents_gets_all_of_them_and_only_due_ones_deliver() {
        let cancel = CancellationToken::new();
        let stop = Stop::on(&cancel);
        let [mut first, mut second] = [true, true].map(|takes| Counter { takes, ..Counter::default() });
        let mut deaf = Counter::default();
        let mut sinks = Sinks::default().with(Some(&mut first)).with(Some(&mut deaf)).with(Some(&mut second));
        assert!(sinks.take_documents());
        sinks.documents(vec![event()]).unwrap();
        assert!(sinks.deliver_due(false, &stop).await.unwrap());
        sinks.documents(vec![event()]).unwrap();
        assert!(sinks.deliver_due(false, &stop).await.unwrap());
        let counts = [first, deaf, second].map(|sink| (sink.documents, sink.delivered));
        assert_eq!(counts, [(2, 1), (0, 0), (2, 1)]);
    }

    #[tokio::test]
    async fn a_sink_that_gives_up_ends_the_cycle() {
        let cancel = CancellationToken::new();
        let stop = Stop::on(&cancel);
        let mut broken = Counter { broken: true, ..Counter::default() };
        let mut after = Counter::default();
        let mut sinks = Sinks::default().with(Some(&mut broken)).with(Some(&mut after)).with::<Counter>(None);
        assert!(!sinks.take_documents());
        assert!(!sinks.deliver_due(true, &stop).await.unwrap());
        assert!(!sinks.deliver(&stop).await.unwrap());
        // The last delivery is tried by every sink.
        assert_eq!((broken.delivered, after.delivered), (2, 1));
    }
}

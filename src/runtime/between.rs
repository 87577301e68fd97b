//! Between two sweeps of a cluster: changed resources are judged as they arrive.
//!
//! In: resources from the watch whose verdicts may have changed. Out: findings, where they have. Those carry the
//! cycle's sequence, and the number of the judgement since the cycle's sweep.

use tokio::time::Instant;

use super::cycles::Cycles;
use super::engine::Engine;
use super::sinks::{Outcomes, PipelineSink, Sinks};
use super::stop::Stop;
use super::stream::ResourceStream;
use crate::evaluate::WorkloadOutcomes;
use crate::finding::FindingWriter;
use crate::observe::ClusterWatch;
use crate::pipeline::Producer;
use crate::resource::{Cluster, Resource};

/// What a sweep leaves behind for the time until the next one.
pub(super) struct Between {
    pub writer: FindingWriter,
    pub cluster: Cluster,
    pub workloads: WorkloadOutcomes,
    pub outcomes: Outcomes,
    pub watch: Box<ClusterWatch>,
}

impl Between {
    /// Judges what changes, up to `until`.
    pub(super) async fn judge(
        mut self,
        engine: &Engine,
        producer: Option<&Producer>,
        cycles: &Cycles,
        until: Instant,
        stop: &Stop<'_>,
    ) -> anyhow::Result<()> {
        let (mut found, _watching) = self.watch.start();
        let mut pipeline = producer.map(PipelineSink::prompt);
        let sinks = Sinks::default().with(Some(&mut self.outcomes)).with(pipeline.as_mut());
        let mut stream =
            ResourceStream::new(engine, &mut self.writer, sinks, &self.cluster, &mut self.workloads);
        let mut changes = 0;
        let judge = |stream: &mut ResourceStream<'_, '_>, resource: Resource| {
            // Rendering costs as much as judging, and most changes change no verdict, so it comes second.
            let kept = resource.clone();
            let judged = stream.judge(resource);
            cycles.rejudged(judged.is_changed);
            if !judged.is_changed {
                return Ok(());
            }
            changes += 1;
            stream.rejudged(changes);
            let subject = stream.subject(&kept);
            stream.hand_on(subject, &judged)
        };
        let end = async {
            tokio::select! {
                () = stop.reached() => {}
                () = tokio::time::sleep_until(until) => {}
            }
        };
        let watch_ended = stream.run(&mut found, end, stop, judge).await?;
        if watch_ended && !stop.is_reached() {
            tracing::error!(
                "the watch of the cluster ended early; the next cycle judges what changes until then"
            );
        }
        Ok(())
    }
}

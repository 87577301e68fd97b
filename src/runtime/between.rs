//! Between two cycles of a cluster: what changed is judged as it comes.
//!
//! In: resources that the watch sends, whose verdicts may be others now. Out: findings, where they are. Those have the
//! cycle's sequence, and the number of their judgement, counted since the cycle's own.

use jiff::Timestamp;
use tokio::time::Instant;

use super::cycle::{Judged, judge, queue};
use super::cycles::Cycles;
use super::engine::Engine;
use super::outcomes::Outcomes;
use super::stop::Stop;
use crate::finding::FindingWriter;
use crate::observe::Going;
use crate::pipeline::Producer;
use crate::resource::Cluster;

/// What a cycle leaves behind.
pub(super) struct Between {
    pub writer: FindingWriter,
    pub cluster: Cluster,
    pub outcomes: Outcomes,
    pub going: Box<Going>,
}

impl Between {
    /// Judges what changes, up to `until`.
    pub async fn judge(
        mut self,
        engine: &Engine,
        producer: Option<&Producer>,
        cycles: &Cycles,
        until: Instant,
        stop: &Stop<'_>,
    ) -> anyhow::Result<()> {
        let (mut found, _watching) = self.going.watch();
        let mut granted = engine.exceptions.cycle(Timestamp::now(), &self.cluster);
        let mut judgement = 0;
        let mut unsent = false;
        let mut reached = std::pin::pin!(stop.reached());
        let mut due = std::pin::pin!(tokio::time::sleep_until(until));
        loop {
            let resource = tokio::select! {
                biased;
                () = &mut reached => return Ok(()),
                () = &mut due => return Ok(()),
                resource = found.recv() => resource,
            };
            if stop.is_reached() {
                return Ok(());
            }
            let Some(resource) = resource else {
                tracing::error!("the watch of the cluster broke off: changes are judged in the next cycle");
                return Ok(());
            };
            // Rendering costs as much as judging, and most changes change no verdict: so it comes second.
            let rendered = resource.clone();
            let Judged { judgements, marks } = judge(engine, &mut granted, resource);
            let is_news = self.outcomes.note(self.outcomes.who(&rendered), &judgements);
            cycles.rejudged(is_news);
            if is_news {
                judgement += 1;
                self.writer.rejudged(judgement);
                let subject = self.writer.subject(&rendered, Timestamp::now());
                let judged = judgements.iter().map(|(rules, judgement)| (*rules, judgement));
                let mut events = self.writer.findings(subject, judged, &marks);
                if !queue(producer, &mut events, stop).await? {
                    return Ok(());
                }
                unsent = true;
            }
            // Also where the last of several is no news.
            if unsent && found.is_empty() {
                unsent = false;
                send_now(producer);
            }
        }
    }
}

/// A change should be seen soon: its few findings do not wait for a batch to fill.
fn send_now(producer: Option<&Producer>) {
    let Some(producer) = producer.cloned() else { return };
    tokio::spawn(async move {
        // It fails when the pipeline is shut down, which sends what there is anyway.
        let _ = producer.flush().await;
    });
}

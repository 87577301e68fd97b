//! The pipeline's guarantees, tested with a scripted output. Time is paused, so waits take no time and are exact.

mod sizes;

use super::*;
use crate::event::Event;
use crate::output::{BatchError, Output, OutputError, Verdict};
use crate::telemetry::log_capture::LogCapture;
use async_trait::async_trait;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

/// The scripted answer to one batch.
#[derive(Debug, Clone)]
enum Step {
    /// One verdict per event, in order; events without one are `Done`.
    Verdicts(Vec<Verdict>),
    Fails(BatchError),
    /// Never answers.
    Hangs,
}

/// What the output was given, and its final verdicts.
#[derive(Debug, Default)]
struct Seen {
    batches: Mutex<Vec<Vec<String>>>,
    ends: Mutex<Vec<(String, Verdict)>>,
    changed: Notify,
}

impl Seen {
    fn batches(&self) -> Vec<Vec<String>> {
        self.batches.lock().unwrap().clone()
    }

    async fn wait_for_batches(&self, count: usize) {
        while self.batches.lock().unwrap().len() < count {
            self.changed.notified().await;
        }
    }
}

/// An output that follows a script and then accepts everything. Batches over `most` events or `most_bytes` are always
/// too large.
struct Scripted {
    steps: VecDeque<Step>,
    most: usize,
    most_bytes: usize,
    seen: Arc<Seen>,
}

#[async_trait]
impl Output for Scripted {
    async fn publish(&mut self, batch: &[Event]) -> Result<Vec<Verdict>, BatchError> {
        self.seen.batches.lock().unwrap().push(batch.iter().map(|event| event.id().to_owned()).collect());
        self.seen.changed.notify_one();
        let bytes: usize = batch.iter().map(Event::document_len).sum();
        if batch.len() > self.most || bytes > self.most_bytes {
            return Err(BatchError::TooLarge);
        }
        let mut verdicts = match self.steps.pop_front() {
            Some(Step::Verdicts(verdicts)) => verdicts,
            Some(Step::Fails(error)) => return Err(error),
            Some(Step::Hangs) => std::future::pending().await,
            None => vec![],
        };
        verdicts.resize(batch.len(), Verdict::Done);
        for (event, verdict) in batch.iter().zip(&verdicts) {
            if !matches!(verdict, Verdict::Again { .. }) {
                self.seen.ends.lock().unwrap().push((event.id().to_owned(), verdict.clone()));
            }
        }
        Ok(verdicts)
    }

    async fn check(&mut self) -> Result<(), OutputError> {
        Ok(())
    }
}

fn scripted(steps: impl IntoIterator<Item = Step>) -> (Scripted, Arc<Seen>) {
    let seen = Arc::new(Seen::default());
    let steps = steps.into_iter().collect();
    (Scripted { steps, most: usize::MAX, most_bytes: usize::MAX, seen: Arc::clone(&seen) }, seen)
}

const FLUSH: Duration = Duration::from_secs(10);

fn start(output: Scripted, queue_events: usize, batch_events: usize) -> (Producer, Pipeline) {
    let queue = settings::Queue { events: queue_events, flush_timeout: FLUSH };
    let delivery = Delivery { batch_events, ..Delivery::default() };
    Pipeline::start(Box::new(output), &queue, delivery)
}

fn event_of(id: impl ToString, bytes: usize) -> Event {
    Event::single("logs-a-b", &id.to_string(), &"x".repeat(bytes))
}

/// The `libbeat.*` metrics of a pipeline.
fn metrics_of(pipeline: &Pipeline) -> Value {
    let registry = Registry::default();
    pipeline.register(&registry);
    registry.read().tree()["libbeat"].clone()
}

async fn send(producer: &Producer, ids: std::ops::Range<usize>) {
    for id in ids {
        producer.send(event_of(id, 10)).await.unwrap();
    }
}

fn again() -> Verdict {
    Verdict::Again { why: "busy".into() }
}

fn refused() -> Verdict {
    Verdict::Refused { why: "bad field".into() }
}

fn busy() -> Step {
    Step::Fails(BatchError::Again { why: "busy".into() })
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|id| id.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_batch_goes_out_when_it_is_full_or_due_or_asked_for() {
    let (output, seen) = scripted([]);
    let (producer, pipeline) = start(output, 100, 3);
    let begun = Instant::now();
    send(&producer, 0..4).await;
    seen.wait_for_batches(1).await;
    assert_eq!(begun.elapsed(), Duration::ZERO, "full");
    seen.wait_for_batches(2).await;
    assert_eq!(begun.elapsed().as_secs(), FLUSH.as_secs(), "due");
    send(&producer, 4..5).await;
    let begun = Instant::now();
    producer.flush().await.unwrap();
    assert_eq!(begun.elapsed(), Duration::ZERO, "asked for");
    assert_eq!(seen.batches(), [ids(0..3), ids(3..4), ids(4..5)]);
    let counts = pipeline.stats().counts();
    assert_eq!(
        counts,
        DeliveryCounts { sent: 5, batches: 3, tried: 5, delivered: 5, ..DeliveryCounts::default() }
    );
    assert_eq!(pipeline.shutdown(FLUSH).await, 0);
}

#[tokio::test(start_paused = true)]
async fn only_what_wants_another_try_gets_one_ahead_of_what_is_new() {
    let (output, seen) =
        scripted([Step::Verdicts(vec![Verdict::Done, again(), refused(), again(), Verdict::Duplicate])]);
    let (producer, pipeline) = start(output, 100, 5);
    send(&producer, 0..7).await;
    producer.flush().await.unwrap();
    assert_eq!(seen.batches()[1], ["1", "3", "5", "6"]);
    let counts = pipeline.stats().counts();
    let wanted = DeliveryCounts {
        sent: 7,
        batches: 2,
        tried: 9,
        delivered: 6,
        duplicates: 1,
        refused: 1,
        retried: 2,
        left: 0,
    };
    assert_eq!(counts, wanted);
    let told = metrics_of(&pipeline);
    assert_eq!(
        told["output"]["events"],
        json!({"total": 9, "acked": 5, "duplicates": 1, "dropped": 1, "failed": 2, "active": 0, "batches": 2})
    );
    assert_eq!(
        told["pipeline"]["events"],
        json!({"total": 7, "published": 7, "retry": 2, "dropped": 0, "active": 0})
    );
    assert_eq!(told["pipeline"]["queue"]["acked"], 7);
}

#[tokio::test(start_paused = true)]
async fn what_is_on_its_way_and_what_is_left_is_told() {
    let (output, seen) = scripted([Step::Hangs]);
    let (producer, pipeline) = start(output, 10, 2);
    send(&producer, 0..3).await;
    seen.wait_for_batches(1).await;
    let registry = Registry::default();
    pipeline.register(&registry);
    let told = registry.read().tree()["libbeat"].clone();
    assert_eq!(
        (&told["output"]["events"]["active"], &told["output"]["events"]["total"]),
        (&json!(2), &json!(2))
    );
    assert_eq!(told["pipeline"]["events"]["active"], 3);
    let bytes: usize = (0..3).map(|id| queue::size(&event_of(id, 10))).sum();
    assert_eq!(
        told["pipeline"]["queue"],
        json!({"acked": 0, "max_events": 10, "max_bytes": queue::QUEUE_BYTES, "filled": {"events": 3, "bytes": bytes, "pct": 0.3}})
    );
    assert_eq!(pipeline.shutdown(FLUSH).await, 3);
    let told = registry.read().tree()["libbeat"].clone();
    assert_eq!(
        (&told["pipeline"]["events"]["dropped"], &told["pipeline"]["events"]["active"]),
        (&json!(3), &json!(0))
    );
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_waited_out_however_long() {
    let (output, seen) = scripted(std::iter::repeat_with(busy).take(40));
    let (producer, pipeline) = start(output, 10, 10);
    let begun = Instant::now();
    send(&producer, 0..10).await;
    producer.flush().await.unwrap();
    assert!(begun.elapsed() > Duration::from_mins(20), "waits grow: {:?}", begun.elapsed());
    assert!(begun.elapsed() < Duration::from_mins(40), "waits are bounded: {:?}", begun.elapsed());
    assert!(seen.batches().iter().all(|batch| *batch == ids(0..10)));
    assert_eq!(pipeline.stats().counts().delivered, 10);
}

#[tokio::test(start_paused = true)]
async fn credentials_that_stop_working_lose_nothing() {
    let denied = Step::Fails(BatchError::Denied { why: "401".into() });
    let (output, _) = scripted([denied.clone(), denied]);
    let (producer, pipeline) = start(output, 10, 10);
    send(&producer, 0..3).await;
    producer.flush().await.unwrap();
    assert_eq!(pipeline.stats().counts().delivered, 3);
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_always_busy_does_not_hold_up_the_others() {
    let stuck = |_| Step::Verdicts(vec![again()]);
    let (output, seen) = scripted((0..20).map(stuck));
    let (producer, pipeline) = start(output, 10, 2);
    send(&producer, 0..12).await;
    seen.wait_for_batches(11).await;
    let ends: Vec<String> = seen.ends.lock().unwrap().iter().map(|(id, _)| id.clone()).collect();
    assert!(!ends.contains(&"0".to_owned()) && ends.len() >= 10, "{ends:?}");
    pipeline.shutdown(Duration::from_hours(1)).await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_delivers_what_is_queued() {
    let (output, seen) = scripted([busy()]);
    let (producer, pipeline) = start(output, 100, 4);
    send(&producer, 0..10).await;
    let stats = pipeline.stats();
    assert_eq!(pipeline.shutdown(Duration::from_secs(30)).await, 0);
    assert_eq!(stats.counts().delivered, 10);
    assert_eq!(seen.ends.lock().unwrap().len(), 10);
    assert_eq!(producer.send(event_of("late", 1)).await, Err(Closed));
    assert_eq!(producer.flush().await, Err(Closed));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_the_wait_of_an_outage_for_a_last_try() {
    let (output, seen) = scripted(std::iter::repeat_with(busy).take(20));
    let (producer, pipeline) = start(output, 100, 4);
    send(&producer, 0..3).await;
    seen.wait_for_batches(20).await;
    assert_eq!(pipeline.shutdown(Duration::from_millis(500)).await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_at_its_deadline_and_says_what_is_left() {
    for first in [vec![Step::Hangs], vec![busy(); 1000]] {
        let (output, _) = scripted(first);
        let (producer, pipeline) = start(output, 5, 2);
        send(&producer, 0..5).await;
        let blocked = tokio::spawn(async move { producer.send(event_of("more", 1)).await });
        tokio::task::yield_now().await;
        let stats = pipeline.stats();
        let begun = Instant::now();
        assert_eq!(pipeline.shutdown(Duration::from_secs(7)).await, 5);
        assert_eq!(begun.elapsed().as_secs(), 7);
        assert_eq!(stats.counts().left, 5);
        assert_eq!(blocked.await.unwrap(), Err(Closed), "a waiting sender is woken");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_event_is_logged_by_id_and_reason_without_its_document() {
    let heard = LogCapture::text();
    let (output, _) = scripted([Step::Verdicts(vec![refused(), Verdict::Done, refused()])]);
    let (producer, _pipeline) = start(output, 10, 10);
    for id in ["first", "second", "third"] {
        producer.send(event_of(id, 10)).await.unwrap();
    }
    producer.flush().await.unwrap();
    let text = heard.lines().join("\n");
    assert!(
        text.contains("the output refused events")
            && text.contains("bad field")
            && text.contains("first third"),
        "{text}"
    );
    assert!(text.contains("logs-a-b") && !text.contains("second") && !text.contains("xxx"), "{text}");
}

fn any_step() -> impl Strategy<Value = Step> {
    let verdict = prop_oneof![
        4 => Just(Verdict::Done),
        1 => Just(Verdict::Duplicate),
        3 => Just(again()),
        1 => Just(refused()),
    ];
    prop_oneof![
        6 => prop::collection::vec(verdict, 0..12).prop_map(Step::Verdicts),
        1 => Just(busy()),
        1 => Just(Step::Fails(BatchError::TooLarge)),
        1 => Just(Step::Fails(BatchError::Denied { why: "403".into() })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn every_event_ends_exactly_once_and_old_ones_go_first(
        steps in prop::collection::vec(any_step(), 0..40),
        (events, queue, batch, most) in (1usize..60, 1usize..20, 1usize..10, 1usize..10),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (mut output, seen) = scripted(steps);
            output.most = most;
            let (producer, pipeline) = start(output, queue, batch);
            send(&producer, 0..events).await;
            producer.flush().await.unwrap();
            let counts = pipeline.stats().counts();

            let mut ends: BTreeMap<usize, Verdict> = BTreeMap::new();
            for (id, verdict) in seen.ends.lock().unwrap().iter() {
                let twice = ends.insert(id.parse().unwrap(), verdict.clone());
                prop_assert!(twice.is_none(), "{} ended twice", id);
            }
            // A single event that is too large is refused too, but without a verdict.
            let total = ends.values().filter(|end| matches!(end, Verdict::Refused { .. })).count()
                + events - ends.len();
            prop_assert_eq!(counts.sent as usize, events);
            prop_assert_eq!(counts.refused as usize, total);
            prop_assert_eq!(counts.delivered as usize, events - total);
            prop_assert_eq!(counts.tried, counts.delivered + counts.refused + counts.retried);
            prop_assert_eq!(counts.batches as usize, seen.batches().len());
            prop_assert_eq!(
                counts.duplicates as usize,
                ends.values().filter(|end| **end == Verdict::Duplicate).count()
            );

            // Every batch is in the order of sending, and retried events come before new ones.
            let mut tried: BTreeSet<usize> = BTreeSet::new();
            for batch in seen.batches() {
                let batch: Vec<usize> = batch.iter().map(|id| id.parse().unwrap()).collect();
                prop_assert!(batch.is_sorted(), "{:?}", batch);
                let newest = tried.last().copied();
                let new = batch.iter().position(|id| Some(*id) > newest).unwrap_or(batch.len());
                prop_assert!(batch[..new].iter().all(|id| tried.contains(id)), "{:?}", batch);
                tried.extend(batch);
            }
            prop_assert_eq!(tried.len(), events);
            prop_assert_eq!(pipeline.shutdown(FLUSH).await, 0);
            Ok(())
        })?;
    }
}

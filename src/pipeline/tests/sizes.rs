//! Batches and queues by size.

use super::*;

#[tokio::test(start_paused = true)]
async fn what_is_too_large_goes_out_in_halves_and_a_single_giant_is_refused() {
    let (mut output, seen) = scripted([]);
    output.most_bytes = 100;
    let (producer, pipeline) = start(output, 100, 8);
    for id in 0..8 {
        producer.send(event_of(id, if id == 2 { 1000 } else { 20 })).await.unwrap();
    }
    producer.flush().await.unwrap();
    assert_eq!(seen.batches(), [ids(0..8), ids(0..4), ids(0..2), ids(2..4), ids(2..3), ids(3..4), ids(4..8)]);
    let counts = pipeline.stats().counts();
    assert_eq!((counts.sent, counts.delivered, counts.refused), (8, 7, 1));
}

#[tokio::test(start_paused = true)]
async fn an_output_that_takes_no_halves_refuses_a_batch_that_is_too_large() {
    let (mut output, seen) = scripted([]);
    output.most = 2;
    let queue = settings::Queue { events: 100, flush_timeout: FLUSH };
    let delivery = Delivery { batch_events: 4, splits_batches: false, ..Delivery::default() };
    let (producer, pipeline) = Pipeline::start(Box::new(output), &queue, delivery);
    send(&producer, 0..6).await;
    producer.flush().await.unwrap();
    assert_eq!(seen.batches(), [ids(0..4), ids(4..6)]);
    let counts = pipeline.stats().counts();
    assert_eq!((counts.delivered, counts.refused), (2, 4));
}

#[tokio::test(start_paused = true)]
async fn a_half_that_comes_back_is_not_filled_up_again() {
    let (mut output, seen) = scripted([Step::Verdicts(vec![Verdict::Done, again()]), busy()]);
    output.most = 2;
    let (producer, pipeline) = start(output, 100, 4);
    send(&producer, 0..5).await;
    producer.flush().await.unwrap();
    let expected: &[&[&str]] = &[&["0", "1", "2", "3"], &["0", "1"], &["1"], &["1"], &["2", "3"], &["4"]];
    assert_eq!(seen.batches(), expected);
    assert_eq!(pipeline.stats().counts().delivered, 5);
}

#[tokio::test(start_paused = true)]
async fn batches_are_bounded_by_bytes() {
    let (output, seen) = scripted([]);
    let (producer, _pipeline) = start(output, 100, 100);
    for id in 0..4 {
        producer.send(event_of(id, 3 * 1024 * 1024)).await.unwrap();
    }
    producer.send(event_of("giant", 20 * 1024 * 1024)).await.unwrap();
    producer.flush().await.unwrap();
    assert_eq!(seen.batches(), [&["0"], &["1"], &["2"], &["3"], &["giant"]]);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_makes_the_producer_wait_by_number_and_by_bytes() {
    let minute = Duration::from_mins(1);
    for (events, bytes, fit) in [(5, 10, 5usize), (1000, 6 * 1024 * 1024, 2)] {
        let (output, _) = scripted([Step::Hangs]);
        let (producer, pipeline) = start(output, events, 1);
        for id in 0..fit {
            tokio::time::timeout(minute, producer.send(event_of(id, bytes))).await.unwrap().unwrap();
        }
        let blocked = tokio::time::timeout(minute, producer.send(event_of("more", bytes))).await;
        assert!(blocked.is_err(), "{events} {bytes}");
        assert_eq!(pipeline.stats().counts().sent, fit as u64);
    }
}

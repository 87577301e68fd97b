//! The pieces by themselves.

use super::settings;
use crate::leader::hold::Hold;
use crate::leader::lease::LeaseReply;
use crate::leader::machine::{Machine, Moment, NextStep};
use crate::leader::record::{Record, Sequence};
use crate::leader::tests::store::Store;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

const MS: Duration = Duration::from_millis(1);

#[test]
fn a_hold_ends_by_the_clock_alone_and_stays_ended() {
    let now = Instant::now();
    let until = now + Duration::from_secs(10);
    let hold = Hold::new(until);
    assert!(hold.holds(now) && hold.holds(until - MS));
    assert!(!hold.holds(until), "the moment itself is too late");
    assert!(!hold.holds(now), "what was once found lost is lost");
    assert!(!hold.extend(now, until + MS), "also for a renewal that was under way");
    assert!(!hold.holds(now));
}

/// Nothing but the clock moved: the process was stopped, and neither timer nor answer came in between.
#[test]
fn a_renewal_whose_answer_was_read_too_late_does_not_extend_a_hold() {
    let now = Instant::now();
    let hold = Hold::new(now + MS);
    assert!(!hold.extend(now + MS, now + MS * 1000));
    assert!(!hold.holds(now + MS));
    let hold = Hold::new(now + MS);
    assert!(hold.extend(now, now + MS * 1000));
    assert!(hold.holds(now + MS * 999));
}

/// The same while the Lease was being taken.
#[test]
fn an_answer_that_is_older_than_a_term_makes_no_leader() {
    let (start, mut machine) = (Instant::now(), Machine::new(settings("a_1")));
    let after = |seconds| {
        let now = start + Duration::from_secs(seconds);
        Moment { now, wall: Timestamp::UNIX_EPOCH, chance: 0.0 }
    };
    let NextStep::Send(get) = machine.step(after(0)) else { panic!("it looks first") };
    machine.answered(get, after(0), LeaseReply::Missing);
    let NextStep::Send(create) = machine.step(after(0)) else { panic!("a missing Lease is made") };
    let mine = lease(|lease| lease["spec"]["holderIdentity"] = "a_1".into());
    machine.answered(create, after(10), LeaseReply::Lease(Record::parse(mine).unwrap()));
    assert!(machine.term().is_none());
    assert_eq!(machine.take_events(), []);
}

#[test]
fn unusable_settings_are_refused_with_what_to_do() {
    let refused = |change: fn(&mut super::ElectionSettings)| {
        let mut settings = settings("a");
        change(&mut settings);
        settings.check().unwrap_err().to_string()
    };
    settings("a").check().unwrap();
    assert!(refused(|settings| settings.renew_deadline = settings.lease_duration).contains("renew_deadline"));
    assert!(refused(|settings| settings.retry_period = settings.renew_deadline).contains("retry_period"));
    assert!(refused(|settings| settings.retry_period = Duration::ZERO).contains("retry_period"));
    assert!(refused(|settings| settings.identity = String::new()).contains("identity"));
    assert!(refused(|settings| settings.namespace = "../secrets".into()).contains("`../secrets`"));
    assert!(refused(|settings| settings.lease_name = "a/b".into()).contains("`a/b`"));
}

fn lease(change: impl FnOnce(&mut Value)) -> Value {
    let mut lease = Store::held_by("x").lease.unwrap();
    change(&mut lease);
    lease
}

#[test]
fn what_is_no_lease_is_not_taken_for_one() {
    let refused = |value| Record::parse(value).unwrap_err();
    Record::parse(lease(|_| ())).unwrap();
    Record::parse(lease(|lease| lease["spec"] = Value::Null)).unwrap();
    for value in [Value::Null, json!([]), json!({}), json!("Lease"), json!({"kind": "Status"})] {
        refused(value);
    }
    refused(lease(|lease| lease["metadata"] = json!(7)));
    refused(lease(|lease| lease["spec"] = json!([1])));
    refused(lease(|lease| lease["metadata"]["annotations"] = json!("a")));
    let why = refused(lease(|lease| lease["metadata"]["resourceVersion"] = "".into()));
    assert!(why.contains("resourceVersion"), "an update would replace what it never saw: {why}");
}

#[test]
fn numbers_that_no_leader_writes_are_garbage() {
    let with = |text: &str| {
        let annotations = json!({"posturebeat.dev/sequence": text});
        Record::parse(lease(|lease| lease["metadata"]["annotations"] = annotations)).unwrap()
    };
    assert_eq!(with("1700000000").sequence(), Some(Sequence::Number(1_700_000_000)));
    for text in ["", "x", "-1", "1e9", "9223372036854775807", "99999999999999999999", " 1"] {
        assert_eq!(with(text).sequence(), Some(Sequence::Garbage(text)));
    }
    let none = Record::parse(lease(|lease| lease["metadata"]["annotations"] = Value::Null)).unwrap();
    assert_eq!(none.sequence(), None);
}

#[test]
fn hostile_durations_are_bounded() {
    let lasts = |seconds: Value| {
        Record::parse(lease(|lease| lease["spec"]["leaseDurationSeconds"] = seconds)).unwrap().lasts()
    };
    assert_eq!(lasts(json!(60)), Duration::from_mins(1));
    for (seconds, is) in
        [(json!(-5), 0), (json!("60"), 0), (json!(i64::MAX), 2_147_483_647), (Value::Null, 0)]
    {
        assert_eq!(lasts(seconds), Duration::from_secs(is));
    }
}

//! How often posturebeat asks, by the API server's own count.

use serde_json::{Value, json};
use std::time::{Duration, Instant};

use super::findings::Findings;
use crate::bed::Bed;
use crate::plane::api::Api;
use crate::plane::{ADMIN, Plane, READER};

pub const SCHEMAS: &str = "/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas";

/// The requests of one user at one API server. Those are told from others' by a flow schema of his own, and watches are
/// counted when they begin, where `apiserver_request_total` knows neither.
pub struct Asked {
    api: Api,
}

impl Asked {
    /// Counts those of [`READER`] at a server.
    pub fn at(bed: &Bed, plane: &Plane, server: usize) -> Self {
        let api = plane.api_of(ADMIN, server);
        api.create(SCHEMAS, &schema(READER, "global-default"));
        let asked = Self { api };
        let reader = plane.api_of(READER, server);
        bed.until("the flow schema", || {
            reader.text("/api/v1/namespaces/kube-system");
            (asked.served() > 0).then_some(())
        });
        asked
    }

    /// Requests that were answered.
    pub fn served(&self) -> u64 {
        self.sum("apiserver_flowcontrol_dispatched_requests_total{")
    }

    /// Requests that were refused with 429.
    pub fn refused(&self) -> u64 {
        self.sum("apiserver_flowcontrol_rejected_requests_total{")
    }

    /// Waits until nothing more is asked: then all that is watched is.
    pub fn until_quiet(&self) {
        let mut before = self.served();
        loop {
            std::thread::sleep(Duration::from_secs(2));
            let now = self.served();
            if now == before {
                return;
            }
            before = now;
        }
    }

    fn sum(&self, metric: &str) -> u64 {
        let text = self.api.text("/metrics").unwrap();
        let own = format!("flow_schema=\"{READER}\"");
        let lines = text.lines().filter(|line| line.starts_with(metric) && line.contains(&own));
        lines.map(|line| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap()).sum()
    }
}

/// Everything that a user asks is of a priority level.
pub fn schema(user: &str, level: &str) -> Value {
    json!({"apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "FlowSchema", "metadata": {"name": user},
        "spec": {"matchingPrecedence": 100, "priorityLevelConfiguration": {"name": level}, "rules": [{
            "subjects": [{"kind": "User", "user": {"name": user}}],
            "resourceRules": [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"], "clusterScope": true,
                "namespaces": ["*"]}],
            "nonResourceRules": [{"verbs": ["*"], "nonResourceURLs": ["*"]}]}]}})
}

#[test]
fn a_sweep_asks_less_than_five_times_a_second_and_watching_asks_nothing() {
    let bed = Bed::share();
    let plane = Plane::start(&bed, "asked", 1);
    let asked = Asked::at(&bed, &plane, 0);
    let before = asked.served();
    let began = Instant::now();
    let _findings = Findings::start(&bed, &plane.kubeconfig(READER, &plane.address(0)));
    let (swept, sweep) = (asked.served() - before, began.elapsed());
    asked.until_quiet();
    let (opened, opening) = (asked.served() - before, began.elapsed());
    let watching = Duration::from_secs(30);
    std::thread::sleep(watching);
    let watched = asked.served() - before - opened;
    println!(
        "requests: {swept} in the {sweep:.1?} of a sweep, {opened} in {opening:.1?} until all is watched, {watched} in {watching:?} of watching"
    );
    assert!(opened > 40, "each list was read and is watched");
    assert!(opened as f64 <= 5.0 * opening.as_secs_f64(), "{opened} in {opening:?}");
    assert!(watched <= 2, "bookmarks are no requests");
    assert_eq!(asked.refused(), 0);
}

//! Workloads on the real API server, whose controllers make pods of them: the template's verdicts are those of the pods.

use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::bed::Bed;

/// `WORKLOADS=500` for more.
const WORKLOADS: usize = 80;
const NAMESPACE: &str = "generated-workloads";

/// The outcome of each rule about one workload or pod.
type Outcomes = BTreeMap<String, String>;

/// A small generator, so that a failing run can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.roll(of.len() as u64) as usize]
    }
}

/// A container with settings that rules are about.
fn container(name: &str, dice: &mut Dice) -> Value {
    let contexts = [
        json!(null),
        json!({"privileged": true}),
        json!({"privileged": false, "allowPrivilegeEscalation": false}),
        json!({"allowPrivilegeEscalation": true}),
        json!({"runAsNonRoot": true, "runAsUser": 1000}),
        json!({"runAsUser": 0}),
        json!({"capabilities": {"drop": ["ALL"]}}),
        json!({"capabilities": {"drop": ["NET_RAW"], "add": ["SYS_TIME"]}}),
        json!({"seccompProfile": {"type": "RuntimeDefault"}}),
        json!({"seccompProfile": {"type": "Unconfined"}}),
    ];
    let envs = [
        json!([]),
        json!([{"name": "LEVEL", "value": "info"}]),
        json!([{"name": "PASSWORD", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]),
    ];
    let ports =
        [json!([]), json!([{"containerPort": 80}]), json!([{"containerPort": 80, "hostPort": 18080}])];
    json!({"name": name, "image": "registry.example/none:1", "securityContext": dice.pick(&contexts),
        "env": dice.pick(&envs), "ports": dice.pick(&ports)})
}

/// The spec of a pod that no node runs.
fn pod_spec(dice: &mut Dice) -> Value {
    let mut spec = json!({"nodeSelector": {"generated": "nowhere"}, "containers": [container("a", dice)]});
    if dice.roll(3) == 0 {
        spec["initContainers"] = json!([container("init", dice)]);
    }
    for key in ["hostPID", "hostIPC", "hostNetwork"] {
        if dice.roll(4) == 0 {
            spec[key] = (dice.roll(2) == 0).into();
        }
    }
    let contexts = [
        json!(null),
        json!({"runAsNonRoot": true}),
        json!({"runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}),
        json!({"runAsUser": 0}),
    ];
    spec["securityContext"] = dice.pick(&contexts).clone();
    let volumes = [
        json!([]),
        json!([{"name": "host", "hostPath": {"path": "/var/log"}}]),
        json!([{"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "t", "audience": "vault"}}]}}]),
    ];
    spec["volumes"] = dice.pick(&volumes).clone();
    match dice.roll(4) {
        0 => spec["automountServiceAccountToken"] = false.into(),
        1 => spec["automountServiceAccountToken"] = true.into(),
        2 => spec["serviceAccountName"] = "quiet".into(),
        _ => {}
    }
    spec
}

fn workload(number: usize, dice: &mut Dice) -> Value {
    let name = format!("w{number}");
    let template = |spec: Value| json!({"metadata": {"labels": {"app": name}}, "spec": spec});
    let mut spec = pod_spec(dice);
    let selector = json!({"matchLabels": {"app": name}});
    let (version, kind, spec) = match number % 7 {
        0 => ("apps/v1", "Deployment", json!({"selector": selector, "template": template(spec)})),
        1 => (
            "apps/v1",
            "StatefulSet",
            json!({"selector": selector, "serviceName": name, "template": template(spec)}),
        ),
        2 => ("apps/v1", "ReplicaSet", json!({"selector": selector, "template": template(spec)})),
        3 => ("v1", "ReplicationController", json!({"selector": {"app": name}, "template": template(spec)})),
        4 => {
            // Its controller makes pods for nodes that fit.
            spec.as_object_mut().unwrap().remove("nodeSelector");
            ("apps/v1", "DaemonSet", json!({"selector": selector, "template": template(spec)}))
        }
        5 => {
            spec["restartPolicy"] = "Never".into();
            ("batch/v1", "Job", json!({"template": template(spec)}))
        }
        _ => {
            spec["restartPolicy"] = "Never".into();
            let job = json!({"spec": {"template": template(spec)}});
            ("batch/v1", "CronJob", json!({"schedule": "* * * * *", "jobTemplate": job}))
        }
    };
    json!({"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": NAMESPACE}, "spec": spec})
}

/// The outcomes of everything in the namespace, by kind and UID.
fn scan(bed: &Bed, workloads: bool) -> BTreeMap<(String, String), Outcomes> {
    let setting = format!("posturebeat.collect.workloads={workloads}");
    let output =
        bed.output(&["scan", "--format", "ndjson", "-E", &setting, "-E", "posturebeat.collect.node=false"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut found: BTreeMap<(String, String), Outcomes> = BTreeMap::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        let document: Value = serde_json::from_str(line).unwrap();
        let raw = &document["resource"]["raw"];
        if raw["metadata"]["namespace"] != NAMESPACE {
            continue;
        }
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let who = (text(&document["resource"]["sub_type"]), text(&raw["metadata"]["uid"]));
        let rule = text(&document["rule"]["benchmark"]["rule_number"]);
        found.entry(who).or_default().insert(rule, text(&document["result"]["evaluation"]));
    }
    found
}

#[test]
fn the_verdicts_on_a_template_are_those_on_the_pods_that_come_of_it() {
    let bed = Bed::take();
    let count = std::env::var("WORKLOADS").map_or(WORKLOADS, |count| count.parse().unwrap());
    let mut dice = Dice(2026);
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "automountServiceAccountToken": false,
            "metadata": {"name": "quiet", "namespace": NAMESPACE}}),
    ];
    objects.extend((0..count).map(|number| workload(number, &mut dice)));
    let _applied = bed.apply(&json!({"apiVersion": "v1", "kind": "List", "items": objects}));

    let get = |kinds: &str| -> Vec<Value> {
        let list = bed.kubectl(&["get", kinds, "--namespace", NAMESPACE, "--output=json"]);
        serde_json::from_str::<Value>(&list).unwrap()["items"].as_array().unwrap().clone()
    };
    let uid = |object: &Value| object["metadata"]["uid"].as_str().unwrap().to_owned();
    let owner = |object: &Value| {
        object["metadata"]["ownerReferences"][0]["uid"].as_str().map(str::to_owned).unwrap_or_default()
    };
    let kinds = "deployments,statefulsets,daemonsets,replicasets,replicationcontrollers,jobs,cronjobs";
    // Every workload that is not owned by another, and a pod that came of each.
    let pods_of = bed.until("a pod of every workload", || {
        let owners: BTreeMap<String, String> =
            get(kinds).iter().map(|object| (uid(object), owner(object))).collect();
        let mut pods_of: BTreeMap<String, String> = BTreeMap::new();
        for pod in get("pods") {
            let mut above = owner(&pod);
            while let Some(next) = owners.get(&above).filter(|next| !next.is_empty()) {
                above.clone_from(next);
            }
            pods_of.insert(above, uid(&pod));
        }
        (pods_of.len() >= count).then_some(pods_of)
    });

    let pods = scan(&bed, false);
    let workloads = scan(&bed, true);
    let by_uid: BTreeMap<&str, (&str, &Outcomes)> =
        workloads.iter().map(|((kind, uid), outcomes)| (uid.as_str(), (kind.as_str(), outcomes))).collect();
    let mut differences = Vec::new();
    for (workload, pod) in &pods_of {
        let (kind, of_template) = by_uid[workload.as_str()];
        let of_pod = &pods[&("Pod".to_owned(), pod.clone())];
        for (rule, outcome) in of_pod {
            let template = of_template.get(rule).map_or("none", String::as_str);
            if template != outcome {
                differences.push(format!("{rule} of a {kind}: template {template}, pod {outcome}"));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // Judged together, the pods add nothing.
    let more =
        workloads.iter().filter(|((kind, uid), _)| kind == "Pod" && pods_of.values().any(|it| it == uid));
    assert_eq!(more.map(|(_, outcomes)| outcomes.len()).sum::<usize>(), 0);
}

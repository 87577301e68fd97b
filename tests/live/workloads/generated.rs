//! Workloads of every kind, with settings that rules are about in ever other combinations.

use serde_json::{Value, json};

/// A kind of workload.
pub struct Kind {
    pub name: &'static str,
    api_version: &'static str,
    /// The path of its list; `{}` is the namespace.
    pub list: &'static str,
    pub makes_pods: bool,
    /// Around a template.
    spec: fn(&str, Value) -> Value,
}

fn replicated(name: &str, template: Value) -> Value {
    json!({"replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template})
}

/// Owners before what they own.
pub const KINDS: [Kind; 8] = [
    Kind {
        name: "CronJob",
        api_version: "batch/v1",
        list: "/apis/batch/v1/{}/cronjobs",
        makes_pods: true,
        spec: |_, template| json!({"schedule": "* * * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": {"template": template}}}),
    },
    Kind {
        name: "DaemonSet",
        api_version: "apps/v1",
        list: "/apis/apps/v1/{}/daemonsets",
        makes_pods: true,
        spec: |name, template| json!({"selector": {"matchLabels": {"app": name}}, "template": template}),
    },
    Kind {
        name: "Deployment",
        api_version: "apps/v1",
        list: "/apis/apps/v1/{}/deployments",
        makes_pods: true,
        spec: replicated,
    },
    Kind {
        name: "Job",
        api_version: "batch/v1",
        list: "/apis/batch/v1/{}/jobs",
        makes_pods: true,
        spec: |_, template| json!({"template": template}),
    },
    Kind {
        name: "PodTemplate",
        api_version: "v1",
        list: "/api/v1/{}/podtemplates",
        makes_pods: false,
        spec: |_, template| template,
    },
    Kind {
        name: "ReplicaSet",
        api_version: "apps/v1",
        list: "/apis/apps/v1/{}/replicasets",
        makes_pods: true,
        spec: replicated,
    },
    Kind {
        name: "ReplicationController",
        api_version: "v1",
        list: "/api/v1/{}/replicationcontrollers",
        makes_pods: true,
        spec: |name, template| json!({"replicas": 1, "selector": {"app": name}, "template": template}),
    },
    Kind {
        name: "StatefulSet",
        api_version: "apps/v1",
        list: "/apis/apps/v1/{}/statefulsets",
        makes_pods: true,
        spec: |name, template| json!({"serviceName": "none", "replicas": 1, "selector": {"matchLabels": {"app": name}}, "template": template}),
    },
];

/// Draws from `choices`, another for each workload and purpose; the same in each run.
struct Draw(u64);

impl Draw {
    /// The finalizer of splitmix64.
    fn one(&mut self, choices: Vec<Value>) -> Value {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let position = (mixed ^ (mixed >> 31)) as usize % choices.len();
        choices.into_iter().nth(position).unwrap()
    }
}

/// Adds the keys of `more`.
fn add(object: &mut Value, more: Value) {
    let Value::Object(more) = more else { return };
    object.as_object_mut().unwrap().extend(more);
}

fn container(draw: &mut Draw, name: &str) -> Value {
    let mut container = json!({"name": name, "image": "registry.example/app:1"});
    let context = draw.one(vec![
        json!(null),
        json!({}),
        json!({"privileged": true}),
        json!({"privileged": false, "allowPrivilegeEscalation": true}),
        json!({"allowPrivilegeEscalation": false}),
        json!({"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}),
        json!({"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}}),
        json!({"capabilities": {"add": ["NET_ADMIN"]}}),
        json!({"capabilities": {"add": ["ALL"], "drop": ["NET_RAW"]}}),
        json!({"capabilities": {"drop": ["NET_RAW"]}}),
        json!({"runAsUser": 0}),
        json!({"runAsUser": 1000, "runAsNonRoot": true}),
        json!({"runAsNonRoot": true}),
        json!({"seccompProfile": {"type": "RuntimeDefault"}}),
        json!({"seccompProfile": {"type": "Unconfined"}}),
        json!({"appArmorProfile": {"type": "Unconfined"}}),
        json!({"seLinuxOptions": {"type": "spc_t"}}),
        json!({"readOnlyRootFilesystem": true, "runAsNonRoot": true, "runAsUser": 7,
            "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"}}),
    ]);
    if !context.is_null() {
        container["securityContext"] = context;
    }
    // Two containers cannot have one port of the node.
    let port = 8080 + name.len();
    let more = draw.one(vec![
        json!({}),
        json!({}),
        json!({"ports": [{"containerPort": port}]}),
        json!({"ports": [{"containerPort": port, "hostPort": port}]}),
        json!({"env": [{"name": "MODE", "value": "fast"}]}),
        json!({"env": [{"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "key", "key": "key"}}}]}),
        json!({"envFrom": [{"secretRef": {"name": "key", "optional": true}}]}),
        json!({"envFrom": [{"configMapRef": {"name": "settings"}}]}),
    ]);
    add(&mut container, more);
    container
}

fn pod_spec(draw: &mut Draw) -> Value {
    let mut spec = json!({"containers": [container(draw, "first")], "tolerations": [{"operator": "Exists"}],
        // So that nobody places them.
        "schedulerName": "nobody"});
    match draw.one(vec![json!(0), json!(0), json!(1), json!(2)]).as_u64() {
        Some(1) => spec["containers"].as_array_mut().unwrap().push(container(draw, "second")),
        Some(2) => spec["initContainers"] = json!([container(draw, "before")]),
        _ => {}
    }
    let host = draw.one(vec![
        json!({}),
        json!({}),
        json!({}),
        json!({"hostPID": true}),
        json!({"hostIPC": true}),
        json!({"hostNetwork": true, "dnsPolicy": "ClusterFirstWithHostNet"}),
        json!({"hostPID": false, "shareProcessNamespace": true}),
    ]);
    add(&mut spec, host);
    let context = draw.one(vec![
        json!({}),
        json!({}),
        json!({"securityContext": {}}),
        json!({"securityContext": {"runAsNonRoot": true}}),
        json!({"securityContext": {"runAsUser": 0}}),
        json!({"securityContext": {"runAsUser": 1, "fsGroup": 1, "seccompProfile": {"type": "RuntimeDefault"}}}),
        json!({"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
        json!({"securityContext": {"supplementalGroups": [0], "seLinuxOptions": {"type": "spc_t"}}}),
    ]);
    add(&mut spec, context);
    let volumes = draw.one(vec![
        json!({}),
        json!({}),
        json!({"volumes": [{"name": "v", "hostPath": {"path": "/var/run"}}]}),
        json!({"volumes": [{"name": "v", "emptyDir": {}}, {"name": "h", "hostPath": {"path": "/", "type": "Directory"}}]}),
        json!({"volumes": [{"name": "v", "secret": {"secretName": "key"}}]}),
        json!({"volumes": [{"name": "v", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}]}),
    ]);
    add(&mut spec, volumes);
    let account = draw.one(vec![
        json!({}),
        json!({"serviceAccountName": "default"}),
        json!({"serviceAccountName": "deployer"}),
        json!({"serviceAccountName": "tokenless"}),
        json!({"serviceAccountName": "tokenless", "automountServiceAccountToken": true}),
        json!({"automountServiceAccountToken": false}),
    ]);
    add(&mut spec, account);
    spec
}

/// Settings of Windows, which those of Linux must not stand beside.
fn windows_spec(is_of_host: bool) -> Value {
    let options = json!({"hostProcess": is_of_host, "runAsUserName": "NT AUTHORITY\\SYSTEM"});
    json!({"os": {"name": "windows"}, "hostNetwork": is_of_host, "securityContext": {"windowsOptions": options},
        "containers": [{"name": "first", "image": "registry.example/app:1"}], "schedulerName": "nobody",
        "tolerations": [{"operator": "Exists"}]})
}

/// The workload of this number: its kind, and the object.
pub fn workload(number: usize) -> (&'static Kind, Value) {
    let kind = &KINDS[number % KINDS.len()];
    let name = format!("w-{number}");
    let mut draw = Draw(number as u64);
    let mut spec = match number % 19 {
        18 => windows_spec(number.is_multiple_of(2)),
        _ => pod_spec(&mut draw),
    };
    if ["CronJob", "Job"].contains(&kind.name) {
        spec["restartPolicy"] = json!("Never");
    }
    let template = json!({"metadata": {"labels": {"app": name}}, "spec": spec});
    let field = if kind.name == "PodTemplate" { "template" } else { "spec" };
    let object = json!({"apiVersion": kind.api_version, "kind": kind.name, "metadata": {"name": name},
        field: (kind.spec)(&name, template)});
    (kind, object)
}

//! The renderings, and what the API server makes of them: fields that say nothing have their defaults, so two texts that
//! mean the same are the same here.

use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

use crate::bed::{Bed, env};

/// One way to install.
pub struct Rendering {
    /// `kustomize vanilla`, `helm eks.enabled=true`.
    pub name: String,
    /// Its objects, as the API server would keep them.
    pub objects: Vec<Value>,
}

/// Overlays of kustomize, each with the values that make the chart mean the same.
pub const OVERLAYS: [(&str, &str); 5] = [
    ("vanilla", ""),
    ("eks", "eks.enabled=true,benchmarks={cis_eks}"),
    ("standalone", "output.file.path=/var/lib/posturebeat/findings"),
    ("openshift", "openshift.enabled=true"),
    ("split", "mode=split"),
];

/// More values of the chart, each on its own and in both modes.
const SWITCHES: [&str; 8] = [
    "collectSecrets=true",
    "output.elasticsearch.apiKey=id:$key",
    "leaderElection.leaseName=cloudbeat-cluster-leader,leaderElection.leaseNamespace=kube-system",
    "exceptions.enabled=false",
    "eks.enabled=true,serviceAccount.annotations.a=b",
    "openshift.enabled=true",
    "output.file.path=/var/lib/posturebeat/findings",
    "probe.extraHostPaths[0].name=snap,probe.extraHostPaths[0].path=/var/snap,probe.priorityClassName=system-node-critical,image.tag=x,\
     config.posturebeat.period=1h,imagePullSecrets[0].name=x,networkPolicy.ingress[0].ports[0].port=5066",
];

/// The namespace that they are rendered for.
pub const NAMESPACE: &str = "posturebeat";

pub fn folder(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("deploy").join(name)
}

/// Every rendering, made once.
pub fn all(bed: &Bed) -> &'static [Rendering] {
    static ALL: OnceLock<Vec<Rendering>> = OnceLock::new();
    ALL.get_or_init(|| {
        // A dry run makes no namespace that the next object could be in, nor OpenShift's kind.
        let _room = bed.apply(&surroundings());
        bed.kubectl(&["wait", "--for=condition=Established", "--timeout=60s", &format!("crd/{SCC}")]);
        let kustomize = OVERLAYS.iter().map(|(overlay, _)| {
            let path = folder("kustomize/overlays").join(overlay);
            let text = bed.kubectl(&["kustomize", path.to_str().unwrap()]);
            (format!("kustomize {overlay}"), text)
        });
        let of_overlays = OVERLAYS.iter().map(|(_, values)| (*values).to_owned());
        let switched =
            ["daemonset", "split"].iter().flat_map(|mode| SWITCHES.map(|it| format!("mode={mode},{it}")));
        let helm =
            of_overlays.chain(switched).map(|values| (format!("helm {values}"), template(bed, &values)));
        let texts: Vec<(String, String)> = kustomize.chain(helm).collect();
        // kubectl mostly waits for answers.
        std::thread::scope(|scope| {
            let each = texts.len().div_ceil(4);
            let parts: Vec<_> = texts
                .chunks(each)
                .map(|part| {
                    scope.spawn(|| {
                        part.iter().map(|(name, text)| accepted(bed, name, text)).collect::<Vec<_>>()
                    })
                })
                .collect();
            parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
        })
    })
}

/// The rendering of that name.
pub fn named<'a>(all: &'a [Rendering], name: &str) -> &'a Rendering {
    all.iter().find(|rendering| rendering.name == name).unwrap_or_else(|| panic!("nothing renders {name}"))
}

/// The chart with some values.
fn template(bed: &Bed, values: &str) -> String {
    let chart = folder("helm/posturebeat");
    let args = ["template", "posturebeat", chart.to_str().unwrap(), "-n", NAMESPACE, "--set", values];
    let output = helm(bed, &args);
    assert!(output.status.success(), "{values}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Helm, with a home of its own.
pub fn helm(bed: &Bed, args: &[&str]) -> Output {
    Command::new(PathBuf::from(env("TESTBED_BIN")).join("helm"))
        .env("HOME", bed.folder.path())
        .env_remove("KUBECONFIG")
        .args(args)
        .output()
        .unwrap()
}

/// What the API server would keep; it refuses what it does not know.
fn accepted(bed: &Bed, name: &str, text: &str) -> Rendering {
    let file = tempfile::NamedTempFile::new_in(bed.folder.path()).unwrap();
    let path = file.path();
    std::fs::write(path, text).unwrap();
    let args = ["apply", "--dry-run=server", "--validate=strict", "-o", "json", "-f", path.to_str().unwrap()];
    let output = bed.kubectl_output(&args);
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    let list: Value = serde_json::from_slice(&output.stdout).unwrap();
    Rendering { name: name.to_owned(), objects: list["items"].as_array().unwrap().clone() }
}

const SCC: &str = "securitycontextconstraints.security.openshift.io";

/// The namespace, and OpenShift's kind with whatever fields.
fn surroundings() -> Value {
    let schema = json!({"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}});
    json!({"apiVersion": "v1", "kind": "List", "metadata": {"name": "surroundings"}, "items": [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": SCC}, "spec": {
            "group": "security.openshift.io", "scope": "Cluster",
            "names": {"kind": "SecurityContextConstraints", "plural": "securitycontextconstraints"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": schema}]}},
    ]})
}

impl Rendering {
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Value> {
        self.objects.iter().filter(move |object| object["kind"] == kind)
    }

    /// `DaemonSet` or `Deployment`, where there is one.
    pub fn workload(&self, kind: &str) -> Option<&Value> {
        self.of_kind(kind).next()
    }

    /// What an account may do: (namespace, empty for the cluster; rule).
    pub fn rules_of(&self, account: &str) -> Vec<(String, Value)> {
        let bindings = self.of_kind("RoleBinding").chain(self.of_kind("ClusterRoleBinding"));
        let its = bindings.filter(|binding| {
            let subjects = binding["subjects"].as_array().unwrap();
            subjects.iter().any(|it| it["name"] == account && it["namespace"] == NAMESPACE)
        });
        its.flat_map(|binding| {
            let namespace = binding["metadata"]["namespace"].as_str().unwrap_or_default().to_owned();
            let (kind, name) = (&binding["roleRef"]["kind"], &binding["roleRef"]["name"]);
            let role = self.objects.iter().find(|role| {
                let there = kind == "ClusterRole" || role["metadata"]["namespace"] == namespace.as_str();
                role["kind"] == *kind && role["metadata"]["name"] == *name && there
            });
            let rules = role.unwrap_or_else(|| panic!("{}: no {kind} {name}", self.name))["rules"].clone();
            rules.as_array().unwrap().iter().map(|rule| (namespace.clone(), rule.clone())).collect::<Vec<_>>()
        })
        .collect()
    }

    /// Every rule of every role.
    pub fn rules(&self) -> impl Iterator<Item = &Value> {
        let roles = self.of_kind("Role").chain(self.of_kind("ClusterRole"));
        roles.flat_map(|role| role["rules"].as_array().unwrap())
    }
}

/// The texts of a list.
pub fn words(list: &Value) -> Vec<&str> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).collect()
}

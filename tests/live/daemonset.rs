//! The image as pods on the real node, installed as `docs/kubernetes.md` says: what it finds, what it may do, and what is
//! found about itself.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bed::{Bed, Store, env};

/// Where the manifests install it.
const NAMESPACE: &str = "posturebeat";
/// The probe's folder on the node.
const DATA: &str = "/var/lib/posturebeat";

/// An installation by an overlay of one's own; it goes when this is dropped.
struct Installed<'b> {
    bed: &'b Bed,
    /// Of the data streams.
    streams: String,
}

impl<'b> Installed<'b> {
    /// With these ConfigMaps made of these files, changed only in what is the test bed's own.
    fn new(bed: &'b Bed, overlay: &str, configs: &[(&str, &str)]) -> Self {
        import_image();
        assert!(!Path::new(DATA).exists(), "{DATA} is there already, and the pod would take it for its own");
        let streams = Bed::namespace(overlay);
        let installed = Self { bed, streams };
        let folder = bed.path("overlay");
        std::fs::create_dir(&folder).unwrap();
        let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/kustomize");
        let mut generators = String::new();
        for (map, written) in configs {
            installed.write_config(&deploy.join(written), &folder.join(format!("{map}.yml")));
            generators.push_str(&format!(
                "- {{name: {map}, namespace: {NAMESPACE}, behavior: replace, files: [posturebeat.yml={map}.yml, ca.crt]}}\n"
            ));
        }
        // A base is named by a path from here.
        let to_root = "../".repeat(folder.components().count() - 1);
        let base = format!("{to_root}{}/overlays/{overlay}", &deploy.to_str().unwrap()[1..]);
        // The bed's only node is one of the control plane, which a Deployment's pods keep away from.
        let tolerations = "patches: [{target: {kind: Deployment}, patch: '[{\"op\": \"add\", \"path\": \"/spec/template/spec/tolerations\", \"value\": [{\"operator\": \"Exists\"}]}]'}]\n";
        let text = format!(
            "{tolerations}resources: [{base}]\nimages: [{{name: posturebeat, newName: docker.io/library/posturebeat}}]\nconfigMapGenerator:\n{generators}"
        );
        std::fs::write(folder.join("kustomization.yaml"), text).unwrap();
        std::fs::copy(env("TESTBED_ES_CA"), folder.join("ca.crt")).unwrap();
        let credentials = format!(
            "output.elasticsearch: {{username: '{}', password: '{}'}}\n",
            env("TESTBED_ES_USER"),
            env("TESTBED_ES_PASSWORD")
        );
        std::fs::write(bed.path("credentials.yml"), credentials).unwrap();
        bed.kubectl(&["create", "namespace", NAMESPACE]);
        let file = format!("--from-file={}", bed.path("credentials.yml").display());
        bed.kubectl(&["-n", NAMESPACE, "create", "secret", "generic", "posturebeat-credentials", &file]);
        bed.kubectl(&["apply", "-k", folder.to_str().unwrap()]);
        installed
    }

    fn write_config(&self, written: &Path, to: &Path) {
        let text = std::fs::read_to_string(written).unwrap();
        let hosts = format!("https://{}:9200", env("TESTBED_NODE_IP"));
        let mine = text.replace("https://elasticsearch.example.com:9200", &hosts);
        assert_ne!(mine, text);
        let streams = &self.streams;
        let more = "output.elasticsearch.ssl.certificate_authorities: [/etc/posturebeat/ca.crt]";
        std::fs::write(to, format!("{mine}posturebeat.namespace: {streams}\n{more}\n")).unwrap();
    }

    fn pods(&self, component: &str) -> Vec<Value> {
        let selector = format!("app.kubernetes.io/component={component}");
        let text = self.bed.kubectl(&["-n", NAMESPACE, "get", "pods", "-l", &selector, "-o", "json"]);
        let list: Value = serde_json::from_str(&text).unwrap();
        let running = |pod: &&Value| {
            pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null()
        };
        list["items"].as_array().unwrap().iter().filter(running).cloned().collect()
    }

    fn log(&self, component: &str) -> String {
        let selector = format!("app.kubernetes.io/component={component}");
        // A pod that is about to start has none.
        let output = self.bed.kubectl_output(&["-n", NAMESPACE, "logs", "--tail=-1", "-l", &selector]);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn documents(&self, dataset: &str) -> Vec<Value> {
        let index = format!("logs-{dataset}-{}", self.streams);
        let hits = self.bed.documents(Store::Elasticsearch, &index);
        hits.into_iter().map(|mut hit| hit["_source"].take()).collect()
    }

    /// Sequences of the complete cycles of a part.
    fn cycles(&self, of: &str) -> BTreeSet<i64> {
        let accounts = self.documents("posturebeat.coverage");
        let mine = accounts.iter().filter(|account| account["posturebeat"]["coverage"]["of"] == of);
        mine.map(|account| account["event"]["sequence"].as_i64().unwrap()).collect()
    }

    fn until_complete(&self, of: &str, after: i64) -> i64 {
        self.bed.until(&format!("a cycle of the {of}: {}", self.log("node")), || {
            self.cycles(of).into_iter().find(|sequence| *sequence > after)
        })
    }
}

impl Drop for Installed<'_> {
    fn drop(&mut self) {
        let folder = self.bed.path("overlay");
        let _ = self.bed.kubectl_output(&["delete", "--ignore-not-found", "-k", folder.to_str().unwrap()]);
        let _ = self.bed.kubectl_output(&["delete", "--ignore-not-found", "namespace", NAMESPACE]);
        let _ = std::fs::remove_dir_all(DATA);
    }
}

fn import_image() {
    let imported = Command::new("ctr")
        .args(["--address", &env("TESTBED_CONTAINERD_SOCKET"), "--namespace", "k8s.io", "images", "import"])
        .arg(PathBuf::from(env("TESTBED_IMAGE")))
        .output()
        .unwrap();
    assert!(imported.status.success(), "{}", String::from_utf8_lossy(&imported.stderr));
}

/// By number and resource.
fn outcomes<'d>(documents: impl Iterator<Item = &'d Value>) -> BTreeMap<(String, String), String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let who = |document: &Value| {
        (
            text(&document["rule"]["benchmark"]["rule_number"]),
            format!("{} {}", text(&document["resource"]["name"]), text(&document["resource"]["id"])),
        )
    };
    let judged = documents.filter(|document| document["rule"].is_object());
    judged.map(|document| (who(document), text(&document["result"]["evaluation"]))).collect()
}

/// Outcomes that are errors: number, resource, message.
fn errors(documents: &[Value]) -> Vec<[String; 3]> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let failed = documents.iter().filter(|document| document["result"]["evaluation"] == "error");
    failed
        .map(|document| {
            [
                text(&document["rule"]["benchmark"]["rule_number"]),
                text(&document["resource"]["name"]),
                text(&document["error"]["message"]),
            ]
        })
        .collect()
}

/// What the kernel says of a pod's process.
fn status(pod: &Value) -> Option<String> {
    let id = pod["status"]["containerStatuses"][0]["containerID"].as_str()?.rsplit('/').next()?.to_owned();
    let of_pod = |process: &PathBuf| {
        std::fs::read_to_string(process.join("cgroup")).is_ok_and(|cgroup| cgroup.contains(&id))
    };
    let processes = std::fs::read_dir("/proc").ok()?;
    let process = processes.flatten().map(|entry| entry.path()).find(of_pod)?;
    std::fs::read_to_string(process.join("status")).ok()
}

fn line<'s>(status: &'s str, key: &str) -> &'s str {
    status.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim()
}

#[test]
fn a_pod_judges_its_node_and_leads_as_a_scan_by_root_and_an_administrator_does() {
    let bed = Bed::take();
    let installed = Installed::new(&bed, "vanilla", &[("posturebeat-config", "base/posturebeat.yml")]);
    let pod = bed.until("the probe", || installed.pods("node").pop());
    installed.until_complete("node", 0);
    let sequence = installed.until_complete("cluster", 0);

    let mut documents = installed.documents("cloud_security_posture.findings");
    documents.extend(installed.documents("posturebeat.outcomes"));
    let kinds: BTreeSet<&str> =
        documents.iter().filter_map(|document| document["resource"]["type"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["file", "k8s_object", "process"]));
    let clusters: BTreeSet<&str> =
        documents.iter().filter_map(|document| document["orchestrator"]["cluster"]["id"].as_str()).collect();
    let uid = bed.kubectl(&["get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]);
    assert_eq!(clusters, BTreeSet::from([uid.as_str()]));

    let errors = errors(&documents);
    assert!(errors.is_empty(), "what the pod may do is enough: {errors:#?}");

    // The probe observes the API server's node, so nothing is asked of the API server itself.
    let servers = documents.iter().map(|document| &document["resource"]);
    let servers = servers.filter(|it| it["raw"]["component"] == "kube-apiserver");
    let servers: BTreeSet<&str> = servers.map(|it| it["id"].as_str().unwrap()).collect();
    assert_eq!(servers.len(), 1, "judged once: {servers:?}");

    // In one cycle each; a change that was judged meanwhile comes on top.
    let swept = documents.iter().filter(|document| {
        document["resource"]["type"] != "k8s_object" || document["event"]["sequence"] == sequence
    });
    let by_pod = outcomes(swept);
    let output = bed.output(&["scan", "--format", "ndjson", "-E", &kubelet_url()]);
    let lines = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let by_scan = outcomes(lines.iter());
    let differs: Vec<_> = by_scan
        .iter()
        .filter(|(who, _)| by_pod.contains_key(*who))
        .filter(|(who, outcome)| by_pod[*who] != **outcome)
        .collect();
    assert!(differs.is_empty(), "{differs:#?}");
    let common = by_scan.keys().filter(|who| by_pod.contains_key(*who)).count();
    assert!(common > 700, "{common} of {} and {}", by_pod.len(), by_scan.len());

    // The cluster's own name begins likewise.
    let own = |document: &&Value| {
        let (resource, name) =
            (&document["resource"], document["resource"]["name"].as_str().unwrap_or_default());
        document["orchestrator"]["resource"]["namespace"] == NAMESPACE
            || resource["type"] == "k8s_object"
                && resource["sub_type"] != "Cluster"
                && name.starts_with("posturebeat")
    };
    let (mut mine, mut stated) = (0, 0);
    for document in documents.iter().filter(own) {
        mine += 1;
        if document["result"]["evaluation"] == "failed" {
            stated += 1;
            assert!(document["posturebeat"]["exception"]["reason"].is_string(), "{document:#}");
        }
    }
    assert!(mine > 30 && stated > 0, "{mine} {stated}");
    println!(
        "the probe's pod, leading: {} findings, {mine} about itself of which {stated} fail as stated; at most {}",
        documents.len(),
        line(&status(&pod).unwrap_or_default(), "VmHWM:")
    );

    // A pod that is deleted gives the Lease back; the one that follows goes on counting.
    bed.kubectl(&["-n", NAMESPACE, "delete", "pod", pod["metadata"]["name"].as_str().unwrap()]);
    let next = installed.until_complete("cluster", sequence);
    assert!(next > sequence);
}

#[test]
fn by_duty_the_probe_cannot_look_at_the_cluster_and_the_watcher_is_nobody() {
    let bed = Bed::take();
    let configs = [
        ("posturebeat-config", "overlays/split/posturebeat.yml"),
        ("posturebeat-cluster-config", "overlays/split/cluster.yml"),
    ];
    let installed = Installed::new(&bed, "split", &configs);
    let watchers = bed.until("two watchers", || {
        let pods = installed.pods("cluster");
        (pods.len() == 2).then_some(pods)
    });
    installed.until_complete("node", 0);
    let sequence = installed.until_complete("cluster", 0);
    for pod in &watchers {
        let status = status(pod).unwrap();
        assert!(line(&status, "Uid:").starts_with("65532"), "{status}");
        assert_eq!(line(&status, "CapEff:"), "0000000000000000");
    }
    let probe = installed.pods("node").pop().unwrap();
    let status = status(&probe).unwrap();
    // DAC_READ_SEARCH, and no other.
    assert_eq!(line(&status, "CapEff:"), "0000000000000004");
    let account = |name: &str| format!("--as=system:serviceaccount:{NAMESPACE}:{name}");
    for (name, may) in [("posturebeat", "no"), ("posturebeat-cluster", "yes")] {
        let asked = bed.kubectl_output(&["auth", "can-i", "list", "pods", "-A", &account(name)]);
        assert_eq!(String::from_utf8_lossy(&asked.stdout).trim(), may, "{name}");
    }
    let errors = errors(&installed.documents("posturebeat.outcomes"));
    assert!(errors.is_empty(), "what they may do is enough: {errors:#?}");
    let sources = installed.documents("cloud_security_posture.findings");
    let sources = sources.iter().filter(|document| document["resource"]["raw"]["source"].is_string());
    assert_eq!(sources.count(), 0, "the probe judges the API server of its node");

    let lease = bed.kubectl(&[
        "-n",
        NAMESPACE,
        "get",
        "lease",
        "posturebeat-cluster-leader",
        "-o",
        "jsonpath={.spec.holderIdentity}",
    ]);
    let leading = lease.split('_').next().unwrap();
    bed.kubectl(&["-n", NAMESPACE, "delete", "pod", leading]);
    assert!(installed.until_complete("cluster", sequence) > sequence, "the other takes over");
}

fn kubelet_url() -> String {
    format!("posturebeat.collect.kubelet_url=https://{}:10250", env("TESTBED_NODE_IP"))
}

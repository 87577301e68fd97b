//! The test bed, as tests use it.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::verdicts::Verdicts;

/// One cluster, so one test at a time, but for those that leave it alone.
static LOCK: RwLock<()> = RwLock::new(());

/// Held by a test to its end.
enum Hold {
    Alone { _lock: RwLockWriteGuard<'static, ()> },
    Beside { _lock: RwLockReadGuard<'static, ()> },
}

/// How long anything may take to become true.
const PATIENCE: Duration = Duration::from_mins(2);

pub struct Bed {
    _hold: Hold,
    pub folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

/// A store of the test bed.
#[derive(Clone, Copy, PartialEq)]
pub enum Store {
    Elasticsearch,
    OpenSearch,
}

pub fn env(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!("{name} is not set: the test bed is not up; run `make test`, or tests/testbed/up")
    })
}

impl Bed {
    /// For a test that changes the cluster or its node, or counts what is there.
    pub fn take() -> Self {
        Self::held(Hold::Alone { _lock: LOCK.write().unwrap_or_else(PoisonError::into_inner) })
    }

    /// For a test that needs only the bed's programs, such as API servers of its own: others like it run beside it.
    pub fn share() -> Self {
        Self::held(Hold::Beside { _lock: LOCK.read().unwrap_or_else(PoisonError::into_inner) })
    }

    fn held(hold: Hold) -> Self {
        // The first caller names the provider; the others find it named.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = reqwest::Client::builder().timeout(Duration::from_mins(1));
        // Not every test needs a store.
        if let Ok(path) = std::env::var("TESTBED_ES_CA") {
            let authority = reqwest::Certificate::from_pem(&std::fs::read(path).unwrap()).unwrap();
            http = http.add_root_certificate(authority);
        }
        Self {
            _hold: hold,
            folder: tempfile::tempdir().unwrap(),
            runtime: tokio::runtime::Runtime::new().unwrap(),
            http: http.build().unwrap(),
        }
    }

    /// The program, with the cluster's admin kubeconfig and state of its own.
    pub fn posturebeat(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_posturebeat"));
        command
            .env("KUBECONFIG", env("TESTBED_KUBECONFIG"))
            .env("NODE_NAME", env("TESTBED_NODE_NAME"))
            .env_remove("POSTUREBEAT_LOG")
            .current_dir(self.folder.path())
            .args(["--path.data", self.path("data").to_str().unwrap()])
            .args(args);
        command
    }

    /// The bed's API server.
    pub fn url() -> String {
        format!("https://{}:6443", env("TESTBED_NODE_IP"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program to its end.
    pub fn output(&self, args: &[&str]) -> Output {
        self.posturebeat(args).output().unwrap()
    }

    /// `scan --format json` of the live node and cluster.
    pub fn scan(&self) -> Value {
        let output = self.output(&["scan", "--format", "json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// `scan --format ndjson` with more arguments, as a table; `names` tells processes of one component apart.
    pub fn verdicts(&self, args: &[&str], names: &[(u32, &str)]) -> Verdicts {
        self.verdicts_and_log(args, names).0
    }

    /// The same, and what was said meanwhile.
    pub fn verdicts_and_log(&self, args: &[&str], names: &[(u32, &str)]) -> (Verdicts, String) {
        let output = self.output(&[&["scan", "--format", "ndjson"], args].concat());
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{log}");
        (Verdicts::read(&String::from_utf8(output.stdout).unwrap(), names), log)
    }

    /// Scans into a report file, for `diff`.
    pub fn report(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, self.scan().to_string()).unwrap();
        path
    }

    /// `diff` as (number, resource, before, after), for changes of verdicts among resources in both scans.
    pub fn diff(&self, old: &Path, new: &Path) -> String {
        let output = self.output(&["diff", old.to_str().unwrap(), new.to_str().unwrap()]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A namespace for data streams that no earlier run wrote to.
    pub fn namespace(name: &str) -> String {
        format!("{name}{}", std::process::id())
    }

    /// A configuration file with an output to `store`, and `more` in the section `posturebeat`.
    pub fn config(&self, store: Store, namespace: &str, more: &str) -> PathBuf {
        let output = match store {
            Store::Elasticsearch => format!(
                "output.elasticsearch:\n  hosts: ['{}']\n  username: '{}'\n  password: '{}'\n  ssl.certificate_authorities: ['{}']\n",
                env("TESTBED_ES_URL"),
                env("TESTBED_ES_USER"),
                env("TESTBED_ES_PASSWORD"),
                env("TESTBED_ES_CA")
            ),
            Store::OpenSearch => format!("output.elasticsearch.hosts: ['{}']\n", env("TESTBED_OS_URL")),
        };
        let text = format!(
            "posturebeat:\n  namespace: {namespace}\n{more}\n{output}output.elasticsearch.backoff.max: 2s\nqueue.mem.flush.timeout: 200ms\n"
        );
        let path = self.path(&format!("{namespace}.yml"));
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Starts the program; its log goes to a file that is returned too.
    pub fn start(&self, args: &[&str]) -> Running {
        let log = self.path("log.txt");
        let file = std::fs::File::create(&log).unwrap();
        let child = self.posturebeat(args).stdout(Stdio::null()).stderr(Stdio::from(file)).spawn().unwrap();
        Running { child, log }
    }

    pub fn request(&self, store: Store, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let (base, auth) = match store {
            Store::Elasticsearch => (env("TESTBED_ES_URL"), true),
            Store::OpenSearch => (env("TESTBED_OS_URL"), false),
        };
        let mut request = self.http.request(method.parse().unwrap(), format!("{base}{path}"));
        if auth {
            request = request.basic_auth(env("TESTBED_ES_USER"), Some(env("TESTBED_ES_PASSWORD")));
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            (status, response.json().await.unwrap_or_default())
        })
    }

    /// Every document of an index or data stream; empty while there is none.
    pub fn documents(&self, store: Store, index: &str) -> Vec<Value> {
        self.request(store, "POST", &format!("/{index}/_refresh"), None);
        let query = json!({"size": 10_000, "sort": ["_doc"]});
        let search = || self.request(store, "POST", &format!("/{index}/_search"), Some(&query));
        let (status, answer) =
            self.until("the shards of a new index, which a busy machine starts late", || {
                let answer = search();
                if answer.0 == 503 {
                    let started = format!("/_cluster/health/{index}?wait_for_status=yellow&timeout=10s");
                    self.request(store, "GET", &started, None);
                }
                Some(answer).filter(|(status, _)| *status != 503)
            });
        if status == 404 {
            return Vec::new();
        }
        assert_eq!(status, 200, "{answer}");
        answer["hits"]["hits"].as_array().unwrap().clone()
    }

    pub fn count(&self, store: Store, index: &str) -> u64 {
        self.request(store, "POST", &format!("/{index}/_refresh"), None);
        let (_, answer) = self.request(store, "GET", &format!("/{index}/_count"), None);
        answer["count"].as_u64().unwrap_or(0)
    }

    /// Waits for a condition.
    pub fn until<T>(&self, what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
        let started = Instant::now();
        loop {
            if let Some(found) = condition() {
                return found;
            }
            assert!(started.elapsed() < PATIENCE, "waited in vain for: {what}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    pub fn kubectl(&self, args: &[&str]) -> String {
        let output = self.kubectl_output(args);
        assert!(output.status.success(), "kubectl {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// The same, where a failure is an answer.
    pub fn kubectl_output(&self, args: &[&str]) -> Output {
        Command::new(Path::new(&env("TESTBED_BIN")).join("kubectl"))
            .arg("--kubeconfig")
            .arg(env("TESTBED_KUBECONFIG"))
            .args(args)
            .output()
            .unwrap()
    }

    /// Applies a manifest, and deletes what it made when dropped.
    pub fn apply(&self, manifest: &Value) -> Applied<'_> {
        let name = manifest["metadata"]["name"].as_str().unwrap_or("list");
        let applied = Applied { bed: self, path: self.path(&format!("apply-{name}.json")) };
        applied.change(manifest);
        applied
    }

    /// A kubeconfig for the bed's API server with a token of the service account `namespace/name`, and the token.
    pub fn kubeconfig(&self, namespace: &str, account: &str) -> (PathBuf, String) {
        self.kubeconfig_at(&Self::url(), namespace, account)
    }

    /// The same for another API server.
    pub fn kubeconfig_at(&self, server: &str, namespace: &str, account: &str) -> (PathBuf, String) {
        let token = self.kubectl(&["--server", server, "create", "token", account, "-n", namespace]);
        let token = token.trim().to_owned();
        let authority = "/etc/kubernetes/pki/ca.crt";
        let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "x",
            "clusters": [{"name": "x", "cluster": {"server": server, "certificate-authority": authority}}],
            "users": [{"name": "x", "user": {"token": token}}],
            "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]});
        let path = self.path(&format!("{account}.conf"));
        std::fs::write(&path, config.to_string()).unwrap();
        (path, token)
    }

    /// One of the test bed's scripts, such as `kubelet restart`.
    pub fn script(&self, name: &str, argument: &str) {
        let output = Command::new("bash")
            .arg(Path::new(&env("TESTBED_SCRIPTS")).join(name))
            .arg(argument)
            .output()
            .unwrap();
        assert!(output.status.success(), "{name} {argument}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

pub struct Applied<'b> {
    bed: &'b Bed,
    path: PathBuf,
}

impl Applied<'_> {
    /// Applies another state of the same objects.
    pub fn change(&self, manifest: &Value) {
        std::fs::write(&self.path, manifest.to_string()).unwrap();
        self.bed.kubectl(&["apply", "-f", self.path.to_str().unwrap()]);
    }

    /// The same for objects that cannot be changed, such as Pods: they are deleted and made anew.
    pub fn replace(&self, manifest: &Value) {
        self.delete();
        self.change(manifest);
    }

    fn delete(&self) {
        let path = self.path.to_str().unwrap();
        self.bed.kubectl(&["delete", "-f", path, "--grace-period=0", "--force", "--ignore-not-found"]);
    }
}

impl Drop for Applied<'_> {
    fn drop(&mut self) {
        self.delete();
    }
}

pub struct Running {
    pub child: Child,
    log: PathBuf,
}

impl Running {
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Sends SIGTERM; returns the exit code and how long it took to end.
    pub fn stop(&mut self) -> (Option<i32>, Duration) {
        let started = Instant::now();
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        (status.code(), started.elapsed())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A failed assertion must not leave a daemon behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

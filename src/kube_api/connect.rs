//! Which API server, and a client for it.

use kube::Config;
use kube::client::ClientBuilder;
use kube::config::KubeConfigOptions;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tower::limit::RateLimitLayer;

use super::error::is_credentials;
use super::kubeconfig;
use crate::causes;
use crate::resource::{Gap, Reason};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent: a watch receives a bookmark once a minute. Other requests have shorter bounds.
const READ_TIMEOUT: Duration = Duration::from_mins(2);

/// Requests a second of a paced client, repeated ones included; with the Lease's that makes less than five.
const PACE: u64 = 4;
/// How long a credential plug-in may take: it logs in over the network.
const PLUGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Which API server, and how fast it may be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target<'a> {
    /// The kubeconfig, where one is configured.
    pub kube_config: Option<&'a Path>,
    /// Its context; `None`: the current one.
    pub context: Option<&'a str>,
    /// Whether requests keep to a steady rate: for a process that runs on.
    pub paced: bool,
}

/// A client for an API server, and what it was made of.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: kube::Client,
    /// What it was made of, credentials included.
    config: Config,
    /// Where the API server is.
    pub url: String,
    /// The cluster's name in the kubeconfig, where there is one.
    pub cluster_name: Option<String>,
    /// Our own namespace, where we are a pod and use its service account.
    pub pod_namespace: Option<String>,
}

impl Connection {
    /// The authorities that verify the API server's certificate, as DER; none where the system's own do.
    pub fn authorities(&self) -> &[Vec<u8>] {
        self.config.root_cert.as_deref().unwrap_or_default()
    }

    /// A client with the same credentials for a server at `url`, whose certificate the cluster's authority must have
    /// signed: the token goes to no other.
    pub async fn client_for(&self, url: &str, timeout: Duration) -> Result<kube::Client, Gap> {
        let mut config = self.config.clone();
        if config.accept_invalid_certs || config.root_cert.is_none() {
            let why = "cannot verify its certificate: the kubeconfig names no certificate authority";
            return Err(Gap::new(Reason::Unavailable, why));
        }
        config.cluster_url = url.parse().map_err(|_| Gap::new(Reason::Malformed, "not a URL"))?;
        config.tls_server_name = None;
        config.proxy_url = None;
        config.connect_timeout = Some(timeout);
        config.read_timeout = Some(timeout);
        client(config, false).await
    }
}

/// Connects by the kubeconfig that was configured, else by `KUBECONFIG`, else as the pod that we are, else by
/// `~/.kube/config`; where a context is named, always by a kubeconfig, and by its current one otherwise. Nothing is asked of the server yet.
pub async fn connect(
    target: Target<'_>,
    env: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<Connection, Gap> {
    let context = target.context;
    let named = target.kube_config.map(Path::to_path_buf).or_else(|| {
        let first = env("KUBECONFIG")?.split(':').next()?.to_owned();
        (!first.is_empty()).then(|| PathBuf::from(first))
    });
    let home = || env("HOME").map(|home| Path::new(&home).join(".kube/config")).filter(|path| path.exists());
    let mut pod_namespace = None;
    let (mut config, cluster_name) = match named {
        Some(path) => from_file(&path, context).await?,
        None if context.is_none() && env("KUBERNETES_SERVICE_HOST").is_some() => {
            let config = Config::incluster().map_err(|error| {
                Gap::new(Reason::NoCredentials, format!("use the pod's service account: {error}"))
            })?;
            pod_namespace = Some(config.default_namespace.clone());
            (config, None)
        }
        None => match home() {
            Some(path) => from_file(&path, context).await?,
            None => {
                return Err(Gap::new(
                    Reason::NoCredentials,
                    "find the API server: no posturebeat.kube_config, no KUBECONFIG, no service account, no ~/.kube/config",
                ));
            }
        },
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    // The client's own policy retries for minutes; ours gives up within a cycle.
    config.default_retry = false;
    let url = config.cluster_url.to_string();
    let client = client(config.clone(), target.paced).await?;
    Ok(Connection { client, config, url, cluster_name, pod_namespace })
}

/// Making a client may run the kubeconfig's credential plug-in, and waits for it: so on a thread of its own, and within
/// a bound. What the plug-in printed is not repeated.
async fn client(config: Config, paced: bool) -> Result<kube::Client, Gap> {
    let failed = |reason, why: &str| Gap::new(reason, format!("set up the API client: {why}"));
    let runtime = tokio::runtime::Handle::current();
    let made = tokio::task::spawn_blocking(move || {
        // The client starts tasks of its own.
        let _entered = runtime.enter();
        let builder = ClientBuilder::try_from(config)?;
        Ok(if paced {
            builder.with_layer(&RateLimitLayer::new(PACE, Duration::from_secs(1))).build()
        } else {
            builder.build()
        })
    });
    match tokio::time::timeout(PLUGIN_TIMEOUT, made).await {
        Ok(Ok(Ok(client))) => Ok(client),
        Ok(Ok(Err(error))) if is_credentials(&error) => {
            Err(failed(Reason::NoCredentials, "the kubeconfig's credential plug-in failed"))
        }
        Ok(Ok(Err(error))) => Err(failed(Reason::Malformed, &causes::chain(&error))),
        Ok(Err(_)) => Err(failed(Reason::Malformed, "the task that makes it panicked")),
        Err(_) => {
            let bound = PLUGIN_TIMEOUT.as_secs();
            let why = format!("the kubeconfig's credential plug-in did not answer in {bound} s");
            Err(failed(Reason::Timeout, &why))
        }
    }
}

async fn from_file(path: &Path, context: Option<&str>) -> Result<(Config, Option<String>), Gap> {
    let shown = path.display();
    let failed = |reason, error: &dyn std::fmt::Display| {
        Gap::new(reason, format!("read the kubeconfig {shown}: {error}"))
    };
    let kubeconfig = kubeconfig::read(path)?;
    let context = context.map(str::to_owned).or_else(|| kubeconfig.current_context.clone());
    let known: Vec<&str> = kubeconfig.contexts.iter().map(|named| named.name.as_str()).collect();
    if let Some(context) = context.as_deref().filter(|context| !known.contains(context)) {
        let why = format!("it has no context `{context}` (it has: {})", known.join(", "));
        return Err(failed(Reason::Malformed, &why));
    }
    let options = KubeConfigOptions { context: context.clone(), ..KubeConfigOptions::default() };
    let named = kubeconfig
        .contexts
        .iter()
        .find(|named| Some(&named.name) == context.as_ref())
        .and_then(|named| named.context.as_ref().map(|context| context.cluster.clone()));
    let config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(|error| failed(Reason::Malformed, &error))?;
    Ok((config, named))
}

//! A client for the API server.

use kube::Config;
use kube::client::ClientBuilder;
use kube::config::{KubeConfigOptions, Kubeconfig};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tower::limit::RateLimitLayer;

use crate::resource::{Reason, Unread};

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent: a watch hears of a quiet cluster once a minute. What answers at once has bounds
/// of its own.
const READ_TIMEOUT: Duration = Duration::from_mins(2);

/// Requests a second of what goes on for long, repeated ones included; with the Lease's that makes less than five.
const PACE: u64 = 4;
/// How long a credential plug-in may take: they log in over the network.
const PLUGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// Which API server, and how fast it may be asked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Target<'a> {
    /// The kubeconfig, where one is configured.
    pub kube_config: Option<&'a Path>,
    /// Its context; `None`: the current one.
    pub context: Option<&'a str>,
    /// Whether requests keep to a steady rate: for what goes on for long.
    pub paced: bool,
}

/// A way to the API server.
#[derive(Clone)]
pub struct Connection {
    /// The client.
    pub client: kube::Client,
    /// What it was made of, credentials included.
    pub(super) config: Config,
    /// Where the API server is.
    pub url: String,
    /// The cluster's name in the kubeconfig, where there is one.
    pub cluster_name: Option<String>,
}

impl Connection {
    /// The certificates by which the API server is known, as DER; none where the system's own are.
    pub fn authorities(&self) -> &[Vec<u8>] {
        self.config.root_cert.as_deref().unwrap_or_default()
    }
}

/// Connects by the kubeconfig that was configured, else by `KUBECONFIG`, else as the pod that we are, else by
/// `~/.kube/config`; where a context is named, always by a kubeconfig, and by its current one otherwise. Nothing is asked of the server yet.
pub async fn connect(
    target: Target<'_>,
    env: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<Connection, Unread> {
    let context = target.context;
    let named = target.kube_config.map(Path::to_path_buf).or_else(|| {
        let first = env("KUBECONFIG")?.split(':').next()?.to_owned();
        (!first.is_empty()).then(|| PathBuf::from(first))
    });
    let home = || env("HOME").map(|home| Path::new(&home).join(".kube/config")).filter(|path| path.exists());
    let (mut config, cluster_name) = match named {
        Some(path) => from_file(&path, context).await?,
        None if context.is_none() && env("KUBERNETES_SERVICE_HOST").is_some() => {
            let config = Config::incluster().map_err(|error| {
                Unread::new("$", Reason::NoCredentials, format!("use the pod's service account: {error}"))
            })?;
            (config, None)
        }
        None => match home() {
            Some(path) => from_file(&path, context).await?,
            None => {
                return Err(Unread::new(
                    "$",
                    Reason::NoCredentials,
                    "find the API server: no posturebeat.kube_config, no KUBECONFIG, no service account, no ~/.kube/config",
                ));
            }
        },
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(READ_TIMEOUT);
    // The client's own policy goes on for minutes; `list` has one that gives up within a cycle.
    config.default_retry = false;
    let url = config.cluster_url.to_string();
    let client = client(config.clone(), target.paced).await?;
    Ok(Connection { client, config, url, cluster_name })
}

/// Making a client may run the kubeconfig's credential plug-in, and waits for it: so not on this thread, and
/// not for ever. What the plug-in printed may hold a credential, so it is not repeated.
pub(super) async fn client(config: Config, paced: bool) -> Result<kube::Client, Unread> {
    let failed = |reason, why: &str| Unread::new("$", reason, format!("set up the API client: {why}"));
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
        Ok(Ok(Err(kube::Error::Auth(_)))) => Err(failed(
            Reason::NoCredentials,
            "the kubeconfig's credentials could not be had (a credential plug-in that fails?)",
        )),
        Ok(Ok(Err(error))) => Err(failed(Reason::Malformed, &error.to_string())),
        Ok(Err(_)) => Err(failed(Reason::Malformed, "it broke off")),
        Err(_) => Err(failed(Reason::Timeout, "the kubeconfig's credential plug-in does not end")),
    }
}

async fn from_file(path: &Path, context: Option<&str>) -> Result<(Config, Option<String>), Unread> {
    let shown = path.display();
    let failed = |reason, error: &dyn std::fmt::Display| {
        Unread::new("$", reason, format!("read the kubeconfig {shown}: {error}"))
    };
    if let Err(error) = std::fs::metadata(path) {
        let reason = match error.kind() {
            std::io::ErrorKind::NotFound => Reason::Missing,
            std::io::ErrorKind::PermissionDenied => Reason::Denied,
            _ => Reason::Unavailable,
        };
        return Err(failed(reason, &error));
    }
    let kubeconfig = Kubeconfig::read_from(path).map_err(|error| failed(Reason::Malformed, &error))?;
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

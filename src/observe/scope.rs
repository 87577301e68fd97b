//! The scope of an observation: the node, the cluster, or both, and which cluster.

use anyhow::bail;

use super::data_dir::DataDir;
use super::node_sight::NodeSight;
use crate::collect::cluster::API_SERVER;
use crate::config::settings::Posture;
use crate::kube_api::Target;
use crate::resource::Kind;

/// The scope of an observation.
#[derive(Debug, Clone)]
pub struct Scope {
    /// This host's files and processes.
    pub node: bool,
    /// The API's objects, and AWS.
    pub cluster: bool,
    /// Whether the API server is judged by what it says of itself, where no node agent judges it.
    pub flagz: bool,
    /// The kubeconfig's context; `None`: its current one.
    pub context: Option<String>,
    /// Whether this is a long-running process: requests to the API are then paced, and changes may be watched.
    pub lasting: bool,
    /// What the track of the node shows the track of its cluster, where one process runs both.
    pub sight: Option<NodeSight>,
}

impl Scope {
    /// Everything that the settings name, at once; fails if that is more than one cluster.
    pub fn all(posture: &Posture) -> anyhow::Result<Self> {
        if posture.kube_contexts.len() > 1 {
            bail!(
                "posturebeat.kube_contexts names {} clusters ({}), but this command handles one; name only that one",
                posture.kube_contexts.len(),
                posture.kube_contexts.join(", ")
            );
        }
        Ok(Self {
            node: posture.node,
            cluster: posture.cluster,
            flagz: posture.flagz,
            context: posture.kube_contexts.first().cloned(),
            lasting: false,
            sight: None,
        })
    }

    /// The scopes of a run, one for each track: the node, and each cluster.
    pub fn tracks(posture: &Posture) -> Vec<Self> {
        let contexts: Vec<Option<String>> = match posture.kube_contexts.as_slice() {
            [] => vec![None],
            named => named.iter().cloned().map(Some).collect(),
        };
        let context = contexts[0].clone();
        let sight = posture.node.then(NodeSight::default);
        let flagz = posture.flagz;
        // The node is of the first cluster.
        let mut of_first = sight.clone();
        let node = Self { node: true, cluster: false, flagz: false, context, lasting: false, sight };
        let clusters = contexts.into_iter().map(|context| Self {
            node: false,
            cluster: true,
            flagz,
            context,
            lasting: true,
            sight: of_first.take(),
        });
        let node = posture.node.then_some(node);
        node.into_iter().chain(clusters.filter(|_| posture.cluster)).collect()
    }

    /// Whether it covers resources of this kind.
    pub fn has(&self, kind: Kind) -> bool {
        if kind.is_of_node() { self.node } else { self.cluster }
    }

    /// Whether it covers this resource, by the name that controls use: also a process that the cluster shows.
    pub fn covers(&self, kind: Kind, name: &str) -> bool {
        self.has(kind) || self.asks_api_server() && (kind, name) == (Kind::Process, API_SERVER)
    }

    /// Whether the API server may be asked for its flags.
    pub(crate) fn asks_api_server(&self) -> bool {
        self.cluster && self.flagz
    }

    /// The API server of the cluster.
    pub(crate) fn target<'a>(&'a self, posture: &'a Posture) -> Target<'a> {
        Target {
            kube_config: posture.kube_config.as_deref(),
            context: self.context.as_deref(),
            paced: self.lasting,
        }
    }

    /// The folder below `path.data` for its state. Each context has its own, even a single one: if another is configured
    /// later, that is another cluster.
    pub(crate) fn data_dir(&self, data: &DataDir) -> DataDir {
        match &self.context {
            _ if self.node => data.clone(),
            None => data.below("cluster"),
            Some(context) => data.below("cluster").below(context),
        }
    }

    /// Its name in logs and metrics: `node`, `cluster`, or the cluster's context.
    pub fn name(&self) -> &str {
        match &self.context {
            Some(context) if !self.node => context,
            _ if self.node => "node",
            _ => "cluster",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Sources, load};

    fn posture(settings: &[(&str, &str)]) -> Posture {
        let sources = Sources {
            files: vec![],
            default_file: None,
            overrides: settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect(),
            env: &|_| None,
            strict_perms: false,
            fleet_inputs: Vec::new,
        };
        load(&sources, crate::output::OUTPUTS).unwrap().settings.posture
    }

    #[test]
    fn a_run_has_a_track_for_the_node_and_one_for_each_cluster() {
        let names = |settings: &[(&str, &str)]| {
            let tracks = Scope::tracks(&posture(settings));
            tracks.iter().map(|track| track.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names(&[]), ["node", "cluster"]);
        assert_eq!(names(&[("posturebeat.collect.cluster", "false")]), ["node"]);
        assert_eq!(names(&[("posturebeat.collect.node", "false")]), ["cluster"]);
        assert_eq!(names(&[("posturebeat.kube_contexts.0", "eu")]), ["node", "eu"]);
        let two = [("posturebeat.kube_contexts.0", "eu"), ("posturebeat.kube_contexts.1", "us")];
        assert_eq!(names(&two), ["eu", "us"]);
    }

    #[test]
    fn the_api_server_is_of_its_node_and_of_the_cluster_that_shows_it() {
        let covers = |settings: &[(&str, &str)], name: &str| {
            let tracks = Scope::tracks(&posture(settings));
            let covered = tracks.iter().filter(|track| track.covers(Kind::Process, name));
            covered.map(|track| track.name().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(covers(&[], "kube-apiserver"), ["node", "cluster"]);
        assert_eq!(covers(&[], "kubelet"), ["node"]);
        assert_eq!(covers(&[("posturebeat.collect.flagz", "false")], "kube-apiserver"), ["node"]);
        assert_eq!(covers(&[("posturebeat.collect.cluster", "false")], "kube-apiserver"), ["node"]);
        assert_eq!(covers(&[("posturebeat.collect.node", "false")], "kube-apiserver"), ["cluster"]);
    }

    #[test]
    fn a_one_shot_command_handles_one_cluster() {
        let one = Scope::all(&posture(&[("posturebeat.kube_contexts.0", "eu")])).unwrap();
        assert_eq!(one.context.as_deref(), Some("eu"));
        let two = [("posturebeat.kube_contexts.0", "eu"), ("posturebeat.kube_contexts.1", "us")];
        let error = Scope::all(&posture(&two)).unwrap_err().to_string();
        assert!(error.contains("names 2 clusters (eu, us)"), "{error}");
    }

    #[test]
    fn the_state_of_one_cluster_is_not_used_for_another() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path());
        let cluster = |context: Option<&str>| {
            let context = context.map(str::to_owned);
            Scope { node: false, cluster: true, flagz: true, context, lasting: true, sight: None }
                .data_dir(&data)
        };
        let mut identity = crate::resource::Identity::default();
        identity.cluster.id = "of eu".into();
        cluster(Some("eu")).remember(&identity);
        assert_eq!(cluster(Some("eu")).last_identity().unwrap().cluster.id, "of eu");
        // Named instead of `eu`, or the kubeconfig's current one.
        for other in [Some("us"), Some("cluster"), None] {
            assert_eq!(cluster(other).last_identity(), None, "{other:?}");
        }
        let context = Some("eu".into());
        let node = Scope { node: true, cluster: false, flagz: false, context, lasting: false, sight: None };
        assert_eq!(node.data_dir(&data).last_identity(), None);
    }
}

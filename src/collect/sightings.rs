//! References from the cluster's objects to AWS: the images that run, and the host names of load balancers.

use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Reason, Resource, Unread};

/// The most images, and the most load balancers, that are kept. More are a gap.
const MAX: usize = 50_000;
/// The longest image reference that is kept, in bytes: a name has at most 255 characters, a tag 128, a digest 135. The
/// API server accepts any text, but a longer reference cannot be pulled.
const MAX_IMAGE: usize = 1_024;
/// The longest host name that DNS allows, in bytes.
const MAX_HOST: usize = 253;
/// The most users that are kept of one load balancer.
const MAX_USERS: usize = 1_000;

/// The images and load balancers that the cluster's objects use.
#[derive(Debug, Clone, Default)]
pub struct Sightings {
    /// The images of all containers (init and ephemeral ones too) and image volumes as written, with the running digest where known.
    pub images: BTreeSet<String>,
    /// Host name of a load balancer, in lower case → the Services and Ingresses that use it, as `Service/ns/name`.
    pub balancers: BTreeMap<String, BTreeSet<String>>,
    /// Kind (`Pod`, `Service`, `Ingress`) → why its objects are incomplete, so that images or load balancers may be
    /// missing here.
    pub gaps: BTreeMap<String, Unread>,
}

impl Sightings {
    /// Records the images or load balancers that an object uses.
    pub fn note(&mut self, resource: &Resource) {
        if let Some(unread) = resource.unread.iter().find(|unread| unread.at == "$") {
            self.gaps.entry(resource.sub_type.clone()).or_insert_with(|| unread.clone());
            return;
        }
        match resource.sub_type.as_str() {
            "Pod" => self.note_pod(&resource.raw),
            "Service" | "Ingress" => self.note_balanced(resource),
            _ => {}
        }
    }

    fn note_pod(&mut self, raw: &Value) {
        for (list, statuses) in [
            ("containers", "containerStatuses"),
            ("initContainers", "initContainerStatuses"),
            ("ephemeralContainers", "ephemeralContainerStatuses"),
        ] {
            let told = objects(&raw["status"][statuses]).iter();
            let ids: BTreeMap<&str, &str> = told
                .filter_map(|status| Some((status["name"].as_str()?, status["imageID"].as_str()?)))
                .collect();
            for container in objects(&raw["spec"][list]) {
                let Some(image) = container["image"].as_str() else { continue };
                let id = container["name"].as_str().and_then(|name| ids.get(name));
                self.note_image(running(image, id.copied().unwrap_or_default()));
            }
        }
        let volumes = objects(&raw["spec"]["volumes"]).iter();
        for image in volumes.filter_map(|volume| volume["image"]["reference"].as_str()) {
            self.note_image(image.into());
        }
    }

    fn note_image(&mut self, image: Cow<'_, str>) {
        if image.len() > MAX_IMAGE || self.images.contains(&*image) {
            return;
        }
        if self.images.len() < MAX {
            self.images.insert(image.into_owned());
        } else {
            self.overflow("Pod", "images");
        }
    }

    fn note_balanced(&mut self, resource: &Resource) {
        let points = resource.raw.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
        let Some(points) = points else { return };
        let who =
            format!("{}/{}/{}", resource.sub_type, resource.namespace().unwrap_or_default(), resource.name);
        for host in points.iter().filter_map(|point| point["hostname"].as_str()) {
            let host = host.to_ascii_lowercase();
            if host.is_empty() || host.len() > MAX_HOST {
                continue;
            }
            if self.balancers.len() >= MAX && !self.balancers.contains_key(&host) {
                self.overflow(&resource.sub_type, "host names of load balancers");
                continue;
            }
            let users = self.balancers.entry(host).or_default();
            if users.len() < MAX_USERS {
                users.insert(who.clone());
            }
        }
    }

    /// Records a gap: more are in use than are kept.
    fn overflow(&mut self, kind: &str, of: &str) {
        let unread = || Unread::new("$", Reason::TooLarge, format!("keep the {of}: over {MAX} are in use"));
        self.gaps.entry(kind.to_owned()).or_insert_with(unread);
    }
}

fn objects(list: &Value) -> &[Value] {
    list.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// An image with the running digest, if the container's status has it, because the tag may have moved since. `id` is
/// the status's `imageID`: the same repository with a digest, or something else that only the node knows.
fn running<'i>(image: &'i str, id: &str) -> Cow<'i, str> {
    // Some runtimes add a prefix, such as `docker-pullable://`.
    let id = id.split_once("://").map_or(id, |(_, id)| id);
    let repository = match image.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => repository,
        _ => image,
    };
    match id.split_once('@') {
        Some((of, digest)) if of == repository && is_digest(digest) && !image.contains('@') => {
            format!("{image}@{digest}").into()
        }
        _ => image.into(),
    }
}

/// Whether `text` is a SHA-256 digest. With anything else appended, the image's name would be invalid.
fn is_digest(text: &str) -> bool {
    let hash = text.strip_prefix("sha256:").unwrap_or_default();
    hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::{Gap, Kind, Owner, Selector};
    use serde_json::json;

    fn object(kind: &str, name: &str, raw: Value) -> Resource {
        Resource::observed(Kind::K8sObject, kind.to_owned(), name.to_owned(), name.to_owned(), raw)
    }

    fn balanced(kind: &str, name: &str, host: &str) -> Resource {
        let raw = json!({
            "metadata": {"name": name, "namespace": "shop"},
            "status": {"loadBalancer": {"ingress": [{"hostname": host}, {"ip": "10.0.0.1"}]}},
        });
        object(kind, name, raw)
    }

    fn pod(images: &[String]) -> Resource {
        let containers: Vec<Value> = images.iter().map(|image| json!({"image": image})).collect();
        object("Pod", "web", json!({"spec": {"containers": containers}}))
    }

    #[test]
    fn images_of_all_sorts_of_containers_count() {
        let mut sightings = Sightings::default();
        sightings.note(&object(
            "Pod",
            "web",
            json!({"spec": {
                "containers": [{"image": "a:1"}, {"image": "a:1"}, {"name": "none"}],
                "initContainers": [{"image": "b:1"}],
                "ephemeralContainers": [{"image": "c:1"}],
                "volumes": [{"name": "v", "image": {"reference": "v:1"}}, {"name": "w", "emptyDir": {}}],
            }}),
        ));
        sightings.note(&object("Pod", "odd", json!({"spec": {"containers": "none"}})));
        sightings.note(&object("ConfigMap", "other", json!({"spec": {"containers": [{"image": "d:1"}]}})));
        assert_eq!(sightings.images, ["a:1", "b:1", "c:1", "v:1"].map(str::to_owned).into());
        assert!(sightings.gaps.is_empty());
    }

    #[test]
    fn what_runs_counts_not_where_its_tag_leads_now() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let names = ["plain", "docker", "other", "local", "pinned", "port", "waiting"];
        let images =
            ["r.io/a:1", "r.io/b:1", "r.io/c:1", "r.io/d:1", "r.io/e@sha256:1", "r.io:5000/f", "r.io/g:1"];
        let ids = ["r.io/a", "docker-pullable://r.io/b", "r.io/elsewhere", "", "r.io/e", "r.io:5000/f"];
        let containers = names.iter().zip(images).map(|(name, image)| json!({"name": name, "image": image}));
        let id = |id: &str| if id.is_empty() { digest.clone() } else { format!("{id}@{digest}") };
        let statuses = names.iter().zip(ids).map(|(name, of)| json!({"name": name, "imageID": id(of)})).rev();
        let mut sightings = Sightings::default();
        sightings.note(&object(
            "Pod",
            "web",
            json!({
                "spec": {"containers": containers.collect::<Vec<_>>(), "initContainers": [{"name": "i", "image": "r.io/i:1"}],
                    "ephemeralContainers": [{"name": "h", "image": "r.io/h:1"}]},
                "status": {"containerStatuses": statuses.collect::<Vec<_>>(),
                    "initContainerStatuses": [{"name": "i", "imageID": id("r.io/i")}],
                    "ephemeralContainerStatuses": [{"name": "h", "imageID": id("r.io/h")}]},
            }),
        ));
        let told = |image: &str| format!("{image}@{digest}");
        let mut expected: BTreeSet<String> =
            ["r.io/a:1", "r.io/b:1", "r.io:5000/f", "r.io/i:1", "r.io/h:1"].map(told).into();
        expected.extend(["r.io/c:1", "r.io/d:1", "r.io/e@sha256:1", "r.io/g:1"].map(str::to_owned));
        assert_eq!(sightings.images, expected);
    }

    #[test]
    fn a_status_hides_no_image() {
        let mut sightings = Sightings::default();
        for id in ["r.io/a@", "r.io/a@sha256:1", "r.io/a@sha256:1@sha256:2", "@", "://", ""] {
            sightings.note(&object(
                "Pod",
                "web",
                json!({"spec": {"containers": [{"name": "a", "image": "r.io/a:1"}]},
                    "status": {"containerStatuses": [{"name": "a", "imageID": id}, {"name": "a"}, 7]}}),
            ));
        }
        assert_eq!(sightings.images, ["r.io/a:1".to_owned()].into());
    }

    #[test]
    fn a_load_balancer_knows_who_uses_it() {
        let mut sightings = Sightings::default();
        sightings.note(&balanced("Service", "web", "LB-1.elb.eu-west-1.amazonaws.com"));
        sightings.note(&balanced("Ingress", "web", "lb-1.elb.eu-west-1.amazonaws.com"));
        sightings.note(&balanced("Service", "none", ""));
        sightings.note(&object("Service", "inner", json!({"status": {"loadBalancer": {}}})));
        let users = ["Ingress/shop/web", "Service/shop/web"].map(str::to_owned).into();
        assert_eq!(sightings.balancers, [("lb-1.elb.eu-west-1.amazonaws.com".to_owned(), users)].into());
    }

    #[test]
    fn what_could_not_be_listed_is_a_gap() {
        let mut sightings = Sightings::default();
        let owner = Owner { id: "cluster/1".into(), name: "prod".into() };
        for what in ["list pods", "list pods again"] {
            let selector = Selector::new(Kind::K8sObject, "Pod");
            sightings.note(&Resource::unlisted(&selector, &owner, Gap::new(Reason::Denied, what)));
        }
        assert_eq!(
            sightings.gaps,
            [("Pod".to_owned(), Unread::new("$", Reason::Denied, "list pods"))].into()
        );
    }

    #[test]
    fn what_anybody_writes_is_bounded() {
        let mut sightings = Sightings::default();
        sightings.note(&pod(&["x".repeat(MAX_IMAGE + 1)]));
        sightings.note(&balanced("Service", "long", &"x".repeat(MAX_HOST + 1)));
        assert!(sightings.images.is_empty() && sightings.balancers.is_empty());
        sightings.note(&pod(&(0..MAX).map(|at| format!("i{at}")).collect::<Vec<_>>()));
        sightings.note(&pod(&["i7".to_owned()]));
        assert!(sightings.gaps.is_empty());
        sightings.note(&pod(&["one-more".to_owned()]));
        assert_eq!((sightings.images.len(), sightings.gaps["Pod"].gap.reason), (MAX, Reason::TooLarge));
        for at in 0..=MAX_USERS {
            sightings.note(&balanced("Service", &format!("s{at}"), "lb"));
        }
        assert_eq!(sightings.balancers["lb"].len(), MAX_USERS);
        for at in 0..MAX {
            sightings.note(&balanced("Ingress", "web", &format!("lb{at}")));
        }
        assert_eq!(
            (sightings.balancers.len(), sightings.gaps["Ingress"].gap.reason),
            (MAX, Reason::TooLarge)
        );
        assert!(!sightings.gaps.contains_key("Service"));
    }
}

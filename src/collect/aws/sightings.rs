//! What the cluster's objects say of AWS: the images that run, and the names of the load balancers.

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use crate::resource::{Resource, Unread};

/// The most of either that are kept: more is said, not looked at.
const MAX: usize = 50_000;

/// What the cluster's objects name.
#[derive(Debug, Clone, Default)]
pub struct Sightings {
    /// Images as written, of containers of every sort.
    pub images: BTreeSet<String>,
    /// Host name of a load balancer, in lower case → the Services and Ingresses that have it, as `Service/ns/name`.
    pub balancers: BTreeMap<String, BTreeSet<String>>,
    /// Pods, Services or Ingresses that could not be read: there may be more than what is named here.
    pub gaps: BTreeMap<String, Unread>,
}

impl Sightings {
    /// Learns what an object names.
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
        for list in ["containers", "initContainers", "ephemeralContainers"] {
            let containers = raw["spec"][list].as_array().map(Vec::as_slice).unwrap_or_default();
            for image in containers.iter().filter_map(|container| container["image"].as_str()) {
                if self.images.len() < MAX && !self.images.contains(image) {
                    self.images.insert(image.to_owned());
                }
            }
        }
    }

    fn note_balanced(&mut self, resource: &Resource) {
        let points = resource.raw.pointer("/status/loadBalancer/ingress").and_then(Value::as_array);
        let Some(points) = points else { return };
        let who =
            format!("{}/{}/{}", resource.sub_type, resource.namespace().unwrap_or_default(), resource.name);
        for host in points.iter().filter_map(|point| point["hostname"].as_str()) {
            if self.balancers.len() < MAX {
                self.balancers.entry(host.to_ascii_lowercase()).or_default().insert(who.clone());
            }
        }
    }
}

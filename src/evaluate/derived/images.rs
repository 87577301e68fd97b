//! The full names of a pod's images, those of its image volumes among them.

use serde_json::Value;

use crate::resource::at;

/// The three lists of a pod spec.
const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Every image of all three lists and of image volumes without tag and digest, each once: `docker.io/library/nginx`.
pub(super) fn of(pod: &Value) -> Result<Value, String> {
    let mut names: Vec<String> = Vec::new();
    for list in LISTS {
        let containers = pod.get("spec").and_then(|spec| spec.get(list)).and_then(Value::as_array);
        for container in containers.into_iter().flatten() {
            let image = container.get("image").and_then(Value::as_str).filter(|image| !image.is_empty());
            let image = image.ok_or_else(|| format!("an image in each of {list}"))?;
            names.push(full(image));
        }
    }
    for image in in_volumes(pod) {
        let image = image.ok_or("a reference in each image volume")?;
        names.push(full(image));
    }
    Ok(unique(names).into())
}

/// Each name once. A pod has a few; one that somebody made up has thousands.
fn unique(names: Vec<String>) -> Vec<String> {
    const FEW: usize = 32;
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    if names.len() <= FEW {
        for name in names {
            if !out.contains(&name) {
                out.push(name);
            }
        }
    } else {
        let mut seen = std::collections::BTreeSet::new();
        out.extend(names.into_iter().filter(|name| seen.insert(name.clone())));
    }
    out
}

/// The references of the image volumes; `None` for one that has none.
fn in_volumes(pod: &Value) -> impl Iterator<Item = Option<&str>> {
    let volumes = at(pod, "/spec/volumes").and_then(Value::as_array).into_iter().flatten();
    let images = volumes.filter_map(|volume| volume.get("image").filter(|image| !image.is_null()));
    images
        .map(|image| image.get("reference").and_then(Value::as_str).filter(|reference| !reference.is_empty()))
}

/// As a container runtime reads it: the part before the first slash is a registry only if it looks like a host.
fn full(image: &str) -> String {
    let name = repository(image);
    match name.split_once('/') {
        Some((host, path)) if is_host(host) => match (host.to_ascii_lowercase().as_str(), path) {
            ("docker.io" | "index.docker.io", path) if path.contains('/') => format!("docker.io/{path}"),
            ("docker.io" | "index.docker.io", path) => format!("docker.io/library/{path}"),
            (host, path) => format!("{host}/{path}"),
        },
        Some(_) => format!("docker.io/{name}"),
        None => format!("docker.io/library/{name}"),
    }
}

fn is_host(text: &str) -> bool {
    text == "localhost" || text.contains(['.', ':']) || text.chars().any(|sign| sign.is_ascii_uppercase())
}

/// `registry/path/name:tag@digest` without tag and digest.
pub(super) fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_name_is_what_a_runtime_takes_it_for() {
        for (image, name) in [
            ("nginx", "docker.io/library/nginx"),
            ("nginx:1.27@sha256:ab", "docker.io/library/nginx"),
            ("bitnami/redis:7", "docker.io/bitnami/redis"),
            ("docker.io/nginx", "docker.io/library/nginx"),
            ("index.docker.io/bitnami/redis", "docker.io/bitnami/redis"),
            ("localhost/web", "localhost/web"),
            ("registry:5000/web:1", "registry:5000/web"),
            ("Quay.IO/a/b", "quay.io/a/b"),
            ("1.dkr.ecr.eu-west-1.amazonaws.com/shop/web:v1", "1.dkr.ecr.eu-west-1.amazonaws.com/shop/web"),
        ] {
            assert_eq!(full(image), name, "{image}");
        }
    }

    #[test]
    fn an_image_volume_is_an_image() {
        let pod = |image: Value| json!({"spec": {"containers": [{"image": "nginx:1"}], "volumes": [{"name": "e"}, {"image": image}]}});
        let both = json!(["docker.io/library/nginx", "quay.io/a/model"]);
        assert_eq!(of(&pod(json!({"reference": "quay.io/a/model:1"}))), Ok(both));
        assert!(of(&pod(json!({}))).is_err());
    }

    #[test]
    fn all_three_lists_count_and_each_name_once() {
        let pod = json!({"spec": {
            "containers": [{"image": "nginx:1"}, {"image": "nginx:2"}],
            "initContainers": [{"image": "quay.io/a/b"}],
            "ephemeralContainers": [{"image": "busybox"}],
        }});
        let all = json!(["docker.io/library/nginx", "quay.io/a/b", "docker.io/library/busybox"]);
        assert_eq!(of(&pod), Ok(all));
        assert_eq!(of(&json!({})), Ok(json!([])));
        assert!(of(&json!({"spec": {"containers": [{"name": "a"}]}})).is_err());
        let many: Vec<Value> =
            (0..100).map(|number| json!({"image": format!("r.io/{}", number % 40)})).collect();
        assert_eq!(of(&json!({"spec": {"containers": many}})).unwrap().as_array().unwrap().len(), 40);
    }
}

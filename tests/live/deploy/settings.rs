//! The program takes the configuration of each rendering, from files as the kubelet lays them out.

use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use crate::bed::Bed;
use crate::deploy::render::{self, Rendering};

#[test]
fn every_configuration_is_taken_with_the_checks_of_owner_and_mode() {
    let bed = Bed::share();
    let mut tried = BTreeSet::new();
    for (number, rendering) in render::all(&bed).iter().enumerate() {
        for kind in ["DaemonSet", "Deployment"] {
            let Some(workload) = rendering.workload(kind) else { continue };
            let maps: Vec<&Value> = rendering.of_kind("ConfigMap").map(|map| &map["data"]).collect();
            // Most differ in what is not in their configuration.
            if !tried.insert(format!(
                "{kind} {maps:?} {}",
                workload["spec"]["template"]["spec"]["containers"][0]["args"]
            )) {
                continue;
            }
            let root = bed.path(&format!("{number}-{kind}"));
            let args = laid_out(rendering, workload, &root);
            let mut command = bed.posturebeat(&["test", "config"]);
            command.env("NODE_IP", "10.254.0.1").args(&args);
            let output = command.output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.success(), "{}, {kind}: {told}", rendering.name);
        }
    }
}

#[test]
fn without_its_second_file_the_program_says_which_is_missing() {
    let bed = Bed::share();
    let rendering = render::named(render::all(&bed), "kustomize vanilla");
    let root = bed.path("no-credentials");
    let args = laid_out(rendering, rendering.workload("DaemonSet").unwrap(), &root);
    std::fs::remove_file(root.join("credentials/credentials.yml")).unwrap();
    let output =
        bed.posturebeat(&["test", "config"]).env("NODE_IP", "10.254.0.1").args(&args).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("credentials/credentials.yml"), "{told}");
}

/// Lays the volumes below /etc/posturebeat out under `root`; the container's arguments with that root in them. The API
/// key's Secret is the user's own where the rendering has none.
pub fn laid_out(rendering: &Rendering, workload: &Value, root: &Path) -> Vec<String> {
    let pod = &workload["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    for mount in container["volumeMounts"].as_array().unwrap() {
        let Some(below) = mount["mountPath"].as_str().unwrap().strip_prefix("/etc/posturebeat") else {
            continue;
        };
        let folder = root.join(below.trim_start_matches('/'));
        let volumes = pod["volumes"].as_array().unwrap();
        let volume = volumes.iter().find(|volume| volume["name"] == mount["name"]).unwrap();
        let (object, files) = match volume["configMap"]["name"].as_str() {
            Some(name) => {
                let map = rendering.of_kind("ConfigMap").find(|map| map["metadata"]["name"] == name);
                (
                    &volume["configMap"],
                    map.unwrap_or_else(|| panic!("{}: no ConfigMap {name}", rendering.name))["data"].clone(),
                )
            }
            None => {
                (&volume["secret"], credentials(rendering, volume["secret"]["secretName"].as_str().unwrap()))
            }
        };
        let mode = u32::try_from(object["defaultMode"].as_u64().unwrap()).unwrap();
        for (name, text) in files.as_object().unwrap() {
            let text = text.as_str().unwrap().replace("/etc/posturebeat", root.to_str().unwrap());
            put(&folder, name, &text, mode);
        }
    }
    let args = container["args"].as_array().unwrap().iter().skip(1);
    args.map(|arg| arg.as_str().unwrap().replace("/etc/posturebeat", root.to_str().unwrap())).collect()
}

fn credentials(rendering: &Rendering, name: &str) -> Value {
    let own = serde_json::json!({"credentials.yml": "output.elasticsearch.api_key: 'id:key'"});
    let Some(secret) = rendering.of_kind("Secret").find(|secret| secret["metadata"]["name"] == name) else {
        return own;
    };
    // The API server keeps it as Base64; `id:$key` is told apart by what the program says of it.
    assert!(secret["data"]["credentials.yml"].is_string(), "{}", rendering.name);
    serde_json::json!({"credentials.yml": "output.elasticsearch.api_key: \"id:$$key\""})
}

/// A file as the kubelet writes it: a link to a link to the folder of one version.
fn put(folder: &Path, name: &str, text: &str, mode: u32) {
    let version: PathBuf = folder.join("..2026_11_27");
    std::fs::create_dir_all(&version).unwrap();
    let file = version.join(name);
    std::fs::write(&file, text).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
    if !folder.join("..data").exists() {
        symlink("..2026_11_27", folder.join("..data")).unwrap();
    }
    symlink(Path::new("..data").join(name), folder.join(name)).unwrap();
}

//! Reads a kubeconfig: with our own bounds on YAML, as the client library refuses long comments.

use kube::config::Kubeconfig;
use std::io::{Error, ErrorKind, Read};
use std::path::{MAIN_SEPARATOR, Path};

use crate::resource::{Gap, Reason};
use crate::yaml;

/// The largest kubeconfig, in bytes: one of a thousand clusters, each with its certificates in it, has eight MiB.
const MAX_SIZE: u64 = 16 * 1024 * 1024;

/// The kubeconfig at a path, its documents merged, and paths in it relative to its folder.
pub(super) fn read(path: &Path) -> Result<Kubeconfig, Gap> {
    let failed =
        |reason, why: String| Gap::new(reason, format!("read the kubeconfig {}: {why}", path.display()));
    let io = |error: Error| {
        let reason = match error.kind() {
            ErrorKind::NotFound => Reason::Missing,
            ErrorKind::PermissionDenied => Reason::Denied,
            ErrorKind::InvalidData => Reason::Malformed,
            _ => Reason::Unavailable,
        };
        failed(reason, error.to_string())
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(io)?;
    file.take(MAX_SIZE + 1).read_to_string(&mut text).map_err(io)?;
    if text.len() as u64 > MAX_SIZE {
        return Err(failed(Reason::TooLarge, format!("more than {MAX_SIZE} bytes")));
    }
    let documents: Vec<Option<Kubeconfig>> =
        yaml::all_of_own_str(&text).map_err(|error| failed(Reason::Malformed, error.to_string()))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut merged = Kubeconfig::default();
    for (number, document) in documents.into_iter().flatten().enumerate() {
        let document = located(document, folder);
        // Merging keeps what the first one says, and an empty one must not be the first.
        merged = if number == 0 {
            document
        } else {
            merged.merge(document).map_err(|error| failed(Reason::Malformed, error.to_string()))?
        };
    }
    Ok(merged)
}

/// With the files that it names relative to `folder`, as kubectl reads them.
fn located(mut config: Kubeconfig, folder: &Path) -> Kubeconfig {
    let locate = |path: &mut Option<String>| {
        if let Some(path) =
            path.as_mut().filter(|path| !path.is_empty() && Path::new(path.as_str()).is_relative())
        {
            *path = folder.join(&*path).display().to_string();
        }
    };
    for cluster in config.clusters.iter_mut().filter_map(|named| named.cluster.as_mut()) {
        locate(&mut cluster.certificate_authority);
    }
    for user in config.auth_infos.iter_mut().filter_map(|named| named.auth_info.as_mut()) {
        locate(&mut user.client_certificate);
        locate(&mut user.client_key);
        locate(&mut user.token_file);
        // A bare name is looked up in PATH.
        if let Some(exec) = &mut user.exec
            && exec.command.as_ref().is_some_and(|command| command.contains(MAIN_SEPARATOR))
        {
            locate(&mut exec.command);
        }
    }
    config
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Kubeconfig, Gap> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config");
        std::fs::write(&path, text).unwrap();
        let config = read(&path)?;
        let home = format!("{}/", folder.path().display());
        let text = serde_json::to_string(&config).unwrap().replace(&home, "HOME/");
        Ok(serde_json::from_str(&text).unwrap())
    }

    const CONFIG: &str = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters:\n- name: a\n  cluster:\n    server: https://a\n    certificate-authority: ca.crt\nusers:\n- name: a\n  user:\n    client-certificate: /etc/client.crt\n    tokenFile: token\n    exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/login, interactiveMode: Never}\ncontexts:\n- {name: a, context: {cluster: a, user: a}}\n";

    #[test]
    fn comments_may_be_long() {
        let commented = CONFIG.replace("  cluster:\n", &format!("  cluster:\n{}", "    # why\n".repeat(100)));
        assert!(commented.len() > CONFIG.len());
        let read = |text: &str| serde_json::to_value(read_text(text).unwrap()).unwrap();
        assert_eq!(read(&commented), read(CONFIG));
    }

    #[test]
    fn files_are_relative_to_it() {
        let config = read_text(CONFIG).unwrap();
        let cluster = config.clusters[0].cluster.as_ref().unwrap();
        assert_eq!(cluster.certificate_authority.as_deref(), Some("HOME/ca.crt"));
        let user = config.auth_infos[0].auth_info.as_ref().unwrap();
        assert_eq!(user.client_certificate.as_deref(), Some("/etc/client.crt"));
        assert_eq!(user.token_file.as_deref(), Some("HOME/token"));
        assert_eq!(user.exec.as_ref().unwrap().command.as_deref(), Some("HOME/bin/login"));
    }

    #[test]
    fn documents_are_merged() {
        let more = "---\ncurrent-context: b\nclusters:\n- {name: b, cluster: {server: 'https://b'}}\n";
        let config = read_text(&format!("# mine\n---\n{CONFIG}{more}")).unwrap();
        assert_eq!(config.current_context.as_deref(), Some("a"));
        assert_eq!(config.clusters.len(), 2);
        assert!(read_text("").unwrap().clusters.is_empty());
    }

    #[test]
    fn a_mistake_has_its_place_and_no_secret() {
        let gap = read_text("users:\n- name: a\n  user: {token: [hunter2]}\n").unwrap_err();
        assert!(gap.reason == Reason::Malformed && gap.what.contains(": 3:"), "{}", gap.what);
        assert!(!gap.what.contains("hunter2"), "{}", gap.what);
        assert_eq!(read(Path::new("/nowhere/config")).unwrap_err().reason, Reason::Missing);
    }
}

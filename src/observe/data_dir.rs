//! Persistent state in `path.data`: the agent's id, the last sequence number, and the last known identity of cluster
//! and node.

use serde::{Deserialize, Serialize};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use uuid::Uuid;

use crate::resource::{Identity, IdentitySource};

/// The directory `path.data`, or the part of it for one cluster.
#[derive(Clone)]
pub(crate) struct DataDir {
    folder: PathBuf,
    /// A one-shot command writes nothing.
    writable: bool,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    uuid: Uuid,
    first_start: String,
}

impl DataDir {
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), writable: true }
    }

    /// For reading what a run has stored.
    pub(crate) fn read_only(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), writable: false }
    }

    /// A subdirectory for any name; characters that are unsafe in a path are escaped.
    pub(crate) fn below(&self, name: &str) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        let mut folder = String::from("of-");
        for letter in name.chars() {
            if plain(letter) {
                folder.push(letter);
            } else {
                folder.push_str(&format!("%{:x}", u32::from(letter)));
            }
        }
        Self { folder: self.folder.join(folder), writable: self.writable }
    }

    /// The agent's id, created at the first start. On a read-only file system it differs after each restart.
    pub(crate) fn agent_id(&self) -> String {
        let known = self.read::<Meta>("meta.json").map(|meta| meta.uuid);
        known
            .unwrap_or_else(|| {
                let meta = Meta { uuid: random_uuid(), first_start: jiff::Timestamp::now().to_string() };
                self.write("meta.json", &meta);
                meta.uuid
            })
            .to_string()
    }

    /// The sequence number of the next cycle: `now` in Unix seconds, but always higher than the last one, even after a
    /// restart within a second or if the clock was set back. Document ids depend on it.
    pub(crate) fn next_sequence(&self, now: i64) -> i64 {
        let next = self.read::<i64>("sequence.json").map_or(now, |last| now.max(last + 1));
        self.write("sequence.json", &next);
        next
    }

    /// The identity from the last time that the API answered.
    pub(crate) fn last_identity(&self) -> Option<Identity> {
        let mut identity = self.read::<Identity>("identity.json")?;
        identity.cluster.source = IdentitySource::LastKnown;
        Some(identity)
    }

    /// Stores an identity for times when the API does not answer.
    pub(crate) fn remember(&self, identity: &Identity) {
        if self.read::<Identity>("identity.json").as_ref() != Some(identity) {
            self.write("identity.json", identity);
        }
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Option<T> {
        let text = std::fs::read(self.folder.join(name)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    fn write(&self, name: &str, value: &impl Serialize) {
        if !self.writable {
            return;
        }
        let written = std::fs::create_dir_all(&self.folder).and_then(|()| {
            let partial = self.folder.join(format!("{name}.new"));
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&partial)?;
            file.write_all(serde_json::to_string(value)?.as_bytes())?;
            file.write_all(b"\n")?;
            file.sync_all()?;
            std::fs::rename(&partial, self.folder.join(name))
        });
        if let Err(error) = written {
            tracing::warn!(path = %self.folder.join(name).display(), %error, "cannot write state to path.data");
        }
    }
}

/// A version 4 UUID from the kernel's randomness.
pub(crate) fn random_uuid() -> Uuid {
    let mut bytes = [0_u8; 16];
    let mut filled = 0;
    while filled < bytes.len() {
        match rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty()) {
            Ok(more) => filled += more,
            Err(rustix::io::Errno::INTR) => {}
            // No kernel since 3.17 fails here; the clock still tells two processes apart.
            Err(_) => {
                let nanoseconds = jiff::Timestamp::now().as_nanosecond().to_be_bytes();
                bytes.copy_from_slice(&nanoseconds);
                break;
            }
        }
    }
    uuid::Builder::from_random_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agent_id_stays() {
        let folder = tempfile::tempdir().unwrap();
        let state = DataDir::new(&folder.path().join("data"));
        assert_eq!(state.agent_id(), state.agent_id());
    }

    #[test]
    fn a_clock_that_was_set_back_repeats_no_sequence() {
        let folder = tempfile::tempdir().unwrap();
        let next = |now| DataDir::new(folder.path()).next_sequence(now);
        assert_eq!([next(100), next(100), next(50), next(200)], [100, 101, 102, 200]);
    }

    #[test]
    fn clusters_are_kept_apart_whatever_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let state = DataDir::new(folder.path());
        for name in ["prod", "arn:aws:eks:eu-west-1:1:cluster/prod", "..", "../prod", "a.b", "a-b"] {
            assert_eq!(state.below(name).next_sequence(7), 7, "{name}");
        }
        assert_eq!(state.next_sequence(7), 7);
        assert!(folder.path().join("of-%2e%2e").is_dir());
    }

    #[test]
    fn the_last_identity_is_marked_as_such() {
        let folder = tempfile::tempdir().unwrap();
        let state = DataDir::new(folder.path());
        assert_eq!(state.last_identity(), None);
        let mut identity = Identity::default();
        identity.cluster.id = "c".into();
        identity.cluster.source = IdentitySource::Api;
        state.remember(&identity);
        let back = state.last_identity().unwrap();
        assert_eq!((back.cluster.id.as_str(), back.cluster.source), ("c", IdentitySource::LastKnown));
    }
}

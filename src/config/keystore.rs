//! The keystore: named secrets, for `${NAME}` in the configuration. The file format is that of Beats.
//!
//! `v1`, then in base64: a salt of 64 bytes, a nonce of 12, and JSON under AES-256-GCM. PBKDF2 derives the key from the
//! salt and an empty password. So encryption only hides secrets from a glance; the file's mode, 0600, protects them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::pbkdf2;
use ring::rand::{SecureRandom as _, SystemRandom};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _, Write as _};
use std::num::NonZeroU32;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// The first bytes of the file.
const VERSION: &str = "v1";
const SALT: usize = 64;
const ROUNDS: NonZeroU32 = NonZeroU32::new(10_000).expect("not zero");
/// A bound; no real keystore is as large.
const MAX_FILE: u64 = 1024 * 1024;

/// Named secrets, and their file.
#[derive(Debug, Clone)]
pub struct Keystore {
    path: PathBuf,
    exists: bool,
    secrets: BTreeMap<String, SecretString>,
}

/// A keystore that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    /// The file could not be opened, read or written.
    #[error("cannot {operation} the keystore `{}`", path.display())]
    Io {
        /// `read` or `write`.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Other users can read the file.
    #[error("{0}")]
    Permissions(String),
    /// The file is not a keystore.
    #[error("`{}` is not a keystore of version {VERSION}: {why}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
}

#[derive(Serialize, Deserialize)]
struct StoredSecret {
    value: String,
}

impl Keystore {
    /// Reads a keystore. A missing file is an empty keystore. `strict`: refuse a file that other users can read.
    pub fn open(path: &Path, strict: bool) -> Result<Self, KeystoreError> {
        let io = |source| KeystoreError::Io { operation: "read", path: path.to_owned(), source };
        let empty = Self { path: path.to_owned(), exists: false, secrets: BTreeMap::new() };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(empty),
            Err(error) => return Err(io(error)),
        };
        if strict {
            check(path, &file.metadata().map_err(io)?)?;
        }
        let mut text = String::new();
        file.take(MAX_FILE).read_to_string(&mut text).map_err(io)?;
        let malformed = |why| KeystoreError::Malformed { path: path.to_owned(), why };
        let secrets = decrypt(&text).map_err(malformed)?;
        Ok(Self { exists: true, secrets, ..empty })
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file exists.
    pub fn exists(&self) -> bool {
        self.exists
    }

    /// A secret.
    pub fn get(&self, name: &str) -> Option<&SecretString> {
        self.secrets.get(name)
    }

    /// All names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.secrets.keys().map(String::as_str)
    }

    /// Sets a secret, or replaces it.
    pub fn set(&mut self, name: &str, secret: SecretString) {
        self.secrets.insert(name.to_owned(), secret);
    }

    /// Removes a secret. `false`: there is none of that name.
    pub fn remove(&mut self, name: &str) -> bool {
        self.secrets.remove(name).is_some()
    }

    /// Removes all secrets.
    pub fn clear(&mut self) {
        self.secrets.clear();
    }

    /// Writes the file atomically.
    pub fn save(&mut self) -> Result<(), KeystoreError> {
        let io = |source| KeystoreError::Io { operation: "write", path: self.path.clone(), source };
        let text =
            encrypt(&self.secrets).map_err(|()| io(std::io::Error::other("no random numbers available")))?;
        if let Some(folder) = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let mut partial = self.path.clone().into_os_string();
        partial.push(".tmp");
        let partial = PathBuf::from(partial);
        let mut file =
            File::options().write(true).create(true).truncate(true).mode(0o600).open(&partial).map_err(io)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(io)?;
        std::fs::rename(&partial, &self.path).map_err(io)?;
        self.exists = true;
        Ok(())
    }
}

/// Refuses a file of another user, or one that other users can read.
fn check(path: &Path, metadata: &std::fs::Metadata) -> Result<(), KeystoreError> {
    let (user, owner, mode) = (rustix::process::geteuid().as_raw(), metadata.uid(), metadata.mode() & 0o7777);
    let file = path.display();
    if owner != 0 && owner != user {
        return Err(KeystoreError::Permissions(format!(
            "keystore `{file}` must be owned by the user identifier (uid={user}) or root, its owner is uid={owner} (to skip this check use --strict.perms=false)"
        )));
    }
    if mode != 0o600 {
        return Err(KeystoreError::Permissions(format!(
            "keystore `{file}` must have the permissions 0600 but they are {mode:04o} (to fix the permissions use: 'chmod 0600 {file}')"
        )));
    }
    Ok(())
}

/// The key derived from a salt.
fn key(salt: &[u8]) -> Result<LessSafeKey, ()> {
    let mut bytes = [0; 32];
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA512, ROUNDS, salt, b"", &mut bytes);
    UnboundKey::new(&AES_256_GCM, &bytes).map(LessSafeKey::new).map_err(drop)
}

fn decrypt(text: &str) -> Result<BTreeMap<String, SecretString>, &'static str> {
    let encoded = text.strip_prefix(VERSION).ok_or("the version at its start is missing")?;
    let mut bytes = STANDARD.decode(encoded.trim()).map_err(|_| "it is not base64")?;
    if bytes.len() < SALT + NONCE_LEN {
        return Err("it is truncated");
    }
    let mut sealed = bytes.split_off(SALT + NONCE_LEN);
    let (salt, nonce) = bytes.split_at(SALT);
    let key = key(salt).map_err(|()| "its key cannot be derived")?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| "it is truncated")?;
    let plain = key.open_in_place(nonce, Aad::empty(), &mut sealed);
    let plain = plain.map_err(|_| "it was modified, or has a password")?;
    let entries: BTreeMap<String, StoredSecret> =
        serde_json::from_slice(plain).map_err(|_| "its content is not that of a keystore")?;
    let mut secrets = BTreeMap::new();
    for (name, entry) in entries {
        let value = STANDARD.decode(entry.value).map_err(|_| "a secret in it is not base64")?;
        let value = String::from_utf8(value).map_err(|_| "a secret in it is not text")?;
        secrets.insert(name, value.into());
    }
    Ok(secrets)
}

fn encrypt(secrets: &BTreeMap<String, SecretString>) -> Result<String, ()> {
    let entries: BTreeMap<&str, StoredSecret> = secrets
        .iter()
        .map(|(name, secret)| {
            (name.as_str(), StoredSecret { value: STANDARD.encode(secret.expose_secret()) })
        })
        .collect();
    let mut sealed = serde_json::to_vec(&entries).map_err(drop)?;
    let random = SystemRandom::new();
    let mut bytes = vec![0; SALT + NONCE_LEN];
    random.fill(&mut bytes).map_err(drop)?;
    let nonce = Nonce::try_assume_unique_for_key(&bytes[SALT..]).map_err(drop)?;
    key(&bytes[..SALT])?.seal_in_place_append_tag(nonce, Aad::empty(), &mut sealed).map_err(drop)?;
    bytes.extend(sealed);
    Ok(format!("{VERSION}{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn what_was_saved_is_read_back_and_does_not_show() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("data/posturebeat.keystore");
        let mut store = Keystore::open(&path, true).unwrap();
        assert!(!store.exists());
        store.set("ES_PASSWORD", "hunter2".to_owned().into());
        store.set("OTHER", "é\n".to_owned().into());
        store.save().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("v1") && !text.contains("hunter2") && !text.contains("ES_PASSWORD"));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        let mut back = Keystore::open(&path, true).unwrap();
        assert!(back.exists());
        assert_eq!(back.names().collect::<Vec<_>>(), ["ES_PASSWORD", "OTHER"]);
        assert_eq!(back.get("ES_PASSWORD").unwrap().expose_secret(), "hunter2");
        assert_eq!(back.get("OTHER").unwrap().expose_secret(), "é\n");
        assert!(back.remove("OTHER") && !back.remove("OTHER"));
        assert!(!format!("{back:?}").contains("hunter2"));
    }

    #[test]
    fn a_keystore_that_others_may_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        Keystore::open(&path, true).unwrap().save().unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = Keystore::open(&path, true).unwrap_err().to_string();
        assert!(error.contains("must have the permissions 0600 but they are 0640"), "{error}");
        assert!(Keystore::open(&path, false).is_ok());
    }

    #[test]
    fn a_file_that_is_not_a_keystore_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("k");
        let mut store = Keystore::open(&path, false).unwrap();
        store.set("A", "b".to_owned().into());
        store.save().unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        let mut turned = whole.clone().into_bytes();
        let last = turned.len() - 8;
        turned[last] = if turned[last] == b'A' { b'B' } else { b'A' };
        for (text, why) in [
            (String::new(), "the version at its start is missing"),
            ("v2AAAA".to_owned(), "the version at its start is missing"),
            ("v1!".to_owned(), "it is not base64"),
            ("v1AAAA".to_owned(), "it is truncated"),
            (String::from_utf8(turned).unwrap(), "it was modified"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Keystore::open(&path, false).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}

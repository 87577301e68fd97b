//! What a test changes on the node is as it was when the test ends, however it ends.

use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::PathBuf;

use crate::bed::Bed;

/// A file or directory as it was found: content, mode and owner are put back when dropped. One that was not
/// there is removed.
pub struct Kept {
    path: PathBuf,
    found: Option<Found>,
}

struct Found {
    /// `None` of a directory.
    content: Option<Vec<u8>>,
    mode: u32,
    owner: (u32, u32),
}

impl Kept {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let found = std::fs::metadata(&path).ok().map(|metadata| Found {
            content: metadata.is_file().then(|| std::fs::read(&path).unwrap()),
            mode: metadata.mode() & 0o7777,
            owner: (metadata.uid(), metadata.gid()),
        });
        Self { path, found }
    }

    /// What was in it.
    pub fn text(&self) -> String {
        let content = self.found.as_ref().and_then(|found| found.content.clone()).unwrap();
        String::from_utf8(content).unwrap()
    }

    pub fn set_mode(&self, mode: u32) {
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    pub fn set_owner(&self, owner: u32, group: u32) {
        chown(&self.path, Some(owner), Some(group)).unwrap();
    }

    /// Puts another content in its place at once: half a manifest would be read too.
    pub fn write(&self, content: impl AsRef<[u8]>) {
        let name = self.path.file_name().unwrap().to_str().unwrap();
        // The kubelet passes over manifests whose names begin with a dot.
        let new = self.path.with_file_name(format!(".{name}.new"));
        std::fs::write(&new, content).unwrap();
        if let Some(found) = &self.found {
            std::fs::set_permissions(&new, std::fs::Permissions::from_mode(found.mode)).unwrap();
            chown(&new, Some(found.owner.0), Some(found.owner.1)).unwrap();
        }
        std::fs::rename(&new, &self.path).unwrap();
    }

    pub fn remove(&self) {
        std::fs::remove_file(&self.path).unwrap();
    }

    pub fn put_back(&self) {
        let Some(Found { content, mode, owner }) = &self.found else {
            let _ = std::fs::remove_file(&self.path);
            return;
        };
        if let Some(content) = content.as_ref().filter(|content| {
            // A write is a change to those who watch the file.
            std::fs::read(&self.path).ok().as_ref() != Some(content)
        }) {
            self.write(content);
        }
        self.set_owner(owner.0, owner.1);
        self.set_mode(*mode);
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.put_back();
    }
}

/// The kubelet with other files: they are put back, and it is started again, when this is dropped.
pub struct Kubelet<'b> {
    bed: &'b Bed,
    pub files: Vec<Kept>,
}

impl<'b> Kubelet<'b> {
    /// Writes the files and starts the kubelet with them.
    pub fn with(bed: &'b Bed, files: Vec<(Kept, String)>) -> Self {
        let kubelet = Self {
            bed,
            files: files
                .into_iter()
                .map(|(file, text)| {
                    file.write(text);
                    file
                })
                .collect(),
        };
        kubelet.bed.script("kubelet", "restart");
        kubelet
    }
}

impl Drop for Kubelet<'_> {
    fn drop(&mut self) {
        self.files.clear();
        self.bed.script("kubelet", "restart");
    }
}

/// Something that is done when this is dropped.
pub struct Undo<F: Fn()>(pub F);

impl<F: Fn()> Drop for Undo<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

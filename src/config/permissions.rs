//! Checks who can write a configuration file, because its settings decide where secrets are sent.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Write for group and others.
const FOREIGN_WRITE: u32 = 0o022;

/// Refuses a file that root or `user` does not own, or that others can write. The error says how to fix it.
pub(super) fn check(path: &Path, metadata: &Metadata, user: u32) -> Result<(), String> {
    let file = path.display();
    if metadata.uid() != 0 && metadata.uid() != user {
        return Err(format!(
            "config file `{file}` must be owned by the user identifier (uid={user}) or root, its owner is uid={} (to skip this check use --strict.perms=false)",
            metadata.uid()
        ));
    }
    let mode = metadata.mode() & 0o7777;
    if mode & FOREIGN_WRITE != 0 {
        return Err(format!(
            "config file `{file}` can only be writable by the owner but the permissions are {mode:04o} (to fix the permissions use: 'chmod go-w {file}')"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn only_root_and_the_user_may_own_or_write_it() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let of_mode = |mode| {
            std::fs::set_permissions(file.path(), std::fs::Permissions::from_mode(mode)).unwrap();
            file.path().metadata().unwrap()
        };
        let owner = file.path().metadata().unwrap().uid();
        assert!(check(Path::new("p.yml"), &of_mode(0o644), owner).is_ok());
        assert_eq!(
            check(Path::new("p.yml"), &of_mode(0o664), owner).unwrap_err(),
            "config file `p.yml` can only be writable by the owner but the permissions are 0664 (to fix the permissions use: 'chmod go-w p.yml')"
        );
        // As root, a file can be given away, and one of root's is fine for everybody.
        if owner == 0 {
            assert!(check(Path::new("p.yml"), &of_mode(0o600), 1000).is_ok());
            std::os::unix::fs::chown(file.path(), Some(1001), None).unwrap();
        }
        let error = check(Path::new("p.yml"), &of_mode(0o600), 999).unwrap_err();
        assert!(
            error.starts_with("config file `p.yml` must be owned by the user identifier (uid=999) or root"),
            "{error}"
        );
    }
}

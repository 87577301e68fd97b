//! Recordings, written and read back.

use super::*;
use serde_json::json;

fn pod(name: &str) -> Resource {
    crate::collect::object::resource(
        json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}),
        None,
    )
}

fn all(path: &Path) -> Result<(Option<Identity>, Vec<Resource>), SnapshotError> {
    let mut out = Vec::new();
    let facts = read(path, &Reveal::default(), &mut |resource| {
        out.push(resource);
        Ok(true)
    })?;
    Ok((facts.identity, out))
}

#[test]
fn what_is_recorded_reads_back_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let mut identity = Identity::default();
    identity.cluster.id = "c".into();
    for name in ["a.ndjson", "a.ndjson.gz", "a.ndjson.zst"] {
        let path = folder.path().join(name);
        let mut recorder = Recorder::create(&path, &identity, "2026-01-01T00:00:00Z").unwrap();
        recorder.add(&pod("x")).unwrap();
        recorder.add(&pod("y")).unwrap();
        assert!(!path.exists(), "not before it is whole");
        recorder.finish(&BTreeSet::new()).unwrap();
        let (back, resources) = all(&path).unwrap();
        assert_eq!(back.as_ref(), Some(&identity));
        assert_eq!(resources, [pod("x"), pod("y")]);
    }
}

/// A stream names the memory that it needs in its first bytes, and may lie.
#[test]
fn a_stream_that_asks_for_more_memory_than_is_usual_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson.zst");
    let write = |log: u32| {
        let mut encoder = zstd::stream::write::Encoder::new(File::create(&path).unwrap(), 1).unwrap();
        encoder.window_log(log).unwrap();
        std::io::Write::write_all(&mut encoder, b"\n").unwrap();
        encoder.finish().unwrap();
    };
    write(MAX_WINDOW);
    assert!(all(&path).is_ok());
    write(MAX_WINDOW + 1);
    let message = all(&path).unwrap_err().to_string();
    assert!(message.contains("memory"), "{message}");
}

#[test]
fn a_recording_is_for_its_owner_only_and_follows_no_link() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (path, partial) = (folder.path().join("a.ndjson"), folder.path().join("a.ndjson.partial"));
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, &partial).unwrap();
    Recorder::create(&path, &Identity::default(), "").unwrap().finish(&BTreeSet::new()).unwrap();
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    let recorded = std::fs::symlink_metadata(&path).unwrap();
    assert!(recorded.is_file());
    assert_eq!(recorded.permissions().mode() & 0o777, 0o600);

    std::fs::write(&partial, "of a run that broke off\n").unwrap();
    Recorder::create(&path, &Identity::default(), "").unwrap().finish(&BTreeSet::new()).unwrap();
    assert!(all(&path).unwrap().0.is_some());
}

#[test]
fn what_the_system_said_is_said_once() {
    let error = anyhow::Error::from(all(Path::new("/nowhere/a.ndjson")).unwrap_err());
    let text = format!("{error:#}");
    assert_eq!(text, "cannot read `/nowhere/a.ndjson`: No such file or directory (os error 2)");
    let error = Recorder::create(Path::new("/nowhere/a.ndjson"), &Identity::default(), "").err().unwrap();
    assert_eq!(error.to_string(), "cannot write `/nowhere/a.ndjson.partial`");
}

#[test]
fn a_broken_line_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    std::fs::write(&path, "{\"snapshot\":{\"version\":1}}\n\n{\"type\":\"file\",\"sub").unwrap();
    let message = all(&path).unwrap_err().to_string();
    assert!(
        message.contains("a.ndjson:3: not a resource") && message.contains("middle of a line"),
        "{message}"
    );
    std::fs::write(&path, "{\"snapshot\":{\"version\":9}}\n").unwrap();
    assert!(all(&path).unwrap_err().to_string().contains(":1: snapshot version 9 is not supported"));
}

#[test]
fn a_truncated_archive_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson.gz");
    let mut recorder = Recorder::create(&path, &Identity::default(), "").unwrap();
    (0..100).for_each(|index| recorder.add(&pod(&format!("pod-{index}"))).unwrap());
    recorder.finish(&BTreeSet::new()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(all(&path).unwrap_err().to_string().contains("the file ends here"));
}

/// The kinds that a recording of these lines holds all of.
fn whole(path: &Path, lines: &[&str]) -> Result<SourceExtent, SnapshotError> {
    std::fs::write(path, format!("{}\n", lines.join("\n"))).unwrap();
    read(path, &Reveal::default(), &mut |_| Ok(true)).map(|facts| facts.extent)
}

#[test]
fn a_recording_is_whole_only_with_its_last_line_and_every_line_that_it_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.ndjson");
    let mut recorder = Recorder::create(&path, &Identity::default(), "").unwrap();
    recorder.add(&pod("x")).unwrap();
    recorder.add(&pod("y")).unwrap();
    recorder.finish(&["Pod", "Role"].map(str::to_owned).into()).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let kinds = |kinds: &[&str]| SourceExtent::Kinds(kinds.iter().map(|&kind| kind.to_owned()).collect());

    assert_eq!(whole(&path, &lines).unwrap(), kinds(&["Pod", "Role"]), "there is no Role");
    assert_eq!(
        whole(&path, &[lines[0], lines[1], lines[3]]).unwrap(),
        kinds(&["Role"]),
        "a pod was left out"
    );
    assert_eq!(whole(&path, &lines[..3]).unwrap(), kinds(&[]), "cut off");
    assert_eq!(whole(&path, &lines[1..3]).unwrap(), kinds(&[]), "written by hand");
    let message = whole(&path, &[lines[0], lines[3], lines[1]]).unwrap_err().to_string();
    assert!(message.contains(":3: the recording goes on after its last line"), "{message}");
}

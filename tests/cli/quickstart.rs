//! The README's first command, on a machine with nothing.

use crate::program::{Program, Ran, root};

#[test]
fn recorded_input_shows_a_posture() {
    let program = Program::new();
    let mut command = program.command(&["run", "-c", "examples/quickstart.yml"]);
    command.current_dir(root()).args(["--path.data", program.path("data").to_str().unwrap()]);
    let ran = Ran::of(command.output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for words in ["Score ", "posturebeat-test", "1.1 Control plane files", "4.2 Kubelet", "What fails"] {
        assert!(ran.out.contains(words), "{words}: {}", ran.out);
    }
}

#[test]
fn what_was_recorded_holds_no_secret() {
    let file = std::fs::read(root().join("examples/kubeadm-v1.37.ndjson.gz")).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::MultiGzDecoder::new(file.as_slice()), &mut text)
        .unwrap();
    assert!(text.lines().count() > 100);
    for word in ["PRIVATE KEY", "BEGIN CERTIFICATE", "eyJhbGciOi", "client-key-data\":\"L"] {
        assert!(!text.contains(word), "{word}");
    }
}

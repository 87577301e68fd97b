//! `keystore`: secrets that no configuration shows.

use std::io::Write as _;
use std::process::Stdio;

use crate::program::{Program, Ran};

const DATA: [&str; 2] = ["--path.data", "data"];

fn with(args: &[&str]) -> Vec<String> {
    args.iter().chain(&DATA).map(|arg| (*arg).to_owned()).collect()
}

fn run(program: &Program, args: &[&str]) -> Ran {
    let args = with(args);
    program.run(&args.iter().map(String::as_str).collect::<Vec<_>>())
}

/// `keystore add … --stdin`, with a secret at its standard input.
fn add(program: &Program, args: &[&str], secret: &str) -> Ran {
    let args = with(args);
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut command = program.command(&args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
    Ran::of(child.wait_with_output().unwrap())
}

#[test]
fn a_secret_is_kept_listed_used_and_removed() {
    let program = Program::new();
    let created = run(&program, &["keystore", "create"]);
    assert_eq!((created.code, created.out.as_str()), (Some(0), "Created posturebeat keystore\n"));
    let added = add(&program, &["keystore", "add", "ES_PASSWORD", "--stdin"], "hunter2\n");
    assert_eq!((added.code, added.out.as_str()), (Some(0), "Successfully updated the keystore\n"));
    assert_eq!(run(&program, &["keystore", "list"]).out, "ES_PASSWORD\n");

    // One that is there is not written over by a pipe that nobody watches.
    let again = add(&program, &["keystore", "add", "ES_PASSWORD", "--stdin"], "other");
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("use --force to overwrite it"), "{}", again.err);
    let forced = add(&program, &["keystore", "add", "ES_PASSWORD", "--stdin", "--force"], "\u{1b}[1mother");
    assert_eq!(forced.code, Some(0));

    // It is a password that the configuration only names: nothing says it.
    program.write(
        "posturebeat.yml",
        "output.elasticsearch: {hosts: ['http://127.0.0.1:1'], username: a, password: '${ES_PASSWORD}'}\n",
    );
    let setup = run(&program, &["setup", "--index-management"]);
    assert_eq!(setup.code, Some(1));
    assert!(setup.err.contains("127.0.0.1:1") && !setup.err.contains("other"), "{}", setup.err);

    let removed = run(&program, &["keystore", "remove", "ES_PASSWORD"]);
    assert_eq!(removed.out, "successfully removed key: ES_PASSWORD\n");
    let unknown = run(&program, &["keystore", "remove", "ES_PASSWORD"]);
    assert_eq!(unknown.code, Some(1));
    assert!(unknown.err.contains("the keystore has no secret `ES_PASSWORD`"), "{}", unknown.err);
    let setup = run(&program, &["setup", "--index-management"]);
    assert!(setup.err.contains("`ES_PASSWORD` is neither a setting nor"), "{}", setup.err);
}

#[test]
fn nothing_is_created_or_overwritten_where_nobody_can_be_asked() {
    let program = Program::new();
    let added = add(&program, &["keystore", "add", "KEY", "--stdin"], "secret");
    assert_eq!(added.code, Some(1));
    assert!(added.err.contains("there is no keystore"), "{}", added.err);
    assert_eq!(run(&program, &["keystore", "create"]).code, Some(0));
    let again = run(&program, &["keystore", "create"]);
    assert_eq!(again.code, Some(1));
    assert!(again.err.contains("was not changed"), "{}", again.err);
    let bad = add(&program, &["keystore", "add", "a:b", "--stdin"], "secret");
    assert!(bad.err.contains("expected a name without"), "{}", bad.err);
}

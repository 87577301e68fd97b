//! `test output`, and `setup` for an output without index templates.

use crate::program::Program;

#[test]
fn an_output_that_can_be_used() {
    let program = Program::new();
    let ran = program.run(&["test", "output", "-E", "output.file.path=out"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "output.file:");
    assert!(lines[1].contains("durable: yes"), "{}", ran.out);
    assert_eq!(lines[2], "  check... OK");
    assert!(program.path("out/posturebeat.ndjson").exists());
}

#[test]
fn an_output_that_cannot_be_reached() {
    let program = Program::new();
    let hosts = "output.elasticsearch.hosts=http://127.0.0.1:1";
    let ran = program.run(&["test", "output", "-E", hosts]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.ends_with("  check... ERROR\n"), "{}", ran.out);
    assert!(
        ran.last().starts_with("Exiting: output.elasticsearch cannot be used: `http://127.0.0.1:1` cannot"),
        "{}",
        ran.err
    );
}

#[test]
fn no_output_and_an_unknown_one() {
    let program = Program::new();
    for command in [["test", "output"], ["setup", "--index-management"]] {
        let ran = program.run(&command);
        assert_eq!(ran.code, Some(1));
        let expected = "Exiting: no output is configured: add one under `output.` (elasticsearch, ";
        assert!(ran.last().starts_with(expected), "{}", ran.err);
    }
    let ran = program.run(&["test", "output", "-E", "output.carrier-pigeon.name=Bob"]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.last().contains("unknown output `carrier-pigeon`; expected one of `elasticsearch`, "),
        "{}",
        ran.err
    );
}

#[test]
fn an_output_without_index_templates_has_nothing_to_set_up() {
    let program = Program::new();
    let ran = program.run(&["setup", "-E", "output.console.enabled=true"]);
    assert_eq!(ran.code, Some(1));
    assert_eq!(ran.last(), "Exiting: `output.console` has no index templates: nothing to set up");
}

//! Entry points of the fuzz targets in `fuzz/`, one for each kind of input that others write.
//!
//! In: any bytes. Out: nothing; a function panics where the program breaks a promise, and the fuzzer finds panics,
//! slowness and memory use by itself. Compiled with `--cfg fuzzing` only.

use jiff::Timestamp;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context as TaskContext, Poll, Waker};

use bytes::Bytes;
use hyper::body::Frame;

use crate::collect::arguments;
use crate::collect::cluster::watch::event::{self, WatchEvent};
use crate::collect::cluster::watch::lines::{EventLines, LineError, MAX_LINE};
use crate::collect::component::Component;
use crate::collect::config_files::{self, kinds};
use crate::collect::join::Index;
use crate::collect::node::processes::program::Program;
use crate::collect::node::static_pods;
use crate::collect::recorded::snapshot;
use crate::config::{self, FleetInput, Sources};
use crate::evaluate::{Document, Judge, Judgement, Outcome, judge, run_cases};
use crate::exception::{Exceptions, Marks};
use crate::finding::{Agent, Context, FindingWriter};
use crate::output::elasticsearch::{StoreAnswer, reason, retry};
use crate::output::{BatchError, OUTPUTS, Verdict};
use crate::redact;
use crate::resource::{Identity, Reason, Resource, Unread};
use crate::rule::{Benchmark, Cases, Catalogue, Control, Rule, RuleFile, benchmarks, built_in, mutants};

/// Stands for a secret in an input: it must not appear in what the program shows.
const CANARY: &str = "canary-5e1f";

/// The built-in rules of every benchmark, ready to judge and to write findings.
struct Rules {
    judge: Judge,
    writer: FindingWriter,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let catalogue = Catalogue::load(&built_in()).expect("the built-in rules are valid");
    let names: Vec<String> =
        catalogue.benchmarks().iter().map(|table| table.full_name().to_string()).collect();
    let rules: Vec<Rule> = catalogue.rules(&names, &BTreeMap::new()).expect("every benchmark is known");
    let agent = Agent {
        kind: "posturebeat".to_owned(),
        name: "fuzz".to_owned(),
        id: String::new(),
        ephemeral_id: String::new(),
    };
    let context = Context {
        identity: Identity::default(),
        of: "all",
        agent,
        host: Map::new(),
        package_policy: (String::new(), 0),
        namespace: "default".to_owned(),
        shared_cloud_id: false,
        sequence: 1,
    };
    Rules { judge: Judge::new(&rules), writer: FindingWriter::new(&rules, &Exceptions::default(), context) }
});

/// A rule author's files: a control, and after a line `---` its cases; or a benchmark.
///
/// A control never passes a resource of which nothing could be read.
pub fn rules(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (control, cases) = text.split_once("\n---\n").unwrap_or((text, ""));
    let _ = Benchmark::parse("benchmarks/fuzz/1.0.0.yml", text);
    // The file's name is the control's id.
    let id = control.lines().find_map(|line| line.strip_prefix("id: ")).unwrap_or("fuzz").trim();
    let file = |name: String, text: &str| RuleFile { name, text: text.to_owned() };
    let files = [file(format!("{id}.yml"), control), file(format!("{id}.cases.yml"), cases)];
    let loaded = |files| Catalogue::load(files).map(drop).map_err(|errors| format!("{errors:?}"));
    assert_eq!(loaded(&files), loaded(&files), "rules are read the same twice");
    let Ok(control) = Control::parse(&files[0].name, control) else { return };
    mutants(&control);
    let Ok(cases) = Cases::parse(&files[1].name, cases) else { return };
    run_cases(&control, &cases);
    for case in cases.cases {
        let mut resource = case.resource;
        resource.unread = vec![Unread::new("$", Reason::Denied, "read it")];
        let judgement = judge(&control, &control.params, &Document::new(resource));
        assert_ne!(judgement.outcome, Outcome::Passed, "{}: nothing of the resource was read", case.name);
    }
}

/// A configuration file or Fleet policy, and after a line `---` overrides as in `-E`, one a line.
///
/// It loads the same twice, and no mistake in it shows the value of a variable.
pub fn configuration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (text, overrides) = text.split_once("\n---\n").unwrap_or((text, ""));
    let path = scratch("posturebeat.yml", text.as_bytes());
    let overrides = overrides.lines().filter_map(|line| line.split_once('='));
    let sources = Sources {
        files: vec![path],
        default_file: None,
        overrides: overrides.map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        env: &|name| name.starts_with('S').then(|| CANARY.to_owned()),
        strict_perms: false,
        fleet_inputs,
    };
    let load = || match config::load(&sources, OUTPUTS) {
        Ok(loaded) => Ok(format!("{loaded:?}")),
        Err(error) => Err(format!("{:#}", anyhow::Error::from(error))),
    };
    let first = load();
    assert_eq!(first, load(), "a configuration is read the same twice");
    if let Err(message) = first {
        assert!(text.contains(CANARY) || !message.contains(CANARY), "shows a variable: {message}");
    }
}

fn fleet_inputs() -> Vec<FleetInput> {
    static INPUTS: LazyLock<Vec<FleetInput>> = LazyLock::new(|| {
        let tables = benchmarks(&built_in()).into_iter();
        let input = |table: Benchmark| {
            Some(FleetInput { kind: table.fleet_input?, benchmark: table.benchmark, version: table.version })
        };
        tables.filter_map(input).collect()
    });
    INPUTS.clone()
}

/// The argument list of a process, its words separated by zero bytes or line ends.
///
/// The value of a flag `--…-token` does not survive redaction, in either notation and whatever stands around it.
pub fn command_line(bytes: &[u8]) {
    let words: Vec<String> = bytes
        .split(|byte| matches!(byte, 0 | b'\n'))
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect();
    if let Some(program) = Program::of_command(&words) {
        assert!(program.words_to_show(&words).len() <= words.len());
    }
    // The fuzzer chooses the name and the place.
    let name: String = words[0].chars().filter(|c| !matches!(c, '=' | '\0')).collect();
    let at = bytes.len() % (words.len() + 1);
    for secret in
        [vec![format!("--{name}-token={CANARY}")], vec![format!("--{name}-token"), CANARY.to_owned()]]
    {
        let mut words = words.clone();
        words.splice(at..at, secret);
        redact::arguments(&mut words);
        let mut again = words.clone();
        redact::arguments(&mut again);
        assert_eq!(words, again, "what is redacted stays as it is");
        let is_input = String::from_utf8_lossy(bytes).contains(CANARY);
        assert!(is_input || !words.iter().any(|word| word.contains(CANARY)), "{words:?}");
        for component in Component::ALL {
            for (flag, values) in arguments::parse(component, &words) {
                assert!(!values.is_empty(), "`{flag}` has no value");
            }
        }
    }
}

/// A YAML or JSON file of a node: configuration files of components, and manifests of static pods.
///
/// What is shown of it has only known fields, no secrets, and mistakes do not quote it.
pub fn node_file(bytes: &[u8]) {
    let document = config_files::first_document(bytes);
    for kind in FILE_KINDS {
        match document.clone().and_then(|document| config_files::cut(kind, document)) {
            Ok(document) => {
                assert_eq!(
                    config_files::cut(kind, document.clone()).as_ref(),
                    Ok(&document),
                    "stays as it is"
                );
            }
            Err(gap) => {
                assert_eq!(gap.reason, Reason::Malformed);
                assert!(gap.what.len() < 200, "quotes the file: {}", gap.what);
            }
        }
    }
    let Ok(mut document) = document else { return };
    static_pods::pod_containers(&document);
    redacted(&mut document);
}

const FILE_KINDS: [&kinds::FileKind; 11] = [
    &kinds::KUBELET,
    &kinds::SCHEDULER,
    &kinds::PROXY,
    &kinds::ETCD,
    &kinds::AUTHENTICATION,
    &kinds::AUTHORIZATION,
    &kinds::ADMISSION,
    &kinds::IMAGE_POLICY,
    &kinds::POD_SECURITY,
    &kinds::ENCRYPTION,
    &kinds::AUDIT_POLICY,
];

fn redacted(object: &mut Value) {
    redact::kubernetes_object(object);
    let mut again = object.clone();
    redact::kubernetes_object(&mut again);
    assert_eq!(*object, again, "what is redacted stays as it is");
}

/// The answer to a watch; the first byte is the size of the pieces that it arrives in.
///
/// Every whole line is read once and in order, and an event has the name, type and version that its line has.
pub fn watch(bytes: &[u8]) {
    let Some((size, answer)) = bytes.split_first() else { return };
    let pieces = answer.chunks(usize::from(*size) + 1).map(Bytes::copy_from_slice).collect();
    let mut lines = EventLines::new(Pieces(pieces));
    let whole = answer.iter().rposition(|byte| *byte == b'\n').map_or(&answer[..0], |end| &answer[..end]);
    let mut expected = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    loop {
        match now(lines.next()) {
            Ok(Some(line)) => {
                assert_eq!(Some(line), expected.next());
                watch_event(line);
            }
            Ok(None) => break assert_eq!(expected.next(), None, "a line was lost"),
            Err(LineError::TooLong) => break assert!(answer.len() > MAX_LINE),
            Err(LineError::Cut(why)) => unreachable!("the body does not fail: {why}"),
        }
    }
}

fn watch_event(line: &[u8]) {
    let (item, version, types): (_, _, &[&str]) = match event::read(line) {
        WatchEvent::Is(item, version) => (Some(item), version, &["ADDED", "MODIFIED"]),
        WatchEvent::Gone(item, version) => (Some(item), version, &["DELETED"]),
        WatchEvent::Bookmark(version) => (None, version, &["BOOKMARK"]),
        WatchEvent::Lost(words) | WatchEvent::Broken(_, words) => {
            assert!(!words.contains(char::is_control), "breaks a log line: {words:?}");
            return;
        }
    };
    // A key that is ignored may hold what this parser refuses: other bytes than UTF-8, depth, large numbers.
    let Ok(written) = serde_json::from_slice::<Value>(line) else { return };
    assert!(types.iter().any(|kind| written["type"] == *kind), "{written}");
    assert_eq!(written["object"]["metadata"]["resourceVersion"], version);
    if let Some(item) = item {
        assert!(item.json().pointer("/metadata/name").is_some_and(Value::is_string));
        redacted(&mut item.json().clone());
    }
}

/// A body that arrives in pieces.
struct Pieces(VecDeque<Bytes>);

impl hyper::body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut TaskContext<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.get_mut().0.pop_front().map(|piece| Ok(Frame::data(piece))))
    }
}

/// The result of a future that waits for nothing.
fn now<T>(future: impl Future<Output = T>) -> T {
    match std::pin::pin!(future).poll(&mut TaskContext::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => unreachable!("there is nothing to wait for"),
    }
}

/// The answer to a `_bulk` request: a line with the HTTP status and the number of events that were sent, and the body.
///
/// Every event gets one verdict, none is delivered that the answer does not name, and reasons are short and one line.
pub fn bulk_answer(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (head, body) = bytes.split_at(end);
    let mut numbers = std::str::from_utf8(head).unwrap_or_default().split(' ').map(str::parse::<u16>);
    let mut number = |default| numbers.next().and_then(Result::ok).unwrap_or(default);
    let (status, sent) = (number(200), usize::from(number(1)));
    let answer = StoreAnswer { host: "http://es:9200".to_owned(), status, body: body.to_vec() };
    is_log_text(&reason(&answer));
    match retry::verdicts(&answer, sent) {
        Ok(verdicts) => {
            assert_eq!(verdicts.len(), sent);
            let delivered = verdicts
                .iter()
                .filter(|verdict| matches!(verdict, Verdict::Done | Verdict::Duplicate))
                .count();
            let objects = body.iter().filter(|byte| **byte == b'{').count();
            assert!(delivered <= sent.min(objects), "{delivered} of {sent} delivered");
            for verdict in verdicts {
                if let Verdict::Again { why } | Verdict::Refused { why } = verdict {
                    is_log_text(&why);
                }
            }
        }
        Err(BatchError::Again { why } | BatchError::Denied { why }) => is_log_text(&why),
        Err(BatchError::TooLarge) => assert_eq!(status, 413),
    }
}

fn is_log_text(text: &str) {
    assert!(text.chars().count() < 600, "{} characters", text.chars().count());
    assert!(!text.contains(char::is_control), "breaks a log line: {text:?}");
}

/// A recording, and the verdicts on what is in it.
///
/// Recording it again gives the same; a resource of which nothing could be read never passes; and each finding is one
/// JSON object on one line.
pub fn recording(bytes: &[u8]) {
    let (identity, resources) = recorded(&scratch("recording.ndjson", bytes));
    record_again(&identity.unwrap_or_default(), &resources);
    let mut index = Index::new(Timestamp::UNIX_EPOCH);
    for resource in &resources {
        index.note(resource);
    }
    for mut resource in resources {
        index.relate(&mut resource);
        judged(resource);
    }
}

/// The resources up to the first mistake.
fn recorded(path: &Path) -> (Option<Identity>, Vec<Resource>) {
    let mut resources = Vec::new();
    let mut emit = |resource| {
        resources.push(resource);
        Ok(true)
    };
    let identity =
        snapshot::read(path, &redact::Reveal::default(), &mut emit).ok().and_then(|facts| facts.identity);
    (identity, resources)
}

fn record_again(identity: &Identity, resources: &[Resource]) {
    let path = scratch("again.ndjson", b"");
    let mut recorder = snapshot::Recorder::create(&path, identity, "").expect("a recording can be begun");
    resources.iter().try_for_each(|resource| recorder.add(resource)).expect("every resource can be recorded");
    recorder.finish(&std::collections::BTreeSet::new()).expect("a recording can be completed");
    let (identity_again, again) = recorded(&path);
    assert_eq!(format!("{identity_again:?}"), format!("{:?}", Some(identity)));
    assert_eq!(again.len(), resources.len());
    for (again, resource) in again.into_iter().zip(resources) {
        let mut resource = resource.clone();
        // Joins are made anew from each recording.
        resource.unread.retain(|unread| !unread.at.starts_with("$.related"));
        assert_eq!(again, resource);
    }
}

fn judged(resource: Resource) {
    let Rules { judge, writer } = &*RULES;
    let is_unread = resource.unread.iter().any(|unread| unread.at == "$");
    let subject = writer.subject(&resource, Timestamp::UNIX_EPOCH);
    let judgements = judge.judge(resource);
    for (_, Judgement { outcome, gap, .. }) in &judgements {
        assert!(!is_unread || *outcome != Outcome::Passed, "nothing of the resource was read");
        assert_eq!(*outcome == Outcome::Error, gap.is_some(), "an error has a reason, and nothing else has");
    }
    let judgements = judgements.iter().map(|(rules, judgement)| (*rules, judgement));
    for event in writer.findings(subject, judgements, &Marks::default()) {
        let mut text = Vec::new();
        event.write_document(&mut text).expect("memory takes everything");
        assert!(!text.contains(&b'\n'), "a finding is one line");
        serde_json::from_slice::<Map<String, Value>>(&text).expect("a finding is a JSON object");
    }
}

/// A file with this content, in the folder for temporary files; each process has its own.
fn scratch(name: &str, content: &[u8]) -> PathBuf {
    static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
        let folder = std::env::temp_dir().join(format!("posturebeat-fuzz-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("there is a folder for temporary files");
        folder
    });
    let path = FOLDER.join(name);
    std::fs::write(&path, content).expect("a temporary file can be written");
    path
}

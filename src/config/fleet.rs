//! Translates a Fleet input, or a whole exported agent policy, to our own keys.
//!
//! The policy was made by Kibana for Elastic's own shipper, so what we do not use is named in a note
//! instead of being refused, and a benchmark without a version means the one that Kibana's pages know.

mod unused;

use config::{Map, Value, ValueKind};

use super::catalogue::{CatalogueOutput, KeyCatalogue, OUTPUT, SettingKey};
use super::location::SourceLocation;
use super::mistake::Mistake;
use super::settings::merge::ALIAS;
use super::settings::{SECTIONS, is_credentials_type};
use super::tree::{self, dotted};
use unused::UnusedKeys;

/// What translating a policy takes: our own keys, and the inputs that are ours.
pub(super) struct PolicyKeys<'a> {
    /// Every key of our configuration.
    pub catalogue: &'a KeyCatalogue,
    /// Asked only when a file is a policy.
    pub inputs: fn() -> Vec<FleetInput>,
}

/// The type of a Fleet input, and the benchmark that it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FleetInput {
    /// The input's type.
    pub kind: String,
    /// The benchmark's name.
    pub benchmark: String,
    /// The version that its name alone means in a policy.
    pub version: String,
}

/// Keys of a policy that are used, or that do not concern us.
const POLICY_KEYS: &[&str] = &[
    "id",
    "revision",
    "inputs",
    "outputs",
    "output_permissions",
    "agent",
    "fleet",
    "signed",
    "secret_references",
    "secret_paths",
    "namespaces",
];
/// Whether a top-level key shows that a file is a policy or an input of one.
pub(super) fn is_policy_key(key: &str) -> bool {
    matches!(key.split('.').next(), Some("inputs" | "streams" | "type"))
}

/// Translates a whole file.
pub(super) fn translate(
    file: &str,
    table: Map<String, Value>,
    keys: &PolicyKeys<'_>,
    notes: &mut Vec<String>,
) -> Result<Map<String, Value>, Mistake> {
    let policy = Value::new(None, ValueKind::Table(table));
    // Nothing would read our own sections here.
    let is_ours = |key: &str| key == ALIAS || SECTIONS.contains(&key);
    if let Some((section, value)) = entries(&policy).into_iter().find(|(key, _)| is_ours(key)) {
        let message = format!(
            "`{section}` has no place in a Fleet policy: put it in a second file and name both with -c"
        );
        return Err(Mistake::at_key(SourceLocation::find(value).as_ref(), message));
    }
    let whole = tree::find(&policy, "inputs").is_some();
    let inputs: Vec<(String, &Value)> = if whole {
        items(&policy, "inputs").map(|(index, input)| (format!("inputs.{index}"), input)).collect()
    } else {
        vec![(String::new(), &policy)]
    };
    let benchmarks = (keys.inputs)();
    let (at, input) = choose(file, &inputs, &benchmarks)?;
    let mut unused = UnusedKeys::default();
    if whole {
        unused.section(&policy, "", POLICY_KEYS);
    }
    unused.input(at, input);
    unused.types(inputs.iter().filter(|(other, _)| other != at).map(|(_, input)| type_of(input)));

    let known = keys.catalogue.keys();
    let mut ours = Map::new();
    let mut put = |key: &str, value: &Value| {
        let location = SourceLocation::find(value).unwrap_or_default();
        tree::set(&mut ours, &tree::segments(key), value.clone(), &location)
    };
    put("posturebeat.benchmarks", &versioned(file, input, &benchmarks)?)?;
    let streams = || items(input, "streams").map(|(_, stream)| stream);
    for (key, ours) in [("period", "posturebeat.period"), ("data_stream.namespace", "posturebeat.namespace")]
    {
        if let Some(value) = tree::find(input, key).or_else(|| streams().find_map(|it| tree::find(it, key))) {
            put(ours, value)?;
        }
    }
    if let Some((at, written)) = credentials(at, input) {
        let path = "posturebeat.aws.credentials";
        let mut cut = unused.cut(written, path, &at, &known);
        // Later versions of the integration may have more types. The keys beside it decide.
        if let ValueKind::Table(table) = &mut cut.kind
            && table.get("type").is_some_and(|kind| !text(kind).is_some_and(is_credentials_type))
        {
            table.remove("type");
            unused.key(tree::dotted(&at, "type"));
        }
        put(path, &cut)?;
    }
    for (key, ours) in
        [("package_policy_id", "posturebeat.package_policy_id"), ("revision", "posturebeat.revision")]
    {
        if let Some(value) = tree::find(input, key) {
            put(ours, value)?;
        }
    }
    if let Some((name, output)) = output(&policy, input, keys.catalogue, &known, &mut unused)? {
        put(&dotted(OUTPUT, name), &output)?;
    }
    notes.extend(unused.note(file));
    Ok(ours)
}

/// The input to follow: the first for a benchmark that we have, else the first that is ours at all; the others are for
/// cloud accounts.
fn choose<'a, 'b>(
    file: &str,
    inputs: &'b [(String, &'a Value)],
    known: &[FleetInput],
) -> Result<(&'b str, &'a Value), Mistake> {
    let ours = || {
        inputs.iter().filter(|(_, input)| {
            let kind = type_of(input);
            kind == ALIAS || kind.starts_with("cloudbeat/")
        })
    };
    let has_rules = |input: &Value| {
        let name = benchmark(input).map(|(name, _)| name.split('@').next().unwrap_or(name));
        known.iter().any(|known| Some(known.benchmark.as_str()) == name)
    };
    let chosen = ours().find(|(_, input)| has_rules(input)).or_else(|| ours().next());
    chosen.map(|(at, input)| (at.as_str(), *input)).ok_or_else(|| {
        let types: Vec<String> = inputs.iter().map(|(_, input)| format!("`{}`", type_of(input))).collect();
        let seen = if types.is_empty() { "nothing".to_owned() } else { types.join(", ") };
        let expected: Vec<String> = known.iter().map(|input| format!("`{}`", input.kind)).collect();
        let message = format!(
            "the policy has no input for posturebeat: expected the type {}, found {seen}",
            expected.join(" or ")
        );
        Mistake { at: file.to_owned(), message }
    })
}

/// The benchmark of a stream, else of the input, else the end of the input's type; and where it is.
fn benchmark(input: &Value) -> Option<(&str, &Value)> {
    let key = "config.v1.benchmark";
    let named = items(input, "streams").find_map(|(_, stream)| tree::find(stream, key));
    if let Some(value) = named.or_else(|| tree::find(input, key)) {
        return Some((text(value)?, value));
    }
    let kind = tree::find(input, "type")?;
    Some((text(kind)?.split_once('/')?.1, kind))
}

/// The list of benchmarks that the input names. One that no input of ours is for keeps its name as it is.
fn versioned(file: &str, input: &Value, known: &[FleetInput]) -> Result<Value, Mistake> {
    let (name, at) = benchmark(input).ok_or_else(|| Mistake {
        at: file.to_owned(),
        message: "the policy's input names no benchmark: expected text in `config.v1.benchmark`".to_owned(),
    })?;
    let name = match known.iter().find(|known| known.benchmark == name) {
        Some(known) => format!("{name}@{}", known.version),
        None => name.to_owned(),
    };
    let origin = at.origin().map(str::to_owned);
    let name = Value::new(origin.as_ref(), name);
    Ok(Value::new(origin.as_ref(), ValueKind::Array(vec![name])))
}

/// The AWS credentials of a stream, else of the input, and where they are.
fn credentials<'a>(at: &str, input: &'a Value) -> Option<(String, &'a Value)> {
    let key = "config.v1.aws.credentials";
    let of_stream = |(index, stream): (usize, &'a Value)| {
        let found = tree::find(stream, key)?;
        Some((tree::dotted(at, &format!("streams.{index}.{key}")), found))
    };
    items(input, "streams")
        .find_map(of_stream)
        .or_else(|| tree::find(input, key).map(|found| (tree::dotted(at, key), found)))
        .filter(|(_, found)| matches!(found.kind, ValueKind::Table(_)))
}

/// The output that the input uses, as ours of that type and cut to its keys. `None`: an input without a policy.
fn output(
    policy: &Value,
    input: &Value,
    catalogue: &KeyCatalogue,
    known: &[SettingKey],
    unused: &mut UnusedKeys,
) -> Result<Option<(&'static str, Value)>, Mistake> {
    let Some(outputs) = tree::find(policy, "outputs") else { return Ok(None) };
    let name = tree::find(input, "use_output").and_then(text).unwrap_or("default");
    let Some(output) = entries(outputs).into_iter().find(|(key, _)| *key == name).map(|(_, output)| output)
    else {
        let names: Vec<String> = entries(outputs).iter().map(|(name, _)| format!("`{name}`")).collect();
        let message =
            format!("the policy has no output `{name}`, which its input uses; it has {}", names.join(", "));
        return Err(Mistake::at_key(SourceLocation::find(outputs).as_ref(), message));
    };
    let kind = output_of_type(name, output, catalogue)?;
    if let Some(mistake) = UnusedKeys::decisive(output, &format!("outputs.{name}")) {
        return Err(mistake);
    }
    let mut written = output.clone();
    if let ValueKind::Table(table) = &mut written.kind {
        table.remove("type");
    }
    let cut = unused.cut(&written, &dotted(OUTPUT, kind.name), &format!("outputs.{name}"), known);
    Ok(Some((kind.name, cut)))
}

/// Our output of a policy output's type. Without a type it is the first that a policy may choose.
fn output_of_type(name: &str, output: &Value, catalogue: &KeyCatalogue) -> Result<CatalogueOutput, Mistake> {
    let choices = || catalogue.outputs.iter().filter(|output| output.in_policies);
    let written = tree::find(output, "type");
    let chosen = choices().find(|choice| written.is_none_or(|written| text(written) == Some(choice.name)));
    chosen.copied().ok_or_else(|| {
        let names: Vec<String> = choices().map(|choice| format!("`{}`", choice.name)).collect();
        let message = format!(
            "the policy's output `{name}` is of type `{}`: only {} is supported (yet)",
            written.and_then(text).unwrap_or_default(),
            names.join(", "),
        );
        Mistake::at_value(written.and_then(SourceLocation::find).as_ref(), message)
    })
}

/// The entries of a section that have a value, in the order written.
fn entries(section: &Value) -> Vec<(&str, &Value)> {
    let ValueKind::Table(table) = &section.kind else { return Vec::new() };
    let said = tree::in_order(table).into_iter().filter(|(_, value)| value.kind != ValueKind::Nil);
    said.collect()
}

/// The items of the list at `key`, numbered.
fn items<'a>(section: &'a Value, key: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    let items = match tree::find(section, key).map(|list| &list.kind) {
        Some(ValueKind::Array(items)) => items.as_slice(),
        _ => &[],
    };
    items.iter().enumerate()
}

fn type_of(input: &Value) -> &str {
    tree::find(input, "type").and_then(text).unwrap_or("none")
}

fn text(value: &Value) -> Option<&str> {
    match &value.kind {
        ValueKind::String(text) => Some(text),
        _ => None,
    }
}

//! `diff`: what changed between two recordings, reports or files of findings.

use anyhow::{Context as _, anyhow, bail};
use serde_json::Value;
use std::io::BufRead;
use std::path::Path;
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::scan::{Deliver, scan};
use crate::collect::recorded::snapshot;
use crate::config::settings::Settings;
use crate::observe::Source;
use crate::report::{ResourceLabel, VerdictChange, Verdicts, changes};

/// Compares two inputs; returns every verdict that differs.
pub async fn diff(
    settings: &Settings,
    engine: &Engine,
    old: &Path,
    new: &Path,
) -> anyhow::Result<Vec<VerdictChange>> {
    let before = verdicts(settings, engine, old).await?;
    let after = verdicts(settings, engine, new).await?;
    Ok(changes(&before, &after))
}

async fn verdicts(settings: &Settings, engine: &Engine, path: &Path) -> anyhow::Result<Verdicts> {
    let compressed = path.extension().is_some_and(|ending| ending == "gz" || ending == "zst");
    if compressed || is_recording(path)? {
        let source = Source::Snapshot(path.to_path_buf());
        let cancel = CancellationToken::new();
        return Ok(scan(settings, engine, &source, 0, Deliver::default(), &cancel).await?.report.verdicts());
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    if let Ok(report) = serde_json::from_str::<Value>(&text)
        && report.get("rules").is_some()
    {
        return Verdicts::from_report(&report).map_err(|message| anyhow!("{}: {message}", path.display()));
    }
    findings(path, &text)
}

/// Whether a file is a recording: it starts with a header, or with a resource.
fn is_recording(path: &Path) -> anyhow::Result<bool> {
    let file = std::fs::File::open(path).with_context(|| format!("open {}", path.display()))?;
    let mut first = String::new();
    std::io::BufReader::new(file)
        .read_line(&mut first)
        .with_context(|| format!("read {}", path.display()))?;
    let Ok(line) = serde_json::from_str::<Value>(&first) else { return Ok(false) };
    Ok(snapshot::identity(path).is_ok() && (line.get("snapshot").is_some() || line.get("raw").is_some()))
}

/// Reads findings as `scan --format ndjson` or the file output write them. Of several cycles only the last counts.
fn findings(path: &Path, text: &str) -> anyhow::Result<Verdicts> {
    let mut verdicts = Verdicts::default();
    let mut newest = i64::MIN;
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let document: Value = serde_json::from_str(line).map_err(|error| {
            anyhow!("{}:{}: not a recording, a report or findings: {error}", path.display(), number + 1)
        })?;
        let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        if text("/result/evaluation").is_empty() {
            continue;
        }
        let sequence = document.pointer("/event/sequence").and_then(Value::as_i64).unwrap_or(i64::MIN);
        if sequence < newest {
            continue;
        }
        if sequence > newest {
            newest = sequence;
            verdicts = Verdicts::default();
        }
        let label = ResourceLabel {
            kind: text("/resource/type").into(),
            sub_type: text("/resource/sub_type").into(),
            namespace: document
                .pointer("/resource/raw/metadata/namespace")
                .and_then(Value::as_str)
                .map(str::to_owned),
            name: text("/resource/name").into(),
        };
        let version = text("/rule/benchmark/version").trim_start_matches('v');
        let benchmark = format!("{}@{version}", text("/rule/benchmark/id"));
        verdicts.add(
            &benchmark,
            text("/rule/benchmark/rule_number"),
            text("/rule/name"),
            &label,
            text("/result/evaluation"),
        );
    }
    if verdicts.is_empty() {
        bail!("{}: not a recording, a report or findings", path.display());
    }
    Ok(verdicts)
}

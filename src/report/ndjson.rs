//! Findings, one document per line: exactly what `run` would ship.

use super::{ReportContent, ReportFormat};

pub(super) const FORMAT: ReportFormat = ReportFormat {
    name: "ndjson",
    help: "The documents that `run` would ship, one per line",
    content: ReportContent::Findings,
};

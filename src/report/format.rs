//! What a format of `scan --format` is: its name, its help and what it writes.

use std::io::{Result, Write};

use super::Report;

/// A value of `scan --format`.
#[derive(Debug)]
pub struct ReportFormat {
    /// The value.
    pub name: &'static str,
    /// Its help.
    pub help: &'static str,
    /// What it writes.
    pub content: ReportContent,
}

/// What a format writes, and from what.
#[derive(Debug)]
pub enum ReportContent {
    /// Text from the report of each source, one after another.
    PerSource(WriteReport),
    /// One document, so a scan of several sources is refused.
    Single {
        /// What the document is: `object`.
        noun: &'static str,
        /// Writes the document.
        write: WriteReport,
    },
    /// The documents that `run` would ship, one per line. They are written while the scan runs; the report is not used.
    Findings,
}

/// Writes one report. What a format does not need of the style, it ignores.
pub type WriteReport = fn(&Report, ReportStyle, &mut dyn Write) -> Result<()>;

/// What the destination can show.
#[derive(Debug, Clone, Copy)]
pub struct ReportStyle {
    /// Whether it is a terminal that shows colours.
    pub colour: bool,
}

impl ReportFormat {
    /// Writes one source's finished report. Nothing, where documents were written while the scan ran.
    pub fn write(&self, report: &Report, style: ReportStyle, out: &mut dyn Write) -> Result<()> {
        match self.content {
            ReportContent::PerSource(write) | ReportContent::Single { write, .. } => {
                write(report, style, out)
            }
            ReportContent::Findings => Ok(()),
        }
    }

    /// Whether documents are written while the scan runs, so that they take the place of a report.
    pub fn writes_findings(&self) -> bool {
        matches!(self.content, ReportContent::Findings)
    }
}

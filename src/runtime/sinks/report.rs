//! The report of a scan, or of recorded input.

use super::{CycleEnd, Judgements, Sink};
use crate::exception::Marks;
use crate::report::{Report, ResourceLabel};
use crate::resource::{Origin, Resource};

/// Fills a report.
pub(in crate::runtime) struct ReportSink<'r> {
    report: &'r mut Report,
    /// The resource that is being judged.
    label: Option<(ResourceLabel, Option<Origin>)>,
}

impl<'r> ReportSink<'r> {
    pub(in crate::runtime) fn new(report: &'r mut Report) -> Self {
        Self { report, label: None }
    }
}

impl Sink for ReportSink<'_> {
    fn begin(&mut self, resource: &Resource) {
        self.label = Some((ResourceLabel::of(resource), resource.origin.clone()));
    }

    fn resource(&mut self, id: &str, judgements: &Judgements<'_>, marks: &Marks) {
        if let Some(label) = self.label.take() {
            self.report.add(id, label, judgements, marks);
        }
    }

    fn close(&mut self, end: &CycleEnd<'_>) {
        let CycleEnd { tally, without_resource, exceptions } = end;
        self.report.close((*tally).clone(), (*without_resource).clone(), exceptions.to_vec());
    }
}

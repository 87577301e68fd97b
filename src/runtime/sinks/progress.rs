//! How far a scan has come, for a progress bar.

use super::{Judgements, Sink};
use crate::exception::Marks;

/// Reports how many resources at least one rule has judged.
pub(in crate::runtime) struct ProgressSink<'p> {
    report: &'p (dyn Fn(u64) + Sync),
    resources: u64,
}

impl<'p> ProgressSink<'p> {
    pub(in crate::runtime) fn new(report: &'p (dyn Fn(u64) + Sync)) -> Self {
        Self { report, resources: 0 }
    }
}

impl Sink for ProgressSink<'_> {
    fn resource(&mut self, _id: &str, judgements: &Judgements<'_>, _marks: &Marks) {
        self.resources += u64::from(!judgements.is_empty());
        (self.report)(self.resources);
    }
}

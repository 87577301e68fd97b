//! A process that has a component's name and that nobody vouches for.
//!
//! It is not judged. Where a trusted process of its kind runs, it decides nothing; where none does, it must not look as if
//! there were no such component.

use super::proc_stat::ProcStat;
use super::process;
use crate::collect::component::Component;
use crate::resource::{Gap, Reason, Resource};

/// A process that nobody vouches for.
#[derive(Debug)]
pub(super) struct UnvouchedProcess {
    /// Its process id.
    pub pid: u32,
    /// The program, if that runs several components in one process.
    pub program: Option<&'static str>,
    /// The components that its name claims.
    pub components: Vec<Component>,
    /// Its entry in `/proc`.
    pub stat: ProcStat,
    /// Why nobody vouches for it.
    pub why: String,
}

impl UnvouchedProcess {
    /// What stands in the place of a verdict.
    pub(super) fn gap(&self) -> Gap {
        Gap::new(Reason::Missing, format!("found process {}, not judged: {}", self.pid, self.why))
    }

    /// A resource of which nothing is read.
    pub(super) fn resource(&self, component: Component) -> Resource {
        process::hidden(self.pid, component, self.program, &self.stat, self.gap())
    }
}

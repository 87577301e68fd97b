//! stub

use super::source::Observation;
use crate::collect::host::HostFacts;
use crate::config::settings::Settings;
use crate::resource::Kind;
use std::collections::BTreeSet;

pub(super) async fn outside(
    _: &Settings,
    _: BTreeSet<(Kind, String)>,
    _: HostFacts,
) -> anyhow::Result<Observation> {
    anyhow::bail!("stub")
}

//! What stands for those that nobody can name, because what would name them could not be read.

use super::request::Request;
use crate::collect::sightings::Sightings;
use crate::resource::{Gap, Kind, Resource};

/// One resource for each wanted sub type of `kind`, where some of the `objects` that would name them could not be
/// read: there may be more of them than are seen.
pub(super) fn unseen(
    request: &Request,
    sightings: &Sightings,
    kind: Kind,
    sub_types: &[&str],
    objects: &[&str],
) -> Vec<Resource> {
    let gaps: Vec<_> = objects.iter().filter_map(|object| sightings.gaps.get(*object)).collect();
    let Some(first) = gaps.first() else { return Vec::new() };
    let what = gaps.iter().map(|unread| unread.gap.what.as_str()).collect::<Vec<_>>().join("; ");
    let wanted = request.wanted.iter().filter(|selector| selector.kind == kind);
    let named = wanted.filter(|selector| sub_types.contains(&selector.name.as_str()));
    named
        .map(|selector| {
            Resource::unlisted(selector, &request.owner, Gap::new(first.gap.reason, what.clone()))
        })
        .collect()
}

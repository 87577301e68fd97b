//! Where in a resource the verdict was decided, for those that somebody wrote down.

use super::answer::CheckAnswer;
use super::document::Document;
use crate::resource::place_steps;
use crate::rule::Control;

/// The most places; more would be no help to find the first.
const MAX_PLACES: usize = 60;

/// The places of the facts and gaps that decided, as names and indexes. Of what a filter selected, also those that the
/// filter looked at: the container is selected, and its `privileged` decided.
pub(super) fn of(control: &Control, document: &Document, answer: &CheckAnswer<'_>) -> Vec<Vec<String>> {
    let paths = control.paths();
    let mut places = Vec::new();
    for fact in &answer.facts {
        let place = place_steps(&fact.place);
        if fact.value.is_some() {
            places.extend(paths.iter().flat_map(|path| path.filtered_places(&place)));
        }
        places.push(place);
    }
    places.extend(document.places_of(&answer.gaps));
    places.truncate(MAX_PLACES);
    places
}

//! Which parts of a resource a verdict depends on.

use serde_json::{Map, Value};

use super::Document;
use crate::resource::{Reason, Resource, Selector, Unread};
use crate::rule::Control;

/// Whether a control's verdict about a resource may change if `place` cannot be read.
pub fn needs(control: &Control, selector: &Selector, place: &str) -> bool {
    if !control.resources.contains(selector) {
        return false;
    }
    if place == "$" {
        return true;
    }
    let resource = Resource {
        unread: vec![Unread::new(place, Reason::Denied, "")],
        ..Resource::observed(
            selector.kind,
            selector.name.clone(),
            String::new(),
            String::new(),
            Value::Object(Map::new()),
        )
    };
    // Values derived from the place are unread with it and share its reason. Other derived values are missing too, since
    // the document is empty, but for another reason.
    let document = Document::new(resource);
    let paths = control.paths();
    let mut hidden = document.unread.iter().filter(|unread| unread.gap.reason == Reason::Denied);
    hidden.any(|unread| paths.iter().any(|path| path.could_touch(&unread.at)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Catalogue, built_in};

    #[test]
    fn what_is_derived_from_a_place_needs_it_too() {
        let catalogue = Catalogue::load(&built_in()).unwrap();
        let control = |id: &str| catalogue.control(id).unwrap().clone();
        let pod: Selector = "k8s_object/Pod".parse().unwrap();
        let privileged = control("pod-privileged");
        assert!(needs(&privileged, &pod, "$.spec") && needs(&privileged, &pod, "$"));
        assert!(!needs(&privileged, &pod, "$.status"));
        assert!(!needs(&privileged, &"k8s_object/Node".parse().unwrap(), "$"));
    }

    #[test]
    fn what_is_derived_from_elsewhere_does_not() {
        let catalogue = Catalogue::load(&built_in()).unwrap();
        let repository: Selector = "container-registry/aws-ecr".parse().unwrap();
        let policy = catalogue.control("ecr-policy").unwrap().clone();
        for (place, expected) in [("$.policy", true), ("$.registryPolicy", true), ("$.images", false)] {
            assert_eq!(needs(&policy, &repository, place), expected, "{place}");
        }
    }
}

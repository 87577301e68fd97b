//! Blanked values that somebody allowed rules to compare.

use serde_json::Value;
use std::fmt;

use super::TemplatePath;

/// Values by their places in a resource's document, which itself has them blanked.
#[derive(Clone, Default, PartialEq, Hash)]
pub struct Revealed(Vec<(Vec<String>, Value)>);

impl Revealed {
    /// Adds the value at a place: the keys and indexes that lead there.
    pub(crate) fn add(&mut self, place: Vec<String>, value: Value) {
        self.0.push((place, value));
    }

    /// The value at a place.
    pub(crate) fn at(&self, place: &[String]) -> Option<&Value> {
        self.0.iter().find(|(own, _)| own == place).map(|(_, value)| value)
    }

    /// Those inside a workload's template of pods, with their places in the pod that comes of it.
    pub(crate) fn under(&self, template: &TemplatePath) -> Self {
        let within = |(place, value): &(Vec<String>, Value)| {
            let mut place = place.iter();
            let is_inside = template.keys().all(|key| place.next().is_some_and(|own| own == key));
            is_inside.then(|| (place.cloned().collect(), value.clone()))
        };
        Self(self.0.iter().filter_map(within).collect())
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Places only: neither a log nor a panic may show a value.
impl fmt::Debug for Revealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(place, _)| place.join("."))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_has_no_value() {
        let mut revealed = Revealed::default();
        let place = |key: &str| vec!["data".to_owned(), key.to_owned()];
        revealed.add(place("A"), "canary".into());
        assert_eq!(format!("{revealed:?}"), r#"["data.A"]"#);
        assert_eq!(revealed.at(&place("A")), Some(&"canary".into()));
        assert_eq!(revealed.at(&place("B")), None);
    }
}

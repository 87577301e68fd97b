//! Where a resource was written: the file, the document, and the line of each of its values.

use std::cmp::Reverse;
use std::fmt::Debug;
use std::sync::Arc;

/// Finds the values of one document in its text.
pub trait DocumentPositions: Debug + Send + Sync {
    /// The position of the value at `steps`, names and indexes, or of the innermost one around it that is written, and
    /// how many of the steps lead there. `None`: the text does not tell.
    fn locate(&self, steps: &[String]) -> Option<(OriginPosition, usize)>;
}

/// A line and a column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct OriginPosition {
    /// The line.
    pub line: u64,
    /// The column, in characters.
    pub column: u64,
}

/// Where a resource was written, as manifests are.
#[derive(Debug, Clone)]
pub struct Origin {
    /// The file, as it was named.
    pub file: Arc<str>,
    /// The document in it, from 1; empty ones do not count. 0: the file as a whole.
    pub document: usize,
    /// Where the resource stands in the document: nowhere else than at its root, unless it is an item of a list.
    place: Vec<String>,
    /// The containers in it, in the order in which rules see them.
    containers: Vec<Vec<String>>,
    text: Arc<dyn DocumentPositions>,
}

impl Origin {
    /// In a document of a file, at `place`.
    pub fn new(
        file: Arc<str>,
        document: usize,
        place: Vec<String>,
        text: Arc<dyn DocumentPositions>,
    ) -> Self {
        Self { file, document, place, containers: Vec::new(), text }
    }

    /// In a file, at a position that is known; or the file as a whole.
    pub fn fixed(file: Arc<str>, document: usize, at: Option<OriginPosition>) -> Self {
        Self::new(file, document, Vec::new(), Arc::new(FixedPosition(at)))
    }

    /// With the places of its containers.
    #[must_use]
    pub fn with_containers(self, containers: Vec<Vec<String>>) -> Self {
        Self { containers, ..self }
    }

    /// The places of its containers.
    pub fn containers(&self) -> impl Iterator<Item = &[String]> {
        self.containers.iter().map(Vec::as_slice)
    }

    /// The position of the resource.
    pub fn position(&self) -> Option<OriginPosition> {
        self.text.locate(&self.place).map(|(at, _)| at)
    }

    /// The position of what decided: of these places, each a list of names and indexes, one of which the least is
    /// missing, the innermost such, and of several the first in the text.
    pub fn position_of<'p>(&self, places: impl Iterator<Item = &'p [String]>) -> Option<OriginPosition> {
        let found = places.filter_map(|steps| {
            let steps = self.written(steps)?;
            let (at, taken) = self.text.locate(&steps)?;
            // What nothing leads to decided nothing: the resource as a whole is the better answer.
            (taken > self.place.len()).then_some((steps.len() - taken, Reverse(taken), at))
        });
        found.min().map(|(_, _, at)| at).or_else(|| self.position())
    }

    /// A place of the resource as one of the document. `None`: it is computed, and stands nowhere.
    fn written(&self, steps: &[String]) -> Option<Vec<String>> {
        let own: Vec<String> = match steps {
            [first, list, index, rest @ ..] if first == "derived" && list == "containers" => {
                let index: usize = index.parse().ok()?;
                [self.containers.get(index)?.as_slice(), rest].concat()
            }
            [first, ..] if first == "derived" || first == "related" => return None,
            steps => steps.to_vec(),
        };
        Some([self.place.as_slice(), &own].concat())
    }
}

/// Positions are a function of the text, so only what names it counts.
impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        (&self.file, self.document, &self.place) == (&other.file, other.document, &other.place)
    }
}

#[derive(Debug)]
struct FixedPosition(Option<OriginPosition>);

impl DocumentPositions for FixedPosition {
    fn locate(&self, _: &[String]) -> Option<(OriginPosition, usize)> {
        self.0.map(|at| (at, 0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line 1 is the list, 2 the resource, 3 its spec, 4 what it has in it; the column is the depth.
    #[derive(Debug)]
    struct Lines;

    impl DocumentPositions for Lines {
        fn locate(&self, steps: &[String]) -> Option<(OriginPosition, usize)> {
            let known = ["items", "0", "spec", "hostPID"];
            let taken = steps.iter().zip(known).take_while(|(step, known)| step == known).count();
            Some((OriginPosition { line: taken as u64, column: 1 }, taken))
        }
    }

    fn line(places: &[&[&str]]) -> u64 {
        let origin = Origin::new("a.yaml".into(), 1, vec!["items".into(), "0".into()], Arc::new(Lines))
            .with_containers(vec![vec!["spec".into(), "containers".into(), "0".into()]]);
        let owned = |place: &&[&str]| place.iter().map(|step| (*step).to_owned()).collect::<Vec<_>>();
        let places: Vec<Vec<String>> = places.iter().map(owned).collect();
        origin.position_of(places.iter().map(Vec::as_slice)).unwrap().line
    }

    #[test]
    fn what_is_written_counts_before_what_surrounds_it() {
        assert_eq!(line(&[&["spec", "hostPID"]]), 4);
        assert_eq!(line(&[&["spec", "hostIPC"], &["spec", "hostPID"]]), 4);
        assert_eq!(line(&[&["spec", "hostIPC"]]), 3);
        assert_eq!(
            line(&[&["derived", "containers", "0", "name"]]),
            3,
            "a container stands in the pod's spec"
        );
    }

    #[test]
    fn what_stands_nowhere_has_the_position_of_the_resource() {
        for place in
            [&["related", "role"][..], &["derived", "subjects"], &["derived", "containers", "9"], &["status"]]
        {
            assert_eq!(line(&[place]), 2, "{place:?}");
        }
    }
}

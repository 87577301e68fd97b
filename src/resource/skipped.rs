//! What a source holds beside resources, named so that nobody takes it for judged.

/// The most names that one line shows.
const SHOWN: usize = 8;

/// What was left out of manifests. Nothing of it is an error by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SkippedInput {
    /// Files and documents that are no Kubernetes objects, such as `values.yaml` or `ci.yaml (document 2)`.
    pub without_objects: Vec<String>,
    /// Templates of charts that only rendering turns into objects.
    pub templates: Vec<String>,
    /// Commands that render what is not judged as it lies there, such as `helm template app | …`.
    pub render: Vec<String>,
}

impl SkippedInput {
    /// Whether workloads may be in it that nobody looked at.
    pub fn may_hold_objects(&self) -> bool {
        !self.templates.is_empty()
    }

    /// For people, a line each: what was skipped, and what to do about it.
    pub fn lines(&self) -> Vec<String> {
        let line = |names: &[String], one: &str, many: &str| {
            let what = if names.len() == 1 { one } else { many };
            (!names.is_empty()).then(|| format!("{} {what}: {}", names.len(), some(names)))
        };
        let without = line(
            &self.without_objects,
            "file or document is no Kubernetes object",
            "files or documents are no Kubernetes objects",
        );
        let templates = line(
            &self.templates,
            "template of a chart is not rendered",
            "templates of charts are not rendered",
        );
        let render = self.render.iter().map(|command| format!("to judge what it renders: {command}"));
        without.into_iter().chain(templates).chain(render).collect()
    }
}

/// The first names, and how many more there are.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_all_and_names_some() {
        let names: Vec<String> = (0..12).map(|number| format!("{number}.yaml")).collect();
        let skipped = SkippedInput { without_objects: names, ..SkippedInput::default() };
        let lines = skipped.lines();
        assert_eq!(lines.len(), 1);
        assert!(lines[0].starts_with("12 files or documents are no Kubernetes objects: 0.yaml, "));
        assert!(lines[0].ends_with("7.yaml and 4 more"), "{}", lines[0]);
        assert!(!skipped.may_hold_objects());
    }
}

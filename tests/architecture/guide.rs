//! ARCHITECTURE.md: what it says of where a change goes is true.

use std::path::Path;

use super::sources::sources;

/// Every path and module that "Where a change goes" names.
#[test]
fn the_guide_names_what_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guide = std::fs::read_to_string(root.join("ARCHITECTURE.md")).unwrap();
    let section = guide.split("\n## ").find(|section| section.starts_with("Where a change goes"));
    let section = section.expect("ARCHITECTURE.md has a section `Where a change goes`");
    let modules: Vec<String> = sources().iter().map(|source| source.module.join("::")).collect();
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let place = row.split('|').nth(2).unwrap_or_default();
        let names: Vec<&str> = place.split('`').skip(1).step_by(2).collect();
        // `<component>` stands for any name: what is before it must be there.
        let is_there = |name: &&str| {
            let fixed = name.split('<').next().unwrap_or_default();
            let is_file = root.join(fixed).exists();
            // A function or type of a module counts as the module.
            let owner = fixed.rsplit_once("::").map_or(fixed, |(owner, _)| owner);
            let is_module = modules.iter().any(|module| module == fixed || module == owner);
            // Commands, and paths of the HTTP endpoint.
            let is_other = ["make ", "rules ", "/"].iter().any(|it| name.starts_with(it));
            is_file || is_module || is_other || !name.contains(['/', ':', '.'])
        };
        if names.is_empty() {
            wrong.push(format!("no place in: {row}"));
        }
        wrong.extend(
            names.iter().filter(|name| !is_there(name)).map(|name| format!("`{name}` is not there: {row}")),
        );
    }
    assert!(rows.len() > 10, "the table was not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

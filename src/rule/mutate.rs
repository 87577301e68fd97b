//! Controls broken in one place each. Some case must fail for each, or the cases do not cover the control.
//!
//! In: a control. Out: its mutants: a comparator inverted or dropped, a branch dropped, `absent` with another value, a flag,
//! variable, key, default or path blanked.

use super::check::{Absent, Check, Comparison};
use super::control::{Control, Decision};
use super::path::Path;
use super::setting::{Setting, SettingDefault};

/// A control broken in one place.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// What was changed, for people.
    pub what: String,
    /// The control with the change.
    pub control: Control,
}

/// Replaces a flag, variable or key.
const BLANK: &str = "blanked";

/// All mutants of a control.
pub fn mutants(control: &Control) -> Vec<Mutant> {
    let mut out = Vec::new();
    let mut add = |what: String, change: &dyn Fn(&mut Control)| {
        let mut mutant = control.clone();
        change(&mut mutant);
        out.push(Mutant { what, control: mutant });
    };
    if let Some(applies) = &control.applies {
        add("`applies` dropped".into(), &|mutant| mutant.applies = None);
        for (what, check) in of(applies) {
            add(format!("applies: {what}"), &|mutant| mutant.applies = Some(check.clone()));
        }
    }
    match &control.decision {
        Decision::Check(check) => {
            for (what, check) in of(check) {
                add(what, &|mutant| mutant.decision = Decision::Check(check.clone()));
            }
        }
        Decision::Sides { pass, fail } => {
            let sides = |pass: &Option<Check>, fail: &Option<Check>| Decision::Sides {
                pass: pass.clone(),
                fail: fail.clone(),
            };
            for (what, check) in pass.iter().flat_map(of) {
                add(format!("pass: {what}"), &|mutant| mutant.decision = sides(&Some(check.clone()), fail));
            }
            for (what, check) in fail.iter().flat_map(of) {
                add(format!("fail: {what}"), &|mutant| mutant.decision = sides(pass, &Some(check.clone())));
            }
        }
    }
    out
}

/// A check, changed in one place.
fn of(check: &Check) -> Vec<(String, Check)> {
    match check {
        Check::All(parts) => branches(parts, "all", Check::All),
        Check::Any(parts) => branches(parts, "any", Check::Any),
        Check::Not(part) => {
            let mut out = vec![("`not` dropped".to_owned(), part.as_ref().clone())];
            out.extend(of(part).into_iter().map(|(what, part)| (what, Check::Not(Box::new(part)))));
            out
        }
        Check::None(path) => {
            let mut out = paths(path, Check::None);
            out.push((format!("`none: {}` inverted", path.text()), Check::Some(path.clone())));
            out
        }
        Check::Some(path) => {
            let mut out = paths(path, Check::Some);
            out.push((format!("`some: {}` inverted", path.text()), Check::None(path.clone())));
            out
        }
        Check::Each { path, compare, absent } => {
            let with =
                |path: Path, compare: Vec<Comparison>, absent: Absent| Check::Each { path, compare, absent };
            let mut out = paths(path, |path| with(path, compare.clone(), *absent));
            out.extend(comparisons(compare, |compare| with(path.clone(), compare, *absent)));
            let other = if *absent == Absent::Pass { Absent::Fail } else { Absent::Pass };
            let what = format!("`absent: {}` of {} is `{}`", absent.as_str(), path.text(), other.as_str());
            out.push((what, with(path.clone(), compare.clone(), other)));
            out
        }
        Check::Values { path, compare } => {
            let mut out = paths(path, |path| Check::Values { path, compare: compare.clone() });
            out.extend(comparisons(compare, |compare| Check::Values { path: path.clone(), compare }));
            out
        }
        Check::Setting { setting, compare } => {
            let with = |setting: Setting| Check::Setting { setting, compare: compare.clone() };
            let mut out: Vec<(String, Check)> =
                blanked(setting).into_iter().map(|(what, setting)| (what, with(setting))).collect();
            out.extend(comparisons(compare, |compare| Check::Setting { setting: setting.clone(), compare }));
            out
        }
        Check::Owner(_) => vec![("`owner` inverted".to_owned(), Check::Not(Box::new(check.clone())))],
        Check::Given(_) => vec![("`given` inverted".to_owned(), Check::Not(Box::new(check.clone())))],
    }
}

fn branches(parts: &[Check], form: &str, whole: fn(Vec<Check>) -> Check) -> Vec<(String, Check)> {
    let mut out = Vec::new();
    for (position, part) in parts.iter().enumerate() {
        let number = position + 1;
        if parts.len() > 1 {
            let mut less = parts.to_vec();
            less.remove(position);
            out.push((format!("branch {number} of `{form}` dropped"), whole(less)));
        }
        for (what, part) in of(part) {
            let mut changed = parts.to_vec();
            changed[position] = part;
            out.push((format!("{form}[{number}]: {what}"), whole(changed)));
        }
    }
    out
}

fn paths(path: &Path, whole: impl Fn(Path) -> Check) -> Vec<(String, Check)> {
    let changes = path.mutants().into_iter();
    changes.map(|(what, changed)| (format!("{}: {what}", path.text()), whole(changed))).collect()
}

fn comparisons(compare: &[Comparison], whole: impl Fn(Vec<Comparison>) -> Check) -> Vec<(String, Check)> {
    let mut out = Vec::new();
    for (position, comparison) in compare.iter().enumerate() {
        let mut turned = compare.to_vec();
        turned[position] = match comparison {
            Comparison::Exists(wanted) => Comparison::Exists(!wanted),
            comparison => Comparison::Not(Box::new(comparison.clone())),
        };
        out.push((format!("`{}` inverted", comparison.word()), whole(turned)));
        if compare.len() > 1 {
            let mut less = compare.to_vec();
            less.remove(position);
            out.push((format!("`{}` dropped", comparison.word()), whole(less)));
        }
    }
    out
}

fn blanked(setting: &Setting) -> Vec<(String, Setting)> {
    let mut out = Vec::new();
    let mut add = |what: &str, name: &str, change: &dyn Fn(&mut Setting)| {
        let mut blanked = setting.clone();
        change(&mut blanked);
        out.push((format!("{what} `{name}` blanked"), blanked));
    };
    if let Some(flag) = &setting.flag {
        add("flag", flag, &|setting| setting.flag = Some(BLANK.into()));
    }
    if let Some(env) = &setting.env {
        add("variable", env, &|setting| setting.env = Some(BLANK.into()));
    }
    if let Some(key) = &setting.key {
        add("key", key, &|setting| setting.key = Some(BLANK.into()));
    }
    if let Some(config) = &setting.config {
        add("key of the file", config.text(), &|setting| setting.config = Some(Path::blank()));
    }
    if setting.default != SettingDefault::Unset {
        let name = setting.flag.as_deref().unwrap_or_default();
        add("default of", name, &|setting| setting.default = SettingDefault::Unset);
    }
    if setting.zero_means != SettingDefault::Unset {
        let name = setting.flag.as_deref().unwrap_or_default();
        add("meaning of 0 in", name, &|setting| setting.zero_means = SettingDefault::Unset);
    }
    out
}

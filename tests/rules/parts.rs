//! Random parts of a whole cluster: what is left out may exist, so no verdict becomes better for it.

use posturebeat::collect::join::Index;
use posturebeat::collect::recorded::snapshot;
use posturebeat::evaluate::{Judge, Outcome};
use posturebeat::redact::Reveal;
use posturebeat::resource::{Resource, SourceExtent};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

/// The recorded node and cluster of the examples, with objects on which the joins decide.
static WHOLE: LazyLock<Vec<Resource>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/kubeadm-v1.37.ndjson.gz");
    let mut resources = Vec::new();
    snapshot::read(&path, &Reveal::default(), &mut |resource| {
        resources.push(resource);
        Ok(true)
    })
    .unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), MORE).unwrap();
    snapshot::read(file.path(), &Reveal::default(), &mut |resource| {
        resources.push(resource);
        Ok(true)
    })
    .unwrap();
    resources
});

/// A namespace whose API server has the pod security plug-in off, an account that mounts its token, an aggregated role.
const MORE: &str = include_str!("parts.ndjson");

static JUDGE: LazyLock<Judge> = LazyLock::new(|| {
    let catalogue = super::catalogue();
    let benchmarks: Vec<String> =
        catalogue.benchmarks().iter().map(|benchmark| benchmark.full_name().to_string()).collect();
    Judge::new(&catalogue.rules(&benchmarks, &BTreeMap::new()).unwrap())
});

/// Resource and first rule of each judgement, with its outcome.
fn outcomes(resources: &[Resource], extent: SourceExtent) -> BTreeMap<(String, usize), Outcome> {
    let mut index = Index::new("2026-11-27T00:00:00Z".parse().unwrap());
    index.limit_to(extent);
    for resource in resources {
        index.note(resource);
    }
    let judged = resources.iter().cloned().flat_map(|mut resource| {
        index.relate(&mut resource);
        let id = resource.id.clone();
        let judgements = JUDGE.judge(resource);
        judgements
            .into_iter()
            .map(|(rules, judgement)| ((id.clone(), rules[0]), judgement.outcome))
            .collect::<Vec<_>>()
    });
    judged.collect()
}

static TRUE: LazyLock<BTreeMap<(String, usize), Outcome>> =
    LazyLock::new(|| outcomes(&WHOLE, SourceExtent::Everything));

/// No outcome of the part is better than that of the whole.
fn nothing_turns_good(kept: &[bool]) -> Result<(), TestCaseError> {
    let part: Vec<Resource> =
        WHOLE.iter().zip(kept).filter(|(_, kept)| **kept).map(|(resource, _)| resource.clone()).collect();
    for (what, outcome) in outcomes(&part, SourceExtent::Kinds(BTreeSet::new())) {
        let whole = TRUE[&what];
        let is_better = matches!(outcome, Outcome::Passed | Outcome::NotApplicable) && outcome != whole;
        prop_assert!(!is_better, "{what:?}: {whole:?} became {outcome:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_left_out_never_turns_into_a_pass(
        kept in proptest::collection::vec(any::<bool>(), WHOLE.len()),
    ) {
        nothing_turns_good(&kept)?;
    }
}

/// Each alone, as random halves seldom leave out just the one that decides.
#[test]
fn no_object_alone_is_taken_for_absent() {
    for left_out in 0..WHOLE.len() {
        let kept: Vec<bool> = (0..WHOLE.len()).map(|position| position != left_out).collect();
        nothing_turns_good(&kept).unwrap_or_else(|error| panic!("without {}: {error}", WHOLE[left_out].id));
    }
}

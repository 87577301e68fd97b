//! Names of repositories that somebody invented: whoever may create a Pod can.

use serde_json::{Value, json};
use std::collections::BTreeMap;
use wiremock::ResponseTemplate;

use super::super::super::tests::{client, collected, scope};
use super::super::observe;
use super::double::{Asked, asked, count, double, given, refused, repository};
use super::{ECR, look, own, places};
use crate::collect::sightings::Sightings;
use crate::resource::{Gap, Reason};

/// Of a registry that has only `real`, what it answers to a request for repositories.
fn only_real(asked: &Asked) -> Option<ResponseTemplate> {
    if asked.operation != "DescribeRepositories" {
        return None;
    }
    let others = |number: usize| repository(asked, &format!("other{number}"));
    match (asked.names().as_slice(), asked.body["nextToken"].as_str()) {
        ([], None) => {
            let page: Vec<Value> = (0..1_000).map(others).collect();
            Some(given(&json!({"repositories": page, "nextToken": "two"})))
        }
        ([], Some("two")) => Some(given(&json!({"repositories": [repository(asked, "real")]}))),
        (["real"], _) => None,
        _ => Some(refused("RepositoryNotFoundException")),
    }
}

#[tokio::test]
async fn invented_repositories_cost_few_calls() {
    let server = double(only_real).await;
    let mut images: Vec<String> = (0..3_000).map(|at| own(&format!("invented{at}"))).collect();
    images.push(own("real"));
    let found = look(&server, &[ECR], &images).await;
    assert_eq!(found.len(), 3_001);
    for resource in &found {
        let expected = if resource.name == "real" { None } else { Some(&Reason::Missing) };
        assert_eq!(places(resource).get("$"), expected, "{resource:?}");
    }
    let last = &found[2_999].unread[0].gap.what;
    assert!(last.contains("the registry of account 123456789012 has no such repository"), "{last}");
    assert!(count(&server, "DescribeRepositories").await < 80);
}

#[tokio::test]
async fn where_a_registry_does_not_tell_its_names_each_is_asked_for() {
    let server = double(|asked| {
        let all = asked.operation == "DescribeRepositories" && asked.names().is_empty();
        if all { Some(refused("AccessDeniedException")) } else { only_real(asked) }
    })
    .await;
    let mut images: Vec<String> = (0..150).map(|at| own(&format!("invented{at}"))).collect();
    images.push(own("real"));
    let found = look(&server, &[ECR], &images).await;
    let missing = found.iter().filter(|resource| places(resource).get("$") == Some(&Reason::Missing));
    assert_eq!((found.len(), missing.count()), (151, 150));
    let asked = asked(&server).await;
    let all =
        asked.iter().filter(|asked| asked.operation == "DescribeRepositories" && asked.names().is_empty());
    assert_eq!(all.count(), 1, "it is not asked again");
}

#[tokio::test]
async fn repositories_over_the_bound_are_one_gap() {
    let server = double(only_real).await;
    let mut sightings = Sightings::default();
    sightings.images.extend((0..20_001).map(|at| own(&format!("z{at}"))));
    sightings.images.insert(own("real"));
    let look = async |sightings: &Sightings| {
        let (aws, scope) = (client(&server), scope(&[ECR]));
        collected(async |found| observe(&aws, &scope, sightings, found).await).await
    };
    let found = look(&sightings).await;
    let unlisted: Vec<_> = found.iter().filter(|resource| resource.is_unlisted()).collect();
    assert_eq!((found.len(), unlisted.len()), (20_001, 1));
    assert_eq!(places(unlisted[0]), BTreeMap::from([("$", Reason::TooLarge)]));
    assert!(unlisted[0].unread[0].gap.what.contains("20002"), "{:?}", unlisted[0].unread);
    sightings.gaps.insert("Pod".to_owned(), Gap::new(Reason::Denied, "list pods").at("$"));
    let found = look(&sightings).await;
    let unlisted: Vec<_> = found.iter().filter(|resource| resource.is_unlisted()).collect();
    assert_eq!(unlisted.len(), 1);
    let Gap { reason, what } = &unlisted[0].unread[0].gap;
    assert_eq!(*reason, Reason::Denied);
    assert!(what.starts_with("list pods; ") && what.contains("20002"), "{what}");
}

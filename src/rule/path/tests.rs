//! Paths: what they take, select, and could have selected; held against another library.

use super::*;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use proptest::prelude::*;
use serde_json::json;

/// A JSON value of few names and values, so that paths often meet something.
fn a_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-1_i64..3).prop_map(Value::from),
        prop_oneof!["x", "y", "é"].prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[abc]", inner, 0..4)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn a_query(start: &'static str, filter: BoxedStrategy<String>) -> impl Strategy<Value = String> {
    let segment = prop_oneof![
        4 => "[abc]".prop_map(|name| format!(".{name}")),
        2 => Just("[*]".to_owned()),
        1 => (-2..3).prop_map(|index| format!("[{index}]")),
        1 => Just("['a','b']".to_owned()),
        2 => filter.prop_map(|filter| format!("[?{filter}]")),
    ];
    prop::collection::vec(segment, 0..4).prop_map(move |segments| format!("{start}{}", segments.concat()))
}

fn a_filter(depth: u32) -> BoxedStrategy<String> {
    let singular = prop_oneof![
        Just("@".to_owned()),
        "[abc]".prop_map(|name| format!("@.{name}")),
        "[abc]".prop_map(|name| format!("$.{name}")),
        Just("@[0]".to_owned()),
        Just("length(@.a)".to_owned()),
        Just("count(@[*])".to_owned()),
        Just("value(@[*])".to_owned()),
    ];
    let literal = prop::sample::select(&["1", "0", "'x'", "true", "null", "1.5"]).prop_map(str::to_owned);
    // serde_json_path gives an order to what has none, such as false and true: so only beside numbers and texts.
    let equal = prop::sample::select(&["==", "!="]);
    let order = prop::sample::select(&["< 1", "> 0", "<= 1", ">= 1", "<= 0", ">= 1.5", "< 'y'", "> 'x'"]);
    let comparison = prop_oneof![
        2 => (singular.clone(), equal, prop_oneof![literal, singular.clone()])
            .prop_map(|(left, operator, right)| format!("{left} {operator} {right}")),
        1 => (singular, order).prop_map(|(left, right)| format!("{left} {right}")),
    ];
    if depth == 0 {
        return prop_oneof![comparison, "[abc]".prop_map(|name| format!("@.{name}"))].boxed();
    }
    let inner = || a_filter(depth - 1);
    prop_oneof![
        3 => comparison,
        2 => a_query("@", inner()).prop_filter("`@` alone is no test", |query| query.len() > 1),
        1 => a_query("$", inner()).prop_filter("`$` alone is no test", |query| query.len() > 1),
        1 => inner().prop_map(|filter| format!("!({filter})")),
        1 => (inner(), inner()).prop_map(|(left, right)| format!("({left}) && ({right})")),
        1 => (inner(), inner()).prop_map(|(left, right)| format!("{left} || {right}")),
    ]
    .boxed()
}

/// Normalised places as ours: `$['a'][0]` → `$.a[0]`.
fn short(place: &str) -> String {
    place.replace("['", ".").replace("']", "")
}

proptest! {
    /// Two implementations of RFC 9535 and ours select the same: one is the strict one, the other parses our paths.
    #[test]
    fn selects_what_the_rfc_says(document in a_value(), text in a_query("$", a_filter(2))) {
        let path = Path::parse(&text).unwrap();
        let mut ours: Vec<(String, &Value)> =
            path.select(&document).into_iter().map(|found| (short(&found.place), found.value)).collect();
        ours.sort_by(|left, right| left.0.cmp(&right.0));
        let strict = serde_json_path::JsonPath::parse(&text).unwrap();
        let mut theirs: Vec<(String, &Value)> = strict
            .query_located(&document)
            .iter()
            .map(|node| (short(&node.location().to_string()), node.node()))
            .collect();
        theirs.sort_by(|left, right| left.0.cmp(&right.0));
        prop_assert_eq!(&ours, &theirs);
        // The library counts no nodes as nothing, takes `length` of lists of nodes, and knows no `value` of several. In a
        // filter inside a filter it loses the document's root.
        let rootless = text.matches("[?").count() > 1 && text[1..].contains('$');
        if !rootless && !["count", "value", "length"].iter().any(|function| text.contains(function)) {
            let query = parse_json_path(&text).unwrap();
            let found = js_path_process(&query, &document).unwrap();
            let mut theirs: Vec<(String, &Value)> =
                found.into_iter().map(|found| (short(&found.path), found.val)).collect();
            theirs.sort_by(|left, right| left.0.cmp(&right.0));
            prop_assert_eq!(&ours, &theirs);
        }
    }
}

#[test]
fn what_the_library_takes_beyond_the_rfc_is_refused() {
    for path in [
        "$..name",
        "$.a.b c",
        "$.a[?@.n in ['x']]",
        "$.a[?@.n size 1]",
        "$.a[?none_of(@.n,$.x)]",
        "$.a[?match(@.n, 'x')]",
        "$.a[?search(@.n, 'x')]",
        "$.a[0:2]",
        "$.a[?length(@.b)]",
        "$.a[?length(@.b[*]) > 1]",
        "a.b",
        "$.a[",
        "",
    ] {
        assert!(Path::parse(path).is_err(), "{path} was taken");
    }
}

#[test]
fn what_rules_use_is_taken() {
    for path in [
        "$.mode",
        "$.metadata.labels['pod-security.kubernetes.io/enforce']",
        "$.rules[*]['apiGroups','resources','verbs'][?@ == '*']",
        "$.derived.containers[?!@.securityContext.capabilities.drop[?@ == 'ALL']]",
        "$.a[?count(@.b) > 1 && length(@.c) == 2]",
    ] {
        Path::parse(path).unwrap();
    }
}

#[test]
fn places_are_short() {
    let document = json!({"spec": {"containers": [{"a-b": 1}]}});
    let path = Path::parse("$.spec.containers[*]['a-b']").unwrap();
    let found = path.select(&document);
    assert_eq!(found[0].place, "$.spec.containers[0]['a-b']");
    assert_eq!(found[0].value, &json!(1));
}

#[test]
fn touching_is_at_under_or_over() {
    let touches = |path: &str, place: &str| Path::parse(path).unwrap().could_touch(place);
    assert!(touches("$.related.networkPolicies[*]", "$.related.networkPolicies"));
    assert!(touches("$.related", "$.related.networkPolicies"));
    assert!(touches("$.a[*].b", "$.a[3]"));
    assert!(touches("$.a['b','c']", "$.a.c"));
    assert!(touches("$.a", "$"));
    assert!(!touches("$.a.b", "$.a.c"));
    assert!(!touches("$.a['b','c']", "$.a.d"));
    assert!(!touches("$.a[0]", "$.a[1]"));
}

#[test]
fn a_filter_may_refer_to_the_root() {
    let document = json!({"limit": 2, "list": [{"x": 1}, {"x": 3}]});
    let path = Path::parse("$.list[?@.x > $.limit].x").unwrap();
    let found = path.select(&document);
    assert_eq!((found.len(), found[0].place.as_ref(), found[0].value), (1, "$.list[1].x", &json!(3)));
}

#[test]
fn a_filter_looks_too() {
    let path = Path::parse("$.list[?@.x == $.other.y]").unwrap();
    assert!(path.could_touch("$.other.y"));
    assert!(path.could_touch("$.list[2].x") && path.filter_could_touch("$.list[2].x"));
    assert!(!path.could_touch("$.third"));
}

#[test]
fn what_a_filter_looked_at_stands_under_what_it_selected() {
    let steps = |place: &str| crate::resource::place_steps(place);
    let under = |path: &str, place: &str| Path::parse(path).unwrap().filtered_places(&steps(place));
    let path = "$.containers[?@.securityContext.privileged == true && !@.name]";
    let expected = ["$.containers[1].securityContext.privileged", "$.containers[1].name"];
    assert_eq!(under(path, "$.containers[1]"), expected.map(steps));
    assert!(under(path, "$.other[1]").is_empty() && under("$.containers[*]", "$.containers[1]").is_empty());
    assert!(under("$.a[?@.b[?@ == 1]]", "$.a[0]").is_empty(), "more than one place");
}

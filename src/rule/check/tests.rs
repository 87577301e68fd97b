//! The forms of a check, and their mistakes.

use super::*;

fn error(text: &str) -> String {
    crate::yaml::from_str::<Check>(text).unwrap_err().message
}

#[test]
fn each_mistake_has_its_message() {
    assert!(error("{path: $.a, equals: 1}").contains("`path` needs `absent"));
    assert!(error("{path: $.a, absent: pass}").contains("need a comparator"));
    assert!(error("{none: $.a, some: $.b}").contains("takes only one of"));
    assert!(error("{equals: 1}").contains("beside it"));
    assert!(error("{none: $..a}").contains("not allowed"));
    assert!(error("{path: $.a, one_of: x, absent: pass}").contains("expects a list"));
    assert!(error("{path: $.a, like: x, absent: pass}").contains("expects a list"));
    assert!(error("{given: a, some: $.b}").contains("only one of"));
    assert!(error("{path: $.a, matches: '(', absent: pass}").contains("matches"));
    assert!(error("{nonsense: 1}").contains("nonsense"));
    assert!(error("{setting: {flag: a, type: bool}, equals: 'true'}").contains("never equal"));
}

#[test]
fn the_forms_nest() {
    let text =
        "all: [{none: $.a}, {any: [{some: $.b}, {not: {path: $.c, equals: {param: x}, absent: pass}}]}]";
    let check: Check = crate::yaml::from_str(text).unwrap();
    assert!(matches!(check, Check::All(parts) if parts.len() == 2));
}

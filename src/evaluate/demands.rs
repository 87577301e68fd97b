//! What rules ask of API objects, so that no more is listed, kept or sent.

use serde_json::Value;
use std::collections::BTreeSet;

use super::Params;
use crate::resource::{Kind, ObjectDemand, ObjectDemands};
use crate::rule::{Check, Comparison, Control, Operand, Rule};

/// What these rules ask of each kind of object.
pub fn object_demands<'r>(rules: impl IntoIterator<Item = &'r Rule>) -> ObjectDemands {
    demands(rules.into_iter().map(|rule| (&*rule.control, &*rule.params)))
}

/// What one control asks with its own parameters.
pub fn demands_of(control: &Control) -> ObjectDemands {
    demands([(control, &control.params)])
}

fn demands<'r>(controls: impl IntoIterator<Item = (&'r Control, &'r Params)>) -> ObjectDemands {
    let mut demands = ObjectDemands::new();
    for (control, params) in controls {
        let paths = control.paths().into_iter().chain(control.evidence.values());
        let demand = ObjectDemand {
            namespaces: control.applies.as_ref().and_then(|applies| namespaces(applies, params)),
            reads: paths.flat_map(crate::rule::Path::reads).collect(),
        };
        for selector in control.resources.iter().filter(|selector| selector.kind == Kind::K8sObject) {
            match demands.get_mut(&selector.name) {
                Some(known) => known.merge(demand.clone()),
                None => {
                    demands.insert(selector.name.clone(), demand.clone());
                }
            }
        }
    }
    demands
}

/// The namespaces outside of which a condition cannot hold; `None` where it can hold in any.
fn namespaces(applies: &Check, params: &Params) -> Option<BTreeSet<String>> {
    match applies {
        Check::All(parts) => parts.iter().find_map(|part| namespaces(part, params)),
        Check::Any(parts) => {
            let each: Option<Vec<_>> = parts.iter().map(|part| namespaces(part, params)).collect();
            Some(each?.into_iter().flatten().collect())
        }
        // What has no namespace is of a cluster-wide kind, which is listed as a whole anyway, or a manifest.
        Check::Each { path, compare, .. } => {
            (path.text() == "$.metadata.namespace").then_some(())?;
            compare.iter().find_map(|comparison| match comparison {
                Comparison::Equals(operand) => {
                    value(operand, params)?.as_str().map(|name| BTreeSet::from([name.to_owned()]))
                }
                Comparison::OneOf(operand) => {
                    let names = value(operand, params)?.as_array()?.iter();
                    names.map(|name| name.as_str().map(str::to_owned)).collect()
                }
                _ => None,
            })
        }
        _ => None,
    }
}

fn value<'v>(operand: &'v Operand, params: &'v Params) -> Option<&'v Value> {
    match operand {
        Operand::Literal(value) => Some(value),
        Operand::Param(name) => params.get(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Catalogue, built_in};

    fn demand(text: &str) -> ObjectDemand {
        let text = format!(
            "id: a\ntitle: t\nresource: k8s_object/Certificate.cert-manager.io\nseverity: low\nwhy: w\nremediation: r\n{text}"
        );
        demands_of(&Control::parse("a.yml", &text).unwrap()).remove("Certificate.cert-manager.io").unwrap()
    }

    fn keys(demand: &ObjectDemand) -> Vec<String> {
        demand.reads.iter().map(|keys| keys.join(".")).collect()
    }

    #[test]
    fn the_places_that_a_control_reads_end_at_the_first_step_that_is_no_key() {
        let found = demand(
            "check: {none: \"$.spec.dnsNames[?@ == $.spec.commonName]\"}\nevidence: {issuer: $.spec.issuerRef.name}\n",
        );
        assert_eq!(keys(&found), ["spec.commonName", "spec.dnsNames", "spec.issuerRef.name"]);
        let found = demand(
            "params: {a: x}\ncheck: {path: \"$.spec['a','b'].c\", equals: {param: a}, absent: fail}\n",
        );
        assert_eq!(keys(&found), ["spec.a.c", "spec.b.c"]);
        assert_eq!(keys(&demand("check: {some: \"$[*]\"}\n")), [""]);
    }

    #[test]
    fn a_control_asks_about_the_namespaces_that_it_applies_to() {
        let asked = |applies: &str| {
            let found = demand(&format!(
                "params: {{in: [a, b]}}\napplies: {applies}\ncheck: {{path: $.spec, one_of: {{param: in}}, absent: fail}}\n"
            ));
            found.namespaces.map(|names| names.into_iter().collect::<Vec<_>>().join(" "))
        };
        let place = "path: $.metadata.namespace";
        assert_eq!(asked(&format!("{{{place}, equals: default, absent: fail}}")).as_deref(), Some("default"));
        assert_eq!(
            asked(&format!("{{{place}, one_of: {{param: in}}, absent: error}}")).as_deref(),
            Some("a b")
        );
        let each = format!("{{{place}, equals: a, absent: fail}}");
        assert_eq!(asked(&format!("{{all: [{{some: $.spec.x}}, {each}]}}")).as_deref(), Some("a"));
        assert_eq!(asked(&format!("{{any: [{{some: $.spec.x}}, {each}]}}")), None);
        assert_eq!(asked(&format!("{{{place}, equals: default, absent: pass}}")).as_deref(), Some("default"));
        assert_eq!(asked(&format!("{{{place}, none_of: {{param: in}}, absent: fail}}")), None);
    }

    #[test]
    fn kinds_are_asked_about_in_the_default_namespace_only() {
        let catalogue = Catalogue::load(&built_in()).unwrap();
        let demands = demands_of(catalogue.control("default-namespace-unused").unwrap());
        let only = BTreeSet::from(["default".to_owned()]);
        assert!(
            demands.len() > 20 && demands.values().all(|demand| demand.namespaces.as_ref() == Some(&only))
        );
    }
}

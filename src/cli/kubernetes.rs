//! `test kubernetes`: our identity on the API server, which rights are missing, and the RBAC rules to add.

use anyhow::bail;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::ExitCode;

use crate::collect::cluster::rights::Right;
use crate::config::Settings;
use crate::report::safe;
use crate::runtime::{self, Engine, KubernetesTest, RightAnswer};

/// Prints it; an error where something is missing.
pub(super) async fn test(settings: Settings) -> anyhow::Result<ExitCode> {
    let engine = Engine::new(&settings.posture)?;
    let test = runtime::test_kubernetes(&settings, &engine).await?;
    print!("{}", text(&test));
    let missing = test.missing().count();
    let unanswered =
        test.checks.iter().filter(|check| matches!(check.answer, RightAnswer::Unknown(_))).count();
    if missing + unanswered > 0 {
        bail!("of {} rights {missing} are missing and {unanswered} could not be checked", test.checks.len());
    }
    if let Some((kind, why)) = test.undiscovered.first() {
        bail!("cannot look up the kind {kind}: {why}");
    }
    Ok(ExitCode::SUCCESS)
}

fn text(test: &KubernetesTest) -> String {
    let mut out = String::new();
    // Writing to memory does not fail.
    let _ = write(&mut out, test);
    out
}

fn write(out: &mut String, test: &KubernetesTest) -> std::fmt::Result {
    writeln!(out, "kubernetes: {}", safe(&test.url))?;
    for (what, answer) in [("user", &test.user), ("cluster", &test.cluster)] {
        match answer {
            Ok(name) => writeln!(out, "  {what}... OK {}", safe(name))?,
            Err(why) => writeln!(out, "  {what}... ERROR {}", safe(why))?,
        }
    }
    writeln!(out, "  rights:")?;
    for check in &test.checks {
        match &check.answer {
            RightAnswer::Allowed => writeln!(out, "    {}... OK", check.need.right)?,
            RightAnswer::Denied => writeln!(out, "    {}... DENIED", check.need.right)?,
            RightAnswer::Unknown(why) => writeln!(out, "    {}... ERROR {}", check.need.right, safe(why))?,
        }
    }
    if !test.absent.is_empty() || !test.undiscovered.is_empty() {
        writeln!(out, "  kinds:")?;
    }
    for kind in &test.absent {
        writeln!(out, "    {}... not on this server: its rules are not applicable", safe(kind))?;
    }
    for (kind, why) in &test.undiscovered {
        writeln!(out, "    {}... ERROR {}", safe(kind), safe(why))?;
    }
    let missing: Vec<&Right> = test.missing().map(|check| &check.need.right).collect();
    if missing.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nMissing rights, and what each costs:")?;
    for check in test.missing() {
        let errors = (!check.errors.is_empty()).then(|| format!("error: {}", check.errors.join(", ")));
        let cost = errors.as_deref().or(check.need.cost).unwrap_or("no error: other objects decide");
        writeln!(out, "  {}: {cost}", check.need.right)?;
    }
    let errors: Vec<&str> = test.errors.iter().map(String::as_str).collect();
    let errors = if errors.is_empty() { "none".to_owned() } else { errors.join(", ") };
    writeln!(out, "\nRecommendations that will be errors: {errors}")?;
    writeln!(out, "\nRBAC rules to add, beside what is granted already:\n{}", rbac(&missing))
}

/// The roles that grant these rights, as YAML.
fn rbac(missing: &[&Right]) -> String {
    let mut places: BTreeMap<Option<&str>, Vec<&Right>> = BTreeMap::new();
    for right in missing {
        places.entry(right.namespace.as_deref()).or_default().push(right);
    }
    let mut documents = Vec::new();
    for (namespace, rights) in places {
        let (kind, place) = match namespace {
            None => ("ClusterRole", String::new()),
            Some(namespace) => ("Role", format!(", namespace: {namespace}")),
        };
        let mut text = format!(
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: {kind}\nmetadata: {{name: posturebeat-more{place}}}\nrules:\n"
        );
        // By what they are about, with all verbs of it.
        let mut rules: BTreeMap<(&str, &str, Option<&str>), Vec<&str>> = BTreeMap::new();
        for right in rights {
            let about = (right.group.as_str(), right.resource.as_str(), right.name.as_deref());
            rules.entry(about).or_default().push(right.verb);
        }
        for ((group, resource, name), verbs) in rules {
            let name = name.map(|name| format!(", resourceNames: [{name}]")).unwrap_or_default();
            let about = if resource.starts_with('/') {
                format!("nonResourceURLs: [{resource}]")
            } else {
                format!("apiGroups: [\"{group}\"], resources: [{resource}]{name}")
            };
            text.push_str(&format!("  - {{{about}, verbs: [{}]}}\n", verbs.join(", ")));
        }
        documents.push(text);
    }
    documents.join("---\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::cluster::rights::Need;
    use crate::runtime::RightCheck;

    fn right(
        verb: &'static str,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
        name: Option<&str>,
    ) -> Right {
        Right {
            group: group.into(),
            resource: resource.into(),
            namespace: namespace.map(Into::into),
            name: name.map(Into::into),
            verb,
        }
    }

    #[test]
    fn what_is_missing_is_named_with_its_cost_and_as_rbac() {
        let check = |right: Right, answer, errors: &[&str], cost| RightCheck {
            need: Need { right, feeds: Vec::new(), cost },
            answer,
            errors: errors.iter().map(|number| (*number).to_owned()).collect(),
        };
        let certificates = |verb| right(verb, "cert-manager.io", "certificates", None, None);
        let proxy = right("list", "", "configmaps", Some("kube-system"), Some("kube-proxy"));
        let test = KubernetesTest {
            url: "https://a/".into(),
            user: Ok("system:serviceaccount:a:b".into()),
            cluster: Err("get the namespace kube-system: HTTP 403".into()),
            checks: vec![
                check(certificates("list"), RightAnswer::Denied, &["1.1"], None),
                check(certificates("watch"), RightAnswer::Denied, &[], Some("changes wait")),
                check(proxy, RightAnswer::Denied, &[], None),
                check(right("get", "", "/flagz", None, None), RightAnswer::Denied, &[], None),
                check(right("list", "", "pods", None, None), RightAnswer::Allowed, &[], None),
            ],
            absent: vec!["Backup.velero.io".into()],
            undiscovered: vec![],
            errors: ["1.1".to_owned()].into(),
        };
        let text = text(&test);
        for line in [
            "    list certificates.cert-manager.io... DENIED\n",
            "    list pods... OK\n",
            "    Backup.velero.io... not on this server: its rules are not applicable\n",
            "  list certificates.cert-manager.io: error: 1.1\n",
            "  watch certificates.cert-manager.io: changes wait\n",
            "  list configmaps kube-proxy in kube-system: no error: other objects decide\n",
            "Recommendations that will be errors: 1.1\n",
            "  - {apiGroups: [\"cert-manager.io\"], resources: [certificates], verbs: [list, watch]}\n",
            "    get /flagz... DENIED\n",
            "  - {nonResourceURLs: [/flagz], verbs: [get]}\n",
            "metadata: {name: posturebeat-more, namespace: kube-system}\n",
            "  - {apiGroups: [\"\"], resources: [configmaps], resourceNames: [kube-proxy], verbs: [list]}\n",
        ] {
            assert!(text.contains(line), "{line:?} in\n{text}");
        }
    }
}

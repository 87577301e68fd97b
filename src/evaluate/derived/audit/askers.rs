//! Who asks: an ordinary user, a service account, an administrator, nobody, and everyone whom a policy names.

use std::collections::BTreeSet;

const ACCOUNT: &str = "system:serviceaccount:";
const ACCOUNTS: &str = "system:serviceaccounts";
const ANONYMOUS: &str = "system:anonymous";
const AUTHENTICATED: &str = "system:authenticated";
const UNAUTHENTICATED: &str = "system:unauthenticated";
const NODES: &str = "system:nodes";
const MASTERS: &str = "system:masters";

/// Groups whose members every policy is asked about.
const ALWAYS_ASKED: [&str; 6] = [
    AUTHENTICATED,
    ACCOUNTS,
    "system:serviceaccounts:kube-system",
    MASTERS,
    "kubeadm:cluster-admins",
    UNAUTHENTICATED,
];

/// Someone who sends a request.
#[derive(Debug)]
pub(super) struct AuditAsker {
    /// Written as the subject of a binding: `Group:system:nodes`.
    pub(super) label: String,
    pub(super) user: String,
    pub(super) groups: Vec<String>,
}

/// Who sends requests, apart from those whom a rule names; `stranger` is a user whom no rule names.
pub(super) fn always(stranger: &str) -> Vec<AuditAsker> {
    ALWAYS_ASKED.iter().map(|group| member(group, stranger)).collect()
}

/// The users and members of groups whom a rule names. Each is in no other group than it must be, because another group
/// could only bring it under more of the earlier rules.
pub(super) fn named(users: &BTreeSet<String>, groups: &BTreeSet<String>, stranger: &str) -> Vec<AuditAsker> {
    if users.is_empty() {
        return groups.iter().map(|group| member(group, stranger)).collect();
    }
    if groups.is_empty() {
        return users.iter().map(|user| known(user, None)).collect();
    }
    users.iter().flat_map(|user| groups.iter().map(move |group| known(user, Some(group)))).collect()
}

/// How many askers [`named`] gives.
pub(super) fn count(users: &BTreeSet<String>, groups: &BTreeSet<String>) -> usize {
    match (users.len(), groups.len()) {
        (users, 0) => users,
        (users, groups) => users.max(1).saturating_mul(groups),
    }
}

/// Someone of that group.
fn member(group: &str, stranger: &str) -> AuditAsker {
    let user = match group {
        UNAUTHENTICATED => ANONYMOUS.to_owned(),
        ACCOUNTS => format!("{ACCOUNT}{stranger}:{stranger}"),
        NODES => format!("system:node:{stranger}"),
        _ => match group.strip_prefix(ACCOUNTS).and_then(|rest| rest.strip_prefix(':')) {
            Some(namespace) => format!("{ACCOUNT}{namespace}:{stranger}"),
            None => stranger.to_owned(),
        },
    };
    AuditAsker { label: format!("Group:{group}"), ..known(&user, Some(group)) }
}

/// A user, and perhaps a group that its name alone does not give it.
fn known(user: &str, group: Option<&str>) -> AuditAsker {
    let account = user.strip_prefix(ACCOUNT).and_then(|rest| rest.split_once(':'));
    let mut groups = match account {
        _ if user == ANONYMOUS => vec![UNAUTHENTICATED.to_owned()],
        _ if user == "system:apiserver" => vec![MASTERS.to_owned(), AUTHENTICATED.to_owned()],
        _ if user.starts_with("system:node:") => vec![NODES.to_owned(), AUTHENTICATED.to_owned()],
        Some((namespace, _)) => {
            vec![ACCOUNTS.to_owned(), format!("{ACCOUNTS}:{namespace}"), AUTHENTICATED.to_owned()]
        }
        None => vec![AUTHENTICATED.to_owned()],
    };
    groups.extend(group.filter(|group| !groups.iter().any(|own| own == group)).map(str::to_owned));
    let label = match account {
        Some((namespace, name)) => format!("ServiceAccount:{namespace}/{name}"),
        None => format!("User:{user}"),
    };
    AuditAsker { label, user: user.to_owned(), groups }
}

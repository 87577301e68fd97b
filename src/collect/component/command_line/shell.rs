//! A shell script of a command line: which of its commands starts a component, and with which arguments.
//!
//! Only what is plain is read: quotes, escapes, assignments, redirections and operators. A word that the shell expands is
//! unknown, and with it the arguments.

use std::iter::Peekable;
use std::str::Chars;

use super::{SHELLS, StartedComponent, WRAPPERS, mentioned, within};
use crate::collect::component::{Component, base_name};

/// A word of a script.
#[derive(Debug, Default, Clone)]
struct ShellWord {
    text: String,
    /// The shell replaces a part of it.
    expanded: bool,
}

/// The component that a script starts. If several of its commands may, it is unclear which does.
pub(super) fn started(script: &str, levels: usize) -> Option<StartedComponent> {
    let whole = [script.to_owned()];
    let Some(commands) = commands(script) else { return mentioned(&whole, "a shell starts it") };
    let mut found: Vec<StartedComponent> = Vec::new();
    let mut unknown = false;
    for command in &commands {
        let Some(first) = command.iter().position(|word| !is_prefix(word)) else { continue };
        let command = &command[first..];
        unknown |= command[0].expanded;
        let words: Vec<String> = command.iter().enumerate().map(|(at, word)| seen(at, word)).collect();
        match within(&words, levels) {
            Some(StartedComponent::Known(component, own)) => {
                // A shell within this one has read its own words.
                let before = command.len().saturating_sub(own.len());
                let own_words = if words.ends_with(&own) { &command[before..] } else { command };
                let expanded = own_words.iter().find(|word| word.expanded);
                found.push(match expanded {
                    None => StartedComponent::Known(component, own),
                    Some(word) => {
                        let why = format!("the shell expands `{}`", shown(&word.text));
                        StartedComponent::Unclear(component, why)
                    }
                });
            }
            // `mkdir /var/lib/etcd` names a component and starts none; a shell within this one may.
            Some(unclear) if is_launcher(&words[0]) => found.push(unclear),
            _ => {}
        }
    }
    match &found[..] {
        [] if unknown || commands.iter().any(|command| names_one(command)) => {
            mentioned(&whole, "a shell starts it")
        }
        [] => None,
        [only] => Some(only.clone()),
        [first, ..] => Some(StartedComponent::Unclear(
            first.component(),
            "several commands of a shell script may start it".to_owned(),
        )),
    }
}

/// A word as it is looked at. What the shell puts in place of one may be options, and is no sub-command.
fn seen(at: usize, word: &ShellWord) -> String {
    if at > 0 && word.text.starts_with(['$', '`']) { format!("-{}", word.text) } else { word.text.clone() }
}

/// Whether a word stands before the command proper: an assignment, or a keyword of the shell.
fn is_prefix(word: &ShellWord) -> bool {
    const KEYWORDS: &[&str] =
        &["!", "(", ")", "do", "done", "elif", "else", "fi", "if", "then", "until", "while", "{", "}"];
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    KEYWORDS.contains(&word.text.as_str()) || word.text.split_once('=').is_some_and(|(name, _)| is_name(name))
}

fn is_launcher(word: &str) -> bool {
    let name = base_name(word);
    SHELLS.contains(&name) || WRAPPERS.contains(&name)
}

/// Whether a command that is no plain tool has a word with a component's name.
fn names_one(command: &[ShellWord]) -> bool {
    /// Tools that look at files and processes and start nothing.
    const TOOLS: &[&str] = &[
        "[", "[[", "cat", "cd", "chmod", "chown", "cp", "echo", "etcdctl", "etcdutl", "export", "grep",
        "kill", "ln", "local", "ls", "mkdir", "mv", "pgrep", "pidof", "pkill", "printf", "rm", "set",
        "sleep", "tail", "tee", "test", "touch", "trap", "type", "wait", "which",
    ];
    let mut words = command.iter().skip_while(|word| is_prefix(word)).map(|word| base_name(&word.text));
    let Some(first) = words.next() else { return false };
    // A component by its own name that starts none: `etcd grpc-proxy`.
    !TOOLS.contains(&first)
        && Component::named(first).is_none()
        && !is_launcher(first)
        && words.any(|word| Component::named(word).is_some())
}

/// The start of a text; it may hold anything.
fn shown(text: &str) -> String {
    text.chars().take(40).collect()
}

/// The simple commands of a script; `None` if it cannot be read.
fn commands(script: &str) -> Option<Vec<Vec<ShellWord>>> {
    let mut read = ReadCommands { commands: vec![Vec::new()], word: None, skips_word: false };
    let mut chars = script.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' => loop {
                match chars.next()? {
                    '\'' => break,
                    c => read.word().text.push(c),
                }
            },
            '"' => quoted(&mut chars, read.word())?,
            '\\' => match chars.next()? {
                '\n' => {}
                c => read.word().text.push(c),
            },
            '$' | '`' => expansion(c, &mut chars, read.word())?,
            '#' if read.word.is_none() => while chars.next_if(|c| *c != '\n').is_some() {},
            '<' | '>' => {
                // `2>file`: the number belongs to the redirection.
                read.word.take_if(|word| word.text.bytes().all(|byte| byte.is_ascii_digit()));
                read.end_word();
                // A document within the script, or a process in place of a file.
                if chars.peek() == Some(&'(') || (c == '<' && chars.peek() == Some(&'<')) {
                    return None;
                }
                while chars.next_if(|c| matches!(c, '>' | '&' | '|')).is_some() {}
                read.skips_word = true;
            }
            ';' | '&' | '|' | '\n' | '(' | ')' => {
                read.end_word();
                read.skips_word = false;
                read.commands.push(Vec::new());
            }
            c if c.is_whitespace() => read.end_word(),
            c => {
                let word = read.word();
                word.expanded |= matches!(c, '*' | '?' | '~') || (c == '[' && !word.text.is_empty());
                word.text.push(c);
            }
        }
    }
    read.end_word();
    Some(read.commands)
}

/// The commands as far as they have been read.
struct ReadCommands {
    commands: Vec<Vec<ShellWord>>,
    /// The word that is being read.
    word: Option<ShellWord>,
    /// Whether the next word is the file of a redirection.
    skips_word: bool,
}

impl ReadCommands {
    fn word(&mut self) -> &mut ShellWord {
        self.word.get_or_insert_default()
    }

    fn end_word(&mut self) {
        if let Some(word) = self.word.take()
            && !std::mem::take(&mut self.skips_word)
            && let Some(command) = self.commands.last_mut()
        {
            command.push(word);
        }
    }
}

/// Reads what stands in double quotes.
fn quoted(chars: &mut Peekable<Chars<'_>>, word: &mut ShellWord) -> Option<()> {
    loop {
        match chars.next()? {
            '"' => return Some(()),
            '\\' => match chars.next()? {
                '\n' => {}
                c if "$`\"\\".contains(c) => word.text.push(c),
                c => word.text.extend(['\\', c]),
            },
            c @ ('$' | '`') => expansion(c, chars, word)?,
            c => word.text.push(c),
        }
    }
}

/// Reads what the shell replaces, up to its end.
fn expansion(opened: char, chars: &mut Peekable<Chars<'_>>, word: &mut ShellWord) -> Option<()> {
    word.text.push(opened);
    let (open, close) = match (opened, chars.peek()) {
        ('`', _) => ('\0', '`'),
        (_, Some('(')) => ('(', ')'),
        (_, Some('{')) => ('{', '}'),
        // A dollar alone is one.
        (_, Some(c)) => {
            word.expanded |= c.is_ascii_alphanumeric() || "_@*#?$!-'\"".contains(*c);
            return Some(());
        }
        (_, None) => return Some(()),
    };
    word.expanded = true;
    let mut depth = usize::from(open == '\0');
    loop {
        let c = chars.next()?;
        word.text.push(c);
        if c == open {
            depth += 1;
        } else if c == close {
            depth -= 1;
            if depth == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(script: &str) -> Option<StartedComponent> {
        started(script, 4)
    }

    fn known(script: &str) -> String {
        match of(script) {
            Some(StartedComponent::Known(_, words)) => words.join(" "),
            other => panic!("{script}: {other:?}"),
        }
    }

    #[test]
    fn a_plain_command_is_read() {
        for script in [
            "kube-apiserver --a=1 --b",
            "exec kube-apiserver --a=1 --b",
            "exec nice -n -19 kube-apiserver --a=1 --b",
            "set -e; mkdir -p /var/log/kube-apiserver && exec kube-apiserver --a=1 --b",
            "GOMAXPROCS=$(nproc) kube-apiserver --a=1 --b",
            "kube-apiserver --a=1 --b 2>&1 | tee -a /var/log/kube-apiserver",
            "kube-apiserver --a=1 --b >>/var/log/x 2>&1",
            "kube-apiserver \\\n  --a=1 \\\n  --b\n",
            "# kube-apiserver --c\nkube-apiserver '--a=1' \"--b\"",
            "if [ -f /x ]; then sleep 1; fi\nexec kube-apiserver --a=1 --b",
            "test -x /usr/bin/kube-apiserver || exit 1; kube-apiserver --a=1 --b",
            "sh -c 'exec kube-apiserver --a=1 --b'",
        ] {
            assert_eq!(known(script), "kube-apiserver --a=1 --b", "{script}");
        }
        assert_eq!(known("kube-apiserver --a='b c' --d=e\\ f"), "kube-apiserver --a=b c --d=e f");
    }

    #[test]
    fn what_the_shell_replaces_is_not_read() {
        for script in [
            "exec kube-apiserver --a=$A",
            "kube-apiserver $EXTRA",
            "hyperkube kube-apiserver $EXTRA",
            "kube-apiserver \"$@\"",
            "kube-apiserver --a=`date`",
            "kube-apiserver --a=${A:-b}",
            "kube-apiserver --a=/x/*",
            "kube-apiserver --a & kube-apiserver --b",
            "if x; then kube-apiserver --a; else kube-apiserver --b; fi",
            "cat <<EOF | kube-apiserver --a\nx\nEOF",
            "kube-apiserver --a='open",
            "/opt/wrap kube-apiserver --a",
            "B=kube-apiserver\n$B kube-apiserver --a",
        ] {
            let started = of(script);
            assert!(
                matches!(started, Some(StartedComponent::Unclear(Component::ApiServer, _))),
                "{script}: {started:?}"
            );
        }
    }

    #[test]
    fn what_stands_for_options_is_no_sub_command() {
        for script in ["exec etcd $ARGS", "etcd ${ARGS} --name a", "nice etcd `cat /args`"] {
            assert!(matches!(of(script), Some(StartedComponent::Unclear(Component::Etcd, _))), "{script}");
        }
    }

    #[test]
    fn what_only_names_a_component_starts_none() {
        for script in [
            "mkdir -p /var/lib/etcd; sleep 10",
            "exec nice -n -18 etcd grpc-proxy start --endpoints https://${IP}:9978",
            "etcdctl member list",
            "exec haproxy -f /x",
            "",
            "# etcd",
        ] {
            assert_eq!(of(script), None, "{script}");
        }
    }
}

//! `keystore`: named secrets that the configuration refers to as `${NAME}`.

use anyhow::{Context as _, bail};
use std::io::{IsTerminal as _, Read as _, Write as _};
use std::process::ExitCode;

use super::args::{Global, KeystoreCommand};
use crate::config::Keystore;
use crate::output::OUTPUTS;

/// More than any real secret.
const MAX_SECRET: u64 = 256 * 1024;

pub(super) fn keystore(global: &Global, command: KeystoreCommand) -> anyhow::Result<ExitCode> {
    let env = |name: &str| std::env::var(name).ok();
    let mut store = crate::config::keystore(&global.sources(&env), OUTPUTS)?;
    match command {
        KeystoreCommand::Create { force } => {
            if store.exists() && !force && !yes("A keystore already exists, overwrite it?")? {
                bail!(
                    "the keystore `{}` was not changed (use --force to overwrite it)",
                    store.path().display()
                );
            }
            store.clear();
            store.save()?;
            println!("Created posturebeat keystore");
        }
        KeystoreCommand::Add { key, stdin, force } => add(&mut store, &key, stdin, force)?,
        KeystoreCommand::List => {
            for name in store.names() {
                println!("{}", crate::report::safe(name));
            }
        }
        KeystoreCommand::Remove { keys } => {
            if let Some(unknown) = keys.iter().find(|key| store.get(key).is_none()) {
                bail!("the keystore has no secret `{unknown}` (keystore list shows them)");
            }
            for key in &keys {
                store.remove(key);
            }
            store.save()?;
            for key in &keys {
                println!("successfully removed key: {}", crate::report::safe(key));
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn add(store: &mut Keystore, key: &str, stdin: bool, force: bool) -> anyhow::Result<()> {
    if key.is_empty() || key.contains(['$', '{', '}', ':']) {
        bail!("`{key}`: expected a name without `$`, `{{`, `}}` and `:`");
    }
    if !store.exists() && !force && !yes("The keystore does not exist yet, create it?")? {
        bail!("there is no keystore: use --force to create it, or run keystore create");
    }
    if store.get(key).is_some() && !force {
        if stdin {
            bail!("the keystore already has a secret `{key}`: use --force to overwrite it");
        }
        if !yes(&format!("Secret `{key}` already exists, overwrite it?"))? {
            bail!("the secret `{key}` was not changed");
        }
    }
    let secret = if stdin { all_of_stdin()? } else { typed(&format!("Enter value for {key}: "))? };
    if secret.is_empty() {
        bail!("the value of `{key}` is empty");
    }
    store.set(key, secret.into());
    store.save()?;
    println!("Successfully updated the keystore");
    Ok(())
}

/// Drops one line break at the end: the shell's, not the secret's.
fn without_line_end(mut text: String) -> String {
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    text
}

fn all_of_stdin() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(MAX_SECRET)
        .read_to_string(&mut text)
        .context("cannot read the value from stdin")?;
    Ok(without_line_end(text))
}

/// Asks on the terminal; without one, the answer is no.
fn yes(question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        return Ok(false);
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Reads a line without echo.
fn typed(prompt: &str) -> anyhow::Result<String> {
    use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("stdin is not a terminal: use --stdin to read the value from it");
    }
    eprint!("{prompt}");
    let shown = tcgetattr(&stdin).context("cannot turn off terminal echo")?;
    let mut hidden = shown.clone();
    hidden.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &hidden).context("cannot turn off terminal echo")?;
    let mut line = String::new();
    let read = stdin.read_line(&mut line);
    tcsetattr(&stdin, OptionalActions::Now, &shown).context("cannot turn on terminal echo")?;
    eprintln!();
    read.context("cannot read the value")?;
    Ok(without_line_end(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_end_is_taken_away() {
        for (given, kept) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), ("a", "a"), ("", "")] {
            assert_eq!(without_line_end(given.to_owned()), kept);
        }
    }
}

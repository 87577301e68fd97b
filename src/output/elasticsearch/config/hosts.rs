//! Completes `hosts` to URLs.
//!
//! As in a Beat: the default port is 9200, also for https. Scheme and path of a URL win over `protocol` and `path`.
//! User and password in a URL are credentials, and no message here repeats them.

use secrecy::{ExposeSecret, SecretString};

const DEFAULT_PORT: u16 = 9200;

/// A complete host.
pub(super) struct HostUrl {
    /// With scheme and port, without user.
    pub url: String,
    /// The user and password of the URL.
    pub user: Option<UrlUser>,
}

/// User and password.
pub(super) struct UrlUser {
    pub name: String,
    pub password: SecretString,
}

impl PartialEq for UrlUser {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.password.expose_secret() == other.password.expose_secret()
    }
}

/// Completes one host.
pub(super) fn parse(text: &str, scheme: &str, path: &str) -> Result<HostUrl, String> {
    let (scheme, rest) = text.trim().split_once("://").unwrap_or((scheme, text.trim()));
    let scheme = scheme.to_ascii_lowercase();
    if scheme != "http" && scheme != "https" {
        return Err("expected `http://` or `https://` in front of the host".to_owned());
    }
    let (authority, own_path) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    // Otherwise a part of a password would be read as a host, and be shown.
    if own_path.contains('@') {
        return Err("write `/` in a user or password as `%2F`, and `@` in a path as `%40`".to_owned());
    }
    let (user, address) = match authority.rsplit_once('@') {
        Some((user, address)) => (Some(user), address),
        None => (None, authority),
    };
    let path = [own_path, path].into_iter().map(|path| path.trim_matches('/')).find(|path| !path.is_empty());
    let path = path.map(|path| format!("/{path}")).unwrap_or_default();
    if path.contains(['?', '#']) || address.contains(['?', '#']) {
        return Err("expected a host without query and fragment".to_owned());
    }
    let (name, port) = address_of(address)?;
    let url = format!("{scheme}://{name}:{port}{path}");
    if reqwest::Url::parse(&url).is_err() {
        return Err(format!("`{name}` is not a host: {EXPECTED}"));
    }
    Ok(HostUrl { url, user: user.map(user_of).transpose()? })
}

const EXPECTED: &str = "expected a URL, or host and port, such as `https://elasticsearch:9200`";

/// HostUrl and port of `h`, `h:1` and `[::1]:1`.
fn address_of(address: &str) -> Result<(&str, u16), String> {
    let (name, port) = if address.starts_with('[') {
        let end = address.find(']').ok_or_else(|| format!("`{address}` has no `]`: {EXPECTED}"))?;
        address.split_at(end + 1)
    } else {
        address.find(':').map_or((address, ""), |colon| address.split_at(colon))
    };
    if name.is_empty() {
        return Err(format!("the host is missing: {EXPECTED}"));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => DEFAULT_PORT,
        None => return Err(format!("`{address}` is not host and port: {EXPECTED}")),
        Some(digits) if digits.contains(':') => {
            return Err(format!("`{address}`: write an IPv6 address in brackets, such as `[::1]:9200`"));
        }
        Some(digits) => match digits.parse() {
            Ok(port) if port > 0 => port,
            _ => return Err(format!("`{digits}` is not a port: expected 1 to 65535")),
        },
    };
    Ok((name, port))
}

fn user_of(text: &str) -> Result<UrlUser, String> {
    let (name, password) = text.split_once(':').unwrap_or((text, ""));
    match (decoded(name), decoded(password)) {
        (Some(name), Some(password)) => Ok(UrlUser { name, password: password.into() }),
        _ => Err("the user or password in the URL is not percent-encoded UTF-8".to_owned()),
    }
}

/// Undoes percent-encoding.
fn decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        if first == b'%' {
            let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit))?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn scheme_port_and_path_as_in_a_beat() {
        for (written, protocol, path, url) in [
            ("localhost", "http", "", "http://localhost:9200"),
            ("localhost:9201", "https", "", "https://localhost:9201"),
            ("https://es", "http", "", "https://es:9200"),
            ("https://es:443/", "http", "", "https://es:443"),
            ("http://es:80", "https", "proxy/", "http://es:80/proxy"),
            ("https://es/own", "http", "/proxy", "https://es:9200/own"),
            ("[::1]", "http", "", "http://[::1]:9200"),
            ("https://[2001:db8::1]:9243", "http", "", "https://[2001:db8::1]:9243"),
        ] {
            assert_eq!(parse(written, protocol, path).unwrap().url, url, "{written}");
        }
    }

    #[test]
    fn a_user_in_the_url_is_taken_out_of_it() {
        let message = parse("https://elastic:p%40ss:w/rd@es", "http", "").err().unwrap();
        assert!(!message.contains("ss:w"), "{message}");
        let host = parse("https://elastic:p%40ss:word@es", "http", "").unwrap();
        assert_eq!(host.url, "https://es:9200");
        let user = host.user.unwrap();
        assert_eq!((user.name.as_str(), user.password.expose_secret()), ("elastic", "p@ss:word"));
    }

    #[test]
    fn what_is_no_host() {
        for written in ["", "ftp://es", "es:0", "es:x", "::1", "https://[::1", "es?x=1", "a b", "u:%zz@es"] {
            let message = parse(written, "http", "").err().unwrap();
            assert!(!message.contains("%zz"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics_and_every_url_is_one(written in ".*", path in ".*") {
            if let Ok(host) = parse(&written, "https", &path) {
                prop_assert!(reqwest::Url::parse(&host.url).is_ok());
            }
        }
    }
}

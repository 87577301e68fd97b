//! Image references, as containers name them.

use crate::collect::aws::client::partition;

/// The longest reference that is parsed: a name has at most 255 characters, a tag 128, a digest 135.
pub(super) const MAX: usize = 1_024;
/// The longest name of a repository in ECR.
const MAX_REPOSITORY: usize = 256;
const MAX_TAG: usize = 128;

/// A reference in its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ImageReference<'i> {
    /// The registry's host, and its port if one is given.
    pub host: &'i str,
    /// The repository.
    pub repository: &'i str,
    /// The tag, if it is given or nothing is.
    pub tag: Option<&'i str>,
    /// The digest, with its algorithm.
    pub digest: Option<&'i str>,
}

/// A private registry of ECR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EcrRegistry<'i> {
    /// Its account.
    pub account: &'i str,
    /// Its region.
    pub region: &'i str,
}

impl<'i> ImageReference<'i> {
    /// Parses a reference; `None` where no registry would accept it.
    pub(super) fn parse(text: &'i str) -> Option<Self> {
        if text.len() > MAX {
            return None;
        }
        let (named, digest) = match text.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (text, None),
        };
        let (host, path) = match named.split_once('/') {
            Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => (host, path),
            _ => ("docker.io", named),
        };
        let (repository, tag) = match path.split_once(':') {
            Some((repository, tag)) => (repository, Some(tag)),
            None if digest.is_none() => (path, Some("latest")),
            None => (path, None),
        };
        let valid = is_host(host)
            && is_repository(repository)
            && tag.is_none_or(is_tag)
            && digest.is_none_or(is_digest);
        valid.then_some(Self { host, repository, tag, digest })
    }

    /// The registry of ECR that it is in, if it is in one.
    pub(super) fn ecr(&self) -> Option<EcrRegistry<'i>> {
        let (account, rest) = self.host.split_once('.')?;
        let (region, domain, both) = if let Some(rest) =
            rest.strip_prefix("dkr.ecr.").or_else(|| rest.strip_prefix("dkr.ecr-fips."))
        {
            let (region, domain) = rest.split_once('.')?;
            (region, domain, false)
        } else {
            let rest = rest.strip_prefix("dkr-ecr.").or_else(|| rest.strip_prefix("dkr-ecr-fips."))?;
            let (region, domain) = rest.split_once('.')?;
            (region, domain, true)
        };
        let partition = partition(region)?;
        let expected = if both { partition.dual_stack } else { partition.domain };
        let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
        let valid = is_account && domain == expected && (2..=MAX_REPOSITORY).contains(&self.repository.len());
        valid.then_some(EcrRegistry { account, region })
    }
}

fn is_host(text: &str) -> bool {
    let (name, port) = text.split_once(':').unwrap_or((text, "0"));
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-');
    !name.is_empty()
        && name.bytes().all(of_name)
        && !port.is_empty()
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Words of small letters and digits, with single marks or pairs of underlines or any number of dashes between them,
/// in parts divided by `/`.
fn is_repository(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    text.split('/').all(|part| {
        let ends = |byte: Option<&u8>| byte.is_some_and(|byte| word(*byte));
        let bytes = part.as_bytes();
        let mut marks = bytes.split(|byte| word(*byte)).filter(|marks| !marks.is_empty());
        ends(bytes.first())
            && ends(bytes.last())
            && marks
                .all(|marks| matches!(marks, b"." | b"_" | b"__") || marks.iter().all(|mark| *mark == b'-'))
    })
}

fn is_tag(text: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let rest = |byte: u8| word(byte) || matches!(byte, b'.' | b'-');
    (1..=MAX_TAG).contains(&text.len()) && text.bytes().take(1).all(word) && text.bytes().all(rest)
}

fn is_digest(text: &str) -> bool {
    let Some((algorithm, hash)) = text.split_once(':') else { return false };
    let of_algorithm = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'+' | b'.' | b'_' | b'-')
    };
    !algorithm.is_empty()
        && algorithm.bytes().all(of_algorithm)
        && (32..=128).contains(&hash.len())
        && hash.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DIGEST: &str = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn ecr(text: &str) -> Option<(&str, &str, &str)> {
        let image = ImageReference::parse(text)?;
        let registry = image.ecr()?;
        Some((registry.account, registry.region, image.repository))
    }

    #[test]
    fn what_is_left_out_is_dockers() {
        let image = ImageReference::parse("nginx").unwrap();
        assert_eq!((image.host, image.repository, image.tag), ("docker.io", "nginx", Some("latest")));
        let image = ImageReference::parse("bitnami/redis:7.2").unwrap();
        assert_eq!((image.host, image.repository, image.tag), ("docker.io", "bitnami/redis", Some("7.2")));
        let image = ImageReference::parse("localhost:5000/a/b").unwrap();
        assert_eq!((image.host, image.repository), ("localhost:5000", "a/b"));
        let text = format!("quay.io/a/b:v1@{DIGEST}");
        let image = ImageReference::parse(&text).unwrap();
        assert_eq!((image.tag, image.digest), (Some("v1"), Some(DIGEST)));
        let text = format!("quay.io/a/b@{DIGEST}");
        assert_eq!(ImageReference::parse(&text).unwrap().tag, None);
    }

    #[test]
    fn the_hosts_of_ecr() {
        for (text, expected) in [
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1", ("123456789012", "eu-west-1", "app")),
            (
                "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com/a/b",
                ("123456789012", "us-gov-west-1", "a/b"),
            ),
            ("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app", ("123456789012", "cn-north-1", "app")),
            (
                "123456789012.dkr-ecr.us-east-1.on.aws/a__b/c--d.e",
                ("123456789012", "us-east-1", "a__b/c--d.e"),
            ),
            ("123456789012.dkr-ecr-fips.us-east-1.on.aws/app", ("123456789012", "us-east-1", "app")),
        ] {
            assert_eq!(ecr(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_repository_of_ecr() {
        for text in [
            "nginx",
            "public.ecr.aws/nginx/nginx",
            "12345678901.dkr.ecr.eu-west-1.amazonaws.com/app",
            "1234567890123.dkr.ecr.eu-west-1.amazonaws.com/app",
            "abcdefghijkl.dkr.ecr.eu-west-1.amazonaws.com/app",
            "123456789012.dkr.ecr.evil.amazonaws.com/app",
            "123456789012.dkr.ecr.eu-west-1.evil.com/app",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.com/app",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com:443/app",
            "123456789012.dkr.ecr.cn-north-1.amazonaws.com/app",
            "123456789012.dkr-ecr.eu-west-1.amazonaws.com/app",
            "123456789012.dkr.ecr.eu-west-1.on.aws/app",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/App",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a//b",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/../b",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:-x",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app@sha256:xyz",
            "123456789012.dkr.ecr.eu-west-1.amazonaws.com/",
        ] {
            assert_eq!(ecr(text), None, "{text}");
        }
        assert_eq!(ImageReference::parse(&"a/".repeat(MAX)), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_harm(text in "\\PC{0,200}|[a-z0-9.:/@_-]{0,60}") {
            if let Some(image) = ImageReference::parse(&text) {
                prop_assert!(!image.repository.is_empty());
                prop_assert!(image.tag.is_some() || image.digest.is_some());
                let _ = image.ecr();
            }
        }

        #[test]
        fn a_reference_made_of_parts_gives_them_back(
            account in "[0-9]{12}",
            repository in "[a-z0-9]{2,9}([._-][a-z0-9]{1,9}){0,3}(/[a-z0-9]{1,9}){0,3}",
            tag in proptest::option::of("[A-Za-z0-9_][A-Za-z0-9_.-]{0,100}"),
            digest in proptest::option::of("sha256:[0-9a-f]{64}"),
        ) {
            let host = format!("{account}.dkr.ecr.eu-west-1.amazonaws.com");
            let mut text = format!("{host}/{repository}");
            if let Some(tag) = &tag { text = format!("{text}:{tag}"); }
            if let Some(digest) = &digest { text = format!("{text}@{digest}"); }
            let image = ImageReference::parse(&text).unwrap();
            prop_assert_eq!(image.host, &host);
            prop_assert_eq!(image.repository, &repository);
            let default = (tag.is_none() && digest.is_none()).then(|| "latest".to_owned());
            let expected = tag.or(default);
            prop_assert_eq!(image.tag, expected.as_deref());
            prop_assert_eq!(image.digest, digest.as_deref());
            prop_assert_eq!(image.ecr(), Some(EcrRegistry { account: &account, region: "eu-west-1" }));
        }
    }
}

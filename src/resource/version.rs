//! Versions as Kubernetes writes them.

/// Major and minor: `1.36`, `v1.36.2` and `v1.29+` → (1, 36), (1, 36), (1, 29).
pub fn minor_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim_start_matches('v').split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.trim_end_matches('+').parse().ok()?;
    Some((major, minor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_has_a_major_and_a_minor_part_whatever_follows() {
        for (text, wanted) in [
            ("1.36", Some((1, 36))),
            ("v1.37.2", Some((1, 37))),
            ("v1.33.1+k3s1", Some((1, 33))),
            ("1.29+", Some((1, 29))),
            ("v1", None),
            ("latest", None),
            ("", None),
        ] {
            assert_eq!(minor_version(text), wanted, "{text}");
        }
    }
}

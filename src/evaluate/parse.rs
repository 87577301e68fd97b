//! Parses text as Go's standard library, and so every Kubernetes component, does.

use serde_json::Value;

/// strconv.ParseBool.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// strconv.ParseInt with base 0: `0x10`, `010`, `0o10`, `0b11`, `1_000`, `+5`.
pub(super) fn integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, body) = match lower.as_bytes() {
        [b'0', b'x', ..] => (16, &lower[2..]),
        [b'0', b'o', ..] => (8, &lower[2..]),
        [b'0', b'b', ..] => (2, &lower[2..]),
        [b'0', _, ..] => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    let body = body.replace('_', "");
    if body.starts_with(['+', '-']) {
        return None;
    }
    let number = i64::from_str_radix(&body, radix).ok()?;
    Some(if negative { -number } else { number })
}

/// time.ParseDuration, in nanoseconds: `1h30m`, `1.5h`, `300ms`, `-1s`, and a bare `0`.
pub(super) fn duration(text: &str) -> Option<i128> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0.0_f64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let number: f64 = rest[..end].parse().ok()?;
        rest = &rest[end..];
        let end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        let unit = match &rest[..end] {
            "h" => 3_600e9,
            "m" => 60e9,
            "s" => 1e9,
            "ms" => 1e6,
            "us" | "µs" | "μs" => 1e3,
            "ns" => 1.0,
            _ => return None,
        };
        rest = &rest[end..];
        total += number * unit;
    }
    let nanoseconds = total.round() as i128;
    Some(if negative { -nanoseconds } else { nanoseconds })
}

/// A Kubernetes quantity: `500m`, `1.5Gi`, `100M`.
pub(super) fn quantity(text: &str) -> Option<f64> {
    let end =
        text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+'))).unwrap_or(text.len());
    let number: f64 = text[..end].parse().ok()?;
    let factor = match &text[end..] {
        "" => 1.0,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "Ki" => 1024.0,
        "Mi" => 1024.0 * 1024.0,
        "Gi" => 1024.0 * 1024.0 * 1024.0,
        "Ti" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some(number * factor)
}

/// A file mode as in documents: a string of up to four octal digits.
pub(super) fn octal(value: &Value) -> Option<u32> {
    let text = value.as_str()?;
    if text.is_empty() || text.len() > 5 || !text.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return None;
    }
    u32::from_str_radix(text, 8).ok()
}

/// The elements of a pflag StringSlice value: comma-separated, with CSV quoting.
pub(super) fn csv_list(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut elements = Vec::new();
    for record in reader.records().flatten() {
        elements.extend(record.iter().map(str::to_owned));
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn integers_as_go_reads_them() {
        for (text, number) in [
            ("16", 16),
            ("0x10", 16),
            ("010", 8),
            ("0b11", 3),
            ("1_000", 1000),
            ("+5", 5),
            ("-1", -1),
            ("0", 0),
        ] {
            assert_eq!(integer(text), Some(number), "{text}");
        }
        for text in ["", "abc", "1e3", " 1", "0x", "--1"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn durations_as_go_reads_them() {
        for (text, seconds) in
            [("4h0m0s", 14_400.0), ("1.5h", 5_400.0), ("300ms", 0.3), ("0", 0.0), ("-1s", -1.0)]
        {
            assert_eq!(duration(text), Some((seconds * 1e9) as i128), "{text}");
        }
        for text in ["", "5", "1d", "1day", "h", "1M", "1s "] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn lists_are_csv() {
        assert_eq!(csv_list("a,b"), ["a", "b"]);
        assert_eq!(csv_list("\"a,b\",c"), ["a,b", "c"]);
        assert!(csv_list("").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_panics(text in ".{0,40}") {
            let _ = (integer(&text), duration(&text), quantity(&text), csv_list(&text), boolean(&text));
        }

        #[test]
        fn decimal_integers_read_back(number in any::<i32>()) {
            prop_assert_eq!(integer(&number.to_string()), Some(i64::from(number)));
        }
    }
}

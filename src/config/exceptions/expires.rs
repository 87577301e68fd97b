//! `expires`: a date or a time, as the moment when an exception expires.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What a mistake says was expected.
pub(super) const EXPECTED: &str = "a date such as `2027-06-30`, or a time such as `2027-06-30T18:00:00Z`";

/// The length of `2027-06-30`.
const DATE: usize = 10;

/// A date means its end in UTC. `None`: neither a date nor a time.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let bytes = text.as_bytes();
    // The library also reads forms that people would read as another day, or as local time.
    if bytes.len() < DATE || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    if bytes.len() > DATE {
        return text.parse().ok();
    }
    let date: Date = text.parse().ok()?;
    let end = date.at(23, 59, 59, 999_000_000);
    Some(end.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_counts_to_its_end_and_a_time_is_itself() {
        let shown = |text| parse(text).map(|at| at.to_string());
        assert_eq!(shown("2027-06-30").as_deref(), Some("2027-06-30T23:59:59.999Z"));
        assert_eq!(shown("2027-06-30T18:00:00+02:00").as_deref(), Some("2027-06-30T16:00:00Z"));
        assert_eq!(shown("2028-02-29").as_deref(), Some("2028-02-29T23:59:59.999Z"));
    }

    #[test]
    fn what_is_no_date_is_not_guessed_at() {
        for text in [
            "soon",
            "",
            "2027-02-30",
            "2027-6-30",
            "30.06.2027",
            "20270630",
            "2027-06-30T18:00:00",
            "2027-06",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}

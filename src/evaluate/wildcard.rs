//! Patterns with wildcards: those of rules (`like`) and of AWS policies.
//!
//! Matching tracks every possible position in the pattern at once, so no pattern takes longer than its length times the
//! text's.

/// A piece of a pattern.
#[derive(Clone, Copy, PartialEq)]
enum PatternPiece {
    Sign(char),
    /// `?`.
    One,
    /// Any number of characters; whether `/` is one of them.
    Run {
        over_slashes: bool,
    },
}

/// Whether a whole text matches a rule's pattern: `*` matches anything except `/`, `**` matches `/` too.
pub(super) fn like(pattern: &str, text: &str) -> bool {
    let mut pieces = Vec::new();
    let mut signs = pattern.chars().peekable();
    while let Some(sign) = signs.next() {
        pieces.push(match sign {
            '*' => PatternPiece::Run { over_slashes: signs.next_if_eq(&'*').is_some() },
            sign => PatternPiece::Sign(sign),
        });
    }
    fits(&pieces, text)
}

/// Whether a whole text matches a pattern of an AWS policy: `*` matches anything, `?` one character.
pub(super) fn aws(pattern: &str, text: &str) -> bool {
    fits(&of_aws(pattern), text)
}

/// Whether some text matches both AWS patterns.
pub(super) fn aws_overlap(left: &str, right: &str) -> bool {
    let (left, right) = (of_aws(left), of_aws(right));
    let width = right.len() + 1;
    let mut seen = vec![false; (left.len() + 1) * width];
    let mut open = vec![(0, 0)];
    while let Some((i, j)) = open.pop() {
        if std::mem::replace(&mut seen[i * width + j], true) {
            continue;
        }
        let (a, b) = (left.get(i).copied(), right.get(j).copied());
        // A run may end here, or take what the other side has.
        if matches!(a, Some(PatternPiece::Run { .. })) {
            open.push((i + 1, j));
        }
        if matches!(b, Some(PatternPiece::Run { .. })) {
            open.push((i, j + 1));
        }
        match (a, b) {
            (None, None) => return true,
            (Some(PatternPiece::Run { .. }), Some(PatternPiece::Sign(_) | PatternPiece::One)) => {
                open.push((i, j + 1));
            }
            (Some(PatternPiece::Sign(_) | PatternPiece::One), Some(PatternPiece::Run { .. })) => {
                open.push((i + 1, j));
            }
            (Some(PatternPiece::Sign(one)), Some(PatternPiece::Sign(other))) if one != other => {}
            (
                Some(PatternPiece::Sign(_) | PatternPiece::One),
                Some(PatternPiece::Sign(_) | PatternPiece::One),
            ) => {
                open.push((i + 1, j + 1));
            }
            _ => {}
        }
    }
    false
}

fn of_aws(pattern: &str) -> Vec<PatternPiece> {
    let piece = |sign| match sign {
        '*' => PatternPiece::Run { over_slashes: true },
        '?' => PatternPiece::One,
        sign => PatternPiece::Sign(sign),
    };
    pattern.chars().map(piece).collect()
}

fn fits(pieces: &[PatternPiece], text: &str) -> bool {
    let mut at = vec![false; pieces.len() + 1];
    at[0] = true;
    skip_runs(pieces, &mut at);
    for sign in text.chars() {
        let mut next = vec![false; pieces.len() + 1];
        for (position, piece) in pieces.iter().enumerate().filter(|(position, _)| at[*position]) {
            match piece {
                PatternPiece::Sign(wanted) => next[position + 1] |= *wanted == sign,
                PatternPiece::One => next[position + 1] = true,
                PatternPiece::Run { over_slashes } => next[position] |= *over_slashes || sign != '/',
            }
        }
        skip_runs(pieces, &mut next);
        at = next;
    }
    at[pieces.len()]
}

/// A run may be empty.
fn skip_runs(pieces: &[PatternPiece], at: &mut [bool]) {
    for (position, piece) in pieces.iter().enumerate() {
        if at[position] && matches!(piece, PatternPiece::Run { .. }) {
            at[position + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_of_rules_know_slashes() {
        assert!(like(
            "*.dkr.ecr.eu-west-1.amazonaws.com/shop/*",
            "1.dkr.ecr.eu-west-1.amazonaws.com/shop/web"
        ));
        assert!(!like("*.amazonaws.com/*", "evil.example/1.amazonaws.com/web"));
        assert!(like("quay.io/**", "quay.io/a/b") && !like("quay.io/**", "quay.io.evil/a"));
        assert!(like("", "") && !like("", "x") && like("**", "a/b") && !like("*", "a/b"));
    }

    #[test]
    fn stars_of_aws_take_everything() {
        assert!(
            aws("*", "ecr:PutImage") && aws("ecr:*Image", "ecr:PutImage") && aws("ec?:Put*", "ecr:PutImage")
        );
        assert!(!aws("ecr:Get*", "ecr:PutImage") && !aws("ecr:PutImag", "ecr:PutImage"));
    }

    #[test]
    fn two_patterns_may_share_a_text() {
        for (left, shared) in [
            ("*", true),
            ("arn:aws:*", true),
            ("arn:aws:ecr:eu-west-1:1:repository/shop*", true),
            ("arn:aws:s3:::bucket", false),
            ("arn:aws:s3*", false),
            ("*:repository/web", true),
            ("", false),
        ] {
            assert_eq!(aws_overlap(left, "arn:aws:ecr:*"), shared, "{left}");
            assert_eq!(aws_overlap("arn:aws:ecr:*", left), shared, "{left}");
        }
    }

    #[test]
    fn many_stars_take_no_longer() {
        let stars = "*a".repeat(1_000);
        assert!(!aws(&stars, &"a".repeat(500)) && aws_overlap(&stars, "*b*"));
    }
}

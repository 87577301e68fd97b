//! Asking for many things in one call, and walking through lists that are not kept.

use std::collections::BTreeSet;
use std::future::Future;

use super::pages::{MAX_PAGES, endless, repeated};
use super::refusal::CallRefusal;
use crate::collect::cloud::CloudCall;
use crate::resource::Gap;

/// The answers to a list of questions.
pub(crate) struct BatchAnswers<T, A> {
    /// What came back.
    pub given: Vec<A>,
    /// What was refused, and why.
    pub refused: Vec<(Vec<T>, CallRefusal)>,
}

/// Asks for `all`, up to `most` in one call. Where one of them spoils the answer for the rest, by `spoilt`, the call is
/// made again for each half, until that one is alone.
pub(crate) async fn in_batches<T, A, F>(
    all: &[T],
    most: usize,
    spoilt: impl Fn(&CallRefusal) -> bool,
    ask: impl Fn(Vec<T>) -> F,
) -> BatchAnswers<T, A>
where
    T: Clone,
    F: Future<Output = Result<A, CallRefusal>>,
{
    let mut open: Vec<Vec<T>> = all.chunks(most).rev().map(<[T]>::to_vec).collect();
    let mut answers = BatchAnswers { given: Vec::new(), refused: Vec::new() };
    while let Some(mut batch) = open.pop() {
        match ask(batch.clone()).await {
            Ok(answer) => answers.given.push(answer),
            Err(refusal) if batch.len() > 1 && spoilt(&refusal) => {
                let second = batch.split_off(batch.len() / 2);
                open.push(second);
                open.push(batch);
            }
            Err(refusal) => answers.refused.push((batch, refusal)),
        }
    }
    answers
}

/// The position in a list that is read page by page.
#[derive(Debug, Default)]
pub(crate) struct PageCursor {
    token: Option<String>,
    seen: BTreeSet<String>,
}

impl PageCursor {
    /// The token of the next call.
    pub(crate) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Moves on to the page of this token; false after the last one.
    pub(crate) fn turn(&mut self, next: Option<String>, call: &CloudCall, region: &str) -> Result<bool, Gap> {
        let Some(next) = next.filter(|token| !token.is_empty()) else { return Ok(false) };
        if !self.seen.insert(next.clone()) {
            return Err(repeated(call, region));
        }
        if self.seen.len() >= MAX_PAGES {
            return Err(endless(call, region));
        }
        self.token = Some(next);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::aws::calls::elbv2::DESCRIBE_LISTENERS;
    use crate::resource::Reason;
    use proptest::prelude::*;
    use std::cell::Cell;

    fn refusal(code: &str) -> CallRefusal {
        CallRefusal { code: code.to_owned(), gap: Gap::new(Reason::Missing, code) }
    }

    proptest! {
        #[test]
        fn each_that_spoils_a_batch_is_refused_alone(bad in proptest::collection::vec(any::<bool>(), 0..200), most in 1usize..120) {
            let all: Vec<usize> = (0..bad.len()).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let longest = Cell::new(0);
            let answers = runtime.block_on(in_batches(&all, most, |refusal| refusal.code == "spoilt", |batch: Vec<usize>| {
                longest.set(longest.get().max(batch.len()));
                let answer = if batch.iter().any(|at| bad[*at]) { Err(refusal("spoilt")) } else { Ok(batch) };
                async { answer }
            }));
            prop_assert!(longest.get() <= most);
            let given: Vec<usize> = answers.given.concat();
            let refused: Vec<usize> = answers.refused.iter().flat_map(|(batch, _)| batch.clone()).collect();
            prop_assert!(answers.refused.iter().all(|(batch, _)| batch.len() == 1));
            prop_assert_eq!(given, all.iter().copied().filter(|at| !bad[*at]).collect::<Vec<_>>());
            prop_assert_eq!(refused, all.iter().copied().filter(|at| bad[*at]).collect::<Vec<_>>());
        }
    }

    #[tokio::test]
    async fn another_problem_is_everyones() {
        let answers = in_batches(
            &[1, 2, 3],
            2,
            |refusal| refusal.code == "spoilt",
            |_| async { Err::<(), _>(refusal("down")) },
        )
        .await;
        let batches: Vec<_> = answers.refused.into_iter().map(|(batch, _)| batch).collect();
        assert_eq!(batches, [vec![1, 2], vec![3]]);
    }

    #[test]
    fn a_list_ends_or_is_an_error() {
        let turn = |pages: &mut PageCursor, token: Option<&str>| {
            pages.turn(token.map(str::to_owned), &DESCRIBE_LISTENERS, "eu-west-1")
        };
        let mut pages = PageCursor::default();
        assert_eq!(turn(&mut pages, Some("a")), Ok(true));
        assert_eq!(pages.token().as_deref(), Some("a"));
        assert_eq!(turn(&mut pages, Some("b")), Ok(true));
        let error = turn(&mut pages, Some("a")).unwrap_err();
        assert_eq!(error.reason, Reason::Malformed);
        assert!(error.what.contains("elasticloadbalancing:DescribeListeners in eu-west-1"), "{error}");
        assert_eq!(turn(&mut PageCursor::default(), None), Ok(false));
        assert_eq!(turn(&mut PageCursor::default(), Some("")), Ok(false));
        let mut pages = PageCursor::default();
        let last = (0..2_000).map(|at| turn(&mut pages, Some(&at.to_string()))).find(Result::is_err);
        assert_eq!(last.unwrap().unwrap_err().reason, Reason::TooLarge);
    }
}

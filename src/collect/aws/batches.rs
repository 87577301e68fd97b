//! Asking for many things in one call, and looking through lists that are not kept.

use std::collections::BTreeSet;
use std::future::Future;

use super::access::Problem;
use super::ask::MAX_PAGES;
use super::call::Call;
use crate::resource::Reason;

/// What came of asking for many.
pub(super) struct Answers<T, A> {
    /// What came back.
    pub given: Vec<A>,
    /// What was asked for in vain, and why.
    pub refused: Vec<(Vec<T>, Problem)>,
}

/// Asks for `all`, up to `most` in one call. Where one of them spoils the answer for the rest, as `spoilt` tells, the
/// call is made again for each half, until that one stands alone.
pub(super) async fn in_batches<T, A, F>(
    all: &[T],
    most: usize,
    spoilt: impl Fn(&Problem) -> bool,
    ask: impl Fn(Vec<T>) -> F,
) -> Answers<T, A>
where
    T: Clone,
    F: Future<Output = Result<A, Problem>>,
{
    let mut open: Vec<Vec<T>> = all.chunks(most).rev().map(<[T]>::to_vec).collect();
    let mut answers = Answers { given: Vec::new(), refused: Vec::new() };
    while let Some(mut batch) = open.pop() {
        match ask(batch.clone()).await {
            Ok(answer) => answers.given.push(answer),
            Err(problem) if batch.len() > 1 && spoilt(&problem) => {
                let second = batch.split_off(batch.len() / 2);
                open.push(second);
                open.push(batch);
            }
            Err(problem) => answers.refused.push((batch, problem)),
        }
    }
    answers
}

/// Where one is in a list that is looked through page by page, of which nothing is kept.
#[derive(Debug, Default)]
pub(super) struct Pages {
    token: Option<String>,
    seen: BTreeSet<String>,
}

impl Pages {
    /// What the next call is to say.
    pub(super) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Whether there is another page, by the answer's token.
    pub(super) fn turn(&mut self, next: Option<String>, call: &Call, region: &str) -> Result<bool, Problem> {
        let Some(next) = next.filter(|token| !token.is_empty()) else { return Ok(false) };
        if !self.seen.insert(next.clone()) {
            let said = "the list goes round in a circle: a page's token came again";
            return Err(Problem::new(call, region, Reason::Malformed, said));
        }
        if self.seen.len() >= MAX_PAGES {
            let said = format!("the list is over {MAX_PAGES} pages long");
            return Err(Problem::new(call, region, Reason::TooLarge, &said));
        }
        self.token = Some(next);
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::DESCRIBE_LISTENERS;
    use super::*;
    use proptest::prelude::*;
    use std::cell::Cell;

    fn problem(code: &str) -> Problem {
        Problem { reason: Reason::Missing, code: code.to_owned(), what: code.to_owned() }
    }

    proptest! {
        #[test]
        fn each_that_spoils_the_answer_is_told_alone(bad in proptest::collection::vec(any::<bool>(), 0..200), most in 1usize..120) {
            let all: Vec<usize> = (0..bad.len()).collect();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let longest = Cell::new(0);
            let answers = runtime.block_on(in_batches(&all, most, |problem| problem.code == "spoilt", |batch: Vec<usize>| {
                longest.set(longest.get().max(batch.len()));
                let answer = if batch.iter().any(|at| bad[*at]) { Err(problem("spoilt")) } else { Ok(batch) };
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
            |problem| problem.code == "spoilt",
            |_| async { Err::<(), _>(problem("down")) },
        )
        .await;
        let batches: Vec<_> = answers.refused.into_iter().map(|(batch, _)| batch).collect();
        assert_eq!(batches, [vec![1, 2], vec![3]]);
    }

    #[test]
    fn a_list_ends_or_is_an_error() {
        let turn = |pages: &mut Pages, token: Option<&str>| {
            pages.turn(token.map(str::to_owned), &DESCRIBE_LISTENERS, "eu-west-1")
        };
        let mut pages = Pages::default();
        assert_eq!(turn(&mut pages, Some("a")), Ok(true));
        assert_eq!(pages.token().as_deref(), Some("a"));
        assert_eq!(turn(&mut pages, Some("b")), Ok(true));
        let error = turn(&mut pages, Some("a")).unwrap_err();
        assert_eq!(error.reason, Reason::Malformed);
        assert!(error.what.contains("elasticloadbalancing:DescribeListeners in eu-west-1"), "{error}");
        assert_eq!(turn(&mut Pages::default(), None), Ok(false));
        assert_eq!(turn(&mut Pages::default(), Some("")), Ok(false));
        let mut pages = Pages::default();
        let last = (0..2_000).map(|at| turn(&mut pages, Some(&at.to_string()))).find(Result::is_err);
        assert_eq!(last.unwrap().unwrap_err().reason, Reason::TooLarge);
    }
}

//! Asking for many things in one call, and following lists from page to page.

use std::future::Future;

use super::access::Problem;
use super::call::Call;
use crate::resource::Reason;

/// The most pages of one list.
const MAX_PAGES: usize = 1_000;

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

/// Where in a list with pages one is.
#[derive(Debug, Default)]
pub(super) struct Pages {
    token: Option<String>,
    seen: usize,
}

impl Pages {
    /// What the next call is to say.
    pub(super) fn token(&self) -> Option<String> {
        self.token.clone()
    }

    /// Whether there is another page, by the answer's token.
    pub(super) fn turn(&mut self, next: Option<String>, call: &Call, region: &str) -> Result<bool, Problem> {
        let next = next.filter(|token| !token.is_empty());
        self.seen += 1;
        let (reason, what) = match &next {
            None => return Ok(false),
            Some(_) if next == self.token => (Reason::Malformed, "the list's next page is the same again"),
            Some(_) if self.seen >= MAX_PAGES => (Reason::TooLarge, "the list has over 1,000 pages"),
            Some(_) => {
                self.token = next;
                return Ok(true);
            }
        };
        let what = format!("call {} in {region}: {what}", call.action());
        Err(Problem { reason, code: String::new(), what })
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
        let error = turn(&mut pages, Some("b")).unwrap_err();
        assert_eq!(error.reason, Reason::Malformed);
        assert!(error.what.contains("elasticloadbalancing:DescribeListeners in eu-west-1"), "{error}");
        assert_eq!(turn(&mut Pages::default(), None), Ok(false));
        assert_eq!(turn(&mut Pages::default(), Some("")), Ok(false));
        let mut pages = Pages::default();
        let last = (0..2_000).map(|at| turn(&mut pages, Some(&at.to_string()))).find(Result::is_err);
        assert_eq!(last.unwrap().unwrap_err().reason, Reason::TooLarge);
    }
}

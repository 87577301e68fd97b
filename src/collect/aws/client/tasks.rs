//! Tasks side by side: a bounded number of them, or one for each of a list.

use std::future::Future;
use tokio::task::{JoinError, JoinSet};
use tokio_util::task::AbortOnDropHandle;

/// Tasks, of which each waits for a free slot before it starts; all are aborted with the window.
pub(crate) struct TaskWindow {
    tasks: JoinSet<()>,
    most: usize,
}

impl TaskWindow {
    /// For `most` at once.
    pub(crate) fn new(most: usize) -> Self {
        Self { tasks: JoinSet::new(), most }
    }

    /// Starts a task as soon as a slot is free.
    pub(crate) async fn start(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.len() >= self.most {
            pass_on(self.tasks.join_next().await);
        }
        self.tasks.spawn(task);
    }

    /// Waits for all tasks.
    pub(crate) async fn end(mut self) {
        while !self.tasks.is_empty() {
            pass_on(self.tasks.join_next().await);
        }
    }
}

/// Passes a task's panic on: it must not look like a task that found nothing.
fn pass_on(ended: Option<Result<(), JoinError>>) {
    if let Some(Err(error)) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// Starts a task for each of `items`, and gives their results in the items' order. All are aborted when the caller
/// is dropped.
pub(crate) async fn each<I, T, F>(items: impl IntoIterator<Item = I>, ask: impl Fn(I) -> F) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let spawn = |item| AbortOnDropHandle::new(tokio::spawn(ask(item)));
    let tasks: Vec<_> = items.into_iter().map(spawn).collect();
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        match task.await {
            Ok(answer) => answers.push(answer),
            // Only a panic ends it: nothing else can abort it.
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
    answers
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn no_more_tasks_than_places() {
        let places = Arc::new(Semaphore::new(3));
        let mut window = TaskWindow::new(3);
        for _ in 0..50 {
            let places = Arc::clone(&places);
            window
                .start(async move {
                    let _place = places.try_acquire().expect("a place for each");
                    tokio::task::yield_now().await;
                })
                .await;
        }
        window.end().await;
        assert_eq!(places.available_permits(), 3);
    }

    #[tokio::test]
    #[should_panic(expected = "broken")]
    async fn a_panic_is_not_lost() {
        let mut window = TaskWindow::new(2);
        window.start(async { panic!("broken") }).await;
        window.end().await;
    }
}

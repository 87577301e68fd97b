//! A bounded number of tasks under way.

use std::future::Future;
use tokio::task::{JoinError, JoinSet};

/// Tasks, of which the next one waits for a place; all end with the window.
pub(super) struct Window {
    tasks: JoinSet<()>,
    most: usize,
}

impl Window {
    /// For so many at once.
    pub(super) fn new(most: usize) -> Self {
        Self { tasks: JoinSet::new(), most }
    }

    /// Starts a task as soon as there is a place for it.
    pub(super) async fn start(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        while self.tasks.len() >= self.most {
            pass_on(self.tasks.join_next().await);
        }
        self.tasks.spawn(task);
    }

    /// Waits for all.
    pub(super) async fn end(mut self) {
        while !self.tasks.is_empty() {
            pass_on(self.tasks.join_next().await);
        }
    }
}

/// A task that panicked must not look like one that found nothing.
fn pass_on(ended: Option<Result<(), JoinError>>) {
    if let Some(Err(error)) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use tokio::sync::Semaphore;

    #[tokio::test]
    async fn no_more_tasks_than_places() {
        let places = Arc::new(Semaphore::new(3));
        let mut window = Window::new(3);
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
        let mut window = Window::new(2);
        window.start(async { panic!("broken") }).await;
        window.end().await;
    }
}

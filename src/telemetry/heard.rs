//! For tests: what their own thread logs.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use tracing::Dispatch;
use tracing::dispatcher::{DefaultGuard, set_default};

use super::Ecs;

/// While there is but one subscriber, a line that another thread was the first to reach is off for all.
static OTHERS: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Dispatch::new(tracing_subscriber::registry())));

/// All that is logged on this thread for as long as it lives.
pub(crate) struct Heard {
    written: Written,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Heard {
    /// As level and message.
    pub fn begin() -> Self {
        Self::by(|written| {
            let lines = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false);
            Dispatch::new(lines.with_writer(move || written.clone()).finish())
        })
    }

    /// As ECS JSON.
    pub fn begin_json() -> Self {
        Self::by(|written| {
            let lines = tracing_subscriber::fmt().event_format(Ecs);
            Dispatch::new(lines.with_writer(move || written.clone()).finish())
        })
    }

    fn by(subscriber: impl FnOnce(Written) -> Dispatch) -> Self {
        LazyLock::force(&OTHERS);
        let written = Written::default();
        let guard = set_default(&subscriber(written.clone()));
        Self { written, _guard: guard }
    }

    pub fn lines(&self) -> Vec<String> {
        let bytes = self.written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(|line| line.trim().to_owned()).collect()
    }
}

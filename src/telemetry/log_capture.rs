//! For tests: captures the log lines of the test's own thread.

use std::io;
use std::sync::{Arc, LazyLock, Mutex};
use tracing::Dispatch;
use tracing::dispatcher::{DefaultGuard, set_default};

use super::EcsFormat;

/// With only one subscriber, a callsite that another thread reached first would be disabled for all threads.
static OTHERS: LazyLock<[Dispatch; 2]> =
    LazyLock::new(|| [(); 2].map(|()| Dispatch::new(tracing_subscriber::registry())));

/// Captures what this thread logs until it is dropped.
pub(crate) struct LogCapture {
    written: SharedBuffer,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct SharedBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for SharedBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl LogCapture {
    /// As text: level, message and fields.
    pub(crate) fn text() -> Self {
        Self::with(|written| {
            let lines = tracing_subscriber::fmt().without_time().with_target(false).with_ansi(false);
            Dispatch::new(lines.with_writer(move || written.clone()).finish())
        })
    }

    /// As ECS JSON.
    pub(crate) fn json() -> Self {
        Self::with(|written| {
            let lines = tracing_subscriber::fmt().event_format(EcsFormat);
            Dispatch::new(lines.with_writer(move || written.clone()).finish())
        })
    }

    fn with(subscriber: impl FnOnce(SharedBuffer) -> Dispatch) -> Self {
        LazyLock::force(&OTHERS);
        let written = SharedBuffer::default();
        let guard = set_default(&subscriber(written.clone()));
        Self { written, _guard: guard }
    }

    pub(crate) fn lines(&self) -> Vec<String> {
        let bytes = self.written.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap().lines().map(|line| line.trim().to_owned()).collect()
    }
}

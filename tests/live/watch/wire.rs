//! A wire to an API server that can be cut.

use std::sync::{Arc, Mutex};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::bed::env;

/// Passes on what comes, as long as it is whole.
pub struct Wire {
    pub port: u16,
    cut: Arc<Mutex<CancellationToken>>,
    _runtime: Runtime,
}

impl Wire {
    pub fn to(port: u16) -> Self {
        let runtime = Runtime::new().unwrap();
        let host = env("TESTBED_NODE_IP");
        let listener = runtime.block_on(TcpListener::bind((host.as_str(), 0))).unwrap();
        let own = listener.local_addr().unwrap().port();
        let cut = Arc::new(Mutex::new(CancellationToken::new()));
        let current = Arc::clone(&cut);
        runtime.spawn(async move {
            loop {
                let (mut near, _) = listener.accept().await.unwrap();
                let (cut, host) = (current.lock().unwrap().clone(), host.clone());
                tokio::spawn(cut.run_until_cancelled_owned(async move {
                    if let Ok(mut far) = TcpStream::connect((host.as_str(), port)).await {
                        // Either end may go away.
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                }));
            }
        });
        Self { port: own, cut, _runtime: runtime }
    }

    /// Ends all connections, and those that are made from now on.
    pub fn cut(&self) {
        self.cut.lock().unwrap().cancel();
    }

    pub fn mend(&self) {
        *self.cut.lock().unwrap() = CancellationToken::new();
    }
}

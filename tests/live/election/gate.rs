//! What stands between one process and the API server, and can be shut.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// Passed on at once.
const BYTES: usize = 16 * 1024;

/// What becomes of connections.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Way {
    Open,
    /// Bytes are kept back, and nobody hears of it: a network that lost its route.
    Silent,
    /// Connections are cut, and new ones too: a server that is down.
    Cut,
}

struct State {
    way: Mutex<Way>,
    changed: Condvar,
    streams: Mutex<Vec<TcpStream>>,
    upstream: String,
}

/// Listens on loopback for as long as the tests run, and passes on what it is sent.
pub struct Gate {
    pub port: u16,
    state: Arc<State>,
}

impl Gate {
    pub fn to(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(State {
            way: Mutex::new(Way::Open),
            changed: Condvar::new(),
            streams: Mutex::default(),
            upstream: upstream.to_owned(),
        });
        let to = Arc::clone(&state);
        std::thread::spawn(move || listener.incoming().flatten().for_each(|client| to.join(client)));
        Self { port, state }
    }

    /// Nothing comes through, and nothing is refused.
    pub fn silence(&self) {
        self.state.set(Way::Silent);
    }

    /// Connections end, and new ones end at once.
    pub fn cut(&self) {
        self.state.set(Way::Cut);
        for stream in self.state.streams.lock().unwrap().drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Everything comes through, also what was kept back.
    pub fn open(&self) {
        self.state.set(Way::Open);
    }
}

impl State {
    fn set(&self, way: Way) {
        *self.way.lock().unwrap() = way;
        self.changed.notify_all();
    }

    /// Whether bytes may pass, once it is known.
    fn is_open(&self) -> bool {
        let way = self.way.lock().unwrap();
        *self.changed.wait_while(way, |way| *way == Way::Silent).unwrap() == Way::Open
    }

    fn join(self: &Arc<Self>, client: TcpStream) {
        let mut streams = self.streams.lock().unwrap();
        if *self.way.lock().unwrap() == Way::Cut {
            return;
        }
        let Ok(server) = TcpStream::connect(&self.upstream) else { return };
        for (from, to) in [(&client, &server), (&server, &client)] {
            let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
            streams.push(from.try_clone().unwrap());
            let state = Arc::clone(self);
            std::thread::spawn(move || state.pass_on(from, to));
        }
    }

    fn pass_on(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; BYTES];
        while let Ok(count @ 1..) = from.read(&mut bytes)
            && self.is_open()
            && to.write_all(&bytes[..count]).is_ok()
        {}
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    }
}

//! A link that stands still, is cut, or leads nowhere when the test wants it to, and knows what a server said last.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// How often it is looked for a new connection, and for another wish.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// Forwards connections to a server, on a loopback port.
pub struct Relay {
    port: u16,
    gate: Arc<Gate>,
}

/// So much of what the server said is kept.
const KEPT: usize = 64 << 10;

#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    changed: Condvar,
    /// What the server said last.
    said: Mutex<Vec<u8>>,
}

#[derive(Default)]
struct State {
    /// What a client sends waits.
    stopped: bool,
    /// So does what a server sends.
    silent: bool,
    /// Nobody listens.
    closed: bool,
    ended: bool,
    /// Servers do not learn of the end of a client's connection.
    forgetful: bool,
    streams: Vec<TcpStream>,
    /// Connections so far.
    accepted: usize,
}

impl Relay {
    /// Starts one to `server` (`HOST:PORT`).
    pub fn to(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let port = listener.local_addr().expect("its address").port();
        let gate = Arc::new(Gate::default());
        let its_gate = Arc::clone(&gate);
        spawn(move || its_gate.listen(port, listener, &server));
        Self { port, gate }
    }

    /// `tcp://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}/", self.port)
    }

    /// Whether these bytes are among the last that a server sent.
    pub fn server_said(&self, words: &str) -> bool {
        let said = self.gate.said.lock().expect("what was said");
        said.windows(words.len()).any(|bytes| bytes == words.as_bytes())
    }

    /// Nothing more of the client's gets through.
    pub fn stop(&self) {
        self.gate.change(|state| state.stopped = true);
    }

    /// Nothing more gets through, either way; who comes is let in and hears nothing.
    pub fn silence(&self) {
        self.gate.change(|state| (state.stopped, state.silent) = (true, true));
    }

    /// Everything gets through again, and all that waited.
    pub fn go_on(&self) {
        self.gate.change(|state| (state.stopped, state.silent) = (false, false));
    }

    /// All connections end, without a word on either side.
    pub fn cut(&self) {
        self.gate.change(|state| {
            for stream in state.streams.drain(..) {
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    /// All connections end, and new ones are refused until [`open`](Self::open).
    pub fn close(&self) {
        self.gate.change(|state| state.closed = true);
        self.cut();
    }

    /// All connections of clients end; the server's stay open, as when a network goes away.
    pub fn leave_ghosts(&self) {
        self.gate.change(|state| {
            state.forgetful = true;
            for client in state.streams.iter().step_by(2) {
                let _ = client.shutdown(Shutdown::Both);
            }
        });
    }

    /// New connections are taken again.
    pub fn open(&self) {
        self.gate.change(|state| state.closed = false);
    }

    /// Connections that it has taken so far.
    pub fn accepted(&self) -> usize {
        self.gate.state.lock().expect("the gate").accepted
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.gate.change(|state| (state.stopped, state.silent, state.ended) = (false, false, true));
        self.cut();
    }
}

impl Gate {
    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().expect("the gate"));
        self.changed.notify_all();
    }

    fn pass(&self, is_shut: impl Fn(&State) -> bool) {
        let state = self.state.lock().expect("the gate");
        drop(self.changed.wait_while(state, |state| is_shut(state)).expect("the gate"));
    }

    fn listen(self: Arc<Self>, port: u16, listener: TcpListener, server: &str) {
        listener.set_nonblocking(true).expect("a listener");
        let mut listener = Some(listener);
        loop {
            let (closed, ended) = {
                let state = self.state.lock().expect("the gate");
                (state.closed, state.ended)
            };
            if ended {
                return;
            }
            if closed {
                listener = None;
            } else if listener.is_none() {
                let again = TcpListener::bind(("127.0.0.1", port)).expect("the same port");
                again.set_nonblocking(true).expect("a listener");
                listener = Some(again);
            }
            match listener.as_ref().map(TcpListener::accept) {
                Some(Ok((client, _))) => self.connect(client, server),
                Some(Err(error)) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                    std::thread::sleep(LOOK_EVERY);
                }
                None => std::thread::sleep(LOOK_EVERY),
            }
        }
    }

    /// One way of a connection has ended.
    fn ended(&self, streams: [&TcpStream; 2]) {
        if !self.state.lock().expect("the gate").forgetful {
            for stream in streams {
                let _ = stream.shutdown(Shutdown::Both);
            }
        }
    }

    fn connect(self: &Arc<Self>, client: TcpStream, server: &str) {
        client.set_nonblocking(false).expect("a stream");
        // Without one the client is dropped, as by a machine that runs no server.
        let Ok(server) = TcpStream::connect(server) else { return };
        for stream in [&client, &server] {
            stream.set_nodelay(true).expect("no delay");
        }
        let clone = |stream: &TcpStream| stream.try_clone().expect("a clone");
        self.change(|state| {
            state.accepted += 1;
            state.streams.extend([clone(&client), clone(&server)]);
        });
        let (from_client, to_client) = (clone(&client), client);
        let (from_server, to_server) = (clone(&server), server);
        let (up, down) = (Arc::clone(self), Arc::clone(self));
        spawn(move || {
            forward(&from_client, &to_server, |_| up.pass(|state| state.stopped));
            up.ended([&from_client, &to_server]);
        });
        spawn(move || {
            forward(&from_server, &to_client, |bytes| {
                keep(&down.said, bytes);
                down.pass(|state| state.silent);
            });
            down.ended([&from_server, &to_client]);
        });
    }
}

fn keep(said: &Mutex<Vec<u8>>, bytes: &[u8]) {
    let mut said = said.lock().expect("what was said");
    said.extend(bytes);
    let too_many = said.len().saturating_sub(KEPT);
    said.drain(..too_many);
}

/// Forwards until one side ends; `first` sees the bytes before the other side does.
fn forward(mut from: &TcpStream, mut to: &TcpStream, first: impl Fn(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        first(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    let named = std::thread::Builder::new().name("relay".to_owned());
    named.spawn(work).expect("a thread");
}

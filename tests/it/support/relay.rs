//! A link that stands still when the test wants it to, and knows what a server said last.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

/// Forwards connections to a server. What a client sends waits while the relay is stopped.
pub struct Relay {
    port: u16,
    gate: Arc<Gate>,
    said: Arc<Mutex<Vec<u8>>>,
}

/// So much of what the server said is kept.
const KEPT: usize = 64 << 10;

#[derive(Default)]
struct Gate {
    stopped: Mutex<bool>,
    changed: Condvar,
}

impl Relay {
    /// Starts one to `server` (`HOST:PORT`). Its threads end with their connections.
    pub fn to(server: String) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port");
        let port = listener.local_addr().expect("its address").port();
        let gate = Arc::new(Gate::default());
        let said = Arc::new(Mutex::new(Vec::new()));
        let (its_gate, heard) = (Arc::clone(&gate), Arc::clone(&said));
        spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(&server) else { return };
                for stream in [&client, &server] {
                    stream.set_nodelay(true).expect("no delay");
                }
                let (from_client, to_client) = (client.try_clone().expect("a clone"), client);
                let (from_server, to_server) = (server.try_clone().expect("a clone"), server);
                let gate = Arc::clone(&its_gate);
                let heard = Arc::clone(&heard);
                spawn(move || forward(from_client, to_server, |_| gate.pass()));
                spawn(move || forward(from_server, to_client, |bytes| keep(&heard, bytes)));
            }
        });
        Self { port, gate, said }
    }

    /// `tcp://127.0.0.1:PORT/`.
    pub fn url(&self) -> String {
        format!("tcp://127.0.0.1:{}/", self.port)
    }

    /// Whether these bytes are among the last that a server sent.
    pub fn server_said(&self, words: &str) -> bool {
        let said = self.said.lock().expect("what was said");
        said.windows(words.len()).any(|bytes| bytes == words.as_bytes())
    }

    /// Nothing more of the client's gets through.
    pub fn stop(&self) {
        *self.gate.stopped.lock().expect("the gate") = true;
    }

    /// Everything gets through again, and all that waited.
    pub fn go_on(&self) {
        *self.gate.stopped.lock().expect("the gate") = false;
        self.gate.changed.notify_all();
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.go_on();
    }
}

impl Gate {
    fn pass(&self) {
        let stopped = self.stopped.lock().expect("the gate");
        drop(self.changed.wait_while(stopped, |stopped| *stopped).expect("the gate"));
    }
}

fn keep(said: &Mutex<Vec<u8>>, bytes: &[u8]) {
    let mut said = said.lock().expect("what was said");
    said.extend(bytes);
    let too_many = said.len().saturating_sub(KEPT);
    said.drain(..too_many);
}

/// Forwards until one side ends; `first` sees the bytes before the other side does.
fn forward(mut from: TcpStream, mut to: TcpStream, first: impl Fn(&[u8])) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        first(&buffer[..count]);
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

fn spawn(work: impl FnOnce() + Send + 'static) {
    let named = std::thread::Builder::new().name("relay".to_owned());
    named.spawn(work).expect("a thread");
}

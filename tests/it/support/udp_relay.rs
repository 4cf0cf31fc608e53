//! A way to a UDP port that goes dead, or leads through another port, when the test wants it to.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Forwards datagrams between clients and a server, on a loopback port.
pub struct UdpRelay {
    port: u16,
    wishes: Arc<Wishes>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Wishes {
    silent: AtomicBool,
    /// How often the server saw another port of the clients.
    moves: AtomicUsize,
    ended: AtomicBool,
}

impl UdpRelay {
    /// Starts one to a loopback port.
    pub fn to(server: u16) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
        let port = socket.local_addr().expect("its address").port();
        let wishes = Arc::new(Wishes::default());
        let its_wishes = Arc::clone(&wishes);
        let run = move || its_wishes.forward(&socket, SocketAddr::from(([127, 0, 0, 1], server)));
        let thread = std::thread::Builder::new().name("udp relay".into()).spawn(run).expect("a thread");
        Self { port, wishes, thread: Some(thread) }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Nothing gets through any more, either way.
    pub fn silence(&self) {
        self.wishes.silent.store(true, Ordering::Relaxed);
    }

    /// What is sent from now on gets through again.
    pub fn go_on(&self) {
        self.wishes.silent.store(false, Ordering::Relaxed);
    }

    /// The server sees the clients at other ports from now on, as behind a router that forgot them.
    pub fn change_ports(&self) {
        self.wishes.moves.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for UdpRelay {
    fn drop(&mut self) {
        self.wishes.ended.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

impl Wishes {
    fn forward(&self, front: &UdpSocket, server: SocketAddr) {
        let mut backs: HashMap<SocketAddr, UdpSocket> = HashMap::new();
        let mut bytes = [0; 65536];
        let mut moves = 0;
        front.set_nonblocking(true).expect("a socket");
        while !self.ended.load(Ordering::Relaxed) {
            let now = self.moves.load(Ordering::Relaxed);
            if std::mem::replace(&mut moves, now) != now {
                backs.clear();
            }
            let passes = !self.silent.load(Ordering::Relaxed);
            let mut idle = true;
            while let Ok((len, client)) = front.recv_from(&mut bytes) {
                idle = false;
                let back = backs.entry(client).or_insert_with(|| {
                    let back = UdpSocket::bind("127.0.0.1:0").expect("a loopback port");
                    back.set_nonblocking(true).expect("a socket");
                    back.connect(server).expect("an address");
                    back
                });
                if passes {
                    let _ = back.send(&bytes[..len]);
                }
            }
            for (client, back) in &backs {
                while let Ok(len) = back.recv(&mut bytes) {
                    idle = false;
                    if passes {
                        let _ = front.send_to(&bytes[..len], client);
                    }
                }
            }
            if idle {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

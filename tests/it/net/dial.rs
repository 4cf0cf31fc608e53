//! Several addresses of one name: which is tried when, and what is said if none answers (RFC 8305).

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use farpane::net::dial::{MAX_ADDRESSES, interleaved, race};

use crate::support::proxies::Names;
use crate::support::viewer::command;

fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
    let address = |text: &&str| SocketAddr::new(text.parse::<IpAddr>().expect("an address"), 1);
    texts.iter().map(address).collect()
}

#[test]
fn families_take_turns() {
    for (found, expected) in [
        (&["::1", "::2", "10.0.0.1", "10.0.0.2"][..], &["::1", "10.0.0.1", "::2", "10.0.0.2"][..]),
        (&["10.0.0.1", "10.0.0.2", "::1"], &["10.0.0.1", "::1", "10.0.0.2"]),
        (&["::1", "::1", "10.0.0.1"], &["::1", "10.0.0.1"]),
        (&["::1", "::2"], &["::1", "::2"]),
        (&[], &[]),
    ] {
        assert_eq!(interleaved(addresses(found)), addresses(expected));
    }
    let many = (0..2000u16).map(|n| SocketAddr::new(IpAddr::from([10, 0, (n >> 8) as u8, n as u8]), 1));
    let many: Vec<SocketAddr> = many.chain(addresses(&["::1"])).collect();
    let tried = interleaved(many);
    assert_eq!(tried.len(), MAX_ADDRESSES);
    assert!(tried.get(1).is_some_and(SocketAddr::is_ipv6), "{tried:?}");
}

/// Attempts and pauses that end when the test says so.
#[derive(Default)]
struct Stage {
    started: RefCell<Vec<SocketAddr>>,
    results: RefCell<Vec<(SocketAddr, Result<(), io::ErrorKind>)>>,
    /// Pauses that are over.
    over: Cell<usize>,
    pauses: Cell<usize>,
    failed: RefCell<Vec<SocketAddr>>,
}

struct Until<'a, T>(Box<dyn Fn() -> Option<T> + 'a>);

impl<T> Future for Until<'_, T> {
    type Output = T;
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        (self.0)().map_or(Poll::Pending, Poll::Ready)
    }
}

#[test]
fn the_next_address_has_its_turn_when_one_fails_or_takes_long() {
    let stage = Rc::new(Stage::default());
    let list = addresses(&["::1", "10.0.0.1", "::2", "10.0.0.2"]);
    let start = |address: SocketAddr| {
        stage.started.borrow_mut().push(address);
        let stage = &stage;
        Until(Box::new(move || {
            let results = stage.results.borrow();
            let (_, result) = results.iter().find(|(of, _)| *of == address)?;
            Some(result.map(|()| address).map_err(io::Error::from))
        }))
    };
    let pause = || {
        let (number, stage) = (stage.pauses.replace(stage.pauses.get() + 1), &stage);
        Until(Box::new(move || (stage.over.get() > number).then_some(())))
    };
    let failed = |address, _| stage.failed.borrow_mut().push(address);
    let mut racing = pin!(race(list.clone(), pause, start, failed));
    let mut cx = Context::from_waker(Waker::noop());
    let started = |count: usize| assert_eq!(*stage.started.borrow(), list[..count], "{count} attempts");
    assert!(racing.as_mut().poll(&mut cx).is_pending());
    started(1);
    // Nothing happens: still one.
    assert!(racing.as_mut().poll(&mut cx).is_pending());
    started(1);
    // It takes long.
    stage.over.set(1);
    assert!(racing.as_mut().poll(&mut cx).is_pending());
    started(2);
    // The second fails: the third begins at once, and the first goes on.
    stage.results.borrow_mut().push((list[1], Err(io::ErrorKind::ConnectionRefused)));
    assert!(racing.as_mut().poll(&mut cx).is_pending());
    started(3);
    assert_eq!(*stage.failed.borrow(), [list[1]]);
    // The first is there after all.
    stage.results.borrow_mut().push((list[0], Ok(())));
    assert_eq!(racing.as_mut().poll(&mut cx), Poll::Ready(Some(list[0])));
    started(3);
}

#[test]
fn when_all_fail_each_is_told() {
    let list = addresses(&["::1", "10.0.0.1", "::2"]);
    let told = RefCell::new(Vec::new());
    let start = |_| std::future::ready(Err::<(), _>(io::Error::from(io::ErrorKind::HostUnreachable)));
    let racing =
        race(list.clone(), std::future::pending, start, |address, _| told.borrow_mut().push(address));
    assert_eq!(pin!(racing).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(None));
    assert_eq!(*told.borrow(), list);
}

/// A port of both families, each with a listener of its own.
fn both() -> (u16, TcpListener, TcpListener) {
    for _ in 0..100 {
        let four = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = four.local_addr().expect("it is bound").port();
        if let Ok(six) = TcpListener::bind(("::1", port)) {
            return (port, four, six);
        }
    }
    panic!("no port is free in both families: has the loopback device ::1?");
}

/// An address that answers nothing at all: a listener whose queue is full. It is so as long as the connections live.
pub fn black_hole(address: SocketAddr) -> (socket2::Socket, Vec<TcpStream>) {
    let domain = socket2::Domain::for_address(address);
    let listener = socket2::Socket::new(domain, socket2::Type::STREAM, None).expect("a socket");
    if address.is_ipv6() {
        listener.set_only_v6(true).expect("IPv6 alone");
    }
    listener.bind(&address.into()).expect("a free port");
    listener.listen(0).expect("it listens");
    let mut waiting = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        assert!(waiting.len() < 64, "the queue has no end");
        waiting.push(stream);
    }
    (listener, waiting)
}

/// What `farpane info` says of a name with both addresses.
fn info(port: u16, more: &[&str]) -> String {
    let names = Names::new(&["::1 twofold.test", "127.0.0.1 twofold.test"]);
    let url = format!("tcp://twofold.test:{port}/");
    let output = command(&[&["info", url.as_str()][..], more].concat()).envs(names.environment()).output();
    let output = output.expect("the program starts");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Whichever of a name's addresses listens is reached, also behind one that never answers: in a time in which the kernel
/// would not have given up the first one (tcp_syn_retries).
#[test]
fn the_address_that_listens_is_found() {
    for reached_is_four in [true, false] {
        for is_silent in [false, true] {
            let (port, four, six) = both();
            let (good, bad) = if reached_is_four { (four, six) } else { (six, four) };
            let bad_address = bad.local_addr().expect("it is bound");
            drop(bad);
            let hole = is_silent.then(|| black_hole(bad_address));
            let serve = move || {
                let (mut stream, _) = good.accept().expect("a connection");
                let _ = stream.read(&mut [0; 8]);
                let _ = io::Write::write_all(&mut stream, b"RFB 003.008\n");
            };
            let thread = std::thread::Builder::new().spawn(serve).expect("a thread");
            let said = info(port, &["--connect-timeout", "20"]);
            assert!(said.contains("a VNC server"), "four: {reached_is_four}, silent: {is_silent}: {said}");
            thread.join().expect("it was reached");
            drop(hole);
        }
    }
}

#[test]
fn addresses_that_fail_are_all_named() {
    let (port, four, six) = both();
    drop(six);
    let address = four.local_addr().expect("it is bound");
    drop(four);
    assert!(info(port, &[]).contains(&format!("twofold.test:{port} refused the connection")), "both refuse");
    let _hole = black_hole(address);
    let said = info(port, &["--connect-timeout", "1"]);
    assert!(said.contains("did not answer within 1 s"), "{said}");
    assert!(said.contains(&format!("; [::1]:{port}: Connection refused")), "{said}");
}

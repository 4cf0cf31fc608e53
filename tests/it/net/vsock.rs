//! vsock: to a listener where the kernel has its loopback, else what is said.

use std::io::{Read as _, Write as _};

use farpane::config::{Request, SessionFile};
use farpane::net::vsock::VsockAddress;
use farpane::net::{Endpoint, Target};
use socket2::{Domain, SockAddr, Socket, Type};

use super::cli::check;

/// This machine (`VMADDR_CID_LOCAL`).
const LOCAL: u32 = 1;

#[test]
fn a_listener_is_reached_or_the_kernel_named() {
    let port = 40_000 + std::process::id() % 10_000;
    let socket = Socket::new(Domain::VSOCK, Type::STREAM, None).expect("a kernel with vsock");
    let url = format!("vsock://{LOCAL}:{port}/");
    if socket.bind(&SockAddr::vsock(LOCAL, port)).is_err() {
        check(&["info", &url], 5, &format!("cannot connect to {url}: "));
        check(&["info", &url], 5, "needs the kernel module vsock_loopback");
        return;
    }
    socket.listen(1).expect("it listens");
    let serve = move || {
        let (mut stream, _) = socket.accept().expect("a connection");
        stream.read_exact(&mut [0; 8]).expect("the client's first bytes");
        stream.write_all(b"RFB 003.008\n").expect("the client reads");
        stream.shutdown(std::net::Shutdown::Write).expect("it is there");
        let _ = stream.read(&mut [0; 64 << 10]);
    };
    let thread = std::thread::Builder::new().spawn(serve).expect("a thread");
    check(&["info", &url], 6, "this is a VNC server");
    thread.join().expect("it was reached");
    check(&["info", &format!("vsock://{LOCAL}:{}/", port + 1)], 5, "cannot connect to vsock://");
}

#[test]
fn addresses_and_session_files() {
    let target = Target::parse("vsock://anna:pw@3:5/?quality=50").expect("an address");
    assert_eq!(target.endpoint, Endpoint::Vsock(VsockAddress { cid: 3, port: 5 }));
    assert_eq!(target.username.as_deref(), Some("anna"));
    assert_eq!(target.to_string(), "vsock://3:5/");
    assert!(!target.is_local());
    let request = Request::address("vsock://3:5/?quality=50").expect("an address");
    let file = SessionFile::new(&request.target, &request.options);
    assert_eq!(file.request(true).expect("valid").target, request.target);
    // No link leads to another machine's inside.
    assert!(Request::address("farpane:vsock://3:5/").is_err());
}

//! Whose process is at the other end of a connection within this machine.

use std::net::{SocketAddr, TcpListener};

use farpane::net::owner::{Owners, is_trusted_port, is_trusted_socket, owners_in};
use farpane::net::sock_diag;

fn at(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Lines as Linux 6.1 writes them (columns that nobody reads are left out).
fn table(lines: &[(&str, &str, &str, &str, &str)]) -> String {
    let head =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";
    let line = |(local, remote, state, uid, inode): &(&str, &str, &str, &str, &str)| {
        format!(
            "   0: {local} {remote} {state} 00000000:00000000 00:00000000 00000000 {uid:>5}        0 {inode} 1 0\n"
        )
    };
    head.to_owned() + &lines.iter().map(line).collect::<String>()
}

#[test]
fn the_owner_of_a_port_is_who_listens_and_who_accepted() {
    let (peer, ours) = (at("127.0.0.1:15000"), at("127.0.0.1:40000"));
    let (port, client) = ("0100007F:3A98", "0100007F:9C40");
    let found = |lines: &[(&str, &str, &str, &str, &str)]| owners_in(table(lines).as_bytes(), peer, ours);
    let owners = |lines: &[(&str, &str, &str, &str, &str)]| found(lines).uids;
    let listen = |uid| (port, "00000000:0000", "0A", uid, "77");
    assert!(owners(&[]).is_empty());
    assert_eq!(owners(&[listen("1000")]), [1000]);
    // A connection that nobody accepted yet says 0, as root's would.
    assert_eq!(owners(&[listen("1000"), (port, client, "01", "0", "0")]), [1000]);
    assert_eq!(owners(&[listen("1000"), (port, client, "01", "1001", "78")]), [1000, 1001]);
    // Who has it is known then; the kernel would need milliseconds for the rest.
    let rest = [listen("1000"), (port, client, "01", "1001", "78"), (port, client, "01", "1002", "79")];
    assert_eq!(found(&rest), Owners { uids: vec![1000, 1001], is_accepted: true });
    assert!(!found(&[listen("1000"), (port, client, "01", "0", "0")]).is_accepted);
    // Our own end, other ports and other states are nobody's.
    let others = [(client, port, "01", "1002", "79"), ("0100007F:3A99", "00000000:0000", "0A", "1003", "1")];
    assert!(owners(&others).is_empty());
    assert!(owners(&[(port, "0100007F:9C41", "01", "1004", "80")]).is_empty());
    // Who listens on all addresses may be it.
    assert_eq!(owners(&[("00000000:3A98", "00000000:0000", "0A", "1005", "81")]), [1005]);
    let six = "00000000000000000000000000000000:3A98";
    assert_eq!(owners(&[(six, six, "0A", "1006", "82")]), [1006]);
    let mapped = "0000000000000000FFFF00000100007F";
    let accepted = (&*format!("{mapped}:3A98"), &*format!("{mapped}:9C40"), "01", "1007", "83");
    assert_eq!(owners(&[accepted]), [1007]);
    let six = "00000000000000000000000001000000:3A98";
    let listens = (six, "00000000000000000000000000000000:0000", "0A", "1008", "84");
    let found = owners_in(table(&[listens]).as_bytes(), at("[::1]:15000"), at("[::1]:40000"));
    assert_eq!(found.uids, [1008]);
    let nonsense = "nonsense\n 1 2 3\n0: x:y z:w 0A a b c d e f";
    assert_eq!(owners_in(nonsense.as_bytes(), peer, ours), Owners::default());
}

/// This very process listens: it is of the same account.
#[test]
fn our_own_ports_and_sockets_are_trusted() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for address in ["127.0.0.1:0", "[::1]:0", "0.0.0.0:0"] {
            // Some machines have no IPv6.
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let port = listener.local_addr().expect("its address").port();
            let host = if address.starts_with('[') { "::1" } else { "127.0.0.1" };
            let stream = tokio::net::TcpStream::connect((host, port)).await.expect("a connection");
            assert!(is_trusted_port(&stream), "{address}");
        }
        let (near, _far) = tokio::net::UnixStream::pair().expect("sockets");
        assert!(is_trusted_socket(&near));
    });
}

/// What another account listens on is not trusted. Only root can make one.
#[test]
fn another_accounts_port_is_not_trusted() {
    use std::io::{BufRead as _, Write as _};
    use std::process::{Command, Stdio};
    let script = "import os, socket, sys\n\
                  s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n\
                  u = socket.socket(socket.AF_UNIX); u.bind('\\0farpane-test-%d' % os.getpid()); u.listen()\n\
                  print(s.getsockname()[1], os.getpid(), flush=True)\n\
                  sys.stdin.readline(); taken = s.accept(); print('taken', flush=True)\n\
                  sys.stdin.read()";
    let is_root = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata("/proc/self").expect("Linux")) == 0;
    if !is_root {
        // An ordinary account cannot become another: CI runs as root.
        return;
    }
    let mut other = Command::new("setpriv")
        .args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups", "--pdeathsig", "KILL", "--"])
        .args(["/usr/bin/python3", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("setpriv and python3");
    let mut line = String::new();
    let mut stdin = other.stdin.take().expect("it is piped");
    let mut stdout = std::io::BufReader::new(other.stdout.take().expect("it is piped"));
    stdout.read_line(&mut line).expect("its port");
    let (port, pid) = line.trim().split_once(' ').expect("two numbers");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let stream = tokio::net::TcpStream::connect(format!("127.0.0.1:{port}")).await.expect("a connection");
        let (peer, ours) = (stream.peer_addr().expect("one"), stream.local_addr().expect("one"));
        let nobody =
            std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(format!("/proc/{pid}")).expect("it runs"));
        assert_ne!(nobody, 0);
        // Who listens; then who has taken it, too.
        assert_eq!(sock_diag::owners(peer, ours), [nobody]);
        assert!(!is_trusted_port(&stream));
        stdin.write_all(b"\n").expect("it reads");
        stdout.read_line(&mut String::new()).expect("its word");
        assert_eq!(sock_diag::owners(peer, ours), [nobody, nobody]);
        assert!(!is_trusted_port(&stream));
        let socket =
            tokio::net::UnixStream::connect(format!("\0farpane-test-{pid}")).await.expect("a connection");
        assert!(!is_trusted_socket(&socket));
    });
    drop(stdin);
    other.wait().expect("it ends");
}

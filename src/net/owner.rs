//! Whose process is at the other end of a connection within this machine.
//!
//! Every account of a machine can listen on a loopback port and bind a socket in `/tmp`. A password is
//! only given away (`xor`) where the other end is proven to be the same account's, or root's, which can
//! read everything anyway.

use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::local;

/// More connections than this are not looked through.
#[cfg(target_os = "linux")]
const MAX_LINES: usize = 100_000;

/// Whether the process that listens at a Unix socket belongs to this account or to root
/// (`SO_PEERCRED`). `false` where the system does not say.
#[cfg(unix)]
pub fn is_trusted_socket(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| is_trusted(peer.uid()))
}

/// Whether a TCP connection leads to a process of this machine that belongs to this account or to
/// root. `false` where the system does not say.
pub fn is_trusted_port(stream: &TcpStream) -> bool {
    let (Ok(peer), Ok(ours)) = (stream.peer_addr(), stream.local_addr()) else { return false };
    peer.ip().to_canonical().is_loopback()
        && owners(peer, ours).is_some_and(|uids| uids.into_iter().all(is_trusted))
}

fn is_trusted(uid: u32) -> bool {
    uid == 0 || local::user_id() == Some(uid)
}

/// The accounts of all sockets that may be the other end, from the kernel's tables: whoever listens
/// there, and who took the connection. `None` if none was found.
#[cfg(target_os = "linux")]
fn owners(peer: SocketAddr, ours: SocketAddr) -> Option<Vec<u32>> {
    let tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let uids: Vec<u32> = tables.iter().flat_map(|table| owners_in(table, peer, ours)).collect();
    (!uids.is_empty()).then_some(uids)
}

#[cfg(not(target_os = "linux"))]
fn owners(_peer: SocketAddr, _ours: SocketAddr) -> Option<Vec<u32>> {
    None
}

/// The same in one table (Linux's `Documentation/networking/proc_net_tcp.rst`).
///
/// A connection that nobody accepted yet has no owner: the table says 0 for it, as for root, and 0 for
/// its inode. Who listens is its owner to be.
#[cfg(target_os = "linux")]
pub fn owners_in(table: &str, peer: SocketAddr, ours: SocketAddr) -> Vec<u32> {
    const ESTABLISHED: &str = "01";
    const LISTEN: &str = "0A";
    let mut owners = Vec::new();
    for line in table.lines().skip(1).take(MAX_LINES) {
        let fields: Vec<&str> = line.split_whitespace().take(10).collect();
        let &[_, local, remote, state, _, _, _, uid, _, inode] = fields.as_slice() else { continue };
        let (Some(local), Some(remote), Ok(uid)) = (address(local), address(remote), uid.parse()) else {
            continue;
        };
        let is_of = |ours: SocketAddr, theirs: SocketAddr| {
            ours.port() == theirs.port() && ours.ip().to_canonical() == theirs.ip().to_canonical()
        };
        let listens = state == LISTEN
            && local.port() == peer.port()
            && (local.ip().is_unspecified() || is_of(local, peer));
        let accepted = state == ESTABLISHED && inode != "0" && is_of(local, peer) && is_of(remote, ours);
        if listens || accepted {
            owners.push(uid);
        }
    }
    owners
}

/// `0100007F:3A98`: groups of four bytes in the machine's order.
#[cfg(target_os = "linux")]
fn address(text: &str) -> Option<SocketAddr> {
    let (ip, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let word = u32::from_str_radix(ip.get(at * 8..at * 8 + 8)?, 16).ok()?;
        Some(word.to_ne_bytes())
    };
    let ip: IpAddr = match ip.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let mut bytes = [0; 16];
            bytes.iter_mut().zip(words.iter().flatten()).for_each(|(byte, from)| *byte = *from);
            Ipv6Addr::from(bytes).into()
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

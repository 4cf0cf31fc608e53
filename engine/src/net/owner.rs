//! Whose process is at the other end of a connection within this machine.
//!
//! Every account of a machine can listen on a loopback port and bind a socket in `/tmp`. A password is
//! only given away (`xor`) where the other end is proven to be the same account's, or root's, which can
//! read everything anyway.

#[cfg(target_os = "linux")]
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tokio::net::TcpStream;
#[cfg(unix)]
use tokio::net::UnixStream;

use super::local;
#[cfg(target_os = "linux")]
use super::sock_diag;

/// More connections than this are not looked through.
#[cfg(target_os = "linux")]
const MAX_LINES: usize = 100_000;

/// Bytes of a table that are asked for at once.
#[cfg(target_os = "linux")]
const TABLE_READ: usize = 64 * 1024;

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

/// The accounts of all sockets that may be the other end. `None` if none was found.
///
/// It stands between connecting and the first word, so it has to be quick.
#[cfg(target_os = "linux")]
fn owners(peer: SocketAddr, ours: SocketAddr) -> Option<Vec<u32>> {
    let uids = sock_diag::owners(peer, ours);
    if uids.is_empty() { listed_owners(peer, ours) } else { Some(uids) }
}

/// The same from the kernel's tables, for where it cannot be asked: whoever listens there, and who took the
/// connection. The kernel takes milliseconds to go through a table to its end, for each read that gets there: so tables
/// are read only as far as they can tell something.
#[cfg(target_os = "linux")]
fn listed_owners(peer: SocketAddr, ours: SocketAddr) -> Option<Vec<u32>> {
    let mut tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
    if peer.is_ipv6() {
        tables.reverse();
    }
    let mut uids = Vec::new();
    for table in tables {
        let Ok(file) = std::fs::File::open(table) else { continue };
        let found = owners_in(BufReader::with_capacity(TABLE_READ, file), peer, ours);
        uids.extend(found.uids);
        if found.is_accepted {
            break;
        }
    }
    (!uids.is_empty()).then_some(uids)
}

#[cfg(not(target_os = "linux"))]
fn owners(_peer: SocketAddr, _ours: SocketAddr) -> Option<Vec<u32>> {
    None
}

/// The accounts in one table.
#[cfg(target_os = "linux")]
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Owners {
    pub uids: Vec<u32>,
    /// The last one has taken the connection: no other socket can be its end.
    pub is_accepted: bool,
}

/// The same in one table, as far as it has to be read (Linux's `Documentation/networking/proc_net_tcp.rst`).
///
/// A connection that nobody accepted yet has no owner: the table says 0 for it, as for root, and 0 for
/// its inode. Who listens is its owner to be. Those who listen come before all connections.
#[cfg(target_os = "linux")]
pub fn owners_in(table: impl BufRead, peer: SocketAddr, ours: SocketAddr) -> Owners {
    const ESTABLISHED: &str = "01";
    const LISTEN: &str = "0A";
    let mut owners = Owners::default();
    for line in table.lines().map_while(Result::ok).skip(1).take(MAX_LINES) {
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
            owners.uids.push(uid);
        }
        if accepted {
            owners.is_accepted = true;
            break;
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

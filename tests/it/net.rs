//! URLs, transports, the network task and the command line.

mod addresses;
mod args;
mod certificates;
mod cli;
#[cfg(target_os = "linux")]
mod core_dumps;
pub mod dial;
mod encryption;
mod files;
mod floods;
mod garbage;
mod lanes;
mod mailbox;
mod nearby;
mod outgoing;
mod owner;
mod proxy;
mod pump;
mod quic;
mod quic_peers;
mod reconnect;
mod retry;
pub mod server;
mod shown_floods;
mod ssh;
mod stalls;
pub mod task;
mod trust;
mod uri;
#[cfg(target_os = "linux")]
mod vsock;
mod wrong_peers;

//! Layer 2: URLs, byte streams and the network task. Knows tokio; never windows or the GPU.

pub mod address;
pub mod certificate;
mod ciphers;
mod client_cert;
mod connection;
pub mod dial;
mod first_bytes;
pub mod known_servers;
mod links;
pub mod local;
pub mod nearby;
#[cfg(target_os = "linux")]
mod network_change;
#[cfg(not(target_os = "linux"))]
#[path = "no_network_change.rs"]
mod network_change;
pub mod new_file;
pub mod outgoing;
pub mod owner;
mod progress;
pub mod proxy;
pub mod pump;
pub mod quic;
pub mod recorder;
mod recording;
pub mod replay;
mod report;
pub mod retry;
mod rival;
mod several;
#[cfg(target_os = "linux")]
pub mod sock_diag;
mod socket;
pub mod ssh;
#[cfg(unix)]
mod start;
pub mod task;
pub mod tls;
mod tls_error;
pub mod transport;
pub mod trust;
pub mod uri;
mod verifier;
pub mod vsock;
mod wanted;
pub mod websocket;

pub use crate::session::Secret;
pub use recorder::{Recorder, RecordingError};
pub use replay::{BESIDE_VIDEO, MOST_SHARED, ReplayBounds};
pub use task::{NetConfig, NetLinks, NetThread, ProtocolPolicy, spawn};
pub use transport::{ConnectError, Transport};
pub use uri::{Endpoint, HostPort, Target, TargetError};
pub use wanted::Wanted;

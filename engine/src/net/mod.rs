//! Layer 2: URLs, byte streams and the network task. Knows tokio; never windows or the GPU.

pub mod address;
mod client_cert;
mod connection;
mod first_bytes;
pub mod local;
pub mod new_file;
pub mod outgoing;
pub mod owner;
mod progress;
pub mod pump;
pub mod recorder;
mod recording;
mod report;
#[cfg(target_os = "linux")]
pub mod sock_diag;
pub mod ssh;
pub mod task;
pub mod tls;
mod tls_error;
pub mod transport;
pub mod uri;
pub mod websocket;

pub use crate::session::Secret;
pub use recorder::{Recorder, RecordingError};
pub use task::{NetConfig, NetLinks, NetThread, ProtocolPolicy, spawn};
pub use transport::{ConnectError, Transport};
pub use uri::{Endpoint, HostPort, Target, TargetError};

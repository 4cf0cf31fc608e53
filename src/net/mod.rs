//! Layer 2: URLs, byte streams and the network task. Knows tokio; never windows or the GPU.

pub mod local;
pub mod tls;
pub mod transport;
pub mod uri;
pub mod websocket;

pub use transport::{ConnectError, Transport};
pub use uri::{Endpoint, HostPort, Secret, Target, TargetError};

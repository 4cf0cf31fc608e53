//! What every server says about the protocol in its hello.

use crate::protocol::Dialect;
use crate::protocol::packet::Dict;

/// The packet encoder, compressors and chunks that [`Wire`](super::Wire) speaks.
pub fn push_wire(dialect: Dialect, hello: &mut Dict) {
    let encoder = match dialect {
        Dialect::Modern => "rencodeplus",
        Dialect::Legacy31 => "bencode",
        Dialect::Yaml => "yaml",
    };
    hello
        .push("encoders", &[encoder][..])
        .push(encoder, true)
        .push("compressors", &["lz4"][..])
        .push("lz4", true)
        .push("chunks", true);
    if dialect == Dialect::Legacy31 {
        hello.push("packet-encoders", &[encoder][..]).push("raw_packets", true);
    }
}

/// Whether all that the client wants is an answer to its hello (`xpra version` and the like).
pub fn is_request(client: &Dict) -> bool {
    client.str("request").is_some_and(|request| !request.is_empty())
}

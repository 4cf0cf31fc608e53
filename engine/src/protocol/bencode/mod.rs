//! bencode, the packet encoder of Xpra 3.1 (xpra/net/bencode/bencode.py there; BitTorrent's
//! format plus `u` for UTF-8 text).
//!
//! | start | value |
//! |---|---|
//! | `i`…`e` | decimal integer; booleans are 0 and 1 |
//! | digits `:` | bytes; text is sent as bytes too |
//! | `u` digits `:` | UTF-8 text |
//! | `l`…`e` | list |
//! | `d`…`e` | dictionary |
//!
//! There is no null and no fraction: 3.1 cannot send them, and we do not either.

mod decode;
mod encode;

pub use decode::decode;
pub use encode::Writer;

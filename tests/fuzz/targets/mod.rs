//! What is fuzzed: each target takes any bytes, is bounded, and panics where Farpane would be wrong.
//!
//! The same targets run under libFuzzer (`tests/fuzz/run.sh`) and in `make test` (`tests/it/fuzz.rs`).

mod codecs;
mod files;
mod net;
pub mod packets;
mod session;
mod wire;

/// One target.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Also the folder of its corpus.
    pub name: &'static str,
    pub run: fn(&[u8]),
    /// Longest input, in bytes.
    pub max_len: usize,
    /// Executions in `make test`: ten seconds at most, in a build without optimisation.
    pub executions: u32,
}

const fn target(name: &'static str, run: fn(&[u8]), max_len: usize, executions: u32) -> Target {
    Target { name, run, max_len, executions }
}

/// All of them.
pub const ALL: [Target; 26] = [
    target("records", wire::records, 4096, 100_000),
    target("rencodeplus", wire::rencodeplus, 4096, 100_000),
    target("bencode", wire::bencode, 4096, 100_000),
    target("yaml", wire::yaml, 4096, 100_000),
    target("compressed", wire::compressed, 4096, 100_000),
    target("packets-draw", |bytes| packets::check(&packets::DRAW, bytes), 4096, 100_000),
    target("packets-window", |bytes| packets::check(&packets::WINDOW, bytes), 4096, 100_000),
    target("packets-pointer", |bytes| packets::check(&packets::POINTER, bytes), 4096, 100_000),
    target("packets-keyboard", |bytes| packets::check(&packets::KEYBOARD, bytes), 4096, 100_000),
    target("packets-connection", |bytes| packets::check(&packets::CONNECTION, bytes), 4096, 100_000),
    target("packets-display", |bytes| packets::check(&packets::DISPLAY, bytes), 4096, 100_000),
    target("packets-clipboard", |bytes| packets::check(&packets::CLIPBOARD, bytes), 4096, 100_000),
    target("session", session::session, 16384, 20_000),
    target("rgb", codecs::rgb, 4096, 100_000),
    target("png", codecs::png, 4096, 100_000),
    target("jpeg", codecs::jpeg, 4096, 100_000),
    target("webp", codecs::webp, 4096, 100_000),
    target("h264", codecs::h264, 16384, 10_000),
    target("scroll", codecs::scroll, 4096, 100_000),
    target("icon", codecs::icon, 4096, 100_000),
    target("websocket", net::websocket, 4096, 100_000),
    target("websocket-answer", net::websocket_answer, 4096, 100_000),
    target("url", net::url, 1024, 10_000),
    target("session-file", files::session_file, 4096, 1_000),
    target("configuration-file", files::configuration_file, 4096, 10_000),
    target("recording", files::recording, 4096, 100_000),
];

/// Takes numbers from the start of an input; 0 where it has ended.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn u8(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| match self.0.split_first() {
            Some((first, rest)) => {
                self.0 = rest;
                *first
            }
            None => 0,
        })
    }

    /// Up to `len` bytes.
    fn bytes(&mut self, len: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    /// One of `choices`.
    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::from(self.u8()) % choices.len()]
    }
}

//! Asks the server of a lost session who has it now.

use std::time::Duration;

use tokio::io::AsyncWriteExt as _;

use crate::buffers::BufferPool;
use crate::channel::clock;
use crate::protocol::{Limits, PacketReader, PacketWriter, Reassembler};
use crate::session::{
    ConnectionEvent, Output, Profile, Session, SessionConfig, SessionEvent, Setup, has_rival,
};
use crate::stats::DrawTrace;

use super::ciphers;
use super::outgoing::{Outgoing, Wrote};
use super::progress::{Progress, progress};
use super::task::NetConfig;
use super::transport::Transport;
use super::uri::Endpoint;

/// How long the answer is waited for. It took 20 to 40 ms on loopback (6.5.5, one window).
const LIMIT: Duration = Duration::from_secs(3);

/// What came of the question.
#[derive(Debug, Default)]
pub struct Answer {
    /// A client that took this one's place has the session (see [`has_rival`]). `false` as well if nothing was answered: then
    /// nothing is known of anybody.
    pub has_rival: bool,
    /// Bytes that it took.
    pub sent: u64,
    pub received: u64,
}

/// Whether the question costs nobody anything and its answer can be understood: each run of ssh may ask for a password, and
/// without an identifier of its own this client is like the others.
pub fn can_be_asked_about(config: &NetConfig) -> bool {
    !matches!(config.target.endpoint, Endpoint::Ssh(_)) && !config.session.identity.session_id.is_empty()
}

/// Asks for the server's information over a connection of its own, which throws nobody out, with the password that let us
/// in before; nobody is asked for one.
///
/// Cancel-safe: what was begun ends with the connection.
pub async fn ask(mut transport: Transport, setup: &Setup, pool: &BufferPool) -> Answer {
    let SessionConfig { identity, share, .. } = &setup.config;
    let mut answer = Answer::default();
    let asking = tokio::time::timeout(LIMIT, information(&mut transport, setup, pool, &mut answer));
    let information = asking.await.ok().flatten();
    let _ = tokio::time::timeout(LIMIT, transport.shutdown()).await;
    match information {
        Some(lines) => answer.has_rival = has_rival(&lines, identity, *share),
        None => tracing::debug!("the server does not say who has the session"),
    }
    answer
}

async fn information(
    transport: &mut Transport,
    setup: &Setup,
    pool: &BufferPool,
    answer: &mut Answer,
) -> Option<Vec<(String, String)>> {
    let mut setup = setup.clone();
    setup.config.profile = Profile::Info;
    setup.local.may_prompt = false;
    setup.peer.may_speak_legacy = false;
    let dialect = setup.peer.dialect;
    let limits = Limits::BEFORE_HELLO;
    let mut session = Session::new(setup);
    let mut reassembler = Reassembler::new(dialect, limits, pool.clone());
    let (mut reader, mut writer) =
        (PacketReader::new(dialect, limits, pool.clone()), PacketWriter::new(dialect));
    let (mut outgoing, mut outputs) = (Outgoing::default(), Vec::new());
    let mut is_encrypted = false;
    session.start(clock::now(), &mut outputs);
    loop {
        for output in outputs.drain(..) {
            match output {
                Output::Send(packet) => writer.write(&packet, outgoing.buffer()),
                Output::Decipher(spec) => {
                    is_encrypted = true;
                    reassembler.decipher(ciphers::decryptor(*spec).await.ok()?);
                }
                Output::Encipher(spec) => writer.encipher(ciphers::encryptor(*spec).await.ok()?),
                Output::Event(SessionEvent::Connection(ConnectionEvent::Info(info))) => return Some(info),
                Output::Close(_) => return None,
                _ => {}
            }
        }
        match progress(transport, &mut outgoing, Some(&mut reassembler)).await.ok()? {
            Progress::Written(Wrote::Control(bytes) | Wrote::Bulk(bytes)) => answer.sent += bytes as u64,
            Progress::Read(0) => return None,
            Progress::Read(bytes) => {
                answer.received += bytes as u64;
                let now = clock::now();
                reassembler.received(now);
                while let Some(raw) = reassembler.next_packet().ok()? {
                    let incoming = reader.read(raw).ok()?;
                    if is_encrypted && !reassembler.has_deciphered() {
                        return None;
                    }
                    let trace = DrawTrace::new(incoming.arrived, now, incoming.wire_bytes);
                    session.handle_packet(now, trace, incoming.packet, &mut outputs);
                }
            }
        }
    }
}

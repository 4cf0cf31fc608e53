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

use super::outgoing::Outgoing;
use super::progress::{Progress, progress};
use super::transport::Transport;

/// How long the answer is waited for. It took 20 to 40 ms on loopback (6.5.5, one window).
const LIMIT: Duration = Duration::from_secs(3);

/// Whether a client that took this one's place has the session of `setup` (see [`has_rival`]).
///
/// Asks for the server's information over a connection of its own, which throws nobody out, with the password that let us
/// in before; nobody is asked for one. `false` as well if there is no answer: then nothing is known of anybody.
///
/// Cancel-safe: what was begun ends with the connection.
pub async fn ask(mut transport: Transport, setup: &Setup, pool: &BufferPool) -> bool {
    let SessionConfig { identity, share, .. } = &setup.config;
    let answer = tokio::time::timeout(LIMIT, information(&mut transport, setup, pool)).await;
    let _ = tokio::time::timeout(LIMIT, transport.shutdown()).await;
    let Ok(Some(info)) = answer else {
        tracing::debug!("the server does not say who has the session");
        return false;
    };
    has_rival(&info, identity, *share)
}

async fn information(
    transport: &mut Transport,
    setup: &Setup,
    pool: &BufferPool,
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
    session.start(clock::now(), &mut outputs);
    loop {
        for output in outputs.drain(..) {
            match output {
                Output::Send(packet) => writer.write(&packet, outgoing.buffer()),
                Output::Event(SessionEvent::Connection(ConnectionEvent::Info(info))) => return Some(info),
                Output::Close(_) => return None,
                _ => {}
            }
        }
        match progress(transport, &mut outgoing, Some(&mut reassembler)).await.ok()? {
            Progress::Written(_) => {}
            Progress::Read(0) => return None,
            Progress::Read(_) => {
                let now = clock::now();
                reassembler.received(now);
                while let Some(raw) = reassembler.next_packet().ok()? {
                    let incoming = reader.read(raw).ok()?;
                    let trace = DrawTrace::new(incoming.arrived, now, incoming.wire_bytes);
                    session.handle_packet(now, trace, incoming.packet, &mut outputs);
                }
            }
        }
    }
}

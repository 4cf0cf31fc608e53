//! Xpra's own encryption on a connection: ciphers are made away from the network's task, since making a key takes up to a
//! second or two; what is sent meanwhile waits, and what a server sends is not read before it can be deciphered.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::task::JoinHandle;

use crate::protocol::cipher::{CipherSpec, Decryptor, Encryptor};
use crate::protocol::packet::connection::FromServer;
use crate::protocol::{ClientPacket, Incoming, PacketError, ServerPacket};
use crate::session::{Setup, encryption};

/// The first that comes enciphered makes no sense.
pub(super) const KEYS_DIFFER: &str = "what the server sends cannot be decrypted: its key file is another one than \
     --encryption-keyfile, or one of them was changed";
/// An answer came in plain.
const ANSWERED_IN_PLAIN: &str = "the server answers without encryption although it was asked for AES: it was not started \
     with --tcp-encryption, or this is not its tcp or ws port; nothing more was sent";

/// What there is of ciphers for a connection.
#[derive(Debug, Default)]
pub(super) struct Ciphers {
    /// The session is to be encrypted.
    wanted: bool,
    /// The first hello is on its way, which nobody can encipher.
    greeted: bool,
    /// Something made sense that was deciphered: both sides have the same key.
    proven: bool,
    decryptor: Option<JoinHandle<Decryptor>>,
    encryptor: Option<JoinHandle<Encryptor>>,
    /// What is to be sent when there is an encryptor, in order.
    held: Vec<ClientPacket>,
}

/// What was made.
#[derive(Debug)]
pub(super) enum Made {
    Decryptor(Decryptor),
    Encryptor(Encryptor),
}

impl Ciphers {
    /// Begins to make what deciphers the next records.
    pub fn decipher(&mut self, spec: CipherSpec) {
        self.wanted = true;
        self.decryptor = Some(decryptor(spec));
    }

    /// Begins to make what enciphers the next packets.
    pub fn encipher(&mut self, spec: CipherSpec) {
        self.encryptor = Some(encryptor(spec));
    }

    /// Whether one of them is being made.
    pub fn is_making(&self) -> bool {
        self.decryptor.is_some() || self.encryptor.is_some()
    }

    /// Whether what comes can be read.
    pub fn may_read(&self) -> bool {
        self.decryptor.is_none()
    }

    /// Whether what is sent goes at once.
    pub fn may_send(&self) -> bool {
        self.encryptor.is_none()
    }

    /// The next that is made: only while [`Self::is_making`]. Cancel-safe.
    ///
    /// # Errors
    /// If it could not be made, which would be a fault of this program.
    pub async fn made(&mut self) -> Result<Made, tokio::task::JoinError> {
        let made = |cx: &mut Context<'_>| {
            if let Poll::Ready(made) = poll(&mut self.decryptor, cx) {
                return Poll::Ready(made.map(Made::Decryptor));
            }
            poll(&mut self.encryptor, cx).map(|made| made.map(Made::Encryptor))
        };
        std::future::poll_fn(made).await
    }

    /// The packet, if it is to be written now. One that has to wait is kept; one that nobody may read is never sent:
    /// `enciphers` says whether what is written is enciphered.
    pub fn admit(&mut self, packet: ClientPacket, enciphers: bool) -> Option<ClientPacket> {
        if self.encryptor.is_some() {
            self.held.push(packet);
            return None;
        }
        if self.wanted && !enciphers && std::mem::replace(&mut self.greeted, true) {
            tracing::debug!("not sent: the server did not say yet how to encrypt");
            return None;
        }
        Some(packet)
    }

    /// What waited.
    pub fn take_held(&mut self) -> Vec<ClientPacket> {
        std::mem::take(&mut self.held)
    }

    /// Whether it is not known yet that both sides have the same key.
    pub fn is_unproven(&self) -> bool {
        self.wanted && !self.proven
    }

    /// Why a packet cannot be taken, if so. `deciphered`: it was enciphered. `is_harmless`: whatever it says, the session
    /// ends with it.
    pub fn objection(
        &mut self,
        read: &Result<Incoming<ServerPacket>, PacketError>,
        deciphered: bool,
        is_harmless: bool,
    ) -> Option<&'static str> {
        if !self.is_unproven() {
            return None;
        }
        let said = read.as_ref().ok().map(|incoming| &incoming.packet);
        match said {
            Some(ServerPacket::Connection(FromServer::Close { .. })) => {}
            Some(ServerPacket::Connection(FromServer::Hello(_) | FromServer::Challenge(_))) if deciphered => {
            }
            Some(_) if is_harmless => {}
            _ if deciphered => return Some(KEYS_DIFFER),
            Some(_) => return Some(ANSWERED_IN_PLAIN),
            None => {}
        }
        self.proven = deciphered;
        None
    }
}

/// How the connection is protected, in words: `below` says it of the transport.
pub(super) fn words(below: &'static str, setup: &Setup) -> &'static str {
    match encryption::wanted(setup) {
        Some(aes) if below.starts_with("none") => aes.words(),
        _ => below,
    }
}

/// Makes a decryptor in a thread that may take its time.
pub(super) fn decryptor(spec: CipherSpec) -> JoinHandle<Decryptor> {
    tokio::task::spawn_blocking(move || spec.decryptor())
}

/// Makes an encryptor.
pub(super) fn encryptor(spec: CipherSpec) -> JoinHandle<Encryptor> {
    tokio::task::spawn_blocking(move || spec.encryptor())
}

/// What became of `task`, which is forgotten then.
fn poll<T>(
    task: &mut Option<JoinHandle<T>>,
    cx: &mut Context<'_>,
) -> Poll<Result<T, tokio::task::JoinError>> {
    let Some(running) = task else { return Poll::Pending };
    let made = Pin::new(running).poll(cx);
    if made.is_ready() {
        *task = None;
    }
    made
}

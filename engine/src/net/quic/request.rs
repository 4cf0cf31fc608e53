//! Asks for a session: HTTP/3's control stream, extended CONNECT (RFC 9220), and the answer.

use quinn::{Connection, ReadExactError, RecvStream, SendStream, WriteError};

use super::error::QuicError;
use super::frame::{self, ENABLE_CONNECT_PROTOCOL, FrameHeader, MAX_FIELD_SECTION_SIZE, kind};
use super::qpack::{self, Answer};
use crate::net::uri::HostPort;

/// Bytes of a server's settings.
const MAX_SETTINGS: u64 = 4096;
/// Bytes of an answer's fields.
pub const MAX_FIELDS: u64 = 16 * 1024;
/// Frames before the answer's that nobody knows, and answers that say "there is more to come".
const MAX_BEFORE_ANSWER: usize = 16;
/// Streams that a server opens before its settings come, or at all.
pub const MAX_STREAMS: usize = 8;

/// How records travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// In WebSocket frames.
    WebSocket,
    /// As they are, in the stream of Xpra's WebTransport session.
    WebTransport,
}

impl Framing {
    /// The scheme of its addresses.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::WebSocket => "quic",
            Self::WebTransport => "wt",
        }
    }
}

/// The streams of a session.
pub struct Opened {
    pub send: SendStream,
    pub recv: RecvStream,
    /// The control streams of both sides, and those of the dynamic tables: closing one would be an error
    /// (RFC 9114 §6.2.1).
    pub kept: (SendStream, Vec<RecvStream>),
}

/// Asks the server `at`, whose name is `authority`, for a session at `path`.
///
/// Not cancel-safe: the connection is of no use after that.
///
/// # Errors
/// See [`QuicError`].
pub async fn open(
    connection: &Connection,
    framing: Framing,
    at: &HostPort,
    (authority, path): (&str, &str),
) -> Result<Opened, QuicError> {
    let lost = |error| QuicError::of(&error, at.name()).unwrap_or(QuicError::Closed);
    let mut control = connection.open_uni().await.map_err(lost)?;
    let mut begin = Vec::new();
    frame::put_varint(kind::CONTROL_STREAM, &mut begin);
    let mut settings = Vec::new();
    frame::put_varint(MAX_FIELD_SECTION_SIZE, &mut settings);
    frame::put_varint(MAX_FIELDS, &mut settings);
    FrameHeader { kind: kind::SETTINGS, payload_len: settings.len() as u64 }.put(&mut begin);
    begin.extend(settings);
    write(&mut control, &begin, at).await?;

    let streams = settled(connection, at).await?;
    let (mut send, mut recv) = connection.open_bi().await.map_err(lost)?;
    let (protocol, fields): (_, &[(&str, &str)]) = match framing {
        Framing::WebSocket => {
            ("websocket", &[("sec-websocket-version", "13"), ("sec-websocket-protocol", "xpra")])
        }
        Framing::WebTransport => ("webtransport", &[]),
    };
    let fields = qpack::connect(protocol, authority, path, fields);
    let mut request = Vec::new();
    FrameHeader { kind: kind::HEADERS, payload_len: fields.len() as u64 }.put(&mut request);
    request.extend(fields);
    write(&mut send, &request, at).await?;

    let Answer { status, subprotocol } = answer(&mut recv, at).await?;
    if !(200..300).contains(&status) {
        return Err(QuicError::Status { at: at.clone(), status });
    }
    if framing == Framing::WebSocket && subprotocol.as_deref() != Some(b"xpra") {
        return Err(QuicError::Subprotocol { at: at.clone(), got: subprotocol });
    }
    Ok(Opened { send, recv, kept: (control, streams) })
}

/// Waits for the server's settings, without which it must not be asked for more than web pages (RFC 8441 §3). Returns
/// the streams that it opened for itself.
async fn settled(connection: &Connection, at: &HostPort) -> Result<Vec<RecvStream>, QuicError> {
    let mut kept = Vec::new();
    for _ in 0..MAX_STREAMS {
        let stream = connection.accept_uni().await;
        let mut stream =
            stream.map_err(|error| QuicError::of(&error, at.name()).unwrap_or(QuicError::Closed))?;
        match varint(&mut stream, at).await? {
            kind::CONTROL_STREAM => {
                let header = header(&mut stream, at).await?;
                if header.kind != kind::SETTINGS {
                    return Err(QuicError::Http3("its control stream does not begin with its settings"));
                }
                let settings = payload(&mut stream, header, MAX_SETTINGS, at).await?;
                let takes_connect = frame::setting(&settings, ENABLE_CONNECT_PROTOCOL);
                kept.push(stream);
                return match takes_connect {
                    None => Err(QuicError::Http3("its settings are none")),
                    Some(1) => Ok(kept),
                    Some(_) => Err(QuicError::NoConnect { at: at.clone() }),
                };
            }
            kind::PUSH_STREAM => return Err(QuicError::Http3("it pushes what nobody asked for")),
            kind::ENCODER_STREAM | kind::DECODER_STREAM => kept.push(stream),
            // Dropped, which tells the server that nobody reads it (§6.2).
            _ => {}
        }
    }
    Err(QuicError::Http3("it opens many streams before it says its settings"))
}

/// The answer that decides.
async fn answer(recv: &mut RecvStream, at: &HostPort) -> Result<Answer, QuicError> {
    for _ in 0..MAX_BEFORE_ANSWER {
        let header = header(recv, at).await?;
        if header.kind == kind::DATA || header.is_out_of_place() {
            return Err(QuicError::Http3("something else stands where its answer should"));
        }
        let payload = payload(recv, header, MAX_FIELDS, at).await?;
        if header.kind == kind::HEADERS {
            let answer = qpack::answer(&payload)?;
            if !(100..200).contains(&answer.status) {
                return Ok(answer);
            }
        }
    }
    Err(QuicError::Http3("much comes before its answer, and no answer"))
}

async fn varint(recv: &mut RecvStream, at: &HostPort) -> Result<u64, QuicError> {
    let mut bytes = [0; 8];
    let mut len = 0;
    loop {
        read(recv, bytes.get_mut(len..=len).unwrap_or_default(), at).await?;
        len += 1;
        if let Some((value, _)) = bytes.get(..len).and_then(frame::varint) {
            return Ok(value);
        }
    }
}

async fn header(recv: &mut RecvStream, at: &HostPort) -> Result<FrameHeader, QuicError> {
    Ok(FrameHeader { kind: varint(recv, at).await?, payload_len: varint(recv, at).await? })
}

/// A frame's payload, of at most `most` bytes.
async fn payload(
    recv: &mut RecvStream,
    header: FrameHeader,
    most: u64,
    at: &HostPort,
) -> Result<Vec<u8>, QuicError> {
    if header.payload_len > most {
        return Err(QuicError::Http3("a frame of its is too long"));
    }
    let mut payload = vec![0; usize::try_from(header.payload_len).unwrap_or_default()];
    read(recv, &mut payload, at).await?;
    Ok(payload)
}

async fn read(recv: &mut RecvStream, bytes: &mut [u8], at: &HostPort) -> Result<(), QuicError> {
    recv.read_exact(bytes).await.map_err(|error| match error {
        ReadExactError::ReadError(quinn::ReadError::ConnectionLost(error)) => {
            QuicError::of(&error, at.name()).unwrap_or(QuicError::Closed)
        }
        ReadExactError::FinishedEarly(_) => QuicError::Closed,
        ReadExactError::ReadError(_) => QuicError::CutOff,
    })
}

async fn write(send: &mut SendStream, bytes: &[u8], at: &HostPort) -> Result<(), QuicError> {
    send.write_all(bytes).await.map_err(|error| match error {
        WriteError::ConnectionLost(error) => QuicError::of(&error, at.name()).unwrap_or(QuicError::Closed),
        _ => QuicError::CutOff,
    })
}

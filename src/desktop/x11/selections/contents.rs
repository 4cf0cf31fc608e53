//! What properties hold, as the session knows it, and back.

use x11rb::connection::SequenceNumber;
use x11rb::errors::ReplyError;
use x11rb::protocol::xproto::{Atom, AtomEnum, PropMode, Window};
use x11rb::wrapper::ConnectionExt as _;

use super::incr::Sending;
use super::server::Server;
use crate::protocol::packet::clipboard::{Contents, Data, MAX_NUMBERS, MAX_TARGETS};
use crate::session::clipboard::Unreadable;

/// Types of numbers that mean something to one X server only.
const OF_ONE_SERVER: [&str; 10] =
    ["BITMAP", "COLORMAP", "CURSOR", "DRAWABLE", "FONT", "PIXMAP", "VISUALID", "WINDOW", "ATOM_PAIR", "INCR"];

/// What a property held: its type, the bits of its values and its bytes, which are no more than the limit.
///
/// # Errors
/// If nobody else can understand it, or there is too much of it.
pub fn read(
    server: &mut Server,
    target: Atom,
    kind: Atom,
    bits: u8,
    bytes: Vec<u8>,
) -> Result<Result<Contents, Unreadable>, ReplyError> {
    let words = || bytes.chunks_exact(4).map(|word| word.try_into().map_or(0, u32::from_ne_bytes));
    // Some programs give their targets another type than ICCCM says.
    let is_targets = target == server.atoms.TARGETS && kind == server.atoms.TARGETS;
    if (kind == u32::from(AtomEnum::ATOM) || is_targets) && bits == 32 {
        let atoms: Vec<Atom> = words().take(MAX_TARGETS).collect();
        return Ok(Ok(Contents::targets(server.names.read(&server.connection, &atoms)?)));
    }
    let kind = match server.names.name(&server.connection, kind)? {
        Some(kind) if !OF_ONE_SERVER.contains(&kind.as_str()) => kind,
        _ => return Ok(Err(Unreadable::Refused)),
    };
    let data = match bits {
        8 => Data::Bytes(bytes.into()),
        16 | 32 if bytes.len() / usize::from(bits / 8) > MAX_NUMBERS => {
            return Ok(Err(Unreadable::TooLarge));
        }
        16 => {
            let numbers = bytes.chunks_exact(2).map(|two| two.try_into().map_or(0, u16::from_ne_bytes));
            Data::Numbers { bits, values: numbers.map(u32::from).collect() }
        }
        32 => Data::Numbers { bits, values: words().collect() },
        _ => return Ok(Err(Unreadable::Refused)),
    };
    Ok(Ok(Contents { kind, data }))
}

/// What became of contents that were to be written.
pub enum Written {
    /// They are in the property.
    Whole,
    /// The property announces them; what comes next is asked for by deleting it. The number is that of the request.
    Announced(Sending, Atom, SequenceNumber),
    /// Nobody here can understand them.
    Refused,
}

/// Writes contents into a property of somebody's window, if they fit in one piece, or else announces them.
pub fn write(
    server: &mut Server,
    window: Window,
    property: Atom,
    contents: Contents,
) -> Result<Written, ReplyError> {
    let Contents { kind, data } = contents;
    let is_atoms = matches!(data, Data::Atoms(_));
    // Numbers of atoms are the other server's.
    if OF_ONE_SERVER.contains(&kind.as_str()) || (kind == "ATOM") != is_atoms {
        return Ok(Written::Refused);
    }
    let Some((kind, _)) = server.names.make(&server.connection, &[kind])?.pop() else {
        return Ok(Written::Refused);
    };
    let replace = PropMode::REPLACE;
    match data {
        Data::Bytes(bytes) if bytes.len() > server.piece => {
            let sending = Sending::new(bytes, server.piece);
            let incr = server.atoms.INCR;
            let size = [sending.announced()];
            let cookie = server.connection.change_property32(replace, window, property, incr, &size)?;
            return Ok(Written::Announced(sending, kind, cookie.sequence_number()));
        }
        Data::Bytes(bytes) => {
            drop(server.connection.change_property8(replace, window, property, kind, &bytes)?)
        }
        Data::Numbers { bits, values } if usize::from(bits / 8) * values.len() > server.piece => {
            return Ok(Written::Refused);
        }
        Data::Numbers { bits: 16, values } => {
            let values: Vec<u16> = values.into_iter().map(|value| (value & 0xffff) as u16).collect();
            server.connection.change_property16(replace, window, property, kind, &values)?;
        }
        Data::Numbers { values, .. } => {
            server.connection.change_property32(replace, window, property, kind, &values)?;
        }
        Data::Atoms(mut names) => {
            names.truncate(MAX_TARGETS);
            let atoms = server.names.make(&server.connection, &names)?;
            let atoms: Vec<Atom> = atoms.into_iter().map(|(atom, _)| atom).collect();
            server.connection.change_property32(replace, window, property, kind, &atoms)?;
        }
    }
    Ok(Written::Whole)
}

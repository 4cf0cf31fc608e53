//! XSETTINGS: what the desktop tells programs of its look (freedesktop.org, XSETTINGS 0.5).

use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};
use x11rb::rust_connection::RustConnection;

/// Words of the settings that are read at most.
const MAX_WORDS: u32 = 16 * 1024;

/// The name of the theme that programs are to use, for example `Adwaita-dark`. `None` if nobody
/// says so.
pub fn theme_name(connection: &RustConnection, screen: usize) -> Option<String> {
    let atom = |name: String| Some(connection.intern_atom(false, name.as_bytes()).ok()?.reply().ok()?.atom);
    let selection = atom(format!("_XSETTINGS_S{screen}"))?;
    let owner = connection.get_selection_owner(selection).ok()?.reply().ok()?.owner;
    if owner == x11rb::NONE {
        return None;
    }
    let property = atom("_XSETTINGS_SETTINGS".to_owned())?;
    let reply =
        connection.get_property(false, owner, property, AtomEnum::ANY, 0, MAX_WORDS).ok()?.reply().ok()?;
    string(&reply.value, "Net/ThemeName")
}

/// The string setting `wanted` in the property's bytes.
pub fn string(settings: &[u8], wanted: &str) -> Option<String> {
    let mut reader = Reader { big_endian: *settings.first()? != 0, rest: settings.get(8..)? };
    let count = reader.u32()?;
    for _ in 0..count {
        let kind = reader.take(2)?[0];
        let name_len = usize::from(reader.u16()?);
        let name = reader.padded(name_len)?;
        let _changed = reader.u32()?;
        match kind {
            INTEGER => reader.take(4).map(drop)?,
            COLOUR => reader.take(8).map(drop)?,
            STRING => {
                let len = usize::try_from(reader.u32()?).ok()?;
                let value = reader.padded(len)?;
                if name == wanted.as_bytes() {
                    return std::str::from_utf8(value).ok().map(str::to_owned);
                }
            }
            _ => return None,
        }
    }
    None
}

const INTEGER: u8 = 0;
const STRING: u8 = 1;
const COLOUR: u8 = 2;

struct Reader<'a> {
    big_endian: bool,
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(taken)
    }

    /// Bytes that are followed by a filling up to a multiple of four.
    fn padded(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.take(len)?;
        self.take(len.next_multiple_of(4) - len)?;
        Some(taken)
    }

    fn u16(&mut self) -> Option<u16> {
        let bytes = *self.take(2)?.first_chunk()?;
        Some(if self.big_endian { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(&mut self) -> Option<u32> {
        let bytes = *self.take(4)?.first_chunk()?;
        Some(if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }
}

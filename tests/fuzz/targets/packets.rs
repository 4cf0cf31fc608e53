//! The packets of each subject: what is read is written, in every spelling, and read again to the same.

use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::fuzzing::reassemble;
use farpane::protocol::packet::clipboard as clipboard_packets;
use farpane::protocol::packet::encode::Encoder;
use farpane::protocol::record::{ChunkIndex, Header, RecordKind};
use farpane::protocol::{
    ClientPacket, Dialect, KeptPacket, Limits, Naming, PacketReader, PacketWriter, Records, ServerPacket,
};

use super::Input;

/// The names of a subject's packets, in all spellings.
pub struct Subject {
    pub to_client: &'static [&'static str],
    pub to_server: &'static [&'static str],
}

pub const DRAW: Subject = Subject {
    to_client: &["window-draw", "draw", "window-eos", "eos", "encoding-set", "encodings"],
    to_server: &[
        "window-draw-ack",
        "damage-sequence",
        "window-ack",
        "window-refresh",
        "buffer-refresh",
        "encoding-config",
        "encoding-set",
        "encoding",
        "encoding-options",
        "bandwidth-limit",
        "quality",
        "min-quality",
        "speed",
        "min-speed",
    ],
};
pub const WINDOW: Subject = Subject {
    to_client: &[
        "window-create",
        "new-window",
        "new-override-redirect",
        "new-tray",
        "window-metadata",
        "window-move-resize",
        "configure-override-redirect",
        "window-resized",
        "window-raise",
        "raise-window",
        "window-restack",
        "restack-window",
        "window-initiate-moveresize",
        "initiate-moveresize",
        "window-destroy",
        "lost-window",
        "window-icon",
        "window-bell",
        "bell",
    ],
    to_server: &[
        "bell-set",
        "set-bell",
        "window-close",
        "close-window",
        "window-configure",
        "configure-window",
        "window-focus",
        "focus",
        "window-map",
        "map-window",
        "window-unmap",
        "unmap-window",
    ],
};
pub const POINTER: Subject = Subject {
    to_client: &[
        "pointer-position",
        "cursor-data",
        "cursor",
        "cursor-default",
        "window-grab",
        "pointer-grab",
        "window-ungrab",
        "pointer-ungrab",
    ],
    to_server: &[
        "pointer-motion",
        "pointer-position",
        "pointer",
        "pointer-button",
        "button-action",
        "pointer-wheel",
        "wheel-motion",
        "cursor-set",
        "set-cursors",
    ],
};
pub const KEYBOARD: Subject = Subject {
    to_client: &[],
    to_server: &["keyboard-event", "key-action", "keyboard-config", "keymap-changed"],
};
pub const CONNECTION: Subject = Subject {
    to_client: &[
        "hello",
        "challenge",
        "connection-close",
        "disconnect",
        "info-response",
        "ping",
        "ping-echo",
        "ping_echo",
        "server-event",
        "events",
        "setting-change",
        "startup-complete",
        "control",
    ],
    to_server: &[
        "hello",
        "connection-close",
        "disconnect",
        "command-start",
        "start-command",
        "exit-server",
        "shutdown-server",
        "info-request",
        "ping",
        "ping-echo",
        "ping_echo",
        "suspend",
        "resume",
    ],
};
pub const DISPLAY: Subject = Subject {
    to_client: &[
        "display-resized",
        "desktop_size",
        "display-screenshot",
        "screenshot",
        "display-show-desktop",
    ],
    to_server: &["display-configure", "desktop_size", "configure-display"],
};
pub const CLIPBOARD: Subject = Subject {
    to_client: &[
        "clipboard-token",
        "clipboard-request",
        "clipboard-contents",
        "clipboard-contents-none",
        "clipboard-status",
        "set-clipboard-enabled",
        "clipboard-enable-selections",
        "clipboard-data",
    ],
    to_server: &[
        "clipboard-token",
        "clipboard-request",
        "clipboard-contents",
        "clipboard-contents-none",
        "clipboard-status",
        "set-clipboard-enabled",
        "clipboard-pending-requests",
        "clipboard-enabled-status",
        "clipboard-loop-uuids",
    ],
};

const LIMITS: Limits = Limits { max_record: 1 << 20, max_decompressed: 1 << 20 };
/// rencodeplus: a list up to its end mark.
const LIST: u8 = 59;
const END: u8 = 127;

/// Packets of a subject. What is about another system's selection is only read, never written.
///
/// The input: which packet, how it is written, perhaps a raw chunk, then the arguments in rencodeplus.
pub fn check(subject: &Subject, bytes: &[u8]) {
    let mut input = Input(bytes);
    let (which, choice) = (usize::from(input.u8()), input.u8());
    let naming = [Naming::Legacy, Naming::V65, Naming::V66][usize::from(choice & 0x7f) % 3];
    let mut stream = Vec::new();
    if choice & 0x80 != 0 {
        let (index, len) = (input.u8(), usize::from(input.u8()));
        let data = input.bytes(len);
        if let Some(index) = ChunkIndex::new(index).filter(|_| !data.is_empty()) {
            stream.extend(Header::encode(RecordKind::Chunk(index), Dialect::Modern, 0, data.len() as u32));
            stream.extend(data);
        }
    }
    let which = which % (subject.to_client.len() + subject.to_server.len());
    let mut main = vec![LIST];
    let to_client = subject.to_client.get(which);
    let name = to_client.unwrap_or_else(|| &subject.to_server[which - subject.to_client.len()]);
    Encoder::new(Dialect::Modern, &mut main).str(name);
    main.extend(input.0);
    main.push(END);
    stream.extend(Header::encode(RecordKind::Main { flush: false }, Dialect::Modern, 0, main.len() as u32));
    stream.extend(main);
    let raw = packet(Dialect::Modern, &stream);
    if to_client.is_some() {
        if let Ok(packet) = reader(Dialect::Modern).read(raw.lend()) {
            let packet = packet.packet;
            let known = !matches!(packet, ServerPacket::Ignored { .. } | ServerPacket::Unknown { .. });
            assert!(known, "{name} is not read");
            if packet == ServerPacket::Clipboard(clipboard_packets::FromServer::OtherSelection) {
                return;
            }
            rewritten(&packet, naming, PacketWriter::write_server_packet, |reader, raw| {
                reader.read(raw.lend()).map(|read| read.packet).map_err(|error| error.to_string())
            });
        }
    } else if let Ok(packet) = reader(Dialect::Modern).read_client(raw.lend())
        && let Some(packet) = packet.packet
        && packet != ClientPacket::Clipboard(clipboard_packets::ToServer::OtherSelection)
    {
        rewritten(&packet, naming, PacketWriter::write_client_packet, |reader, raw| {
            let read = reader.read_client(raw.lend()).map_err(|error| error.to_string())?;
            read.packet.ok_or_else(|| "a packet that is not ours".to_owned())
        });
    }
}

/// What is common to both directions.
trait Write {
    fn write_server_packet(&mut self, packet: &ServerPacket) -> Records;
    fn write_client_packet(&mut self, packet: &ClientPacket) -> Records;
}

impl Write for PacketWriter {
    fn write_server_packet(&mut self, packet: &ServerPacket) -> Records {
        self.write_server(packet, true)
    }

    fn write_client_packet(&mut self, packet: &ClientPacket) -> Records {
        self.write_bulk(packet)
    }
}

/// Writing may fit a value to what the peer takes; once it did, it changes nothing any more.
fn rewritten<P: std::fmt::Debug>(
    packet: &P,
    naming: Naming,
    write: impl Fn(&mut PacketWriter, &P) -> Records,
    read: impl Fn(&mut PacketReader, &KeptPacket) -> Result<P, String>,
) {
    for dialect in [Dialect::Modern, Dialect::Legacy31, Dialect::Yaml] {
        let mut writer = PacketWriter::new(dialect);
        writer.set_naming(naming);
        let mut reader = reader(dialect);
        let mut again = |packet: &P| {
            let Records { head, data, tail } = write(&mut writer, packet);
            let stream = [&head[..], data.as_deref().unwrap_or_default(), &tail].concat();
            let read = read(&mut reader, &self::packet(dialect, &stream));
            let read = read.unwrap_or_else(|why| panic!("{dialect:?} {naming:?} {packet:?}: {why}"));
            (stream, read)
        };
        let (_, fitted) = again(packet);
        let (first, same) = again(&fitted);
        let (second, _) = again(&same);
        assert!(first == second, "{dialect:?} {naming:?} {packet:?}: {fitted:?}, {same:?}");
    }
}

fn reader(dialect: Dialect) -> PacketReader {
    PacketReader::new(dialect, LIMITS, BufferPool::default())
}

/// The one packet that was written.
fn packet(dialect: Dialect, stream: &[u8]) -> KeptPacket {
    let (mut packets, end) = reassemble(dialect, stream, &[], clock::now());
    assert_eq!((packets.len(), end), (1, Ok(())));
    packets.remove(0)
}

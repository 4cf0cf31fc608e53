//! From typed packets to records.

use crate::buffers::Payload;

use super::cipher::Encryptor;
use super::compression::lz4_append;
use super::packet::encode::{Encoder, put};
use super::packet::{ClientPacket, Naming, ServerPacket};
use super::record::{ChunkIndex, Dialect, HEADER_LEN, Header, RecordKind};

/// Packets from this size on are compressed with LZ4, which every modern server must know: a
/// hello with a keymap has to stay under the 16 KiB of strict servers.
const COMPRESS_FROM: usize = 4096;
/// The level that such a record names.
const LZ4_LEVEL: u8 = 1;

/// Writes packets as records. Keeps its memory from packet to packet.
#[derive(Debug)]
pub struct PacketWriter {
    dialect: Dialect,
    naming: Naming,
    scratch: Vec<u8>,
    /// Payloads are enciphered.
    cipher: Option<Box<Encryptor>>,
}

/// A packet as records, ready to be sent: `head`, then `data`, then `tail`, and no other packet's records in between:
/// who receives a raw chunk puts it into the main record that comes next.
#[derive(Debug, Default)]
pub struct Records {
    /// The raw chunk's header, if there is a chunk.
    pub head: Vec<u8>,
    /// The raw chunk's payload, as the packet held it.
    pub data: Option<Payload>,
    /// The main record.
    pub tail: Vec<u8>,
}

impl PacketWriter {
    /// A writer for a new connection. Tell it the peer's spelling when the hello says what it is.
    pub fn new(dialect: Dialect) -> Self {
        let naming = match dialect {
            Dialect::Modern | Dialect::Yaml => Naming::default(),
            Dialect::Legacy31 => Naming::Legacy,
        };
        Self { dialect, naming, scratch: Vec::new(), cipher: None }
    }

    /// Enciphers all records from the next one on. They have to be sent in the order in which they are written then.
    pub fn encipher(&mut self, cipher: Encryptor) {
        self.cipher = Some(Box::new(cipher));
    }

    /// Whether records are enciphered.
    pub fn enciphers(&self) -> bool {
        self.cipher.is_some()
    }

    /// Spells packets like this from now on (see [`Naming::for_version`]). 3.1 knows only one.
    pub fn set_naming(&mut self, naming: Naming) {
        if self.dialect != Dialect::Legacy31 {
            self.naming = naming;
        }
    }

    /// Appends the packet, as one record, to `out`. For bulk data there is [`Self::write_bulk`].
    pub fn write(&mut self, packet: &ClientPacket, out: &mut Vec<u8>) {
        let (dialect, naming) = (self.dialect, self.naming);
        self.record(out, |payload| {
            packet.encode(naming, true, &mut Encoder::new(dialect, payload));
        });
    }

    /// The packet with its bulk data, if it has any, as a raw chunk, which is not compressed: that data is shared with
    /// the packet, not copied. Servers of both generations put the chunks of any packet into their places.
    pub fn write_bulk(&mut self, packet: &ClientPacket) -> Records {
        let naming = self.naming;
        self.records(packet.chunk(), |inline, encoder| packet.encode(naming, inline, encoder))
    }

    /// The packet as a server sends it. Pixels and other bulk data travel as a raw chunk unless the client said
    /// `chunks=false`.
    pub fn write_server(&mut self, packet: &ServerPacket, chunks: bool) -> Records {
        let naming = self.naming;
        let chunk = packet.chunk().filter(|_| chunks);
        self.records(chunk, |inline, encoder| packet.encode(naming, inline, encoder))
    }

    /// A raw chunk of `chunk`, and a main record that `encode` writes: with the data inline if there is no chunk.
    fn records(
        &mut self,
        chunk: Option<(u8, &Payload)>,
        encode: impl FnOnce(bool, &mut Encoder<'_>),
    ) -> Records {
        let dialect = self.dialect;
        let mut records = Records::default();
        if let Some((index, len, data)) = chunk
            .and_then(|(index, data)| Some((ChunkIndex::new(index)?, u32::try_from(data.len()).ok()?, data)))
        {
            let header = Header::encode(RecordKind::Chunk(index), dialect, 0, len);
            match &mut self.cipher {
                None => {
                    put(&mut records.head, &header);
                    records.data = Some(data.clone());
                }
                // Others have the data too: it becomes other bytes in other memory.
                Some(cipher) => {
                    put(&mut records.head, &Header::enciphered(header));
                    let mut own = Vec::with_capacity(data.len() + cipher.padding_len(data.len()));
                    put(&mut own, data);
                    cipher.seal(&mut own, 0);
                    records.data = Some(Payload::from(own));
                }
            }
        }
        let inline = records.data.is_none();
        self.record(&mut records.tail, |payload| encode(inline, &mut Encoder::new(dialect, payload)));
        records
    }

    /// Appends a main record whose payload `fill` writes.
    fn record(&mut self, out: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
        let start = out.len();
        put(out, &[0; HEADER_LEN]);
        fill(out);
        let mut level = 0;
        if self.dialect != Dialect::Legacy31 && out.len() - start - HEADER_LEN >= COMPRESS_FROM {
            self.scratch.clear();
            let plain = out.get(start + HEADER_LEN..).unwrap_or_default();
            if lz4_append(plain, &mut self.scratch).is_some() {
                out.truncate(start + HEADER_LEN);
                put(out, &self.scratch);
                level = LZ4_LEVEL;
            }
        }
        // A packet that is built here is far below 4 GiB.
        let len = u32::try_from(out.len() - start - HEADER_LEN).unwrap_or(u32::MAX);
        let mut header = Header::encode(RecordKind::Main { flush: false }, self.dialect, level, len);
        if let Some(cipher) = &mut self.cipher {
            header = Header::enciphered(header);
            cipher.seal(out, start + HEADER_LEN);
        }
        if let Some(slot) = out.get_mut(start..).and_then(|record| record.first_chunk_mut()) {
            *slot = header;
        }
    }
}

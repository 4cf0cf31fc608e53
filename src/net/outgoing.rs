//! Bytes that wait to be written.

/// What the server has not taken yet. Two buffers take turns: one is being written while packets
/// are appended to the other, so that nothing is moved when a write was partial. In steady state
/// nothing is allocated.
#[derive(Debug, Default)]
pub struct Outgoing {
    writing: Vec<u8>,
    /// How much of `writing` the server has taken.
    written: usize,
    filling: Vec<u8>,
}

impl Outgoing {
    /// Where to append the bytes of packets.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.filling
    }

    /// The bytes to write next; empty when all were written.
    pub fn unsent(&mut self) -> &[u8] {
        if self.written >= self.writing.len() {
            self.writing.clear();
            self.written = 0;
            std::mem::swap(&mut self.writing, &mut self.filling);
        }
        self.writing.get(self.written..).unwrap_or_default()
    }

    /// The first `bytes` of [`Self::unsent`] were written.
    pub fn sent(&mut self, bytes: usize) {
        self.written += bytes;
    }

    /// Bytes that wait.
    pub fn len(&self) -> usize {
        self.writing.len() - self.written.min(self.writing.len()) + self.filling.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives up what waits: the server takes nothing any more.
    pub fn discard(&mut self) {
        self.writing.clear();
        self.filling.clear();
        self.written = 0;
    }
}

//! Changes inputs as fuzzers do, by a seed: bits, numbers, pieces, and parts of other inputs.

/// Where limits are, of 1, 2, 4 and 8 bytes.
const NUMBERS: [u64; 14] = [
    0,
    1,
    0x7f,
    0x80,
    0xff,
    0x100,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    u64::MAX,
];
/// Changes to one input at most.
const MAX_CHANGES: u64 = 6;
/// Bytes of one piece that is moved at most.
const MAX_PIECE: usize = 64;

/// Makes inputs.
pub struct Mutator<'a> {
    state: u64,
    inputs: &'a [Vec<u8>],
    max_len: usize,
    input: Vec<u8>,
}

impl<'a> Mutator<'a> {
    /// One that changes `inputs`, of which there is at least one; none grows over `max_len` bytes.
    pub fn new(seed: u64, inputs: &'a [Vec<u8>], max_len: usize) -> Self {
        Self { state: seed, inputs, max_len, input: Vec::new() }
    }

    /// A number below `limit`: SplitMix64, which needs no more than that to look random.
    fn below(&mut self, limit: usize) -> usize {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        (mixed % limit.max(1) as u64) as usize
    }

    /// A range of up to [`MAX_PIECE`] bytes within `len`.
    fn piece(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len);
        let end = start + self.below((len - start).min(MAX_PIECE) + 1);
        start..end
    }

    fn other(&mut self) -> &'a [u8] {
        &self.inputs[self.below(self.inputs.len())]
    }

    /// The next input.
    pub fn next_input(&mut self) -> &[u8] {
        let begun = self.other();
        self.input.clear();
        self.input.extend(begun);
        for _ in 0..=self.below(MAX_CHANGES as usize) {
            self.change();
        }
        self.input.truncate(self.max_len);
        &self.input
    }

    fn change(&mut self) {
        let len = self.input.len();
        let at = self.below(len);
        match self.below(9) {
            0 if len > 0 => self.input[at] ^= 1 << self.below(8),
            1 if len > 0 => self.input[at] = self.below(256) as u8,
            2 if len > 0 => {
                self.input[at] = self.input[at].wrapping_add(self.below(33) as u8).wrapping_sub(16)
            }
            3 => self.number(at),
            4 => {
                let piece = self.piece(len);
                self.input.drain(piece);
            }
            5 => {
                let piece = self.piece(len);
                let piece = self.input[piece].to_vec();
                self.insert(at, &piece);
            }
            6 => {
                let other = self.other();
                let piece = &other[self.piece(other.len())];
                self.insert(at, piece);
            }
            7 => {
                let other = self.other();
                let from = self.below(other.len());
                self.input.truncate(at);
                self.input.extend(&other[from..]);
            }
            _ => {
                let bytes: [u8; 4] = std::array::from_fn(|_| self.below(256) as u8);
                let count = 1 + self.below(bytes.len());
                self.insert(at, &bytes[..count]);
            }
        }
    }

    /// Writes a number over what is there.
    fn number(&mut self, at: usize) {
        let number = NUMBERS[self.below(NUMBERS.len())];
        let width = 1 << self.below(4);
        let mut bytes = number.to_le_bytes()[..width].to_vec();
        if self.below(2) == 0 {
            bytes.reverse();
        }
        for (to, from) in self.input.iter_mut().skip(at).zip(bytes) {
            *to = from;
        }
    }

    fn insert(&mut self, at: usize, piece: &[u8]) {
        if self.input.len() + piece.len() <= self.max_len {
            self.input.splice(at..at, piece.iter().copied());
        }
    }
}

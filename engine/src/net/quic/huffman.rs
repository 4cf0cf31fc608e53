//! The Huffman code of header fields (RFC 7541 §5.2 and appendix B).
//!
//! The code is canonical: the lengths say all of it.

/// Bits of each symbol; the last is the end of a string, which must not stand in one.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26, 30,
];

/// Bits of the longest symbol.
const LONGEST: usize = 30;

/// The symbols in the order of the code: by length, then by value.
const ORDER: [u16; 257] = {
    let mut order = [0; 257];
    let (mut at, mut len) = (0, 1);
    while len <= LONGEST {
        let mut symbol = 0;
        while symbol < LENGTHS.len() {
            if LENGTHS[symbol] as usize == len {
                order[at] = symbol as u16;
                at += 1;
            }
            symbol += 1;
        }
        len += 1;
    }
    order
};

/// The string in `bytes`; `None` if these are no code, or it would be longer than `most` bytes.
pub fn decode(bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut counts = [0_u32; LONGEST + 1];
    for len in LENGTHS {
        *counts.get_mut(usize::from(len))? += 1;
    }
    let mut string = Vec::new();
    let bits = bytes.iter().flat_map(|byte| (0..8).rev().map(move |bit| u32::from(byte >> bit & 1)));
    // Of the symbol that is being read: its bits, their number, the first code of that length and the symbols before.
    let (mut code, mut len, mut first, mut before) = (0_u32, 0_usize, 0_u32, 0_u32);
    for bit in bits {
        code = code << 1 | bit;
        len += 1;
        first <<= 1;
        let count = *counts.get(len)?;
        if let Some(nth) = code.checked_sub(first).filter(|nth| *nth < count) {
            let symbol = *ORDER.get((before + nth) as usize)?;
            if string.len() == most {
                return None;
            }
            string.push(u8::try_from(symbol).ok()?);
            (code, len, first, before) = (0, 0, 0, 0);
        } else {
            first += count;
            before += count;
        }
    }
    // What is left is the beginning of the end's symbol: ones, fewer than a byte.
    (len < 8 && code == (1 << len) - 1).then_some(string)
}

//! rencodeplus, the packet encoder of the modern protocol (Protocol.md §4.2).
//!
//! | code | value |
//! |---|---|
//! | `0..=43` | the integer itself |
//! | `44`, `66` | binary64, binary32 |
//! | `48..=57` | first digit of the decimal length of a text (`:`) or of bytes (`/`) |
//! | `59`, `60` | list, dictionary up to `127` |
//! | `61` | decimal integer up to `127` |
//! | `62..=65` | signed integer of 8, 16, 32, 64 bits |
//! | `67..=69` | true, false, null |
//! | `70..=101` | the integers −1 to −32 |
//! | `102..=126` | dictionary of 0 to 24 pairs |
//! | `128..=191` | text of 0 to 63 bytes |
//! | `192..=255` | list of 0 to 63 values |

mod decode;
mod encode;

pub use decode::decode;
pub use encode::{Writer, decimal};

const INT_POSITIVE: std::ops::RangeInclusive<u8> = 0..=43;
const FLOAT64: u8 = 44;
const LIST: u8 = 59;
const DICT: u8 = 60;
const INT_TEXT: u8 = 61;
const INT8: u8 = 62;
const INT16: u8 = 63;
const INT32: u8 = 64;
const INT64: u8 = 65;
const FLOAT32: u8 = 66;
const TRUE: u8 = 67;
const FALSE: u8 = 68;
const NULL: u8 = 69;
const INT_NEGATIVE: std::ops::RangeInclusive<u8> = 70..=101;
const DICT_FIXED: std::ops::RangeInclusive<u8> = 102..=126;
const END: u8 = 127;
const TEXT_FIXED: std::ops::RangeInclusive<u8> = 128..=191;
const LIST_FIXED: std::ops::RangeInclusive<u8> = 192..=255;

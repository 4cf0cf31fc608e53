//! Xpra's own encryption of records: AES with a key that both ends have in a file (`--tcp-encryption` of its servers). No IO, no
//! clock.
//!
//! Headers stay plain, with a flag of their own; a payload is encoded, compressed, padded and then enciphered, raw chunks
//! like main records. The header names the length without padding. One cipher runs through all records of a direction. Who
//! *receives* chooses how: each side tells the other what it wants to be sent ([`CipherSpec`]).
//!
//! There is no authentication tag: nobody on the way can read a record without the key, but bits can be changed
//! unnoticed. See docs/security.md.

use aes::Aes256;
use aes::cipher::{Block, BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, StreamCipher as _};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::record::RecordError;

/// Bytes of an initialisation vector, and of a block of AES.
pub const IV_LEN: usize = 16;
/// Bytes of a key.
pub const KEY_LEN: usize = 32;
/// How often what is in the file goes through the hash: what Farpane wants of servers. 3.1.3 takes no more than that, and
/// what servers want is no more either: whoever guesses at weak keys chooses the easier side.
pub const ITERATIONS: u32 = 10_000;
/// How often a server may want it. Fewer would help who guesses, more would only take time: a second or two.
pub const ACCEPTED_ITERATIONS: std::ops::RangeInclusive<u32> = 1000..=1_000_000;
/// Bytes of the salt that a server may choose.
pub const ACCEPTED_SALT: std::ops::RangeInclusive<usize> = 8..=1024;

/// How blocks are chained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CipherMode {
    /// Every server that has AES knows it.
    #[default]
    Cbc,
    /// Not 3.1. Without padding.
    Ctr,
}

impl CipherMode {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Cbc => "CBC",
            Self::Ctr => "CTR",
        }
    }

    /// The mode with this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Cbc, Self::Ctr].into_iter().find(|mode| mode.name().eq_ignore_ascii_case(name))
    }
}

/// What fills a payload up to whole blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// Spaces; 3.1 calls it `legacy`.
    Spaces,
    /// In each byte their number.
    Pkcs7,
}

impl Padding {
    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Spaces => "legacy",
            Self::Pkcs7 => "PKCS#7",
        }
    }

    /// The padding with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Spaces, Self::Pkcs7].into_iter().find(|padding| padding.name() == name)
    }

    /// Each byte of `len` bytes of it; a block has at most 32.
    fn byte(self, len: usize) -> u8 {
        match self {
            Self::Spaces => b' ',
            Self::Pkcs7 => u8::try_from(len).unwrap_or(u8::MAX),
        }
    }
}

/// The hash that makes a key of what is in the file (PBKDF2 with HMAC).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyHash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl KeyHash {
    const ALL: [Self; 5] = [Self::Sha1, Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// The name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha224 => "SHA224",
            Self::Sha256 => "SHA256",
            Self::Sha384 => "SHA384",
            Self::Sha512 => "SHA512",
        }
    }

    /// The hash with this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|hash| hash.name() == name)
    }
}

/// What is in a key file: wiped from memory when dropped, never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyData(Zeroizing<Vec<u8>>);

impl KeyData {
    /// Takes the bytes over. Line ends around them do not count, as with Xpra's programs; `None` if nothing else is there.
    pub fn new(mut bytes: Zeroizing<Vec<u8>>) -> Option<Self> {
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let end = bytes.iter().rposition(|byte| !is_end(byte))? + 1;
        bytes.truncate(end);
        let start = bytes.iter().position(|byte| !is_end(byte))?;
        bytes.drain(..start);
        Some(Self(bytes))
    }
}

impl std::fmt::Debug for KeyData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyData(…)")
    }
}

/// How one direction is enciphered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CipherSpec {
    pub mode: CipherMode,
    pub iv: [u8; IV_LEN],
    pub salt: Vec<u8>,
    pub iterations: u32,
    pub hash: KeyHash,
    pub padding: Padding,
    /// Payloads are filled up to a multiple of this: 16, with 3.1 two blocks. CTR has none.
    pub block: usize,
    pub data: KeyData,
}

impl CipherSpec {
    /// What deciphers such records. Takes up to a second or two (see [`ACCEPTED_ITERATIONS`]): not for a thread that has
    /// something else to do.
    pub fn decryptor(&self) -> Decryptor {
        let (key, iv) = (self.key(), &self.iv);
        let cipher = match self.mode {
            CipherMode::Cbc => Deciphered::Cbc(cbc::Decryptor::new((&*key).into(), iv.into())),
            CipherMode::Ctr => Deciphered::Ctr(ctr::Ctr128BE::new((&*key).into(), iv.into())),
        };
        Decryptor { cipher, fill: self.fill() }
    }

    /// What enciphers records like that; takes as long.
    pub fn encryptor(&self) -> Encryptor {
        let (key, iv) = (self.key(), &self.iv);
        let cipher = match self.mode {
            CipherMode::Cbc => Enciphered::Cbc(cbc::Encryptor::new((&*key).into(), iv.into())),
            CipherMode::Ctr => Enciphered::Ctr(ctr::Ctr128BE::new((&*key).into(), iv.into())),
        };
        Encryptor { cipher, fill: self.fill() }
    }

    fn fill(&self) -> Fill {
        Fill { padding: self.padding, block: if self.mode == CipherMode::Cbc { self.block } else { 0 } }
    }

    fn key(&self) -> Zeroizing<[u8; KEY_LEN]> {
        let mut key = Zeroizing::new([0; KEY_LEN]);
        let (data, salt, rounds) = (&*self.data.0, &*self.salt, self.iterations);
        match self.hash {
            KeyHash::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(data, salt, rounds, &mut *key),
            KeyHash::Sha224 => pbkdf2::pbkdf2_hmac::<Sha224>(data, salt, rounds, &mut *key),
            KeyHash::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(data, salt, rounds, &mut *key),
            KeyHash::Sha384 => pbkdf2::pbkdf2_hmac::<Sha384>(data, salt, rounds, &mut *key),
            KeyHash::Sha512 => pbkdf2::pbkdf2_hmac::<Sha512>(data, salt, rounds, &mut *key),
        }
        key
    }
}

/// How payloads are filled up.
#[derive(Clone, Copy, Debug)]
struct Fill {
    padding: Padding,
    /// 0: not at all.
    block: usize,
}

impl Fill {
    /// Bytes behind a payload of `len` bytes: one at least, up to a whole block.
    const fn len(self, len: usize) -> usize {
        match len.checked_rem(self.block) {
            Some(rest) => self.block - rest,
            None => 0,
        }
    }
}

/// Deciphers all records that come, one after the other.
pub struct Decryptor {
    cipher: Deciphered,
    fill: Fill,
}

enum Deciphered {
    Cbc(cbc::Decryptor<Aes256>),
    Ctr(ctr::Ctr128BE<Aes256>),
}

impl Decryptor {
    /// Bytes of padding behind a payload of `len` bytes.
    pub const fn padding_len(&self, len: usize) -> usize {
        self.fill.len(len)
    }

    /// Deciphers what comes next, in its place, as far as blocks are whole; how many bytes that were. Of a record that is
    /// there to its end that is all.
    pub fn apply(&mut self, bytes: &mut [u8]) -> usize {
        match &mut self.cipher {
            Deciphered::Cbc(cipher) => {
                let (blocks, rest) = Block::<Aes256>::slice_as_chunks_mut(bytes);
                let done = blocks.len() * IV_LEN;
                debug_assert!(rest.len() < IV_LEN, "less than a block");
                cipher.decrypt_blocks(blocks);
                done
            }
            Deciphered::Ctr(cipher) => {
                cipher.apply_keystream(bytes);
                bytes.len()
            }
        }
    }

    /// Whether the bytes behind a payload are what they must be.
    ///
    /// # Errors
    /// [`RecordError::Padding`] if not: it was enciphered with another key, or changed on its way.
    pub fn check_padding(&self, padding: &[u8]) -> Result<(), RecordError> {
        let expected = self.fill.padding.byte(padding.len());
        if padding.iter().all(|byte| *byte == expected) { Ok(()) } else { Err(RecordError::Padding) }
    }
}

impl std::fmt::Debug for Decryptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Decryptor").field("fill", &self.fill).finish_non_exhaustive()
    }
}

/// Enciphers all records that are sent, one after the other.
pub struct Encryptor {
    cipher: Enciphered,
    fill: Fill,
}

enum Enciphered {
    Cbc(cbc::Encryptor<Aes256>),
    Ctr(ctr::Ctr128BE<Aes256>),
}

impl Encryptor {
    /// Bytes of padding behind a payload of `len` bytes.
    pub const fn padding_len(&self, len: usize) -> usize {
        self.fill.len(len)
    }

    /// Fills up and enciphers the payload that begins at `start` and ends with the vector, in its place.
    pub fn seal(&mut self, record: &mut Vec<u8>, start: usize) {
        let padding = self.fill.len(record.len().saturating_sub(start));
        record.resize(record.len() + padding, self.fill.padding.byte(padding));
        let payload = record.get_mut(start..).unwrap_or_default();
        match &mut self.cipher {
            Enciphered::Cbc(cipher) => {
                let (blocks, rest) = Block::<Aes256>::slice_as_chunks_mut(payload);
                debug_assert!(rest.is_empty(), "it was filled up");
                cipher.encrypt_blocks(blocks);
            }
            Enciphered::Ctr(cipher) => cipher.apply_keystream(payload),
        }
    }
}

impl std::fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encryptor").field("fill", &self.fill).finish_non_exhaustive()
    }
}

//! One window's video as the server should know it: whether what it encodes can be read here.

use crate::protocol::packet::DrawSequence;
use crate::protocol::packet::draw::{DrawOptions, Encoding};

/// Frames refused in a row after which a stream counts as unreadable. A stream that merely missed a frame
/// recovers with the key frame that the server sends next.
const MAX_REFUSED: u8 = 3;

/// What a finished video frame asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing, or it was asked for already.
    None,
    /// The refused pixels again.
    Refresh,
    /// No more video for this window, and the refused pixels: a key frame was refused, or several frames in
    /// a row.
    Pictures,
}

/// Decides when a window's video is hopeless. A server answers a refused frame with a new key frame of the
/// same encoder, 350 ms late and more each time; where that cannot be read either, the window would never
/// catch up.
#[derive(Debug, Default)]
pub struct VideoHealth {
    /// The newest key frame under way.
    key_frame: Option<DrawSequence>,
    refused: u8,
    given_up: bool,
}

impl VideoHealth {
    /// A draw goes to the decoders.
    pub fn begin(&mut self, sequence: DrawSequence, encoding: Encoding, options: &DrawOptions) {
        let is_key_frame = options.frame == Some(0) || options.frame_type.is_some_and(|kind| &*kind == "IDR");
        if encoding.is_video() && is_key_frame {
            self.key_frame = Some(sequence);
        }
    }

    /// A video frame was shown or refused.
    pub fn finish(&mut self, sequence: DrawSequence, refused: bool) -> Remedy {
        if !refused {
            self.refused = 0;
            return Remedy::None;
        }
        self.refused = self.refused.saturating_add(1);
        let hopeless = self.key_frame == Some(sequence) || self.refused >= MAX_REFUSED;
        match (self.given_up, hopeless) {
            (true, _) => Remedy::None,
            (false, true) => {
                self.given_up = true;
                Remedy::Pictures
            }
            // the frames behind it lack it too: one refresh for all of them
            (false, false) if self.refused == 1 => Remedy::Refresh,
            (false, false) => Remedy::None,
        }
    }
}

//! All of h264's High profile, in Rust: streams that are more than baseline.

use rusty_h264_common::YuvFrame;
use rusty_h264_decoder::Decoder;

use super::h264::Planes;
use crate::geometry::Size;

use super::{DecodeError, sps};

/// Pictures that wait for their turn at most (ITU-T H.264 §A.3.1: as many as may be referred to).
const MAX_REORDERED: u32 = 16;

/// One stream.
#[derive(Default)]
pub(super) struct FullDecoder {
    decoder: Decoder,
    /// Decoded pictures that come after others in display order, with their place in it.
    waiting: Vec<(i32, YuvFrame)>,
    /// How many of them there may be before the first is shown, as the stream says.
    reordered: usize,
    /// The one that was handed out last.
    shown: Option<YuvFrame>,
}

impl FullDecoder {
    /// Decodes one access unit. The planes lie in this decoder until it decodes again. `complete`: nothing
    /// waits for a later frame any more.
    pub fn decode(&mut self, data: &[u8], complete: bool, size: Size) -> Result<Option<Planes>, DecodeError> {
        self.shown = None;
        if let Some(parameters) = sps::all(data).flatten().next() {
            self.waiting.clear();
            self.reordered = parameters.reordered.unwrap_or(0).min(MAX_REORDERED) as usize;
        }
        if let Some(frame) = self.decoder.decode(data)? {
            self.waiting.push((self.decoder.last_poc(), frame));
        }
        if complete {
            // The newest is the one to show: what should have come before it is late.
            self.shown = self.waiting.drain(..).max_by_key(|(place, _)| *place).map(|(_, frame)| frame);
        } else if self.waiting.len() > self.reordered {
            let first = self.waiting.iter().enumerate().min_by_key(|(_, (place, _))| *place);
            self.shown = first.map(|(index, _)| index).map(|index| self.waiting.swap_remove(index).1);
        }
        let planes = |frame: &YuvFrame| {
            let chroma = frame.width.div_ceil(2);
            let planes = [(&frame.y[..], frame.width), (&frame.u[..], chroma), (&frame.v[..], chroma)];
            Planes::new((frame.width, frame.height), planes, size)
        };
        self.shown.as_ref().map(planes).transpose()
    }
}

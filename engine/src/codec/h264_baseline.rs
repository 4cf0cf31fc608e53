//! Baseline h264 with openh264: fastest where streams are simple.

use openh264::OpenH264API;
use openh264::decoder::{DecodeOptions, DecodedYUV, Decoder, DecoderConfig, Flush};
use openh264::formats::YUVSource;

use super::h264::Planes;
use crate::geometry::Size;

use super::DecodeError;

/// One stream.
pub(super) struct BaselineDecoder(Decoder);

impl BaselineDecoder {
    pub fn new() -> Result<Self, DecodeError> {
        Ok(Self(Decoder::with_api_config(OpenH264API::from_source(), DecoderConfig::new())?))
    }

    /// Decodes one access unit. The planes lie in this decoder until it decodes again.
    pub fn decode(&mut self, data: &[u8], complete: bool, size: Size) -> Result<Option<Planes>, DecodeError> {
        let options = DecodeOptions::new().flush_after_decode(Flush::NoFlush);
        let frame = self.0.decode_with_options(data, options)?;
        let mut planes = frame.map(|frame| planes(&frame, size)).transpose()?;
        // Of other than baseline streams it holds pictures back to reorder them. Unless the server's encoder
        // does reorder, all are taken out at once, and the newest is the one to show.
        if complete
            && planes.is_none()
            && let Some(frame) = self.0.flush_remaining()?.last()
        {
            planes = Some(self::planes(frame, size)?);
        }
        Ok(planes)
    }
}

fn planes(frame: &DecodedYUV, size: Size) -> Result<Planes, DecodeError> {
    let (y_stride, u_stride, v_stride) = frame.strides();
    let planes = [(frame.y(), y_stride), (frame.u(), u_stride), (frame.v(), v_stride)];
    Planes::new(frame.dimensions(), planes, size)
}

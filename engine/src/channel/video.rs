//! A video frame that still lies in its decoder.

use std::fmt;
use std::sync::Weak;

use crate::codec::{PictureRef, VideoDecoder};
use crate::protocol::packet::WindowId;

/// Takes decoders back. Calls never block for long; any thread.
pub trait VideoReturn: Send + Sync {
    /// The decoder of the window `wid` may decode its next frame.
    fn take_back(&self, wid: WindowId, decoder: VideoDecoder);
}

/// A decoder on loan, with the frame that it decoded last. Nothing is copied out of it, so the
/// window's next frame waits until this is dropped, which gives the decoder back.
pub struct VideoFrame {
    wid: WindowId,
    /// Here until the drop.
    decoder: Option<VideoDecoder>,
    /// Not held: frames may lie in a queue that the receiver holds itself.
    home: Weak<dyn VideoReturn>,
}

impl VideoFrame {
    /// Lends `decoder`, which goes back to `home` if that still is there.
    pub fn new(wid: WindowId, decoder: VideoDecoder, home: Weak<dyn VideoReturn>) -> Self {
        Self { wid, decoder: Some(decoder), home }
    }

    /// The frame, if the decoder holds one.
    pub fn picture(&self) -> Option<PictureRef<'_>> {
        self.decoder.as_ref()?.picture()
    }
}

impl Drop for VideoFrame {
    fn drop(&mut self) {
        if let (Some(decoder), Some(home)) = (self.decoder.take(), self.home.upgrade()) {
            home.take_back(self.wid, decoder);
        }
    }
}

impl fmt::Debug for VideoFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VideoFrame").field("wid", &self.wid).finish_non_exhaustive()
    }
}

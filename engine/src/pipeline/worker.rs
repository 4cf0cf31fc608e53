//! One decode thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Weak;
use std::time::Instant;

use crate::buffers::BufferPool;
use crate::channel::{DecodedDraw, DrawContent, DrawJob, VideoFrame, VideoReturn, clock};
use crate::codec::{Coded, CompressedPixels, DecodeError, StillDecoder, VideoDecoder, check_scroll};
use crate::geometry::Size;
use crate::protocol::packet::draw::{DrawOutcome, Encoding, PixelCompression};
use crate::session::DrawRequest;

/// What a decode thread keeps between draws.
pub(super) struct Worker {
    pool: BufferPool,
    still: StillDecoder,
    /// Where the decoders of painted frames go.
    home: Weak<dyn VideoReturn>,
}

impl Worker {
    pub fn new(pool: BufferPool, home: Weak<dyn VideoReturn>) -> Self {
        Self { still: StillDecoder::new(pool.clone()), pool, home }
    }

    /// Whether [`Self::decode`] would do next to nothing: not worth another thread's while.
    pub fn is_trivial(request: &DrawRequest, unpacks: bool) -> bool {
        match request.encoding {
            Encoding::Rgb24 | Encoding::Rgb32 => match request.options.pixel_compression {
                PixelCompression::None => true,
                PixelCompression::Lz4 => unpacks,
                PixelCompression::Zlib | PixelCompression::Zstd | PixelCompression::Other => false,
            },
            Encoding::Scroll | Encoding::Void => true,
            _ => false,
        }
    }

    /// Decodes one draw. Never fails: a draw that is refused says so in its content.
    /// `unpacks`: the renderer wants compressed pixels as they are.
    /// A video frame that is shown takes `video` with it.
    pub fn decode(&mut self, job: DrawJob, video: &mut Option<VideoDecoder>, unpacks: bool) -> DecodedDraw {
        let DrawJob { mut request, permit } = job;
        let started = clock::now();
        // The picture libraries are C code or much used Rust; this is for the one bug in them that
        // unwinds. It costs the draw, not the session.
        let content = catch_unwind(AssertUnwindSafe(|| self.content(&mut request, video, unpacks)))
            .unwrap_or_else(|_| {
                self.still = StillDecoder::new(self.pool.clone());
                if let Some(video) = video {
                    *video = VideoDecoder::default();
                }
                refused(format!("the {} decoder failed", request.encoding.name()))
            });
        finish(request, content, started, permit)
    }

    fn content(
        &mut self,
        request: &mut DrawRequest,
        video: &mut Option<VideoDecoder>,
        unpacks: bool,
    ) -> DrawContent {
        self.picture(request, video, unpacks).unwrap_or_else(|error| refused(error.to_string()))
    }

    fn picture(
        &mut self,
        request: &mut DrawRequest,
        video: &mut Option<VideoDecoder>,
        unpacks: bool,
    ) -> Result<DrawContent, DecodeError> {
        let coded = Coded {
            encoding: request.encoding,
            data: &request.data,
            size: Size { width: request.rect.width, height: request.rect.height },
            rowstride: request.rowstride,
            options: &request.options,
        };
        if unpacks && CompressedPixels::is(&coded) && request.options.paint != Some(false) {
            let packed = CompressedPixels::new(&coded)?;
            request.trace.decoded_bytes = packed.unpacked_len() as u64;
            return Ok(DrawContent::Compressed(packed));
        }
        let ledger = &mut request.trace.ledger;
        let shown = request.options.paint != Some(false);
        let picture = match (request.encoding, video.as_mut()) {
            (Encoding::Void, _) => return Ok(DrawContent::Nothing(DrawOutcome::Skipped)),
            (Encoding::Scroll, _) => {
                check_scroll(&request.options.scroll)?;
                return Ok(DrawContent::Scroll(std::mem::take(&mut request.options.scroll)));
            }
            (Encoding::H264, Some(decoder)) => {
                let bytes = decoder.decode(&coded, ledger)?.map(|picture| picture.data_len());
                if let Some(bytes) = bytes.filter(|_| shown) {
                    request.trace.decoded_bytes = bytes as u64;
                    let decoder = std::mem::take(decoder);
                    *video = None;
                    return Ok(DrawContent::Video(VideoFrame::new(request.wid, decoder, self.home.clone())));
                }
                // Decoded for the frames that refer to it.
                None
            }
            _ => Some(self.still.decode(&coded, ledger)?),
        };
        Ok(match picture.filter(|_| shown) {
            Some(picture) => {
                request.trace.decoded_bytes = picture.data_len() as u64;
                DrawContent::Picture(picture)
            }
            None => DrawContent::Nothing(DrawOutcome::Skipped),
        })
    }
}

fn refused(message: String) -> DrawContent {
    DrawContent::Nothing(DrawOutcome::Error { message })
}

fn finish(
    request: DrawRequest,
    content: DrawContent,
    started: Instant,
    permit: tokio::sync::OwnedSemaphorePermit,
) -> DecodedDraw {
    let mut trace = request.trace;
    trace.decode_started = Some(started);
    trace.decoded = Some(clock::now());
    trace.pixels = u64::from(request.rect.width) * u64::from(request.rect.height);
    DecodedDraw {
        wid: request.wid,
        sequence: request.sequence,
        rect: request.rect,
        encoding: request.encoding,
        content,
        flush: request.options.flush,
        trace,
        permit: Some(permit),
    }
}

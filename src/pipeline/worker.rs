//! One decode thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use crate::buffers::BufferPool;
use crate::channel::{DecodedDraw, DrawContent, DrawJob, RenderItem, clock};
use crate::codec::{Coded, DecodeError, Size, StillDecoder, VideoDecoder, check_scroll};
use crate::protocol::packet::client::DrawOutcome;
use crate::protocol::packet::server::Encoding;
use crate::session::DrawRequest;
use crate::stats::alloc;

/// What a decode thread keeps between draws.
pub(super) struct Worker {
    pool: BufferPool,
    still: StillDecoder,
}

impl Worker {
    pub fn new(pool: BufferPool) -> Self {
        Self { still: StillDecoder::new(pool.clone()), pool }
    }

    /// Decodes one draw. Never fails: a draw that is refused says so in its content.
    pub fn decode(&mut self, job: DrawJob, video: &mut Option<VideoDecoder>) -> RenderItem {
        let DrawJob { mut request, permit } = job;
        let started = clock::now();
        let heap_before = alloc::so_far();
        // The picture libraries are C code or much used Rust; this is for the one bug in them that
        // unwinds. It costs the draw, not the session.
        let content = catch_unwind(AssertUnwindSafe(|| self.content(&mut request, video.as_mut())))
            .unwrap_or_else(|_| {
                self.still = StillDecoder::new(self.pool.clone());
                if let Some(video) = video {
                    *video = VideoDecoder::default();
                }
                refused(format!("the {} decoder failed", request.encoding.name()))
            });
        let mut draw = finish(request, content, started, permit);
        draw.trace.ledger.heap_allocations += alloc::so_far().since(heap_before).count;
        RenderItem::Draw(draw)
    }

    fn content(&mut self, request: &mut DrawRequest, video: Option<&mut VideoDecoder>) -> DrawContent {
        self.picture(request, video).unwrap_or_else(|error| refused(error.to_string()))
    }

    fn picture(
        &mut self,
        request: &mut DrawRequest,
        video: Option<&mut VideoDecoder>,
    ) -> Result<DrawContent, DecodeError> {
        let coded = Coded {
            encoding: request.encoding,
            data: &request.data,
            size: Size { width: request.rect.width, height: request.rect.height },
            rowstride: request.rowstride,
            options: &request.options,
        };
        let ledger = &mut request.trace.ledger;
        let picture = match (request.encoding, video) {
            (Encoding::Void, _) => return Ok(DrawContent::Nothing(DrawOutcome::Skipped)),
            (Encoding::Scroll, _) => {
                check_scroll(&request.options.scroll)?;
                return Ok(DrawContent::Scroll(std::mem::take(&mut request.options.scroll)));
            }
            (Encoding::H264, Some(video)) => video.decode(&coded, &self.pool, ledger)?,
            _ => Some(self.still.decode(&coded, ledger)?),
        };
        Ok(match picture {
            Some(picture) if request.options.paint != Some(false) => {
                request.trace.decoded_bytes = picture.data_len() as u64;
                DrawContent::Picture(picture)
            }
            // Decoded for the frames that refer to it.
            _ => DrawContent::Nothing(DrawOutcome::Skipped),
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

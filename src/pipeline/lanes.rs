//! Which draw is decoded next, and what may be committed: order per window.

use std::collections::{HashMap, VecDeque};

use crate::channel::{BackingUpdate, DrawJob, RenderItem};
use crate::codec::VideoDecoder;
use crate::protocol::Bounds;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::Encoding;

/// A place in a window's order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    wid: WindowId,
    number: u64,
}

/// A draw for a decode thread.
pub(super) struct Task {
    pub place: Place,
    pub job: DrawJob,
    /// The window's video decoder, for a video frame; it goes back with [`Lanes::finished`] or, if its
    /// picture is shown, with [`Lanes::take_back`].
    pub video: Option<VideoDecoder>,
}

/// The draws of all windows between arrival and commit. No threads in here.
///
/// Everything is kept in recycled queues: in steady state nothing is allocated.
#[derive(Default)]
pub(super) struct Lanes {
    lanes: HashMap<WindowId, Lane>,
    bounds: Bounds,
    /// Bytes of all decoders.
    video_bytes: u64,
    /// Decoders that made room for others.
    outdated: Vec<VideoDecoder>,
    /// Video frames that were decoded so far.
    frames: u64,
    /// What may be decoded now, in order of arrival.
    ready: VecDeque<(Place, DrawJob)>,
    /// Frames that begin streams for which there is no room before a decoder comes back, in order of arrival.
    held: VecDeque<(Place, DrawJob)>,
}

/// One window.
#[derive(Default)]
struct Lane {
    /// The number of the first entry.
    first: u64,
    /// What was not committed yet; `None` while it waits for, or is in, a decode thread.
    entries: VecDeque<Option<RenderItem>>,
    /// Video frames that wait for the one before them.
    video_waiting: VecDeque<(Place, DrawJob)>,
    /// A video frame is ready, in a decode thread, or not painted yet.
    video_busy: bool,
    /// Here unless a decode thread or a frame has it.
    video: VideoDecoder,
    /// A decode thread or a frame has it.
    video_out: bool,
    /// What it takes of memory, as of its last frame, or will take for the stream that begins.
    video_bytes: u64,
    /// The number of that frame.
    last_frame: u64,
    /// What was committed last is the end of the window.
    destroyed: bool,
}

impl Lane {
    fn reserve(&mut self, wid: WindowId, item: Option<RenderItem>) -> Place {
        let number = self.first + self.entries.len() as u64;
        self.entries.push_back(item);
        Place { wid, number }
    }

    /// The decoder is here: the video frame that comes next, if one waits.
    fn next_video(&mut self) -> Option<(Place, DrawJob)> {
        let next = self.video_waiting.pop_front();
        self.video_busy = next.is_some();
        next
    }
}

impl Lanes {
    /// Takes a draw in. True if there is something new to decode.
    pub fn draw(&mut self, job: DrawJob) -> bool {
        let wid = job.request.wid;
        let lane = self.lanes.entry(wid).or_default();
        let place = lane.reserve(wid, None);
        if job.request.encoding == Encoding::H264 {
            if lane.video_busy {
                lane.video_waiting.push_back((place, job));
                return false;
            }
            lane.video_busy = true;
        }
        self.ready.push_back((place, job));
        true
    }

    /// Takes the place of a draw that the caller decodes itself, for [`Lanes::finished`].
    pub fn reserve(&mut self, wid: WindowId) -> Place {
        self.lanes.entry(wid).or_default().reserve(wid, None)
    }

    /// Takes a change of a backing in, and commits it if nothing is before it.
    pub fn backing(&mut self, wid: WindowId, update: BackingUpdate, commit: &mut impl FnMut(RenderItem)) {
        let lane = self.lanes.entry(wid).or_default();
        lane.reserve(wid, Some(RenderItem::Backing { wid, update }));
        self.commit(wid, commit);
    }

    /// The next draw to decode.
    pub fn next(&mut self) -> Option<Task> {
        while let Some((place, job)) = self.ready.pop_front() {
            if job.request.encoding != Encoding::H264 {
                return Some(Task { place, job, video: None });
            }
            if !self.reserve_video(place.wid, VideoDecoder::expected_bytes(&job.request.coded())) {
                self.held.push_back((place, job));
                continue;
            }
            let video = self.lanes.get_mut(&place.wid).map(|lane| {
                lane.video_out = true;
                std::mem::take(&mut lane.video)
            });
            return Some(Task { place, job, video });
        }
        None
    }

    /// Takes a decoded draw in, and commits all that it kept waiting. The thread that calls asks
    /// for the next draw itself, so nobody needs to be woken for the video frame that may follow.
    pub fn finished(
        &mut self,
        place: Place,
        item: RenderItem,
        video: Option<VideoDecoder>,
        commit: &mut impl FnMut(RenderItem),
    ) {
        // INVARIANT: a lane lives until its last entry was committed.
        let lane = self.lanes.get_mut(&place.wid).expect("a task's lane exists");
        if let Some(video) = video {
            lane.video = video;
            // It waited longest: in front of what came later.
            lane.next_video().into_iter().for_each(|next| self.ready.push_front(next));
            self.video_used(place.wid);
        }
        // INVARIANT: as above.
        let lane = self.lanes.get_mut(&place.wid).expect("a task's lane exists");
        let index = usize::try_from(place.number - lane.first).unwrap_or(usize::MAX);
        if let Some(entry) = lane.entries.get_mut(index) {
            *entry = Some(item);
        }
        self.commit(place.wid, commit);
    }

    /// Takes the decoder of a frame that was painted. True if there is something new to decode, or to drop.
    pub fn take_back(&mut self, wid: WindowId, video: VideoDecoder) -> bool {
        let Some(lane) = self.lanes.get_mut(&wid) else { return false };
        if !lane.destroyed {
            lane.video = video;
        }
        let next = lane.next_video();
        next.into_iter().for_each(|next| self.ready.push_front(next));
        self.video_used(wid);
        self.forget_if_gone(wid);
        !self.ready.is_empty() || !self.outdated.is_empty()
    }

    /// The decoders that made room for others. To be dropped before the next task is carried out, and not while others
    /// wait for the lanes: it takes milliseconds.
    pub fn take_outdated(&mut self) -> Vec<VideoDecoder> {
        std::mem::take(&mut self.outdated)
    }

    /// These bounds hold from now on.
    pub fn set_bounds(&mut self, bounds: Bounds) {
        self.bounds = bounds;
    }

    /// Makes room for a stream of a window's that takes so many bytes. False if it has to wait for a decoder that is
    /// under way: one stream always goes on.
    fn reserve_video(&mut self, wid: WindowId, expected: u64) -> bool {
        let Some(had) = self.lanes.get(&wid).map(|lane| lane.video_bytes) else { return true };
        let grown = expected.saturating_sub(had);
        if grown == 0 {
            return true;
        }
        self.make_room(wid, grown);
        let others_are_out =
            || self.lanes.iter().any(|(other, lane)| *other != wid && lane.video_out && lane.video_bytes > 0);
        if self.video_bytes + grown > self.bounds.video_bytes() && others_are_out() {
            return false;
        }
        self.video_bytes += grown;
        if let Some(lane) = self.lanes.get_mut(&wid) {
            lane.video_bytes = expected;
        }
        true
    }

    /// A window's decoder came back. What was held for lack of room is looked at again.
    fn video_used(&mut self, wid: WindowId) {
        while let Some(held) = self.held.pop_back() {
            self.ready.push_front(held);
        }
        self.frames += 1;
        let Some(lane) = self.lanes.get_mut(&wid) else { return };
        lane.video_out = false;
        lane.last_frame = self.frames;
        let now = lane.video.memory_bytes();
        self.video_bytes = self.video_bytes.saturating_sub(lane.video_bytes) + now;
        lane.video_bytes = now;
        self.make_room(wid, 0);
    }

    /// While all decoders and `more` bytes take too much memory, those that rested longest begin anew, but not this
    /// window's: their next frame is refused unless it is a key frame, for which the server is asked by that. Last are
    /// those for which a frame waits.
    fn make_room(&mut self, wid: WindowId, more: u64) {
        while self.video_bytes + more > self.bounds.video_bytes() {
            let is_here = |lane: &Lane| lane.video_bytes > 0 && !lane.video_out;
            let here = self.lanes.iter_mut().filter(|(other, lane)| **other != wid && is_here(lane));
            let Some((wid, lane)) = here.min_by_key(|(_, lane)| (lane.video_busy, lane.last_frame)) else {
                return;
            };
            tracing::debug!(%wid, bytes = lane.video_bytes, "a video decoder begins anew");
            self.outdated.push(std::mem::take(&mut lane.video));
            self.video_bytes = self.video_bytes.saturating_sub(std::mem::take(&mut lane.video_bytes));
        }
    }

    fn commit(&mut self, wid: WindowId, commit: &mut impl FnMut(RenderItem)) {
        let Some(lane) = self.lanes.get_mut(&wid) else { return };
        while let Some(item) = lane.entries.front_mut().and_then(Option::take) {
            lane.entries.pop_front();
            lane.first += 1;
            lane.destroyed = matches!(item, RenderItem::Backing { update: BackingUpdate::Destroy, .. });
            commit(item);
        }
        self.forget_if_gone(wid);
    }

    fn forget_if_gone(&mut self, wid: WindowId) {
        let gone = |lane: &Lane| lane.destroyed && lane.entries.is_empty() && !lane.video_busy;
        if self.lanes.get(&wid).is_some_and(gone)
            && let Some(lane) = self.lanes.remove(&wid)
        {
            self.video_bytes = self.video_bytes.saturating_sub(lane.video_bytes);
        }
    }
}

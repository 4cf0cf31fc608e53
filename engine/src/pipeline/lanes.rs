//! Which draw is decoded next, and what may be committed: order per window.

use std::collections::{HashMap, VecDeque};

use crate::channel::{BackingUpdate, DrawJob, RenderItem};
use crate::codec::{Coded, VideoDecoder};
use crate::protocol::Bounds;
use crate::protocol::packet::WindowId;
use crate::protocol::packet::draw::Encoding;

/// A place in a window's order.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    wid: WindowId,
    number: u64,
    /// The number among the draws of all windows.
    arrival: u64,
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
    /// Draws that arrived so far.
    arrived: u64,
    /// What waits for no other draw of its window, in order of arrival.
    ready: VecDeque<(Place, DrawJob)>,
    /// A stream that begins was without room, and since then there was always something ready.
    was_full: bool,
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
    frame: Frame,
    /// Here unless it is out, see [`Frame`].
    video: VideoDecoder,
    /// What it takes of memory, as of its last frame, or will take for the stream that begins.
    video_bytes: u64,
    /// The number of that frame.
    last_frame: u64,
    /// What was committed last is the end of the window.
    destroyed: bool,
}

/// Where the video frame is that a window decodes. There is one at a time, for it needs the window's decoder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Frame {
    /// There is none.
    #[default]
    None,
    /// It is ready; the decoder is here.
    Ready,
    /// It is in a decode thread, or not painted yet, and the decoder is with it.
    Out,
}

impl Lane {
    fn is_out(&self) -> bool {
        self.frame == Frame::Out
    }
}

impl Lanes {
    /// Takes a draw in. True if there is something new to decode.
    pub fn draw(&mut self, job: DrawJob) -> bool {
        let place = self.reserve(job.request.wid);
        if job.request.encoding == Encoding::H264 {
            let lane = self.lanes.entry(place.wid).or_default();
            if lane.frame != Frame::None {
                lane.video_waiting.push_back((place, job));
                return false;
            }
            lane.frame = Frame::Ready;
        }
        self.ready.push_back((place, job));
        true
    }

    /// Takes the place of a draw, for [`Lanes::finished`].
    pub fn reserve(&mut self, wid: WindowId) -> Place {
        self.arrived += 1;
        let lane = self.lanes.entry(wid).or_default();
        let number = lane.first + lane.entries.len() as u64;
        lane.entries.push_back(None);
        Place { wid, number, arrival: self.arrived }
    }

    /// Takes a change of a backing in, and commits it if nothing is before it.
    pub fn backing(&mut self, wid: WindowId, update: BackingUpdate, commit: &mut impl FnMut(RenderItem)) {
        let lane = self.lanes.entry(wid).or_default();
        lane.entries.push_back(Some(RenderItem::Backing { wid, update }));
        self.commit(wid, commit);
    }

    /// The next draw to decode. A stream for which there is no room waits for decoders that are out, and all video
    /// that came later waits with it: so it has its turn.
    pub fn next(&mut self) -> Option<Task> {
        let mut full = false;
        for index in 0..self.ready.len() {
            let Some((place, job)) = self.ready.get(index) else { break };
            let wid = place.wid;
            let is_video = job.request.encoding == Encoding::H264;
            if is_video {
                // What waits behind a full house is not looked into.
                full = full
                    || !self.reserve_video(wid, VideoDecoder::expected_bytes(&Coded::from(&job.request)));
                if full {
                    self.was_full = true;
                    continue;
                }
            }
            let Some((place, job)) = self.ready.remove(index) else { break };
            let lane = self.lanes.get_mut(&wid).filter(|_| is_video);
            let video = lane.map(|lane| {
                lane.frame = Frame::Out;
                std::mem::take(&mut lane.video)
            });
            return Some(Task { place, job, video });
        }
        self.was_full = full;
        None
    }

    /// Whether another thread is to look for something to decode: what waited for room came without a call of
    /// [`Lanes::draw`] or [`Lanes::take_back`] that said so.
    pub fn is_waiting(&self) -> bool {
        self.was_full && !self.ready.is_empty()
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
        if let Some(video) = video {
            self.is_back(place.wid, video);
        }
        // INVARIANT: a lane lives until its last entry was committed.
        let lane = self.lanes.get_mut(&place.wid).expect("a task's lane exists");
        let index = usize::try_from(place.number - lane.first).unwrap_or(usize::MAX);
        if let Some(entry) = lane.entries.get_mut(index) {
            *entry = Some(item);
        }
        self.commit(place.wid, commit);
    }

    /// Takes the decoder of a frame that was painted. True if there is something new to decode, or to drop.
    pub fn take_back(&mut self, wid: WindowId, video: VideoDecoder) -> bool {
        let gone = self.lanes.get(&wid).is_none_or(|lane| lane.destroyed);
        self.is_back(wid, if gone { VideoDecoder::default() } else { video });
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
            || self.lanes.iter().any(|(other, lane)| *other != wid && lane.is_out() && lane.video_bytes > 0);
        if self.video_bytes + grown > self.bounds.video_bytes() && others_are_out() {
            return false;
        }
        self.video_bytes += grown;
        if let Some(lane) = self.lanes.get_mut(&wid) {
            lane.video_bytes = expected;
        }
        true
    }

    /// A window's decoder came back: its next frame may be decoded.
    fn is_back(&mut self, wid: WindowId, video: VideoDecoder) {
        self.frames += 1;
        let Some(lane) = self.lanes.get_mut(&wid) else { return };
        lane.last_frame = self.frames;
        let now = video.memory_bytes();
        lane.video = video;
        self.video_bytes = self.video_bytes.saturating_sub(lane.video_bytes) + now;
        lane.video_bytes = now;
        lane.frame = Frame::None;
        if let Some(next) = lane.video_waiting.pop_front() {
            lane.frame = Frame::Ready;
            let earlier = self.ready.partition_point(|(place, _)| place.arrival < next.0.arrival);
            self.ready.insert(earlier, next);
        }
        self.make_room(wid, 0);
    }

    /// While all decoders and `more` bytes take too much memory, those that rested longest begin anew, but not this
    /// window's: their next frame is refused unless it is a key frame, for which the server is asked by that. Last are
    /// those for which a frame waits.
    fn make_room(&mut self, wid: WindowId, more: u64) {
        while self.video_bytes + more > self.bounds.video_bytes() {
            let is_here = |lane: &Lane| lane.video_bytes > 0 && !lane.is_out();
            let here = self.lanes.iter_mut().filter(|(other, lane)| **other != wid && is_here(lane));
            let Some((wid, lane)) = here.min_by_key(|(_, lane)| (lane.frame, lane.last_frame)) else {
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
        let gone = |lane: &Lane| lane.destroyed && lane.entries.is_empty() && lane.frame == Frame::None;
        if self.lanes.get(&wid).is_some_and(gone)
            && let Some(lane) = self.lanes.remove(&wid)
        {
            self.video_bytes = self.video_bytes.saturating_sub(lane.video_bytes);
        }
    }
}

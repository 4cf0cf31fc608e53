//! How many frames of a video are shown.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::bench::peers::clients::Xpra;
use crate::bench::peers::screen::{Place, Screen};
use crate::bench::peers::{Client, Error};
use crate::channel::clock;
use crate::geometry::Size;

use super::program::{Act, BITS, Program, SQUARE};
use super::server::Server;
use super::{Attached, median};

/// The server takes this long to see that it is a video.
const WARM_UP: Duration = Duration::from_secs(5);
/// How often the frame's number is read.
const STEP: Duration = Duration::from_millis(2);

/// A film, and how busy the machine is otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Film {
    Small,
    Large,
    SmallLoaded,
    LargeLoaded,
}

impl Film {
    pub const ALL: [Self; 4] = [Self::Small, Self::Large, Self::SmallLoaded, Self::LargeLoaded];

    /// What it is.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Small => "640 × 480, 60 a second",
            Self::Large => "1920 × 1080, 30 a second",
            Self::SmallLoaded => "640 × 480, 60 a second, all cores busy",
            Self::LargeLoaded => "1920 × 1080, 30 a second, all cores busy",
        }
    }

    const fn size(self) -> Size {
        match self {
            Self::Small | Self::SmallLoaded => Size { width: 640, height: 480 },
            Self::Large | Self::LargeLoaded => Size { width: 1920, height: 1080 },
        }
    }

    const fn rate(self) -> u32 {
        match self {
            Self::Small | Self::SmallLoaded => 60,
            Self::Large | Self::LargeLoaded => 30,
        }
    }

    /// Every core is kept busy by something else.
    pub const fn is_loaded(self) -> bool {
        matches!(self, Self::SmallLoaded | Self::LargeLoaded)
    }
}

/// What became of one film, in each run.
#[derive(Clone, Debug)]
pub struct Shown {
    pub film: Film,
    /// Frames a second.
    pub rates: Vec<f64>,
    /// Processor time of the client for each second, in seconds.
    pub cpu: Vec<f64>,
    pub refused: usize,
}

impl Shown {
    /// Frames a second, of the run in the middle.
    pub fn rate(&self) -> f64 {
        median(&self.rates).unwrap_or(0.0)
    }

    /// Processor time a second, of the run in the middle.
    pub fn cpu(&self) -> f64 {
        median(&self.cpu).unwrap_or(0.0)
    }
}

/// Shows a film for this time, and adds what was seen to `films`.
pub(super) fn measure(
    xpra: &Xpra,
    client: &Client,
    film: Film,
    time: Duration,
    films: &mut Vec<Shown>,
) -> Result<(), Error> {
    let server = Server::start(xpra, &[])?;
    let _program = Program::start(server.display(), film.size(), Act::Film { rate: film.rate() })?;
    let attached = Attached::start(&server.url(), client, film.size())?;
    let _load = film.is_loaded().then(Load::start).transpose()?;
    std::thread::sleep(WARM_UP);
    let cpu = attached.client.cpu();
    let (begin, mut last, mut frames) = (clock::now(), number(&attached.screen, attached.place)?, 0_u32);
    while clock::now() - begin < time {
        let now = number(&attached.screen, attached.place)?;
        frames += u32::from(now != last);
        last = now;
        std::thread::sleep(STEP);
    }
    let seconds = (clock::now() - begin).as_secs_f64();
    let cpu = (attached.client.cpu().saturating_sub(cpu)).as_secs_f64() / seconds;
    let index = films.iter().position(|shown| shown.film == film).unwrap_or_else(|| {
        films.push(Shown { film, rates: Vec::new(), cpu: Vec::new(), refused: 0 });
        films.len() - 1
    });
    if let Some(shown) = films.get_mut(index) {
        shown.rates.push(f64::from(frames) / seconds);
        shown.cpu.push(cpu);
        shown.refused += server.refused();
    }
    Ok(())
}

/// The number that the frame on the screen carries.
pub(super) fn number(screen: &Screen, place: Place) -> Result<u32, Error> {
    let offset = i16::try_from(SQUARE / 2).unwrap_or(0);
    let row =
        Place { y: place.y.saturating_add(offset), size: Size { width: BITS * SQUARE, height: 1 }, ..place };
    let pixels = screen.pixels(row)?.rgba;
    let middles = pixels.chunks_exact(4 * SQUARE as usize).map(|square| square.get(2 * SQUARE as usize + 1));
    let bits = middles.map(|green| u32::from(green.is_some_and(|green| *green > 127)));
    Ok(bits.enumerate().map(|(bit, value)| value << bit).sum())
}

/// Threads that compute for nothing, one a core.
struct Load(Arc<AtomicBool>);

impl Load {
    fn start() -> Result<Self, Error> {
        let stop = Arc::new(AtomicBool::new(false));
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        for _ in 0..cores {
            let stop = Arc::clone(&stop);
            let work = move || {
                while !stop.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            };
            let thread = std::thread::Builder::new().name("farpane-bench-load".to_owned()).spawn(work);
            thread.map_err(|why| Error::Screen(why.to_string()))?;
        }
        Ok(Self(stop))
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

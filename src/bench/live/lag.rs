//! From a key press to the pixels that the program drew because of it.

use std::time::Duration;

use crate::bench::peers::clients::Xpra;
use crate::bench::peers::{Client, Error};
use crate::channel::clock;
use crate::geometry::Size;

use super::program::{Act, Program};
use super::server::Server;
use super::{Attached, percentile};

/// Presses a second.
pub const RATES: [u32; 3] = [4, 10, 30];
/// The window that flips.
pub(super) const WINDOW: Size = Size { width: 400, height: 300 };
/// The key `a`.
pub(super) const KEY: u8 = 38;
/// Presses before those that count, at the slowest rate: the client has come to rest by then.
const WARM_UP: u32 = 4;
/// An answer that takes longer is missing.
const LIMIT: Duration = Duration::from_secs(2);

/// The answers to presses at one rate, of all runs.
#[derive(Clone, Debug, Default)]
pub struct Lag {
    /// Presses a second.
    pub rate: u32,
    /// From press to pixel, sorted.
    pub times: Vec<Duration>,
    /// Presses without an answer.
    pub missing: u32,
    pub refused: usize,
}

impl Lag {
    /// The time within which so many percent are answered.
    pub fn percentile(&self, percent: usize) -> Duration {
        percentile(&self.times, percent)
    }
}

/// Presses keys at each rate, and adds the answers to `lags`.
pub(super) fn measure(
    xpra: &Xpra,
    client: &Client,
    presses: u32,
    lags: &mut Vec<Lag>,
    say: &mut impl FnMut(&str),
) -> Result<(), Error> {
    let server = Server::start(xpra, &[])?;
    let _program = Program::start(server.display(), WINDOW, Act::Flip)?;
    let attached = Attached::start(&server.url(), client, WINDOW)?;
    ready(&attached, client)?;
    for rate in RATES {
        say(&format!("{presses} presses, {rate} a second"));
        let every = Duration::from_secs(1) / rate;
        let before = server.refused();
        let mut times = Vec::new();
        let mut missing = 0;
        let mut next = clock::now() + every;
        for press in 0..presses + WARM_UP {
            std::thread::sleep(next.saturating_duration_since(clock::now()));
            let time = answer(&attached, LIMIT)?;
            if press >= WARM_UP {
                missing += u32::from(time.is_none());
                times.extend(time);
            }
            next = clock::now().max(next + every);
        }
        let index = lags.iter().position(|lag| lag.rate == rate).unwrap_or_else(|| {
            lags.push(Lag { rate, ..Lag::default() });
            lags.len() - 1
        });
        if let Some(lag) = lags.get_mut(index) {
            lag.times.extend(times);
            lag.times.sort_unstable();
            lag.missing += missing;
            lag.refused += server.refused() - before;
        }
    }
    Ok(())
}

/// Waits for the first answer: the client is there in full then, and has the keyboard.
pub(super) fn ready(attached: &Attached, client: &Client) -> Result<(), Error> {
    let ready = clock::now() + super::PATIENCE;
    while answer(attached, LIMIT)?.is_none() {
        attached.screen.focus(attached.place)?;
        if clock::now() > ready {
            return Err(Error::Client { name: client.name.clone(), why: "no key gets through".to_owned() });
        }
    }
    Ok(())
}

/// Presses the key once, and waits for the other colour, for so long.
pub(super) fn answer(attached: &Attached, limit: Duration) -> Result<Option<Duration>, Error> {
    let is_white = || Ok::<_, Error>(attached.brightness(WINDOW.width / 2, WINDOW.height / 2)? > 127);
    let before = is_white()?;
    let pressed = clock::now();
    attached.screen.press(KEY)?;
    while is_white()? == before {
        if !attached.changes.wait(pressed + limit) {
            return Ok(None);
        }
    }
    Ok(Some(clock::now() - pressed))
}

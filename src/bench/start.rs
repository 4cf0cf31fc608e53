//! `farpane bench start`: how long after its start the program shows the connect window.
//!
//! Each run starts this program without a session, with an empty home, on an Xvfb without a window
//! manager, and looks at the screen until words can be seen in the window.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::channel::clock;
use crate::geometry::Size;
use crate::ui::connect::CONNECT_SIZE;

use super::peers::Error;
use super::peers::process::Tree;
use super::peers::screen::{Place, Screen};

/// Goal for the median, with the renderer that needs no GPU.
pub const GOAL: Duration = Duration::from_millis(300);
const SCREEN: Size = Size { width: 1920, height: 1080 };
/// How often the screen is looked at: the error of a figure.
const STEP: Duration = Duration::from_millis(2);
/// Words have edges in more colours than panels and buttons alone.
const COLOURS: usize = 32;
/// A start that takes longer has failed.
const PATIENCE: Duration = Duration::from_secs(30);

/// One start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Start {
    /// Until the window was on the screen, empty.
    pub mapped: Duration,
    /// Until there were words in it.
    pub painted: Duration,
    /// Processor time of all threads until then, in the kernel's ticks.
    pub cpu: Duration,
}

/// Starts `program`, or else this one, `runs` times with this renderer, `cpu` or `wgpu`. The first run, which
/// reads it from disk, is not in the result.
///
/// # Errors
/// If Xvfb or the program does not start, or no window is shown.
pub fn run(program: Option<&Path>, renderer: &str, runs: u32) -> Result<Vec<Start>, Error> {
    let own = || std::env::current_exe().map_err(|why| Error::Program { name: "farpane".into(), why });
    let program = program.map_or_else(own, |program| Ok(program.to_owned()))?;
    let command = [
        program.to_string_lossy().into_owned(),
        "--renderer".to_owned(),
        renderer.to_owned(),
        "--greeting=no".to_owned(),
    ];
    let screen = Screen::start(SCREEN)?;
    let environment = [("DISPLAY".to_owned(), screen.name().to_owned())];
    start(&screen, &command, &environment)?;
    (0..runs).map(|_| start(&screen, &command, &environment)).collect()
}

/// The starts as lines of text.
pub fn table(starts: &[Start]) -> String {
    let line = |name: &str, of: fn(&Start) -> Duration| {
        let mut times: Vec<f64> = starts.iter().map(|start| of(start).as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        let at = |index: usize| times.get(index).copied().unwrap_or_default();
        let last = times.len().saturating_sub(1);
        format!("{name:<24}{:>9.0} ms{:>9.0} ms{:>9.0} ms\n", at(0), at(last / 2), at(last))
    };
    let mut text = format!("{:<24}{:>12}{:>12}{:>12}\n", "connect window", "least", "median", "most");
    text += &line("on the screen, empty", |start| start.mapped);
    text += &line("with words in it", |start| start.painted);
    text += &line("processor time", |start| start.cpu);
    text + &format!("goal for words on the CPU renderer: {} ms\n", GOAL.as_millis())
}

fn start(screen: &Screen, command: &[String], environment: &[(String, String)]) -> Result<Start, Error> {
    let size = Size { width: CONNECT_SIZE.0, height: CONNECT_SIZE.1 };
    let began = clock::now();
    let mut tree = Tree::start("start", command, environment)?;
    let place: Place = eventually(&mut tree, began, || screen.find(size))?;
    let mapped = began.elapsed();
    eventually(&mut tree, began, || has_words(screen, place).then_some(()))?;
    let painted = began.elapsed();
    let cpu = tree.cpu();
    drop(tree);
    // The next one's window is not to be mistaken for this one's.
    while screen.find(size).is_some() {
        std::thread::sleep(STEP);
    }
    Ok(Start { mapped, painted, cpu })
}

/// Whether that many colours can be seen there.
fn has_words(screen: &Screen, place: Place) -> bool {
    let Ok(pixels) = screen.pixels(place) else { return false };
    let mut colours: Vec<&[u8]> = Vec::with_capacity(COLOURS);
    pixels.rgba.chunks_exact(4).any(|pixel| {
        if !colours.contains(&pixel) {
            colours.push(pixel);
        }
        colours.len() == COLOURS
    })
}

fn eventually<T>(tree: &mut Tree, began: Instant, mut look: impl FnMut() -> Option<T>) -> Result<T, Error> {
    loop {
        if let Some(seen) = look() {
            return Ok(seen);
        }
        if tree.exited().is_some() || began.elapsed() > PATIENCE {
            return Err(Error::Screen(format!("no connect window; the program said: {}", tree.log())));
        }
        std::thread::sleep(STEP);
    }
}

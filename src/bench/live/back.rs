//! `farpane bench reconnect`: how long after its server can be reached again a session is live again.
//!
//! The way to the server is shut ([`Door`]), the session's programs paint something else meanwhile, the way is opened
//! some time later, and the screen is looked at until each window shows what its program painted.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::bench::peers::clients::Xpra;
use crate::bench::peers::process::Tree;
use crate::bench::peers::screen::{Place, Screen};
use crate::bench::peers::{Client, Error};
use crate::channel::clock;
use crate::geometry::Size;

use super::door::Door;
use super::program::{Act, COLOURS, Program};
use super::server::Server;
use super::{PATIENCE, SCREEN, median};

/// Until all windows of a session of [`WINDOWS`] are live.
pub const GOAL: Duration = Duration::from_millis(300);
pub const WINDOWS: u32 = 20;
/// How long the way is shut: Farpane tries each of its first times in vain.
const SHUT: Duration = Duration::from_secs(3);
/// How long all is well before that: Farpane comes back more slowly to who drops it at once.
const CALM: Duration = Duration::from_secs(1);
/// How often the screen is looked at: what a figure may be off by, beside the looking itself.
const LOOK: Duration = Duration::from_millis(2);
/// What compression may change.
const LOSS: u8 = 12;
/// Windows in a row, and from the corner of one to that of the next.
const COLUMNS: u32 = 5;
const STEP: (u32, u32) = (420, 300);

/// What to measure.
#[derive(Clone, Debug)]
pub struct Plan {
    pub windows: u32,
    /// How often the way is shut.
    pub times: u32,
    /// Only servers whose versions contain one of these; empty: all.
    pub servers: Vec<String>,
}

/// Farpane on one server.
#[derive(Clone, Debug)]
pub struct Return {
    pub server: String,
    /// What each time took, or why there is none.
    pub times: Result<Vec<Took>, String>,
}

/// One return.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// From the way's opening until somebody came: what is left of the pause between two attempts.
    pub coming: Duration,
    /// From then until all windows were live.
    pub living: Duration,
}

/// Measures everything. `progress` is told what is being done.
///
/// # Errors
/// If there is no Xvfb, or a server does not start.
pub fn run(plan: &Plan, mut progress: impl FnMut(&str)) -> Result<Vec<Return>, Error> {
    let farpane = Client::farpane("cpu")?;
    let mut rows = Vec::new();
    for xpra in Xpra::installed().iter().filter(|xpra| xpra.is_wanted(&plan.servers)) {
        progress(&format!("server {}: {} windows", xpra.version, plan.windows));
        let times = match measure(xpra, &farpane, plan) {
            Ok(times) => Ok(times),
            Err(Error::Client { why, .. }) => Err(why),
            Err(other) => return Err(other),
        };
        rows.push(Return { server: xpra.version.clone(), times });
    }
    Ok(rows)
}

/// The returns as lines of text.
pub fn table(plan: &Plan, rows: &[Return]) -> String {
    let mut text = format!(
        "{:<10}{:>10}{:>30}\n{:<10}{:>10}{:>10}{:>10}{:>10}\n",
        "server", "it came", "live, from then on", "", "median", "least", "median", "most"
    );
    for row in rows {
        let times = match &row.times {
            Ok(times) => {
                let sorted = |of: fn(&Took) -> Duration| {
                    let mut sorted: Vec<Duration> = times.iter().map(of).collect();
                    sorted.sort_unstable();
                    sorted
                };
                let (coming, living) = (sorted(|took| took.coming), sorted(|took| took.living));
                let shown =
                    [median(&coming), living.first().copied(), median(&living), living.last().copied()];
                let ms = |time: Option<Duration>| time.unwrap_or_default().as_secs_f64() * 1e3;
                shown.map(|time| format!("{:>7.0} ms", ms(time))).join("")
            }
            Err(why) => format!("  {why}"),
        };
        text += &format!("{:<10}{times}\n", row.server);
    }
    text + &format!(
        "{} windows; the way was shut for {} s. Goal with {WINDOWS}, from when it came: {} ms\n",
        plan.windows,
        SHUT.as_secs(),
        GOAL.as_millis()
    )
}

fn measure(xpra: &Xpra, client: &Client, plan: &Plan) -> Result<Vec<Took>, Error> {
    let failed = |why: std::io::Error| Error::Client { name: client.name.clone(), why: why.to_string() };
    let server = Server::start(xpra, &[])?;
    let sizes: Vec<Size> =
        (0..plan.windows).map(|index| Size { width: 310 + 4 * index, height: 150 }).collect();
    let mut programs = Vec::new();
    for (index, size) in (0..).zip(&sizes) {
        let at = |offset: u32| i16::try_from(offset).unwrap_or(0);
        let place = (at(20 + index % COLUMNS * STEP.0), at(20 + index / COLUMNS * STEP.1));
        programs.push(Program::start_at(server.display(), place, *size, Act::Colours)?);
    }
    let mut door = Door::open_to(server.port()).map_err(failed)?;
    let screen = Screen::start(SCREEN)?;
    let display = ("DISPLAY".to_owned(), screen.name().to_owned());
    // As people have one: it takes its time too.
    let _manager = Tree::start("openbox", &["openbox".to_owned()], std::slice::from_ref(&display))?;
    let mut environment = client.environment.clone();
    environment.push(display);
    let mut tree = Tree::start("client", &client.command_for(&door.url()), &environment)?;
    let mut colours = COLOURS.into_iter().cycle();
    let mut paint = || {
        programs.iter().try_for_each(Program::act)?;
        Ok::<_, Error>(colours.next().unwrap_or_default())
    };
    let colour = paint()?;
    let lines = lines(&screen, &mut tree, client, &sizes)?;
    live(&screen, &mut tree, client, &lines, colour)?;
    let mut times = Vec::new();
    for _ in 0..plan.times {
        std::thread::sleep(CALM);
        door.shut();
        let colour = paint()?;
        std::thread::sleep(SHUT);
        let opened = clock::now();
        door.open().map_err(failed)?;
        live(&screen, &mut tree, client, &lines, colour)?;
        let now = clock::now();
        let came = door.came().unwrap_or(now);
        times.push(Took { coming: came - opened, living: now - came });
    }
    Ok(times)
}

/// The lines of the screen through the middles of windows, and how much of each is theirs: from when there is one of each size.
fn lines(
    screen: &Screen,
    tree: &mut Tree,
    client: &Client,
    sizes: &[Size],
) -> Result<Vec<(Place, usize)>, Error> {
    let places: Vec<Place> =
        eventually(tree, client, || sizes.iter().map(|size| screen.find(*size)).collect())?;
    let mut lines: BTreeMap<i16, (Place, usize)> = BTreeMap::new();
    for place in places {
        let y = place.y.saturating_add(i16::try_from(place.size.height / 2).unwrap_or(0));
        let line = Place { x: 0, y, size: Size { width: SCREEN.width, height: 1 }, ..place };
        lines.entry(y).or_insert((line, 0)).1 += place.size.width as usize;
    }
    Ok(lines.into_values().collect())
}

/// Waits until so much of these lines has this colour. (To look for windows among a window manager's takes longer than what
/// is measured.)
fn live(
    screen: &Screen,
    tree: &mut Tree,
    client: &Client,
    lines: &[(Place, usize)],
    colour: [u8; 3],
) -> Result<(), Error> {
    eventually(tree, client, || lines.iter().all(|line| shows(screen, *line, colour)).then_some(()))
}

fn eventually<T>(tree: &mut Tree, client: &Client, mut look: impl FnMut() -> Option<T>) -> Result<T, Error> {
    let until = clock::now() + PATIENCE;
    loop {
        if let Some(seen) = look() {
            return Ok(seen);
        }
        let ended = tree.exited().is_some();
        if ended || clock::now() > until {
            let why = if ended { "it ended" } else { "not all windows came back" };
            let said = tree.log();
            let why = format!("{why}: {}", said.lines().last().unwrap_or("it says nothing"));
            return Err(Error::Client { name: client.name.clone(), why });
        }
        std::thread::sleep(LOOK);
    }
}

/// Whether the line has as much of this colour, which is not that of darkened windows.
fn shows(screen: &Screen, (line, count): (Place, usize), colour: [u8; 3]) -> bool {
    let is_near =
        |pixel: &&[u8]| pixel.iter().zip(&colour).all(|(seen, wanted)| seen.abs_diff(*wanted) <= LOSS);
    let seen = screen.pixels(line).map_or(0, |pixels| pixels.rgba.chunks_exact(4).filter(is_near).count());
    // Compression changes more at edges.
    seen >= count - count / 20
}

//! The conversation about a window's geometry, against models of servers, window managers and users: it ends, nothing
//! wanders, and what the user did last is what counts. And where new windows go.

mod again;
mod disputes;
mod limits;
mod minimised;
mod pointer;

use std::time::{Duration, Instant};

use farpane::app::geometry::{Conversation, ECHO, SETTLE, Step};
use farpane::app::leaving::beside;
use farpane::app::place::{Geometry, Place, fitting};
use farpane::app::placement::{no_larger_than_screen, reachable};
use farpane::channel::{Scale, clock};
use farpane::desktop::{Frame, WindowFacts};
use farpane::geometry::{Point, Rect, Size};
use farpane::session::WindowState;
use farpane::session::windows::SizeLimits;
use proptest::prelude::*;

/// Where a server says that a window is, if it says.
type Position = Option<Point>;

const fn size(width: u32, height: u32) -> Size {
    Size { width, height }
}

const fn at(x: i32, y: i32, width: u32, height: u32) -> Geometry {
    Geometry { x, y, size: size(width, height) }
}

const START: Geometry = at(200, 150, 400, 300);

/// What users and programs do.
#[derive(Clone, Copy, Debug)]
enum Action {
    Move(i32, i32),
    Resize(u32, u32),
    Minimise,
    /// With the place at which the window manager shows it for a moment, if it animates that.
    Restore(Option<(i32, i32)>),
    ProgramResizes(u32, u32),
    ProgramMoves(i32, i32),
}

/// How servers behave.
#[derive(Clone, Copy, Debug)]
struct Server {
    /// Time to the server or back.
    latency: Duration,
    /// It echoes what it is told, so late.
    echo: Option<Duration>,
    /// It tells that windows which are not shown are in the corner.
    parks: bool,
    /// It counts resizes of its own: a configured geometry that was said without knowing the last one is void, a mapped
    /// one never is. 3.1 does, 6.5 does not.
    counts: bool,
}

/// Both ends of a conversation, and what is on its way.
struct World {
    now: Instant,
    talk: Conversation,
    /// The OS window, and whether it is shown.
    window: Geometry,
    shown: bool,
    /// Where an animation shows it, and until when.
    animated: Option<(Point, Instant)>,
    model: Server,
    server: Geometry,
    server_mapped: bool,
    /// What the session has: what either side said last.
    session: Geometry,
    /// To the server, to the viewer, to the window manager.
    up: Vec<(Instant, Step, u32)>,
    down: Vec<(Instant, Position, Size, u32)>,
    /// When the server says what it has then.
    echoes: Vec<Instant>,
    /// How often programs resized the window, and how much of that the viewer knows.
    resizes: u32,
    known_resizes: u32,
    wishes: Vec<(Instant, Step)>,
    /// The OS window changed, or a timer ran out: look.
    dirty: bool,
    /// When something was last told.
    told_at: Instant,
    told: usize,
}

impl World {
    fn new(model: Server) -> Self {
        let now = clock::now();
        let mut world = Self {
            now,
            talk: Conversation::new(Scale::ONE, START, SizeLimits::default(), false),
            window: START,
            shown: true,
            animated: None,
            model,
            server: START,
            session: START,
            server_mapped: false,
            up: Vec::new(),
            down: Vec::new(),
            echoes: Vec::new(),
            wishes: Vec::new(),
            dirty: true,
            told_at: now,
            told: 0,
            resizes: 0,
            known_resizes: 0,
        };
        world.run(Duration::from_secs(3));
        world
    }

    /// Lets time pass, 5 ms a step.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        while self.now < end {
            self.now += Duration::from_millis(5);
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now;
        if self.animated.is_some_and(|(_, until)| until <= now) {
            // No event tells of the end of an animation.
            self.animated = None;
        }
        for wish in due(&mut self.wishes, |wish| wish.0 <= now) {
            match wish.1 {
                Step::MoveTo { x, y } => (self.window.x, self.window.y) = (x, y),
                Step::Resize(size) => self.window.size = size,
                other => panic!("{other:?} is nothing for window managers"),
            }
            self.dirty = true;
        }
        for (_, step, known) in due(&mut self.up, |up| up.0 <= now) {
            self.server_hears(step, known == self.resizes);
        }
        for _ in due(&mut self.echoes, |echo| *echo <= now) {
            self.server_tells();
        }
        for (_, position, size, resizes) in due(&mut self.down, |down| down.0 <= now) {
            self.known_resizes = self.known_resizes.max(resizes);
            if let Some(Point { x, y }) = position {
                (self.session.x, self.session.y) = (x, y);
            }
            self.session.size = size;
            let mut steps = Vec::new();
            self.talk.server_says(now, position, size, &mut steps);
            self.take(&steps);
        }
        self.dirty |= self.talk.is_due(now);
        if std::mem::take(&mut self.dirty) {
            let position = self.animated.map_or(self.window.corner(), |(place, _)| place);
            let facts = WindowFacts {
                position: Some(position),
                size: self.window.size,
                state: WindowState { iconified: !self.shown, ..WindowState::default() },
                shown: self.shown,
            };
            let mut steps = Vec::new();
            self.talk.observe(now, &facts, &mut steps);
            self.take(&steps);
        }
    }

    fn take(&mut self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::MoveTo { .. } | Step::Resize(_) => {
                    self.wishes.push((self.now + Duration::from_millis(20), *step));
                }
                step => {
                    let step = match *step {
                        Step::TellMapped(geometry) => {
                            self.session = geometry;
                            Step::TellMapped(geometry)
                        }
                        Step::TellConfigured(geometry, state) => {
                            // The session itself tells no geometry twice.
                            if self.session == geometry {
                                continue;
                            }
                            self.session = geometry;
                            Step::TellConfigured(geometry, state)
                        }
                        Step::TellAgain(geometry) => {
                            self.session = geometry;
                            Step::TellConfigured(geometry, WindowState::default())
                        }
                        step => step,
                    };
                    (self.told_at, self.told) = (self.now, self.told + 1);
                    self.up.push((self.now + self.model.latency, step, self.known_resizes));
                }
            }
        }
    }

    fn server_hears(&mut self, step: Step, is_fresh: bool) {
        let arrives = self.now + self.model.latency;
        match step {
            Step::TellMapped(geometry) => {
                self.server_mapped = true;
                self.hears_geometry(geometry);
            }
            Step::TellConfigured(geometry, _) if is_fresh || !self.model.counts => {
                self.hears_geometry(geometry)
            }
            Step::TellConfigured(..) => {}
            Step::TellUnmapped { .. } => {
                self.server_mapped = false;
                if self.model.parks {
                    self.down.push((arrives, Some(Point::default()), self.server.size, self.resizes));
                }
            }
            other => panic!("{other:?} is nothing for servers"),
        }
    }

    fn hears_geometry(&mut self, geometry: Geometry) {
        if self.server == geometry {
            return;
        }
        self.server = geometry;
        self.echoes.extend(self.model.echo.map(|echo| self.now + echo));
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Move(x, y) if self.shown => (self.window.x, self.window.y) = (x, y),
            Action::Resize(width, height) if self.shown => self.window.size = size(width, height),
            Action::Minimise => {
                self.shown = false;
                self.dirty = true;
                // Nobody restores it between two looks.
                self.step();
            }
            Action::Restore(place) if !self.shown => {
                self.shown = true;
                self.animated = place.map(|(x, y)| (Point::new(x, y), self.now + Duration::from_millis(150)));
            }
            Action::ProgramResizes(width, height) => {
                self.server.size = size(width, height);
                self.resizes += 1;
                self.server_tells();
                return;
            }
            Action::ProgramMoves(x, y) => {
                (self.server.x, self.server.y) = (x, y);
                self.server_tells();
                return;
            }
            _ => return,
        }
        self.dirty = true;
    }

    fn server_tells(&mut self) {
        let parked = !self.server_mapped && self.model.parks;
        let position = if parked { Point::default() } else { self.server.corner() };
        self.down.push((self.now + self.model.latency, Some(position), self.server.size, self.resizes));
    }
}

fn due<T>(items: &mut Vec<T>, is_due: impl Fn(&T) -> bool) -> Vec<T> {
    let (now, later) = std::mem::take(items).into_iter().partition(is_due);
    *items = later;
    now
}

fn any_server() -> impl Strategy<Value = Server> {
    let latency = (0_u64..120).prop_map(Duration::from_millis);
    let echo = proptest::option::of((0_u64..250).prop_map(Duration::from_millis));
    (latency, echo, any::<bool>(), any::<bool>()).prop_map(|(latency, echo, parks, counts)| Server {
        latency,
        echo,
        parks,
        counts,
    })
}

fn user_action() -> impl Strategy<Value = Action> {
    let place = || (-100_i32..1500, -20_i32..900);
    prop_oneof![
        4 => place().prop_map(|(x, y)| Action::Move(x, y)),
        3 => (50_u32..900, 50_u32..700).prop_map(|(width, height)| Action::Resize(width, height)),
        2 => Just(Action::Minimise),
        3 => proptest::option::of(place()).prop_map(Action::Restore),
    ]
}

fn any_action() -> impl Strategy<Value = Action> {
    prop_oneof![
        5 => user_action(),
        1 => (50_u32..900, 50_u32..700).prop_map(|(width, height)| Action::ProgramResizes(width, height)),
        1 => (-100_i32..1500, -20_i32..900).prop_map(|(x, y)| Action::ProgramMoves(x, y)),
    ]
}

/// With the time before each.
fn timed<T: std::fmt::Debug>(action: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<(u64, T)>> {
    proptest::collection::vec((0_u64..700, action), 0..40)
}

/// Longer than anything that is waited for.
const QUIET: Duration = Duration::from_secs(3);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// However server, window manager, program and user interleave: in the end all is said, and both sides agree.
    #[test]
    fn conversations_end_in_agreement(model in any_server(), actions in timed(any_action())) {
        let mut world = World::new(model);
        for (wait, action) in actions {
            world.run(Duration::from_millis(wait));
            world.act(action);
        }
        world.act(Action::Restore(None));
        world.run(QUIET + ECHO + SETTLE);
        prop_assert!(world.now.duration_since(world.told_at) > SETTLE, "they still answer each other");
        prop_assert_eq!(world.server, world.window);
        let told = world.told;
        world.run(QUIET);
        prop_assert_eq!(world.told, told);
    }

    /// Echoes, parked and animated windows included: where the user put the window last is where it is, here and there.
    #[test]
    fn what_the_user_did_last_counts(model in any_server(), actions in timed(user_action())) {
        let mut world = World::new(model);
        let mut wish = START;
        for (wait, action) in actions {
            world.run(Duration::from_millis(wait));
            match action {
                Action::Move(x, y) if world.shown => (wish.x, wish.y) = (x, y),
                Action::Resize(width, height) if world.shown => wish.size = size(width, height),
                _ => {}
            }
            world.act(action);
        }
        world.act(Action::Restore(Some((700, 950))));
        world.run(QUIET + ECHO + SETTLE);
        prop_assert_eq!(world.window, wish);
        prop_assert_eq!(world.server, wish);
    }

    /// Sizes between two steps become the smaller one; sizes that fit stay.
    #[test]
    fn sizes_fit_the_steps(
        width in 1_u32..3000, height in 1_u32..3000, base in 0_u32..40, step in 1_u32..40, min in 1_u32..60,
    ) {
        let limits = SizeLimits {
            min: Some(size(min + base, min + base)),
            base: Some(size(base, base)).filter(|_| base > 0),
            increment: Some(size(step, step)),
            max: None,
        };
        let fits = fitting(size(width, height), limits);
        prop_assert_eq!(fitting(fits, limits), fits);
        for (wanted, got) in [(width, fits.width), (height, fits.height)] {
            let wanted = wanted.max(min + base);
            prop_assert!((got - base).is_multiple_of(step) || got == 1, "{got}");
            prop_assert!(got <= wanted && wanted - got < step, "{got} of {wanted}");
        }
    }

    /// The pointer goes to a free point, the nearest one.
    #[test]
    fn the_point_beside_is_free(
        x in -50_i32..150, y in -50_i32..150,
        taken in proptest::collection::vec((-20_i32..110, -20_i32..110, 1_u32..120, 1_u32..120), 0..6),
    ) {
        let taken: Vec<Rect> =
            taken.into_iter().map(|(x, y, width, height)| Rect { x, y, width, height }).collect();
        let is_taken = |Point { x, y }: Point| taken.iter().any(|rect| {
            x >= rect.x && y >= rect.y && x < rect.x + rect.width as i32 && y < rect.y + rect.height as i32
        });
        let from = Point::new(x.clamp(0, 99), y.clamp(0, 79));
        let distance = |at: Point| (at.x - from.x).pow(2) + (at.y - from.y).pow(2);
        let all = (0..80).flat_map(|y| (0..100).map(move |x| Point::new(x, y)));
        let nearest = all.filter(|point| !is_taken(*point)).map(distance).min();
        let found = beside(Point::new(x, y), &taken, size(100, 80));
        prop_assert!(found.is_none_or(|point| !is_taken(point)));
        prop_assert_eq!(found.map(distance), nearest);
    }

    /// A new window can be taken by its title bar, and one that can be is left where it is.
    #[test]
    fn new_windows_can_be_reached(
        x in -5000_i32..9000, y in -5000_i32..9000, width in 1_u32..5000, height in 1_u32..5000,
        frame in (0_i32..10, 0_i32..40), is_known in any::<bool>(),
    ) {
        let frame = Frame { left: frame.0, right: frame.0, top: frame.1, bottom: frame.0 };
        let areas = [
            Rect { x: 0, y: 30, width: 1600, height: 970 },
            Rect { x: 1600, y: 0, width: 1280, height: 1024 },
        ];
        let placed = reachable(Point::new(x, y), size(width, height), frame, &areas, is_known);
        let outer = (placed.x - frame.left, placed.y - frame.top);
        let is_within = |area: &Rect| {
            let right = area.x + area.width as i32;
            let visible = right.min(outer.0 + width as i32 + 2 * frame.left) - area.x.max(outer.0);
            outer.1 >= area.y && outer.1 <= area.y + area.height as i32 - 20.min(height as i32)
                && visible >= 90.min(width as i32)
        };
        prop_assert!(areas.iter().any(is_within), "at {placed:?}");
        let again = reachable(placed, size(width, height), frame, &areas, is_known);
        prop_assert_eq!(again, placed, "it wanders");
        prop_assert_eq!(reachable(placed, size(width, height), frame, &areas, true), placed);
    }
}

/// 6.5 under openbox: the window is shown elsewhere while it comes back, and that echo comes when it is minimised
/// again.
#[test]
fn a_storm_of_minimising_moves_nothing() {
    let model = Server {
        latency: Duration::from_millis(2),
        echo: Some(Duration::from_millis(250)),
        parks: false,
        counts: false,
    };
    for pause in [20, 60, 120, 200, 400] {
        let mut world = World::new(model);
        for round in 0..20 {
            world.act(Action::Minimise);
            world.run(Duration::from_millis(pause));
            world.act(Action::Restore(Some((300 + round * 7, 990))));
            world.run(Duration::from_millis(pause));
        }
        world.run(QUIET);
        assert_eq!((world.window, world.server), (START, START), "after pauses of {pause} ms");
    }
}

/// A program moves or resizes its window while what the user did is on its way, and no server says what it has in the
/// end.
#[test]
fn what_crosses_ends_in_one_place() {
    let latency = Duration::from_millis(40);
    for (counts, echo) in [(true, None), (false, None), (false, Some(Duration::from_millis(250)))] {
        for program in [Action::ProgramMoves(300, 310), Action::ProgramResizes(350, 250)] {
            for later in [0, 20, 100, 600] {
                let mut world = World::new(Server { latency, echo, parks: counts, counts });
                world.act(Action::Move(650, 407));
                world.run(Duration::from_millis(later));
                world.act(program);
                world.run(QUIET);
                assert_eq!(world.server, world.window, "{program:?} {later} ms later, {:?}", world.model);
                let told = world.told;
                world.run(QUIET);
                assert_eq!(world.told, told, "they agree");
            }
        }
    }
    // While it appears: a mapped place is never void.
    let mut world = World::new(Server { latency, echo: None, parks: true, counts: true });
    world.act(Action::Minimise);
    world.run(QUIET);
    world.act(Action::Restore(None));
    world.run(Duration::from_millis(20));
    world.act(Action::ProgramResizes(350, 250));
    world.run(QUIET);
    assert_eq!(world.server, world.window);
}

/// A server that puts the window elsewhere than it is told, each time: it is not told for ever.
#[test]
fn a_server_that_insists_is_left_alone() {
    let begin = clock::now();
    let mut talk = Conversation::new(Scale::ONE, START, SizeLimits::default(), false);
    let (mut window, mut told) = (START, 0);
    for step in 0..10_000 {
        let now = begin + Duration::from_millis(20 * step);
        if !talk.is_due(now) && step > 0 {
            continue;
        }
        let facts = WindowFacts {
            position: Some(window.corner()),
            size: window.size,
            state: WindowState::default(),
            shown: true,
        };
        let mut steps = Vec::new();
        talk.observe(now, &facts, &mut steps);
        if !steps.is_empty() {
            told += 1;
            talk.server_says(now, Some(Point::new(window.x + 7, window.y)), window.size, &mut steps);
            window.x += 7;
        }
    }
    assert!((2..12).contains(&told), "{told} times in 200 s");
}

/// 3.1 tells of a resize at 0, 0, where it parks what is not shown.
#[test]
fn a_window_that_is_resized_while_minimised_stays_at_its_place() {
    for parks in [true, false] {
        let mut world =
            World::new(Server { latency: Duration::from_millis(5), echo: None, parks, counts: true });
        world.act(Action::Minimise);
        world.run(Duration::from_secs(1));
        world.act(Action::ProgramResizes(500, 350));
        world.run(Duration::from_secs(1));
        world.act(Action::Restore(None));
        world.run(QUIET);
        let expected = at(START.x, START.y, 500, 350);
        assert_eq!((world.window, world.server), (expected, expected));
    }
}

/// At 1.37 a terminal's window is told the size of whole characters, and its own size stays what it is.
#[test]
fn told_sizes_are_whole_steps() {
    let limits = SizeLimits { base: Some(size(4, 4)), increment: Some(size(6, 13)), ..SizeLimits::default() };
    let scale = Scale::new(1.37).expect("a scale");
    let server = at(100, 100, 244, 134);
    let mut talk = Conversation::new(scale, server, limits, false);
    let mut look = |geometry: Geometry, time: Duration| {
        let facts = WindowFacts {
            position: Some(geometry.corner()),
            size: geometry.size,
            state: WindowState::default(),
            shown: true,
        };
        let mut steps = Vec::new();
        talk.observe(clock::now() + time, &facts, &mut steps);
        steps
    };
    let local = Place::new(scale, server).local();
    let told = look(local, Duration::ZERO);
    assert_eq!(told.first(), Some(&Step::TellMapped(server)), "a size of the server's own comes back");
    let wide = Geometry { size: size(800, 600), ..local };
    let told = look(wide, Duration::from_secs(1));
    let [Step::TellConfigured(Geometry { size, .. }, _)] = told[..] else { panic!("{told:?}") };
    assert_eq!((size.width, size.height), (4 + 96 * 6, 4 + 33 * 13), "800 / 1.37 = 584, 600 / 1.37 = 438");
    assert_eq!(look(wide, Duration::from_secs(2)), [], "it is told once");
}

#[test]
fn first_places() {
    let areas = [Rect { x: 0, y: 0, width: 1600, height: 1000 }];
    let frame = Frame { left: 1, right: 1, top: 20, bottom: 5 };
    let at = |(x, y): (i32, i32)| Point::new(x, y);
    let place = |wanted, is_known| {
        let Point { x, y } = reachable(at(wanted), size(300, 200), frame, &areas, is_known);
        (x, y)
    };
    // A content in the corner: the frame in the corner.
    assert_eq!(place((0, 0), false), (1, 20));
    assert_eq!(place((200, 150), false), (200, 150));
    // Where a user left it, it is left, as long as its title bar can be had.
    assert_eq!(place((-150, 20), true), (-150, 20));
    assert_eq!(place((0, 20), true), (0, 20));
    assert_eq!(place((5, 0), true), (5, 20));
    // Of a larger screen.
    assert_eq!(place((3000, 2000), false), (1600 - 301, 1000 - 205));
    assert_eq!(place((1590, 500), false), (1600 - 301, 500));
    assert_eq!(reachable(at((0, 0)), size(3840, 2160), frame, &areas, false), at((1, 20)));
    assert_eq!(no_larger_than_screen(at((0, 0)), size(3840, 2160), frame, &areas), size(1598, 975));
    assert_eq!(no_larger_than_screen(at((0, 0)), size(640, 480), frame, &areas), size(640, 480));
    // Nobody knows where windows are.
    assert_eq!(reachable(at((0, 0)), size(300, 200), frame, &[], false), at((0, 0)));
}

/// The place before it was maximised is the last one that lasted, however state and place change after each other.
#[test]
fn the_place_before_maximising_is_known() {
    let full = at(0, 0, 1600, 1000);
    for state_first in [true, false] {
        let mut talk = Conversation::new(Scale::ONE, START, SizeLimits::default(), false);
        let begin = clock::now();
        let mut look = |ms: u64, geometry: Geometry, maximized: bool| {
            let facts = WindowFacts {
                position: Some(geometry.corner()),
                size: geometry.size,
                state: WindowState { maximized, ..WindowState::default() },
                shown: true,
            };
            talk.observe(begin + Duration::from_millis(ms), &facts, &mut Vec::new());
            talk.normal()
        };
        look(0, START, false);
        look(1000, if state_first { START } else { full }, state_first);
        assert_eq!(look(1010, full, true), Some(START), "{state_first}");
        assert_eq!(look(9000, full, true), Some(START), "{state_first}");
    }
}

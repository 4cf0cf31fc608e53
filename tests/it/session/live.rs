//! The session against real servers, over a plain blocking socket: no tokio, no window, no GPU.
//! Draws are acknowledged without being looked at.
#![expect(clippy::disallowed_methods, reason = "the copies of test code are nobody's hot path")]

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::time::Duration;

use bytes::BufMut;
use farpane::buffers::BufferPool;
use farpane::channel::clock;
use farpane::protocol::packet::draw::{DrawOutcome, Encoding};
use farpane::protocol::packet::pointer::PointerState;
use farpane::protocol::packet::window;
use farpane::protocol::packet::{Modifiers, ServerPacket, WindowId};
use farpane::protocol::{Dialect, Incoming, Limits, Naming, PacketReader, PacketWriter, Reassembler};
use farpane::session::DisplayInfo;
use farpane::session::{
    CloseReason, ConnectionEvent, ConnectionInput, DisplayInput, DrawDone, DrawInput, DrawRequest, Input,
    Key, KeyboardInput, Link, Output, PointerInput, Profile, Secret, Session, SessionConfig, SessionEvent,
    Setup, WindowEvent, WindowInfo, WindowInput, WindowState,
};
use farpane::stats::DrawTrace;

use super::{changed, size};
use crate::support::card::{Card, Look};
use crate::support::picture::Picture;
use crate::support::xpra::{self, Options, XpraServer};

/// A client that shows nothing.
struct Client {
    socket: TcpStream,
    reassembler: Reassembler,
    reader: PacketReader,
    writer: PacketWriter,
    session: Session,
    outputs: Vec<Output>,
    windows: BTreeMap<WindowId, WindowInfo>,
    /// Draws by encoding.
    draws: BTreeMap<&'static str, usize>,
    events: Vec<SessionEvent>,
    closed: Option<CloseReason>,
}

impl Client {
    fn connect(server: &XpraServer, setup: Setup) -> Self {
        let dialect = setup.peer.dialect;
        let socket = TcpStream::connect(server.address()).expect("a connection");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a timeout");
        let pool = BufferPool::default();
        let mut client = Self {
            socket,
            reassembler: Reassembler::new(dialect, Limits::BEFORE_HELLO, pool.clone()),
            reader: PacketReader::new(dialect, Limits::BEFORE_HELLO, pool),
            writer: PacketWriter::new(dialect),
            session: Session::new(setup),
            outputs: Vec::new(),
            windows: BTreeMap::new(),
            draws: BTreeMap::new(),
            events: Vec::new(),
            closed: None,
        };
        client.session.start(clock::now(), &mut client.outputs);
        client.perform();
        client
    }

    fn input(&mut self, input: impl Into<Input>) {
        self.session.handle_input(clock::now(), input.into(), &mut self.outputs);
        self.perform();
    }

    /// Reads and answers until `done`, and says whether it came to that.
    fn run_until(&mut self, limit: Duration, mut done: impl FnMut(&Self) -> bool) -> bool {
        let deadline = clock::now() + limit;
        while clock::now() < deadline && self.closed.is_none() {
            if done(self) {
                return true;
            }
            self.step();
        }
        done(self)
    }

    fn run(&mut self, time: Duration) {
        self.run_until(time, |_| false);
    }

    fn step(&mut self) {
        for incoming in self.receive() {
            self.handle(incoming);
        }
        if self.session.next_timeout().is_some_and(|timeout| timeout <= clock::now()) {
            self.session.handle_timeout(clock::now(), &mut self.outputs);
            self.perform();
        }
    }

    fn handle(&mut self, incoming: Incoming<ServerPacket>) {
        let now = clock::now();
        let trace = DrawTrace::new(incoming.arrived, now, incoming.wire_bytes);
        self.session.handle_packet(now, trace, incoming.packet, &mut self.outputs);
        self.perform();
    }

    /// Reads what came, unhandled.
    fn receive(&mut self) -> Vec<Incoming<ServerPacket>> {
        let mut space = self.reassembler.buffer();
        let mut bytes = vec![0; space.remaining_mut().min(1 << 20)];
        match self.socket.read(&mut bytes) {
            Ok(0) => {
                self.closed.get_or_insert(CloseReason::ConnectionLost("end of stream".to_owned()));
            }
            Ok(count) => {
                space.put_slice(&bytes[..count]);
                self.reassembler.received(clock::now());
            }
            Err(error)
                if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(error) => {
                self.closed.get_or_insert(CloseReason::ConnectionLost(error.to_string()));
            }
        }
        let mut packets = Vec::new();
        while let Some(raw) = self.reassembler.next_packet().expect("valid records") {
            packets.push(self.reader.read(raw).expect("a valid packet"));
        }
        packets
    }

    fn perform(&mut self) {
        for output in std::mem::take(&mut self.outputs) {
            match output {
                Output::Send(packet) => {
                    let mut bytes = Vec::new();
                    self.writer.write(&packet, &mut bytes);
                    if self.socket.write_all(&bytes).is_err() {
                        self.closed.get_or_insert(CloseReason::ConnectionLost("cannot write".to_owned()));
                    }
                }
                Output::Draw(request) => self.draw(request),
                Output::Established { bounds } => {
                    let limits = Limits::with_max_record(bounds.packet_bytes());
                    self.reassembler.set_limits(limits);
                    self.reader.set_limits(limits);
                }
                Output::Event(event) => self.event(event),
                Output::Close(reason) => self.closed = Some(reason),
                Output::Decipher(_) | Output::Encipher(_) => panic!("nobody asked for it"),
                Output::SpeakLegacy => unreachable!("nobody allowed it"),
                Output::Backing { .. } => {}
            }
        }
    }

    fn draw(&mut self, request: DrawRequest) {
        *self.draws.entry(request.encoding.name()).or_default() += 1;
        let outcome = match request.encoding {
            Encoding::Other => DrawOutcome::Error { message: "not offered".to_owned() },
            _ => DrawOutcome::Presented { decode_us: 500 },
        };
        let done = DrawDone {
            wid: request.wid,
            sequence: request.sequence,
            size: size(request.rect.width, request.rect.height),
            encoding: request.encoding,
            outcome,
            trace: request.trace,
        };
        let mut outputs = Vec::new();
        self.session.handle_draw_done(&done, &mut outputs);
        assert_eq!(outputs.len(), 1, "one acknowledgement a draw");
        self.outputs.extend(outputs);
        self.perform();
    }

    fn event(&mut self, event: SessionEvent) {
        match &event {
            SessionEvent::Connection(ConnectionEvent::Connected(info)) => {
                self.writer.set_naming(Naming::for_version(&info.version))
            }
            SessionEvent::Window(WindowEvent::Created(info)) => {
                let wid = info.wid;
                let (x, y, size) = (info.x.max(0), info.y.max(0), info.size);
                self.windows.insert(wid, (**info).clone());
                let mapped = WindowInput::Mapped { wid, x, y, size }.into();
                self.session.handle_input(clock::now(), mapped, &mut self.outputs);
            }
            SessionEvent::Window(WindowEvent::Destroyed { wid }) => {
                self.windows.remove(wid);
            }
            _ => {}
        }
        self.events.push(event);
        self.perform();
    }

    fn titled(&self, title: &str) -> Option<WindowId> {
        let of = |info: &WindowInfo| self.session.window(info.wid).map(|info| info.title.clone());
        self.windows.values().find(|info| of(info).as_deref() == Some(title)).map(|info| info.wid)
    }

    fn draws(&self) -> usize {
        self.draws.values().sum()
    }

    fn saw(&self, what: fn(&SessionEvent) -> bool) -> bool {
        self.events.iter().any(what)
    }
}

fn setup(generation: xpra::Generation) -> Setup {
    let generation = match generation {
        xpra::Generation::V3_1 | xpra::Generation::V4_4 | xpra::Generation::V5_1 => Dialect::Legacy31,
        xpra::Generation::V6_5 | xpra::Generation::V6_5Modern => Dialect::Modern,
    };
    let mut setup = super::setup(generation);
    // 6.x logs only in whom the system knows
    let user = std::process::Command::new("id").arg("-un").output().expect("id");
    setup.config.identity.username = String::from_utf8_lossy(&user.stdout).trim().to_owned();
    setup
}

fn server(generation: xpra::Generation, start: &str) -> XpraServer {
    XpraServer::start(generation, &Options { start: Some(start.to_owned()), ..Options::default() })
}

/// Complaints in the server's log that our packets can have caused.
fn complaints(server: &XpraServer, since: usize) -> Vec<String> {
    // What servers say on their own account: menus, dpi, drm, keymaps of Xvfb, …
    const NOISE: &[&str] = &[
        "menu",
        "DPI",
        "dpi",
        "drm",
        "PyGObject",
        "OpenGL",
        "uinput",
        "Xvfb",
        "xdg",
        "python-xdg",
        "Gtk-CRITICAL",
        "Gtk.py",
        "failed to set exact keymap",
        "exit code",
        "opengl",
        "compress:",
        "Source ID",
    ];
    let log = server.log();
    let suspicious = |line: &&str| {
        let lower = line.to_lowercase();
        let bad = ["error", "warning", "traceback", "exception", "invalid", "unknown", "assert"];
        bad.iter().any(|word| lower.contains(word)) && !NOISE.iter().any(|noise| line.contains(noise))
    };
    log[since..].lines().filter(suspicious).map(str::to_owned).collect()
}

/// Windows appear, draws flow for as long as something changes, pings are answered, keys and
/// resizes arrive, closing closes, and the server has nothing to complain about.
#[test]
fn a_whole_session_with_each_server() {
    use ConnectionEvent::{Latency, StartupComplete};
    use SessionEvent::Connection;
    for generation in xpra::Generation::ALL {
        let file =
            std::env::temp_dir().join(format!("farpane-session-{}-{generation:?}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        // counts up, so that there is always something to draw; what is typed goes into the file
        let script = format!(
            "i=0; while sleep 0.1; do i=$((i+1)); printf '\\r%s' $i; done & head -n1 > {}; sleep 100",
            file.display()
        );
        let server = server(generation, &format!("xterm -T counting -e bash -c \"{script}\""));
        let log = server.log_length();
        let mut client = Client::connect(&server, setup(generation));
        let context = |client: &Client| {
            format!(
                "{generation:?}: closed {:?}, windows {:?}, draws {:?}\n{}",
                client.closed,
                client.windows.values().map(|w| &w.title).collect::<Vec<_>>(),
                client.draws,
                crate::support::tail(&server.log(), 30)
            )
        };
        let shown =
            client.run_until(Duration::from_secs(20), |c| c.titled("counting").is_some() && c.draws() > 0);
        assert!(shown, "{}", context(&client));
        let wid = client.titled("counting").expect("a window");

        // 30 times more than could be drawn without acknowledgements
        let before = client.draws();
        client.run(Duration::from_secs(5));
        assert!(client.draws() >= before + 20, "{}", context(&client));
        assert!(client.saw(|e| matches!(e, Connection(Latency(_)))), "{}", context(&client));
        assert!(client.saw(|e| matches!(e, Connection(StartupComplete))), "{}", context(&client));

        let info = client.session.window(wid).expect("the window").clone();
        assert_eq!(info.class.1, "XTerm");
        assert!(info.size_limits.increment.is_some(), "{info:?}");

        // typing: the server must map X names to its own keys
        client.input(KeyboardInput::Focus { wid: Some(wid) });
        client.run(Duration::from_millis(300));
        for (name, keyval, keycode, shift) in [
            ("h", 0x68, 43, false),
            ("A", 0x41, 38, true),
            ("exclam", 0x21, 10, true),
            ("Return", 0xff0d, 36, false),
        ] {
            let key = |name: &str, keyval, keycode| Key {
                keyname: name.to_owned(),
                keyval,
                keycode,
                group: 0,
                string: String::new(),
            };
            let shift_key = key("Shift_L", 0xffe1, 50);
            let held = Modifiers::from_names(shift.then_some("shift"));
            let mut press = |key: Key, pressed, modifiers| {
                client.input(KeyboardInput::Key { wid: Some(wid), key, pressed, modifiers });
            };
            if shift {
                press(shift_key.clone(), true, Modifiers::default());
            }
            press(key(name, keyval, keycode), true, held);
            press(key(name, keyval, keycode), false, held);
            if shift {
                press(shift_key, false, held);
            }
        }
        let typed = || std::fs::read_to_string(&file).unwrap_or_default();
        client.run_until(Duration::from_secs(10), |_| typed().ends_with('\n'));
        assert_eq!(typed(), "hA!\n", "{}", context(&client));

        // the user's resize reaches the application, and nobody answers forever
        let wanted = size(info.size.width + 60, info.size.height + 26);
        let state = WindowState::default();
        client.input(WindowInput::Configured { wid, x: 40, y: 50, size: wanted, state });
        let x = server.x();
        let resized = client.run_until(Duration::from_secs(10), |_| {
            x.windows().iter().any(|w| (w.width, w.height) == (wanted.width as _, wanted.height as _))
        });
        assert!(resized, "{:?} {}", x.windows(), context(&client));
        let geometries = |c: &Client| c.events.len();
        client.run(Duration::from_secs(1));
        let events = geometries(&client);
        client.run(Duration::from_secs(1));
        assert!(client.events.len() <= events + 2, "a resize loop: {:?}", &client.events[events..]);

        let pointer = PointerState { wid: Some(wid), x: 60, y: 70, ..PointerState::default() };
        client.input(PointerInput::Wheel { dx: 0, dy: -2500, pointer });
        client.input(ConnectionInput::RequestInfo);
        client.input(DrawInput::Refresh { wid });
        client.input(DisplayInput::Changed(Box::new(DisplayInfo::single(size(1600, 1000)))));
        client.input(DrawInput::EncodingOption { name: "quality", value: 80 });
        let informed = client.run_until(Duration::from_secs(15), |c| {
            c.saw(|e| matches!(e, SessionEvent::Connection(ConnectionEvent::Info(i)) if i.len() > 100))
        });
        assert!(informed, "{}", context(&client));
        // GDK in 3.1.3 now and then crashes when a window is mapped while the screen changes.
        client.run(Duration::from_secs(1));

        client.input(WindowInput::Unmapped { wid, iconified: true });
        client.run(Duration::from_millis(500));
        client.input(WindowInput::Mapped { wid, x: 40, y: 50, size: wanted });
        let drawn = client.draws();
        assert!(client.run_until(Duration::from_secs(5), |c| c.draws() > drawn + 3), "{}", context(&client));
        assert_eq!(client.session.draws_in_flight(), 0);

        client.input(WindowInput::CloseRequested { wid });
        let gone = client.run_until(Duration::from_secs(10), |c| c.titled("counting").is_none());
        assert!(gone, "{}", context(&client));

        client.input(ConnectionInput::Disconnect);
        assert_eq!(client.closed, Some(CloseReason::User));
        assert_eq!(complaints(&server, log), Vec::<String>::new(), "{}", context(&client));
        let _ = std::fs::remove_file(&file);
        println_stats(generation, &client);
    }
}

/// Shown by `cargo test -- --nocapture`.
#[expect(clippy::print_stderr, reason = "what the servers chose to send is worth seeing")]
fn println_stats(generation: xpra::Generation, client: &Client) {
    eprintln!("{generation:?}: {:?}", client.draws);
}

#[test]
fn logins_with_each_server() {
    for generation in xpra::Generation::ALL {
        let options = Options {
            password: Some("s3cret pässword".to_owned()),
            start: Some("xterm".to_owned()),
            ..Options::default()
        };
        let server = XpraServer::start(generation, &options);
        let attempt = |password: Option<&str>, link: Link| {
            let mut setup = setup(generation);
            setup.config.password = password.map(|p| Secret::new(p.to_owned()));
            setup.peer.link = link;
            let mut client = Client::connect(&server, setup);
            client.run_until(Duration::from_secs(20), |c| {
                c.saw(|e| matches!(e, SessionEvent::Window(WindowEvent::Created(_)))) && c.draws() > 0
            });
            (client.closed.clone(), client.draws(), client)
        };
        let log = || crate::support::tail(&server.log(), 20);
        let remote = Link::default();
        let local = Link { local: true, encrypted: false };
        for link in [remote, local] {
            let (closed, draws, mut client) = attempt(Some("s3cret pässword"), link);
            assert_eq!(closed, None, "{generation:?} {}", log());
            assert!(draws > 0, "{generation:?} {}", log());
            client.input(ConnectionInput::Disconnect);
        }
        let (closed, _, _) = attempt(Some("wrong"), remote);
        assert!(
            matches!(closed, Some(CloseReason::PasswordRefused { number: 1, was_asked: false, .. })),
            "{generation:?} {closed:?} {}",
            log()
        );
        let (closed, _, _) = attempt(None, remote);
        assert!(
            matches!(closed, Some(CloseReason::Authentication(_))),
            "{generation:?} {closed:?} {}",
            log()
        );
    }
}

#[test]
fn a_desktop_is_one_window() {
    for generation in [xpra::Generation::V3_1, xpra::Generation::V6_5, xpra::Generation::V6_5Modern] {
        let options =
            Options { desktop: Some((800, 600)), start: Some("xterm".to_owned()), ..Options::default() };
        let server = XpraServer::start(generation, &options);
        let log = server.log_length();
        let mut client = Client::connect(&server, setup(generation));
        let shown = client.run_until(Duration::from_secs(20), |c| !c.windows.is_empty() && c.draws() > 0);
        let text = format!("{generation:?} {:?} {}", client.windows, crate::support::tail(&server.log(), 30));
        assert!(shown, "{text}");
        assert_eq!(client.windows.len(), 1, "{text}");
        assert!(client.windows.values().all(|w| w.is_desktop), "{text}");
        let mode = client.events.iter().find_map(|e| match e {
            SessionEvent::Connection(ConnectionEvent::Connected(info)) => Some(info.mode.clone()),
            _ => None,
        });
        assert_eq!(mode.as_deref(), Some("desktop"), "{text}");
        client.input(ConnectionInput::Disconnect);
        assert_eq!(complaints(&server, log), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn information_and_goodbye_of_each_server() {
    for generation in xpra::Generation::ALL {
        let switches = vec!["--session-name=of this test".to_owned()];
        let start = Some("xterm".to_owned());
        let server = XpraServer::start(generation, &Options { start, switches, ..Options::default() });
        let ask = |profile| {
            let mut asker =
                Client::connect(&server, changed(setup(generation), |setup| setup.config.profile = profile));
            asker.run_until(Duration::from_secs(20), |_| false);
            assert_eq!(asker.closed, Some(CloseReason::User), "{generation:?} {profile:?}");
            let lines = asker.events.into_iter().find_map(|e| match e {
                SessionEvent::Connection(ConnectionEvent::Info(lines)) => Some(lines),
                _ => None,
            });
            lines.unwrap_or_default()
        };
        let information = ask(Profile::Info);
        assert!(information.len() > 100, "{generation:?} {information:?}");
        let identity = ask(Profile::Identify);
        let name = ("session-name".to_owned(), "of this test".to_owned());
        assert!(identity.contains(&name), "{generation:?} {identity:?}");

        let mut client = Client::connect(&server, setup(generation));
        assert!(client.run_until(Duration::from_secs(20), |c| c.draws() > 0), "{generation:?}");
        server.stop();
        client.run_until(Duration::from_secs(20), |_| false);
        let said = format!("{generation:?} {:?} {}", client.closed, crate::support::tail(&server.log(), 20));
        // a server in a hurry now and then closes before its goodbye is written
        let ended = matches!(client.closed, Some(CloseReason::Server(_) | CloseReason::ConnectionLost(_)));
        assert!(ended, "{said}");
    }
}

/// What we offer is what the server understood: each encoding comes when it alone is offered (and
/// the server does not try to be clever).
#[test]
fn encodings_come_as_they_are_offered() {
    use Encoding::{Jpeg, Png, PngGrey, PngPalette, Rgb24, Rgb32, Webp};
    for generation in xpra::Generation::ALL {
        let server = scrolling(generation, vec![("XPRA_ENCODING_STRICT_MODE", "1".to_owned())]);
        let log = server.log_length();
        let cases: [(&[Encoding], &[&str]); 6] = [
            (&[Rgb24, Rgb32], &["rgb24", "rgb32"]),
            (&[Png], &["png"]),
            (&[Jpeg], &["jpeg"]),
            (&[Webp], &["webp"]),
            (&[PngPalette], &["png/P"]),
            (&[PngGrey], &["png/L"]),
        ];
        // Servers make video of a terminal or not, as they like: `interop::pictures` shows them a film.
        for (offered, expect) in cases {
            // Alone it is what the server takes for its choice, and a strict one keeps to it.
            let wanted = Some(offered[0]).filter(|e| *e != Rgb24);
            let draws = draws_of(&server, offered, wanted);
            let only = draws.keys().all(|name| expect.contains(name));
            let said = crate::support::tail(&server.log(), 20);
            let first = draws.contains_key(offered[0].name());
            assert!(only && first, "{generation:?} {offered:?} {draws:?} {said}");
        }
        assert_eq!(complaints(&server, log), Vec::<String>::new(), "{generation:?}");
    }
}

/// 3.1 scrolls by moving pixels; 6.5, which fails with it, is never tempted to.
#[test]
fn scroll_comes_from_the_servers_that_can() {
    for generation in xpra::Generation::ALL {
        let server = scrolling(generation, Vec::new());
        let log = server.log_length();
        let wanted = Some(Encoding::Scroll).filter(|_| generation == xpra::Generation::V3_1);
        let draws = draws_of(&server, &SessionConfig::default().pictures.encodings, wanted);
        assert_eq!(draws.contains_key("scroll"), wanted.is_some(), "{generation:?} {draws:?}");
        assert_eq!(complaints(&server, log), Vec::<String>::new(), "{generation:?}");
    }
}

/// A server with a terminal that scrolls all the time.
fn scrolling(generation: xpra::Generation, environment: Vec<(&'static str, String)>) -> XpraServer {
    // Every line is another one: else nothing moves where lines move up.
    let lines = "while sleep 0.04; do let n+=1; echo $n $((n * 7919)) $((n * n)); done";
    let start = Some(format!("xterm -T scrolling -e bash -c \"{lines}\""));
    XpraServer::start(generation, &Options { start, environment, ..Options::default() })
}

/// The first draws that come when just these encodings are offered, until there is one that is
/// `wanted`.
fn draws_of(
    server: &XpraServer,
    encodings: &[Encoding],
    wanted: Option<Encoding>,
) -> BTreeMap<&'static str, usize> {
    let mut setup = setup(server.generation);
    setup.config.pictures.encodings = encodings.to_vec();
    let mut client = Client::connect(server, setup);
    client.run_until(Duration::from_secs(20), |c| {
        wanted.map_or(c.draws() >= 60, |wanted| c.draws() >= 15 && c.draws.contains_key(wanted.name()))
    });
    client.input(ConnectionInput::Disconnect);
    client.draws
}

/// A program moves or resizes its window while we do: what each server has then it does not say, and takes when it is
/// told again.
#[test]
fn what_crosses_is_told_again() {
    for generation in xpra::Generation::ALL {
        let server = XpraServer::start(generation, &Options::default());
        let look = Look { at: (200, 200), placed: true, ..Look::default() };
        let card = Card::open(server.x().name(), "one", &Picture::smooth(300, 200), &look);
        let mut client = Client::connect(&server, setup(generation));
        let shown = |c: &Client| c.titled("one").is_some() && c.draws() > 0;
        assert!(client.run_until(Duration::from_secs(20), shown), "{generation:?}");
        let wid = client.titled("one").expect("a window");
        for (round, (x, width)) in [(301, 300), (302, 320), (303, 330), (304, 330)].into_iter().enumerate() {
            let mut held = Vec::new();
            let says = |incoming: &Incoming<ServerPacket>| matches!(&incoming.packet, ServerPacket::Window(window::FromServer::MoveResize(m)) if (m.x, m.width) == (x, width));
            let (deadline, mut tries) = (clock::now() + Duration::from_secs(10), 0..);
            while !held.iter().any(says) {
                assert!(clock::now() < deadline, "{generation:?} {round}: {:?}", card.place());
                // Again now and then: a busy server may hear only now what it was told in the round before.
                if tries.next().is_some_and(|n| n % 20 == 0) {
                    card.place_at(x, 310, width, 200);
                }
                held.extend(client.receive());
            }
            let (size, state) = (size(300, 210), WindowState::default());
            client.input(match round % 2 {
                0 => WindowInput::Configured { wid, x: 100, y: 110, size, state },
                _ => WindowInput::Mapped { wid, x: 100, y: 110, size },
            });
            held.into_iter().for_each(|incoming| client.handle(incoming));
            client.run(Duration::from_millis(500));
            let WindowInfo { x, y, size, .. } = *client.session.window(wid).expect("the window");
            client.input(WindowInput::ToldAgain { wid, x, y, size });
            let agreed = client.run_until(Duration::from_secs(5), |c| {
                let info = c.session.window(wid).expect("the window");
                card.place() == Some((info.x, info.y, info.size.width as u16, info.size.height as u16))
            });
            let info = client.session.window(wid);
            assert!(agreed, "{generation:?} {round}: {:?}, we believe {info:?}", card.place());
        }
    }
}

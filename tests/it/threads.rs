//! An engine's threads end when it is dropped, whatever the server does, and lose nothing on the way.
//!
//! Where threads are counted, the engine runs in a process of its own: this test binary again.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::process::Command;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use farpane::buffers::{BufferPool, Payload};
use farpane::channel::{
    AppEvent, AppSink, BackingUpdate, ByteBudget, DecodedDraw, DrawContent, DrawJob, DrawSink, Mailbox,
    NetCommand, NetQueue, RenderCommand, RenderItem, RenderMessage, RenderQueue, clock,
};
use farpane::codec::{Picture, PixelFormat};
use farpane::geometry::{Rect, Size};
use farpane::headless::HeadlessClient;
use farpane::pipeline::DecodePool;
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{self, DrawOptions, Encoding, WindowDraw};
use farpane::protocol::packet::window::{self, WindowCreate};
use farpane::protocol::packet::{ClientPacket, DrawSequence, ServerPacket, WindowId};
use farpane::render::{RenderOptions, RendererChoice};
use farpane::session::{CloseReason, ConnectionEvent, DrawRequest, LocalInfo, Profile, SessionEvent};
use farpane::stats::{DrawTrace, StatsSnapshot};
use farpane::threads::{Engine, NoReply, Queues};

use crate::net::server::{draw, window};
use crate::net::task::{LIMIT, is_key, key, tcp_server, unix_server};
use crate::support::{samples, viewer, wait_for};

/// In the process where threads are counted.
const ALONE: &str = "FARPANE_TEST_THREADS";
const WID: WindowId = WindowId(1);
const SIZE: Size = Size { width: 64, height: 32 };
/// Draws that wait when the renderer is told to end.
const DRAWS: u64 = 40;

/// Runs `body` in a process of its own, on behalf of `test`.
#[track_caller]
#[expect(clippy::print_stdout, reason = "the other process reads it")]
fn alone(test: &str, body: impl FnOnce()) {
    if std::env::var_os(ALONE).is_some() {
        body();
        println!("ended");
        return;
    }
    let output = Command::new(std::env::current_exe().expect("this program"))
        .args([&format!("threads::{test}"), "--exact", "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("this program, again");
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.contains("ended"), "{said}");
}

/// The names of all threads of this process, shortened as Linux does.
fn all_threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux").flatten();
    let names = tasks.filter_map(|task| std::fs::read_to_string(task.path().join("comm")).ok());
    names.map(|name| name.trim().to_owned()).collect()
}

/// Those of the engines' threads.
fn threads() -> Vec<String> {
    let mut names = all_threads();
    names.retain(|name| name.starts_with("farpane-"));
    names.sort();
    names
}

fn is_running(thread: &str) -> bool {
    threads().iter().any(|name| name == thread)
}

/// A thread that this one started has not begun: until then it has the name of who started it.
fn is_one_to_begin() -> bool {
    let own = std::fs::read_to_string("/proc/thread-self/comm").expect("Linux");
    all_threads().iter().filter(|name| *name == own.trim()).count() > 1
}

/// Checks that no thread of an engine is left. Who joined one may still see its name for a moment.
#[track_caller]
fn assert_all_gone() {
    let left = || format!("{:?}", threads());
    wait_for("the end of all threads", LIMIT, left, || threads().is_empty().then_some(()));
}

/// What `end` returns, if it does so in time.
#[track_caller]
fn in_time<T: Send + 'static>(end: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, ended) = sync_channel(1);
    let run = move || drop(done.send(end()));
    std::thread::Builder::new().name("ending".into()).spawn(run).expect("a thread");
    ended.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("it does not end: {:?}", threads()))
}

/// Keeps events, and never looks at them while the engine runs.
#[derive(Default)]
struct Events(Mailbox);

impl AppSink for Events {
    fn send(&self, event: AppEvent) {
        self.0.push(event);
    }

    fn mailbox(&self) -> Option<&Mailbox> {
        Some(&self.0)
    }
}

/// Who uses an engine.
enum User {
    /// As the viewer does, before its windows are there.
    Viewer(Engine, Arc<Events>),
    Headless(HeadlessClient),
}

impl User {
    fn viewer(url: &str) -> Self {
        let config = viewer::config(&[url, "--renderer", "cpu"]);
        let events = Arc::new(Events::default());
        let engine = Engine::start(
            config.net(Profile::Attach),
            LocalInfo::default(),
            config.render_options(),
            events.clone() as _,
        );
        Self::Viewer(engine.expect("threads"), events)
    }

    fn headless(url: &str) -> Self {
        let config = viewer::config(&[url, "--renderer", "cpu"]);
        let client = HeadlessClient::start(config.net(Profile::Attach), config.render_options());
        Self::Headless(client.expect("threads"))
    }

    fn net(&self) -> NetQueue {
        match self {
            Self::Viewer(engine, _) => engine.queues().net.clone(),
            Self::Headless(client) => client.queue(),
        }
    }

    /// Waits until the statistics say so.
    #[track_caller]
    fn wait(&self, what: &str, is: impl Fn(&StatsSnapshot) -> bool) {
        self.net().push(NetCommand::WatchStats(true));
        let context = || format!("{:?}", self.stats().draws);
        wait_for(what, LIMIT, context, || is(&self.stats()).then_some(()));
    }

    fn stats(&self) -> Arc<StatsSnapshot> {
        match self {
            Self::Viewer(engine, _) => newest(engine.queues()),
            Self::Headless(client) => client.stats(),
        }
    }

    /// Drops it, which has to end all threads. Returns why the session is over, and the final statistics.
    #[track_caller]
    fn end(self) -> (CloseReason, Arc<StatsSnapshot>) {
        let (reason, stats) = match self {
            Self::Viewer(engine, app) => {
                let queues = engine.queues().clone();
                in_time(move || drop(engine));
                // The network and the render thread had it as long as they ran.
                assert_eq!(Arc::strong_count(&app), 1, "a thread was not waited for");
                (only_reason(&app.0), newest(&queues))
            }
            Self::Headless(mut client) => in_time(move || {
                client.close();
                (client.view().closed.clone().expect("a reason"), client.stats())
            }),
        };
        assert_all_gone();
        (reason, stats)
    }
}

fn newest(queues: &Queues) -> Arc<StatsSnapshot> {
    Arc::clone(&queues.stats.lock().expect("no panic"))
}

/// Why the session is over, which must be said once, and last.
#[track_caller]
fn only_reason(events: &Mailbox) -> CloseReason {
    let mut events: Vec<AppEvent> = std::iter::from_fn(|| events.try_pop()).collect();
    let is_reason = |event: &AppEvent| {
        matches!(event, AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Closed(_))))
    };
    let reasons = events.iter().filter(|event| is_reason(event)).count();
    match events.pop() {
        Some(AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Closed(reason))))
            if reasons == 1 =>
        {
            reason
        }
        last => panic!("{reasons} reasons; the last event is {last:?}"),
    }
}

/// A TCP server that hears and says nothing, and the URL of it in this scheme. It has the connection
/// when the channel says so.
fn silent_server(scheme: &str) -> (String, std::thread::JoinHandle<()>, std::sync::mpsc::Receiver<()>) {
    let (connected, wait) = sync_channel(1);
    let (url, server) = tcp_server(move |mut server| {
        connected.send(()).expect("somebody waits");
        while server.stream.read(&mut [0; 4096]).is_ok_and(|len| len > 0) {}
    });
    (url.replace("tcp:", &format!("{scheme}:")), server, wait)
}

fn nothing_is_said(start: fn(&str) -> User) {
    // Hello, a TLS handshake and a WebSocket upgrade that are never answered.
    for scheme in ["tcp", "ssl", "ws", "wss"] {
        let (url, server, connected) = silent_server(scheme);
        let user = start(&url);
        connected.recv_timeout(LIMIT).expect("a connection");
        for thread in ["farpane-net", "farpane-render", "farpane-decode-"] {
            // Each gives itself its name.
            wait_for(thread, LIMIT, || format!("{:?}", threads()), || is_running(thread).then_some(()));
        }
        assert_eq!(user.end().0, CloseReason::User, "{scheme}");
        server.join().expect("the server is content");
    }
}

fn it_ends_at_once(start: fn(&str) -> User) {
    let (url, server, _connected) = silent_server("tcp");
    assert_eq!(start(&url).end().0, CloseReason::User);
    // It may never have come to a connection.
    drop(std::net::TcpStream::connect(url.trim_start_matches("tcp://").trim_end_matches('/')));
    server.join().expect("the server is content");
}

fn the_session_is_over_before(start: fn(&str) -> User) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}/", listener.local_addr().expect("it is bound"));
    drop(listener);
    let user = start(&url);
    wait_for("the end of the network thread", LIMIT, String::new, || {
        (!is_one_to_begin() && !is_running("farpane-net")).then_some(())
    });
    let (reason, _) = user.end();
    assert!(matches!(reason, CloseReason::ConnectFailed(_)), "{reason:?}");
}

fn nothing_is_read(start: fn(&str) -> User) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (done, wait) = sync_channel::<()>(0);
    let (url, server) = unix_server(&dir, move |mut server| {
        server.accept();
        server.send(&window(1));
        let _ = wait.recv();
    });
    let user = start(&url);
    user.wait("the session", |stats| !stats.session.server_version.is_empty());
    // More than the socket takes, and less than ends the session by itself.
    let long_name = "a".repeat(1000);
    (0..1000).for_each(|_| user.net().push(NetCommand::Input(key(&long_name))));
    assert_eq!(user.end().0, CloseReason::User);
    drop(done);
    server.join().expect("the server is content");
}

fn draws_are_in_flight(start: fn(&str) -> User) {
    const FULL_HD: Size = Size { width: 1920, height: 1080 };
    let file = Payload::from(samples::jpeg(FULL_HD, &samples::photo(FULL_HD, 0), turbojpeg::Subsamp::Sub2x2));
    let (url, server) = tcp_server(move |mut server| {
        server.accept();
        for wid in 1..=4 {
            let ServerPacket::Window(window::FromServer::Create(create)) = window(wid) else {
                unreachable!("it is a window")
            };
            let Size { width, height } = FULL_HD;
            server.send(&ServerPacket::Window(window::FromServer::Create(WindowCreate {
                width,
                height,
                ..create
            })));
        }
        let mut sequence = 0;
        loop {
            sequence += 1;
            let draw = server.bytes(&ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
                wid: WindowId(1 + sequence % 4),
                x: 0,
                y: 0,
                width: FULL_HD.width,
                height: FULL_HD.height,
                encoding: Encoding::Jpeg,
                data: file.clone(),
                sequence: DrawSequence(sequence),
                rowstride: 0,
                options: DrawOptions::default(),
            })));
            // Until the viewer has left.
            if server.stream.write_all(&draw).is_err() {
                return;
            }
        }
    });
    let user = start(&url);
    user.wait("some draws", |stats| stats.draws.drawn >= 3);
    let (reason, stats) = user.end();
    assert_eq!(reason, CloseReason::User);
    assert!(stats.draws.in_flight > 0, "nothing was in flight: {:?}", stats.draws);
    server.join().expect("the server is content");
}

fn check_all(start: fn(&str) -> User) {
    nothing_is_said(start);
    it_ends_at_once(start);
    the_session_is_over_before(start);
    nothing_is_read(start);
    draws_are_in_flight(start);
}

#[test]
fn the_viewers_end_whatever_the_server_does() {
    alone("the_viewers_end_whatever_the_server_does", || check_all(User::viewer));
}

#[test]
fn the_headless_clients_end_whatever_the_server_does() {
    alone("the_headless_clients_end_whatever_the_server_does", || {
        check_all(User::headless);
        // It need not be closed.
        let (url, server, connected) = silent_server("tcp");
        let user = User::headless(&url);
        connected.recv_timeout(LIMIT).expect("a connection");
        in_time(move || drop(user));
        assert_all_gone();
        server.join().expect("the server is content");
    });
}

#[test]
fn what_was_said_before_is_sent_before_the_goodbye() {
    const KEYS: usize = 1000;
    let (url, server) = tcp_server(|mut server| {
        server.accept();
        server.send(&draw(1, 1));
        (0..KEYS).for_each(|_| server.wait("every key", is_key));
        server.wait("the goodbye", |p| {
            matches!(p, ClientPacket::Connection(connection::ToServer::Close { .. })).then_some(())
        });
        assert!(server.next().is_none(), "something came after the goodbye");
    });
    let user = User::viewer(&url);
    // Keys before that would go into no session.
    user.wait("the session", |stats| !stats.session.server_version.is_empty());
    let User::Viewer(engine, app) = user else { unreachable!("it is a viewer") };
    (0..KEYS).for_each(|_| engine.queues().net.push(NetCommand::Input(key("a"))));
    in_time(move || drop(engine));
    assert_eq!(only_reason(&app.0), CloseReason::User);
    server.join().expect("the server is content");
}

/// Hands draws on, and asks the renderer for something when the network thread lets go of it.
struct LastWish {
    decoders: DecodePool,
    render: Arc<OnceLock<RenderQueue>>,
}

impl DrawSink for LastWish {
    fn backing(&mut self, wid: WindowId, update: BackingUpdate) {
        self.decoders.backing(wid, update);
    }

    fn draw(&mut self, job: DrawJob) {
        self.decoders.draw(job);
    }
}

impl Drop for LastWish {
    fn drop(&mut self) {
        let render = self.render.get().expect("it was started");
        render.push(RenderMessage::Command(RenderCommand::ReadBack { wid: WID }));
    }
}

#[test]
fn the_renderer_ends_after_who_fills_its_queue() {
    let (url, server, connected) = silent_server("tcp");
    let config = viewer::config(&[&url]).net(Profile::Attach);
    let (app, render) = (Arc::new(Events::default()), Arc::new(OnceLock::new()));
    let wish = |decoders| Box::new(LastWish { decoders, render: Arc::clone(&render) }) as _;
    let engine = Engine::start_through((config, LocalInfo::default()), offscreen(), app.clone() as _, wish)
        .expect("threads");
    assert!(render.set(engine.queues().render.clone()).is_ok());
    connected.recv_timeout(LIMIT).expect("a connection");
    in_time(move || drop(engine));
    let events: Vec<AppEvent> = std::iter::from_fn(|| app.0.try_pop()).collect();
    assert!(events.iter().any(|event| matches!(event, AppEvent::Pixels { .. })), "{events:?}");
    server.join().expect("the server is content");
}

// ---- without a session -----------------------------------------------------------------------------

fn offscreen() -> RenderOptions {
    RenderOptions { renderer: RendererChoice::Cpu, offscreen: true, ..RenderOptions::default() }
}

/// A window's backing and a picture of one colour in it.
fn paint(queue: &RenderQueue, sequence: u64, bgrx: [u8; 4]) {
    let pixels = bgrx.repeat(SIZE.width as usize * SIZE.height as usize);
    let rowstride = SIZE.width as usize * 4;
    let picture = Picture::packed(SIZE, PixelFormat::Bgrx, rowstride, Payload::from(pixels));
    let now = clock::now();
    let update = BackingUpdate::Resize(SIZE);
    queue.push(RenderMessage::Item(RenderItem::Backing { wid: WID, update }));
    queue.push(RenderMessage::Item(RenderItem::Draw(DecodedDraw {
        wid: WID,
        sequence: DrawSequence(sequence),
        rect: Rect { x: 0, y: 0, width: SIZE.width, height: SIZE.height },
        encoding: Encoding::Rgb32,
        content: DrawContent::Picture(picture.expect("a valid picture")),
        flush: 0,
        trace: DrawTrace::new(now, now, 0),
        permit: None,
    })));
}

/// The pixels that the renderer has sent, all of the same colour.
#[track_caller]
fn colour(events: &Mailbox, patience: Duration) -> Option<[u8; 4]> {
    let deadline = clock::now() + patience;
    loop {
        match events.pop(deadline.saturating_duration_since(clock::now()))? {
            AppEvent::Pixels { size, rgba, .. } => {
                assert_eq!(size, SIZE);
                let first = *rgba.first_chunk::<4>().expect("pixels");
                assert!(rgba.chunks_exact(4).all(|pixel| pixel == first), "several colours");
                return Some(first);
            }
            AppEvent::RendererFailed(why) => panic!("{why}"),
            _ => {}
        }
    }
}

#[test]
fn a_renderer_needs_no_session() {
    alone("a_renderer_needs_no_session", || {
        let app = Arc::new(Events::default());
        let engine = Engine::without_session(offscreen(), app.clone() as _, Box::new(NoReply));
        let engine = engine.expect("a thread");
        assert!(engine.renders());
        let queue = engine.queues().render.clone();
        for sequence in 1..=3 {
            let blue = sequence as u8 * 10;
            paint(&queue, sequence, [blue, 20, 30, 0]);
            queue.push(RenderMessage::Command(RenderCommand::ReadBack { wid: WID }));
            assert_eq!(colour(&app.0, LIMIT), Some([30, 20, blue, 255]));
        }
        assert_eq!(threads(), ["farpane-render"]);
        assert!(engine.queues().net.try_pop().is_none(), "it speaks to a session that it does not have");
        in_time(move || drop(engine));
        assert_eq!(Arc::strong_count(&app), 1, "the thread was not waited for");
        assert_all_gone();
    });
}

#[test]
fn what_waits_for_the_renderer_is_done_before_its_end() {
    let (app, mut replies) = (Arc::new(Events::default()), Vec::new());
    let queue = NetQueue::default();
    let engine = Engine::without_session(offscreen(), app.clone() as _, Box::new(queue.clone()));
    let engine = engine.expect("a thread");
    let render = &engine.queues().render;
    (1..=DRAWS).for_each(|sequence| paint(render, sequence, [sequence as u8, 0, 0, 0]));
    render.push(RenderMessage::Command(RenderCommand::ReadBack { wid: WID }));
    in_time(move || drop(engine));
    while let Some(reply) = queue.try_pop() {
        if let NetCommand::DrawDone(done) = reply {
            replies.push(done.sequence.0);
        }
    }
    assert_eq!(replies, (1..=DRAWS).collect::<Vec<_>>());
    assert_eq!(colour(&app.0, Duration::ZERO), Some([0, 0, DRAWS as u8, 255]));
}

#[test]
fn decoders_may_outlive_their_renderer() {
    alone("decoders_may_outlive_their_renderer", || {
        let (app, budget) = (Arc::new(Events::default()), ByteBudget::new(64 << 20));
        let engine = Engine::without_session(offscreen(), app as _, Box::new(NoReply)).expect("a thread");
        let mut decoders = engine.decoders(&BufferPool::default()).expect("threads");
        decoders.backing(WID, BackingUpdate::Resize(SIZE));
        let file = Payload::from(samples::jpeg(SIZE, &samples::photo(SIZE, 0), turbojpeg::Subsamp::Sub2x2));
        let job = |sequence: u64| {
            let now = clock::now();
            let request = DrawRequest {
                wid: WID,
                sequence: DrawSequence(sequence),
                rect: Rect { x: 0, y: 0, width: SIZE.width, height: SIZE.height },
                encoding: Encoding::Jpeg,
                data: file.clone(),
                rowstride: 0,
                options: DrawOptions::default(),
                trace: DrawTrace::new(now, now, 0),
            };
            DrawJob { request, permit: budget.try_acquire(file.len()).expect("room") }
        };
        (1..=DRAWS).for_each(|sequence| decoders.draw(job(sequence)));
        in_time(move || drop(engine));
        (1..=DRAWS).for_each(|sequence| decoders.draw(job(DRAWS + sequence)));
        in_time(move || drop(decoders));
        assert_all_gone();
        assert_eq!(budget.used_bytes(), 0, "draws that nobody has any more hold memory");
    });
}

//! The network thread against a scripted server: back-pressure, odd splits, servers that do not
//! read, and one reason at the end.

use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use farpane::buffers::BufferPool;
use farpane::channel::{
    AppEvent, AppSink, BackingUpdate, ByteBudget, ConnectStage, DrawJob, DrawSink, NetCommand, NetQueue,
    PacketSink, Queue, SharedStats,
};
use farpane::net::tls::TlsOptions;
use farpane::net::{self, NetConfig, NetLinks, NetThread, ProtocolPolicy, Target};
use farpane::protocol::packet::connection;
use farpane::protocol::packet::draw::{self, DrawOptions, Encoding, WindowDraw};
use farpane::protocol::packet::keyboard;
use farpane::protocol::packet::pointer::{self, PointerState};
use farpane::protocol::packet::window;
use farpane::protocol::packet::{ClientPacket, Modifiers, ServerPacket, WindowId};
use farpane::protocol::{Dialect, KeptPacket, Limits, PacketReader, RawPacket};
use farpane::session::{
    CloseReason, ConnectionEvent, ConnectionInput, Input, Key, KeyboardInput, LocalInfo, PointerInput,
    SessionConfig, SessionEvent, WindowEvent, WindowInput,
};

use super::server::{Server, draw, window};

pub const LIMIT: Duration = Duration::from_secs(25);
/// Long enough for something to happen that should not.
const A_WHILE: Duration = Duration::from_millis(200);

struct Events(Queue<AppEvent>);

impl AppSink for Events {
    fn send(&self, event: AppEvent) {
        self.0.push(event);
    }
}

/// Keeps what would be decoded, for the test to look at.
struct Draws(Queue<Step>);

pub enum Step {
    Backing(WindowId, BackingUpdate),
    Draw(DrawJob),
}

impl DrawSink for Draws {
    fn backing(&mut self, wid: WindowId, update: BackingUpdate) {
        self.0.push(Step::Backing(wid, update));
    }
    fn draw(&mut self, job: DrawJob) {
        self.0.push(Step::Draw(job));
    }
}

/// A network thread with everything that it talks to.
pub struct Client {
    pub queue: NetQueue,
    pub events: Queue<AppEvent>,
    pub draws: Queue<Step>,
    stats: SharedStats,
    thread: NetThread,
}

impl Client {
    pub fn start(url: &str, budget: usize) -> Self {
        Self::with_budget(url, ByteBudget::new(budget))
    }

    pub fn with_budget(url: &str, budget: ByteBudget) -> Self {
        Self::with_session(url, budget, SessionConfig::default())
    }

    pub fn with_session(url: &str, budget: ByteBudget, session: SessionConfig) -> Self {
        Self::with(url, budget, session, net::ssh::SshOptions::default())
    }

    pub fn over_tls(url: &str, budget: usize, tls: TlsOptions) -> Self {
        let config = NetConfig { tls, ..Self::config(url, SessionConfig::default()) };
        Self::of(config, LocalInfo::default(), ByteBudget::new(budget))
    }

    pub fn through_ssh(url: &str, session: SessionConfig, ssh: net::ssh::SshOptions) -> Self {
        Self::with(url, ByteBudget::new(1 << 20), session, ssh)
    }

    /// One whose user can be asked.
    pub fn asking(url: &str, tls: net::tls::TlsOptions) -> Self {
        let config = NetConfig { tls, ..Self::config(url, SessionConfig::default()) };
        let local = LocalInfo { may_prompt: true, ..LocalInfo::default() };
        Self::of(config, local, ByteBudget::new(1 << 20))
    }

    fn with(url: &str, budget: ByteBudget, session: SessionConfig, ssh: net::ssh::SshOptions) -> Self {
        Self::of(NetConfig { ssh, ..Self::config(url, session) }, LocalInfo::default(), budget)
    }

    fn config(url: &str, session: SessionConfig) -> NetConfig {
        NetConfig {
            target: Target::parse(url).expect("a valid URL"),
            session,
            wanted: net::Wanted::default(),
            protocol: ProtocolPolicy::Auto,
            connect_timeout: LIMIT,
            recorder: None,
            replay: None,
            ssh: net::ssh::SshOptions::default(),
            proxy: None,
            tls: net::tls::TlsOptions::default(),
        }
    }

    fn of(config: NetConfig, local: LocalInfo, budget: ByteBudget) -> Self {
        let (queue, events, draws) = (NetQueue::default(), Queue::default(), Queue::default());
        let stats = SharedStats::default();
        let links = NetLinks {
            queue: queue.clone(),
            app: Arc::new(Events(events.clone())),
            draws: Box::new(Draws(draws.clone())),
            decoders: "",
            budget,
            pool: BufferPool::default(),
            stats: Arc::clone(&stats),
        };
        let thread = net::spawn(config, local, links).expect("a thread");
        Self { queue, events, draws, stats, thread }
    }

    pub fn input(&self, input: impl Into<Input>) {
        self.queue.input(input);
    }

    pub fn next_draw(&self) -> DrawJob {
        loop {
            match self.draws.pop(Some(LIMIT)).expect("a draw in time") {
                Step::Draw(job) => return job,
                Step::Backing(..) => {}
            }
        }
    }

    /// Waits for an event of the connection of which `wanted` makes something.
    pub fn next_event<T>(&self, wanted: impl Fn(ConnectionEvent) -> Option<T>) -> T {
        loop {
            let event = self.events.pop(Some(LIMIT)).expect("an event in time");
            if let AppEvent::Session(SessionEvent::Connection(event)) = event
                && let Some(found) = wanted(event)
            {
                return found;
            }
        }
    }

    /// Waits for the end and returns all that was said, which must be one reason.
    pub fn end(self) -> CloseReason {
        self.thread.join();
        let mut reasons = Vec::new();
        while let Some(event) = self.events.try_pop() {
            if let AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Closed(reason))) = event {
                reasons.push(reason);
            }
        }
        assert_eq!(reasons.len(), 1, "{reasons:?}");
        reasons.remove(0)
    }
}

/// A scripted server on a loopback port, and its URL.
pub fn tcp_server<T: Send + 'static>(
    script: impl FnOnce(Server<TcpStream>) -> T + Send + 'static,
) -> (String, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("tcp://{}/", listener.local_addr().expect("it is bound"));
    let run = move || script(Server::new(listener.accept().expect("a connection").0));
    (url, std::thread::Builder::new().name("server".into()).spawn(run).expect("a thread"))
}

/// The same on a Unix socket, whose buffers are small.
pub fn unix_server(
    dir: &tempfile::TempDir,
    script: impl FnOnce(Server<UnixStream>) + Send + 'static,
) -> (String, JoinHandle<()>) {
    let path = dir.path().join("socket");
    let listener = UnixListener::bind(&path).expect("a socket");
    let run = move || script(Server::new(listener.accept().expect("a connection").0));
    let thread = std::thread::Builder::new().name("server".into()).spawn(run).expect("a thread");
    (format!("socket://{}", path.display()), thread)
}

pub fn key(name: &str) -> Input {
    let key = Key { keyname: name.to_owned(), keyval: 97, keycode: 38, group: 0, string: name.to_owned() };
    Input::Keyboard(KeyboardInput::Key {
        wid: Some(WindowId(1)),
        key,
        pressed: true,
        modifiers: Modifiers::default(),
    })
}

pub fn is_key(packet: ClientPacket) -> Option<()> {
    matches!(packet, ClientPacket::Keyboard(keyboard::ToServer::Event(_))).then_some(())
}

#[test]
fn draws_wait_for_room_and_keys_do_not() {
    let (url, server) = tcp_server(|mut server| {
        server.accept();
        server.send(&window(1));
        for sequence in 1..=5 {
            server.send(&draw(1, sequence));
        }
        server.wait("a key while draws wait", is_key);
        while server.next().is_some() {}
    });
    let client = Client::start(&url, 600 << 10);
    let first = client.next_draw();
    let second = client.next_draw();
    // 256 KiB each: the third does not fit into 600 KiB.
    assert!(client.draws.pop(Some(A_WHILE)).is_none(), "a third draw came without room");
    client.input(key("a"));
    std::thread::sleep(A_WHILE);
    assert_eq!(first.request.sequence.0, 1);
    assert_eq!(second.request.sequence.0, 2);
    let mut held = [first, second];
    for sequence in 3..=5 {
        held.rotate_left(1);
        let [kept, done] = held;
        drop(done);
        held = [kept, client.next_draw()];
        let [_, newest] = &held;
        assert_eq!(newest.request.sequence.0, sequence);
        assert!(newest.request.data.iter().all(|byte| u64::from(*byte) == sequence));
    }
    client.input(ConnectionInput::Disconnect);
    let stats = Arc::clone(&client.stats);
    assert_eq!(client.end(), CloseReason::User);
    let stats = Arc::clone(&stats.lock().expect("no panic"));
    assert_eq!(stats.draws.received.total, 5);
    assert!(stats.network.received.total > 5 * 256 * 1024);
    server.join().expect("the server is content");
}

/// As a sound does: it is not behind draws for which there is no room.
#[test]
fn a_ping_passes_draws_that_wait() {
    let (echoed, is_echoed) = std::sync::mpsc::sync_channel(1);
    let (url, server) = tcp_server(move |mut server| {
        server.accept();
        server.send(&window(1));
        for sequence in 1..=9 {
            server.send(&draw(1, sequence));
        }
        server.send(&ServerPacket::Connection(connection::FromServer::Ping { monotonic_ms: 77, sid: None }));
        server.wait("the echo while draws wait", |packet| match packet {
            ClientPacket::Connection(connection::ToServer::PingEcho(echo)) => {
                (echo.monotonic_ms == 77).then_some(())
            }
            _ => None,
        });
        echoed.send(()).expect("the test waits");
        while server.next().is_some() {}
    });
    // Room for two of them.
    let client = Client::start(&url, 600 << 10);
    let mut held = vec![client.next_draw(), client.next_draw()];
    is_echoed.recv_timeout(LIMIT).expect("the echo, although nothing was done with the draws");
    assert!(client.draws.try_pop().is_none(), "a third draw came without room");
    for sequence in 3..=9 {
        drop(held.remove(0));
        held.push(client.next_draw());
        assert_eq!(held[1].request.sequence.0, sequence, "in order");
    }
    drop(held);
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    server.join().expect("the server is content");
}

#[test]
fn a_draw_larger_than_the_budget_passes_alone() {
    let (url, server) = tcp_server(|mut server| {
        server.accept();
        server.send(&window(1));
        server.send(&draw(1, 1));
        server.send(&draw(1, 2));
        while server.next().is_some() {}
    });
    let client = Client::start(&url, 64 << 10);
    let first = client.next_draw();
    assert!(client.draws.pop(Some(A_WHILE)).is_none(), "a second draw came without room");
    drop(first);
    assert_eq!(client.next_draw().request.sequence.0, 2);
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    server.join().expect("the server is content");
}

#[test]
fn backings_and_draws_stay_in_order_in_any_split() {
    let (url, server) = tcp_server(|mut server| {
        use std::io::Write;
        server.accept();
        server.stream.set_nodelay(true).expect("a TCP socket");
        let mut bytes = server.bytes(&window(1));
        for sequence in 1..=3 {
            bytes.extend(server.bytes(&draw(1, sequence)));
        }
        bytes.extend(server.bytes(&ServerPacket::Window(window::FromServer::Destroy { wid: WindowId(1) })));
        let mut rest = bytes.as_slice();
        for len in (1..40).chain([1000, 7, 100_000, 65_536, 3, 8]).cycle() {
            let (part, left) = rest.split_at(len.min(rest.len()));
            server.stream.write_all(part).expect("the client reads");
            rest = left;
            if rest.is_empty() {
                break;
            }
        }
        while server.next().is_some() {}
    });
    let client = Client::start(&url, 64 << 20);
    let mut seen = String::new();
    while !seen.ends_with("destroy") {
        match client.draws.pop(Some(LIMIT)).expect("the next step in time") {
            Step::Backing(wid, BackingUpdate::Resize(size)) => seen += &format!("{wid}:{} ", size.width),
            Step::Backing(wid, BackingUpdate::Destroy) => seen += &format!("{wid}:destroy"),
            Step::Draw(job) => {
                let sequence = job.request.sequence.0;
                assert_eq!(job.request.data.len(), 256 * 256 * 4);
                assert!(job.request.data.iter().all(|byte| u64::from(*byte) == sequence));
                seen += &format!("draw{sequence} ");
            }
        }
    }
    assert_eq!(seen, "1:256 draw1 draw2 draw3 1:destroy");
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    server.join().expect("the server is content");
}

/// Keeps what is recorded.
#[derive(Debug, Default)]
struct Recorded(Mutex<Vec<KeptPacket>>);

impl PacketSink for Recorded {
    fn packet(&self, dialect: Dialect, packet: &RawPacket<'_>) {
        assert_eq!(dialect, Dialect::Modern);
        self.0.lock().expect("no panic").push(packet.keep());
    }
}

/// It opens with the session as it is, and leaves out pictures that need earlier ones.
#[test]
fn a_recording_can_begin_later() {
    fn video(sequence: u8, frame: u64) -> ServerPacket {
        let ServerPacket::Draw(draw::FromServer::Draw(picture)) = draw(1, sequence) else {
            panic!("not a draw")
        };
        let options = DrawOptions { frame: Some(frame), ..picture.options };
        ServerPacket::Draw(draw::FromServer::Draw(WindowDraw {
            encoding: Encoding::H264,
            options,
            ..picture
        }))
    }
    let (url, server) = tcp_server(|mut server| {
        server.accept();
        for packet in [window(1), video(1, 0), draw(1, 2)] {
            server.send(&packet);
        }
        server.wait("a wish for all pixels", |packet| {
            matches!(packet, ClientPacket::Draw(draw::ToServer::Refresh { wid: WindowId(1), .. }))
                .then_some(())
        });
        for packet in [video(3, 1), draw(1, 4), video(5, 2), video(6, 0), video(7, 1), draw(1, 8)] {
            server.send(&packet);
        }
        while server.next().is_some() {}
    });
    let client = Client::start(&url, 64 << 20);
    let until = |sequence| while client.next_draw().request.sequence.0 != sequence {};
    until(2);
    let recorded = Arc::new(Recorded::default());
    client.queue.push(NetCommand::Record(Some(Arc::clone(&recorded) as _)));
    until(8);
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    server.join().expect("the server is content");

    let mut reader = PacketReader::new(Dialect::Modern, Limits::with_max_record(0), BufferPool::default());
    let mut seen = String::new();
    for packet in &*recorded.0.lock().expect("no panic") {
        match reader.read(packet.lend()).expect("a packet").packet {
            ServerPacket::Draw(draw::FromServer::Draw(draw)) => {
                seen += &format!("{}:{} ", draw.encoding.name(), draw.sequence.0)
            }
            packet => seen += &format!("{} ", packet.name()),
        }
    }
    assert_eq!(seen, "hello window-create startup-complete rgb32:4 h264:6 h264:7 rgb32:8 ");
}

#[test]
fn a_server_that_does_not_read_is_left() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (done, wait) = std::sync::mpsc::sync_channel::<()>(0);
    let (url, server) = unix_server(&dir, move |mut server| {
        server.accept();
        let _ = wait.recv();
    });
    let client = Client::start(&url, 1 << 20);
    // Only keys of a running session are sent.
    while !matches!(
        client.events.pop(Some(LIMIT)),
        Some(AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Connected(_))))
    ) {}
    let long_name = "a".repeat(1000);
    for _ in 0..8000 {
        client.input(key(&long_name));
    }
    let reason = client.end();
    assert!(matches!(&reason, CloseReason::Timeout(why) if why.contains("takes no packets")), "{reason:?}");
    drop(done);
    server.join().expect("the server is content");
}

#[test]
fn a_slow_reader_gets_everything_and_the_goodbye() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let (url, server) = unix_server(&dir, |mut server| {
        server.accept();
        for _ in 0..1000 {
            std::thread::sleep(Duration::from_micros(100));
            server.wait("every key", is_key);
        }
        server.wait("the goodbye", |p| {
            matches!(p, ClientPacket::Connection(connection::ToServer::Close { .. })).then_some(())
        });
        assert!(server.next().is_none());
    });
    let client = Client::start(&url, 1 << 20);
    while !matches!(
        client.events.pop(Some(LIMIT)),
        Some(AppEvent::Session(SessionEvent::Connection(ConnectionEvent::Connected(_))))
    ) {}
    let long_name = "a".repeat(1000);
    for _ in 0..1000 {
        client.input(key(&long_name));
    }
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    server.join().expect("the server is content");
}

#[test]
fn pointer_positions_are_merged_and_clicks_are_not() {
    let (url, server) = tcp_server(|mut server| {
        server.accept();
        server.send(&window(1));
        let mut moves = Vec::new();
        for click in 0..3 {
            let pressed_at = server.wait("a click", |packet| match packet {
                ClientPacket::Pointer(pointer::ToServer::Motion(PointerState { x, .. })) => {
                    moves.push(x);
                    None
                }
                ClientPacket::Pointer(pointer::ToServer::Button {
                    pointer: PointerState { x, .. }, ..
                }) => Some(x),
                _ => None,
            });
            // What came before a click is known before it.
            assert_eq!(moves.last().copied(), Some(pressed_at), "click {click}: {moves:?}");
        }
        assert!(moves.is_sorted(), "{moves:?}");
        while server.next().is_some() {}
    });
    let client = Client::start(&url, 1 << 20);
    while !matches!(
        client.events.pop(Some(LIMIT)),
        Some(AppEvent::Session(SessionEvent::Window(WindowEvent::Created(_))))
    ) {}
    let wid = Some(WindowId(1));
    client.input(WindowInput::Mapped {
        wid: WindowId(1),
        x: 10,
        y: 20,
        size: farpane::geometry::Size { width: 256, height: 256 },
    });
    for x in 1..=3000 {
        client.input(PointerInput::Moved(PointerState {
            wid,
            x,
            y: 0,
            modifiers: Modifiers::default(),
            buttons: Vec::new(),
        }));
        if x % 1000 == 0 {
            let (modifiers, buttons) = (Modifiers::default(), Vec::new());
            client.input(PointerInput::Button {
                button: 1,
                pressed: true,
                pointer: PointerState { wid, x, y: 0, modifiers, buttons },
            });
        }
    }
    std::thread::sleep(A_WHILE);
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
    server.join().expect("the server is content");
}

#[test]
fn the_end_is_told_once_with_its_reason() {
    let goodbye =
        ServerPacket::Connection(connection::FromServer::Close { reasons: vec!["server shutdown".into()] });
    let (url, server) = tcp_server(move |mut server| {
        server.accept();
        server.send(&goodbye);
    });
    let reason = Client::start(&url, 1 << 20).end();
    assert_eq!(reason, CloseReason::Server("server shutdown".into()));
    server.join().expect("the server is content");

    let (url, server) = tcp_server(|mut server| server.accept());
    let reason = Client::start(&url, 1 << 20).end();
    assert!(matches!(reason, CloseReason::ConnectionLost(_)), "{reason:?}");
    server.join().expect("the server is content");

    let reason = Client::start("socket:///does/not/exist", 1 << 20).end();
    assert!(matches!(reason, CloseReason::ConnectFailed(_)), "{reason:?}");
}

/// The connection is never made: the kernel takes no more before somebody accepts those that wait.
#[test]
fn the_user_can_stop_while_connecting() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().expect("a runtime");
    let _entered = runtime.enter();
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.bind("127.0.0.1:0".parse().expect("an address")).expect("a free port");
    let listener = socket.listen(0).expect("it listens");
    let address = listener.local_addr().expect("it is bound");
    let waiting: Vec<TcpStream> =
        std::iter::from_fn(|| TcpStream::connect_timeout(&address, A_WHILE).ok()).take(64).collect();
    assert!(waiting.len() < 64, "it takes all that come");

    let client = Client::start(&format!("tcp://{address}/"), 1 << 20);
    let is_reaching = |event| matches!(event, AppEvent::Connecting(ConnectStage::Reaching { .. }));
    while !is_reaching(client.events.pop(Some(LIMIT)).expect("it connects")) {}
    client.input(ConnectionInput::Disconnect);
    assert_eq!(client.end(), CloseReason::User);
}

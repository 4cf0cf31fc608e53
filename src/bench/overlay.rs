//! What the overlay costs while it is shown: CPU time of each refresh, by renderer.

use std::sync::Arc;
use std::time::Duration;

use cpu_time::{ProcessTime, ThreadTime};

use crate::channel::{
    AppEvent, AppSink, BackingUpdate, DrawReply, OverlayFrame, Presented, Queue, RenderCommand, RenderItem,
    RenderMessage, RenderQueue, RendererInfo, clock,
};
use crate::geometry::Size;
use crate::protocol::packet::WindowId;
use crate::render::{RenderOptions, RendererChoice};
use crate::session::DrawDone;
use crate::stats::{Collector, CopyLedger, CopySite, DrawCounted, DrawTrace, StatsSnapshot};
use crate::threads::Engine;
use crate::ui::{OverlayPainter, OverlayState, OverlayStep};

/// The window that has the overlay.
const WINDOW: Size = Size { width: 1280, height: 800 };
const WID: WindowId = WindowId(1);
/// What writes [`markdown`] into a document.
pub const COMMAND: &str = "farpane bench overlay";
/// How long the renderer may take to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// CPU time of one refresh of the overlay.
#[derive(Clone, Debug)]
pub struct Cost {
    pub part: Part,
    pub cpu: Duration,
}

/// What is done for each refresh.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Adding up the statistics.
    Snapshot,
    /// Their words and graphs as triangles.
    Layout,
    /// Painting these with this renderer.
    Paint(String),
}

impl Part {
    /// Words for a table.
    pub fn name(&self) -> String {
        match self {
            Self::Snapshot => "statistics".to_owned(),
            Self::Layout => "words and triangles".to_owned(),
            Self::Paint(renderer) => format!("painting: {renderer}"),
        }
    }
}

/// A renderer that could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum OverlayBenchError {
    #[error("the render thread cannot be started: {0}")]
    Thread(#[from] std::io::Error),
    #[error("the renderer failed: {0}")]
    Renderer(String),
    #[error("the renderer does not answer")]
    Silent,
}

/// Measures each part over `refreshes` refreshes whose words all change.
///
/// # Errors
/// If a renderer does not start. Without any adapter for wgpu, that one is left out.
pub fn run(refreshes: u32) -> Result<Vec<Cost>, OverlayBenchError> {
    let mut session = Session::new();
    let mut snapshots = Vec::new();
    let started = ThreadTime::now();
    for _ in 0..refreshes {
        session.go_on();
    }
    let traffic = started.elapsed();
    let started = ThreadTime::now();
    for _ in 0..refreshes {
        session.go_on();
        snapshots.push(Arc::new(session.snapshot()));
    }
    let snapshot = started.elapsed().saturating_sub(traffic) / refreshes;
    let started = ThreadTime::now();
    let mut painter = OverlayPainter::new();
    for snapshot in &snapshots {
        drop(frame(&mut painter, snapshot));
    }
    let layout = started.elapsed() / refreshes;
    let mut costs =
        vec![Cost { part: Part::Snapshot, cpu: snapshot }, Cost { part: Part::Layout, cpu: layout }];
    for choice in [RendererChoice::Cpu, RendererChoice::Wgpu] {
        match Renderer::start(choice) {
            Ok(mut renderer) => {
                let cpu = renderer.paint(&snapshots)?;
                costs.push(Cost { part: Part::Paint(renderer.name.clone()), cpu });
            }
            Err(OverlayBenchError::Renderer(why)) if choice == RendererChoice::Wgpu => {
                tracing::warn!(why, "no adapter for wgpu: not measured");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(costs)
}

/// The costs as lines of text: a refresh, and the share of a core at the overlay's rate.
pub fn table(costs: &[Cost]) -> String {
    let per_sec = 1.0 / OverlayPainter::REFRESH.as_secs_f64();
    let line = |name: &str, cpu: Duration| {
        let percent = cpu.as_secs_f64() * per_sec * 100.0;
        format!("{name:<58}{:>12.0} µs{percent:>11.2} %\n", cpu.as_secs_f64() * 1e6)
    };
    let mut text = format!("{:<58}{:>15}{:>13}\n", "overlay", "a refresh", "of a core");
    let mut shared = Duration::ZERO;
    for Cost { part, cpu } in costs {
        text += &line(&part.name(), *cpu);
        if !matches!(part, Part::Paint(_)) {
            shared += *cpu;
        }
    }
    for Cost { part, cpu } in costs {
        if let Part::Paint(renderer) = part {
            text += &line(&format!("all: {renderer}"), shared + *cpu);
        }
    }
    text
}

/// The same as a table in Markdown: all that each renderer takes.
pub fn markdown(costs: &[Cost]) -> String {
    let per_sec = 1.0 / OverlayPainter::REFRESH.as_secs_f64();
    let mut text = String::from("| | µs of CPU a refresh | of a core |\n|---|---:|---:|\n");
    let is_paint = |cost: &&Cost| matches!(cost.part, Part::Paint(_));
    let shared: Duration = costs.iter().filter(|cost| !is_paint(cost)).map(|cost| cost.cpu).sum();
    for Cost { part, cpu } in costs {
        let (name, cpu) = match part {
            Part::Paint(renderer) => (format!("all, {renderer}"), shared + *cpu),
            part => (part.name(), *cpu),
        };
        let (us, percent) = (cpu.as_secs_f64() * 1e6, cpu.as_secs_f64() * per_sec * 100.0);
        text += &format!("| {name} | {us:.0} | {percent:.2} % |\n");
    }
    text
}

fn frame(painter: &mut OverlayPainter, snapshot: &Arc<StatsSnapshot>) -> Option<OverlayFrame> {
    let state = OverlayState { step: OverlayStep::Full, ..OverlayState::default() };
    painter.frame(snapshot, &state, WINDOW, 1.0)
}

/// Statistics of a session in which something happens all the time.
struct Session {
    collector: Collector,
    now: std::time::Instant,
    draws: u64,
}

impl Session {
    fn new() -> Self {
        let now = clock::now();
        Self { collector: Collector::new(now, "tcp"), now, draws: 0 }
    }

    /// What happens between two refreshes.
    fn go_on(&mut self) {
        for _ in 0..15 {
            self.now += OverlayPainter::REFRESH / 15;
            self.draws += 1;
            let (now, draws) = (self.now, self.draws);
            let encoding = ["h264", "jpeg", "webp", "scroll"][(draws % 4) as usize];
            let bytes = 20_000 + draws * 7919 % 30_000;
            self.collector.received(now, bytes);
            self.collector.packet(now, "window-draw");
            self.collector.draw_received(now, encoding, bytes);
            let us = |us: u64| now + Duration::from_micros(us);
            let mut trace = DrawTrace::new(now, us(100 + draws % 97), bytes);
            trace.decode_started = Some(us(220 + draws % 53));
            trace.decoded = Some(us(1900 + draws % 769));
            trace.uploaded = Some(us(3100 + draws % 997));
            let mut ledger = CopyLedger::default();
            ledger.note_copy(CopySite::Staging, 4 * bytes as usize);
            trace.ledger = ledger;
            self.collector.draw_done(us(4200), 1, draws, encoding, DrawCounted::Presented, &trace);
            self.collector.presented(1, draws, us(5000 + draws % 1009));
            self.collector.latency(now, Duration::from_micros(600 + draws % 211));
        }
    }

    fn snapshot(&self) -> StatsSnapshot {
        self.collector.snapshot(self.now)
    }
}

#[derive(Clone, Default)]
struct Events(Queue<AppEvent>);

impl AppSink for Events {
    fn send(&self, event: AppEvent) {
        self.0.push(event);
    }
}

/// Wants to know only what renders.
#[derive(Clone, Default)]
struct Renderers(Queue<RendererInfo>);

impl DrawReply for Renderers {
    fn done(&mut self, _draw: DrawDone) {}
    fn presented(&mut self, _present: Presented) {}
    fn refresh(&mut self, _wid: WindowId) {}
    fn renderer(&mut self, info: RendererInfo) {
        self.0.push(info);
    }
}

/// A render thread with one window that nobody sees.
struct Renderer {
    queue: RenderQueue,
    events: Events,
    name: String,
    _engine: Engine,
}

impl Renderer {
    fn start(renderer: RendererChoice) -> Result<Self, OverlayBenchError> {
        let (events, renderers) = (Events::default(), Renderers::default());
        let options = RenderOptions { renderer, offscreen: true, ..RenderOptions::default() };
        let engine = Engine::without_session(options, Arc::new(events.clone()), Box::new(renderers.clone()))?;
        let queue = engine.queues().render.clone();
        let mut renderer = Self { queue, events, name: String::new(), _engine: engine };
        let update = BackingUpdate::Resize(WINDOW);
        renderer.queue.push(RenderMessage::Item(RenderItem::Backing { wid: WID, update }));
        renderer.read_back()?;
        while let Some(info) = renderers.0.try_pop() {
            renderer.name = format!("{} ({})", info.backend, info.adapter);
        }
        Ok(renderer)
    }

    /// The CPU time, in all threads but this one, by which a picture with the overlay costs more
    /// than one without.
    fn paint(&mut self, snapshots: &[Arc<StatsSnapshot>]) -> Result<Duration, OverlayBenchError> {
        let mut painter = OverlayPainter::new();
        self.read_back()?;
        let mut with = Duration::ZERO;
        let mut without = Duration::ZERO;
        for snapshot in snapshots {
            self.show(None);
            let before = ProcessTime::now();
            self.read_back()?;
            without += before.elapsed();
            let Some(frame) = frame(&mut painter, snapshot) else { continue };
            let before = ProcessTime::now();
            self.show(Some(frame));
            self.read_back()?;
            with += before.elapsed();
        }
        let count = u32::try_from(snapshots.len()).unwrap_or(1).max(1);
        Ok(with.saturating_sub(without) / count)
    }

    fn show(&self, frame: Option<OverlayFrame>) {
        self.queue.push(RenderMessage::Command(RenderCommand::Overlay { surface: WID.into(), frame }));
    }

    fn read_back(&self) -> Result<(), OverlayBenchError> {
        self.queue.push(RenderMessage::Command(RenderCommand::ReadBack { wid: WID }));
        let until = clock::now() + PATIENCE;
        while clock::now() < until {
            match self.events.0.try_pop() {
                Some(AppEvent::Pixels { .. }) => return Ok(()),
                Some(AppEvent::RendererFailed(why)) => return Err(OverlayBenchError::Renderer(why)),
                Some(_) => {}
                None => std::thread::sleep(Duration::from_micros(200)),
            }
        }
        Err(OverlayBenchError::Silent)
    }
}

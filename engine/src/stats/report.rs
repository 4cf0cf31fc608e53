//! A snapshot in words: the rows that the overlay paints and the summary prints.
//!
//! Both say the same as `--stats-json` because all three come from one [`StatsSnapshot`], and
//! every number on the way to a person passes [`super::text`].

use super::snapshot::{
    ClipboardStats, EncodingStats, MemoryStats, NamedRate, Quantiles, Rate, Ratio, SiteStats, Stage,
    StageStats, StatsSnapshot,
};
use super::text;

/// Everything that a person is told.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What is connected, in a few words.
    pub title: String,
    pub elapsed: String,
    /// The most telling numbers, for a place with room for one line.
    pub headline: Vec<String>,
    pub sections: Vec<Section>,
}

/// A table of three columns, or plain lines.
#[derive(Clone, Debug, PartialEq)]
pub struct Section {
    pub kind: SectionKind,
    pub columns: [&'static str; 3],
    pub rows: Vec<Row>,
}

/// What a section is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SectionKind {
    Network,
    Encodings,
    Latency,
    Copies,
    Transforms,
    Allocations,
    Frames,
    Times,
    EncodingTimes,
    Queue,
    Renderer,
}

impl SectionKind {
    /// Every section, the one that is missed the most first.
    pub const BY_IMPORTANCE: [Self; 11] = [
        Self::Frames,
        Self::Network,
        Self::Copies,
        Self::Times,
        Self::Latency,
        Self::Queue,
        Self::Encodings,
        Self::EncodingTimes,
        Self::Allocations,
        Self::Transforms,
        Self::Renderer,
    ];

    /// The section's heading.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Network => "Network",
            Self::Encodings => "Encodings",
            Self::Latency => "Latency",
            Self::Copies => "Memory copies",
            Self::Transforms => "Transforms",
            Self::Allocations => "Allocations",
            Self::Frames => "Frames",
            Self::Times => "Stage times",
            Self::EncodingTimes => "To the screen",
            Self::Queue => "Queue",
            Self::Renderer => "Renderer",
        }
    }
}

/// One line of a section.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    pub label: String,
    /// One text for each column; none in a plain line.
    pub cells: Vec<String>,
    pub graph: Graph,
    /// Part of the row above: first to go where room is short.
    pub detail: bool,
}

/// What is drawn beside a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Graph {
    #[default]
    None,
    /// The course over the last ten seconds, in any unit.
    Series(Vec<f64>),
    /// A part of a whole, from 0 to 1: where it begins and ends.
    Span(f64, f64),
}

/// Which time the times and ratios are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    Last10s,
    Session,
}

impl Scope {
    fn of(self, stage: &StageStats) -> Quantiles {
        match self {
            Self::Last10s => stage.last_10s,
            Self::Session => stage.session,
        }
    }

    fn ratio(self, ratio: &Ratio) -> Option<f64> {
        match self {
            Self::Last10s => ratio.last_10s,
            Self::Session => ratio.session,
        }
    }
}

impl Report {
    /// What happens now: times and ratios are of the last ten seconds.
    pub fn new(snapshot: &StatsSnapshot) -> Self {
        Self::with_scope(snapshot, Scope::Last10s)
    }

    /// What happened since the start, with the times of every stage for each encoding.
    pub fn summary(snapshot: &StatsSnapshot) -> Self {
        Self::with_scope(snapshot, Scope::Session)
    }

    fn with_scope(snapshot: &StatsSnapshot, scope: Scope) -> Self {
        let session = &snapshot.session;
        let mut title = vec![snapshot.network.transport.to_owned()];
        title.extend((!session.wire.is_empty()).then(|| session.wire.clone()));
        title
            .extend((!session.server_version.is_empty()).then(|| format!("xpra {}", session.server_version)));
        Self {
            title: title.join("  ·  "),
            elapsed: text::elapsed(snapshot.elapsed_sec),
            headline: headline(snapshot),
            sections: vec![
                network(snapshot),
                encodings(snapshot),
                latency(snapshot),
                copies(&snapshot.memory, scope),
                transforms(snapshot),
                allocations(&snapshot.memory, scope),
                frames(snapshot),
                times(&snapshot.draws.stages, scope),
                encoding_times(&snapshot.draws.by_encoding, scope),
                queue(snapshot),
                renderer(snapshot),
            ],
        }
    }

    /// The report as lines of text, for a terminal.
    pub fn to_text(&self) -> String {
        use std::fmt::Write;
        let mut out = format!("{}  ·  {}\n", self.title, self.elapsed);
        for Section { kind, columns, rows } in &self.sections {
            let [first, second, third] = columns;
            // INVARIANT: writing to a String does not fail.
            let _ = writeln!(out, "{:<24}{first:>12}{second:>12}{third:>12}", kind.title());
            for row in rows {
                let indent = if row.detail { "    " } else { "  " };
                let _ = write!(out, "{:<24}", format!("{indent}{}", row.label));
                for cell in &row.cells {
                    let _ = write!(out, "{cell:>12}");
                }
                out.truncate(out.trim_end().len());
                out.push('\n');
            }
        }
        out
    }
}

fn headline(snapshot: &StatsSnapshot) -> Vec<String> {
    let total = snapshot.draws.stages.get(Stage::Total as usize).map_or(0, |stage| stage.last_10s.p50_us);
    vec![
        format!("{}/s", text::bytes(snapshot.network.received.per_sec)),
        format!("{} fps", text::per_sec(snapshot.draws.presents.per_sec)),
        text::micros(total),
        format!("copied {}", text::factor(snapshot.memory.copied_per_received.last_10s)),
    ]
}

fn network(snapshot: &StatsSnapshot) -> Section {
    let network = &snapshot.network;
    let section =
        Section { kind: SectionKind::Network, columns: ["per s", "10 s avg", "total"], rows: Vec::new() };
    let row = |label: String, rate| byte_row(label, rate);
    let mut rows = vec![
        row(format!("{} in", network.transport), &network.received),
        row(format!("{} out", network.transport), &network.sent),
        event_row("packets in", &network.packets),
    ];
    rows.extend(clipboard(&network.clipboard));
    section.with(rows)
}

/// Only what there was.
fn clipboard(clipboard: &ClipboardStats) -> Vec<Row> {
    let waits = clipboard.waiting_sec >= 1.0;
    let row = |label: &str, rate: &Rate| byte_row(label.to_owned(), rate);
    let mut rows = Vec::new();
    if waits {
        let words = format!("pasting: the server has been asked for {:.0} s", clipboard.waiting_sec);
        rows.push(Row { label: words, ..Row::default() });
    }
    if clipboard.received.total > 0 {
        rows.push(row("clipboard in", &clipboard.received));
    }
    if clipboard.sent.total > 0 {
        rows.push(row("clipboard out", &clipboard.sent));
    }
    rows
}

fn encodings(snapshot: &StatsSnapshot) -> Section {
    let row = |encoding: &EncodingStats| Row {
        label: encoding.name.to_owned(),
        cells: vec![
            text::per_sec(encoding.received.per_sec),
            text::bytes(encoding.wire_bytes.per_sec),
            text::count(encoding.received.total),
        ],
        graph: Graph::Series(encoding.received.series.clone()),
        detail: false,
    };
    let mut rows: Vec<Row> = snapshot.draws.by_encoding.iter().map(row).collect();
    if rows.is_empty() {
        rows.push(Row { label: "no draws yet".to_owned(), ..Row::default() });
    }
    Section { kind: SectionKind::Encodings, columns: ["packets/s", "bytes/s", "packets"], rows }
}

fn latency(snapshot: &StatsSnapshot) -> Section {
    let latency = &snapshot.network.latency;
    let Quantiles { count, p50_us, p95_us, .. } = latency.session;
    let time = |us| if count == 0 { "–".to_owned() } else { text::micros(us) };
    Section { kind: SectionKind::Latency, columns: ["now", "p50", "p95"], rows: Vec::new() }.with([Row {
        label: "ping".to_owned(),
        cells: vec![time(latency.last.now), time(p50_us), time(p95_us)],
        graph: Graph::Series(latency.last.series.iter().map(|us| *us as f64).collect()),
        detail: false,
    }])
}

fn copies(memory: &MemoryStats, scope: Scope) -> Section {
    let all = Row {
        label: "all sites".to_owned(),
        cells: vec![
            text::bytes(memory.copied.per_sec),
            text::factor(scope.ratio(&memory.copied_per_received)),
            text::bytes(memory.copied.total as f64),
        ],
        graph: Graph::Series(memory.copied_per_received_series.clone()),
        detail: false,
    };
    let site = |site: &SiteStats| Row {
        label: site.name.to_owned(),
        cells: vec![
            text::bytes(site.bytes.per_sec),
            text::factor(scope.ratio(&site.per_received)),
            text::bytes(site.bytes.total as f64),
        ],
        graph: Graph::None,
        detail: true,
    };
    let section =
        Section { kind: SectionKind::Copies, columns: ["per s", "per byte", "total"], rows: vec![all] };
    section.with(memory.by_site.iter().map(site))
}

fn transforms(snapshot: &StatsSnapshot) -> Section {
    let columns = ["per s", "10 s avg", "total"];
    let transform = |NamedRate { name, rate }: &NamedRate| Row {
        cells: byte_cells(rate),
        label: (*name).to_owned(),
        graph: Graph::None,
        detail: true,
    };
    let rows = vec![byte_row("all".to_owned(), &snapshot.memory.transformed)];
    Section { kind: SectionKind::Transforms, columns, rows }
        .with(snapshot.memory.by_transform.iter().map(transform))
}

fn allocations(memory: &MemoryStats, scope: Scope) -> Section {
    Section { kind: SectionKind::Allocations, columns: ["per s", "per frame", "total"], rows: Vec::new() }
        .with([
            Row {
                label: "buffers".to_owned(),
                cells: vec![
                    text::per_sec(memory.allocations.per_sec),
                    text::average(scope.ratio(&memory.allocations_per_frame)),
                    text::count(memory.allocations.total),
                ],
                ..Row::default()
            },
            Row {
                label: "bytes".to_owned(),
                cells: vec![
                    text::bytes(memory.allocated_bytes.per_sec),
                    String::new(),
                    text::bytes(memory.allocated_bytes.total as f64),
                ],
                detail: true,
                ..Row::default()
            },
            Row {
                label: "all heap".to_owned(),
                cells: vec![
                    text::per_sec(memory.heap_allocations.per_sec),
                    text::average(scope.ratio(&memory.heap_allocations_per_frame)),
                    text::count(memory.heap_allocations.total),
                ],
                ..Row::default()
            },
        ])
}

fn frames(snapshot: &StatsSnapshot) -> Section {
    let draws = &snapshot.draws;
    let section =
        Section { kind: SectionKind::Frames, columns: ["per s", "10 s avg", "total"], rows: Vec::new() };
    section.with([event_row("draws", &draws.received), event_row("presents", &draws.presents)])
}

fn times(stages: &[StageStats], scope: Scope) -> Section {
    let whole: f64 = stages
        .iter()
        .filter(|stage| stage.stage != Stage::Total.name())
        .map(|stage| scope.of(stage).mean_us)
        .sum();
    let mut begin = 0.0;
    let row = |stage: &StageStats| {
        let times = scope.of(stage);
        let graph = if whole == 0.0 {
            Graph::None
        } else if stage.stage == Stage::Total.name() {
            Graph::Span(0.0, 1.0)
        } else {
            let from = begin;
            begin += times.mean_us / whole;
            Graph::Span(from, begin)
        };
        Row { label: stage.stage.to_owned(), cells: time_cells(times), graph, detail: false }
    };
    let rows = stages.iter().map(row).collect();
    Section { kind: SectionKind::Times, columns: ["p50", "p95", "p99"], rows }
}

/// The whole way of each encoding's draws; in the summary also its parts.
fn encoding_times(encodings: &[EncodingStats], scope: Scope) -> Section {
    let stage_row = |label: &str, stage: &StageStats, detail| Row {
        label: label.to_owned(),
        cells: time_cells(scope.of(stage)),
        graph: Graph::None,
        detail,
    };
    let rows_of = |encoding: &EncodingStats| {
        let total = encoding.stages.get(Stage::Total as usize);
        let mut rows: Vec<Row> =
            total.map(|total| stage_row(encoding.name, total, false)).into_iter().collect();
        if scope == Scope::Session {
            let parts = encoding.stages.iter().filter(|stage| stage.stage != Stage::Total.name());
            rows.extend(parts.map(|stage| stage_row(stage.stage, stage, true)));
        }
        rows
    };
    let rows = encodings.iter().flat_map(rows_of).collect();
    Section { kind: SectionKind::EncodingTimes, columns: ["p50", "p95", "p99"], rows }
}

fn time_cells(times: Quantiles) -> Vec<String> {
    let time = |us| if times.count == 0 { "–".to_owned() } else { text::micros(us) };
    Vec::from([times.p50_us, times.p95_us, times.p99_us].map(time))
}

fn queue(snapshot: &StatsSnapshot) -> Section {
    let queue = &snapshot.queue_bytes;
    Section { kind: SectionKind::Queue, columns: ["now", "10 s max", "draws"], rows: Vec::new() }.with([
        Row {
            label: "in flight".to_owned(),
            cells: vec![
                text::bytes(queue.now as f64),
                text::bytes(queue.max_10s as f64),
                text::count(snapshot.draws.in_flight),
            ],
            graph: Graph::Series(queue.series.iter().map(|bytes| *bytes as f64).collect()),
            detail: false,
        },
    ])
}

fn renderer(snapshot: &StatsSnapshot) -> Section {
    let facts = &snapshot.renderer;
    let line = |label: String| Row { label, ..Row::default() };
    let rows = if facts.adapter.is_empty() {
        vec![line("not started".to_owned())]
    } else {
        let kind = if facts.software { "  ·  on the CPU" } else { "" };
        vec![line(facts.adapter.clone()), line(format!("{}  ·  {}{kind}", facts.backend, facts.present_mode))]
    };
    Section { kind: SectionKind::Renderer, columns: [""; 3], rows }
}

impl Section {
    fn with(mut self, rows: impl IntoIterator<Item = Row>) -> Self {
        self.rows.extend(rows);
        self
    }
}

fn byte_row(label: String, rate: &Rate) -> Row {
    Row { label, cells: byte_cells(rate), graph: Graph::Series(rate.series.clone()), detail: false }
}

fn byte_cells(rate: &Rate) -> Vec<String> {
    vec![text::bytes(rate.per_sec), text::bytes(rate.per_sec_10s), text::bytes(rate.total as f64)]
}

fn event_row(label: &str, rate: &Rate) -> Row {
    Row {
        label: label.to_owned(),
        cells: vec![text::per_sec(rate.per_sec), text::per_sec(rate.per_sec_10s), text::count(rate.total)],
        graph: Graph::Series(rate.series.clone()),
        detail: false,
    }
}

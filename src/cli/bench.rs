//! `farpane bench`: measures, prints a table, writes the raw data and charts.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::bench::docs;
use crate::bench::live::{self, back, typing};
use crate::bench::overlay::{self, OverlayBenchError};
use crate::bench::peers::{self, Case, Client, Subject};
use crate::bench::receive::{self, Plan, Results, Source, Strategy, Workload};
use crate::bench::start;

use super::output;

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RawBench {
    /// CPU time of the statistics overlay, by renderer
    Overlay {
        /// Refreshes to measure; the overlay makes one a second
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=100_000))]
        refreshes: u32,
        /// Put the table between the markers of this Markdown file
        #[arg(long, value_name = "FILE")]
        docs: Option<PathBuf>,
    },
    /// Ways to receive large payloads: the experiment of Xpra ticket #502
    Receive(RawReceive),
    /// Farpane beside the other Xpra clients that are installed, on the same recordings
    Peers(RawPeers),
    /// Farpane beside Xpra's own client on real servers: from key press to pixel, and frames of a video
    Live(RawLive),
    /// How long a session takes to be live again once its server can be reached again
    Reconnect {
        /// Windows of the session
        #[arg(long, default_value_t = back::WINDOWS, value_parser = clap::value_parser!(u32).range(1..=20))]
        windows: u32,
        /// How often the connection is lost
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        times: u32,
        /// Only servers whose versions contain one of these, for example 6.5
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        servers: Vec<String>,
    },
    /// From key press to pixel on far and slow lines, while a film is played beside it
    Typing {
        /// Key presses on each line
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
        presses: u32,
        /// Only servers whose versions contain one of these, for example 6.5
        #[arg(long, value_name = "LIST", value_delimiter = ',')]
        servers: Vec<String>,
        /// Only lines whose names contain one of these, for example Mbit
        #[arg(long, value_name = "LIST", value_delimiter = ';')]
        lines: Vec<String>,
    },
    /// How long after its start the program shows the connect window, on an Xvfb of its own
    Start {
        /// Starts to measure
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        runs: u32,
        /// What to paint with
        #[arg(long, default_value = "cpu", value_parser = ["cpu", "wgpu"])]
        renderer: String,
        /// Measure this program instead, such as the one of a package
        #[arg(long, value_name = "FILE")]
        program: Option<PathBuf>,
    },
}

/// Options of `farpane bench receive`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RawReceive {
    /// Write receive.csv and the charts (SVG and PNG) to this folder
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Put the tables between the markers of this Markdown file, and charts into `images` beside it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["payloads", "sources", "strategies"])]
    pub docs: Option<PathBuf>,
    /// Fewer bytes and one run: shows what there is in under a minute
    #[arg(long)]
    pub quick: bool,
    /// Only payloads whose names contain one of these, for example 400,packets
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub payloads: Vec<String>,
    /// Only sources whose names contain one of these, for example unix
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub sources: Vec<String>,
    /// Only strategies whose names contain one of these, for example bare,joined,Farpane
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub strategies: Vec<String>,
    /// How often everything is measured; the best counts [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub runs: Option<u16>,
}

impl RawReceive {
    /// Whether some of the experiment is left out.
    fn is_part(&self) -> bool {
        !(self.payloads.is_empty() && self.sources.is_empty() && self.strategies.is_empty())
    }

    fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        if self.quick {
            plan.bytes = 8 << 20;
            plan.runs = 1;
            if self.payloads.is_empty() {
                plan.workloads = vec![Workload::Raw1080p, Workload::Jpeg, Workload::Small];
            }
        }
        plan.runs = self.runs.map_or(plan.runs, usize::from);
        let wanted =
            |list: &[String], name: &str| list.is_empty() || list.iter().any(|part| name.contains(part));
        plan.workloads.retain(|workload| wanted(&self.payloads, workload.name()));
        plan.sources.retain(|source| wanted(&self.sources, source.name()));
        plan.strategies.retain(|strategy| wanted(&self.strategies, strategy.name()));
        plan
    }
}

/// Options of `farpane bench peers`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RawPeers {
    /// Write peers.md, peers.csv and peers.json to this folder
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Fewer updates, one run: shows what there is, but not what it costs
    #[arg(long)]
    pub quick: bool,
    /// Only these kinds of updates [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = case)]
    pub cases: Vec<Case>,
    /// Only clients whose names contain one of these, for example cpu,cairo
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub only: Vec<String>,
    /// More clients: a JSON list of {"name": …, "command": ["program", "{url}", …],
    /// "environment": {…}}
    #[arg(long, value_name = "FILE")]
    pub clients: Option<PathBuf>,
    /// Play this recording instead of the made-up ones
    #[arg(long, value_name = "FILE", conflicts_with = "cases")]
    pub recording: Vec<PathBuf>,
    /// How often the draws of --recording are played
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub rounds: u32,
    /// Full updates that are measured in each run [default: 240; a small one counts for 1/40]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub frames: Option<u32>,
    /// How often everything is measured; the best counts [default: 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: Option<u32>,
    /// Draws that a client may leave unacknowledged
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..))]
    pub window: u16,
    /// Keep the recordings that are made in this folder
    #[arg(long, value_name = "FOLDER")]
    pub keep: Option<PathBuf>,
}

/// Options of `farpane bench live`.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct RawLive {
    /// Key presses at each of 4, 10 and 30 a second; 0: none
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub presses: u32,
    /// Seconds for which each film is watched; 0: none
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub film: u16,
    /// Only servers whose versions contain one of these, for example 6.5
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub servers: Vec<String>,
    /// How often everything is measured, in turns
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub runs: u32,
    /// Put the tables between the markers of this Markdown file
    #[arg(long, value_name = "FILE")]
    pub docs: Option<PathBuf>,
}

fn case(name: &str) -> Result<Case, String> {
    Case::ALL.into_iter().find(|case| case.name() == name).ok_or_else(|| {
        let names = Case::ALL.map(Case::name).join(", ");
        format!("expected some of {names}")
    })
}

/// A benchmark that could not be run to its end.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("the benchmark failed: {0}")]
    Run(std::io::Error),
    #[error("cannot write {}: {why}", path.display())]
    File { path: PathBuf, why: std::io::Error },
    #[error(transparent)]
    Overlay(#[from] OverlayBenchError),
    #[error(transparent)]
    Chart(#[from] receive::ChartError),
    #[error(transparent)]
    Peers(#[from] peers::Error),
    #[error("no client is left: there are {known}")]
    NoClient { known: String },
    #[error(
        "this farpane was built without optimisation, and its figures are not those of what people use: build it with \
         cargo build --release to write them into {}", .0.display()
    )]
    NotOptimised(PathBuf),
    #[error("nothing is left to measure: there are {known}")]
    NothingLeft { known: String },
}

/// Runs what was asked for. Progress goes to stderr, results to stdout.
///
/// # Errors
/// If a measurement fails or a file cannot be written.
pub fn run(bench: &RawBench) -> Result<(), BenchError> {
    if cfg!(debug_assertions) {
        match bench {
            RawBench::Overlay { docs: Some(file), .. }
            | RawBench::Receive(RawReceive { docs: Some(file), .. })
            | RawBench::Live(RawLive { docs: Some(file), .. }) => {
                return Err(BenchError::NotOptimised(file.clone()));
            }
            _ => output::progress("built without optimisation: these are not the figures of what people use"),
        }
    }
    match bench {
        RawBench::Overlay { refreshes, docs } => {
            let costs = overlay::run(*refreshes)?;
            output::print(&overlay::table(&costs));
            let Some(file) = docs else { return Ok(()) };
            let failed = |why| BenchError::File { path: file.clone(), why };
            docs::write(file, overlay::COMMAND, &overlay::markdown(&costs)).map_err(failed)
        }
        RawBench::Receive(options) => receive(options),
        RawBench::Peers(options) => peers(options),
        RawBench::Live(options) => live(options),
        RawBench::Reconnect { windows, times, servers } => {
            let plan = back::Plan { windows: *windows, times: *times, servers: servers.clone() };
            let rows = back::run(&plan, output::progress)?;
            output::print(&back::table(&plan, &rows));
            Ok(())
        }
        RawBench::Typing { presses, servers, lines } => {
            let plan = typing::Plan { presses: *presses, servers: servers.clone(), lines: lines.clone() };
            output::print(&typing::table(&typing::run(&plan, output::progress)?));
            Ok(())
        }
        RawBench::Start { runs, renderer, program } => {
            output::print(&start::table(&start::run(program.as_deref(), renderer, *runs)?));
            Ok(())
        }
    }
}

fn live(options: &RawLive) -> Result<(), BenchError> {
    let plan = live::Plan {
        presses: options.presses,
        film: std::time::Duration::from_secs(options.film.into()),
        servers: options.servers.clone(),
        runs: options.runs,
    };
    let rows = live::run(&plan, output::progress)?;
    output::print(&live::table(&rows));
    let Some(file) = &options.docs else { return Ok(()) };
    let failed = |why| BenchError::File { path: file.clone(), why };
    docs::write(file, live::COMMAND, &live::markdown(&rows)).map_err(failed)
}

fn peers(options: &RawPeers) -> Result<(), BenchError> {
    output::progress("looking for clients");
    let mut clients = peers::installed()?;
    if let Some(file) = &options.clients {
        clients.extend(peers::configured(file)?);
    }
    let known = clients.iter().map(|client| client.name.clone()).collect::<Vec<_>>().join(", ");
    let is_wanted = |client: &Client| options.only.iter().any(|part| client.name.contains(part.as_str()));
    clients.retain(|client| options.only.is_empty() || is_wanted(client));
    if clients.is_empty() {
        return Err(BenchError::NoClient { known });
    }
    let cases = if options.cases.is_empty() { &Case::ALL[..] } else { &options.cases };
    let made = cases.iter().map(|case| Subject::Made(*case));
    let rounds = options.rounds;
    let files = options.recording.iter().map(|file| Subject::File { file: file.clone(), rounds });
    let (frames, runs) = if options.quick { (24, 1) } else { (240, 3) };
    let frames = options.frames.unwrap_or(frames);
    let plan = peers::Plan {
        subjects: if options.recording.is_empty() { made.collect() } else { files.collect() },
        clients,
        frames,
        small: frames.saturating_mul(40),
        warm_up: 12,
        window: options.window.into(),
        runs: options.runs.unwrap_or(runs),
        keep: options.keep.clone(),
    };
    let rows = peers::run(&plan, output::progress)?;
    output::print(&peers::table(&rows));
    let Some(folder) = options.out.as_deref() else { return Ok(()) };
    let unwritable = |why| BenchError::File { path: folder.to_owned(), why };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    let words: Vec<String> = std::env::args().skip(1).collect();
    let command = format!("farpane {}", words.join(" "));
    let files = [
        ("peers.md", peers::markdown(&plan, &rows, &command)),
        ("peers.csv", peers::csv(&rows)),
        ("peers.json", peers::json(&plan, &rows)),
    ];
    for (name, text) in files {
        std::fs::write(folder.join(name), text).map_err(unwritable)?;
    }
    output::progress(&format!("wrote peers.md, peers.csv and peers.json to {}", folder.display()));
    Ok(())
}

fn receive(options: &RawReceive) -> Result<(), BenchError> {
    let plan = options.plan();
    let mut last = None;
    let measurements = receive::run(&plan, |m| {
        if last != Some((m.workload, m.source)) {
            last = Some((m.workload, m.source));
            output::progress(&format!("measuring {} over {}", m.workload.name(), m.source.name()));
        }
    })
    .map_err(BenchError::Run)?;
    if measurements.is_empty() {
        let payloads = Workload::ALL.map(Workload::name);
        let (sources, strategies) = (Source::ALL.iter().map(|s| s.name()), Strategy::ALL.map(Strategy::name));
        let known = payloads.into_iter().chain(sources).chain(strategies).collect::<Vec<_>>().join("; ");
        return Err(BenchError::NothingLeft { known });
    }
    let transports = if options.is_part() {
        Vec::new()
    } else {
        output::progress("measuring the transports");
        receive::transports(Workload::Raw4k).map_err(BenchError::Run)?
    };
    let results = Results { measurements: &measurements, transports: &transports };
    output::print(&receive::table(&measurements));
    if !transports.is_empty() {
        output::print(&results.transports_text());
    }
    output::print(&results.goals_text());
    if let Some(folder) = options.out.as_deref() {
        let unwritable = |why| BenchError::File { path: folder.to_owned(), why };
        std::fs::create_dir_all(folder).map_err(unwritable)?;
        std::fs::write(folder.join("receive.csv"), receive::csv(&measurements)).map_err(unwritable)?;
        std::fs::write(folder.join("receive.md"), results.markdown()).map_err(unwritable)?;
        for source in Source::ALL {
            receive::draw_charts(&measurements, *source, folder)?;
        }
        output::progress(&format!("wrote receive.csv, receive.md and charts to {}", folder.display()));
    }
    options.docs.as_deref().map_or(Ok(()), |document| write_docs(document, &results))
}

fn write_docs(document: &Path, results: &Results<'_>) -> Result<(), BenchError> {
    let failed = |why| BenchError::File { path: document.to_owned(), why };
    let images = document.with_file_name("images");
    std::fs::create_dir_all(&images).map_err(failed)?;
    receive::draw_for_docs(results.measurements, &images)?;
    docs::write(document, receive::COMMAND, &results.markdown()).map_err(failed)?;
    output::progress(&format!("wrote the figures of this run to {}", document.display()));
    Ok(())
}

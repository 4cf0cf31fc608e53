//! `farpane bench`: measures, prints a table, writes the raw data and charts.

use std::path::{Path, PathBuf};

use clap::Subcommand;

use crate::bench::overlay::{self, OverlayBenchError};
use crate::bench::receive::{self, Plan, Source, Workload};

use super::output;

/// What to measure.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum RawBench {
    /// CPU time of the statistics overlay, by renderer
    Overlay {
        /// Refreshes to measure; the overlay makes two a second
        #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=100_000))]
        refreshes: u32,
    },
    /// Ways to receive large payloads: the experiment of Xpra ticket #502
    Receive {
        /// Write receive.csv and the charts (SVG and PNG) to this folder
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Fewer bytes and one run: shows what there is in under a minute
        #[arg(long)]
        quick: bool,
    },
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
}

/// Runs what was asked for. Progress goes to stderr, results to stdout.
///
/// # Errors
/// If a measurement fails or a file cannot be written.
pub fn run(bench: &RawBench) -> Result<(), BenchError> {
    match bench {
        RawBench::Overlay { refreshes } => {
            output::print(&overlay::table(&overlay::run(*refreshes)?));
            Ok(())
        }
        RawBench::Receive { out, quick } => receive(out.as_deref(), *quick),
    }
}

fn receive(out: Option<&Path>, quick: bool) -> Result<(), BenchError> {
    let plan = if quick {
        Plan {
            bytes: 8 << 20,
            runs: 1,
            workloads: vec![Workload::Raw1080p, Workload::Jpeg, Workload::Small],
            ..Plan::default()
        }
    } else {
        Plan::default()
    };
    let mut last = None;
    let measurements = receive::run(&plan, |m| {
        if last != Some((m.workload, m.source)) {
            last = Some((m.workload, m.source));
            output::progress(&format!("measuring {} over {}", m.workload.name(), m.source.name()));
        }
    })
    .map_err(BenchError::Run)?;
    output::print(&receive::table(&measurements));
    let Some(folder) = out else { return Ok(()) };
    let unwritable = |why| BenchError::File { path: folder.to_owned(), why };
    std::fs::create_dir_all(folder).map_err(unwritable)?;
    std::fs::write(folder.join("receive.csv"), receive::csv(&measurements)).map_err(unwritable)?;
    for source in Source::ALL {
        receive::draw_charts(&measurements, *source, folder)?;
    }
    output::progress(&format!("wrote receive.csv and charts to {}", folder.display()));
    Ok(())
}

//! The measurements as text.

use std::fmt::Write as _;

use super::{Measurement, Strategy};

/// A table for people: one block for each payload and source, one line for each read size and
/// strategy.
pub fn table(measurements: &[Measurement]) -> String {
    let mut text = String::new();
    let mut block = None;
    for m in measurements {
        if block != Some((m.workload, m.source)) {
            block = Some((m.workload, m.source));
            let _ = writeln!(
                text,
                "\n{} over {}\n{:>9}  {:<20} {:>12} {:>9} {:>9} {:>11} {:>12}",
                m.workload.name(),
                m.source.name(),
                "read",
                "strategy",
                "copied/byte",
                "MB/s",
                "of bare",
                "CPU s/GB",
                "allocs/record",
            );
        }
        let _ = writeln!(
            text,
            "{:>9}  {:<20} {:>12.4} {:>9.0} {:>9} {:>11.3} {:>12.2}",
            m.read_size.to_string(),
            m.strategy.name(),
            m.copies_per_byte(),
            m.throughput() / 1e6,
            of_bare(m, measurements).map_or_else(String::new, |ratio| format!("{ratio:.2}")),
            m.cpu_seconds_per_gb(),
            m.allocations_per_record(),
        );
    }
    text
}

/// Throughput compared to bare reads of the same size from the same source.
fn of_bare(m: &Measurement, all: &[Measurement]) -> Option<f64> {
    let bare = all.iter().find(|other| {
        other.strategy == Strategy::BareReads
            && (other.workload, other.source, other.read_size) == (m.workload, m.source, m.read_size)
    })?;
    Some(m.throughput() / bare.throughput())
}

/// The raw data, one line for each measurement.
pub fn csv(measurements: &[Measurement]) -> String {
    let mut text = String::from(
        "workload,source,read_size,strategy,payload_bytes,records,copied_bytes,zeroed_bytes,reads,\
         allocations,allocated_bytes,wall_seconds,cpu_seconds,copies_per_byte,bytes_per_second,cpu_seconds_per_gb\n",
    );
    for m in measurements {
        let _ = writeln!(
            text,
            "{},{},{},{},{},{},{},{},{},{},{},{:.6},{:.6},{:.6},{:.0},{:.4}",
            m.workload.name(),
            m.source.name(),
            m.read_size,
            m.strategy.name(),
            m.payload_bytes,
            m.records,
            m.counters.copied,
            m.counters.zeroed,
            m.counters.reads,
            m.allocations.count,
            m.allocations.bytes,
            m.wall.as_secs_f64(),
            m.cpu.as_secs_f64(),
            m.copies_per_byte(),
            m.throughput(),
            m.cpu_seconds_per_gb(),
        );
    }
    text
}

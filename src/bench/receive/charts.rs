//! The measurements as charts: SVG and PNG.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Once;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

use super::{Measurement, ReadSize, Source, Strategy, Workload};

const SIZE: (u32, u32) = (960, 540);
const FONT: &str = "farpane";
const COLOURS: [RGBColor; Strategy::ALL.len()] = [
    RGBColor(120, 120, 120),
    RGBColor(190, 190, 190),
    RGBColor(200, 60, 50),
    RGBColor(220, 140, 40),
    RGBColor(150, 110, 190),
    RGBColor(70, 130, 200),
    RGBColor(110, 160, 60),
    RGBColor(10, 20, 30),
    RGBColor(170, 140, 110),
    RGBColor(230, 150, 190),
];

/// A chart that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    #[error("cannot write {path}: {why}")]
    File { path: String, why: String },
    #[error("cannot draw a chart: {0}")]
    Drawing(String),
}

/// A value of a measurement: its name in a file's name, its axis, and whether small values
/// matter as much as large ones.
struct Metric {
    file: &'static str,
    axis: &'static str,
    logarithmic: bool,
    value: fn(&Measurement) -> f64,
}

const METRICS: [Metric; 4] = [
    Metric {
        file: "copies",
        axis: "bytes copied per payload byte (+0.001)",
        logarithmic: true,
        value: |m| m.copies_per_byte() + 0.001,
    },
    Metric { file: "throughput", axis: "MB/s", logarithmic: false, value: |m| m.throughput() / 1e6 },
    Metric {
        file: "cpu",
        axis: "CPU seconds per GB",
        logarithmic: true,
        value: |m| m.cpu_seconds_per_gb().max(1e-3),
    },
    Metric {
        file: "allocations",
        axis: "allocations per record (+0.001)",
        logarithmic: true,
        value: |m| m.allocations_per_record() + 0.001,
    },
];

/// Writes `NAME.svg` and `NAME.png` for every metric of every payload over `source` into `folder`:
/// the value by read size, a line for each strategy.
///
/// # Errors
/// If a file cannot be written.
pub fn draw(measurements: &[Measurement], source: Source, folder: &Path) -> Result<(), ChartError> {
    register_fonts();
    for workload in Workload::ALL {
        let of_workload: Vec<_> =
            measurements.iter().filter(|m| m.workload == workload && m.source == source).collect();
        if of_workload.is_empty() {
            continue;
        }
        for metric in &METRICS {
            let slug = workload.name().replace(' ', "-").to_lowercase();
            let path = folder.join(format!("{}-{slug}-{}", metric.file, source.name()));
            let svg = path.with_extension("svg");
            chart(&SVGBackend::new(&svg, SIZE).into_drawing_area(), &of_workload, metric, workload, source)?;
            let mut pixels = vec![0; (SIZE.0 * SIZE.1 * 3) as usize];
            chart(
                &BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area(),
                &of_workload,
                metric,
                workload,
                source,
            )?;
            write_png(&path.with_extension("png"), &pixels)?;
        }
    }
    Ok(())
}

/// Writes the two charts of `docs/receive-path.md` to `folder`: bytes copied and throughput of a raw
/// picture over TCP.
///
/// # Errors
/// If a file cannot be written.
pub fn draw_for_docs(measurements: &[Measurement], folder: &Path) -> Result<(), ChartError> {
    register_fonts();
    let (workload, source) = (Workload::Raw1080p, Source::Tcp);
    let shown: Vec<_> =
        measurements.iter().filter(|m| m.workload == workload && m.source == source).collect();
    for metric in METRICS.iter().filter(|metric| matches!(metric.file, "copies" | "throughput")) {
        let path = folder.join(format!("receive-{}.svg", metric.file));
        chart(&SVGBackend::new(&path, SIZE).into_drawing_area(), &shown, metric, workload, source)?;
    }
    Ok(())
}

fn register_fonts() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // A font that is no font would show as charts without text, which their test sees.
        let _ = register_font(FONT, FontStyle::Normal, epaint_default_fonts::UBUNTU_LIGHT);
    });
}

fn chart<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    measurements: &[&Measurement],
    metric: &Metric,
    workload: Workload,
    source: Source,
) -> Result<(), ChartError> {
    let values = || measurements.iter().map(|m| (metric.value)(m));
    let highest = values().fold(0.0, f64::max) * 1.2;
    let lowest = values().fold(f64::INFINITY, f64::min) * 0.8;
    area.fill(&WHITE).map_err(drawing)?;
    let title = format!("{} by read size: {} over {}", metric.file, workload.name(), source.name());
    let mut builder = ChartBuilder::on(area);
    builder.caption(title, (FONT, 22)).margin(12).x_label_area_size(44).y_label_area_size(76);
    let columns = 0.0..(ReadSize::ALL.len() - 1) as f64;
    macro_rules! lines {
        ($chart:expr) => {{
            let mut chart = $chart.map_err(drawing)?;
            chart
                .configure_mesh()
                .x_labels(ReadSize::ALL.len())
                .x_label_formatter(&|x| {
                    ReadSize::ALL.get(x.round() as usize).map_or_else(String::new, ReadSize::to_string)
                })
                .x_desc("largest read")
                .y_desc(metric.axis)
                .label_style((FONT, 15))
                .axis_desc_style((FONT, 16))
                .draw()
                .map_err(drawing)?;
            for (strategy, colour) in Strategy::ALL.into_iter().zip(COLOURS) {
                let points: Vec<(f64, f64)> = measurements
                    .iter()
                    .filter(|m| m.strategy == strategy)
                    .filter_map(|m| {
                        let column = ReadSize::ALL.iter().position(|size| *size == m.read_size)?;
                        Some((column as f64, (metric.value)(m)))
                    })
                    .collect();
                if points.is_empty() {
                    continue;
                }
                let width = if strategy == Strategy::Farpane { 4 } else { 2 };
                chart
                    .draw_series(LineSeries::new(points, colour.stroke_width(width)).point_size(width))
                    .map_err(drawing)?
                    .label(strategy.name())
                    .legend(move |(x, y)| {
                        PathElement::new([(x, y), (x + 24, y)], colour.stroke_width(width))
                    });
            }
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK.mix(0.3))
                .label_font((FONT, 15))
                .draw()
                .map_err(drawing)?;
        }};
    }
    if metric.logarithmic {
        lines!(builder.build_cartesian_2d(columns, (lowest..highest).log_scale()));
    } else {
        lines!(builder.build_cartesian_2d(columns, 0.0..highest));
    }
    area.present().map_err(drawing)
}

fn drawing(error: impl std::fmt::Display) -> ChartError {
    ChartError::Drawing(error.to_string())
}

fn write_png(path: &Path, rgb: &[u8]) -> Result<(), ChartError> {
    let failed = |why: String| ChartError::File { path: path.display().to_string(), why };
    let file = File::create(path).map_err(|error| failed(error.to_string()))?;
    let mut encoder = png::Encoder::new(BufWriter::new(file), SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(rgb))
        .map_err(|error| failed(error.to_string()))
}

//! The results as text, and for documents.

use std::time::Duration;

use super::{Film, IDLE_GOAL, LAG_GOAL, LOADED_GOAL, Row, Shown};

/// As lines of text.
pub fn table(rows: &[Row]) -> String {
    lines(rows).into_iter().map(|line| line.replace(['|', '*'], " ").trim().to_owned() + "\n").collect()
}

/// As tables of a document.
pub fn markdown(rows: &[Row]) -> String {
    lines(rows).iter().map(|line| format!("{line}\n")).collect()
}

fn lines(rows: &[Row]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut table = Vec::new();
    if rows.iter().any(|row| !row.lags.is_empty()) {
        table.push(cells(&[
            "server",
            "client",
            "presses/s",
            "p50 ms",
            "p95 ms",
            "of Xpra's",
            "missing",
            "refused",
        ]));
        for row in rows {
            for lag in &row.lags {
                let other =
                    peer(rows, row).and_then(|peer| peer.lags.iter().find(|other| other.rate == lag.rate));
                let share =
                    other.map(|other| ratio(seconds(lag.percentile(95)), seconds(other.percentile(95))));
                table.push(cells(&[
                    &row.server,
                    &row.client,
                    &lag.rate.to_string(),
                    &format!("{:.1}", 1e3 * seconds(lag.percentile(50))),
                    &format!("{:.1}", 1e3 * seconds(lag.percentile(95))),
                    &share.map(|share| goal(share, share <= LAG_GOAL)).unwrap_or_default(),
                    &lag.missing.to_string(),
                    &lag.refused.to_string(),
                ]));
            }
        }
        lines.extend(aligned(&std::mem::take(&mut table)));
    }
    if rows.iter().any(|row| !row.films.is_empty()) {
        table.push(cells(&["server", "film", "client", "frames/s", "of Xpra's", "cores", "refused"]));
        for film in Film::ALL {
            for row in rows {
                let shown_by = |row: &Row| row.films.iter().find(|shown| shown.film == film).cloned();
                let Some(shown) = shown_by(row) else { continue };
                let share = peer(rows, row).and_then(shown_by).map(|other| ratio(shown.rate(), other.rate()));
                let least = if film.is_loaded() { LOADED_GOAL } else { IDLE_GOAL };
                table.push(film_line(row, &shown, share.map(|share| goal(share, share >= least))));
            }
        }
        lines.extend(aligned(&table));
    }
    lines
}

fn film_line(row: &Row, shown: &Shown, share: Option<String>) -> Vec<String> {
    cells(&[
        &row.server,
        shown.film.name(),
        &row.client,
        &format!("{:.1}", shown.rate()),
        &share.unwrap_or_default(),
        &format!("{:.2}", shown.cpu()),
        &shown.refused.to_string(),
    ])
}

/// What Xpra's own client did on the same server; none for itself.
fn peer<'a>(rows: &'a [Row], row: &Row) -> Option<&'a Row> {
    rows.iter().find(|other| row.is_farpane && !other.is_farpane && other.server == row.server)
}

fn ratio(one: f64, other: f64) -> f64 {
    if other > 0.0 { one / other } else { f64::INFINITY }
}

/// Outside of its goal in bold.
fn goal(share: f64, is_met: bool) -> String {
    if is_met { format!("{share:.2}") } else { format!("**{share:.2}**") }
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn cells(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// The lines of a table, the first of which is its head, and an empty line.
fn aligned(table: &[Vec<String>]) -> Vec<String> {
    let columns = table.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        table.iter().filter_map(|line| line.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |cells: &Vec<String>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        format!("| {} |", padded.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.iter().map(|width| "-".repeat(width + 2)).collect::<Vec<_>>().join("|");
    let mut lines: Vec<String> = table.iter().map(line).collect();
    if !lines.is_empty() {
        lines.insert(1, format!("|{rule}|"));
    }
    lines.push(String::new());
    lines
}

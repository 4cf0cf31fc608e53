//! The measurements as text: Markdown for people, CSV and JSON for programs.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::json;

use super::measure::{Final, Measurement};
use super::{BARE_SHARE, Client, PEER_SHARE, Plan, Row, SMALL_GOAL, START_GOAL, Subject};

/// One line for each recording and client, and one for each client's start and memory.
pub fn table(rows: &[Row]) -> String {
    let mut text = String::new();
    text.push_str(&aligned(&cost_cells(rows)));
    text.push('\n');
    text.push_str(&aligned(&start_cells(rows)));
    let mut failures: Vec<String> = Vec::new();
    for row in rows {
        for (client, result) in &row.results {
            if let Err(why) = result {
                failures.push(format!("- {}, {}: not available: {why}\n", client.name, row.name));
            }
        }
    }
    if !failures.is_empty() {
        text.push('\n');
        text.extend(failures);
    }
    text
}

/// A page with the tables, what they mean, and how to repeat them: `command` is what was run.
pub fn markdown(plan: &Plan, rows: &[Row], command: &str) -> String {
    let mut text = String::from("# Farpane beside other Xpra clients\n\n");
    let _ = write!(
        text,
        "Written by `{command}` (Farpane {}, {}). The clients of one table ran one after the other on the\n\
         same machine; other machines give other numbers, so compare within a table.\n\n",
        env!("CARGO_PKG_VERSION"),
        machine(),
    );
    text.push_str(&table(rows));
    let is_made = plan.subjects.iter().all(|subject| matches!(subject, Subject::Made(_)));
    let shown = if is_made {
        format!(
            "Every update but the small ones repaints a busy desktop of 1920 × 1080, all of which changes: {} of\n\
             them, or {} small ones, in each run. ",
            plan.frames, plan.small
        )
    } else {
        String::new()
    };
    let _ = write!(
        text,
        "\n{shown}Each client shows the same recording on an Xvfb of its own, without a window manager, and may\n\
         leave {} draws unacknowledged; best of {} runs.\n\n\
         - **CPU**: user and system time of the client's whole process tree for one update, from rest to rest,\n\
         \x20 after {} updates that are not counted. Neither the X server nor the server of the recording counts.\n\
         - **bare decoder**: the codec alone, in one thread: lz4 and png unpacked, jpeg and webp decoded to\n\
         \x20 32-bit pixels by their libraries, h264 decoded to its planes; raw pixels received from a socket and\n\
         \x20 copied once.\n\
         - **goal**: {PEER_SHARE} of the best other client or {BARE_SHARE} of the bare decoder, whichever is more; {} ms for\n\
         \x20 a small update; {} ms from start to first paint.\n\
         - **picture**: what can be seen at the end, compared with the recording decoded by Farpane's reference\n\
         \x20 code: the same, or, for lossy encodings, how like it is in dB. Decoders interpolate colours in their\n\
         \x20 own ways. \"The one before\": everything was acknowledged, but the last update never shows; such a\n\
         \x20 client still counts as one to be compared with.\n\
         - **first paint**: from the start of the process until a picture can be seen. **first ack**: until the\n\
         \x20 first draw is acknowledged. Clients acknowledge at different moments, so only the former is compared.\n\
         - **memory**: the highest sum of the tree's proportional set sizes (PSS) that was seen; \"RSS\" where the\n\
         \x20 kernel does not tell those.\n\
         - **farpane wgpu** draws with the adapter that there is. Where that is no GPU but software, Farpane takes\n\
         \x20 the CPU renderer unless it is told otherwise.\n",
        plan.window,
        plan.runs.max(1),
        plan.warm_up,
        ms(SMALL_GOAL),
        ms(START_GOAL),
    );
    text
}

fn cost_cells(rows: &[Row]) -> Vec<Vec<String>> {
    let head = [
        "update",
        "client",
        "CPU ms",
        "updates/s",
        "bare decoder ms",
        "best other ms",
        "goal ms",
        "met",
        "picture",
        "refused",
    ];
    let mut cells = vec![head.iter().map(|cell| (*cell).to_owned()).collect::<Vec<_>>()];
    for row in rows {
        for (client, result) in &row.results {
            let Ok(m) = result else {
                let mut line = vec![row.description.clone(), client.name.clone(), "not available".to_owned()];
                line.resize(head.len(), String::new());
                cells.push(line);
                continue;
            };
            let only_farpane = |text: String| if client.is_farpane { text } else { String::new() };
            cells.push(vec![
                row.description.clone(),
                client.name.clone(),
                ms(m.cpu),
                format!("{:.1}", m.rate),
                ms(row.bare),
                row.best_peer().map_or_else(|| "–".to_owned(), ms),
                only_farpane(ms(row.goal())),
                only_farpane(verdict(m.is_valid() && m.cpu <= row.goal())),
                picture(m.picture),
                if m.unanswered == 0 {
                    m.refused.to_string()
                } else {
                    format!("{}, {} unanswered", m.refused, m.unanswered)
                },
            ]);
        }
    }
    cells
}

/// Start and memory: a recording has little to do with the former, so that the best counts.
fn start_cells(rows: &[Row]) -> Vec<Vec<String>> {
    let mut cells = vec![
        ["client", "first paint ms", "first ack ms", "goal ms", "met", "memory MB"]
            .iter()
            .map(|cell| (*cell).to_owned())
            .collect::<Vec<_>>(),
    ];
    let clients: Vec<&Client> =
        rows.first().map(|row| row.results.iter().map(|(client, _)| client).collect()).unwrap_or_default();
    for (index, client) in clients.into_iter().enumerate() {
        let of = || rows.iter().filter_map(move |row| row.results.get(index)?.1.as_ref().ok());
        if of().next().is_none() {
            continue;
        }
        let paint = of().filter_map(|m| m.first_paint).min();
        let acknowledged = of().filter_map(|m| m.first_acknowledgement).min();
        let memory = || of().map(|m| m.peak_memory);
        let range = (memory().map(|m| m.bytes).min(), memory().map(|m| m.bytes).max());
        let unit = if memory().all(|m| m.is_proportional) { "" } else { " RSS" };
        let shown = |time: Option<Duration>| {
            time.map_or_else(|| "–".to_owned(), |t| format!("{:.0}", t.as_secs_f64() * 1e3))
        };
        let only_farpane = |text: String| if client.is_farpane { text } else { String::new() };
        cells.push(vec![
            client.name.clone(),
            shown(paint),
            shown(acknowledged),
            only_farpane(shown(Some(START_GOAL))),
            only_farpane(verdict(paint.is_some_and(|paint| paint <= START_GOAL))),
            format!("{}–{}{unit}", megabytes(range.0), megabytes(range.1)),
        ]);
    }
    cells
}

fn verdict(met: bool) -> String {
    if met { "yes" } else { "**no**" }.to_owned()
}

fn picture(picture: Final) -> String {
    match picture {
        Final::Same => "same".to_owned(),
        Final::Alike(decibels) => format!("{decibels:.1} dB"),
        Final::Late => "**the one before**".to_owned(),
        Final::Differs(decibels) => format!("**differs** ({decibels:.1} dB)"),
        Final::NotThere => "**not there**".to_owned(),
    }
}

fn ms(time: Duration) -> String {
    let ms = time.as_secs_f64() * 1e3;
    if ms < 1.0 { format!("{ms:.3}") } else { format!("{ms:.2}") }
}

fn megabytes(bytes: Option<u64>) -> String {
    bytes.map_or_else(|| "–".to_owned(), |bytes| format!("{:.0}", bytes as f64 / 1e6))
}

/// Cells as a table of Markdown, whose columns are also aligned for who reads it as text.
fn aligned(cells: &[Vec<String>]) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in cells {
        widths.resize(widths.len().max(line.len()), 0);
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for (number, line) in cells.iter().enumerate() {
        for (cell, width) in line.iter().zip(&widths) {
            let space = width - cell.chars().count();
            let _ = write!(text, "| {cell}{:space$} ", "");
        }
        text.push_str("|\n");
        if number == 0 {
            widths.iter().for_each(|width| text.push_str(&format!("|{:-<1$}", "", width + 2)));
            text.push_str("|\n");
        }
    }
    text
}

/// The processor and the number of its cores.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or_else(|| std::env::consts::ARCH.to_owned(), |(_, model)| model.trim().to_owned());
    format!("{cores} cores, {model}")
}

/// One line for each recording and client.
pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from(
        "recording,client,draws,bytes_per_draw,cpu_ms,draws_per_s,bare_ms,best_other_ms,goal_ms,first_paint_ms,\
         first_ack_ms,peak_memory_bytes,memory_is_pss,refused,unanswered,picture,error\n",
    );
    for row in rows {
        for (client, result) in &row.results {
            let plain = |time: Duration| format!("{:.4}", time.as_secs_f64() * 1e3);
            let known = |time: Option<Duration>| time.map(plain).unwrap_or_default();
            let _ = write!(text, "{},\"{}\",{},{},", row.name, client.name, row.draws, row.bytes_per_draw);
            let _ = match result {
                Ok(m) => writeln!(
                    text,
                    "{},{:.2},{},{},{},{},{},{},{},{},{},{},",
                    plain(m.cpu),
                    m.rate,
                    plain(row.bare),
                    known(row.best_peer()),
                    plain(row.goal()),
                    known(m.first_paint),
                    known(m.first_acknowledgement),
                    m.peak_memory.bytes,
                    m.peak_memory.is_proportional,
                    m.refused,
                    m.unanswered,
                    picture(m.picture).replace('*', ""),
                ),
                Err(why) => {
                    let why = why.replace('"', "'");
                    writeln!(text, ",,{},,,,,,,,,,\"{why}\"", plain(row.bare))
                }
            };
        }
    }
    text
}

/// The same, for programs.
pub fn json(plan: &Plan, rows: &[Row]) -> String {
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    let measured = |m: &Measurement, row: &Row| {
        json!({
            "cpu_ms": ms(m.cpu),
            "draws_per_s": m.rate,
            "is_goal_met": m.is_valid() && m.cpu <= row.goal(),
            "first_paint_ms": m.first_paint.map(ms),
            "first_ack_ms": m.first_acknowledgement.map(ms),
            "peak_memory_bytes": m.peak_memory.bytes,
            "memory_is_pss": m.peak_memory.is_proportional,
            "refused": m.refused,
            "unanswered": m.unanswered,
            "picture_is_right": m.picture.is_right(),
            "picture": picture(m.picture).replace('*', ""),
        })
    };
    let rows: Vec<_> = rows
        .iter()
        .map(|row| {
            let clients: Vec<_> = row
                .results
                .iter()
                .map(|(client, result)| {
                    let (result, error) = match result {
                        Ok(m) => (Some(measured(m, row)), None),
                        Err(why) => (None, Some(why)),
                    };
                    json!({
                        "client": client.name,
                        "is_farpane": client.is_farpane,
                        "command": client.command,
                        "result": result,
                        "not_available": error,
                    })
                })
                .collect();
            json!({
                "recording": row.name,
                "description": row.description,
                "draws": row.draws,
                "bytes_per_draw": row.bytes_per_draw,
                "bare_decoder_ms": ms(row.bare),
                "best_other_ms": row.best_peer().map(ms),
                "goal_ms": ms(row.goal()),
                "clients": clients,
            })
        })
        .collect();
    let page = json!({
        "machine": machine(),
        "farpane": env!("CARGO_PKG_VERSION"),
        "runs": plan.runs,
        "window": plan.window,
        "rows": rows,
    });
    format!("{page:#}\n")
}

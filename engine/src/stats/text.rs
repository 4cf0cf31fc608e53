//! How numbers are written: the one formatter of the overlay, the summary and the session window.

/// Bytes with three significant digits and a decimal unit, for example `12.4 MB`.
pub fn bytes(bytes: f64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes.max(0.0);
    let mut unit = UNITS[0];
    for larger in &UNITS[1..] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = larger;
    }
    if unit == UNITS[0] { format!("{value:.0} {unit}") } else { format!("{} {unit}", three_digits(value)) }
}

/// Microseconds as `812 µs`, `12.4 ms` or `1.24 s`.
pub fn micros(us: u64) -> String {
    if us < 1000 {
        format!("{us} µs")
    } else if us < 999_500 {
        format!("{} ms", three_digits(us as f64 / 1e3))
    } else {
        format!("{} s", three_digits(us as f64 / 1e6))
    }
}

/// A rate of events, for example `59.8`; whole numbers from a hundred on.
pub fn per_sec(rate: f64) -> String {
    if rate == 0.0 {
        "0".to_owned()
    } else if rate < 100.0 {
        format!("{rate:.1}")
    } else {
        count(rate.round() as u64)
    }
}

/// A count with separated thousands, for example `12 345`; millions from ten on as `12.3 M`.
pub fn count(count: u64) -> String {
    match count {
        0..10_000 => count.to_string(),
        10_000..10_000_000 => {
            let (millions, thousands, ones) = (count / 1_000_000, count / 1000 % 1000, count % 1000);
            if millions > 0 {
                format!("{millions} {thousands:03} {ones:03}")
            } else {
                format!("{thousands} {ones:03}")
            }
        }
        _ => format!("{} M", three_digits(count as f64 / 1e6)),
    }
}

/// A ratio as a factor, for example `0.66×`; a dash while it has no meaning.
pub fn factor(ratio: Option<f64>) -> String {
    match ratio {
        None => "–".to_owned(),
        Some(0.0) => "0×".to_owned(),
        Some(ratio) if ratio < 0.1 => format!("{ratio:.3}×"),
        Some(ratio) => format!("{}×", three_digits(ratio)),
    }
}

/// A ratio as a plain number, for example `0.02`; a dash while it has no meaning.
pub fn average(ratio: Option<f64>) -> String {
    ratio.map_or_else(
        || "–".to_owned(),
        |ratio| if ratio == 0.0 { "0".to_owned() } else { format!("{ratio:.2}") },
    )
}

/// Seconds as `8 s`, `3:07` or `2:03:07`.
pub fn elapsed(sec: f64) -> String {
    let whole = sec.max(0.0) as u64;
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    match (hours, minutes) {
        (0, 0) => format!("{whole} s"),
        (0, _) => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

fn three_digits(value: f64) -> String {
    let decimals = match value {
        value if value < 9.995 => 2,
        value if value < 99.95 => 1,
        _ => 0,
    };
    format!("{value:.decimals$}")
}

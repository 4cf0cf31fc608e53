//! The overlay and the dialogs, without a window: their words, their fit and their look.

mod away;
mod card;
mod connect;
mod overlay_steps;
mod raster;
mod session_menu;
mod settings;

use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::{Event, Key, Modifiers, RawInput, Shape, Ui};
use farpane::channel::clock;
use farpane::geometry::Size;
use farpane::session::Secret;
use farpane::stats::export::{history_csv, history_json};
use farpane::stats::{
    Collector, CopyLedger, CopySite, DrawCounted, DrawTrace, RendererFacts, Report, SessionFacts,
    StatsSnapshot, Transform, text,
};
use farpane::ui::{
    Message, OverlayPainter, OverlayState, OverlayStep, PasswordPrompt, PasswordReply, SecretText,
    SessionInfoAction, UiSurface, farpane_icon, message_ui, overlay_ui, passive_input, password_ui,
    session_info_ui, theme,
};
use raster::Canvas;
use serde_json::Value;

/// A key goes down and up.
fn tapped(key: Key) -> [Event; 2] {
    [true, false].map(|pressed| Event::Key {
        key,
        physical_key: None,
        pressed,
        repeat: false,
        modifiers: Modifiers::NONE,
    })
}

/// Statistics as of twelve busy seconds: video, scrolling text, a stall, pings.
fn busy_snapshot() -> StatsSnapshot {
    let (collector, end) = busy_collector();
    collector.snapshot(end)
}

fn busy_collector() -> (Collector, Instant) {
    let start = clock::now();
    let mut collector = Collector::new(start, "tcp");
    collector.session(SessionFacts {
        server_version: "6.5.5".to_owned(),
        server_host: "farm".to_owned(),
        session_name: "desk".to_owned(),
        wire: "rencodeplus+lz4".to_owned(),
        encryption: "TLS, certificate checked",
        decoders: "confined (seccomp)",
    });
    collector.renderer(RendererFacts {
        adapter: "llvmpipe (LLVM 15.0.6, 256 bits)".to_owned(),
        backend: "vulkan".to_owned(),
        present_mode: "mailbox".to_owned(),
        software: true,
    });
    for frame in 0..720_u64 {
        let at = start + Duration::from_micros(frame * 16_667);
        let stalled = (400..430).contains(&frame);
        if !stalled {
            frame_of_video(&mut collector, at, frame);
        }
        if frame % 60 == 0 {
            collector.latency(at, Duration::from_micros(800 + frame % 7 * 130));
        }
    }
    (collector, start + Duration::from_millis(12_010))
}

fn frame_of_video(collector: &mut Collector, at: Instant, frame: u64) {
    let wave = 1.0 + (frame as f64 / 40.0).sin() * 0.6;
    let (encoding, bytes) = match frame % 6 {
        0 => ("jpeg", 48_000.0 * wave),
        3 => ("scroll", 300.0),
        _ => ("h264", 21_000.0 * wave),
    };
    let bytes = bytes as u64;
    collector.received(at, bytes + 60);
    collector.sent(at, 70);
    collector.packet(at, "window-draw");
    let mut receive = CopyLedger::default();
    receive.note_copy(CopySite::ReceivePrefix, (bytes / 20) as usize);
    receive.note_transform(Transform::Decompress, 900);
    collector.receive_ledger(at, &receive);
    collector.draw_received(at, encoding, bytes + 60);
    let us = Duration::from_micros;
    let mut trace = DrawTrace::new(at, at + us(180 + bytes / 200), bytes + 60);
    trace.decode_started = Some(trace.reassembled + us(40 + frame % 50));
    trace.decoded = Some(trace.reassembled + us(1900 + frame * 37 % 900));
    trace.uploaded = Some(trace.reassembled + us(2700 + frame * 53 % 1100));
    trace.pixels = 1280 * 720;
    trace.decoded_bytes = 1280 * 720 * 3 / 2;
    if encoding != "scroll" {
        trace.ledger.note_transform(Transform::Decode, trace.decoded_bytes as usize);
        trace.ledger.note_copy(CopySite::Staging, trace.decoded_bytes as usize);
    }
    if frame.is_multiple_of(100) {
        trace.ledger.note_allocation(1_382_400);
    }
    let done = at + us(4500);
    collector.queue_bytes(at, bytes + 1_382_400 * (frame % 3));
    collector.draw_done(done, 1, frame, encoding, DrawCounted::Presented, &trace);
    collector.presented(1, frame, at + us(5200 + frame * 97 % 9000));
    collector.queue_bytes(done, bytes);
}

/// All texts that `ui` paints in a window of `size` points.
fn texts(size: (u32, u32), mut ui: impl FnMut(&mut Ui)) -> Vec<String> {
    let context = farpane::ui::fonts::context();
    theme::apply(&context);
    let mut output = context.run_ui(passive_input(points(size), 1.0), &mut ui);
    output.textures_delta.clear();
    let mut texts = Vec::new();
    for clipped in output.shapes {
        collect_texts(&clipped.shape, &mut texts);
    }
    texts
}

fn collect_texts(shape: &Shape, texts: &mut Vec<String>) {
    match shape {
        Shape::Text(text) => texts.push(text.galley.text().to_owned()),
        Shape::Vec(shapes) => shapes.iter().for_each(|shape| collect_texts(shape, texts)),
        _ => {}
    }
}

fn points((width, height): (u32, u32)) -> Size {
    Size { width, height }
}

/// The overlay's last step.
fn everything() -> OverlayState {
    OverlayState { step: OverlayStep::Full, ..OverlayState::default() }
}

fn overlay_texts(snapshot: &StatsSnapshot, size: (u32, u32)) -> Vec<String> {
    texts(size, |ui| {
        overlay_ui(snapshot, &OverlayState { hotkey: "Shift+F11".to_owned(), ..everything() }, ui);
    })
}

#[test]
fn the_overlay_shows_every_row_of_the_report() {
    let snapshot = busy_snapshot();
    let texts = overlay_texts(&snapshot, (640, 480));
    let report = Report::new(&snapshot);
    for section in &report.sections {
        assert!(texts.contains(&section.kind.title().to_owned()), "{}", section.kind.title());
        for row in &section.rows {
            for wanted in row.cells.iter().chain([&row.label]) {
                assert!(texts.contains(wanted), "{wanted} of {} is not shown", row.label);
            }
        }
    }
    assert!(texts.iter().any(|text| text.contains("Shift+F11")));
}

#[test]
fn the_overlay_agrees_with_the_json() {
    let snapshot = busy_snapshot();
    let texts = overlay_texts(&snapshot, (640, 480));
    let file = serde_json::to_string(&snapshot).expect("statistics are plain data");
    let json: Value = serde_json::from_str(&file).expect("what was just written");
    let number = |pointer: &str| json.pointer(pointer).and_then(Value::as_f64).expect(pointer);
    let count = |pointer: &str| json.pointer(pointer).and_then(Value::as_u64).expect(pointer);
    let shown = |written: String| assert!(texts.contains(&written), "{written} is not in {texts:?}");

    shown(text::bytes(number("/network/received/per_sec")));
    shown(text::bytes(number("/network/received/per_sec_10s")));
    shown(text::bytes(count("/network/received/total") as f64));
    shown(text::per_sec(number("/network/packets/per_sec")));
    shown(text::micros(count("/network/latency/last/now")));
    shown(text::micros(count("/network/latency/session/p95_us")));
    for encoding in 0..3 {
        shown(text::per_sec(number(&format!("/draws/by_encoding/{encoding}/received/per_sec"))));
        shown(text::bytes(number(&format!("/draws/by_encoding/{encoding}/wire_bytes/per_sec"))));
    }
    shown(text::bytes(number("/memory/copied/per_sec")));
    shown(text::factor(Some(number("/memory/copied_per_received/last_10s"))));
    for site in 0..CopySite::ALL.len() {
        shown(text::bytes(number(&format!("/memory/by_site/{site}/per_sec"))));
        shown(text::factor(Some(number(&format!("/memory/by_site/{site}/per_received/last_10s")))));
    }
    for transform in 0..Transform::ALL.len() {
        shown(text::bytes(number(&format!("/memory/by_transform/{transform}/per_sec_10s"))));
    }
    shown(text::average(Some(number("/memory/allocations_per_frame/last_10s"))));
    shown(text::per_sec(number("/draws/presents/per_sec")));
    for stage in 0..6 {
        shown(text::micros(count(&format!("/draws/stages/{stage}/last_10s/p50_us"))));
        shown(text::micros(count(&format!("/draws/stages/{stage}/last_10s/p95_us"))));
    }
    shown(text::bytes(count("/queue_bytes/max_10s") as f64));
    shown(json["renderer"]["adapter"].as_str().expect("a text").to_owned());
}

#[test]
fn the_overlay_of_a_session_that_just_began_is_calm() {
    let texts = overlay_texts(&StatsSnapshot::default(), (640, 480));
    assert!(texts.contains(&"no draws yet".to_owned()));
    assert!(!texts.iter().any(|text| text.contains("NaN") || text.contains("inf")), "{texts:?}");
}

#[test]
fn the_overlay_stays_inside_small_windows() {
    let snapshot = busy_snapshot();
    let full = overlay_texts(&snapshot, (640, 480)).len();
    for size in [(1920, 1080), (700, 500), (640, 480), (330, 700), (320, 240), (200, 60), (60, 20), (1, 1)] {
        let context = farpane::ui::fonts::context();
        let mut output = context.run_ui(passive_input(points(size), 1.0), |ui| {
            overlay_ui(&snapshot, &everything(), ui);
        });
        output.textures_delta.clear();
        for clipped in &output.shapes {
            let bounds = clipped.shape.visual_bounding_rect();
            if size.0 >= 200 && bounds.is_positive() {
                assert!(bounds.right() <= size.0 as f32 + 1.0, "{bounds:?} in {size:?}: {:?}", clipped.shape);
                assert!(
                    bounds.bottom() <= size.1 as f32 + 1.0,
                    "{bounds:?} in {size:?}: {:?}",
                    clipped.shape
                );
            }
        }
    }
    assert!(overlay_texts(&snapshot, (330, 480)).len() < full, "a narrow window shows less");
    let strip = overlay_texts(&snapshot, (320, 60));
    assert_eq!(strip.len(), 1);
    assert!(strip[0].contains("fps") && strip[0].contains("copied"), "{strip:?}");
}

#[test]
fn words_for_the_user_are_above_the_statistics_and_alone_without_them() {
    let shown = |state: &OverlayState| {
        texts((640, 480), |ui| {
            overlay_ui(&busy_snapshot(), state, ui);
        })
    };
    let note = "Nothing was pasted.".to_owned();
    let mut state = OverlayState { note: note.clone(), ..everything() };
    let both = shown(&state);
    assert!(both.len() > 10 && both.last() == Some(&note), "{both:?}");
    state.step = OverlayStep::Off;
    assert_eq!(shown(&state), [note]);
}

#[test]
fn the_overlay_paints_only_when_something_changed() {
    let mut painter = OverlayPainter::new();
    let state = everything();
    let snapshot = Arc::new(busy_snapshot());
    let size = Size { width: 640, height: 480 };
    let first = painter.frame(&snapshot, &state, size, 1.0).expect("the first frame");
    assert!(!first.textures_delta.set.is_empty(), "the first frame brings the letters");
    assert!(painter.frame(&snapshot, &state, size, 1.0).is_none());
    assert!(painter.frame(&snapshot, &state, size, 2.0).is_some());
    assert!(painter.frame(&snapshot, &state, size, 2.0).is_none());
    assert!(painter.frame(&Arc::new(busy_snapshot()), &state, size, 2.0).is_some());
}

#[test]
fn the_overlay_can_be_looked_at() {
    let snapshot = Arc::new(busy_snapshot());
    let state = OverlayState { hotkey: "Shift+F11".to_owned(), ..everything() };
    for (name, width, height, scale) in [
        ("overlay-640x480", 640, 480, 1.0),
        ("overlay-640x480-2x", 1280, 960, 2.0),
        ("overlay-1280x800", 1280, 800, 1.0),
        ("overlay-340x420", 340, 420, 1.0),
        ("overlay-480x120", 480, 120, 1.0),
    ] {
        let mut painter = OverlayPainter::new();
        let mut canvas = Canvas::new(width as usize, height as usize);
        let background = canvas.pixel(20, 20);
        canvas.paint(painter.frame(&snapshot, &state, Size { width, height }, scale).expect("a frame"));
        let darkness = canvas.pixel((12.0 * scale) as usize, (12.0 * scale) as usize);
        assert!(darkness[0] < background[0] / 2.0, "the panel darkens what is under it: {darkness:?}");
        canvas.save(name);
    }
}

/// Runs a dialog on a key press and returns what it answered.
fn press<R>(key: Key, typed: &str, mut ui: impl FnMut(&mut Ui) -> R) -> Option<R> {
    let surface = UiSurface::new();
    let mut answer = None;
    let input = || passive_input(Size { width: 440, height: 220 }, 1.0);
    let with = |events: Vec<Event>| RawInput { events, ..input() };
    let key_event =
        Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers: Modifiers::NONE };
    for input in [with(vec![]), with(vec![Event::Text(typed.to_owned())]), with(vec![key_event])] {
        drop(surface.frame(input, |into| answer = Some(ui(into))));
    }
    answer
}

#[test]
fn a_password_is_typed_at_once_and_sent_with_enter() {
    let mut prompt = PasswordPrompt::new("tcp://desk:14500/", "the password of desk", 1);
    let reply = press(Key::Enter, "secret ✓", |ui| password_ui(&mut prompt, ui)).flatten();
    assert_eq!(reply, Some(PasswordReply::Password(Secret::new("secret ✓".to_owned()))));
    assert!(!format!("{reply:?}").contains("secret"), "a password is never printed");
}

#[test]
fn a_password_dialog_is_cancelled_with_escape() {
    let mut prompt = PasswordPrompt::default();
    let reply = press(Key::Escape, "x", |ui| password_ui(&mut prompt, ui)).flatten();
    assert_eq!(reply, Some(PasswordReply::Cancelled));
}

#[test]
fn a_password_is_masked_and_who_asks_is_shown() {
    let mut prompt = PasswordPrompt::new("tcp://desk:14500/", "the password of desk", 1);
    let shown = texts((440, 220), |ui| {
        let _ = password_ui(&mut prompt, ui);
    });
    assert!(shown.contains(&"for tcp://desk:14500/".to_owned()), "{shown:?}");
    // The server's words are marked as such.
    assert!(shown.contains(&"The server says: “the password of desk”".to_owned()), "{shown:?}");
    let mut prompt = PasswordPrompt::new("tcp://desk:14500/", "", 2);
    let shown = texts((440, 220), |ui| {
        let _ = password_ui(&mut prompt, ui);
    });
    assert!(shown.contains(&"Another password needed".to_owned()), "{shown:?}");
    assert!(!shown.iter().any(|text| text.contains("The server says")), "{shown:?}");
    let mut prompt =
        PasswordPrompt::new("ssl://anna@farm.example:14500/", "Password for desk@farm.example", 1);
    let surface = UiSurface::new();
    let mut canvas = Canvas::new(440, 220);
    for text in ["", "hunter2", ""] {
        let mut input = passive_input(Size { width: 440, height: 220 }, 1.0);
        input.events.push(Event::Text(text.to_owned()));
        let frame = surface.frame(input, |ui| {
            let _ = password_ui(&mut prompt, ui);
        });
        canvas.paint(frame.frame);
    }
    canvas.save("password");
}

/// Undo, the clipboard and the field's layout have dots only; "show it" shows what was typed.
#[test]
fn the_toolkit_sees_dots() {
    use egui::TextBuffer as _;
    let mut text = SecretText::default();
    assert_eq!(text.insert_text("sécret", 0.into()), 6);
    assert_eq!(text.as_str(), "••••••");
    assert_eq!(text.insert_text("X\n", 1.into()), 1);
    text.delete_char_range(2.into()..3.into());
    text.replace_with("•••");
    assert_eq!((text.as_str(), text.shared().borrow().as_str()), ("••••••", "sXcret"));
    // It never grows: what does not fit is not taken.
    let room = text.shared().borrow().capacity();
    assert!(text.insert_text(&"x".repeat(5000), 6.into()) < 5000);
    assert_eq!(text.shared().borrow().capacity(), room);
    let kept = text.shared();
    assert!(text.take().expose().starts_with("sXcretxx"));
    assert_eq!((text.as_str(), kept.borrow().as_str()), ("", ""));
    text.insert_text("x", 0.into());
    text.replace_with("");
    assert!(text.shared().borrow().is_empty());
}

#[test]
fn a_message_says_what_happened_and_what_to_do() {
    let message = Message {
        title: "The connection was lost".to_owned(),
        words: "connection reset by peer (127.0.0.1:14500)".to_owned(),
        advice: "Check that the server still runs, then attach again: farpane tcp://127.0.0.1:14500/"
            .to_owned(),
        ..Message::default()
    };
    let shown = texts((440, 220), |ui| {
        message_ui(&message, ui);
    });
    for wanted in [&message.title, &message.words, &message.advice] {
        assert!(shown.contains(wanted), "{wanted} is not in {shown:?}");
    }
    assert_eq!(press(Key::Enter, "", |ui| message_ui(&message, ui)), Some(true));
    assert_eq!(press(Key::Escape, "", |ui| message_ui(&message, ui)), Some(true));
    assert_eq!(press(Key::A, "", |ui| message_ui(&message, ui)), Some(false));
    let surface = UiSurface::new();
    let mut canvas = Canvas::new(440, 220);
    for _ in 0..2 {
        let input = passive_input(Size { width: 440, height: 220 }, 1.0);
        canvas.paint(
            surface
                .frame(input, |ui| {
                    message_ui(&message, ui);
                })
                .frame,
        );
    }
    canvas.save("message");
}

/// A snapshot after `seconds` of changing load.
fn long_snapshot(seconds: u64) -> StatsSnapshot {
    let start = clock::now();
    let mut collector = Collector::new(start, "wss");
    for second in 0..seconds {
        let at = start + Duration::from_millis(second * 1000 + 400);
        let wave = 1.3 + (second as f64 / 23.0).sin() + 0.2 * (second as f64 * 1.7).cos();
        let bytes = (900_000.0 * wave) as u64;
        collector.received(at, bytes);
        collector.sent(at, 4000 + second % 13 * 90);
        let mut ledger = CopyLedger::default();
        ledger.note_copy(CopySite::Staging, bytes as usize * 2);
        ledger.note_transform(Transform::Decode, bytes as usize * 7 / 2);
        collector.receive_ledger(at, &ledger);
        for _ in 0..(25.0 * wave) as u64 {
            collector.draw_received(at, "h264", 900);
            collector.presented(1, 1, at);
        }
        collector.queue_bytes(at, bytes / 30);
        collector.latency(at, Duration::from_micros(18_000 + second * 37 % 9000));
    }
    collector.session(SessionFacts {
        server_version: "6.5.5".to_owned(),
        server_host: "farm".to_owned(),
        session_name: "desk on farm.example".to_owned(),
        wire: "rencodeplus+lz4".to_owned(),
        encryption: "TLS, certificate checked",
        decoders: "confined (seccomp)",
    });
    collector.snapshot(start + Duration::from_secs(seconds))
}

#[test]
fn the_session_window_plots_the_history_and_asks_to_export_it() {
    let snapshot = long_snapshot(280);
    let shown = texts((860, 620), |ui| {
        session_info_ui(&snapshot, "saved to farpane.csv", ui);
    });
    for wanted in
        ["Session information", "desk on farm.example", "saved to farpane.csv", "-5 min", "Export CSV"]
    {
        assert!(shown.iter().any(|text| text == wanted), "{wanted} is not in {shown:?}");
    }
    let newest = snapshot.history.last().expect("a history").received_bytes;
    assert!(shown.iter().any(|text| text.contains(&text::bytes(newest as f64))), "{shown:?}");
    let closed = press(Key::Escape, "", |ui| session_info_ui(&snapshot, "", ui)).flatten();
    assert_eq!(closed, Some(SessionInfoAction::Close));

    // Close, Export JSON, Export CSV; keys that came while the machine was busy come at once.
    let surface = UiSurface::new();
    let frame = |keys: &[Key]| {
        let mut action = None;
        let mut input = passive_input(points((860, 620)), 1.0);
        for key in keys {
            for pressed in [true, false] {
                let modifiers = Modifiers::NONE;
                input.events.push(Event::Key {
                    key: *key,
                    physical_key: None,
                    pressed,
                    repeat: false,
                    modifiers,
                });
            }
        }
        drop(surface.frame(input, |ui| action = session_info_ui(&snapshot, "", ui).or(action)));
        action
    };
    frame(&[]);
    assert_eq!(frame(&[Key::Tab, Key::Tab, Key::Space]), Some(SessionInfoAction::ExportJson));
    // What is pressed before the focus moves is pressed where it was.
    assert_eq!(frame(&[Key::Space, Key::Tab]), Some(SessionInfoAction::ExportJson));
    assert_eq!(frame(&[Key::Space]), Some(SessionInfoAction::ExportCsv));

    for (name, width, height, history) in [
        ("session-info", 860, 620, 280),
        ("session-info-new", 860, 620, 3),
        ("session-info-small", 420, 400, 700),
    ] {
        let snapshot = long_snapshot(history);
        let surface = UiSurface::new();
        let mut canvas = Canvas::new(width as usize, height as usize);
        for _ in 0..2 {
            let mut input = passive_input(Size { width, height }, 1.0);
            input.events.push(Event::PointerMoved(egui::pos2(300.0, 250.0)));
            let frame = surface.frame(input, |ui| {
                session_info_ui(&snapshot, "saved to /home/me/farpane-history.csv", ui);
            });
            canvas.paint(frame.frame);
        }
        canvas.save(name);
    }
}

#[test]
fn the_exports_hold_every_second() {
    let snapshot = long_snapshot(20);
    let csv = history_csv(&snapshot.history);
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 21);
    let json: Value =
        serde_json::from_str(&history_json(&snapshot).expect("plain data")).expect("what was just written");
    assert_eq!(json["transport"], "wss");
    let names: Vec<&str> = lines[0].split(',').collect();
    for (index, line) in lines[1..].iter().enumerate() {
        for (name, value) in names.iter().zip(line.split(',')) {
            assert_eq!(json["history"][index][name].to_string(), value, "{name} in second {index}");
        }
        assert_eq!(json["history"][index].as_object().map(serde_json::Map::len), Some(names.len()));
    }
}

#[test]
fn the_icon_is_a_picture_with_transparent_corners() {
    let icon = farpane_icon().expect("the embedded picture");
    assert_eq!((icon.width, icon.height, icon.rgba.len()), (128, 128, 128 * 128 * 4));
    assert_eq!(icon.rgba[3], 0);
    assert_eq!(icon.rgba[(64 * 128 + 64) * 4 + 3], 255);
}

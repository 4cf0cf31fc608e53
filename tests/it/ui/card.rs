//! The session's card: its words, its keys, its look.

use std::sync::Arc;
use std::time::Duration;

use egui::{Event, Key, RawInput};
use farpane::channel::clock;
use farpane::geometry::Size;
use farpane::protocol::packet::menu::{Application, Category, Menu};
use farpane::session::Away;
use farpane::ui::{AwayState, CardAction, CardForm, CardState, UiSurface, card_ui, passive_input, theme};

use super::raster::Canvas;
use super::{tapped, texts};

const SIZE: (u32, u32) = (420, 460);

fn application(name: &str, command: &str) -> Application {
    Application { name: name.to_owned(), command: command.to_owned() }
}

fn state() -> CardState {
    let tools =
        vec![application("Text editor", "gedit %U"), application("Terminal", "xterm -T \"100%%\" %u")];
    let web = vec![application("Web browser", "firefox %u"), application("Mail", "thunderbird")];
    let category = |name: &str, applications| Category { name: name.to_owned(), applications };
    CardState {
        name: "work bench".to_owned(),
        server: "ssl://build.example:14500/".to_owned(),
        ping: Some(Duration::from_millis(12)),
        connected: Duration::from_secs(3 * 3600 + 120),
        is_bare: true,
        must_stay: true,
        can_start: true,
        can_stop: true,
        menu: Arc::new(Menu { categories: vec![category("Accessories", tools), category("Internet", web)] }),
        ..CardState::default()
    }
}

fn lost_state() -> AwayState {
    AwayState::lost(&Away { why: String::new(), until: None }, clock::now())
}

/// What the card says.
fn words(state: &CardState, command: &str) -> Vec<String> {
    let mut form = CardForm { command: command.to_owned(), ..CardForm::default() };
    texts(SIZE, |ui| {
        card_ui(state, &mut form, ui);
    })
}

#[track_caller]
fn says(state: &CardState, command: &str, said: &[&str], not: &[&str]) {
    let words = words(state, command);
    let all = words.join("\n");
    said.iter().for_each(|part| assert!(all.contains(part), "{part} is not in {words:?}"));
    not.iter().for_each(|part| assert!(!all.contains(part), "{part} is in {words:?}"));
}

#[test]
fn what_it_says() {
    let facts = ["work bench", "ssl://build.example:14500/", "ping 12 ms", "for 3 h 2 min"];
    says(&state(), "", &facts, &[]);
    says(&state(), "", &["no windows", "Start", "Terminal", "Web browser", "Disconnect", "Stop"], &[]);
    says(&state(), "FIRE", &["Web browser", "Internet"], &["Mail", "Accessories"]);
    says(&state(), "an 'open quote", &["no partner"], &[]);
    says(&CardState { is_bare: false, ..state() }, "", &["Start"], &["no windows"]);
    let unnamed = CardState { name: String::new(), ..state() };
    assert_eq!(words(&unnamed, "").iter().filter(|text| text.contains("build.example")).count(), 1);
    let closed = CardState { can_start: false, display: ":7".to_owned(), ..state() };
    says(&closed, "", &["starts no programs", ":7", "Disconnect"], &["Terminal"]);
    let line = "Connection lost, trying again in 3 s".to_owned();
    let away = AwayState { line: line.clone(), why: "a cable".to_owned(), ..lost_state() };
    let lost = CardState { away: Some(away), ..state() };
    says(&lost, "", &[&line, "a cable", "Try now", "Disconnect"], &["Terminal", "no windows", "ping"]);
    let silent = |seconds, reconnects| {
        let silence = AwayState::silent(Duration::from_secs(seconds), seconds >= 10, reconnects);
        CardState { away: Some(silence), ..state() }
    };
    says(
        &silent(4, true),
        "",
        &["No answer from the server for 4\u{a0}s", "Disconnect"],
        &["Reconnect", "ping"],
    );
    says(&silent(12, true), "", &["for 12\u{a0}s", "Reconnect", "Disconnect"], &["Try now"]);
    says(&silent(12, false), "", &["for 12\u{a0}s", "Disconnect"], &["Reconnect"]);
}

/// A card that is used.
struct Used {
    surface: UiSurface,
    state: CardState,
    form: CardForm,
}

impl Used {
    fn keys(&mut self, keys: &[Key]) -> Option<CardAction> {
        self.events(keys.iter().copied().flat_map(tapped).collect())
    }

    fn events(&mut self, events: Vec<Event>) -> Option<CardAction> {
        let size = Size { width: SIZE.0, height: SIZE.1 };
        let input = RawInput { events, ..passive_input(size, 1.0) };
        let mut action = None;
        let Self { surface, state, form } = self;
        surface.frame(input, |ui| action = action.take().or(card_ui(state, form, ui)));
        action
    }
}

#[test]
fn with_the_keyboard_alone() {
    let mut card = Used { surface: UiSurface::new(), state: state(), form: CardForm::default() };
    card.keys(&[]);
    // A card that comes by itself takes nothing that was meant for another window.
    card.events(vec![Event::Text("rm".to_owned())]);
    assert_eq!((card.keys(&[Key::Enter]), card.form.command.as_str()), (None, ""));
    card.keys(&[Key::Tab]);
    card.events(vec![Event::Text("xterm -T \"a b\"".to_owned())]);
    let started = Some(CardAction::Start(application("xterm", "xterm -T \"a b\"")));
    assert_eq!(card.keys(&[Key::Enter]), started);
    card.keys(&[]);
    assert_eq!(card.form.command, "", "it is sent");
    // Still in the field: the button (which is grey without a command), then the list.
    card.events(vec![Event::Text("term".to_owned())]);
    card.keys(&[Key::Tab]);
    card.keys(&[Key::Tab]);
    let started = Some(CardAction::Start(application("Terminal", "xterm -T \"100%\"")));
    assert_eq!(card.keys(&[Key::Enter]), started, "without field codes");
    // It is all that is seen of the session, unless that has windows.
    assert_eq!(card.keys(&[Key::Escape]), None);
    (card.state.is_bare, card.state.must_stay) = (false, false);
    assert_eq!(card.keys(&[Key::Escape]), Some(CardAction::Close));
    card.form.stopping = true;
    assert_eq!((card.keys(&[Key::Escape]), card.form.stopping), (None, false));
}

#[test]
fn it_can_be_looked_at() {
    let away = AwayState {
        line: "Connection lost, trying again in 3 s".to_owned(),
        why: "build.example:14500 refused the connection: nothing listens there".to_owned(),
        ..lost_state()
    };
    let silent = AwayState::silent(Duration::from_secs(12), true, true);
    let note =
        "No window came of gedit. The server does not say why: its log does, or gedit in a terminal there.";
    let cases = [
        ("card", state()),
        ("card-lost", CardState { away: Some(away), ..state() }),
        ("card-silent", CardState { away: Some(silent), ..state() }),
        ("card-closed", CardState { can_start: false, can_stop: false, display: ":7".to_owned(), ..state() }),
        ("card-note", CardState { note: note.to_owned(), ..state() }),
    ];
    for (name, state) in cases {
        for (look, dark, width, height, scale) in [
            ("dark", true, 420, 460, 1.0),
            ("light", false, 420, 460, 1.0),
            ("dark-2x", true, 840, 920, 2.0),
            ("small", true, 300, 240, 1.0),
        ] {
            let surface = UiSurface::new();
            theme::set_dark(surface.context(), dark);
            let mut canvas = Canvas::new(width as usize, height as usize);
            let mut form = CardForm::default();
            for _ in 0..3 {
                let input = passive_input(Size { width, height }, scale);
                canvas.paint(surface.frame(input, |ui| drop(card_ui(&state, &mut form, ui))).frame);
            }
            canvas.save(&format!("{name}-{look}"));
            let corner: f32 = canvas.pixel(2, 2).iter().sum();
            assert!(if dark { corner < 150.0 } else { corner > 600.0 }, "{name} {look}: {corner}");
        }
    }
}

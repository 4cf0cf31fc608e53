//! The connect window: its words, its keys, its look.

use std::sync::Arc;
use std::time::Duration;

use egui::{ColorImage, Event, Key, Modifiers, PointerButton, RawInput};
use farpane::app::connect::stages;
use farpane::channel::ConnectStage;
use farpane::geometry::Size;
use farpane::session::ConnectionEvent;
use farpane::ui::{
    Asked, Attempt, ConnectAction, ConnectEntry, ConnectState, ConnectView, EntryKind, FormProtocol, Message,
    PasswordPrompt, PasswordReply, Reach, Stage, UiSurface, Wish, connect_ui, passive_input, theme,
};

use super::raster::Canvas;
use super::tapped;

const SIZE: (usize, usize) = (900, 640);

/// A view with some of everything.
fn view() -> ConnectView {
    let picture = ColorImage::from_rgb([4, 2], &[200, 30, 30, 30, 200, 30].repeat(4));
    let entry = |id, kind, name: &str, address: &str, note: &str| ConnectEntry {
        id,
        kind,
        name: name.to_owned(),
        address: address.to_owned(),
        command: format!("farpane {address}"),
        link: if address.contains("://") { format!("xpra+{address}") } else { String::new() },
        note: note.to_owned(),
        reach: if id == 1 {
            Reach::Yes("“nightly”, 3 windows, 12 ms".to_owned())
        } else {
            Reach::Unknown
        },
        thumbnail: (id == 1).then(|| Arc::new(picture.clone())),
    };
    let mut view = ConnectView::default();
    view.entries = vec![
        entry(1, EntryKind::Saved, "Build machine", "ssl://build.example:14500/", "used yesterday"),
        entry(2, EntryKind::Recent, "tcp://192.0.2.7:14500/", "tcp://192.0.2.7:14500/", "used 3 minutes ago"),
        entry(3, EntryKind::Local, "editing", ":100", "xterm and 2 more windows"),
        entry(4, EntryKind::Demo, "Try the demo session", "runs on this machine", ""),
    ];
    view
}

/// A window that is painted and typed into.
struct Window {
    surface: UiSurface,
    /// For those that are looked at: painting takes long.
    canvas: Option<Canvas>,
    view: ConnectView,
    /// What went to the clipboard.
    copied: Vec<String>,
}

impl Window {
    fn new(view: ConnectView) -> Self {
        Self { surface: UiSurface::new(), canvas: None, view, copied: Vec::new() }
    }

    fn painted(view: ConnectView) -> Self {
        Self { canvas: Some(Canvas::new(SIZE.0, SIZE.1)), ..Self::new(view) }
    }

    /// Paints some frames, as animations need, and keeps the last.
    fn save(&mut self, name: &str) {
        self.settle();
        self.canvas.as_ref().expect("it is painted").save(name);
    }

    fn input() -> RawInput {
        passive_input(Size { width: SIZE.0 as u32, height: SIZE.1 as u32 }, 1.0)
    }

    fn frame(&mut self, input: RawInput) -> Option<ConnectAction> {
        let mut action = None;
        let frame = self.surface.frame(input, |ui| action = connect_ui(&mut self.view, ui).or(action.take()));
        for command in frame.platform_output.commands {
            if let egui::OutputCommand::CopyText(text) = command {
                self.copied.push(text);
            }
        }
        if let Some(canvas) = &mut self.canvas {
            canvas.paint(frame.frame);
        }
        action
    }

    /// All that is written in the window.
    fn words(&mut self) -> String {
        fn read(shape: &egui::Shape, all: &mut String) {
            match shape {
                egui::Shape::Text(text) => all.push_str(&format!("{}\n", text.galley.text())),
                egui::Shape::Vec(shapes) => shapes.iter().for_each(|shape| read(shape, all)),
                _ => {}
            }
        }
        let output = self.surface.context().run_ui(Self::input(), |ui| {
            let _ = connect_ui(&mut self.view, ui);
        });
        let mut all = String::new();
        output.shapes.iter().for_each(|clipped| read(&clipped.shape, &mut all));
        all
    }

    fn click(&mut self, button: PointerButton, x: f32, y: f32) -> Option<ConnectAction> {
        let pos = egui::pos2(x, y);
        let event = |pressed| Event::PointerButton { pos, button, pressed, modifiers: Modifiers::NONE };
        let mut action = self.frame(RawInput { events: vec![Event::PointerMoved(pos)], ..Self::input() });
        for pressed in [true, false] {
            action = action.or(self.frame(RawInput { events: vec![event(pressed)], ..Self::input() }));
        }
        action.or(self.frame(Self::input()))
    }

    /// Frames without input, as animations need.
    fn settle(&mut self) {
        for _ in 0..4 {
            assert_eq!(self.frame(Self::input()), None);
        }
    }

    fn press(&mut self, key: Key) -> Option<ConnectAction> {
        let mut action = None;
        for event in tapped(key) {
            let input = RawInput { events: vec![event], ..Self::input() };
            action = action.or(self.frame(input));
        }
        // What the keys moved is seen in the frame after.
        action.or(self.frame(Self::input()))
    }

    /// Ctrl+Z.
    fn undo(&mut self) {
        let (key, modifiers) = (Key::Z, Modifiers { ctrl: true, command: true, ..Modifiers::NONE });
        let event = |pressed| Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        for pressed in [true, false] {
            self.frame(RawInput { events: vec![event(pressed)], ..Self::input() });
        }
    }

    fn type_text(&mut self, text: &str) -> Option<ConnectAction> {
        self.frame(RawInput { events: vec![Event::Text(text.to_owned())], ..Self::input() })
    }
}

#[test]
fn an_address_is_typed_at_once_and_enter_connects() {
    let mut window = Window::new(view());
    window.settle();
    assert_eq!(window.type_text("server:14500"), Some(ConnectAction::AddressEdited));
    assert_eq!(*window.view.form.address, "server:14500");
    assert_eq!(window.press(Key::Enter), Some(ConnectAction::Connect));
}

/// After a failure the address is still there, selected: typing at once replaces it. It may come before any frame
/// showed the attempt.
#[test]
fn what_is_typed_after_a_failure_replaces_the_address() {
    for was_shown in [true, false] {
        let mut window = Window::new(view());
        window.settle();
        window.type_text("127.0.0.1:1");
        let enter = Event::Key {
            key: Key::Enter,
            physical_key: None,
            pressed: true,
            repeat: false,
            modifiers: Modifiers::NONE,
        };
        let input = RawInput { events: vec![enter], ..Window::input() };
        assert_eq!(window.frame(input), Some(ConnectAction::Connect));
        window.view.begin(Attempt::default());
        if was_shown {
            window.settle();
            // There is no field: words go nowhere.
            assert_eq!(window.type_text("lost"), None);
        }
        window.view.state = ConnectState::Failed(Message {
            title: "Could not connect".to_owned(),
            words: "nothing listens there".to_owned(),
            ..Message::default()
        });
        // The first frame that shows the failure is enough.
        assert_eq!(window.frame(Window::input()), None);
        assert_eq!(*window.view.form.address, "127.0.0.1:1");
        assert_eq!(window.type_text("server:14500"), Some(ConnectAction::AddressEdited), "{was_shown}");
        assert_eq!(*window.view.form.address, "server:14500");
        assert_eq!(window.press(Key::Enter), Some(ConnectAction::Connect));
    }
}

/// On a busy machine press and release come together: Ctrl is up again when the frame is made.
#[test]
fn leaving_needs_no_patience() {
    let mut window = Window::new(view());
    window.settle();
    let ctrl = Modifiers { ctrl: true, command: true, ..Modifiers::NONE };
    let key =
        |pressed| Event::Key { key: Key::Q, physical_key: None, pressed, repeat: false, modifiers: ctrl };
    let events =
        vec![Event::ModifiersChanged(ctrl), key(true), key(false), Event::ModifiersChanged(Modifiers::NONE)];
    assert_eq!(window.frame(RawInput { events, ..Window::input() }), Some(ConnectAction::Quit));
}

/// The demo is the entry before the address.
#[test]
fn the_demo_session_is_one_step_from_the_address() {
    let mut window = Window::new(view());
    window.settle();
    let back = Modifiers { shift: true, ..Modifiers::NONE };
    let key =
        |key, modifiers| Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers };
    // Both keys come together.
    let events = vec![key(Key::Tab, back), key(Key::Enter, Modifiers::NONE)];
    assert_eq!(window.frame(RawInput { events, ..Window::input() }), Some(ConnectAction::Open(4)));
}

/// An address that was understood is shown without its password, and no key brings that back.
#[test]
fn undoing_brings_no_password_back() {
    for replaced in [false, true] {
        let mut window = Window::new(view());
        window.settle();
        window.type_text("tcp://anna:pa55word@server:14500/");
        // What stood there for some time can be undone.
        for time in [100.0, 200.0] {
            window.frame(RawInput { time: Some(time), ..Window::input() });
        }
        let without = "tcp://anna@server:14500/".to_owned();
        if replaced {
            window.view.replace_address(without);
        } else {
            window.view.form.address = without.into();
        }
        window.frame(RawInput { time: Some(300.0), ..Window::input() });
        assert!(!format!("{:?}", window.view.form).contains("pa55word"));
        window.undo();
        assert_eq!(window.view.form.address.contains("pa55word"), !replaced);
    }
}

#[test]
fn what_cannot_be_an_address_is_not_connected_to() {
    let mut window = Window::new(view());
    window.settle();
    assert_eq!(window.press(Key::Enter), None, "there is no address yet");
    window.type_text("gopher://x");
    window.view.address_error = Some("`gopher` is not a kind of connection".to_owned());
    window.settle();
    assert_eq!(window.press(Key::Enter), None);
}

#[test]
fn every_entry_can_be_reached_and_opened_with_the_keyboard() {
    let mut window = Window::new(view());
    window.settle();
    let mut opened = Vec::new();
    for _ in 0..40 {
        window.press(Key::Tab);
        // Space would press a button: Enter on an entry opens it.
        if let Some(ConnectAction::Open(id)) = window.press(Key::Enter)
            && !opened.contains(&id)
        {
            opened.push(id);
        }
    }
    assert_eq!(opened.len(), 4, "{opened:?}");
}

#[test]
fn forgetting_is_asked_for_first() {
    let mut window = Window::new(view());
    window.settle();
    for _ in 0..40 {
        window.press(Key::Tab);
        let action = window.press(Key::Delete);
        assert_ne!(action, Some(ConnectAction::Delete(1)), "not without a question");
        if window.press(Key::Enter) == Some(ConnectAction::Delete(1)) {
            return;
        }
    }
    panic!("no key forgets an entry");
}

/// What the other mouse button offers: each line of its menu is clicked.
#[test]
fn the_menu_of_an_entry() {
    // The first entry is a saved one.
    let (x, y) = (150.0, 60.0);
    let (mut actions, mut copied) = (Vec::new(), Vec::new());
    for line in 0..40 {
        let mut window = Window::new(view());
        window.settle();
        window.click(PointerButton::Secondary, x, y);
        window.settle();
        let action = window.click(PointerButton::Primary, x + 20.0, y + 6.0 * line as f32);
        if action.is_some() && !actions.contains(&action) {
            actions.push(action);
        }
        copied.extend(window.copied);
    }
    copied.dedup();
    for expected in [ConnectAction::Open(1), ConnectAction::Select(1), ConnectAction::Duplicate(1)] {
        assert!(actions.contains(&Some(expected.clone())), "no {expected:?} but {actions:?}");
    }
    let address = "ssl://build.example:14500/";
    assert_eq!(copied, [address.to_owned(), format!("farpane {address}"), format!("xpra+{address}")]);
}

#[test]
fn connecting_can_be_cancelled_with_escape_and_with_enter() {
    for key in [Key::Escape, Key::Enter] {
        let mut window = Window::new(view());
        window.view.state = ConnectState::Connecting(Attempt::default());
        window.frame(Window::input());
        window.frame(Window::input());
        assert_eq!(window.press(key), Some(ConnectAction::Cancel), "{key:?}");
    }
}

fn question() -> PasswordPrompt {
    PasswordPrompt::new("ssl://build.example:14500/", "password for builds", 1)
        .of_user("anna")
        .with_store(true)
        .after("The server refused the login: authentication failed")
}

/// A question before the session is answered where the stages are, with the keyboard alone.
#[test]
fn a_password_is_typed_among_the_stages() {
    let asks = || {
        let mut window = Window::new(view());
        window.view.begin(Attempt::default());
        window.settle();
        window.view.question = Some(question());
        window.settle();
        window
    };
    let typed = |password: &str| farpane::session::Secret::new(password.to_owned());
    let mut window = asks();
    assert_eq!(window.type_text("secret"), None);
    assert_eq!(
        window.press(Key::Enter),
        Some(ConnectAction::Answer(PasswordReply::Password(typed("secret"))))
    );
    // To *Remember*: Enter there ticks it, and does not answer.
    let mut window = asks();
    window.type_text("secret");
    for key in [Key::Tab, Key::Tab, Key::Enter] {
        assert_eq!(window.press(key), None, "{key:?}");
    }
    for (key, expected) in
        [(Key::Tab, None), (Key::Enter, Some(ConnectAction::Answer(PasswordReply::Keep(typed("secret")))))]
    {
        assert_eq!(window.press(key), expected, "{key:?}");
    }
    for keys in [&[Key::Escape][..], &[Key::Tab, Key::Tab, Key::Tab, Key::Tab, Key::Enter]] {
        let mut window = asks();
        window.type_text("secret");
        let action = keys.iter().fold(None, |_, key| window.press(*key));
        assert_eq!(action, Some(ConnectAction::Cancel), "{keys:?}");
    }
}

/// Of several lines only the first becomes the address, and that is said.
#[test]
fn one_line_of_those_that_are_pasted() {
    let mut window = Window::new(view());
    window.settle();
    let paste = |text: &str| RawInput { events: vec![Event::Paste(text.to_owned())], ..Window::input() };
    let lines = "\n  xpra://one.example/ \n\nxpra://two.example/\n";
    assert_eq!(window.frame(paste(lines)), Some(ConnectAction::AddressEdited));
    assert_eq!(*window.view.form.address, "xpra://one.example/");
    assert!(window.words().contains("Of the 2 lines"), "{}", window.words());
    window.type_text("x");
    assert!(!window.words().contains("lines"), "{}", window.words());
}

/// A name that cannot be is typed better, not anew.
#[test]
fn a_refused_name_stays_in_its_field() {
    let mut window = Window::new(view());
    window.settle();
    window.click(PointerButton::Primary, 150.0, 60.0);
    window.press(Key::F2);
    window.type_text("a/b");
    assert_eq!(window.press(Key::Enter), Some(ConnectAction::Rename(1, "a/b".to_owned())));
    window.view.refuse_name("it cannot be".to_owned());
    window.settle();
    assert!(window.words().contains("it cannot be"), "{}", window.words());
    for _ in 0..2 {
        window.press(Key::Backspace);
    }
    assert_eq!(window.press(Key::Enter), Some(ConnectAction::Rename(1, "a".to_owned())));
    // It is another entry by then.
    window.view.renumber(|_| None);
    window.settle();
    assert!(!window.words().contains("it cannot be"));
}

/// An entry that is given a name keeps its field while the list changes around it.
#[test]
fn a_list_that_changes_disturbs_nobody() {
    let mut window = Window::new(view());
    window.settle();
    window.click(PointerButton::Primary, 150.0, 60.0);
    window.press(Key::F2);
    window.type_text("ne");
    let first = ConnectEntry { id: 0, name: "A first one".to_owned(), ..window.view.entries[0].clone() };
    window.view.entries.iter_mut().for_each(|entry| entry.id += 1);
    window.view.entries.insert(0, first);
    window.view.renumber(|id| Some(id + 1));
    window.settle();
    window.type_text("w");
    assert_eq!(window.press(Key::Enter), Some(ConnectAction::Rename(2, "new".to_owned())));
}

/// The menu key and Shift+F10 open the menu of the entry that has the focus; Escape gives the focus back.
#[test]
fn the_menu_of_an_entry_by_keys() {
    let shift = Modifiers { shift: true, ..Modifiers::NONE };
    for (key, modifiers) in [(Key::Menu, Modifiers::NONE), (Key::F10, shift)] {
        let mut window = Window::new(view());
        window.settle();
        window.click(PointerButton::Primary, 150.0, 60.0);
        let event = Event::Key { key, physical_key: None, pressed: true, repeat: false, modifiers };
        let open = |window: &mut Window| {
            window.frame(RawInput { events: vec![event.clone()], ..Window::input() });
            window.settle();
        };
        open(&mut window);
        assert!(window.words().contains("Copy link"), "{}", window.words());
        window.press(Key::Escape);
        window.settle();
        assert!(!window.words().contains("Copy link"));
        open(&mut window);
        window.press(Key::ArrowDown);
        assert_eq!(window.press(Key::Enter), Some(ConnectAction::Select(1)), "{key:?}");
        window.settle();
        assert!(!window.words().contains("Copy link"), "it closes");
    }
}

/// What a link asks for can be left out.
#[test]
fn a_link_is_followed_without_what_it_asks_for() {
    let mut window = Window::new(view());
    window.view.state = ConnectState::Asking(asked(&["record the session to the file /tmp/x"]));
    window.settle();
    assert!(window.words().contains("record the session") && window.words().contains("record=/tmp/x"));
    assert_eq!(window.press(Key::Tab), None);
    assert_eq!(window.press(Key::Enter), Some(ConnectAction::ConnectWithout));
}

/// Every stage that can stand still has words for that, or a question of its own.
#[test]
fn every_stage_has_words() {
    let host = || "build.example".to_owned();
    let stages = [
        ConnectStage::Resolving { host: host() },
        ConnectStage::Reaching { at: host() },
        ConnectStage::Proxying { proxy: host(), to: host() },
        ConnectStage::Securing,
        ConnectStage::Upgrading,
        ConnectStage::Starting,
        ConnectStage::LoggingIn { host: host(), starts: false },
        ConnectStage::LoggingIn { host: host(), starts: true },
        ConnectStage::SshSays { line: host() },
        ConnectStage::Hello,
    ];
    for stage in stages.iter().map(stages::stage) {
        assert!(stage.words.len() > 5 && stage.patience.ends_with(['.', '?', ')']), "{stage:?}");
    }
    let of = |event: ConnectionEvent| stages::of_session(&event.into());
    for event in [
        ConnectionEvent::PasswordNeeded { prompt: String::new(), number: 1 },
        ConnectionEvent::SeveralSessions { displays: Vec::new() },
        ConnectionEvent::LoggingIn,
        ConnectionEvent::Connected(Box::default()),
    ] {
        let stage = of(event).expect("a stage");
        assert!(!stage.patience.is_empty(), "{stage:?}");
    }
    assert!(of(ConnectionEvent::StartupComplete).is_none());
}

/// A stage that takes long is explained, and left with a key.
#[test]
fn what_stands_still_is_explained() {
    let mut window = Window::new(view());
    let stage = Stage { words: "Saying hello".to_owned(), patience: "It does not answer yet." };
    let attempt = |seconds| Attempt {
        to: "tcp://build.example:14500/".to_owned(),
        stages: vec![stage.clone()],
        elapsed: Duration::from_secs(seconds),
    };
    for (seconds, is_explained) in [(1, false), (4, true)] {
        window.view.state = ConnectState::Connecting(attempt(seconds));
        window.settle();
        assert_eq!(window.words().contains("It does not answer yet."), is_explained);
        assert!(window.words().contains("Cancel"));
    }
    assert_eq!(window.press(Key::Escape), Some(ConnectAction::Cancel));
}

fn asked(wants: &[&str]) -> Asked {
    let wish = |want: &&str| Wish { words: (*want).to_owned(), option: "record=/tmp/x".to_owned() };
    let wants = wants.iter().map(wish).collect();
    Asked { to: "ssl://build.example:14500/".to_owned(), wants }
}

#[test]
fn enter_does_not_go_where_a_link_leads() {
    let mut window = Window::new(view());
    window.view.state = ConnectState::Asking(asked(&[]));
    window.settle();
    assert_eq!(window.press(Key::Enter), Some(ConnectAction::Consent(false)));
    let mut window = Window::new(view());
    window.view.state = ConnectState::Asking(asked(&[]));
    window.settle();
    assert_eq!(window.press(Key::Tab), None);
    assert_eq!(window.press(Key::Enter), Some(ConnectAction::Consent(true)));
}

#[test]
fn enter_does_not_allow_what_a_link_asks_for() {
    let mut window = Window::new(view());
    window.view.state = ConnectState::Asking(asked(&["not to check the server's certificate"]));
    window.settle();
    assert_eq!(window.press(Key::Enter), Some(ConnectAction::Consent(false)));
}

#[test]
fn the_connect_window_can_be_looked_at() {
    let mut ready = Window::painted(view());
    ready.view.form.protocol = FormProtocol::Ssl;
    ready.view.form.address = "ssl://build.example:14500/".to_owned().into();
    ready.view.form.host = "build.example".to_owned();
    ready.view.selected = Some(1);
    ready.save("connect-dark");
    theme::set_dark(ready.surface.context(), false);
    ready.view.state = ConnectState::Failed(Message {
        title: "Could not connect".to_owned(),
        words: "build.example:14500 refused the connection: nothing listens there".to_owned(),
        advice: "Is the server started with --bind-ssl=build.example:14500?".to_owned(),
        ..Message::default()
    });
    ready.save("connect-light-failed");

    let mut connecting = Window::painted(view());
    let patience = "The server was reached, but says nothing of encryption yet.";
    let stage = |words: &str| Stage { words: words.to_owned(), patience };
    connecting.view.state = ConnectState::Connecting(Attempt {
        to: "ssl://build.example:14500/".to_owned(),
        stages: vec![
            stage("Found build.example"),
            stage("Connected to 192.0.2.7:14500"),
            stage("Checking the certificate"),
        ],
        elapsed: Duration::from_secs(3),
    });
    connecting.save("connect-stages");
    connecting.view.question = Some(question());
    connecting.save("connect-question");
    connecting.view.question = None;
    connecting.view.state = ConnectState::Asking(asked(&[
        "not check whose certificate the server shows: anyone on the way could read everything",
        "record the session to the file /tmp/x",
    ]));
    connecting.save("connect-link");
    connecting.view.state = ConnectState::Asking(asked(&[]));
    connecting.save("connect-link-address");
    // Dark panels, light panels, and something written on each.
    let [dark, light] = [true, false].map(|dark| {
        theme::set_dark(connecting.surface.context(), dark);
        connecting.settle();
        connecting.canvas.as_ref().expect("it is painted").pixel(SIZE.0 - 3, 3)
    });
    assert!(dark.iter().sum::<f32>() < 150.0 && light.iter().sum::<f32>() > 600.0, "{dark:?} {light:?}");
}

//! The session menu: its words and those of its page, its keys, its look.

use std::path::Path;

use egui::{Event, Key, RawInput};
use farpane::geometry::Size;
use farpane::session::clipboard::Direction;
use farpane::ui::session_menu::SESSION_MENU_SIZE;
use farpane::ui::{
    MenuKeys, OverlayStep, SessionMenu, SessionMenuAction, UiSurface, passive_input, session_menu_ui, theme,
};

use super::raster::Canvas;
use super::{tapped, texts};

fn menu() -> SessionMenu {
    SessionMenu {
        encodings: ["h264", "webp", "png", "png/P", "rgb", "jpeg"].map(str::to_owned).into(),
        clipboard: Some(Direction::Both),
        has_replay: true,
        keep_as: Some("build box".to_owned()),
        can_stop: true,
        keys: MenuKeys {
            overlay: "Shift+F11".to_owned(),
            session_info: "Shift+F10".to_owned(),
            full_screen: "Shift+F12".to_owned(),
        },
        ..SessionMenu::default()
    }
}

/// What the menu says, from top to bottom.
fn words(menu: &SessionMenu) -> Vec<String> {
    let mut menu = menu.clone();
    texts(SESSION_MENU_SIZE, |ui| _ = session_menu_ui(&mut menu, ui))
}

/// The first column of the first table of its page, in its order.
fn documented() -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/session-menu.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let rows =
        page.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let names = rows.skip(2).filter_map(|row| row.split('|').nth(1));
    names.flat_map(|names| names.split(", ")).map(|name| name.trim().to_owned()).collect()
}

#[test]
fn its_page_has_what_it_has() {
    let mut shown = words(&menu());
    // What is chosen, and the keys, are no names.
    let values = [
        "automatic",
        "no limit",
        "off",
        "both ways",
        "as the monitor, from 150 % on",
        "",
        "Shift+F11",
        "Shift+F10",
        "Shift+F12",
    ];
    shown.retain(|text| !values.contains(&text.as_str()));
    let documented = documented();
    assert!(documented.len() > 15, "{documented:?}");
    assert_eq!(shown, documented, "what the menu shows, and its page");
}

#[test]
fn keys_stand_beside_what_they_do() {
    let shown = words(&menu());
    let after = |name: &str| {
        let at = shown.iter().position(|text| text == name).expect(name);
        shown[at..].iter().find(|text| text.starts_with("Shift+")).cloned()
    };
    assert_eq!(after("Statistics").as_deref(), Some("Shift+F11"));
    assert_eq!(after("Session information").as_deref(), Some("Shift+F10"));
    assert_eq!(shown.last().map(String::as_str), Some("Disconnect"));
}

/// A menu that is used.
struct Used {
    surface: UiSurface,
    menu: SessionMenu,
}

impl Used {
    fn new(menu: SessionMenu) -> Self {
        let mut used = Self { surface: UiSurface::new(), menu };
        used.events(vec![]);
        used
    }

    fn events(&mut self, events: Vec<Event>) -> Option<SessionMenuAction> {
        let (width, height) = SESSION_MENU_SIZE;
        let input = RawInput { events, ..passive_input(Size { width, height }, 1.0) };
        let mut action = None;
        let Self { surface, menu } = self;
        surface.frame(input, |ui| action = action.take().or(session_menu_ui(menu, ui)));
        action
    }

    fn key(&mut self, key: Key) -> Option<SessionMenuAction> {
        self.events(tapped(key).into())
    }

    fn tabs(&mut self, count: usize) {
        for _ in 0..count {
            assert_eq!(self.key(Key::Tab), None);
        }
    }
}

#[test]
fn escape_closes_the_innermost() {
    let mut used = Used::new(menu());
    used.tabs(1);
    // The list of encodings.
    assert_eq!(used.key(Key::Enter), None);
    used.events(vec![]);
    assert_eq!(used.key(Key::Escape), None, "the list");
    used.events(vec![]);
    // Back in the field: quality is the next one.
    used.tabs(1);
    assert_eq!(used.key(Key::Space), Some(SessionMenuAction::Quality(70)));
    assert_eq!(used.key(Key::Escape), Some(SessionMenuAction::Close), "the menu");
    let mut asked = Used::new(SessionMenu { stopping: true, ..menu() });
    assert_eq!(asked.key(Key::Escape), None, "the question");
    assert!(!asked.menu.stopping);
    assert_eq!(asked.key(Key::Escape), Some(SessionMenuAction::Close));
    let mut about = Used::new(SessionMenu { about: true, ..menu() });
    assert_eq!(about.key(Key::Escape), None, "about");
    assert!(!about.menu.about);
}

#[test]
fn automatic_is_a_box_that_is_ticked() {
    let mut used = Used::new(menu());
    used.tabs(2);
    assert_eq!(used.key(Key::Space), Some(SessionMenuAction::Quality(70)), "not automatic any more");
    assert_eq!(used.key(Key::Space), Some(SessionMenuAction::Quality(0)));
    used.tabs(2);
    assert_eq!(used.key(Key::Space), Some(SessionMenuAction::Bandwidth(10_000_000)));
    assert_eq!(used.key(Key::Space), Some(SessionMenuAction::Bandwidth(0)));
    // With the keyboard to the last entry.
    used.tabs(17);
    assert_eq!(used.key(Key::Enter), Some(SessionMenuAction::Disconnect));
}

#[test]
fn what_cannot_be_done_is_grey() {
    let grey = SessionMenu { has_replay: false, keep_as: None, can_stop: false, ..menu() };
    let mut used = Used::new(grey);
    // Three fewer than with them.
    used.tabs(18);
    assert_eq!(used.key(Key::Enter), Some(SessionMenuAction::Disconnect));
}

#[test]
fn the_menu_can_be_looked_at() {
    let chosen = SessionMenu {
        quality: 60,
        bandwidth: 5_000_000,
        overlay: OverlayStep::Words,
        note: "Saved /home/anna/Downloads/farpane-session-12.png".to_owned(),
        ..menu()
    };
    let (width, height) = SESSION_MENU_SIZE;
    for (name, menu, size, dark, scale) in [
        ("session-menu-dark", menu(), (width, height), true, 1.0),
        ("session-menu-light", chosen.clone(), (width, height), false, 1.0),
        ("session-menu-dark-2x", chosen.clone(), (width, height), true, 2.0),
        ("session-menu-light-2x", menu(), (width, height), false, 2.0),
        ("session-menu-small", chosen, (width, 520), true, 1.0),
    ] {
        let mut used = Used { surface: UiSurface::new(), menu };
        theme::set_dark(used.surface.context(), dark);
        let size = Size { width: (size.0 as f32 * scale) as u32, height: (size.1 as f32 * scale) as u32 };
        let mut canvas = Canvas::new(size.width as usize, size.height as usize);
        for _ in 0..3 {
            let Used { surface, menu } = &mut used;
            canvas.paint(surface.frame(passive_input(size, scale), |ui| _ = session_menu_ui(menu, ui)).frame);
        }
        canvas.save(name);
    }
}

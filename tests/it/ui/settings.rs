//! The settings window: what it shows, what comes of what is done in it, its look.

use egui::{Event, Key, RawInput};
use farpane::geometry::Size;
use farpane::ui::settings::SETTINGS_SIZE;
use farpane::ui::{
    SettingKind, SettingRow, SettingsAction, SettingsForm, UiSurface, passive_input, settings_ui, theme,
};

use super::raster::Canvas;
use super::{tapped, texts};

fn row(name: &str, help: &str, kind: SettingKind, value: &str, is_own: bool) -> SettingRow {
    let (name, help, value) = (name.to_owned(), help.to_owned(), value.to_owned());
    SettingRow { name, help, kind, is_own, value, before: None, default: String::new() }
}

fn form() -> SettingsForm {
    let renderers = ["auto", "wgpu", "cpu"].map(str::to_owned).into();
    SettingsForm {
        rows: vec![
            row("overlay", "Start with the statistics overlay", SettingKind::YesNo, "no", false),
            row("renderer", "What draws the windows", SettingKind::OneOf(renderers), "cpu", true),
            row(
                "quality",
                "Picture quality, 1 to 100; 0 leaves it to the server",
                SettingKind::Text,
                "60",
                true,
            ),
            row("record", "Record the session to this file while it is shown", SettingKind::Text, "", false),
        ],
        path: "/home/anna/.config/farpane/config.toml".to_owned(),
        text: "# mine\nrenderer = \"cpu\"\nquality = 60\n".to_owned(),
        ..SettingsForm::default()
    }
}

struct Used {
    surface: UiSurface,
    form: SettingsForm,
}

impl Used {
    fn new() -> Self {
        let mut used = Self { surface: UiSurface::new(), form: form() };
        used.events(vec![]);
        used
    }

    fn events(&mut self, events: Vec<Event>) -> Option<SettingsAction> {
        let (width, height) = SETTINGS_SIZE;
        let input = RawInput { events, ..passive_input(Size { width, height }, 1.0) };
        let mut action = None;
        let Self { surface, form } = self;
        surface.frame(input, |ui| action = action.take().or(settings_ui(form, ui)));
        action
    }

    fn keys(&mut self, keys: &[Key]) -> Option<SettingsAction> {
        keys.iter().fold(None, |action, key| action.or(self.events(tapped(*key).into())))
    }
}

fn set(name: &str, value: Option<&str>) -> Option<SettingsAction> {
    Some(SettingsAction::Set { name: name.to_owned(), value: value.map(str::to_owned) })
}

#[test]
fn with_the_keyboard_alone() {
    let mut used = Used::new();
    // The search has the focus; the button beside an option that the file does not have is grey.
    assert_eq!(used.keys(&[Key::Tab, Key::Space]), set("overlay", Some("yes")));
    // What is typed counts when the field is left.
    let mut used = Used::new();
    used.events(vec![Event::Text("picture QUAL".to_owned())]);
    assert_eq!(used.keys(&[Key::Tab, Key::Tab]), None);
    let mut used = Used::new();
    used.events(vec![Event::Text("1 to 100".to_owned())]);
    // First the field, then the button that takes it out of the file.
    used.keys(&[Key::Tab]);
    used.keys(&[Key::End, Key::Backspace, Key::Backspace]);
    used.events(vec![Event::Text("35".to_owned())]);
    assert_eq!(used.keys(&[Key::Enter]).or_else(|| used.events(vec![])), set("quality", Some("35")));
    let mut used = Used::new();
    used.events(vec![Event::Text("1 to 100".to_owned())]);
    assert_eq!(used.keys(&[Key::Tab, Key::Tab, Key::Enter]), set("quality", None), "out of the file");
    assert_eq!(used.keys(&[Key::Escape]), Some(SettingsAction::Close));
}

#[test]
fn what_it_says() {
    let says = |form: &SettingsForm| {
        let mut form = form.clone();
        texts(SETTINGS_SIZE, |ui| _ = settings_ui(&mut form, ui))
    };
    let all = says(&form());
    for wanted in ["overlay", "renderer", "What draws the windows", "quality", "record", "Show the file"] {
        assert!(all.contains(&wanted.to_owned()), "{wanted} in {all:?}");
    }
    let found = says(&SettingsForm { search: "DRAWS".to_owned(), ..form() });
    assert!(found.contains(&"renderer".to_owned()) && !found.contains(&"quality".to_owned()), "{found:?}");
    let file = says(&SettingsForm { shows_file: true, ..form() });
    assert!(file.iter().any(|text| text.contains("quality = 60")), "{file:?}");
    assert!(file.contains(&"/home/anna/.config/farpane/config.toml".to_owned()), "{file:?}");
    let wrong = "c.toml:3: expected a number from 0 to 100".to_owned();
    assert!(says(&SettingsForm { error: wrong.clone(), ..form() }).contains(&wrong));
}

#[test]
fn it_can_be_looked_at() {
    let (width, height) = SETTINGS_SIZE;
    for (name, shows_file, dark, scale) in [
        ("settings-dark", false, true, 1.0),
        ("settings-light", false, false, 1.0),
        ("settings-light-2x", false, false, 2.0),
        ("settings-file", true, true, 1.0),
    ] {
        let mut used = Used { surface: UiSurface::new(), form: SettingsForm { shows_file, ..form() } };
        theme::set_dark(used.surface.context(), dark);
        let size = Size { width: (width as f32 * scale) as u32, height: (height as f32 * scale) as u32 };
        let mut canvas = Canvas::new(size.width as usize, size.height as usize);
        for _ in 0..3 {
            let Used { surface, form } = &mut used;
            canvas.paint(surface.frame(passive_input(size, scale), |ui| _ = settings_ui(form, ui)).frame);
        }
        canvas.save(name);
    }
}

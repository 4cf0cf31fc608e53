//! The fonts of the user interface: egui's own, which the program holds packed (`build.rs`).

use std::io::Read as _;
use std::sync::{Arc, LazyLock};

use egui::epaint::text::FontTweak;
use egui::{FontData, FontDefinitions, FontFamily};
use flate2::read::ZlibDecoder;

const HACK: &str = "Hack";
const UBUNTU: &str = "Ubuntu-Light";
const ICONS: &str = "egui-icons";

/// As egui's feature `default_fonts` has them. Unpacked once, and shared by all contexts.
static FONTS: LazyLock<FontDefinitions> = LazyLock::new(|| {
    let mut fonts = FontDefinitions::empty();
    let icons = FontData::from_static(epaint_default_fonts::EGUI_ICONS);
    for (name, data) in [
        (HACK, unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/Hack.z")))),
        (UBUNTU, unpacked(include_bytes!(concat!(env!("OUT_DIR"), "/Ubuntu-Light.z")))),
        (ICONS, icons.tweak(FontTweak { scale: 0.9, ..FontTweak::default() })),
    ] {
        fonts.font_data.insert(name.to_owned(), Arc::new(data));
    }
    let mut family = |family, names: &[&str]| {
        fonts.families.insert(family, names.iter().map(|name| (*name).to_owned()).collect());
    };
    family(FontFamily::Monospace, &[HACK, UBUNTU, ICONS]);
    family(FontFamily::Proportional, &[UBUNTU, ICONS]);
    fonts
});

fn unpacked(packed: &[u8]) -> FontData {
    let mut font = Vec::new();
    ZlibDecoder::new(packed).read_to_end(&mut font).expect("what build.rs packed");
    FontData::from_owned(font)
}

/// An egui context with these fonts; without them it has none.
pub fn context() -> egui::Context {
    let context = egui::Context::default();
    context.set_fonts(FONTS.clone());
    context
}

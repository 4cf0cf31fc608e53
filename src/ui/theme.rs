//! Colours and sizes of everything that Farpane draws itself.

use egui::{Color32, CornerRadius, FontFamily, FontId, Stroke, TextStyle, Theme, Vec2};

use crate::stats::report::SectionKind;

pub const BACKGROUND: Color32 = Color32::from_rgb(0x12, 0x16, 0x1d);
/// Behind the overlay: dark enough to read on white, with the window still visible.
pub const OVERLAY_BACKGROUND: Color32 = Color32::from_rgba_premultiplied(0x0b, 0x0e, 0x13, 0xe6);
pub const OVERLAY_BORDER: Color32 = Color32::from_rgba_premultiplied(0x24, 0x2a, 0x33, 0xc0);
/// Over a window whose connection is lost: its last picture can still be read.
pub const VEIL: Color32 = Color32::from_black_alpha(0x90);
/// The overlay's button.
pub const BUTTON: Color32 = Color32::from_rgb(0x24, 0x2c, 0x36);
pub const BUTTON_HOVERED: Color32 = Color32::from_rgb(0x1c, 0x6f, 0x68);
pub const PLOT_BACKGROUND: Color32 = Color32::from_rgb(0x0b, 0x0e, 0x13);
pub const PLOT_GRID: Color32 = Color32::from_rgb(0x1d, 0x23, 0x2c);
pub const TEXT: Color32 = Color32::from_rgb(0xf0, 0xf4, 0xf8);
pub const LABEL: Color32 = Color32::from_rgb(0xb8, 0xc2, 0xcc);
pub const UNIT: Color32 = Color32::from_rgb(0x93, 0x9e, 0xaa);
pub const DIM: Color32 = Color32::from_rgb(0x6b, 0x76, 0x82);
pub const ACCENT: Color32 = Color32::from_rgb(0x2d, 0xd4, 0xbf);
pub const WARNING: Color32 = Color32::from_rgb(0xf5, 0xa5, 0x24);
pub const ALARM: Color32 = Color32::from_rgb(0xff, 0x6b, 0x6b);

/// [`ACCENT`], [`WARNING`] and [`ALARM`] dark enough for light backgrounds.
const LIGHT_ACCENT: Color32 = Color32::from_rgb(0x0b, 0x7a, 0x6e);
const LIGHT_WARNING: Color32 = Color32::from_rgb(0xa1, 0x4e, 0x00);
const LIGHT_ALARM: Color32 = Color32::from_rgb(0xb4, 0x14, 0x14);

const BLUE: Color32 = Color32::from_rgb(0x60, 0xa5, 0xfa);
const ORANGE: Color32 = Color32::from_rgb(0xfb, 0x92, 0x3c);
const YELLOW: Color32 = Color32::from_rgb(0xfa, 0xcc, 0x15);
const GREEN: Color32 = Color32::from_rgb(0x4a, 0xde, 0x80);
const VIOLET: Color32 = Color32::from_rgb(0xc0, 0x84, 0xfc);
const PINK: Color32 = Color32::from_rgb(0xf4, 0x72, 0xb6);

/// The colour of a section's heading and graphs.
pub const fn section_color(kind: SectionKind) -> Color32 {
    match kind {
        SectionKind::Network | SectionKind::Encodings => BLUE,
        SectionKind::Latency => PINK,
        SectionKind::Copies | SectionKind::Allocations => ORANGE,
        SectionKind::Transforms => YELLOW,
        SectionKind::Frames | SectionKind::Queue => GREEN,
        SectionKind::Times | SectionKind::EncodingTimes => VIOLET,
        SectionKind::Renderer => ACCENT,
    }
}

/// Gives dialogs Farpane's look, dark until [`set_dark`] says otherwise.
pub fn apply(context: &egui::Context) {
    context.set_theme(Theme::Dark);
    context.all_styles_mut(|style| {
        style.spacing.item_spacing = Vec2::new(8.0, 8.0);
        style.spacing.button_padding = Vec2::new(14.0, 6.0);
        style.text_styles.insert(TextStyle::Heading, FontId::new(19.0, FontFamily::Proportional));
        style.text_styles.insert(TextStyle::Body, FontId::new(14.0, FontFamily::Proportional));
        style.text_styles.insert(TextStyle::Button, FontId::new(14.0, FontFamily::Proportional));
        style.text_styles.insert(TextStyle::Small, FontId::new(12.0, FontFamily::Proportional));
        let visuals = &mut style.visuals;
        for widget in [
            &mut visuals.widgets.inactive,
            &mut visuals.widgets.hovered,
            &mut visuals.widgets.active,
            &mut visuals.widgets.open,
        ] {
            widget.corner_radius = CornerRadius::same(6);
        }
    });
    context.style_mut_of(Theme::Dark, |style| {
        let visuals = &mut style.visuals;
        visuals.panel_fill = BACKGROUND;
        visuals.window_fill = BACKGROUND;
        visuals.extreme_bg_color = PLOT_BACKGROUND;
        visuals.hyperlink_color = ACCENT;
        visuals.warn_fg_color = WARNING;
        visuals.error_fg_color = ALARM;
        visuals.weak_text_color = Some(UNIT);
        visuals.selection.bg_fill = ACCENT.gamma_multiply(0.35);
        visuals.selection.stroke = Stroke::new(1.0, ACCENT);
        visuals.widgets.noninteractive.fg_stroke.color = LABEL;
        visuals.widgets.inactive.fg_stroke.color = TEXT;
        visuals.widgets.inactive.bg_stroke = Stroke::new(1.0, Color32::from_rgb(0x2a, 0x31, 0x3b));
    });
    context.style_mut_of(Theme::Light, |style| {
        let visuals = &mut style.visuals;
        visuals.panel_fill = Color32::from_rgb(0xfa, 0xfb, 0xfc);
        visuals.window_fill = visuals.panel_fill;
        visuals.hyperlink_color = LIGHT_ACCENT;
        visuals.warn_fg_color = LIGHT_WARNING;
        visuals.error_fg_color = LIGHT_ALARM;
        visuals.weak_text_color = Some(Color32::from_rgb(0x5b, 0x66, 0x72));
        visuals.selection.bg_fill = ACCENT.gamma_multiply(0.35);
        visuals.selection.stroke = Stroke::new(1.0, LIGHT_ACCENT);
        visuals.widgets.noninteractive.fg_stroke.color = Color32::from_rgb(0x2b, 0x33, 0x3d);
        visuals.widgets.inactive.fg_stroke.color = Color32::from_rgb(0x12, 0x16, 0x1d);
        visuals.widgets.inactive.bg_stroke = Stroke::new(1.0, Color32::from_rgb(0xc4, 0xcc, 0xd4));
    });
}

/// Chooses the dark or the light look of what is painted by `context`.
pub fn set_dark(context: &egui::Context, dark: bool) {
    context.set_theme(if dark { Theme::Dark } else { Theme::Light });
}

/// The colour of what is to be noticed or pressed.
pub fn accent(ui: &egui::Ui) -> Color32 {
    ui.visuals().hyperlink_color
}

/// Text on [`accent`].
pub fn on_accent(ui: &egui::Ui) -> Color32 {
    if ui.visuals().dark_mode { BACKGROUND } else { Color32::WHITE }
}

/// The fill of what ends something.
pub fn alarm(ui: &egui::Ui) -> Color32 {
    ui.visuals().error_fg_color
}

/// Text on [`alarm`].
pub fn on_alarm(ui: &egui::Ui) -> Color32 {
    on_accent(ui)
}

/// Bars that are there as long as something is out of sight.
pub fn scroll_bars() -> egui::style::ScrollStyle {
    egui::style::ScrollStyle { bar_width: 8.0, foreground_color: true, ..egui::style::ScrollStyle::solid() }
}

/// Behind a list beside the main part of a window.
pub fn side_fill(ui: &egui::Ui) -> Color32 {
    if ui.visuals().dark_mode { PLOT_BACKGROUND } else { Color32::from_rgb(0xec, 0xef, 0xf2) }
}

//! Updates, acknowledgements, presents, scrolling, resizing and the overlay.

use std::time::Duration;

use farpane::channel::{
    AppEvent, BackingUpdate, DrawContent, NetCommand, OverlayFrame, Presented, RenderCommand,
};
use farpane::codec::PixelFormat;
use farpane::geometry::{Rect, Size};
use farpane::protocol::packet::WindowId;
use farpane::protocol::packet::draw::{DrawOutcome, ScrollRect};
use farpane::render::{RenderOptions, RendererChoice};
use farpane::session::{DrawInput, Input};
use farpane::stats::CopySite;

use super::rig::{Image, Rig, noise_picture, plain_picture, with_each_renderer};

with_each_renderer!(
    a_new_backing_is_black_and_keeps_its_top_left_part,
    draws_of_one_batch_take_effect_in_order,
    windows_do_not_disturb_each_other,
    scroll_rectangles_show_what_was_there_before,
    a_window_is_presented_once_an_update_and_not_when_idle,
    acknowledgements_tell_what_happened,
    first_paint_is_told_once,
    the_overlay_is_drawn_over_the_window,
);

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];

fn a_new_backing_is_black_and_keeps_its_top_left_part(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    rig.resize(1, 40, 30);
    assert_eq!(rig.shown(1).max_error(&Image::black(40, 30)), 0);
    let picture = noise_picture(PixelFormat::Bgrx, 40, 30, 0);
    rig.picture(1, 0, 0, &picture);
    for (width, height) in [(60, 20), (25, 50), (80, 80)] {
        rig.resize(1, width, height);
    }
    let mut expected = Image::black(80, 80);
    let mut kept = Image::black(25, 20);
    kept.paint(0, 0, &picture);
    for y in 0..20 {
        for x in 0..25 {
            expected.set(x, y, kept.pixel(x, y));
        }
    }
    rig.shown(1).assert_close(&expected, 0);
}

fn draws_of_one_batch_take_effect_in_order(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    rig.resize(1, 64, 64);
    let mut expected = Image::black(64, 64);
    // Direct writes and shader passes in turn, each over a part of those before; many more than
    // fit one submission.
    for step in 0..150 {
        let format = [PixelFormat::Bgrx, PixelFormat::Rgb, PixelFormat::Rgba][step % 3];
        let picture = noise_picture(format, 20 + (step % 13) as u32, 20 + (step % 7) as u32, 0);
        let (x, y) = ((step * 7 % 50) as i32 - 5, (step * 11 % 50) as i32 - 5);
        expected.paint(x, y, &picture);
        rig.picture(1, x, y, &picture);
    }
    rig.shown(1).assert_close(&expected, 0);
}

fn windows_do_not_disturb_each_other(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    for wid in 1..=5 {
        rig.resize(wid, 16, 16);
        rig.picture(wid, 0, 0, &noise_picture(PixelFormat::Bgr, 16, wid as u32 + 3, 1));
    }
    rig.backing(2, BackingUpdate::Destroy);
    for wid in [1, 3, 4, 5] {
        let mut expected = Image::black(16, 16);
        expected.paint(0, 0, &noise_picture(PixelFormat::Bgr, 16, wid as u32 + 3, 1));
        rig.shown(wid).assert_close(&expected, 0);
    }
    assert_eq!(rig.shown(2).size, Size::default());
}

fn scroll(x: i32, y: i32, width: u32, height: u32, dx: i32, dy: i32) -> ScrollRect {
    ScrollRect { x, y, width, height, dx, dy }
}

fn scroll_rectangles_show_what_was_there_before(renderer: RendererChoice) {
    let cases: [&[ScrollRect]; 7] = [
        &[scroll(0, 0, 50, 39, 0, 1)],
        &[scroll(0, 5, 50, 35, 0, -5)],
        // Each reads what the other overwrites.
        &[scroll(0, 0, 25, 40, 25, 0), scroll(25, 0, 25, 40, -25, 0)],
        &[scroll(0, 0, 20, 20, 3, 3), scroll(10, 10, 20, 20, 3, 3), scroll(5, 5, 20, 20, -3, -2)],
        // Three times the window.
        &[scroll(0, 0, 50, 39, 0, 1), scroll(0, 1, 50, 39, 0, -1), scroll(0, 0, 49, 40, 1, 0)],
        // Clipped at both ends.
        &[scroll(-5, -5, 30, 30, 40, 25), scroll(40, 30, 30, 30, -45, -35)],
        &[scroll(0, 0, 10, 10, 100, 0), scroll(i32::MIN, i32::MAX, u32::MAX, 1, i32::MAX, i32::MIN)],
    ];
    let mut rig = Rig::offscreen(renderer);
    for (number, rects) in cases.iter().enumerate() {
        rig.resize(1, 50, 40);
        let picture = noise_picture(PixelFormat::Rgb, 50, 40, 0);
        rig.picture(1, 0, 0, &picture);
        rig.done();
        let mut before = Image::black(50, 40);
        before.paint(0, 0, &picture);
        let mut expected = before.clone();
        for rect in rects.iter().filter(|rect| rect.x > -1000) {
            for y in rect.y.max(0)..(rect.y + rect.height as i32).min(40) {
                for x in rect.x.max(0)..(rect.x + rect.width as i32).min(50) {
                    let (to_x, to_y) = (x + rect.dx, y + rect.dy);
                    if (0..50).contains(&to_x) && (0..40).contains(&to_y) {
                        expected.set(to_x as u32, to_y as u32, before.pixel(x as u32, y as u32));
                    }
                }
            }
        }
        let whole = Rect { x: 0, y: 0, width: 50, height: 40 };
        rig.draw(1, whole, DrawContent::Scroll(Vec::from(*rects)), 0);
        let error = rig.shown(1).max_error(&expected);
        assert_eq!(error, 0, "case {number}");
        let done = rig.done();
        assert!(matches!(done.outcome, DrawOutcome::Presented { .. }), "case {number}");
        let copied = done.trace.ledger.copied_bytes();
        assert_eq!(copied, done.trace.ledger.copied_at(CopySite::Backing), "case {number}");
        assert!(copied == 0 || renderer == RendererChoice::Cpu, "case {number}");
    }
}

fn a_window_is_presented_once_an_update_and_not_when_idle(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    rig.resize(1, 64, 64);
    let rect = Rect { x: 0, y: 0, width: 8, height: 8 };
    for _ in 0..3 {
        for flush in [2, 1] {
            rig.draw(1, rect, DrawContent::Picture(plain_picture(8, 8, RED)), flush);
            assert_eq!(rig.presents_within(Duration::from_millis(30)), 0, "the update is not complete");
        }
        let last = rig.draw(1, rect, DrawContent::Picture(plain_picture(8, 8, GREEN)), 0);
        let (wid, sequence, _) = rig.presented();
        assert_eq!((wid, sequence), (WindowId(1), Some(last)));
        assert_eq!(rig.presents_within(Duration::from_millis(50)), 0, "idle");
    }
    // An update that shows nothing presents nothing.
    rig.draw(1, rect, DrawContent::Nothing(DrawOutcome::Skipped), 0);
    assert_eq!(rig.presents_within(Duration::from_millis(50)), 0);
    // One whose last draw was refused shows what came before.
    rig.draw(1, rect, DrawContent::Picture(plain_picture(8, 8, RED)), 1);
    let outcome = DrawOutcome::Error { message: "bad".into() };
    let last = rig.draw(1, rect, DrawContent::Nothing(outcome), 0);
    assert_eq!(rig.presented().1, Some(last));
}

fn acknowledgements_tell_what_happened(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    let rect = Rect { x: 0, y: 0, width: 8, height: 8 };
    let first = rig.draw(7, rect, DrawContent::Picture(plain_picture(8, 8, RED)), 0);
    let done = rig.done();
    assert_eq!((done.wid, done.sequence, done.outcome), (WindowId(7), first, DrawOutcome::WindowNotFound));
    rig.resize(7, 8, 8);
    rig.draw(7, rect, DrawContent::Nothing(DrawOutcome::Skipped), 0);
    assert_eq!(rig.done().outcome, DrawOutcome::Skipped);
    rig.draw(7, rect, DrawContent::Picture(plain_picture(8, 8, RED)), 0);
    let done = rig.done();
    assert!(matches!(done.outcome, DrawOutcome::Presented { decode_us: 1.. }));
    assert!(done.trace.uploaded.is_some_and(|uploaded| uploaded > done.trace.arrived));
    assert_eq!(done.size, Size { width: 8, height: 8 });
    // A window of a size that no device has is refused, and so are its draws.
    rig.resize(7, 4_000_000, 10);
    rig.draw(7, rect, DrawContent::Picture(plain_picture(8, 8, RED)), 0);
    assert_eq!(rig.done().outcome, DrawOutcome::WindowNotFound);
    rig.resize(7, 8, 8);
    rig.draw(7, rect, DrawContent::Picture(plain_picture(8, 8, RED)), 0);
    assert!(matches!(rig.done().outcome, DrawOutcome::Presented { .. }));
}

fn first_paint_is_told_once(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    rig.resize(1, 8, 8);
    for _ in 0..3 {
        rig.picture(1, 0, 0, &plain_picture(8, 8, RED));
        rig.presented();
    }
    rig.command(RenderCommand::ReadBack { wid: WindowId(1) });
    assert!(matches!(rig.event(), AppEvent::FirstPaint { wid: WindowId(1) }));
    assert!(matches!(rig.event(), AppEvent::Pixels { .. }));
}

/// A frame of an egui context that paints a filled rectangle and a word.
pub(super) fn overlay_frame(context: &egui::Context, colour: egui::Color32) -> OverlayFrame {
    let input = egui::RawInput {
        screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(100.0, 80.0))),
        ..Default::default()
    };
    let output = context.run_ui(input, |ui| {
        let place = egui::Rect::from_min_max(egui::pos2(10.0, 10.0), egui::pos2(30.0, 20.0));
        ui.painter().rect_filled(place, 0.0, colour);
        let font = egui::FontId::monospace(16.0);
        ui.painter().text(egui::pos2(40.0, 40.0), egui::Align2::LEFT_TOP, "HHHH", font, colour);
    });
    OverlayFrame {
        textures_delta: output.textures_delta,
        primitives: context.tessellate(output.shapes, output.pixels_per_point),
        pixels_per_point: output.pixels_per_point,
    }
}

fn the_overlay_is_drawn_over_the_window(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    rig.resize(1, 100, 80);
    let background = plain_picture(100, 80, [0, 0, 90]);
    rig.picture(1, 0, 0, &background);
    rig.presented();
    let context = farpane::ui::fonts::context();
    // Frames that arrive together: the texture changes of all of them are needed.
    for colour in [egui::Color32::RED, egui::Color32::GREEN] {
        let frame = Some(overlay_frame(&context, colour));
        rig.command(RenderCommand::Overlay { surface: WindowId(1).into(), frame });
    }
    let shown = rig.shown(1);
    assert_eq!(rig.presented().1, None, "an overlay frame is presented");
    assert_eq!(shown.pixel(20, 15), [0, 255, 0, 255]);
    assert_eq!(shown.pixel(5, 5), [0, 0, 90, 255]);
    let lit = |image: &Image| {
        let texts = (40..80).flat_map(|x| (40..60).map(move |y| (x, y)));
        texts.filter(|&(x, y)| image.pixel(x, y)[1] > 128).count()
    };
    assert!(lit(&shown) > 40, "text: {}", lit(&shown));
    // Draws go on below it.
    rig.picture(1, 0, 0, &plain_picture(100, 80, [90, 0, 0]));
    assert_eq!(rig.shown(1).pixel(20, 15), [0, 255, 0, 255]);
    assert_eq!(rig.shown(1).pixel(5, 5), [90, 0, 0, 255]);
    rig.command(RenderCommand::Overlay { surface: WindowId(1).into(), frame: None });
    assert_eq!(rig.shown(1).pixel(20, 15), [90, 0, 0, 255]);
    // Nothing of it is kept: another one brings its textures along.
    let frame = Some(overlay_frame(&farpane::ui::fonts::context(), egui::Color32::GREEN));
    rig.command(RenderCommand::Overlay { surface: WindowId(1).into(), frame });
    assert!(lit(&rig.shown(1)) > 40);
    // A frame for a window that is not there is no harm.
    let frame = Some(overlay_frame(&farpane::ui::fonts::context(), egui::Color32::GREEN));
    rig.command(RenderCommand::Overlay { surface: WindowId(9).into(), frame });
    assert_eq!(rig.shown(1).size, Size { width: 100, height: 80 });
}

#[test]
fn a_lost_device_is_replaced_and_the_server_asked_for_the_pixels() {
    let mut rig = Rig::new(RenderOptions {
        renderer: RendererChoice::Wgpu,
        offscreen: true,
        lose_device_after: Some(5),
        ..RenderOptions::default()
    });
    rig.resize(1, 100, 80);
    let context = farpane::ui::fonts::context();
    let frame = Some(overlay_frame(&context, egui::Color32::GREEN));
    rig.command(RenderCommand::Overlay { surface: WindowId(1).into(), frame });
    let background = plain_picture(100, 80, [0, 0, 90]);
    let refreshed = (0..20).any(|_| {
        rig.picture(1, 0, 0, &background);
        loop {
            match rig.net_command() {
                NetCommand::Input(Input::Draw(DrawInput::Refresh { wid: WindowId(1) })) => return true,
                NetCommand::DrawDone(_) => {}
                NetCommand::Presented(Presented { sequence: Some(_), .. }) => return false,
                _ => {}
            }
        }
    });
    assert!(refreshed, "the device was lost and nobody asked for the pixels");
    // The new one has the window, black until the refresh comes, and the overlay.
    rig.picture(1, 0, 0, &plain_picture(100, 80, [70, 0, 0]));
    let shown = rig.shown(1);
    assert_eq!((shown.pixel(5, 5), shown.pixel(20, 15)), ([70, 0, 0, 255], [0, 255, 0, 255]));
}

#[test]
fn both_renderers_draw_the_same_overlay() {
    let shown = [RendererChoice::Wgpu, RendererChoice::Cpu].map(|renderer| {
        let mut rig = Rig::offscreen(renderer);
        rig.resize(1, 300, 200);
        rig.picture(1, 0, 0, &noise_picture(PixelFormat::Rgb, 300, 200, 0));
        rig.command(RenderCommand::Overlay {
            surface: WindowId(1).into(),
            frame: Some(rich_overlay_frame()),
        });
        rig.shown(1)
    });
    let [wgpu, cpu] = &shown;
    let panel = egui::Visuals::dark().window_fill.to_array();
    assert_eq!((wgpu.pixel(36, 60), cpu.pixel(36, 60)), (panel, panel));
    let errors = || wgpu.rgba.iter().zip(&cpu.rgba).map(|(a, b)| a.abs_diff(*b));
    // Adapters differ in which pixels an edge covers and in how they round.
    let (large, total) = (errors().filter(|error| *error > 8).count(), errors().map(u64::from).sum::<u64>());
    assert!(large < 50, "{large} channels differ by more than 8");
    assert!(total < 10_000, "the channels differ by {total} in all");
}

/// Shadows, words, smooth lines and transparency, at 1.5 pixels a point.
fn rich_overlay_frame() -> OverlayFrame {
    let context = farpane::ui::fonts::context();
    let scale = egui::ViewportInfo { native_pixels_per_point: Some(1.5), ..Default::default() };
    let input = egui::RawInput {
        screen_rect: Some(egui::Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(200.0, 133.0))),
        viewports: std::iter::once((egui::ViewportId::ROOT, scale)).collect(),
        ..Default::default()
    };
    let output = context.run_ui(input, |ui| {
        egui::Frame::window(ui.style()).outer_margin(20.0).show(ui, |ui| {
            ui.label("Words, small ones and large ones");
            ui.heading("Heading");
            let _ = ui.button("A button");
            ui.add(egui::ProgressBar::new(0.6).desired_width(120.0));
        });
        let points = (0..40).map(|x| egui::pos2(5.0 + 4.0 * x as f32, 100.0 + (x as f32).sin() * 20.0));
        ui.painter().line(points.collect(), egui::Stroke::new(1.5, egui::Color32::YELLOW));
        ui.painter().circle_filled(egui::pos2(150.0, 90.0), 30.0, egui::Color32::from_white_alpha(90));
    });
    OverlayFrame {
        textures_delta: output.textures_delta,
        primitives: context.tessellate(output.shapes, output.pixels_per_point),
        pixels_per_point: output.pixels_per_point,
    }
}

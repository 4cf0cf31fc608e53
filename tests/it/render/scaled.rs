//! Windows that are shown larger or smaller than they are.

use std::sync::Arc;
use std::time::Duration;

use farpane::channel::{RenderCommand, Scale, Scaling, ScalingFilter};
use farpane::codec::PixelFormat;
use farpane::geometry::Size;
use farpane::protocol::packet::WindowId;
use farpane::render::{RenderOptions, RendererChoice};

use super::rig::{Image, Rig, noise_picture, plain_picture, with_each_renderer};
use super::updates::overlay_frame;
use super::windowed::{TestWindow, attach};
use crate::support::display::Display;
use crate::support::picture::Picture;
use crate::support::wait_for;

with_each_renderer!(
    pictures_are_scaled_by_every_factor,
    windows_show_scaled_pixels_without_seams,
    the_overlay_is_not_scaled,
);

const FACTORS: [f64; 7] = [0.25, 0.667, 1.0, 1.25, 1.5, 2.0, 4.0];

fn scaling(factor: f64, filter: ScalingFilter) -> Scaling {
    Scaling { scale: Scale::new(factor).expect("a scale"), filter }
}

/// `image` in another size: what both renderers are measured by.
fn scaled(image: &Image, to: Size, nearest: bool) -> Image {
    let Size { width, height } = image.size;
    let mut made = Image::black(to.width, to.height);
    let place = |at: u32, to: u32, from: u32| {
        let middle = (f64::from(at) + 0.5) * f64::from(from) / f64::from(to);
        let at = if nearest { (middle + 1e-9).floor() } else { middle - 0.5 }.clamp(0.0, f64::from(from - 1));
        (at as u32, (at as u32 + 1).min(from - 1), at.fract())
    };
    for y in 0..to.height {
        let (top, bottom, down) = place(y, to.height, height);
        for x in 0..to.width {
            let (left, right, across) = place(x, to.width, width);
            let mix = |channel: usize| {
                let at = |x, y| f64::from(image.pixel(x, y)[channel]);
                let upper = at(left, top) * (1.0 - across) + at(right, top) * across;
                let lower = at(left, bottom) * (1.0 - across) + at(right, bottom) * across;
                (upper * (1.0 - down) + lower * down).round() as u8
            };
            made.set(x, y, [mix(0), mix(1), mix(2), 255]);
        }
    }
    made
}

fn pictures_are_scaled_by_every_factor(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    rig.resize(1, 61, 43);
    let picture = noise_picture(PixelFormat::Rgb, 61, 43, 0);
    rig.picture(1, 0, 0, &picture);
    let mut unscaled = Image::black(61, 43);
    unscaled.paint(0, 0, &picture);
    for factor in FACTORS {
        for filter in [ScalingFilter::Auto, ScalingFilter::Linear, ScalingFilter::Nearest] {
            let is_whole = factor.fract() == 0.0;
            let nearest = filter == ScalingFilter::Nearest || (filter == ScalingFilter::Auto && is_whole);
            rig.command(RenderCommand::Scaling(scaling(factor, filter)));
            let side = |side: f64| (side * factor).round() as u32;
            let size = Size { width: side(61.0), height: side(43.0) };
            let shown = rig.shown(1);
            assert_eq!(shown.size, size, "{factor} {filter:?}");
            shown.assert_close(&scaled(&unscaled, size, nearest), if nearest { 0 } else { 2 });
        }
    }
}

/// Updates of parts look like an update of all, also where their edges are mixed with what was
/// there; and every size of the window that stands for the backing's is filled.
fn windows_show_scaled_pixels_without_seams(renderer: RendererChoice) {
    let display = Display::bare();
    for (factor, filter, extra) in [
        (1.5, ScalingFilter::Linear, 0_i64),
        (2.0, ScalingFilter::Linear, 1),
        (2.0, ScalingFilter::Auto, -1),
        (0.5, ScalingFilter::Linear, 0),
        (3.0, ScalingFilter::Nearest, 1),
    ] {
        let scaling = scaling(factor, filter);
        let mut rig = Rig::new(RenderOptions { renderer, scaling, ..RenderOptions::default() });
        let side = |side: f64| u32::try_from((side * factor).round() as i64 + extra).expect("a size");
        let size = Size { width: side(80.0), height: side(60.0) };
        let window = Arc::new(TestWindow::open(&display, 10, size.width as u16, size.height as u16));
        attach(&rig, 1, &window, size.width, size.height);
        rig.resize(1, 80, 60);
        let mut unscaled = Image::black(80, 60);
        let noise = noise_picture(PixelFormat::Bgrx, 80, 60, 0);
        rig.picture(1, 0, 0, &noise);
        unscaled.paint(0, 0, &noise);
        rig.presented();
        for step in 0..12_u8 {
            let patch = plain_picture(11, 7, [step * 20, 255 - step, 3]);
            let place = (i32::from(step) * 7 - 3, i32::from(step) * 5 - 2);
            unscaled.paint(place.0, place.1, &patch);
            let last = rig.picture(1, place.0, place.1, &patch);
            while rig.presented().1 != Some(last) {}
        }
        let expected = scaled(&unscaled, size, scaling.is_nearest());
        assert_shows(&display, &window, &expected, if scaling.is_nearest() { 0 } else { 2 });

        // Another filter at once; then a window that is much larger than its backing.
        rig.command(RenderCommand::Scaling(Scaling { filter: ScalingFilter::Nearest, ..scaling }));
        assert_shows(&display, &window, &scaled(&unscaled, size, true), 0);
        let larger = Size { width: size.width + 40, height: size.height + 30 };
        window.resize(larger.width, larger.height);
        rig.command(RenderCommand::SurfaceResized { surface: WindowId(1).into(), size: larger });
        let exact = scaled(&unscaled, scaling.scale.size_to_local(unscaled.size), true);
        assert_shows(&display, &window, &exact.in_window(larger), 0);
        // Back to one to one, as if nothing had been.
        rig.command(RenderCommand::Scaling(Scaling::default()));
        assert_shows(&display, &window, &unscaled.in_window(larger), 0);
        // An update at the edge, which goes on beyond it.
        let patch = plain_picture(9, 60, [200, 100, 50]);
        unscaled.paint(75, 0, &patch);
        let last = rig.picture(1, 75, 0, &patch);
        while rig.presented().1 != Some(last) {}
        assert_shows(&display, &window, &unscaled.in_window(larger), 0);
    }
}

/// Waits until the window shows `expected`, channels differing by at most `tolerance`.
#[track_caller]
fn assert_shows(display: &Display, window: &TestWindow, expected: &Image, tolerance: u8) {
    let image = |picture: Picture| {
        let size = Size { width: picture.width as u32, height: picture.height as u32 };
        Image { size, rgba: picture.rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], 255]).collect() }
    };
    let shown = || display.x.grab(window.id).map(image).filter(|shown| shown.size == expected.size);
    let close = || (shown()?.max_error(expected) <= tolerance).then_some(());
    let why = || {
        let Some(shown) = shown() else { return "it is not there in this size".to_owned() };
        let pixels = (0..shown.size.height).flat_map(|y| (0..shown.size.width).map(move |x| (x, y)));
        let differs =
            |x, y| shown.pixel(x, y).iter().zip(expected.pixel(x, y)).any(|(a, b)| a.abs_diff(b) > tolerance);
        let wrong: Vec<_> = pixels.filter(|(x, y)| differs(*x, *y)).collect();
        format!("{} pixels differ, from {:?} to {:?}", wrong.len(), wrong.first(), wrong.last())
    };
    wait_for("the scaled pixels", Duration::from_secs(10), why, close);
}

fn the_overlay_is_not_scaled(renderer: RendererChoice) {
    let mut rig = Rig::offscreen(renderer);
    rig.command(RenderCommand::Scaling(scaling(2.0, ScalingFilter::Auto)));
    rig.resize(1, 50, 40);
    rig.picture(1, 0, 0, &plain_picture(50, 40, [0, 0, 90]));
    let context = farpane::ui::fonts::context();
    let frame = Some(overlay_frame(&context, egui::Color32::GREEN));
    rig.command(RenderCommand::Overlay { surface: WindowId(1).into(), frame });
    let shown = rig.shown(1);
    assert_eq!(shown.size, Size { width: 100, height: 80 });
    let (inside, outside) = ([0, 255, 0, 255], [0, 0, 90, 255]);
    for (at, expected) in
        [((10, 10), inside), ((29, 19), inside), ((9, 15), outside), ((31, 15), outside), ((99, 5), outside)]
    {
        assert_eq!(shown.pixel(at.0, at.1), expected, "{at:?}");
    }
}

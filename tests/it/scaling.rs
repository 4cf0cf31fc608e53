//! Between server pixels and local ones: nothing is lost on the way there and back.

use farpane::app::place::{Geometry, Place};
use farpane::channel::scaling::ScaleError;
use farpane::channel::{DesktopScaling, Scale, Scaling, ScalingFilter};
use farpane::geometry::{Point, Size};
use proptest::prelude::*;

fn any_scale() -> impl Strategy<Value = Scale> {
    (250_u32..=4000).prop_map(|thousandths| Scale::new(f64::from(thousandths) / 1000.0).expect("a scale"))
}

fn any_geometry() -> impl Strategy<Value = Geometry> {
    (-3000_i32..8000, -3000_i32..8000, 1_u32..8000, 1_u32..8000).prop_map(|(x, y, width, height)| Geometry {
        x,
        y,
        size: Size { width, height },
    })
}

proptest! {
    /// What came from the server is told to it unchanged, however small it is shown.
    #[test]
    fn a_window_that_stays_where_the_server_wants_it_is_no_news(
        scale in any_scale(), first in any_geometry(), second in any_geometry(),
    ) {
        let mut place = Place::new(scale, first);
        place.found(place.local());
        prop_assert_eq!(place.server(), first);
        place.told();
        let wanted = place.wanted(second);
        // On its way there it is found at places in between.
        place.found(place.local());
        place.found(wanted);
        prop_assert_eq!(place.server(), second);
    }

    /// A size that the user chose is kept when the server confirms it, and when only the other side changes.
    #[test]
    fn a_size_that_the_server_confirms_does_not_change(
        scale in any_scale(), server in any_geometry(), local in any_geometry(), width in 1_u32..8000,
    ) {
        let mut place = Place::new(scale, server);
        place.found(local);
        place.told();
        let told = place.server();
        let size = scale.size_to_server(local.size);
        // Unless it is where the server had it: then that is what is meant.
        if local.size.width != Place::new(scale, server).local().size.width {
            prop_assert_eq!(told.size.width, size.width);
        }
        prop_assert_eq!(place.wanted(told), local);
        place.found(local);
        prop_assert_eq!(place.server(), told);
        let other = Geometry { size: Size { width, ..told.size }, ..told };
        prop_assert_eq!(place.wanted(other).size.height, local.size.height);
    }

    /// Larger ones need no memory: the nearest size of the server is the one that it came from.
    #[test]
    fn nothing_is_lost_when_windows_are_enlarged(
        scale in any_scale().prop_filter("enlarged", |scale| scale.factor() >= 1.0), at in -30_000_i32..30_000,
        size in (1_u32..16_384, 1_u32..16_384),
    ) {
        prop_assert_eq!(scale.to_server(scale.to_local(at)), at);
        let size = Size { width: size.0, height: size.1 };
        prop_assert_eq!(scale.size_to_server(scale.size_to_local(size)), size);
    }

    /// Each pixel of the OS window is one of the server's window, the corners the corners.
    #[test]
    fn pointers_stay_inside_of_their_window(
        scale in any_scale(), server in any_geometry(), local in any_geometry(), at in (0.0..1.0, 0.0..1.0),
    ) {
        for found in [Place::new(scale, server).local(), local] {
            let mut place = Place::new(scale, server);
            place.found(found);
            let Geometry { x: left, y: top, size: Size { width, height } } = place.server();
            let Size { width: local_width, height: local_height } = found.size;
            let Point { x, y } = place.point(at.0 * f64::from(local_width), at.1 * f64::from(local_height));
            prop_assert!((left..left + width as i32).contains(&x), "{x} of {left}+{width}");
            prop_assert!((top..top + height as i32).contains(&y), "{y} of {top}+{height}");
            prop_assert_eq!(place.point(0.0, 0.0), Point::new(left, top));
        }
    }
}

#[test]
fn places_are_scaled_with_everything_around_them() {
    let geometry = |x, y, width, height| Geometry { x, y, size: Size { width, height } };
    let scale = Scale::percent(150).expect("a scale");
    let mut place = Place::new(scale, geometry(100, 50, 301, 201));
    assert_eq!(place.local(), geometry(150, 75, 452, 302));
    // Moved and enlarged by the user.
    place.found(geometry(200, 99, 500, 302));
    assert_eq!(place.server(), geometry(133, 66, 333, 201));
    assert_eq!(place.point(0.0, 0.0), Point::new(133, 66));
    assert_eq!(place.point(299.9, 151.0), Point::new(133 + 199, 66 + 100));
    assert_eq!(place.point(-3.0, 600.0), Point::new(133 - 2, 66 + 400), "a drag out of the window goes on");
    // Another scale: the same size for the server, the same place on the screen.
    place.told();
    assert_eq!(place.rescale(Scale::percent(200).expect("a scale")), Size { width: 666, height: 402 });
    place.found(geometry(200, 99, 666, 402));
    assert_eq!(place.server(), geometry(100, 50, 333, 201));
}

#[test]
fn scales_are_written_in_many_ways() {
    let by = |factor: f64| Ok(DesktopScaling::By(Scale::new(factor).expect("a scale")));
    for (text, expected) in [
        ("off", Ok(DesktopScaling::Off)),
        ("on", Ok(DesktopScaling::Off)),
        ("1", Ok(DesktopScaling::Off)),
        ("100%", Ok(DesktopScaling::Off)),
        ("auto", Ok(DesktopScaling::Auto)),
        ("hidpi", Ok(DesktopScaling::Hidpi)),
        ("1.5", by(1.5)),
        (" 150% ", by(1.5)),
        ("3/2", by(1.5)),
        ("4/3", by(1.333)),
        ("0.25", by(0.25)),
        ("4", by(4.0)),
        ("0.2", Err(ScaleError::Range)),
        ("4.1", Err(ScaleError::Range)),
        ("1/0", Err(ScaleError::Range)),
        ("-1", Err(ScaleError::Range)),
        ("nan", Err(ScaleError::Range)),
        ("2x1.5", Err(ScaleError::Pair)),
        ("1600x1000", Err(ScaleError::Pair)),
        ("large", Err(ScaleError::Words)),
        ("", Err(ScaleError::Words)),
        ("%", Err(ScaleError::Words)),
    ] {
        assert_eq!(text.parse::<DesktopScaling>(), expected, "{text}");
        if let Ok(scaling) = expected {
            assert_eq!(scaling.to_string().parse(), Ok(scaling), "{text}");
        }
    }
    assert_eq!(DesktopScaling::Auto.scale(2.0), Scale::percent(200).expect("a scale"));
    assert_eq!(DesktopScaling::Auto.scale(9.0), Scale::percent(400).expect("a scale"));
    assert_eq!(DesktopScaling::Off.scale(2.0), Scale::ONE);
    // From 1.5 on, unless something else is said.
    assert_eq!(DesktopScaling::default().scale(1.49), Scale::ONE);
    assert_eq!(DesktopScaling::default().scale(1.5), Scale::percent(150).expect("a scale"));
    assert_eq!(DesktopScaling::default().scale(2.0), Scale::percent(200).expect("a scale"));
}

#[test]
fn windows_of_about_the_right_size_are_filled() {
    let size = |width, height| Size { width, height };
    let scaling = Scaling { scale: Scale::percent(200).expect("a scale"), filter: ScalingFilter::Auto };
    for (window, shown) in [
        (size(600, 400), size(600, 400)),
        (size(601, 399), size(601, 399)),
        (size(640, 399), size(600, 399)),
        (size(600, 100), size(600, 400)),
    ] {
        assert_eq!(scaling.shown(size(300, 200), window), shown, "in {window:?}");
    }
    assert_eq!(Scaling::default().shown(size(300, 200), size(301, 200)), size(300, 200), "one to one");
}
